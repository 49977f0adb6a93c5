package mcp_test

import (
	"net/http"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/mcp"
)

const listTools = `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`

func TestCredentials(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, authorization string
		status              int
		tried               bool // the answer says that the token is invalid, not that one is missing
	}{
		{"the key", "Bearer " + goodKey, 200, false},
		{"the scheme in any case", "bEaReR " + goodKey, 200, false},
		{"no header", "", 401, false},
		{"another key", "Bearer dmk_bad", 401, true},
		{"the key without its prefix", "Bearer good", 401, true},
		{"the key in capitals", "Bearer " + strings.ToUpper(goodKey), 401, true},
		{"another scheme", "Basic " + goodKey, 401, true},
		{"no scheme", goodKey, 401, true},
		{"a scheme alone", "Bearer ", 401, true},
		{"two keys", "Bearer " + goodKey + ", Bearer x", 401, true},
		{"a key of 10 kB", "Bearer " + strings.Repeat("x", 10_000), 401, true},
		{"Odoo's own proof instead of the key", "Bearer " + access.ProofOf(goodKey).Hex(), 401, true},
	}
	f := newFake()
	server := endpoint(t, f)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := send(t, server.URL, listTools, "Authorization", row.authorization)
			if a.status != row.status {
				t.Fatalf("status %d, want %d: %s", a.status, row.status, a.body)
			}
			if row.status == 200 {
				return
			}
			challenge := a.header.Get("WWW-Authenticate")
			for _, want := range []string{`Bearer realm="doorman"`, `scope="mcp:metadata mcp:search"`, `resource_metadata="https://mcp.example.com/`} {
				if !strings.Contains(challenge, want) {
					t.Errorf("WWW-Authenticate %q lacks %q", challenge, want)
				}
			}
			if strings.Contains(challenge, `error="invalid_token"`) != row.tried {
				t.Errorf("WWW-Authenticate %q: want an error code %v", challenge, row.tried)
			}
			if a.kind() != "unauthenticated" || strings.Contains(a.body, goodKey) {
				t.Errorf("body %s", a.body)
			}
		})
	}
	t.Run("two headers", func(t *testing.T) {
		r, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL, strings.NewReader(listTools))
		r.Header["Authorization"] = []string{"Bearer " + goodKey, "Bearer " + goodKey}
		if a := do(t, r); a.status != 401 {
			t.Fatalf("status %d", a.status)
		}
	})
	t.Run("in the query", func(t *testing.T) {
		if a := send(t, server.URL+"?access_token="+goodKey, listTools, "Authorization", ""); a.status != 401 {
			t.Fatalf("status %d", a.status)
		}
	})
}

func TestBodies(t *testing.T) {
	t.Parallel()
	f := newFake()
	server := endpoint(t, f)
	rows := []struct {
		name, body, kind string
		status           int
	}{
		{"10 MB", `{"jsonrpc":"2.0","id":1,"method":"` + strings.Repeat("x", 10<<20) + `"}`, "too_large", 413},
		{"65 levels deep", strings.Repeat("[", 65) + strings.Repeat("]", 65), "invalid_input", 400},
		{"a million levels, and never closed", strings.Repeat(`{"a":`, 200_000), "invalid_input", 400},
		{"brackets in a text do not count", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"x":"` + strings.Repeat("[", 100) + `"}}}`, "", 200},
		{"an escaped quote does not end a text", `{"jsonrpc":"2.0","id":1,"method":"ping","params":{"_meta":{"x":"\"` + strings.Repeat("[", 100) + `"}}}`, "", 200},
		{"no JSON", `nonsense`, "", 400},
		{"nothing", ``, "", 400},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := send(t, server.URL, row.body)
			if a.status != row.status || a.kind() != row.kind {
				t.Fatalf("got %d %q, want %d %q: %.300s", a.status, a.kind(), row.status, row.kind, a.body)
			}
		})
	}
	if n := f.callCount(); n != 0 {
		t.Fatalf("Odoo was asked %d times", n)
	}
}

// TestRefusedBeforeTools: what is refused for the whole connection is an HTTP status for everything but tools/call,
// whose refusal the model reads; a dead credential is one for that, too.
func TestRefusedBeforeTools(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(*access.Snapshot)
		status int
		kind   string
	}{
		{"the switch is off", func(s *access.Snapshot) { s.Settings.Enabled = false }, 403, "forbidden"},
		{"waiting for activation", func(s *access.Snapshot) { s.Connection.Status = access.StatusInactive }, 403, "forbidden"},
		{"revoked", func(s *access.Snapshot) { s.Connection.Status = access.StatusRevoked }, 401, "unauthenticated"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			row.change(f.snapshot)
			server := endpoint(t, f)
			if a := send(t, server.URL, listTools); a.status != row.status || a.kind() != row.kind {
				t.Fatalf("tools/list: %d %s", a.status, a.body)
			}
			// The SDK takes the first "method", and no other spelling: nor may the check before it.
			for _, body := range []string{
				`{"jsonrpc":"2.0","id":1,"method":"tools/list","Method":"tools/call"}`,
				`{"jsonrpc":"2.0","id":1,"METHOD":"tools/call","method":"tools/list"}`,
				`{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call"}`,
				`{"jsonrpc":"2.0","id":1,"method":"tools/call","method":"tools/list"}`,
				`[{"jsonrpc":"2.0","id":1,"method":"tools/list"}]`,
			} {
				a := send(t, server.URL, body)
				if len(a.Result.Tools) > 0 || strings.Contains(a.body, "search_records") {
					t.Fatalf("%s: %s", body, a.body)
				}
			}
			if a := call(t, server.URL, "serch_records", `{}`); a.kind() != row.kind {
				t.Fatalf("unknown tool: %s", a.body)
			}
			want := 200
			if row.status == 401 {
				want = 401
			}
			if a := call(t, server.URL, "search_records", `{"model":"res.partner"}`); a.status != want || a.kind() != row.kind {
				t.Fatalf("tools/call: %d %s", a.status, a.body)
			}
			if n := f.callCount(); n != 0 {
				t.Fatalf("Odoo was asked %d times", n)
			}
		})
	}
}

func TestUnknownTool(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.snapshot.Connection.Policy.Scopes = []access.Scope{access.ScopeSearch}
	server := endpoint(t, f)
	a := call(t, server.URL, "serch_records", `{}`)
	if a.kind() != "unknown_tool" || !strings.Contains(a.body, "Did you mean search_records") {
		t.Fatal(a.body)
	}
	// Tools that this connection may not use are not offered as a guess.
	if a := call(t, server.URL, "list_model", `{}`); a.kind() != "unknown_tool" || strings.Contains(a.body, "list_models") {
		t.Fatal(a.body)
	}
}

func TestListIsCut(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name   string
		change func(*access.Policy)
		want   int
	}{
		{"everything", func(*access.Policy) {}, 13},
		{"one scope", func(p *access.Policy) { p.Scopes = []access.Scope{access.ScopeSearch} }, 10},
		{"no scope", func(p *access.Policy) { p.Scopes = nil }, 0},
		{"one tool", func(p *access.Policy) { p.AllowedTools = []string{"search_records"} }, 2},
		{"a list that lost its last tool", func(p *access.Policy) { p.AllowedTools = []string{} }, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			row.change(&f.snapshot.Connection.Policy)
			a := send(t, endpoint(t, f).URL, listTools)
			if len(a.Result.Tools) != row.want || !strings.Contains(a.body, `"cacheScope":"private"`) {
				t.Fatalf("%d tools, want %d: %.400s", len(a.Result.Tools), row.want, a.body)
			}
		})
	}
}

// TestOutageIsNotRefusal: while Odoo cannot be asked nobody is let in, and nobody is told that their key is wrong.
func TestOutageIsNotRefusal(t *testing.T) {
	t.Parallel()
	f := &deadGateway{fakeGateway: newFake()}
	server := endpoint(t, f.fakeGateway, func(c *mcp.Config) { c.Gateway = f })
	a := send(t, server.URL, listTools)
	if a.status != 503 || a.kind() != "odoo_unavailable" || a.header.Get("Retry-After") == "" {
		t.Fatalf("%d %v %s", a.status, a.header, a.body)
	}
}
