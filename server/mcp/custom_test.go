package mcp_test

import (
	"encoding/json"
	"strings"
	"testing"

	"doorman/server/access"
)

// noteIt is an own tool with a parameter of each type.
func noteIt() access.OwnTool {
	return access.OwnTool{
		Tool:  access.Tool{Name: "note_it", Scope: access.ScopeORM, Writes: true, Risk: access.RiskHigh},
		Title: "Note it", Description: "Writes a note.", Revision: 3, Model: "res.partner", OnRecords: true, CanTry: true,
		Parameters: []access.OwnParameter{
			{Name: "text", Type: "string", Required: true, Description: "what"}, {Name: "n", Type: "integer"}, {Name: "x", Type: "number"},
			{Name: "b", Type: "boolean"}, {Name: "d", Type: "date"}, {Name: "t", Type: "datetime"},
			{Name: "r", Type: "record", Model: "res.country"}, {Name: "s", Type: "selection", Choices: []string{"one", "two"}},
		},
	}
}

func withOwnTools(tools ...access.OwnTool) *fakeGateway {
	f := newFake()
	f.snapshot.Connection.Policy.Scopes = append(f.snapshot.Connection.Policy.Scopes, access.ScopeORM)
	f.snapshot.OwnTools = tools
	return f
}

// TestOwnToolIsListed: among the tools of the connection, with a schema that the strictest clients take.
func TestOwnToolIsListed(t *testing.T) {
	t.Parallel()
	f := withOwnTools(noteIt())
	var list struct {
		Result struct {
			Tools []struct {
				Name                      string
				InputSchema, OutputSchema map[string]any
			}
		}
	}
	body := send(t, endpoint(t, f).URL, listTools).body
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		t.Fatal(err)
	}
	tools := list.Result.Tools
	own := tools[len(tools)-1]
	if own.Name != "note_it" {
		t.Fatalf("the last tool is %s", own.Name)
	}
	if told := call(t, endpoint(t, f).URL, "get_context", `{}`).body; !strings.Contains(told, `"note_it"`) {
		t.Errorf("get_context leaves it out: %s", told)
	}
	flat(t, "input", own.InputSchema, false)
	if own.OutputSchema != nil || strings.Contains(body, `"outputSchema":null`) {
		t.Errorf("each would pay for its schema of the answer: %v", own.OutputSchema)
	}
	got, err := json.Marshal(own.InputSchema)
	const want = `{"additionalProperties":false,"properties":{"b":{"type":"boolean"},"d":{"description":"YYYY-MM-DD","type":"string"},` +
		`"dry_run":{"description":"only tell what would change","type":"boolean"},"idempotency_key":{"type":"string"},` +
		`"ids":{"description":"records of res.partner, at most 100","items":{"type":"integer"},"type":"array"},"n":{"type":"integer"},` +
		`"r":{"description":"id of a res.country","type":"integer"},"s":{"description":"one of: one, two","type":"string"},` +
		`"t":{"description":"UTC, YYYY-MM-DD HH:MM:SS","type":"string"},"text":{"description":"what","type":"string"},"x":{"type":"number"}},` +
		`"required":["ids","text"],"type":"object"}`
	if err != nil || string(got) != want {
		t.Errorf("%v\ngot  %s\nwant %s", err, got, want)
	}
}

// TestOwnToolIsCut: not listed is not callable, and the other way round.
func TestOwnToolIsCut(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*access.Snapshot)
		kind   string
	}{
		"allowed":       {func(*access.Snapshot) {}, ""},
		"named":         {func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"note_it"} }, ""},
		"its model":     {func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"res.partner"} }, ""},
		"scope":         {func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{access.ScopeSearch} }, "not_allowed"},
		"read only":     {func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }, "read_only"},
		"others named":  {func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"get_context"} }, "not_allowed"},
		"switched off":  {func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"note_it"} }, "not_allowed"},
		"another model": {func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"res.country"} }, "not_allowed"},
		"withdrawn":     {func(s *access.Snapshot) { s.OwnTools = nil }, "unknown_tool"},
		"ours":          {func(s *access.Snapshot) { s.OwnTools[0].Name = "get_context" }, "unknown_tool"},
		"hidden name":   {func(s *access.Snapshot) { s.OwnTools[0].Name = "own2" }, "unknown_tool"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := withOwnTools(noteIt())
			row.change(f.snapshot)
			url := endpoint(t, f).URL
			listed := strings.Contains(send(t, url, listTools).body, `"name":"note_it"`)
			a := call(t, url, "note_it", `{"ids":[1],"text":"hi"}`)
			if a.kind() != row.kind || listed != (row.kind == "") || (f.callCount() > 0) != listed {
				t.Errorf("listed %v, kind %q, %d calls: %s", listed, a.kind(), f.callCount(), a.body)
			}
		})
	}
}

// TestOwnToolAsks: what Odoo is asked, and what the client gets.
func TestOwnToolAsks(t *testing.T) {
	t.Parallel()
	reading := noteIt()
	reading.Writes, reading.Scope, reading.OnRecords, reading.CanTry, reading.Parameters = false, access.ScopeSearch, false, false, nil
	for _, row := range []struct {
		name   string
		tool   access.OwnTool
		args   string
		method string
		kwargs string
		dry    bool
	}{
		{"run", noteIt(), `{"ids":[1,2],"text":"hi","n":3,"idempotency_key":"k"}`, "run_tool", `{"parameters":{"n":3,"text":"hi"},"revision":3,"tool":"note_it"}`, false},
		{"left out", noteIt(), `{"ids":[1],"text":"hi","n":null}`, "run_tool", `{"parameters":{"text":"hi"},"revision":3,"tool":"note_it"}`, false},
		{"tried out", noteIt(), `{"ids":[1],"text":"hi","dry_run":true}`, "run_tool", `{"parameters":{"text":"hi"},"revision":3,"tool":"note_it"}`, true},
		{"look", reading, `{}`, "look_tool", `{"parameters":{},"revision":3,"tool":"note_it"}`, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := withOwnTools(row.tool)
			f.call = func(access.Fence, access.Request) (access.Reply, error) {
				return reply(`{"ids":[1],"names":["Acme"],"url":"https://o/","result":"fine"}`), nil
			}
			a := call(t, endpoint(t, f).URL, "note_it", row.args)
			if a.kind() != "" || f.callCount() != 1 {
				t.Fatalf("%d calls: %s", f.callCount(), a.body)
			}
			r := f.last()
			kwargs, err := json.Marshal(r.Kwargs)
			if err != nil || r.Method != row.method || r.Model != "res.partner" || string(kwargs) != row.kwargs || r.DryRun != row.dry || r.Audit.Tool != "note_it" {
				t.Errorf("asked %+v %s", r, kwargs)
			}
			if got, _ := json.Marshal(a.Result.StructuredContent); !strings.Contains(string(got), `"result":"fine"`) {
				t.Errorf("got %s", got)
			}
		})
	}
}

// TestOwnToolBadInput: what is wrong is said, and Odoo is not asked.
func TestOwnToolBadInput(t *testing.T) {
	t.Parallel()
	fixed := noteIt()
	fixed.CanTry = false
	for _, row := range []struct {
		name, args, says string
		tool             access.OwnTool
	}{
		{"a misspelt parameter", `{"ids":[1],"txet":"hi"}`, "Did you mean", noteIt()},
		{"capitals", `{"ids":[1],"TEXT":"hi"}`, "no parameter", noteIt()},
		{"no ids", `{"text":"hi"}`, "ids", noteIt()},
		{"ids twice", `{"ids":[1,1],"text":"hi"}`, "twice", noteIt()},
		{"an id of zero", `{"ids":[0],"text":"hi"}`, "record id", noteIt()},
		{"101 ids", `{"ids":[` + strings.TrimSuffix(strings.Repeat("1,", 101), ",") + `],"text":"hi"}`, "limit of 100", noteIt()},
		{"a list", `[1]`, "not a JSON object", noteIt()},
		{"dry_run as a text", `{"ids":[1],"text":"hi","dry_run":"yes"}`, "true or false", noteIt()},
		{"dry_run of what cannot be", `{"ids":[1],"text":"hi","dry_run":true}`, "no parameter", fixed},
		{"a long key", `{"ids":[1],"text":"hi","idempotency_key":"` + strings.Repeat("k", 65) + `"}`, "longer than", noteIt()},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := withOwnTools(row.tool)
			a := call(t, endpoint(t, f).URL, "note_it", row.args)
			if a.kind() != "invalid_input" || f.callCount() != 0 || !strings.Contains(a.body, row.says) {
				t.Errorf("%d calls, %s", f.callCount(), a.body)
			}
		})
	}
}

// TestOwnHandlerHasNoName: what the SDK calls all own tools is not a tool.
func TestOwnHandlerHasNoName(t *testing.T) {
	t.Parallel()
	f := withOwnTools(noteIt())
	url := endpoint(t, f).URL
	if a := call(t, url, "own", `{}`); a.kind() != "unknown_tool" || f.callCount() != 0 {
		t.Errorf("kind %q: %s", a.kind(), a.body)
	}
	if body := send(t, url, listTools).body; strings.Contains(body, `"name":"own"`) {
		t.Error("it is listed")
	}
}
