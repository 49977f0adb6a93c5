package odoo_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// writable gives the fields of some documents that a person could fill in, with their types, as Odoo itself has them.
const writable = `
out["documents"] = []
for model, ident in %s:
    fields = {
        name: field.type for name, field in env[model]._fields.items()
        if field.store and not field.readonly and not field.related and field.type not in ("binary", "properties_definition")
        and not field.groups and name not in ("id", "create_uid", "create_date", "write_uid", "write_date")
    }
    out["documents"].append([model, ident, fields])
`

// TestRealWriteWhatWasRead: what a reply tells of a record is a value that can be written, and changes nothing: for every
// field of Odoo's own documents, through the service.
func TestRealWriteWhatWasRead(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	s := kit.Serve(t, o.Environ()...)
	session := kit.Connect(t, s.MCP, o.Text("admin"))
	documents := fmt.Sprintf(`[["res.partner", %d], ["sale.order", %d], ["crm.lead", %d]]`, o.ID("away"), o.ID("foreign"), o.ID("lead"))
	done := map[string]int{}
	for _, document := range o.Python(t, fmt.Sprintf(writable, documents))["documents"].([]any) {
		parts := document.([]any)
		model, id := parts[0].(string), int64(parts[1].(float64))
		for name, kind := range parts[2].(map[string]any) {
			value, readable := readBack(t, session, model, id, name)
			if !readable {
				continue
			}
			a := kit.Args{"model": model, "ids": []int64{id}, "values": map[string]json.RawMessage{name: value}}
			answer, failed := kit.Call(t, session, "update_records", a)
			switch {
			case failed == "":
				if now, _ := readBack(t, session, model, id, name); string(now) != string(value) {
					t.Errorf("%s.%s (%s) was %s and is %s", model, name, kind, value, now)
				}
				done[kind.(string)]++
			case slices.Contains([]string{"business_rule", "not_allowed", "forbidden"}, failed): // Odoo's rules, and ours
			case failed == "invalid_input" && (string(value) == "null" && kind == "one2many" || strings.Contains(kit.Text(t, answer), "computed by Odoo")):
			default:
				t.Errorf("%s.%s (%s) %s: %s %s", model, name, kind, value, failed, kit.Text(t, answer))
			}
		}
	}
	t.Logf("written back: %v", done)
	for _, kind := range []string{"boolean", "char", "date", "datetime", "float", "html", "integer", "many2many", "many2one", "one2many", "selection", "text"} {
		if done[kind] == 0 {
			t.Errorf("no field of the type %s was written back", kind)
		}
	}
}

// readBack reads one field of a record as the service tells it.
func readBack(t *testing.T, session *sdk.ClientSession, model string, id int64, name string) (json.RawMessage, bool) {
	t.Helper()
	page, failed := kit.Call(t, session, "read_records", kit.Args{"model": model, "ids": []int64{id}, "fields": []string{name}})
	if failed != "" {
		return nil, false
	}
	value, ok := kit.Only(t, page)[name]
	if !ok {
		return nil, false
	}
	raw, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return raw, true
}

// TestRealValuesAsTheyAreSent: an office's values in the forms that AI tools send, in one call each, held against Odoo.
func TestRealValuesAsTheyAreSent(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	s := kit.Serve(t, o.Environ()...)
	session := kit.Connect(t, s.MCP, o.Text("admin"))
	made := kit.Only(t, kit.Must(t, session, "create_records", kit.Args{"model": "sale.order", "records": []any{kit.Args{
		"partner_id": "Zyxw Trading", "validity_date": "2031-02-03T00:00:00Z", "date_order": "2031-01-02T10:30+01:00",
		"order_line": []any{kit.Args{"product_id": "Thing", "product_uom_qty": "3"}, kit.Args{"product_id": kit.Args{"id": o.ID("product_variant"), "name": "Thing"}, "price_unit": "12.5"}},
	}}}))
	out := o.Python(t, fmt.Sprintf(`
order = env["sale.order"].browse(%v)
out["order"] = [order.partner_id.name, str(order.validity_date), str(order.date_order), order.order_line.mapped("product_uom_qty"), order.order_line[1].price_unit]`, made["id"]))
	if got, want := fmt.Sprint(out["order"]), "[Zyxw Trading 2031-02-03 2031-01-02 09:30:00 [3 1] 12.5]"; got != want {
		t.Errorf("the order is %s, want %s", got, want)
	}
	for _, row := range []struct {
		values kit.Args
		says   string
	}{
		{kit.Args{"partner_id": "Zyxw Tradng"}, "Zyxw Trading"},
		{kit.Args{"amount_total": 5}, "computed by Odoo"},
		{kit.Args{"order_line": nil}, "[]"},
		{kit.Args{"partner_id": 99_999_999}, "99999999"},
		{kit.Args{"date_order": "02/01/2031"}, "date_order"},
		{kit.Args{"order_line": []any{kit.Args{"product_id": "No such thing at all"}}}, "sale.order.line.product_id"},
	} {
		answer, failed := kit.Call(t, session, "update_records", kit.Args{"model": "sale.order", "ids": []any{made["id"]}, "values": row.values})
		if failed == "" || failed == "internal" {
			t.Errorf("%v: %q", row.values, failed)
		}
		kit.Wants(t, kit.Text(t, answer), row.says)
	}
}
