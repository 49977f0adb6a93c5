// Package caller is who is asking: it turns the credential of an HTTP request into a Caller, with what holds for their
// connection, and decides what can be decided before it is known what they want.
//
//	request -> Door.Authenticate
//	             bearer    the credential, from the header alone -> its proof
//	             resolver  proof -> snapshot, from memory (30 s at most) or Odoo; wrong ones are counted as guesses
//	             peek      bounded; the method, and the id, the tool and the progress token where it has them
//	             stepUp    403 for a token that lacks nothing but a scope: the client asks its user for it
//	             admit     switch, status, expiry, address, and one request counted
//	             inFlight  a notice of the client's may take the request back from here on
//	          -> the SDK, with the Caller in the context
//
// Later, while the request runs, the same Door decides (Decide asks Odoo again before it refuses on what is old), takes
// the snapshot that an answer of Odoo's brings along (Learn), forgets a credential that Odoo refused (Failed), and puts
// what never reached Odoo into its audit (AuditBatch).
package caller
