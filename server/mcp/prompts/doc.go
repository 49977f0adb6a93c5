// Package prompts has tasks that a person can start from a menu in their AI tool: words that make a model use the tools
// well. A prompt does nothing by itself.
//
//	prompts/list   -> Definitions   cut to those that the connection can follow (CanFollow)
//	prompts/get    -> Get           the words, then what the person filled in, as one line of JSON that cannot look like words
//
// The prompts are in catalog.go.
package prompts
