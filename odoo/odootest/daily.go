package odootest

import (
	"maps"
	"slices"
	"strings"
)

// ofOne answers what is asked of one record: it has no messages, and a button that archives it.
func (t *table) ofOne(c Call) (any, *Problem) {
	if len(c.IDs) != 1 {
		return nil, &Problem{Kind: "invalid_input", Code: "one_record_only", Message: "Specify one record."}
	}
	row := t.rows[c.IDs[0]]
	if row == nil {
		return nil, noRecord(c.Model, c.IDs[0])
	}
	if c.Method == "read_messages" {
		return map[string]any{"name": row["display_name"], "messages": []any{}, "has_more": false}, nil
	}
	return map[string]any{
		"name": row["display_name"], "hidden": []any{}, "status": nil,
		"actions": []any{map[string]any{"method": "action_archive", "label": "Archive", "callable": true}},
	}, nil
}

// everywhere searches all tables, or those named, by name.
func (s *Server) everywhere(c Call, allowed []string) any {
	s.mu.RLock()
	defer s.mu.RUnlock()
	query, _ := c.Kwargs["query"].(string)
	named, _ := c.Kwargs["models"].([]any)
	limit := max(int(number(c.Kwargs["limit"])), 1)
	found, searched := []any{}, 0
	for _, name := range slices.Sorted(maps.Keys(s.tables)) {
		if allowed != nil && !slices.Contains(allowed, name) || named != nil && !slices.Contains(named, any(name)) {
			continue
		}
		searched++
		t, hits := s.tables[name], []any{}
		for _, id := range t.ids() {
			called, _ := t.rows[id]["display_name"].(string)
			if strings.Contains(strings.ToLower(called), strings.ToLower(query)) {
				hits = append(hits, map[string]any{"id": id, "name": called})
			}
		}
		if len(hits) > 0 {
			found = append(found, map[string]any{
				"model": name, "label": t.label, "records": hits[:min(limit, len(hits))], "has_more": len(hits) > limit,
			})
		}
	}
	return map[string]any{"found": found, "searched": searched, "not_searched": []any{}}
}
