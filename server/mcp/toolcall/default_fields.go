package toolcall

import (
	"cmp"
	"slices"
	"strings"
)

// defaultMax is how many fields are read when none are named: enough to recognize a record, few enough that ten records
// do not fill a conversation.
const defaultMax = 15

// often are names that matter on most models that have them, the most telling first.
var often = []string{
	"id", "display_name", "name", "state", "stage_id", "partner_id", "email", "phone", "date_order", "date", "invoice_date",
	"date_deadline", "amount_total", "amount_residual", "list_price", "price_unit", "expected_revenue", "product_id",
	"quantity", "product_uom_qty", "user_id", "employee_id", "company_id", "currency_id", "parent_id", "is_company", "city",
	"country_id", "vat", "ref", "default_code", "move_type", "type", "priority", "active", "create_date", "write_date",
}

// noise are fields that no one asks for by not asking.
var noise = []string{"message_", "activity_", "website_message", "rating_", "access_", "__"}

// defaultFields chooses the fields to read when none are named.
func defaultFields(m *ModelInfo) []string {
	type scored struct {
		name  string
		score int
	}
	var list []scored
	for name, f := range m.Fields {
		if score := fieldScore(f); score > 0 {
			list = append(list, scored{name, score})
		}
	}
	slices.SortFunc(list, func(a, b scored) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.name, b.name))
	})
	var out []string
	for _, s := range list[:min(defaultMax, len(list))] {
		out = append(out, s.name)
	}
	return out
}

// fieldScore says how much a field tells of its record; 0 = leave it out.
func fieldScore(f *FieldInfo) int {
	if i := slices.Index(often, f.Name); i >= 0 {
		return 1000 - i
	}
	if IsNoise(f.Name) {
		return 0
	}
	// Stored only: a computed field costs a computation a record, and may ask other systems.
	if !f.Stored || f.Name == "create_uid" || f.Name == "write_uid" {
		return 0
	}
	var score int
	switch f.Type {
	case "char", "selection", "many2one", "monetary":
		score = 30
	case "date", "datetime", "float", "integer":
		score = 20
	case "boolean":
		score = 10
	default: // text, html, binary, x2many, properties, json, reference: long, or a second question
		return 0
	}
	if f.Required {
		score += 50
	}
	if f.Exportable {
		score += 25
	}
	return score
}

// LeftOut returns the names of the fields that a choice leaves out and that somebody may want, sorted, and how many are left
// out in all.
func (m *ModelInfo) LeftOut(chosen []string) (names []string, all int) {
	for _, name := range m.Names {
		if slices.Contains(chosen, name) {
			continue
		}
		all++
		if f := m.Fields[name]; f.Type != "binary" && !IsNoise(name) {
			names = append(names, name)
		}
	}
	return names, all
}

// IsNoise reports whether a field is one that nobody asks for by not asking.
func IsNoise(name string) bool {
	return slices.ContainsFunc(noise, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
