package tools

import (
	"cmp"
	"encoding/json"
	"fmt"
	"testing"
)

// TestLongWizard: of a wizard that shows too much, what it takes to go on is told, and as many of its rows as fit.
func TestLongWizard(t *testing.T) {
	t.Parallel()
	wizard := func(rows, inAll int) json.RawMessage {
		lines := make([]map[string]any, rows)
		for i := range lines {
			lines[i] = map[string]any{"row": i, "product_id": map[string]any{"id": i, "name": fmt.Sprintf("%0100d", i)}}
		}
		return encoded(map[string]any{
			"handle": "0123456789ab", "model": "stock.return.picking", "title": "Return",
			"values":   map[string]any{"lines": lines, "reason": "damaged"},
			"fields":   []map[string]any{{"name": "lines", "type": "one2many"}},
			"methods":  []map[string]any{{"method": "action_create_returns", "label": "Return"}},
			"left_out": map[string]int{"lines": inAll},
		}, nil)
	}
	type told struct {
		Handle  string           `json:"handle"`
		Note    string           `json:"note"`
		Fields  []map[string]any `json:"fields"`
		Methods []map[string]any `json:"methods"`
		LeftOut map[string]int   `json:"left_out"`
		Values  struct {
			Reason string           `json:"reason"`
			Lines  []map[string]any `json:"lines"`
		} `json:"values"`
	}
	for rows, inAll := range map[int]int{3: 4, 1_000: 1_001, 999: 0} {
		raw := boundedWizard(wizard(rows, inAll))
		var got told
		if err := json.Unmarshal(raw, &got); err != nil {
			t.Fatal(err)
		}
		if got.Handle == "" || len(got.Methods) != 1 || len(got.Fields) != 1 || got.LeftOut["lines"] != cmp.Or(inAll, rows) || got.Values.Reason != "damaged" {
			t.Errorf("%d rows: %s", rows, raw)
		}
		isCut := len(got.Values.Lines) < rows
		if isCut != (rows > 100) || isCut != (got.Note != "") || len(got.Values.Lines) == 0 || len(raw) > maxDescription+1_000 {
			t.Errorf("%d rows: %d are shown in %d bytes, note %q", rows, len(got.Values.Lines), len(raw), got.Note)
		}
	}
}
