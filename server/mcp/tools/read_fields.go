package tools

import (
	"fmt"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

// chosen returns the fields to read: those named, all of them checked, or the model's own pick.
func chosen(m *toolcall.ModelInfo, named stringList) ([]string, *access.Error) {
	if len(named) == 0 {
		return m.Default, nil
	}
	if len(named) > maxRows {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("More than %d fields.", maxRows), "Name those you need.")
	}
	out := make([]string, 0, len(named))
	for _, name := range named {
		if strings.Contains(name, ".") {
			return nil, access.NewError(access.InvalidInput, fmt.Sprintf("%q goes through a relation, which is not allowed in fields.", mcperr.Clip(name, 60)),
				"Read the related record by its id, or search its model.")
		}
		if err := m.MustHave(name); err != nil {
			return nil, err
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, nil
}

// withCurrencies adds the currencies of the amounts among some fields: they are read along, and not told by themselves.
func withCurrencies(m *toolcall.ModelInfo, fields []string) []string {
	out := fields
	for _, name := range fields {
		f := m.Fields[name]
		if f == nil || f.Type != "monetary" || m.Fields[f.Currency] == nil || m.Fields[f.Currency].Type != "many2one" {
			continue
		}
		if !slices.Contains(out, f.Currency) {
			out = append(slices.Clone(out), f.Currency)
		}
	}
	return out
}

// withNames asks for the names of the first linked records, where fields have some.
func withNames(kwargs map[string]any, m *toolcall.ModelInfo, fields []string) map[string]any {
	for _, name := range fields {
		if f := m.Fields[name]; f != nil && (f.Type == "one2many" || f.Type == "many2many") {
			kwargs["names"] = maxNames
			break
		}
	}
	return kwargs
}
