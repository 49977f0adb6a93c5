// Package oauth is Doorman's OAuth 2.1 authorization server: what a program can verify happens here, what a person decides
// happens in Odoo, in their own session there.
//
//	AI tool                      Doorman                                   Odoo
//	   | POST /mcp, no token        |                                        |
//	   |<-- 401, resource_metadata -| /.well-known/oauth-protected-resource  |
//	   |    (RFC 9728, 8414)        | /.well-known/oauth-authorization-server|
//	   | client id                  | a document's URL (fetched, or a pinned copy), or
//	   | POST /oauth/register ----->| validated --------------------------- >| a registration
//	   | browser: /oauth/authorize->| client, redirect, PKCE, resource, scopes verified
//	   |                            | -------- oauth_begin ----------------->| a request behind a random handle
//	   |                      303 to /doorman/consent ---------------------->| a person logs in, reads, allows
//	   |<------------- 303 to the redirect URI: code, state, iss ------------|
//	   | POST /oauth/token -------->| form, client, PKCE form; proofs only ->| one conditional UPDATE: tokens
//	   | or an ID-JAG of a trusted issuer: signature and claims verified --->| who is it? once; an access token
//	   | POST /mcp, Bearer dma_...  | as with a key (package mcp)            |
//
// An error is shown on a page, and not sent anywhere, until client and redirect URI are known to belong together: whoever
// could choose where an error goes could choose where a person goes. Nothing is kept here but documents of clients, for a
// while, and how often somebody asked. Codes, tokens and secrets reach Odoo as proofs, and no log at all.
package oauth
