package odootest_test

import (
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/access"
)

// TestUndo: the fake undoes as the addon does, and refuses what it refuses.
func TestUndo(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	c, _, fence := connect(t, s)
	do := func(method string, ids []int64, kwargs map[string]any) (string, access.Kind) {
		model := "res.partner"
		if method == "undo_change" {
			model = ""
		}
		r, err := c.Call(t.Context(), fence, access.Request{Model: model, Method: method, IDs: ids, Kwargs: kwargs})
		return string(r.Value), kind(err)
	}
	write := func(name string) { do("write", []int64{1}, map[string]any{"vals": map[string]any{"name": name}}) }
	undo := func(change int64) access.Kind {
		_, k := do("undo_change", nil, map[string]any{"change": change})
		return k
	}
	old := s.Record("res.partner", 1)["name"]
	write("A")
	if k := undo(1); k != "" || s.Record("res.partner", 1)["name"] != old {
		t.Errorf("%s: %v", k, s.Record("res.partner", 1))
	}
	write("B")
	write("C")
	do("create", nil, map[string]any{"vals_list": []any{map[string]any{"name": "New"}}})
	for change, want := range map[int64]access.Kind{0: access.NotFound, 1: access.Conflict, 2: access.Conflict, 99: access.NotFound} {
		if k := undo(change); k != want {
			t.Errorf("%d: %s, want %s", change, k, want)
		}
	}
	if k := undo(4); k != "" || s.Record("res.partner", 26) != nil {
		t.Errorf("%s: %v", k, s.Record("res.partner", 26))
	}
	if name := s.Record("res.partner", 1)["name"]; name != "C" {
		t.Errorf("a refused undo has done something: %v", name)
	}
}
