package odoo_test

import (
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// everyTool is one good call of each tool.
var everyTool = []struct {
	name string
	args map[string]any
}{
	{"get_context", nil},
	{"list_models", map[string]any{"query": "partner"}},
	{"describe_model", map[string]any{"model": "res.partner", "query": "country"}},
	{"search_records", map[string]any{"model": "res.partner", "limit": 2}},
	{"read_records", map[string]any{"model": "res.partner", "ids": []int{1}}},
	{"read_messages", map[string]any{"model": "res.partner", "id": 1}},
	{"search_everywhere", map[string]any{"query": "azure"}},
	{"get_actions", map[string]any{"model": "res.partner", "id": 1}},
	{"aggregate_records", map[string]any{"model": "res.partner", "group_by": []string{"country_id"}}},
}

// TestRealOneRequestPerCall counts what reaches Odoo, with a proxy in between.
func TestRealOneRequestPerCall(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, `
connection("key", admin)
connection("narrow", admin, allowed_model_ids=[Command.set([env["ir.model"]._get_id("res.partner")])],
           allowed_tool_ids=False, read_only=True)`)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	session := kit.Connect(t, s.MCP, o.Text("key"))
	for _, tool := range everyTool {
		kit.Call(t, session, tool.name, tool.args) // the first call may learn what a model's fields are
	}
	for _, tool := range everyTool {
		t.Run(tool.name, func(t *testing.T) {
			before := proxy.Requests()
			if content, failed := kit.Call(t, session, tool.name, tool.args); failed != "" {
				t.Fatalf("refused: %v", content)
			}
			if n := proxy.Requests() - before; n != 1 {
				t.Fatalf("%d requests to Odoo, want 1", n)
			}
		})
	}
	t.Run("tools/list asks nothing", func(t *testing.T) {
		before := proxy.Requests()
		if _, err := session.ListTools(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		if n := proxy.Requests() - before; n != 0 {
			t.Fatalf("%d requests to Odoo, want 0", n)
		}
	})
	narrow := kit.Connect(t, s.MCP, o.Text("narrow"))
	if _, failed := kit.Call(t, narrow, "search_records", map[string]any{"model": "res.partner"}); failed != "" {
		t.Fatalf("the allowed model was refused: %s", failed)
	}
	for name, args := range map[string]map[string]any{
		"a model that is not allowed": {"model": "res.users"},
		"a field that does not exist": {"model": "res.partner", "fields": []string{"nmae"}},
		"a malformed domain":          {"model": "res.partner", "domain": `[["name","="]]`},
		"a misspelt parameter":        {"model": "res.partner", "limt": 3},
	} {
		t.Run("refused without asking: "+name, func(t *testing.T) {
			// A refusal may ask once in two seconds who this is, in case it was allowed since: the one before does.
			asked := time.Now()
			kit.Call(t, narrow, "search_records", args)
			before := proxy.Requests()
			if _, failed := kit.Call(t, narrow, "search_records", args); failed == "" {
				t.Fatal("allowed")
			}
			most := int64(0)
			if time.Since(asked) >= 2*time.Second { // on a slow machine
				most = 1
			}
			if n := proxy.Requests() - before; n > most {
				t.Fatalf("%d requests to Odoo, want %d", n, most)
			}
		})
	}
}

// TestRealRights: two people see different records through their connections, each exactly what Odoo shows them.
func TestRealRights(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, `
north, south = (env["res.company"].create({"name": n}) for n in ("North", "South"))
for company in (north, south):
    env["res.partner"].create({"name": "Secret of " + company.name, "company_id": company.id})
for login, company in (("anna", north), ("bert", south)):
    person = user(login, "doorman.group_user")
    person.write({"company_ids": [Command.set([company.id])], "company_id": company.id})
    connection(login, person)
both = user("cora", "doorman.group_user")
both.write({"company_ids": [Command.set([north.id, south.id])], "company_id": north.id})
connection("both", both)
connection("both_north", both, company_ids=[Command.set([north.id])])
out["north"], out["south"] = north.id, south.id`)
	s := kit.Serve(t, o.Environ()...)
	secrets := func(t *testing.T, key string, company int64) (names []string, failed string) {
		args := map[string]any{"model": "res.partner", "domain": `[["name","like","Secret of"]]`, "fields": []string{"name"}, "order": "name"}
		if company != 0 {
			args["company_id"] = company
		}
		content, failed := kit.Call(t, kit.Connect(t, s.MCP, o.Text(key)), "search_records", args)
		records, _ := content["records"].([]any)
		for _, r := range records {
			names = append(names, r.(map[string]any)["name"].(string))
		}
		return names, failed
	}
	north, south := o.ID("north"), o.ID("south")
	for _, row := range []struct {
		name, key string
		company   int64
		want      string
		failed    string
	}{
		{"a user of North", "anna", 0, "[Secret of North]", ""},
		{"a user of South", "bert", 0, "[Secret of South]", ""},
		{"a user of both", "both", 0, "[Secret of North Secret of South]", ""},
		{"a user of both, in one of them", "both", south, "[Secret of South]", ""},
		{"a connection kept to one of its user's companies", "both_north", 0, "[Secret of North]", ""},
		{"a user of North asks for South", "anna", south, "[]", "not_allowed"},
		{"a connection kept to North asks for South", "both_north", south, "[]", "not_allowed"},
		{"a company that does not exist", "both", 99999, "[]", "not_allowed"},
		{"a user of South asks for North", "bert", north, "[]", "not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			names, failed := secrets(t, row.key, row.company)
			if got := kit.Sprint(names); got != row.want || failed != row.failed {
				t.Fatalf("got %s %q, want %s %q", got, failed, row.want, row.failed)
			}
		})
	}
}
