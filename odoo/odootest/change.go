package odootest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// answered is what was answered to a change with an idempotency key.
type answered struct {
	request string
	value   any
}

// once runs a change, unless it was answered before. The caller holds the lock.
func (s *Server) once(c Call, connection int64, run func() (any, *Problem)) (any, *Problem) {
	if value, known, p := s.replay(c, connection); known {
		return value, p
	}
	value, p := run()
	if key, request := idempotency(c, connection); key != "" && p == nil {
		s.answered[key] = answered{request, value}
	}
	return value, p
}

// idempotency is what a change is known by; "" = nothing.
func idempotency(c Call, connection int64) (key, request string) {
	if c.IdempotencyKey == "" || c.DryRun {
		return "", ""
	}
	body, _ := json.Marshal([]any{c.Model, c.Method, c.IDs, c.Kwargs, c.Context})
	return fmt.Sprint(connection, " ", c.IdempotencyKey), string(body)
}

// replay is the answer to a change that was made before. The caller holds the lock.
func (s *Server) replay(c Call, connection int64) (value any, known bool, p *Problem) {
	key, request := idempotency(c, connection)
	old, known := s.answered[key]
	if !known {
		return nil, false, nil
	}
	if old.request != request {
		return nil, true, &Problem{
			"conflict", "idempotency_key_reused", "This idempotency key was already used for a different request. Nothing was done.", "Use a new key for each new request.",
		}
	}
	again := map[string]any{"replayed": true}
	maps.Copy(again, old.value.(map[string]any))
	return again, true, nil
}

// answeredBefore is replay for who does not hold the lock.
func (s *Server) answeredBefore(c Call, connection int64) (value any, known bool, p *Problem) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.replay(c, connection)
}

// noRecord is the refusal of a record that does not exist.
func noRecord(model string, id int64) *Problem {
	return &Problem{"not_found", "unknown_record", fmt.Sprintf("There is no %s with the id %d.", model, id), "Use search_records to find ids."}
}

// change runs one change. A method of a record does nothing; a message is not kept.
func (t *table) change(c Call) (any, *Problem) {
	if c.Method == "create" {
		return t.create(c)
	}
	for _, id := range c.IDs {
		if t.rows[id] == nil {
			return nil, noRecord(c.Model, id)
		}
	}
	rows := valuesOf(c)
	for _, vals := range rows {
		if p := t.known(c.Model, maps.Keys(vals)); p != nil {
			return nil, p
		}
	}
	value := t.told(c.Model, c.IDs)
	value["changed"] = []any{}
	switch c.Method {
	case "write":
		before := maps.Clone(t.rows)
		for i, id := range c.IDs {
			row := maps.Clone(t.rows[id]) // answers under way may still read the old one
			maps.Copy(row, rows[min(i, len(rows)-1)])
			t.rows[id] = row
		}
		value = t.told(c.Model, c.IDs)
		value["changed"] = updated(c.Model, c.IDs, before, t.rows)
		if c.DryRun {
			value = t.changes(c.IDs, before, t.rows)
			t.rows = before
		}
	case "unlink":
		if c.DryRun {
			return t.changes(c.IDs, t.rows, nil), nil
		}
		value["changed"] = []any{entry(c.Model, "deleted", c.IDs, nil)}
		for _, id := range c.IDs {
			delete(t.rows, id)
		}
		delete(value, "url")
	case "call_method":
		value["result"] = "true"
	case "message_post":
		value["message_id"] = 1
	case "activity_schedule":
		if c.DryRun {
			return t.changes(c.IDs, t.rows, t.rows), nil
		}
		value["activity_id"] = 1
		value["changed"] = []any{entry("mail.activity", "created", []int64{1}, c.Kwargs)}
	}
	return value, nil
}

// valuesOf are the values of a write: one set for all records, or one for each.
func valuesOf(c Call) []map[string]any {
	list, ok := c.Kwargs["vals_each"].([]any)
	if !ok {
		list = []any{c.Kwargs["vals"]}
	}
	rows := make([]map[string]any, 0, len(list))
	for _, v := range list {
		vals, _ := v.(map[string]any)
		rows = append(rows, vals)
	}
	return rows
}

func (t *table) create(c Call) (any, *Problem) {
	list, _ := c.Kwargs["vals_list"].([]any)
	ids, given := []int64{}, map[string]any{}
	before, next := maps.Clone(t.rows), t.next
	for _, v := range list {
		vals, _ := v.(map[string]any)
		if p := t.known(c.Model, maps.Keys(vals)); p != nil {
			t.rows, t.next = before, next
			return nil, p
		}
		ids = append(ids, t.add(vals))
		maps.Copy(given, vals)
	}
	if c.DryRun {
		changes := t.changes(ids, nil, t.rows)
		t.rows, t.next = before, next
		return changes, nil
	}
	value := t.told(c.Model, ids)
	value["changed"] = []any{entry(c.Model, "created", ids, given)}
	return value, nil
}

// updated is what the addon's ledger says of a write: the records that differ, and their fields. Of the fake nothing else
// changes along.
func updated(model string, ids []int64, before, after map[int64]Record) []any {
	differ, fields, values := []int64{}, map[string]any{}, map[string]any{}
	for _, id := range ids {
		pairs := map[string]any{}
		for name, now := range after[id] {
			if fmt.Sprint(before[id][name]) != fmt.Sprint(now) {
				was := before[id][name]
				if _, isText := now.(string); isText && was == false {
					was = "" // the real Odoo's phone is an empty text
				}
				fields[name], pairs[name] = true, []any{was, now}
			}
		}
		if len(pairs) > 0 {
			differ, values[fmt.Sprint(id)] = append(differ, id), pairs
		}
	}
	if len(differ) == 0 {
		return []any{}
	}
	changed := entry(model, "updated", differ, fields)
	changed["values"] = values
	return []any{changed}
}

// entry is one model in what has changed.
func entry(model, action string, ids []int64, fields map[string]any) map[string]any {
	names := append([]string{}, slices.Sorted(maps.Keys(fields))...)
	return map[string]any{"model": model, "action": action, "count": len(ids), "ids": ids, "fields": names}
}

// told is the addon's answer to a change that was made.
func (t *table) told(model string, ids []int64) map[string]any {
	names := []any{}
	for _, id := range ids {
		names = append(names, t.rows[id]["display_name"])
	}
	if ids == nil {
		ids = []int64{}
	}
	return map[string]any{"ids": ids, "names": names, "url": "http://odoo.example/odoo/" + model + "/"}
}

// changes is the addon's answer to a change that was tried out.
func (t *table) changes(ids []int64, before, after map[int64]Record) map[string]any {
	list := []any{}
	for _, id := range ids {
		change := map[string]any{"id": id}
		old, now := before[id], after[id]
		if old != nil {
			change["before"], change["name"] = maps.Clone(old), old["display_name"]
		} else {
			change["id"] = 0
		}
		if now != nil {
			change["after"], change["name"] = maps.Clone(now), now["display_name"]
		}
		if old != nil && now != nil {
			for name := range now {
				if fmt.Sprint(old[name]) == fmt.Sprint(now[name]) {
					delete(change["before"].(Record), name)
					delete(change["after"].(Record), name)
				}
			}
		}
		list = append(list, change)
	}
	return map[string]any{"changes": list}
}
