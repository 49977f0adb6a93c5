package toolcall

import (
	"slices"
	"strings"
)

// noise are fields that no one asks for by not asking.
var noise = []string{"message_", "activity_", "website_message", "rating_", "access_", "__"}

// chosenBy are the fields to read when none are named: those that Odoo has chosen (addon/doorman/tools/default_fields.py),
// of those that there are.
func chosenBy(m *ModelInfo, names []string) []string {
	var out []string
	for _, name := range names {
		if m.Fields[name] != nil && !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	if len(out) == 0 && m.Fields["display_name"] != nil {
		return []string{"id", "display_name"} // Odoo refuses a read of nothing
	}
	return out
}

// LeftOut returns how many fields a choice leaves out.
func (m *ModelInfo) LeftOut(chosen []string) int {
	left := 0
	for _, name := range m.Names {
		if !slices.Contains(chosen, name) {
			left++
		}
	}
	return left
}

// IsNoise reports whether a field is one that nobody asks for by not asking.
func IsNoise(name string) bool {
	return slices.ContainsFunc(noise, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
}
