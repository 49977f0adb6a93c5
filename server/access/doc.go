// Package access is the pure core of Doorman: what a connection may do, and the one function that decides it.
//
//	Snapshot (what Odoo says of a connection)  ─┐
//	Call     (caller, which tool and model,     ├─> Decide ─> Decision: allow, or refuse (kind, words, what to do)
//	          what the limiter said of it)      │
//	now                                         ─┘
//
// Whether a call waits for a person is not part of it: Odoo decides that by what the call really changes.
//
//	pending ── execute, fail, reject, expire, cancel ──> one end, and none after it (ApprovalState)
//
// Nothing here does I/O, reads a clock or draws a random number, so that every decision can be tested as a value and
// replayed from an audit row. The zero Decision is a refusal: a path that forgets to decide lets nobody in.
//
// The interfaces that the outside must fulfil (Gateway) are declared here and implemented in package odoo, so that the
// MCP endpoint never knows how Odoo is reached.
package access
