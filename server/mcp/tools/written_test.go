package tools

import (
	"encoding/json"
	"strings"
	"testing"

	"doorman/server/mcp/toolcall"
)

// TestNothingIsCutInSilence: what a reply does not show of a change is counted, with how to get it.
func TestNothingIsCutInSilence(t *testing.T) {
	rows := []map[string]any{{"id": 1, "name": "S1", "note": "by its form"}, {"id": 2, "name": "S2"}}
	raw, err := json.Marshal(map[string]any{
		"ids": []int{1, 2, 3}, "names": []string{"S1", "S2", "S3"}, "rows": rows, "more_actions": 3,
		"actions": []any{map[string]any{"method": "a"}}, "warnings": []string{"Mind: the gap"},
	})
	if err != nil {
		t.Fatal(err)
	}
	m := &toolcall.ModelInfo{Name: "sale.order", Default: []string{"name"}}
	w := shapeWritten(raw, m, false)
	for _, want := range []string{"3 more", "get_actions", "first 2 only", "read_records"} {
		if !strings.Contains(w.Note, want) {
			t.Errorf("the note is %q, without %q", w.Note, want)
		}
	}
	if w.MoreActions != 3 || len(w.Warnings) != 1 {
		t.Errorf("%+v", w)
	}
	if got := string(w.Records[0].Filled); !strings.Contains(got, "by its form") {
		t.Errorf("filled is %s: a field that only its form has filled in is not told", got)
	}
	if w := shapeWritten([]byte(`{"ids": [1], "rows": [{"id": 1}]}`), m, false); w.Note != "" || w.MoreActions != 0 {
		t.Errorf("%+v: nothing was left out", w)
	}
}
