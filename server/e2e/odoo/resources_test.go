package odoo_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"doorman/server/e2e/kit"
)

// codeOf is the JSON-RPC code of an error; 0 = none.
func codeOf(err error) int64 {
	if wire, ok := errors.AsType[*jsonrpc.Error](err); ok {
		return wire.Code
	}
	return 0
}

// names are those of a list of prompts.
func names(list *sdk.ListPromptsResult) (all string) {
	if list == nil {
		return ""
	}
	for _, p := range list.Prompts {
		all += p.Name + " "
	}
	return all
}

// TestRealResources: resources, prompts and completion as an official client uses them, on a real Odoo.
func TestRealResources(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, `
limited = [Command.set([env["ir.model"]._get_id("res.country")])]
search = [Command.set(env["doorman.scope"].search([("code", "=", "mcp:search")]).ids)]
clerk = user("clerk", "base.group_user", "doorman.group_user")
connection("admin", admin)
connection("countries", admin, allowed_model_ids=limited)
connection("searcher", admin, scope_ids=search)
connection("clerk", clerk)
hidden = env["res.partner"].create({"name": "Hidden from clerks", "company_id": env["res.company"].create({"name": "Elsewhere"}).id})
shown = env["res.partner"].create({"name": "Zyxw Trading", "email": "zyxw@example.com"})
gone = env["res.partner"].create({"name": "Gone"})
out.update(hidden=hidden.id, shown=shown.id, gone=gone.id)
gone.unlink()
`)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	admin := kit.Connect(t, s.MCP, o.Text("admin"))
	read := func(session *sdk.ClientSession, uri string) (string, error) {
		result, err := session.ReadResource(t.Context(), &sdk.ReadResourceParams{URI: uri})
		if err != nil {
			return "", err
		}
		return result.Contents[0].Text, nil
	}
	record := func(name string) string { return fmt.Sprint("odoo://res.partner/", o.ID(name)) }
	if _, err := read(admin, record("shown")); err != nil { // learns the fields
		t.Fatal(err)
	}
	t.Run("a record and its fields, one request each", func(t *testing.T) {
		for uri, want := range map[string]string{record("shown"): `"name":"Zyxw Trading"`, "odoo://res.partner/fields": `"name":"email"`} {
			before := proxy.Requests()
			got, err := read(admin, uri)
			if n := proxy.Requests() - before; err != nil || n != 1 || !strings.Contains(got, want) {
				t.Errorf("%s: %v, %d requests: %.300s", uri, err, n, got)
			}
			if strings.Contains(got, "password") || strings.Contains(got, "signup_token") {
				t.Errorf("%s: holds what is withheld: %s", uri, got)
			}
		}
	})
	t.Run("deny", func(t *testing.T) {
		clerk := kit.Connect(t, s.MCP, o.Text("clerk"))
		if got, err := read(clerk, record("shown")); err != nil || !strings.Contains(got, "Zyxw") {
			t.Errorf("the clerk: %v %s", err, got)
		}
		var words []string
		for _, row := range []struct{ key, uri string }{
			{"clerk", record("hidden")}, {"clerk", record("gone")}, {"clerk", "odoo://res.partner/2147483000"},
			{"clerk", "odoo://ir.rule/1"}, {"clerk", "odoo://doorman.connection/1"}, {"clerk", "odoo://res.users.apikeys/1"},
			{"clerk", "odoo://no.such.model/1"}, {"clerk", "odoo://no.such.model/fields"}, {"admin", "odoo://ir.config_parameter/fields"},
			{"countries", record("shown")}, {"countries", "odoo://res.partner/fields"}, {"searcher", "odoo://res.partner/fields"},
		} {
			got, err := read(kit.Connect(t, s.MCP, o.Text(row.key)), row.uri)
			if codeOf(err) != jsonrpc.CodeInvalidParams {
				t.Errorf("%s reads %s: %v %s", row.key, row.uri, err, got)
			} else {
				words = append(words, err.Error())
			}
		}
		if len(words) > 2 && (words[0] != words[1] || words[1] != words[2]) {
			t.Errorf("a hidden record can be told from a missing one: %q", words[:3])
		}
	})
	t.Run("lists", func(t *testing.T) {
		list, err := admin.ListResources(t.Context(), nil)
		if err != nil || len(list.Resources) == 0 || list.Resources[0].URI != "odoo://res.company/fields" {
			t.Fatalf("%v %+v", err, list)
		}
		countries := kit.Connect(t, s.MCP, o.Text("countries"))
		list, err = countries.ListResources(t.Context(), nil)
		if err != nil || len(list.Resources) != 1 || list.Resources[0].URI != "odoo://res.country/fields" || list.Resources[0].Title != "Country: fields" {
			t.Fatalf("%v %+v", err, list)
		}
		list, err = kit.Connect(t, s.MCP, o.Text("searcher")).ListResources(t.Context(), nil)
		if err != nil || len(list.Resources) != 0 {
			t.Errorf("%v %+v", err, list)
		}
		templates, err := admin.ListResourceTemplates(t.Context(), nil)
		if err != nil || len(templates.ResourceTemplates) != 2 {
			t.Errorf("%v %+v", err, templates)
		}
	})
	complete := func(session *sdk.ClientSession, typed string) []string {
		result, err := session.Complete(t.Context(), &sdk.CompleteParams{
			Ref:      &sdk.CompleteReference{Type: "ref/resource", URI: "odoo://{model}/{id}"},
			Argument: sdk.CompleteParamsArgument{Name: "model", Value: typed},
		})
		if err != nil {
			t.Fatal(err)
		}
		return result.Completion.Values
	}
	t.Run("completion", func(t *testing.T) {
		before := proxy.Requests()
		got := complete(admin, "res.par")
		if len(got) == 0 || got[0] != "res.partner" || strings.Contains(fmt.Sprint(got), "doorman.") {
			t.Errorf("%v", got)
		}
		if n := proxy.Requests() - before; n != 0 { // the list of resources asked already
			t.Errorf("%d requests", n)
		}
		for _, typed := range []string{"doorman", "ir.rule", "res.users.apikeys", "ir.config"} {
			if got := complete(admin, typed); len(got) != 0 {
				t.Errorf("%s: %v", typed, got)
			}
		}
		if got := complete(kit.Connect(t, s.MCP, o.Text("countries")), ""); len(got) != 1 || got[0] != "res.country" {
			t.Errorf("limited: %v", got)
		}
		if got := complete(kit.Connect(t, s.MCP, o.Text("searcher")), ""); len(got) != 0 {
			t.Errorf("without metadata: %v", got)
		}
	})
	t.Run("prompts", func(t *testing.T) {
		list, err := admin.ListPrompts(t.Context(), nil)
		if err != nil || len(list.Prompts) == 0 {
			t.Fatalf("%v %+v", err, list)
		}
		got, err := admin.GetPrompt(t.Context(), &sdk.GetPromptParams{Name: "record_history", Arguments: map[string]string{"model": "res.partner", "id": "3"}})
		if err != nil || !strings.HasSuffix(got.Messages[0].Content.(*sdk.TextContent).Text, `{"id":3,"model":"res.partner"}`) {
			t.Errorf("%v %+v", err, got)
		}
		if list, err = kit.Connect(t, s.MCP, o.Text("countries")).ListPrompts(t.Context(), nil); err != nil || strings.Contains(names(list), "find_customer") {
			t.Errorf("a prompt about a model that is not allowed: %v %s", err, names(list))
		}
	})
	t.Run("recorded as the tool", func(t *testing.T) {
		rows := o.Python(t, `
env.cr.execute("SELECT method, tool, outcome, count(*) FROM doorman_audit WHERE method = 'resources/read' GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
out["rows"] = env.cr.fetchall()
out["today"] = env["doorman.audit"]._used_today(env["doorman.connection"].search([("name", "=", "admin")]).id)
`)
		all := fmt.Sprint(rows["rows"])
		kit.Wants(t, all, "[resources/read read_records ok", "[resources/read describe_model ok")
		if today, _ := rows["today"].(float64); today < 3 {
			t.Errorf("%v of the day are used: %s", rows["today"], all)
		}
	})
}
