package mcp_test

import (
	"encoding/json"
	"regexp"
	"testing"

	"doorman/server/access"
)

// The list of tools is read by every conversation, before its first word.
const (
	maxList         = 25_000
	maxReadOnlyList = 12_000
)

// TestListFitsItsBudget: everything that an administrator can allow, and what a connection that only reads sees.
func TestListFitsItsBudget(t *testing.T) {
	t.Parallel()
	every := []access.Scope{access.ScopeMetadata, access.ScopeSearch, access.ScopeORM, access.ScopeSQL, access.ScopeShell}
	for name, row := range map[string]struct {
		policy access.Policy
		most   int
	}{
		"everything": {access.Policy{Scopes: every}, maxList},
		"read only":  {access.Policy{Scopes: every[:3], ReadOnly: true}, maxReadOnlyList},
		"to read":    {access.Policy{Scopes: every[:2]}, maxReadOnlyList},
	} {
		f := newFake()
		row.policy.RateMinute, row.policy.RateDay = 100, 1000
		f.snapshot.Connection.Policy = row.policy
		a := send(t, endpoint(t, f).URL, listTools)
		t.Logf("%s: %d tools, %d bytes", name, len(a.Result.Tools), len(a.body))
		if len(a.body) > row.most || len(a.Result.Tools) == 0 {
			t.Errorf("%s: tools/list has %d bytes, more than %d", name, len(a.body), row.most)
		}
	}
}

var toolName = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

// TestSchemasAreFlat: what the strictest clients take (no unions, no anyOf, no object of which nothing is said).
func TestSchemasAreFlat(t *testing.T) {
	t.Parallel()
	var list struct {
		Result struct {
			Tools []struct {
				Name, Description         string
				InputSchema, OutputSchema map[string]any
			}
		}
	}
	f := newFake()
	f.snapshot.Connection.Policy.Scopes = []access.Scope{access.ScopeMetadata, access.ScopeSearch, access.ScopeORM, access.ScopeSQL, access.ScopeShell}
	if err := json.Unmarshal([]byte(send(t, endpoint(t, f).URL, listTools).body), &list); err != nil || len(list.Result.Tools) < 15 {
		t.Fatalf("%v, %d tools", err, len(list.Result.Tools))
	}
	for _, tool := range list.Result.Tools {
		if !toolName.MatchString(tool.Name) || tool.Description == "" || len(tool.Description) > 300 {
			t.Errorf("%s: name of at most 40 letters, description of at most 300: %d", tool.Name, len(tool.Description))
		}
		flat(t, tool.Name+" input", tool.InputSchema, false)
		flat(t, tool.Name+" output", tool.OutputSchema, true)
	}
}

// flat checks one schema and what is in it.
func flat(t *testing.T, where string, schema map[string]any, output bool) {
	t.Helper()
	kind, isText := schema["type"].(string)
	if !isText {
		t.Errorf("%s: the type is %v", where, schema["type"])
	}
	for _, word := range []string{"anyOf", "oneOf", "allOf", "not", "$ref", "$defs", "enum", "const", "patternProperties"} {
		if _, there := schema[word]; there {
			t.Errorf("%s: has %s", where, word)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	if kind == "array" {
		items, ok := schema["items"].(map[string]any)
		if !ok {
			t.Errorf("%s: a list of nothing", where)
			return
		}
		flat(t, where+"[]", items, output)
	}
	for name, property := range properties {
		p, ok := property.(map[string]any)
		if !ok || (!output && p["type"] == "object") {
			t.Errorf("%s.%s: %v", where, name, property)
			continue
		}
		flat(t, where+"."+name, p, output)
	}
}
