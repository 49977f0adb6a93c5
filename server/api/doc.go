// Package api is the REST API for administrators, and the door that an invite's link leads through.
//
//	administrator's script                                        a person with a link
//	  │  Authorization: Bearer <their own Odoo API key>             │  GET /oauth/invite/{token}
//	  ▼                                                             ▼
//	route ── 404, 405                                             303 to {Odoo}/doorman/invite#{token}
//	  ▼                                                           Nothing is looked up and Odoo is not asked, so a good
//	credential ── 401: exactly one, of a form that keys have      token and an invented one get the same answer. A browser
//	  ▼                                                           sends what is after # to no server: the token is in no
//	input ── 400, 413, 415: every field named, none ignored       log of Odoo's.
//	  ▼
//	guesses ── 429: too many wrong keys from this network
//	  ▼
//	Odoo ──> its JSON-2, with that key ── 401, 403, 404, 409, 503, 504
//	  ▼                  Odoo says who this is and what they may do; the service's own key has no part in it.
//	  ▼                  What widens access it refuses: people do that on its screens
//	answer, with only the fields that openapi.json documents
//
// The key and the token pass through and are kept nowhere: no cache, no log, no metric, no error holds them. Every answer
// under /api/ that is not a success is {"error": {"code", "message", "hint"?}}, and openapi.json says which codes there are.
package api
