package odootest

import (
	"fmt"
	"maps"
	"slices"
)

// undoable is what a change has changed, so that it can be undone.
type undoable struct {
	connection    int64
	model         string
	table         *table
	ids           []int64
	before, after map[int64]Record
	undone        bool
}

// change runs a change, and keeps what it has changed: of what can be undone, the answer names the change. The caller holds
// the lock.
func (s *Server) change(t *table, c Call, connection int64) (any, *Problem) {
	before := maps.Clone(t.rows)
	value, p := t.change(c)
	answer, ok := value.(map[string]any)
	if p != nil || !ok || c.DryRun || c.Method != "create" && c.Method != "write" {
		return value, p
	}
	k := &undoable{connection: connection, model: c.Model, table: t, before: before, after: maps.Clone(t.rows)}
	for _, id := range answer["ids"].([]int64) {
		if fmt.Sprint(k.before[id]) != fmt.Sprint(k.after[id]) {
			k.ids = append(k.ids, id)
		}
	}
	if len(k.ids) > 0 {
		s.undoable = append(s.undoable, k)
		answer["change_id"] = len(s.undoable)
	}
	return value, p
}

// undo puts a change back as it was before. The caller holds the lock.
func (s *Server) undo(c Call, connection int64) (any, *Problem) {
	n := int(number(c.Kwargs["change"]))
	if n < 1 || n > len(s.undoable) || s.undoable[n-1].connection != connection {
		return nil, &Problem{
			"not_found", "unknown_change", "This connection has no such change, or it is no longer stored.",
			"Use the change_id from the reply to that change.",
		}
	}
	k := s.undoable[n-1]
	if k.undone {
		return nil, &Problem{Kind: "conflict", Code: "undone_already", Message: "This change has already been undone."}
	}
	for _, id := range k.ids {
		if fmt.Sprint(k.table.rows[id]) != fmt.Sprint(k.after[id]) {
			return nil, &Problem{
				"conflict", "changed_since", fmt.Sprintf("%s %d has changed since, or no longer exists: it is not undone.", k.model, id),
				"Read the record, and change it with update_records if needed.",
			}
		}
	}
	now := maps.Clone(k.table.rows)
	for _, id := range k.ids {
		if k.table.rows[id] = k.before[id]; k.before[id] == nil {
			delete(k.table.rows, id)
		}
	}
	if c.DryRun {
		changes := k.table.changes(k.ids, now, k.table.rows)
		for _, one := range changes["changes"].([]any) {
			one.(map[string]any)["model"] = k.model
		}
		k.table.rows = now
		changes["stays"] = []any{}
		return changes, nil
	}
	k.undone = true
	value := map[string]any{"undone": n, "ids": slices.Clone(k.ids), "stays": []any{}}
	value["changed"] = updated(k.model, k.ids, now, k.table.rows)
	return value, nil
}
