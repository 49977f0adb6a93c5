// Package wire translates between what the Doorman addon says, as JSON, and the types of package access.
//
//	access.Request, Fence, Event ... ── Encode* ──> arguments of a gateway method
//	access.Snapshot, Reply, Hello ... <── Decode* ── its result
//	                                      text.go    what of Odoo's words may be passed on
//
// It fails closed: an answer from which something is missing that a decision rests on is Unusable as a whole, and so is one
// that could mean two things. encoding/json's own errors are dropped, since they quote what came. No I/O and no clock.
package wire
