package odoo_test

import (
	_ "embed"
	"encoding/json"
	"slices"
	"testing"

	"doorman/server/e2e/kit"
)

//go:embed testdata/every_field.py
var everyField string

// unreadableFields are the fields that Odoo gives to nobody, by its own fault.
var unreadableFields = []string{"vendor.delay.report.on_time_rate"}

// TestRealEveryField: what is offered can be read, as Odoo gives it to the same user; what Odoo does not give is left out,
// with a reason, and hides nothing else.
func TestRealEveryField(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	raw, err := json.Marshal(o.Python(t, everyField))
	if err != nil {
		t.Fatal(err)
	}
	var out struct {
		Wrong      []string
		Unreadable map[string]string
		Fields     map[string]int
		Models     map[string]int
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatal(err)
	}
	t.Logf("%v models, %v fields, unreadable %v", out.Models, out.Fields, out.Unreadable)
	for _, wrong := range out.Wrong[:min(20, len(out.Wrong))] {
		t.Error(wrong)
	}
	if out.Fields["admin"] < 3_000 || out.Fields["seller"] < 1_000 || out.Fields["clerk"] < 500 {
		t.Errorf("only %v fields were read", out.Fields)
	}
	for name, why := range out.Unreadable {
		if why == "" {
			t.Errorf("%s is left out without a reason", name)
		}
	}
	for _, name := range unreadableFields {
		if out.Unreadable[name] == "" {
			t.Errorf("%s was read: Odoo has mended it", name)
		}
	}
	for _, name := range []string{"res.partner.message_partner_ids", "sale.order.message_partner_ids", "res.partner.email"} {
		if slices.Contains(unreadableFields, name) || out.Unreadable[name] != "" {
			t.Errorf("%s cannot be read: %s", name, out.Unreadable[name])
		}
	}
}
