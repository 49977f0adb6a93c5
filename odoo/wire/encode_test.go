package wire

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// TestEncodeEvents: what the audit gets is whole even where the caller left gaps.
func TestEncodeEvents(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.FixedZone("x", 3600))
	b, err := json.Marshal(EncodeEvents([]access.Event{{Time: at, Reason: access.RateLimited}}))
	if err != nil || !strings.Contains(string(b), `"time":"2026-01-02T02:04:05Z"`) || !strings.Contains(string(b), `"count":1`) {
		t.Errorf("%s, %v", b, err)
	}
	b, _ = json.Marshal(EncodeRequest(access.Request{Model: "m", Method: "f", IDs: []int64{}}))
	if !strings.Contains(string(b), `"ids":[]`) || !strings.Contains(string(b), `"kwargs":{}`) {
		t.Errorf("a call on no record is not a call on the model: %s", b)
	}
}

// TestEncodeArguments: what only a request for approval is kept with goes along where there is something, as it came.
func TestEncodeArguments(t *testing.T) {
	t.Parallel()
	plain := access.Request{Model: "m", Method: "f"}
	for _, row := range []struct {
		name   string
		change func(*access.Request)
		has    string // "" = nothing beyond the call
	}{
		{"a call", func(*access.Request) {}, ""},
		{"arguments null", func(r *access.Request) { r.Arguments = json.RawMessage("null") }, ""},
		{"arguments", func(r *access.Request) { r.Arguments = json.RawMessage(`{"ids":[1],"ids":[2.0]}`) }, `"arguments":{"ids":[1],"ids":[2.0]}`},
		{"no arguments in an object", func(r *access.Request) { r.Arguments = json.RawMessage(`{}`) }, `"arguments":{}`},
		{"nobody is to be asked", func(r *access.Request) { r.AskNobody = true }, `"ask":false`},
		{"what is to be told", func(r *access.Request) { r.Tell = []string{"name"} }, `"tell":["name"]`},
	} {
		r := plain
		row.change(&r)
		b, err := json.Marshal(EncodeRequest(r))
		if err != nil {
			t.Fatal(err)
		}
		if row.has == "" && (strings.Contains(string(b), `"arguments"`) || strings.Contains(string(b), `"ask"`) || strings.Contains(string(b), `"tell"`)) || !strings.Contains(string(b), row.has) {
			t.Errorf("%s: %s", row.name, b)
		}
	}
}
