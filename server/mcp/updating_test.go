package mcp_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// updatingGateway is an Odoo whose addon is of another version: it cannot say whose a key is.
type updatingGateway struct{ *fakeGateway }

func (updatingGateway) Resolve(context.Context, access.Proof) (access.Resolution, error) {
	return access.Resolution{}, &access.Error{
		Kind: access.Updating, Message: "Doorman is being updated.", Hint: "Try again in a minute.", RetryAfter: 15 * time.Second, Detail: "secret",
	}
}

// TestUpdating: nobody can tell whose key it is, so nothing is done and nothing is told. A call of a tool gets a result
// that the model reads, whatever the tool; anything else 503 and when to try again.
func TestUpdating(t *testing.T) {
	t.Parallel()
	f := newFake()
	url := endpoint(t, f, func(c *mcp.Config) { c.Gateway = updatingGateway{f} }).URL
	const call = `{"name":"%s","arguments":{"model":"res.partner"}}`
	for _, era := range []string{oldEra, newEra} {
		for _, tool := range []string{"search_records", "create_records", "no_such_tool"} {
			a := ask(t, url, era, "tools/call", fmt.Sprintf(call, tool), nil)
			if a.status != http.StatusOK || a.kind() != "updating" || a.Result.StructuredContent["retry_after_seconds"] != 15.0 {
				t.Errorf("%s, %s: HTTP %d %s", era, tool, a.status, a.body)
			}
		}
		for _, method := range []string{"tools/list", "resources/list", "ping"} {
			a := ask(t, url, era, method, `{}`, nil)
			if a.status != http.StatusServiceUnavailable || a.kind() != "updating" || a.header.Get("Retry-After") != "15" {
				t.Errorf("%s, %s: HTTP %d %s %s", era, method, a.status, a.header.Get("Retry-After"), a.body)
			}
		}
	}
	for name, body := range map[string]string{
		"a body that is none":      `{"jsonrpc":"2.0","id":1,"method":"tools/call"`,
		"a method of another case": `{"jsonrpc":"2.0","id":1,"Method":"tools/call","params":{"name":"search_records"}}`,
		"a batch":                  `[{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{}}}]`,
		"nested too deep":          `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"x":` + strings.Repeat("[", 100) + strings.Repeat("]", 100) + `}}`,
	} {
		if a := send(t, url, body); a.status != http.StatusServiceUnavailable || a.kind() != "updating" {
			t.Errorf("%s: HTTP %d %s", name, a.status, a.body)
		}
	}
	if n := f.callCount() + f.askedCount(); n > 0 {
		t.Errorf("%d calls were sent", n)
	}
}
