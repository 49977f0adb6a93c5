// Package mcp is the MCP endpoint: one URL for both protocol eras, stateless, on the official go-sdk.
//
//	POST /mcp
//	  -> Authenticate    bearer -> proof -> snapshot (cached <= 30 s); refusals that need no tool: HTTP 401, 403
//	  -> go-sdk          protocol; tools/list cut to what this connection may use
//	  -> tool            arguments -> access.Decide -> governed.Call (fence; a stale decision is taken anew, once)
//	  -> shape           rows in a bounded, flat reply; errors as {kind, message, hint, retry_after_seconds}
//
// A refusal costs no round trip to Odoo; a call costs one. The package knows access.Gateway and nothing of how Odoo is
// reached.
package mcp
