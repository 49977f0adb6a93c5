package api_test

import (
	"encoding/json"
	"testing"
)

// FuzzInvite: whatever is sent, it is refused with an error of the API, or it is one object whose fields are all told to
// Odoo.
func FuzzInvite(f *testing.F) {
	for _, seed := range []string{
		`{"scopes":["mcp:search"],"expires_in":"1d12h","max_uses":5}`, `{"scopes":["a"],"approval_rules":[{"risk":"high"}]}`,
		`{"scopes":["a"],"key_expires_in":"99999d9999h"}`, `{"scopes":["a"],"scopes":["b"]}`, "{\"scopes\":[\"\u00e9\"]}", `[`, ``, `null`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, body string) {
		w := newWorld(`{"invite":`+goodInvite+`,"invite_url":"u"}`, nil)
		answer, e := w.do("POST", invites, body)
		var given map[string]any
		switch values, _ := w.odoo.args["values"].(map[string]any); answer.Code {
		case 201:
			if json.Unmarshal([]byte(body), &given) != nil || len(given) != len(values) {
				t.Fatalf("%q became %v", body, values)
			}
			if n, there := values["expires_in_seconds"]; there && (n.(int64) < 1 || n.(int64) > 31536000) {
				t.Fatalf("%q became %v", body, values)
			}
			if n, there := values["key_lifetime_hours"]; there && (n.(int64) < 0 || n.(int64) > 87600) {
				t.Fatalf("%q became %v", body, values)
			}
		case 400, 413:
			if len(w.odoo.asked) > 0 || e.Code == "" || e.Message == "" {
				t.Fatalf("%q: %+v", body, e)
			}
		default:
			t.Fatalf("%q: %d", body, answer.Code)
		}
	})
}
