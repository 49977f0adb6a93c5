// Package conformance holds the tests that hold Doorman against the protocol. It has no code of its own.
//
//	protocol_test.go, tools_test.go   plain HTTP over a fake Odoo: both eras' errors, the tool list     always run
//	suite_test.go          the official conformance suite ─> key proxy ─> Doorman ─> a real Odoo
//	requirements_test.go   all that the suite requires of a revision ─> key proxy ─> Doorman with fixtures ─> a fake Odoo
//	oauth_suite_test.go    its scenarios for authorization servers ─> Doorman ─> a fake Odoo
//
// The suite is one of the Node programs of server/e2e/clients. What it says against Doorman and may go on saying stands
// in the expected-failures files, each with its reason.
package conformance
