package tools

import (
	"encoding/json"
	"slices"

	"doorman/server/access"
)

// changed is what a call really changed, by model, as Odoo noted it where it happened: what was asked for, and what Odoo's
// own code set off. Nil says no more than the rest of the reply; empty, that no record is different.
type changed []changedRecords

type changedRecords struct {
	Model  string   `json:"model"`
	Action string   `json:"action"` // created, updated, deleted
	Count  int      `json:"count"`
	IDs    []int64  `json:"ids,omitempty"`    // the first of them; none of a model that the connection may not use
	Fields []string `json:"fields,omitempty"` // likewise
	// Values are old and new by id and field, of what was asked for and of where records stand: {"7": {"state": ["draft", "sent"]}}.
	Values map[string]map[string][]json.RawMessage `json:"values,omitempty"`
	// Warnings are what was lost of texts that were written over.
	Warnings []string `json:"warnings,omitempty"`
	SetOff   bool     `json:"set_off,omitempty"`
}

// actions are what the methods do whose replies tell their records anyway.
var actions = map[string]string{"create": "created", "copy": "created", "write": "updated", "unlink": "deleted"}

// UnmarshalJSON reads what Odoo says of it. The change is done: what cannot be read is not told, and nothing else is lost
// with it.
func (c *changed) UnmarshalJSON(raw []byte) error {
	var list []changedRecords
	if json.Unmarshal(raw, &list) != nil {
		list = nil
	}
	*c = list[:min(len(list), access.MaxChanged)]
	return nil
}

// leaveOut drops what has changed where it is just the records of the reply, by what was asked for: most replies are.
func (w *written) leaveOut(action string) {
	if len(w.Changed) != 1 {
		return
	}
	only := w.Changed[0]
	isTold := func(id int64) bool {
		return slices.ContainsFunc(w.Records, func(r writtenRecord) bool { return r.ID == id })
	}
	others := slices.ContainsFunc(only.IDs, func(id int64) bool { return !isTold(id) })
	if only.Model == w.Model && only.Action == action && !only.SetOff && only.Count == w.Count && !others && len(only.Values) == 0 && len(only.Warnings) == 0 {
		w.Changed = nil
	}
}
