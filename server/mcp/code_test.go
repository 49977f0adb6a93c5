package mcp_test

import (
	"encoding/json"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/mcp/tokens"
)

// trusted is a connection with every scope.
func trusted(value string) *fakeGateway {
	f := answering(value)
	f.snapshot.Connection.Policy.Scopes = []access.Scope{access.ScopeMetadata, access.ScopeSearch, access.ScopeORM, access.ScopeSQL, access.ScopeShell}
	return f
}

// TestCodeTools: what Odoo is asked, once, and what the client gets.
func TestCodeTools(t *testing.T) {
	t.Parallel()
	const step = `{"tool":"create_records","model":"res.partner","ids":[7]}`
	for _, row := range []struct{ name, tool, args, answer, kwargs, want string }{
		{
			"sql", "run_sql", `{"query":"SELECT id AS b, name AS a FROM res_partner"}`,
			`{"columns":["b","a"],"rows":[[1,"Acme"],[2,null]],"more":false}`,
			`{"limit":100,"query":"SELECT id AS b, name AS a FROM res_partner"}`,
			`{"columns":["b","a"],"has_more":false,"rows":[{"a":"Acme","b":1},{"a":null,"b":2}]}`,
		},
		{
			"sql, more", "run_sql", `{"query":"SELECT 1","limit":9000}`, `{"columns":["?column?"],"rows":[[1]],"more":true}`,
			`{"limit":500,"query":"SELECT 1"}`,
			`{"columns":["?column?"],"has_more":true,"note":"There are more rows: ask for fewer columns, or page by a condition such as id \u003e the last one with ORDER BY id.","rows":[{"?column?":1}]}`,
		},
		{
			"python", "run_python", `{"code":"result = 1"}`, `{"result":"1","steps":[]}`, `{"code":"result = 1"}`, `{"result":"1","steps":[]}`,
		},
		{
			"python, tried out", "run_python", `{"code":"x","dry_run":true}`, `{"result":"","steps":[` + step + `]}`, `{"code":"x"}`,
			`{"dry_run":true,"note":"Nothing was changed: this is what it would do.","result":"","steps":[{"ids":[7],"model":"res.partner","tool":"create_records"}]}`,
		},
		{
			"python, done and not to be read", "run_python", `{"code":"x"}`, `[]`, `{"code":"x"}`,
			`{"note":"It is done, but the answer could not be read: look at the records.","result":"","steps":[]}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := trusted(row.answer)
			a := call(t, endpoint(t, f).URL, row.tool, row.args)
			if a.kind() != "" || f.callCount() != 1 {
				t.Fatalf("%d calls: %s", f.callCount(), a.body)
			}
			r := f.last()
			kwargs, err := json.Marshal(r.Kwargs)
			if err != nil || r.Model != "" || r.Method != row.tool || string(kwargs) != row.kwargs || r.DryRun != strings.Contains(row.args, "dry_run") {
				t.Errorf("asked %+v %s", r, kwargs)
			}
			if got, err := json.Marshal(a.Result.StructuredContent); err != nil || string(got) != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// TestCodeToolsCut: an answer that is too large is cut at a row.
func TestCodeToolsCut(t *testing.T) {
	t.Parallel()
	long := `["` + strings.Repeat("x", 30_000) + `"]`
	f := trusted(`{"columns":["a"],"rows":[` + long + `,` + long + `,` + long + `],"more":false}`)
	a := call(t, endpoint(t, f).URL, "run_sql", `{"query":"SELECT 1"}`)
	got, err := json.Marshal(a.Result.StructuredContent)
	if err != nil || !strings.Contains(string(got), `"has_more":true`) || strings.Count(string(got), "xxxxx\"") != 2 || tokens.Estimate(got) > tokens.Limit {
		t.Errorf("%v, %d bytes", err, len(got))
	}
}

// TestCodeToolsRefused: not listed is not callable, and Odoo is not asked.
func TestCodeToolsRefused(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 20_001)
	for _, row := range []struct {
		name, tool, args, kind string
		change                 func(*access.Snapshot)
	}{
		{"no query", "run_sql", `{}`, "invalid_input", nil},
		{"an empty query", "run_sql", `{"query":" "}`, "invalid_input", nil},
		{"a long query", "run_sql", `{"query":"` + long + `"}`, "invalid_input", nil},
		{"a list", "run_sql", `{"query":["SELECT 1"]}`, "invalid_input", nil},
		{"a misspelt parameter", "run_sql", `{"qeury":"SELECT 1"}`, "invalid_input", nil},
		{"no code", "run_python", `{}`, "invalid_input", nil},
		{"long code", "run_python", `{"code":"` + long + `"}`, "invalid_input", nil},
		{"a long key", "run_python", `{"code":"x","idempotency_key":"` + strings.Repeat("k", 65) + `"}`, "invalid_input", nil},
		{"sql, no scope", "run_sql", `{"query":"SELECT 1"}`, "not_allowed", func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{access.ScopeORM} }},
		{"sql, off", "run_sql", `{"query":"SELECT 1"}`, "not_allowed", func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"run_sql"} }},
		{"sql, other tools", "run_sql", `{"query":"SELECT 1"}`, "not_allowed", func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"run_python"} }},
		{"python, no scope", "run_python", `{"code":"x"}`, "not_allowed", func(s *access.Snapshot) {
			s.Connection.Policy.Scopes = []access.Scope{access.ScopeORM, access.ScopeSQL}
		}},
		{"python, off", "run_python", `{"code":"x"}`, "not_allowed", func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"run_python"} }},
		{"sql, not installed", "run_sql", `{"query":"SELECT 1"}`, "needs_module", func(s *access.Snapshot) { s.Settings.MissingModules = []string{"doorman_code"} }},
		{"python, not installed", "run_python", `{"code":"x"}`, "needs_module", func(s *access.Snapshot) { s.Settings.MissingModules = []string{"doorman_code"} }},
		{"sql, neither a scope nor installed", "run_sql", `{"query":"SELECT 1"}`, "not_allowed", func(s *access.Snapshot) {
			s.Connection.Policy.Scopes = []access.Scope{access.ScopeORM}
			s.Settings.MissingModules = []string{"doorman_code"}
		}},
		{"python, read only and not installed", "run_python", `{"code":"x"}`, "read_only", func(s *access.Snapshot) {
			s.Connection.Policy.ReadOnly = true
			s.Settings.MissingModules = []string{"doorman_code"}
		}},
		{"sql, switched off in the catalog and not installed", "run_sql", `{"query":"SELECT 1"}`, "not_allowed", func(s *access.Snapshot) {
			s.Settings.DisabledTools, s.Settings.MissingModules = []string{"run_sql"}, []string{"doorman_code"}
		}},
		{"python, read only", "run_python", `{"code":"x"}`, "read_only", func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := trusted(`{}`)
			if row.change != nil {
				f.change(row.change)
			}
			url := endpoint(t, f).URL
			a := call(t, url, row.tool, row.args)
			if a.kind() != row.kind || f.callCount() != 0 {
				t.Errorf("%d calls, kind %q: %s", f.callCount(), a.kind(), a.body)
			}
			if listed := strings.Contains(send(t, url, listTools).body, `"name":"`+row.tool+`"`); listed != (row.change == nil) {
				t.Errorf("listed: %v", listed)
			}
		})
	}
}

// TestPythonWaits: what a step of it needs, the whole waits for.
func TestPythonWaits(t *testing.T) {
	t.Parallel()
	f := trusted(`{}`)
	f.byTool("run_python")
	a := call(t, endpoint(t, f).URL, "run_python", `{"code":"x"}`)
	if len(f.asked) != 1 || f.asked[0].Method != "run_python" || f.callCount() != 1 || a.stands() != "pending_approval" {
		t.Errorf("asked %+v: %s", f.asked, a.body)
	}
}
