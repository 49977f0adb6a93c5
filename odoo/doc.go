// Package odoo is the client of the Doorman addon: it implements access.Gateway over four ways to reach the same methods.
//
//	access.Gateway call
//	      │  params (named arguments, plain JSON, by package wire)
//	      ▼
//	  Client ──> breaker ──> in flight ─────> transport.Link ──> Odoo
//	             (dead Odoo  (calls in        (one of four ways,
//	              answered    flight, fair     or the first of
//	              at once)    by connection)   them that works)
//	      ▲                                        │
//	      │  *access.Error, in fixed words         │ *transport.Failure: a class, never text from outside
//	      └──────────────── errors.go <────────────┘
//
// Three promises hold on every way:
//
//   - A call is sent once. Only hello, resolve and fields, which change nothing, are ever sent again; anything else is
//     sent again only when not one byte of it had left (a pooled connection that Odoo had closed), or when the addon says
//     that it was not done (a read that it took out of a batch, or all of a batch that was refused as one).
//   - A call ends by its deadline, and holds no more memory than Config.MaxBody asks for, whatever Odoo sends.
//   - No error carries a key, a traceback, SQL, a path, or a body: errors are made of fixed words, of an exception's name,
//     and of the sentence of a business error, which Odoo wrote for its user.
package odoo
