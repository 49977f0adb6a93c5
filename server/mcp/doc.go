// Package mcp is the MCP endpoint: one URL for both protocol eras, stateless, on the official go-sdk.
//
//	POST /mcp
//	  -> authenticate    bearer -> proof -> snapshot (cached <= 30 s); refusals that need no tool: HTTP 401, 403, 429
//	  -> go-sdk          protocol; tools/list cut to what this connection may use
//	  -> guard           every call counted once against the connection's rates, by what the Limiter says
//	  -> tool            arguments -> access.Decide -> governed.call (fence; a stale decision is taken anew, once)
//	                     or, where a person must approve: RequestApproval -> a pending answer, at once
//	                       -> approval_status, or the retry of a client that could show the page: the tool's own result
//	  -> shape           rows in a bounded, flat reply; errors as {kind, message, hint, retry_after_seconds}
//
// resources/read is a call of the tool that reads the same; lists, prompts and completion show what the caller's tools can
// do. A request that asks for progress is answered by a stream, and one that its client takes back waits no longer.
//
// A call costs one round trip to Odoo. A refusal costs none, unless what is remembered is older than 2 s: then Odoo is
// asked again first, so that what an administrator just allowed works at once. The package knows access.Gateway and
// nothing of how Odoo is reached.
package mcp
