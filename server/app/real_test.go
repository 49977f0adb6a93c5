package app_test

import (
	"testing"

	"doorman/server/app/apptest"
)

func TestMain(m *testing.M) { apptest.Main(m) }

func TestRealSearch(t *testing.T) {
	o := apptest.RealOdoo(t, 0, `connection("key", admin)`)
	s := apptest.Serve(t, o.Environ()...)
	session := apptest.Connect(t, s.MCP, o.Text("key"))
	for _, tool := range []struct {
		name string
		args map[string]any
	}{
		{"get_context", nil},
		{"list_models", map[string]any{"query": "partner"}},
		{"describe_model", map[string]any{"model": "res.partner", "query": "country"}},
		{"search_records", map[string]any{"model": "res.partner", "limit": 1}},
		{"search_records", map[string]any{"model": "res.partner", "limit": 2, "fields": []string{"name", "comment", "child_ids"}, "domain": []any{[]any{"is_company", "=", true}}}},
		{"read_records", map[string]any{"model": "res.partner", "ids": []int{1, 999999}, "fields": []string{"name"}}},
		{"aggregate_records", map[string]any{"model": "res.partner", "group_by": []string{"country_id", "create_date:month"}, "measures": []string{"id:max"}}},
		{"search_records", map[string]any{"model": "res.partner", "feilds": 1}},
		{"search_records", map[string]any{"model": "res.partner", "fields": []string{"nmae"}}},
		{"search_records", map[string]any{"model": "res.partners"}},
	} {
		content, failed := apptest.Call(t, session, tool.name, tool.args)
		t.Logf("%s %v: %q\n%v", tool.name, tool.args, failed, content)
	}
}
