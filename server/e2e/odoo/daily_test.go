package odoo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// trade is a database in which people sell: demo data, a second language, a second company.
const trade = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
env["base.language.install"].create({"lang_ids": [Command.set(env.ref("base.lang_fr").ids)], "overwrite": False}).lang_install()
second = env["res.company"].create({"name": "Second Ltd"})
admin.company_ids = [Command.link(second.id)]
seller = user("seller", "base.group_user", "sales_team.group_sale_salesman", "doorman.group_user")
connection("admin", admin, scope_ids=scopes, rate_limit_minute=5000)
connection("first", admin, scope_ids=scopes, company_ids=[Command.set([env.company.id])])
connection("seller", seller, scope_ids=scopes)
connection("reader", admin, scope_ids=scopes, read_only=True)
connection("orders", admin, scope_ids=scopes, allowed_model_ids=[Command.set([env["ir.model"]._get_id(m) for m in ("sale.order", "crm.lead")])])
partner = env["res.partner"].create({"name": "Zyxw Trading", "email": "zyxw@example.com"})
product = env["product.product"].create({"name": "Thing", "list_price": 7})
order = env["sale.order"].create({"partner_id": partner.id, "order_line": [Command.create({"product_id": product.id})]})
from markupsafe import Markup
order.message_post(body=Markup("Please <b>hurry</b>"), message_type="comment", subtype_xmlid="mail.mt_comment")
lead = env["crm.lead"].create({"name": "Zyxw wants more", "partner_id": partner.id, "type": "opportunity", "user_id": seller.id})
lead.message_post(body="internal words", message_type="comment", subtype_xmlid="mail.mt_note", attachments=[("plan.txt", b"12345")])
admin.group_ids = [Command.link(env.ref("account.group_account_invoice").id)]
invoice = env["account.move"].create({"move_type": "out_invoice", "partner_id": partner.id, "invoice_date": "2026-01-01",
                                      "invoice_line_ids": [Command.create({"product_id": product.id, "price_unit": 7, "tax_ids": False})]})
# Its own order for who confirms and cancels one: tests that share this database come in any order.
out["confirmed"] = order.copy().id
out.update(invoice=invoice.id, order=order.id, lead=lead.id, partner=partner.id, second=second.id, number=order.name)
out["journal_entry"] = env["account.move"].create({"move_type": "out_invoice", "partner_id": partner.id}).id
other = user("other", "base.group_user", "sales_team.group_sale_salesman", "doorman.group_user")
foreign = env["sale.order"].create({"partner_id": partner.id, "user_id": other.id})
foreign.message_post(body="not for the seller")
away = env["res.partner"].create({"name": "Zyxw second", "company_id": second.id})
out.update(foreign=foreign.id, away=away.id)
admin.tz = "Europe/Brussels"
germany = env.ref("base.de")
partner.country_id = germany
plan = env["ir.attachment"].search([("name", "=", "plan.txt")])
out.update(product_variant=product.id, countries=env["res.country"].search_count([]), germany=germany.id, product=product.product_tmpl_id.id, plan=plan.id)
env["res.partner.category"].create([{"name": "Group %03d" % i} for i in range(230)])
`

var tradeModules = []string{"sale_management", "crm", "account", "purchase", "stock", "project", "hr_holidays"}

// TestRealToolsOfDailyWork: a day with the tools, on Odoo's own documents, one request to Odoo each.
func TestRealToolsOfDailyWork(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	session := kit.Connect(t, s.MCP, o.Text("admin"))
	order, lead := o.ID("order"), o.ID("lead")
	for _, model := range []string{"sale.order", "crm.lead", "res.partner", "account.move"} {
		kit.Must(t, session, "search_records", kit.Args{"model": model, "limit": 1}) // learns the fields
	}
	count := func(tool string, a kit.Args) map[string]any {
		t.Helper()
		before := proxy.Requests()
		content := kit.Must(t, session, tool, a)
		if n := proxy.Requests() - before; n != 1 {
			t.Errorf("%s took %d requests to Odoo, want 1", tool, n)
		}
		return content
	}
	t.Run("messages", func(t *testing.T) {
		page := kit.Text(t, count("read_messages", kit.Args{"model": "sale.order", "id": order}))
		kit.Wants(t, page, `"text":"Please **hurry**"`, `"kind":"comment"`, `"date_utc":"20`)
		page = kit.Text(t, count("read_messages", kit.Args{"model": "crm.lead", "id": lead}))
		kit.Wants(t, page, `"kind":"note"`, `"name":"plan.txt"`, `"size":5`, "internal words")
		if strings.Contains(page, "12345") {
			t.Error("the file itself is in the reply")
		}
	})
	t.Run("everywhere", func(t *testing.T) {
		found := kit.Text(t, count("search_everywhere", kit.Args{"query": "zyxw"}))
		kit.Wants(t, found, `"model":"res.partner"`, `"model":"crm.lead"`)
		found = kit.Text(t, count("search_everywhere", kit.Args{"query": o.Text("number"), "models": []string{"sale.order"}}))
		kit.Wants(t, found, fmt.Sprintf(`"id":%d`, order))
	})
	t.Run("fields", func(t *testing.T) {
		page := kit.Text(t, count("read_records", kit.Args{"model": "sale.order", "ids": []int64{order}}))
		kit.Wants(t, page, `"amount_total":{"amount":`, `"currency":"`, `"partner_id":{"id":`, `"Zyxw Trading"`)
		page = kit.Text(t, count("read_records", kit.Args{"model": "sale.order", "ids": []int64{order}, "fields": []string{"order_line"}}))
		kit.Wants(t, page, `"names":["`, `Thing`)
		page = kit.Text(t, count("read_records", kit.Args{"model": "res.partner", "ids": []int64{1}, "fields": []string{"image_1920"}}))
		if len(page) > 400 {
			t.Errorf("a file in a reply: %.200s", page)
		}
	})
	t.Run("language", func(t *testing.T) {
		page := kit.Text(t, count("describe_model", kit.Args{"model": "sale.order", "fields": []string{"partner_id"}, "language": "fr_FR"}))
		kit.Wants(t, page, `"label":"Client"`)
		if _, failed := kit.Call(t, session, "get_actions", kit.Args{"model": "sale.order", "id": order, "language": "de_DE"}); failed != "invalid_input" {
			t.Errorf("a language that is not installed: %q", failed)
		}
	})
	t.Run("actions", func(t *testing.T) {
		order := o.ID("confirmed")
		actions := kit.Text(t, count("get_actions", kit.Args{"model": "sale.order", "id": order}))
		kit.Wants(t, actions, `"method":"action_confirm"`, `"callable":true`, `"field":"state"`, `"value":"draft"`)
		count("call_method", kit.Args{"model": "sale.order", "ids": []int64{order}, "method": "action_confirm"})
		actions = kit.Text(t, count("get_actions", kit.Args{"model": "sale.order", "id": order}))
		kit.Wants(t, actions, `"value":"sale"`, `"action_confirm"`)
		if i := strings.Index(actions, `"not_now"`); i < 0 || !strings.Contains(actions[i:], "action_confirm") {
			t.Errorf("a confirmed order still offers to confirm: %s", actions)
		}
		count("call_method", kit.Args{"model": "sale.order", "ids": []int64{order}, "method": "action_cancel"})
		kit.Wants(t, kit.Text(t, count("read_records", kit.Args{"model": "sale.order", "ids": []int64{order}, "fields": []string{"state"}})), `"state":"cancel"`)
	})
	t.Run("a wizard", func(t *testing.T) {
		invoice := []int64{o.ID("invoice")}
		count("call_method", kit.Args{"model": "account.move", "ids": invoice, "method": "action_post"})
		opened := count("call_method", kit.Args{"model": "account.move", "ids": invoice, "method": "action_register_payment"})
		kit.Wants(t, kit.Text(t, opened), `"model":"account.payment.register"`, `"method":"action_create_payments"`, `"name":"amount"`)
		wizard, _ := opened["wizard"].(map[string]any)
		values, _ := wizard["values"].(map[string]any)
		t.Logf("%d bytes, starts with %v", len(kit.Text(t, wizard)), values)
		paid := count("call_method", kit.Args{"model": wizard["model"], "wizard": wizard["handle"], "method": "action_create_payments", "values": kit.Args{"communication": "cash"}})
		kit.Wants(t, kit.Text(t, paid), `"model":"account.payment"`, `"action":"created"`)
		page := kit.Text(t, count("read_records", kit.Args{"model": "account.move", "ids": invoice, "fields": []string{"amount_residual"}}))
		kit.Wants(t, page, `"amount_residual":{"amount":0,`)
	})
	t.Run("an activity", func(t *testing.T) {
		a := kit.Args{"model": "crm.lead", "id": lead, "activity_type": "Call", "summary": "Ring", "date_deadline": "2031-01-02", "user": "seller", "idempotency_key": "ring"}
		tried := count("schedule_activity", kit.Args{"model": "crm.lead", "id": lead, "dry_run": true})
		first, again := count("schedule_activity", a), count("schedule_activity", a)
		if tried["dry_run"] != true || again["replayed"] != true || first["activity_id"] != again["activity_id"] {
			t.Errorf("%v, %v, %v", tried, first, again)
		}
		out := o.Python(t, fmt.Sprintf(`
a = env["mail.activity"].search([("res_model", "=", "crm.lead"), ("res_id", "=", %d), ("summary", "=", "Ring")])
out["state"] = [[x.user_id.login, str(x.date_deadline), x.activity_type_id.name] for x in a]`, lead))
		if got := fmt.Sprint(out["state"]); got != "[[seller 2031-01-02 Call]]" {
			t.Errorf("activities: %s", got)
		}
	})
	t.Run("each its own values", func(t *testing.T) {
		count("update_records", kit.Args{"model": "res.partner", "records": []kit.Args{{"id": o.ID("partner"), "ref": "A"}, {"id": 1, "ref": "B"}}})
		out := o.Python(t, fmt.Sprintf(`out["refs"] = env["res.partner"].browse([%d, 1]).mapped("ref")`, o.ID("partner")))
		if got := fmt.Sprint(out["refs"]); got != "[A B]" {
			t.Errorf("refs: %s", got)
		}
	})
}

// TestRealToolsDescribeEveryModel: every model that there is, every field of it, each reply within the bound.
func TestRealToolsDescribeEveryModel(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	session := kit.Connect(t, kit.Serve(t, o.Environ()...).MCP, o.Text("admin"))
	models, largest := 0, 0
	var total any
	for list := (kit.Args{"limit": 200}); ; {
		page := kit.Must(t, session, "list_models", list)
		total = page["total"]
		for _, m := range page["models"].([]any) {
			models++
			a, seen := kit.Args{"model": m.(map[string]any)["model"]}, 0
			for {
				described := kit.Must(t, session, "describe_model", a)
				largest = max(largest, len(kit.Text(t, described)))
				seen += len(described["fields"].([]any))
				if a["offset"] = described["next_offset"]; a["offset"] == nil {
					if float64(seen) != described["total"] {
						t.Errorf("%v: %d of %v fields", a["model"], seen, described["total"])
					}
					break
				}
			}
		}
		if list["offset"] = page["next_offset"]; list["offset"] == nil {
			break
		}
	}
	if t.Logf("%d models, the largest reply has %d bytes", models, largest); models < 230 || float64(models) != total || largest > 40_000 {
		t.Errorf("%d of %v models, %d bytes", models, total, largest)
	}
}

// TestRealToolsRefuse: rights, the policy, companies; with words that say how to go on.
func TestRealToolsRefuse(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	s := kit.Serve(t, o.Environ()...)
	order, lead, foreign := o.ID("order"), o.ID("lead"), o.ID("foreign")
	for _, row := range []struct {
		key, tool string
		args      kit.Args
		kind      string
		says      string
	}{
		{"seller", "read_messages", kit.Args{"model": "sale.order", "id": foreign}, "forbidden", ""},
		{"seller", "get_actions", kit.Args{"model": "sale.order", "id": foreign}, "forbidden", ""},
		{"seller", "schedule_activity", kit.Args{"model": "sale.order", "id": foreign}, "forbidden", ""},
		{"orders", "read_messages", kit.Args{"model": "res.partner", "id": 1}, "not_allowed", "list_models"},
		{"orders", "search_everywhere", kit.Args{"query": "zyxw", "models": []string{"res.partner"}}, "not_allowed", ""},
		{"orders", "schedule_activity", kit.Args{"model": "crm.lead", "id": lead, "user": "other"}, "not_allowed", "res.users"},
		{"reader", "schedule_activity", kit.Args{"model": "crm.lead", "id": lead}, "read_only", ""},
		{"reader", "update_records", kit.Args{"model": "crm.lead", "records": []kit.Args{{"id": lead, "name": "x"}}}, "read_only", ""},
		{"admin", "read_messages", kit.Args{"model": "doorman.connection", "id": 1}, "not_allowed", ""},
		{"admin", "get_actions", kit.Args{"model": "ir.cron", "id": 999_999}, "not_found", ""},
		{"admin", "read_messages", kit.Args{"model": "sale.oder", "id": 1}, "unknown_model", "sale.order"},
		{"admin", "schedule_activity", kit.Args{"model": "crm.lead", "id": lead, "activity_type": "Coll"}, "invalid_input", "Call"},
		{"admin", "update_records", kit.Args{"model": "crm.lead", "ids": []int64{lead}, "values": kit.Args{"priority": "hi"}}, "invalid_input", "Did you mean High?"},
		{"admin", "call_method", kit.Args{"model": "sale.order", "ids": []int64{order}, "method": "action_confrm"}, "invalid_input", "action_confirm"},
		{"first", "read_messages", kit.Args{"model": "res.partner", "id": o.ID("away")}, "forbidden", ""},
		{"first", "search_records", kit.Args{"model": "res.partner", "company_id": o.ID("second")}, "not_allowed", "get_context"},
	} {
		t.Run(fmt.Sprint(row.key, " ", row.tool, " ", row.args), func(t *testing.T) {
			content, failed := kit.Call(t, kit.Connect(t, s.MCP, o.Text(row.key)), row.tool, row.args)
			if failed != row.kind || !strings.Contains(fmt.Sprint(content), row.says) {
				t.Errorf("got %q, want %s with %q: %v", failed, row.kind, row.says, content)
			}
		})
	}
	t.Run("nobody finds by name what they may not see", func(t *testing.T) {
		for key, hidden := range map[string][]string{"orders": {"res.partner"}, "first": {"Zyxw second"}} {
			found := kit.Text(t, kit.Must(t, kit.Connect(t, s.MCP, o.Text(key)), "search_everywhere", kit.Args{"query": "zyxw"}))
			if slices.ContainsFunc(hidden, func(h string) bool { return strings.Contains(found, h) }) {
				t.Errorf("%s found %s", key, found)
			}
		}
	})
	t.Run("models tell what may be changed", func(t *testing.T) {
		for key, want := range map[string]string{"admin": `"write":true`, "reader": `"write":false`} {
			list := kit.Text(t, kit.Must(t, kit.Connect(t, s.MCP, o.Text(key)), "list_models", kit.Args{"query": "crm.lead"}))
			_, entry, found := strings.Cut(list, `"model":"crm.lead"`)
			if entry, _, _ = strings.Cut(entry, "}"); !found || !strings.Contains(entry, want) {
				t.Errorf("%s: want %s of crm.lead in %s", key, want, list)
			}
		}
	})
}
