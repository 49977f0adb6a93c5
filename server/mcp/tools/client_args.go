package tools

import (
	"encoding/json"
	"slices"
	"strings"

	"doorman/server/mcp/mcperr"
)

// clientArgs are arguments that clients add to calls by themselves, and that no model chose: they are ignored. The list is
// short and by the exact name, since whatever is on it is a misspelling that nobody is told of.
var clientArgs = []string{
	// n8n's MCP Client Tool sends its own item along: the id of the call, the tool's name, and what its chat trigger got.
	"toolCallId", "tool", "sessionId", "chatInput", "action",
	// LangChain's name for the id of the call, which its adapters inject.
	"tool_call_id",
	// The protocol's own place for such things. It stands beside the arguments; some frameworks put it among them.
	"_meta",
	// SiYuan, and Moltis, which mark theirs with an underscore.
	"_sessionID", "_session_key", "_conn_id", "_accept_language",
	// Cursor, for tools without parameters that must be given: some models cannot call a tool with none.
	"random_string",
}

// dropClientArgs takes out of the arguments of a call what its client added by itself: known are the tool's own names. One
// that may as well be a misspelling of those stays, so that it is an error.
func dropClientArgs(given map[string]json.RawMessage, known []string) {
	for _, name := range clientArgs {
		if _, there := given[name]; there && !slices.ContainsFunc(known, func(k string) bool { return misspelt(name, k) }) {
			delete(given, name)
		}
	}
}

// misspelt reports whether a name may be meant for a known one: a letter or two are other ones, or only the writing is.
func misspelt(name, known string) bool {
	plain := func(s string) string { return strings.ToLower(strings.ReplaceAll(s, "_", "")) }
	return mcperr.Distance(plain(name), plain(known)) <= max(1, len(name)/4)
}
