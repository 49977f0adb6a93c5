package odoo_test

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// gateSetup makes a connection for each rule, and documents that are tied to others.
const gateSetup = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
bob = user("bob", "base.group_user")
def ruled(name, model, more_than=0):
    rule = {"model_id": env["ir.model"]._get_id(model), "more_than": more_than}
    return connection(name, admin, scope_ids=scopes, approver_id=bob.id, approval_rule_ids=[Command.create(rule)])
ruled("templates", "product.template")
ruled("partners", "res.partner")
ruled("four", "res.partner", 3)
ruled("five", "res.partner", 4)
ruled("countries", "res.country")
connection("free", admin, scope_ids=scopes)
connection("leads", admin, scope_ids=scopes, allowed_model_ids=[Command.set([env["ir.model"]._get_id("crm.lead")])])
company = env["res.partner"].create({"name": "Gate Ltd", "is_company": True, "child_ids": [Command.create({"name": n, "type": "contact"}) for n in "abc"]})
variant = env["product.product"].create({"name": "Gate product", "list_price": 5})
spare = env["product.product"].create({"name": "Gate spare"})
lead = env["crm.lead"].create({"name": "Gate lead", "type": "opportunity", "partner_id": company.id, "email_from": "old@example.com"})
tag = env["res.partner.category"].create({"name": "Gate tag"})
out.update(company=company.id, variant=variant.id, spare=spare.id, lead=lead.id, tag=tag.id, child=company.child_ids[0].id)
`

// left is everything that a call may leave behind: rows by table, but for what a waiting request itself is, and files.
const left = `
import os
env.cr.execute("SELECT relname FROM pg_stat_user_tables WHERE relname !~ '^(doorman_|mail_activity|mail_message|mail_notification|mail_mail|bus_|mail_followers)'")
rows = {}
for (table,) in env.cr.fetchall():
    env.cr.execute(f'SELECT count(*), sum(hashtextextended(t::text, 0)) FROM "{table}" t')
    rows[table] = str(env.cr.fetchone())
out["rows"] = rows
out["files"] = sum(len(f) for _d, _s, f in os.walk(env["ir.attachment"]._filestore()) if "checklist" not in _d)
`

// TestRealGate: a rule for a model holds on every way that reaches it, the call leaves nothing behind but its request, and
// it takes one request to Odoo.
func TestRealGate(t *testing.T) {
	t.Parallel()
	o := kit.RealOdooWith(t, tradeModules, 0, gateSetup)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	values := func(v kit.Args) kit.Args { return v }
	update := func(model, id string, v kit.Args) kit.Args {
		return kit.Args{"model": model, "ids": []int64{o.ID(id)}, "values": values(v)}
	}
	lead := update("crm.lead", "lead", kit.Args{"email_from": "new@example.com"})
	price := update("product.product", "variant", kit.Args{"list_price": 6})
	street := update("res.partner", "company", kit.Args{"street": "Rue Neuve 1"})
	before := o.Python(t, left)
	checked := false
	for _, row := range []struct { // those that wait first: together they leave nothing behind
		name, connection, tool string
		args                   kit.Args
		waits                  bool
	}{
		{"the price of a variant is its template's", "templates", "update_records", price, true},
		{"a new variant makes a template", "templates", "create_records", kit.Args{"model": "product.product", "records": []kit.Args{{"name": "New"}}}, true},
		{"the last variant takes its template along", "templates", "delete_records", kit.Args{"model": "product.product", "ids": []int64{o.ID("spare")}}, true},
		{"a lead's address is its customer's", "partners", "update_records", lead, true},
		{"a tag's contacts", "partners", "update_records", update("res.partner.category", "tag", kit.Args{"partner_ids": []any{[]any{4, o.ID("child"), 0}}}), true},
		{"a method that archives", "partners", "call_method", kit.Args{"model": "res.partner", "ids": []int64{o.ID("child")}, "method": "action_archive"}, true},
		{"a message on a contact", "partners", "post_message", kit.Args{"model": "res.partner", "id": o.ID("child"), "body": "x"}, true},
		{"an address reaches three contacts: four", "four", "update_records", street, true},
		{"four are not more than four", "five", "update_records", street, false},
		{"nothing that the rule is for", "countries", "update_records", price, false},
		{"a lead without its customer", "partners", "update_records", update("crm.lead", "lead", kit.Args{"description": "<p>x</p>"}), false},
		{"what is there already", "partners", "update_records", update("res.partner", "company", kit.Args{"name": "Gate Ltd"}), false},
		{"no rules", "free", "update_records", price, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			session := kit.Connect(t, s.MCP, o.Text(row.connection))
			model, _ := row.args["model"].(string)
			kit.Must(t, session, "search_records", kit.Args{"model": model, "limit": 1}) // learns the fields
			if !row.waits && !checked {
				checked = true
				gateLeftNothing(t, before, o.Python(t, left))
			}
			requests, audited := proxy.Requests(), gateRows(t, o)
			content, failed := kit.Call(t, session, row.tool, row.args)
			if failed != "" {
				t.Fatalf("refused: %s %v", failed, content)
			}
			if n := proxy.Requests() - requests; n != 1 {
				t.Errorf("%d requests to Odoo, want 1", n)
			}
			if n := gateRows(t, o) - audited; n != 1 {
				t.Errorf("%d audit rows, want 1", n)
			}
			if waits := content["status"] == "pending_approval"; waits != row.waits {
				t.Fatalf("waits: %t, want %t: %v", waits, row.waits, content)
			}
		})
	}
	t.Run("what the approver sees is what is done", func(t *testing.T) { gateShows(t, o, s) })
	t.Run("a limited connection", func(t *testing.T) {
		session := kit.Connect(t, s.MCP, o.Text("leads"))
		if content, failed := kit.Call(t, session, "update_records", lead); failed != "not_allowed" {
			t.Errorf("a lead's address changed a customer that the connection may not use: %s %v", failed, content)
		}
	})
}

// gateShows: dry run, request and reply tell of the same records.
func gateShows(t *testing.T, o *kit.Odoo, s *kit.Service) {
	args := kit.Args{"model": "crm.lead", "ids": []int64{o.ID("lead")}, "values": kit.Args{"email_from": "same@example.com"}}
	session := kit.Connect(t, s.MCP, o.Text("partners"))
	args["dry_run"] = true
	tried := kit.Text(t, kit.Must(t, session, "update_records", args))
	delete(args, "dry_run")
	waiting := kit.Must(t, session, "update_records", args)
	id, _ := waiting["request_id"].(float64)
	seen := o.Python(t, fmt.Sprintf(`out["html"] = env["doorman.approval"].browse(%d).with_user(env.ref("base.user_admin")).changes_html`, int64(id)))
	for _, text := range []string{tried, fmt.Sprint(seen["html"])} {
		kit.Wants(t, text, "Gate lead", "Gate Ltd", "same@example.com")
	}
	if err := decide(t.Context(), o, "bob", "action_approve", int64(id)); err != nil {
		t.Fatal(err)
	}
	done := o.Python(t, fmt.Sprintf(`
lead = env["crm.lead"].browse(%d)
out["emails"] = [lead.email_from, lead.partner_id.email]
request = env["doorman.approval"].browse(%d)
out["state"], out["result"] = request.state, request.result`, o.ID("lead"), int64(id)))
	if got := fmt.Sprintf("%v %v", done["state"], done["emails"]); got != "executed [same@example.com same@example.com]" {
		t.Errorf("done: %s", got)
	}
	kit.Wants(t, fmt.Sprint(done["result"]), `"model": "crm.lead"`, `"model": "res.partner"`)
}

// gateRows counts the audit rows of calls.
func gateRows(t *testing.T, o *kit.Odoo) int {
	t.Helper()
	text, err := o.Host.Psql(t.Context(), o.DB, "SELECT count(*) FROM doorman_audit WHERE method = 'tools/call'")
	if err != nil {
		t.Fatal(err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(text))
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// gateLeftNothing compares the database and the filestore before and after a call that waits.
func gateLeftNothing(t *testing.T, before, after map[string]any) {
	t.Helper()
	was, _ := before["rows"].(map[string]any)
	is, _ := after["rows"].(map[string]any)
	for table := range is {
		if was[table] != is[table] {
			t.Errorf("%s: %v before, %v after", table, was[table], is[table])
		}
	}
	if len(is) < 300 || before["files"] != after["files"] {
		t.Errorf("%d tables; files %v before, %v after", len(is), before["files"], after["files"])
	}
}
