package odootest

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"strings"

	"doorman/server/access"
)

// run answers a call: the model rule, Options.Handle, then the fake's own records.
func (s *Server) run(c Call, snap *access.Snapshot) (any, *Problem) {
	allowed := snap.Connection.Policy.AllowedModels
	onFloor := func(name string) bool {
		return c.Model == name || strings.HasSuffix(name, ".") && strings.HasPrefix(c.Model, name)
	}
	if c.Model != "" && (allowed != nil && !slices.Contains(allowed, c.Model) || slices.ContainsFunc(snap.Settings.Floor, onFloor)) {
		return nil, &Problem{
			"not_allowed", "model_not_allowed", "This connection cannot use the model " + c.Model + ".", "Call list_models to see the models it can use.",
		}
	}
	if s.opt.Handle != nil {
		if value, problem, ok := s.opt.Handle(c); ok {
			return value, problem
		}
	}
	switch {
	case c.Model == "" && c.Method == "models":
		return s.models(c, allowed), nil
	case c.Model == "" && c.Method == "context":
		return contextOf(snap), nil
	case c.Model == "" && c.Method == "search_everywhere":
		return s.everywhere(c, allowed), nil
	case c.Model == "" && c.Method == "undo_change":
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.once(c, snap.Connection.ID, func() (any, *Problem) { return s.undo(c, snap.Connection.ID) })
	case c.Model == "" && s.needs()[c.Method] != "":
		return nil, &Problem{
			"needs_module", "module_missing", fmt.Sprintf("%s works with the Odoo module %s, which is not installed here.", c.Method, s.needs()[c.Method]),
			"Use another tool. An Odoo administrator can install the module.",
		}
	case c.Model == "":
		return nil, &Problem{Kind: "not_allowed", Code: "unknown_operation", Message: fmt.Sprintf("There is no operation '%s'.", c.Method)}
	}
	lock, unlock := s.mu.Lock, s.mu.Unlock
	known := methods[c.Method]
	if known.reads && !known.file {
		lock, unlock = s.mu.RLock, s.mu.RUnlock
	}
	lock()
	defer unlock()
	t := s.tables[c.Model]
	if t == nil {
		return nil, &Problem{
			"unknown_model", "unknown_model", "There is no model " + c.Model + " in this Odoo.", "Call list_models to see the available models.",
		}
	}
	if known.file && (len(c.IDs) > 0 || c.Method == "export_records") {
		return s.aboutFile(t, c, snap.Connection.ID)
	}
	if known.changes {
		return s.once(c, snap.Connection.ID, func() (any, *Problem) { return s.change(t, c, snap.Connection.ID) })
	}
	return t.method(c)
}

// method runs one ORM method.
func (t *table) method(c Call) (any, *Problem) {
	switch c.Method {
	case "fields_get":
		return t.describe(), nil
	case "search_read":
		rows, p := t.search(c, c.Kwargs["domain"])
		if p != nil {
			return nil, p
		}
		return t.project(c, page(rows, c.Kwargs))
	case "search_count":
		rows, p := t.search(c, c.Kwargs["domain"])
		return len(rows), p
	case "read":
		var rows []Record
		for _, id := range c.IDs {
			if r := t.rows[id]; r != nil {
				rows = append(rows, r)
			}
		}
		return t.project(c, rows)
	case "formatted_read_group":
		return t.group(c)
	case "read_messages", "get_actions":
		return t.ofOne(c)
	}
	return nil, &Problem{
		Kind: "not_allowed", Code: "method_not_allowed", Message: fmt.Sprintf("The method '%s' cannot be called through this connection.", c.Method),
	}
}

// search returns the matching rows in the order asked for.
func (t *table) search(c Call, domain any) ([]Record, *Problem) {
	match, p := t.compile(c.Model, domain)
	if p != nil {
		return nil, p
	}
	var rows []Record
	for _, id := range t.ids() {
		if match(t.rows[id]) {
			rows = append(rows, t.rows[id])
		}
	}
	order, _ := c.Kwargs["order"].(string)
	if strings.TrimSpace(order) == "" {
		order = t.order
	}
	for term := range strings.SplitSeq(order, ",") {
		if f := strings.Fields(term); len(f) > 0 {
			if p := t.known(c.Model, slices.Values(f[:1])); p != nil {
				return nil, p
			}
		}
	}
	sortRows(rows, order)
	return rows, nil
}

func sortRows(rows []Record, order string) {
	if strings.TrimSpace(order) == "" {
		return
	}
	terms := strings.Split(order, ",")
	sort.SliceStable(rows, func(i, j int) bool {
		for _, term := range terms {
			f := strings.Fields(term)
			if len(f) == 0 {
				continue
			}
			c := compare(rows[i][f[0]], rows[j][f[0]])
			if len(f) > 1 && strings.EqualFold(f[1], "desc") {
				c = -c
			}
			if c != 0 {
				return c < 0
			}
		}
		return false
	})
}

func page(rows []Record, kwargs map[string]any) []Record {
	offset := min(max(int(number(kwargs["offset"])), 0), len(rows))
	rows = rows[offset:]
	if limit := int(number(kwargs["limit"])); limit > 0 {
		rows = rows[:min(limit, len(rows))]
	}
	return rows
}

// project keeps the fields asked for, and "id".
func (t *table) project(c Call, rows []Record) (any, *Problem) {
	var names []string
	list, _ := c.Kwargs["fields"].([]any)
	for _, f := range list {
		name, _ := f.(string)
		names = append(names, name)
	}
	if p := t.known(c.Model, slices.Values(names)); p != nil {
		return nil, p
	}
	out := []Record{}
	for _, r := range rows {
		if len(names) == 0 {
			out = append(out, maps.Clone(r))
			continue
		}
		row := Record{"id": r["id"]}
		for _, name := range names {
			row[name] = r[name]
		}
		out = append(out, row)
	}
	if c.Kwargs["names"] != nil {
		return map[string]any{"rows": out, "names": map[string]any{}}, nil // no field of the fake's is a list of records
	}
	return out, nil
}

// known refuses a field that is not there, in the addon's words.
func (t *table) known(model string, names func(func(string) bool)) *Problem {
	for name := range names {
		if _, ok := t.field(name); !ok {
			return &Problem{"unknown_field", "unknown_field", fmt.Sprintf("%s has no field '%s'.", model, name), "Call describe_model to see its fields."}
		}
	}
	return nil
}

// models lists the models; those that a query finds by a part of their name or label, if there is one.
func (s *Server) models(c Call, allowed []string) any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	query, _ := c.Kwargs["query"].(string)
	query = strings.ToLower(query)
	out := []any{}
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		if allowed != nil && !slices.Contains(allowed, name) {
			continue
		}
		if !strings.Contains(name, query) && !strings.Contains(strings.ToLower(s.tables[name].label), query) {
			continue
		}
		out = append(out, map[string]any{"model": name, "display_name": s.tables[name].label, "create": true, "write": true, "unlink": true})
	}
	return out
}

func contextOf(s *access.Snapshot) any {
	return map[string]any{
		"user": map[string]any{
			"id": s.User.ID, "name": s.User.Name, "login": s.User.Login, "email": s.User.Login + "@example.com",
			"lang": s.User.Lang, "tz": "UTC",
		},
		"company":             map[string]any{"id": 1, "name": "Fake Company"},
		"companies":           []any{map[string]any{"id": 1, "name": "Fake Company", "currency": "EUR"}},
		"added_up_by_default": []string{"Fake Company"}, "own_only": []any{},
		"now_local": "2026-11-28T12:00:00+00:00", "weekday": "Saturday",
		"languages": []string{"en_US"},
	}
}
