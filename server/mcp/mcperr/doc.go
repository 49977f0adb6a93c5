// Package mcperr is how an error reaches a client of the MCP endpoint: the same body, {kind, message, hint,
// retry_after_seconds}, in a tool's result, in a JSON-RPC error and over HTTP.
//
//	*access.Error -> Body        what a model reads, in a result or as the data of an error
//	              -> HTTPStatus  the one place where a kind becomes a number
//	                 -> RPC      an error of a method that has no result to hold it
//	                 -> Write    the answer to a request that never reached the protocol
//
// Clip and Suggest are for the words of errors: what came from outside is shortened, and an unknown name gets similar
// ones.
package mcperr
