package caller

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorman/server/access"
)

// TestPeek: what is read in a body before the SDK reads it.
func TestPeek(t *testing.T) {
	t.Parallel()
	d := &Door{maxBody: 2_000}
	for _, row := range []struct {
		name, body string
		want       peeked
		kind       access.Kind
	}{
		{name: "a call", body: `{"id":1,"method":"tools/call","params":{"name":"x"}}`, want: peeked{method: "tools/call", id: "1"}},
		{name: "progress", body: `{"id":"a","method":"tools/call","params":{"_meta":{"progressToken":7}}}`, want: peeked{method: "tools/call", id: `"a"`, streams: true}},
		{name: "an invalid progress token", body: `{"id":1,"method":"tools/call","params":{"_meta":{"progressToken":1.5}}}`, want: peeked{method: "tools/call", id: "1"}},
		{name: "a progress token that would be rounded", body: `{"id":1,"method":"tools/call","params":{"_meta":{"progressToken":9007199254740993}}}`, want: peeked{method: "tools/call", id: "1"}},
		{name: "the largest progress token", body: `{"id":1,"method":"tools/call","params":{"_meta":{"progressToken":9007199254740991}}}`, want: peeked{method: "tools/call", id: "1", streams: true}},
		{name: "progress of a list", body: `{"id":1,"method":"tools/list","params":{"_meta":{"progressToken":7}}}`, want: peeked{method: "tools/list", id: "1"}},
		{name: "taken back", body: `{"method":"notifications/cancelled","params":{"requestId":"a"}}`, want: peeked{method: "notifications/cancelled", targets: `"a"`}},
		{name: "by another key", body: `{"id":1,"Method":"tools/call"}`, want: peeked{id: "1"}},
		{name: "a batch", body: `[{"id":1,"method":"tools/call"}]`},
		{name: "no JSON", body: `{`},
		{name: "64 levels", body: strings.Repeat("[", 64) + strings.Repeat("]", 64)},
		{name: "65 levels", body: strings.Repeat("[", 65) + strings.Repeat("]", 65), kind: access.InvalidInput},
		{name: "brackets in a text", body: `"` + strings.Repeat("[", 65) + `\"["`},
		{name: "too large", body: `"` + strings.Repeat("x", 2_000) + `"`, kind: access.TooLarge},
	} {
		r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(row.body))
		got, err := d.peek(httptest.NewRecorder(), r)
		if row.kind != "" {
			if err == nil || access.AsError(err).Kind != row.kind {
				t.Errorf("%s: %v, want %s", row.name, err, row.kind)
			}
			continue
		}
		if got.params = nil; err != nil || got.method != row.want.method || got.id != row.want.id || got.targets != row.want.targets || got.streams != row.want.streams {
			t.Errorf("%s: %+v %v, want %+v", row.name, got, err, row.want)
		}
	}
}
