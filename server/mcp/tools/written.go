package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

// written is what the tools that change something answer.
type written struct {
	Model   string          `json:"model"`
	Records []writtenRecord `json:"records"`
	Count   int             `json:"count"`
	Changed changed         `json:"changed,omitzero"`
	// ChangeID is what undo_change takes; 0 = it cannot be undone.
	ChangeID int64            `json:"change_id,omitempty"`
	DryRun   bool             `json:"dry_run,omitempty"`
	Changes  []recordedChange `json:"changes,omitempty"`
	// Warnings are what Odoo's form says to such values, and what a dry run would lose of texts that it writes over.
	Warnings []string `json:"warnings,omitempty"`
	// Actions are the buttons that the one record offers now; MoreActions is how many of them are not shown.
	Actions     json.RawMessage `json:"actions,omitempty"`
	MoreActions int             `json:"more_actions,omitempty"`
	// Replayed says that this is the answer to an earlier request with the same idempotency key.
	Replayed bool   `json:"replayed,omitempty"`
	Note     string `json:"note,omitempty"`
}

type writtenRecord struct {
	ID   int64  `json:"id"`
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
	// Filled is what Odoo has filled in of a new record: its number, its totals, what else matters.
	Filled json.RawMessage `json:"filled,omitempty"`
}

// recordedChange is one record of a dry run: the fields that would change, or those of the record that would come or go.
type recordedChange struct {
	ID         int64                      `json:"id,omitempty"`    // 0 = it would be new
	Model      string                     `json:"model,omitempty"` // if it is another one than the request's
	Name       string                     `json:"name"`
	Before     map[string]json.RawMessage `json:"before,omitempty"`
	After      map[string]json.RawMessage `json:"after,omitempty"`
	MoreFields int                        `json:"more_fields,omitempty"`
	SetOff     bool                       `json:"set_off,omitempty"` // Odoo's own code would do it
}

func writtenSchema(more ...string) []string {
	return append([]string{"records:objects", "count:integer", "changed:objects", "actions:objects", "replayed:boolean"}, more...)
}

// write opens the model, lets build make the request out of what is known of it, sends it once, and shapes the answer.
func write(ctx context.Context, call *toolcall.Call, model string, h how, build func(*toolcall.ModelInfo) (access.Request, *access.Error)) (any, error) {
	if bad := checkKey(h.Key); bad != nil {
		return nil, bad
	}
	m, err := call.Open(ctx, model, h.Language)
	if err != nil {
		return nil, err
	}
	request, bad := build(m)
	if bad != nil {
		return nil, bad
	}
	reply, err := call.Do(ctx, request)
	if err != nil {
		return nil, err
	}
	w := shapeWritten(reply.Value, m, h.DryRun)
	w.leaveOut(actions[request.Method])
	return w, nil
}

// shapeWritten turns Odoo's answer to a change into ours. The change is done: an answer that cannot be read must not
// look like a failure.
func shapeWritten(raw json.RawMessage, m *toolcall.ModelInfo, dryRun bool) *written {
	var answer struct {
		IDs      []int64          `json:"ids"`
		Names    []string         `json:"names"`
		URL      string           `json:"url"`
		Changes  []recordedChange `json:"changes"`
		Changed  changed          `json:"changed"`
		Warnings []string         `json:"warnings"`
		Replayed bool             `json:"replayed"`
		Actions  json.RawMessage  `json:"actions"`
		More     int              `json:"more_actions"`
		ChangeID int64            `json:"change_id"`

		Rows []map[string]json.RawMessage `json:"rows"`
	}
	w := &written{Model: m.Name, Records: []writtenRecord{}, DryRun: dryRun}
	if err := json.Unmarshal(raw, &answer); err != nil {
		w.Note = "It is done, but Odoo's answer could not be read: look at the records."
		return w
	}
	w.Replayed, w.Changed, w.Actions, w.ChangeID = answer.Replayed, answer.Changed, filled(answer.Actions), answer.ChangeID
	w.Warnings, w.MoreActions = answer.Warnings, answer.More
	for i, id := range answer.IDs {
		r := writtenRecord{ID: id}
		if i < len(answer.Names) {
			r.Name = mcperr.Clip(answer.Names[i], 200)
		}
		if answer.URL != "" {
			r.URL = fmt.Sprint(answer.URL, id)
		}
		if i < len(answer.Rows) {
			r.Filled = filledIn(answer.Rows[i], m)
		}
		w.Records = append(w.Records, r)
	}
	w.Count = len(w.Records)
	var notes []string
	if w.MoreActions > 0 {
		notes = append(notes, fmt.Sprintf("actions are the first: get_actions lists %d more.", w.MoreActions))
	}
	if rows := len(answer.Rows); 0 < rows && rows < w.Count {
		notes = append(notes, fmt.Sprintf("filled is shown for the first %d only: read_records tells the rest.", rows))
	}
	w.Note = strings.Join(notes, " ")
	if w.Replayed {
		w.Note = "This was already done with the same idempotency_key, and was not done again."
	}
	if dryRun {
		w.Count = 0
		for _, c := range answer.Changes {
			if c.Model == "" && !c.SetOff {
				w.Count++
			}
		}
		w.Note = "Nothing was changed: this is what would happen."
		var cut string
		w.Changes, cut = fitting(answer.Changes, m)
		w.Note += cut
	}
	return w
}

// filledIn are the fields of a new record that hold something, but for its name, which is told anyway: the usual ones, and
// what its form has filled in besides.
func filledIn(row map[string]json.RawMessage, m *toolcall.ModelInfo) json.RawMessage {
	var names []string
	asked := withCurrencies(m, m.Default)
	besides := slices.DeleteFunc(slices.Sorted(maps.Keys(row)), func(name string) bool { return slices.Contains(asked, name) })
	for _, name := range slices.Concat(m.Default, besides) {
		if v := string(row[name]); name != "id" && name != "display_name" && v != "" && v != "false" && v != "[]" && v != `""` {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return nil
	}
	shaped, _ := shapeRow(row, m, names, nil, reading{most: maxText}) // text_cut tells of what is missing
	return shaped
}

// fitting shapes the changes of a dry run, as many as fit; cut says how many are left out, for the note.
func fitting(changes []recordedChange, m *toolcall.ModelInfo) (fit []recordedChange, cut string) {
	room := newBudget()
	for _, c := range changes {
		c.Name = mcperr.Clip(c.Name, 200)
		for _, values := range []map[string]json.RawMessage{c.Before, c.After} {
			for name, value := range values {
				if c.Model == "" {
					values[name] = shapeValue(value, m.Fields[name])
				} else {
					values[name] = shapeUnknown(value)
				}
			}
		}
		if !room.take(encoded(c, null)) && len(fit) > 0 {
			return fit, fmt.Sprintf(" It would be too long for all records: %d of %d are shown.", len(fit), len(changes))
		}
		fit = append(fit, c)
	}
	return fit, ""
}
