// Package mcp is the MCP endpoint: one URL for both protocol eras, stateless, on the official go-sdk. It wires its rooms:
//
//	POST /mcp
//	  -> caller      bearer -> proof -> snapshot (cached <= 30 s); refusals that need no tool: HTTP 401, 403, 429
//	  -> go-sdk      protocol
//	  -> admit       (middleware.go) every call counted once against the connection's rates; lists cut to what this connection
//	                 may use (lists.go)
//	  -> toolcall    arguments -> access.Decide -> one request to Odoo behind the fence; or a pending answer, at once
//	       tools     what each tool does, one row a tool
//	       resources, prompts, which go the same way or need no Odoo
//	  -> mcperr      errors as {kind, message, hint, retry_after_seconds}
//
// A request that asks for progress is answered by a stream, and one that its client takes back waits no longer.
//
// A call costs one round trip to Odoo. A refusal costs none, unless what is remembered is older than 2 s: then Odoo is
// asked again first, so that what an administrator just allowed works at once. The package knows access.Gateway and
// nothing of how Odoo is reached.
package mcp
