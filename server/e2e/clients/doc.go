// Package clients holds the tests that look at Doorman through the clients that people have. It has no code of its own.
//
//	clients_test.go     the official TypeScript clients, mcp-remote ─┐
//	inspector_test.go   the Inspector's command line                ─┼─> Doorman ─> a real Odoo
//	oauth_real_test.go  the clients' own OAuth, a person at Odoo    ─┘
//	oauth_test.go       the clients' own OAuth ─> Doorman ─> a fake Odoo
//
// They run with DOORMAN_TEST_NODE and DOORMAN_TEST_ODOO. The Node programs, the conformance suite of the package beside
// this one among them, come from package-lock.json, which pins them; kit.NeedNode installs them on first use.
package clients
