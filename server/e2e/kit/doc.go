// Package kit is the test kit for whole Doormans: the real service, in this process, over a real or a fake Odoo.
//
//	Serve      the service, as `doorman serve` would run it         Post, Call, Connect   what AI tools send to it
//	RealOdoo   a database on a real Odoo, prepared by a script      As, LogIn, Visit      what people do there
//	NeedNode, NeedPython   the official clients and suites          NewCountingProxy      how often Odoo is asked
//
// Starting an Odoo costs seconds, and so does opening a database. The tests of a package share a server (RealOdoo), but
// for those that stop it (OwnOdoo); some share a database too, one after the other (SharedOdoo).
//
// Tests that need a real Odoo are skipped unless DOORMAN_TEST_ODOO is set, those that need Node too unless
// DOORMAN_TEST_NODE is: `make test` sets both.
package kit
