// Package odootest is a fake Odoo with the Doorman addon, for tests and for the benchmark: real HTTP, no database.
//
//	/doorman/jsonrpc ─┐                        ┌─ connections, by SHA-256 of the proof
//	/json/2/...      ─┼─> fault? ─> gateway ───┼─ records (res.partner, res.country, ...)
//	/jsonrpc         ─┤   (Inject)  (one lock) └─ what happened: counts, effects, events, audit
//	/xmlrpc/2/...    ─┘
//
// What it answers is what Odoo 19 answers, as far as the client reads it: ../testdata/golden holds replies recorded from
// the real one, and a test compares the two. From documentation, that is from Odoo's and the addon's source and not from a
// recorded reply, are:
//
//   - exceptions that Inject raises, other than AccessDenied, AccessError, TypeError and NotFound: their HTTP status, the
//     shape being the same for all;
//   - create, write and unlink;
//   - requests for approval, which people decide on by Approve, Reject and Cancel;
//   - AccessDenied by /jsonrpc and XML-RPC for a user id that is not the key's.
//
// It is not Odoo: access rights, record rules and most of the ORM are not there. Options.Handle answers what it lacks.
package odootest
