package mcp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
)

// TestUndo: what Odoo is asked, once, and what the client gets of its answer.
func TestUndo(t *testing.T) {
	f := writer()
	url := endpoint(t, f).URL
	for _, row := range []struct{ args, kwargs, answer, want string }{
		{
			`{"change_id":7}`, `{"change":7}`,
			`{"undone":7,"ids":[1],"stays":[],"change_id":8,"changed":[{"model":"res.partner","action":"updated","count":1,"ids":[1],"values":{"1":{"phone":["2","1"]}}}]}`,
			`{"change_id":8,"changed":[{"action":"updated","count":1,"ids":[1],"model":"res.partner","values":{"1":{"phone":["2","1"]}}}],"undone":7}`,
		},
		{
			`{"change_id":"7","partly":true}`, `{"change":7,"partly":true}`,
			`{"undone":7,"ids":[],"stays":["An email."],"changed":[]}`,
			`{"changed":[],"note":"Not all of it was undone: tell your user what stays.","stays":["An email."],"undone":7}`,
		},
		{
			`{"change_id":7,"dry_run":true}`, `{"change":7}`,
			`{"changes":[{"id":1,"model":"res.partner","name":"Acme","before":{"phone":"2"},"after":{"phone":"1"}}],"stays":[]}`,
			`{"changes":[{"after":{"phone":"1"},"before":{"phone":"2"},"id":1,"model":"res.partner","name":"Acme"}],"dry_run":true,` +
				`"note":"Nothing was changed: this is what undoing it would do."}`,
		},
		{
			`{"change_id":7}`, `{"change":7}`, `[1]`,
			`{"note":"It is done, but Odoo's answer could not be read: look at the records."}`,
		},
	} {
		t.Run(row.args, func(t *testing.T) {
			f.call = func(access.Fence, access.Request) (access.Reply, error) { return reply(row.answer), nil }
			before := f.callCount()
			a := call(t, url, "undo_change", row.args)
			if a.kind() != "" || f.callCount() != before+1 {
				t.Fatalf("%d calls: %s", f.callCount()-before, a.body)
			}
			r := f.last()
			kwargs, err := json.Marshal(r.Kwargs)
			if err != nil || r.Model != "" || r.Method != "undo_change" || string(kwargs) != row.kwargs || r.DryRun != strings.Contains(row.args, "dry_run") {
				t.Errorf("asked %+v", r)
			}
			got, err := json.Marshal(a.Result.StructuredContent)
			if err != nil || string(got) != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// TestUndoIsRefusedBeforeOdooIsAsked: what is plainly wrong, or what the policy does not let pass, costs Odoo nothing.
func TestUndoIsRefusedBeforeOdooIsAsked(t *testing.T) {
	for _, row := range []struct {
		args, kind string
		change     func(*access.Policy)
	}{
		{`{}`, "invalid_input", nil},
		{`{"change_id":0}`, "invalid_input", nil},
		{`{"change_id":-1}`, "invalid_input", nil},
		{`{"change_id":2147483648}`, "invalid_input", nil},
		{`{"change_id":"x"}`, "invalid_input", nil},
		{`{"change_id":1,"force":true}`, "invalid_input", nil},
		{fmt.Sprintf(`{"change_id":1,"idempotency_key":%q}`, strings.Repeat("k", access.MaxIdempotencyKey+1)), "invalid_input", nil},
		{`{"change_id":1}`, "read_only", func(p *access.Policy) { p.ReadOnly = true }},
		{`{"change_id":1}`, "not_allowed", func(p *access.Policy) { p.AllowedTools = []string{"update_records"} }},
		{`{"change_id":1}`, "not_allowed", func(p *access.Policy) { p.Scopes = []access.Scope{access.ScopeSearch} }},
	} {
		t.Run(row.args+" "+row.kind, func(t *testing.T) {
			f := writer()
			if row.change != nil {
				row.change(&f.snapshot.Connection.Policy)
			}
			url := endpoint(t, f).URL
			a := call(t, url, "undo_change", row.args)
			if a.kind() != row.kind || f.callCount() != 0 {
				t.Errorf("%d calls, %s: %s", f.callCount(), a.kind(), a.body)
			}
		})
	}
}

// TestChangeIDIsTold: only of what can be undone.
func TestChangeIDIsTold(t *testing.T) {
	f := writer()
	url := endpoint(t, f).URL
	for answer, want := range map[string]any{
		`{"ids":[1],"names":["Acme"],"url":"u","change_id":5}`: 5.0,
		`{"ids":[1],"names":["Acme"],"url":"u"}`:               nil,
	} {
		f.call = func(access.Fence, access.Request) (access.Reply, error) { return reply(answer), nil }
		a := call(t, url, "update_records", `{"model":"res.partner","ids":[1],"values":{"name":"x"}}`)
		if got := a.Result.StructuredContent["change_id"]; got != want {
			t.Errorf("%s: %v", answer, got)
		}
	}
}
