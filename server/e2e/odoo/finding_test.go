package odoo_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// finding is a company whose people speak English and French.
const finding = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
env["base.language.install"].create({"lang_ids": [Command.set(env.ref("base.lang_fr").ids)], "overwrite": False}).lang_install()
work = ("base.group_user", "sales_team.group_sale_manager", "account.group_account_invoice", "stock.group_stock_user",
        "purchase.group_purchase_user", "project.group_project_user", "hr_holidays.group_hr_holidays_user", "doorman.group_user")
for name, lang in (("english", "en_US"), ("french", "fr_FR")):
    person = user(name, *work)
    person.lang = lang
    connection(name, person, scope_ids=scopes)
seller = user("seller", "base.group_user", "sales_team.group_sale_salesman", "doorman.group_user")
connection("seller", seller, scope_ids=scopes)
keeper = user("keeper", "base.group_user", "product.group_product_manager", "doorman.group_user")
connection("keeper", keeper, scope_ids=scopes)
env["res.partner"].create([{"name": "Zephyr Quintessence", "phone": "+32 470 12 34 56"}, {"name": "Müllerhaus Grünwald"}])
thing = env["product.template"].create([{"name": "Schreibtisch Eichenholz"}, {"name": "Acoustic Bloc Screens"}])[0].product_variant_id
firm, english = env["res.partner"].search([("name", "=", "Müllerhaus Grünwald")]), env["res.users"].search([("login", "=", "english")])
env["sale.order"].create({"partner_id": firm.id, "order_line": [Command.create({"product_id": thing.id})]})
env["purchase.order"].create({"partner_id": firm.id})
env["account.move"].create({"move_type": "out_invoice", "partner_id": firm.id})
env["account.payment"].create({"partner_id": firm.id, "amount": 5})
kind = env["stock.picking.type"].search([("code", "=", "outgoing")], limit=1)
env["stock.picking"].create({"partner_id": firm.id, "picking_type_id": kind.id})
env["crm.lead"].create({"name": "Wants more", "partner_id": firm.id, "type": "opportunity", "user_id": english.id})
project = env["project.project"].create({"name": "Move", "privacy_visibility": "employees"})
env["project.task"].create({"name": "Pack", "project_id": project.id, "user_ids": [Command.set(english.ids)]})
env["hr.employee"].create({"name": "Ann"})
env["calendar.event"].create({"name": "Meet", "start": "2026-12-01 10:00:00", "stop": "2026-12-01 11:00:00", "partner_ids": [Command.set(english.partner_id.ids)]})
`

// TestRealFinding: names, models and fields, as people ask for them.
func TestRealFinding(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, finding)
	s := kit.Serve(t, o.Environ()...)
	english, french, seller := kit.Connect(t, s.MCP, o.Text("english")), kit.Connect(t, s.MCP, o.Text("french")), kit.Connect(t, s.MCP, o.Text("seller"))
	t.Run("names", func(t *testing.T) { findingNames(t, english) })
	t.Run("a name that is partly of what they may not read", func(t *testing.T) {
		// Quants are called by product, lot and place, and lots are for the people of the warehouse.
		page := kit.Must(t, kit.Connect(t, s.MCP, o.Text("keeper")), "search_everywhere", kit.Args{"query": "schreibtisch"})
		if page["models_not_searched"] != nil || !strings.Contains(fmt.Sprint(page["found"]), "Schreibtisch Eichenholz") {
			t.Errorf("%v", page)
		}
	})
	t.Run("models", func(t *testing.T) { findingModels(t, english, french, seller) })
	t.Run("fields", func(t *testing.T) { findingFields(t, english) })
}

// findingNames: what is typed over all models, in a domain and in a value.
func findingNames(t *testing.T, session *sdk.ClientSession) {
	for typed, row := range map[string]struct{ key, name string }{
		"quintessence  zephyr": {"found", "Zephyr Quintessence"},
		"0470/12.34.56":        {"found", "Zephyr Quintessence"},
		"mullerhaus":           {"found", "Müllerhaus Grünwald"},
		"Zephir Quintesence":   {"nearest", "Zephyr Quintessence"},
		"acustic blok screen":  {"nearest", "Acoustic Bloc Screens"},
		"Schreibtsich Eichen":  {"nearest", "Schreibtisch Eichenholz"},
	} {
		page := kit.Must(t, session, "search_everywhere", kit.Args{"query": typed})
		if text := fmt.Sprint(page[row.key]); !strings.Contains(text, row.name) {
			t.Errorf("%q: %s is not in %s: %v", typed, row.name, row.key, page)
		}
		if found, _ := page["found"].([]any); row.key == "nearest" && len(found) > 0 {
			t.Errorf("%q: found as if it were so: %v", typed, found)
		}
	}
	page := kit.Must(t, session, "search_records", kit.Args{"model": "sale.order", "domain": `[["partner_id","ilike","zephir quintesence"]]`})
	kit.Wants(t, kit.Text(t, page), `"records":[]`, `"name":"Zephyr Quintessence"`, `"field":"partner_id"`)
	refused, kind := kit.Call(t, session, "create_records", kit.Args{"model": "sale.order", "records": `[{"partner_id":"Zephir Quintesence"}]`})
	if kind != "invalid_input" {
		t.Errorf("an order for a name that is near: %q %v", kind, refused)
	}
	kit.Wants(t, kit.Text(t, refused), "Zephyr Quintessence")
	page = kit.Must(t, session, "search_records", kit.Args{"model": "sale.order", "domain": `[["partner_id","ilike","zephyr"]]`})
	if page["total"] != 0.0 {
		t.Errorf("an order was made: %v", page)
	}
}

// findingModels: the words of people's menus, in their language and in English.
func findingModels(t *testing.T, english, french, seller *sdk.ClientSession) {
	first := func(session *sdk.ClientSession, query string) (string, string) {
		rows, _ := kit.Must(t, session, "list_models", kit.Args{"query": query})["models"].([]any)
		if len(rows) == 0 {
			return "", ""
		}
		row, _ := rows[0].(map[string]any)
		return fmt.Sprint(row["model"]), kit.Text(t, row)
	}
	for query, model := range map[string]string{
		"invoice": "account.move", "customer invoices": "account.move", "vendor bill": "account.move", "bills": "account.move",
		"quotation": "sale.order", "quote": "sale.order", "customer": "res.partner", "vendor": "res.partner", "supplier": "res.partner",
		"delivery": "stock.picking", "receipts": "stock.picking", "product": "product.template", "task": "project.task",
		"project": "project.project", "purchase order": "purchase.order", "time off": "hr.leave", "pipeline": "crm.lead",
		"payment": "account.payment", "meeting": "calendar.event", "employee": "hr.employee", "res.partner": "res.partner",
	} {
		if got, row := first(english, query); got != model {
			t.Errorf("%q: %s, want %s: %s", query, got, model, row)
		}
	}
	for query, model := range map[string]string{
		"facture": "account.move", "devis": "sale.order", "client": "res.partner", "fournisseurs": "res.partner", "livraison": "stock.picking",
		"produit": "product.template", "tâche": "project.task", "tache": "project.task", "congés": "hr.leave", "invoice": "account.move",
	} {
		if got, row := first(french, query); got != model {
			t.Errorf("%q: %s, want %s: %s", query, got, model, row)
		}
	}
	for query, domain := range map[string]string{
		"customer invoices": "out_invoice", "vendor bill": "in_invoice", "customer": "customer_rank", "vendor": "supplier_rank", "deliveries": "outgoing",
	} {
		if _, row := first(english, query); !strings.Contains(row, `"domain":[`) || !strings.Contains(row, domain) {
			t.Errorf("%q: no %s in %s", query, domain, row)
		}
	}
	for _, session := range []*sdk.ClientSession{english, french} {
		refused, kind := kit.Call(t, session, "search_records", kit.Args{"model": "invoice"})
		if kind != "unknown_model" {
			t.Errorf("a model that there is not: %q", kind)
		}
		kit.Wants(t, kit.Text(t, refused), "account.move")
	}
	// Who has no menu of Inventory knows none of its words.
	if got, row := first(seller, "Delivery Orders of the warehouse"); strings.Contains(row, "Inventory /") {
		t.Errorf("a seller is told a menu of the warehouse: %s %s", got, row)
	}
}

// findingFields: twelve models, and what an office worker looks at first.
func findingFields(t *testing.T, session *sdk.ClientSession) {
	for model, wanted := range map[string]string{
		"res.partner":      "name email phone",
		"sale.order":       "name state partner_id date_order amount_total user_id",
		"sale.order.line":  "name order_id product_id product_uom_qty price_unit price_subtotal",
		"account.move":     "name state partner_id invoice_date invoice_date_due amount_total amount_residual payment_state",
		"account.payment":  "name state partner_id date amount",
		"purchase.order":   "name state partner_id date_order amount_total",
		"stock.picking":    "name state partner_id scheduled_date origin",
		"product.template": "name list_price default_code",
		"crm.lead":         "name stage_id partner_id expected_revenue user_id",
		"project.task":     "name stage_id project_id user_ids date_deadline",
		"hr.employee":      "name department_id",
		"calendar.event":   "name start stop",
	} {
		described := kit.Must(t, session, "describe_model", kit.Args{"model": model})
		if described["total"] == 0.0 {
			t.Errorf("%s has no fields", model)
		}
		read := kit.Must(t, session, "search_records", kit.Args{"model": model, "limit": 1})
		record := kit.Only(t, read)
		for name := range strings.FieldsSeq(wanted) {
			if _, there := record[name]; !there {
				t.Errorf("%s: no %s among %v", model, name, record)
			}
		}
		if len(record) > 15 {
			t.Errorf("%s: %d fields", model, len(record))
		}
		for name := range record {
			if slices.Contains([]string{"display_name", "create_date", "write_date", "create_uid", "write_uid", "currency_id", "active"}, name) {
				t.Errorf("%s: %s is housekeeping", model, name)
			}
		}
		if left, is := read["fields_left_out"].(float64); !is || left < 5 || read["other_fields"] != "describe_model" {
			t.Errorf("%s: %v left out, ask %v", model, read["fields_left_out"], read["other_fields"])
		}
	}
}
