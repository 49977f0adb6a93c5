package odoo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// codeAddon brings run_sql and run_python.
const codeAddon = "doorman_code"

// workshop is a database in which an administrator has made a tool, and switched on SQL and Python.
const workshop = `
scopes = env["doorman.scope"].search([])
admin.group_ids = [Command.link(env.ref(g).id) for g in ("account.group_account_invoice", "base.group_system",
    "doorman.group_scope_sql", "doorman.group_scope_shell")]
clerk = user("clerk", "base.group_user", "sales_team.group_sale_salesman", "account.group_account_invoice", "doorman.group_user")
env["doorman.settings"]._get().write({"allow_sql": True, "allow_shell": True})
connection("admin", admin, scope_ids=[Command.set(scopes.ids)], rate_limit_minute=5000)
connection("clerk", clerk, scope_ids=[Command.set(scopes.ids)], rate_limit_minute=5000)
code = '''
for order in records.filtered(lambda o: o.state in ("draft", "sent")):
    order.action_confirm()
invoices = records._create_invoices()
if doorman["invoice_date"]:
    invoices.write({"invoice_date": doorman["invoice_date"]})
invoices.action_post()
template = env.ref("account.email_template_edi_invoice")
for invoice in invoices:
    invoice.message_post_with_source(template, subtype_xmlid="mail.mt_comment")
result = [{"invoice": i.name, "total": i.amount_total} for i in invoices]
'''
action = env["ir.actions.server"].create({"name": "Confirm and invoice", "model_id": env["ir.model"]._get_id("sale.order"),
                                          "state": "code", "code": code})
own = env["doorman.own.tool"].with_user(admin).create({
    "name": "confirm_and_invoice", "title": "Confirm and invoice", "action_id": action.id,
    "description": "Confirms quotations, makes and posts their invoices and emails them to the customer.",
    "parameter_ids": [Command.create({"name": "invoice_date", "kind": "date"})]})
own.action_publish()
partner = env["res.partner"].create({"name": "Zyxw Trading", "email": "zyxw@example.com", "invoice_sending_method": "manual"})
product = env["product.product"].create({"name": "Thing", "type": "service", "invoice_policy": "order", "list_price": 7, "taxes_id": False})
orders = env["sale.order"].create([{"partner_id": partner.id, "user_id": clerk.id,
    "order_line": [Command.create({"product_id": product.id, "product_uom_qty": n})]} for n in (1, 2)])
idle = env["res.partner"].create({"name": "Nobody's"})
out.update(idle=idle.id, order=orders[0].id, other=orders[1].id, action=action.id)
`

// TestRealOwnToolAndCode: an administrator's own tool, SQL and Python on a real Odoo, one request each.
func TestRealOwnToolAndCode(t *testing.T) {
	t.Parallel()
	o := kit.RealOdooWith(t, append(slices.Clone(tradeModules), codeAddon), 0, workshop)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	admin, clerk := kit.Connect(t, s.MCP, o.Text("admin")), kit.Connect(t, s.MCP, o.Text("clerk"))
	kit.Must(t, admin, "get_context", kit.Args{})
	kit.Must(t, clerk, "get_context", kit.Args{})
	once := func(name string, call func()) {
		t.Helper()
		before := proxy.Requests()
		call()
		if n := proxy.Requests() - before; n != 1 {
			t.Errorf("%s took %d requests to Odoo, want 1", name, n)
		}
	}
	t.Run("who sees what", func(t *testing.T) {
		tools, err := clerk.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		names := ""
		for _, tool := range tools.Tools {
			names += " " + tool.Name
		}
		if !strings.Contains(names, " confirm_and_invoice") || strings.Contains(names, "run_sql") || strings.Contains(names, "run_python") {
			t.Errorf("a clerk sees%s", names)
		}
		for _, tool := range []string{"run_sql", "run_python"} {
			if _, failed := kit.Call(t, clerk, tool, kit.Args{"query": "SELECT 1", "code": "result = 1"}); failed == "" {
				t.Errorf("a clerk may use %s", tool)
			}
		}
	})
	t.Run("own tool", func(t *testing.T) {
		once("the own tool", func() {
			done := kit.Text(t, kit.Must(t, clerk, "confirm_and_invoice", kit.Args{"ids": []int64{o.ID("order")}, "invoice_date": "2026-01-15"}))
			kit.Wants(t, done, `"model":"sale.order"`, `INV/`, `\"total\": 7.0`)
		})
		out := o.Python(t, fmt.Sprintf(`
order = env["sale.order"].browse(%d)
invoice = order.invoice_ids
out["state"] = [order.state, invoice.state, str(invoice.invoice_date), invoice.create_uid.login]`, o.ID("order")))
		if got := fmt.Sprint(out["state"]); got != "[sale posted 2026-01-15 clerk]" {
			t.Errorf("it made %s", got)
		}
		if _, failed := kit.Call(t, clerk, "confirm_and_invoice", kit.Args{"ids": []int64{o.ID("order")}}); failed != "business_rule" {
			t.Errorf("done twice: %q", failed)
		}
		if _, failed := kit.Call(t, clerk, "confirm_and_invoice", kit.Args{"ids": []int64{o.ID("other")}, "invoice_date": "tomorrow"}); failed != "invalid_input" {
			t.Errorf("a wrong date: %q", failed)
		}
		o.Python(t, fmt.Sprintf(`env["ir.actions.server"].browse(%d).code = "records.unlink()"`, o.ID("action")))
		if _, failed := kit.Call(t, clerk, "confirm_and_invoice", kit.Args{"ids": []int64{o.ID("other")}}); failed == "" {
			t.Error("another action is run than was published")
		}
	})
	t.Run("sql", func(t *testing.T) {
		kit.Must(t, admin, "get_context", kit.Args{}) // the settings are others since the tool was taken back
		once("run_sql", func() {
			rows := kit.Text(t, kit.Must(t, admin, "run_sql", kit.Args{"query": "SELECT count(*) AS n, max(name) AS name FROM res_partner WHERE name = 'Zyxw Trading'"}))
			kit.Wants(t, rows, `"columns":["n","name"]`, `"rows":[{"n":1,"name":"Zyxw Trading"}]`)
		})
		for _, query := range []string{
			"SELECT password FROM res_users", "SELECT * FROM res_users", "DELETE FROM res_partner", "SELECT 1; SELECT 2",
			"SELECT pg_read_file('/etc/passwd')", "SELECT 1 FROM doorman_connection", "WITH x AS (DELETE FROM res_partner RETURNING 1) SELECT 1 FROM x",
		} {
			if _, failed := kit.Call(t, admin, "run_sql", kit.Args{"query": query}); failed != "not_allowed" && failed != "invalid_input" {
				t.Errorf("%s: %q", query, failed)
			}
		}
	})
	t.Run("python", func(t *testing.T) {
		once("run_python", func() {
			done := kit.Text(t, kit.Must(t, admin, "run_python", kit.Args{"code": fmt.Sprintf(
				"order = env['sale.order'].browse(%d)\norder.action_confirm()\norder.write({'client_order_ref': 'PY'})\nresult = order.state, order.amount_total", o.ID("other"))}))
			kit.Wants(t, done, `\"sale\", 14.0`, `"tool":"call_method"`, `"tool":"update_records"`)
		})
		tried := kit.Text(t, kit.Must(t, admin, "run_python", kit.Args{"dry_run": true, "code": fmt.Sprintf("env['res.partner'].browse(%d).unlink()", o.ID("idle"))}))
		kit.Wants(t, tried, `"dry_run":true`, `"tool":"delete_records"`)
		for code, kind := range map[string]string{
			"env.cr.execute('DELETE FROM res_partner')":      "invalid_input",
			"result = env['res.partner'].sudo()":             "not_allowed",
			"result = env['ir.config_parameter'].search([])": "not_allowed",
			"while max(range(10 ** 12)): pass":               "odoo_timeout",
			"result = '%1000000000d' % 1":                    "too_large",
		} {
			if _, failed := kit.Call(t, admin, "run_python", kit.Args{"code": code}); failed != kind {
				t.Errorf("%s: %q, want %q", code, failed, kind)
			}
		}
	})
}
