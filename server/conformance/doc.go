// Package conformance holds the tests that look at Doorman from outside, as MCP clients do. It has no code of its own.
//
//	protocol_test.go   plain HTTP over a fake Odoo: both eras' errors, the tool list as clients judge it   always runs
//	clients_test.go    the official TypeScript clients, mcp-remote ─┐
//	inspector_test.go  the Inspector's command line                ─┼─> Doorman ─> a real Odoo   DOORMAN_TEST_NODE=1
//	suite_test.go      the official conformance suite ─> key proxy ─┘                            DOORMAN_TEST_ODOO=1
//	requirements_test.go   all that the suite requires of a revision ─> key proxy ─> Doorman with fixtures ─> a fake Odoo
//	oauth_suite_test.go    its scenarios for authorization servers ─> Doorman ─> a fake Odoo
//
// The Node programs come from package-lock.json, which pins them; the tests install them on first use.
package conformance
