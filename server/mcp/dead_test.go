package mcp_test

import (
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// TestDeadCredential: a credential of which Odoo says during a call that it is dead is 401 for that very call, by whatever
// way the answer goes, and for those after it.
func TestDeadCredential(t *testing.T) {
	t.Parallel()
	dies := func(access.Fence, access.Request) (access.Reply, error) { return access.Reply{}, access.Invalid() }
	search := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner"}}}`
	progress := strings.Replace(search, `"params":{`, `"params":{"_meta":{"progressToken":"p"},`, 1)
	for _, row := range []struct {
		name, body string
		headers    []string
	}{
		{"a tool call", search, nil},
		{"JSON alone", search, []string{"Accept", "application/json"}},
		{"with progress", progress, nil},
		{"a resource", `{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"odoo://res.partner/7"}}`, nil},
		{"an older client", search, []string{"MCP-Protocol-Version", "2025-06-18"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.call = dies
			server := endpoint(t, f)
			for range 2 {
				a := send(t, server.URL, row.body, row.headers...)
				challenge := a.header.Get("WWW-Authenticate")
				if a.status != 401 || !strings.Contains(challenge, `error="invalid_token"`) || !strings.Contains(challenge, "resource_metadata=") {
					t.Errorf("%d %s %s", a.status, challenge, a.body)
				}
				if strings.Count(a.body, "jsonrpc") != 1 || !strings.HasPrefix(a.header.Get("Content-Type"), "application/json") {
					t.Errorf("%s %s", a.header.Get("Content-Type"), a.body)
				}
			}
			if n := f.callCount(); n != 1 {
				t.Errorf("Odoo was asked %d times", n)
			}
		})
	}
	t.Run("another error", func(t *testing.T) {
		t.Parallel()
		for _, kind := range []access.Kind{access.Forbidden, access.NotAllowed, access.OdooUnavailable, access.Internal} {
			f := newFake()
			f.call = func(access.Fence, access.Request) (access.Reply, error) {
				return access.Reply{}, access.NewError(kind, "No.", "")
			}
			if a := send(t, endpoint(t, f).URL, search); a.status != 200 || a.kind() != string(kind) {
				t.Errorf("%s: %d %s", kind, a.status, a.body)
			}
		}
	})
}

// TestStepUpToANewScope: a scope that an administrator has just added is asked for at the first call.
func TestStepUpToANewScope(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	withAccessToken(f, access.ScopeMetadata, access.ScopeSearch)
	url := serve(t, mcp.New(mcp.Config{Gateway: f, Limiter: newLimiter(), Identify: identify, Now: at.now}))
	for range 2 { // remembered from now on
		if a := send(t, url, createCall); a.status != 200 || a.kind() != "not_allowed" {
			t.Fatal(a.body)
		}
	}
	wider := *f.snapshot
	grant := *wider.Grant
	grant.Grantable = []access.Scope{access.ScopeMetadata, access.ScopeSearch, access.ScopeORM}
	wider.Grant = &grant
	f.mu.Lock()
	f.snapshot = &wider
	f.mu.Unlock()
	at.move(3 * time.Second)
	a := send(t, url, createCall)
	if a.status != 403 || !strings.Contains(a.header.Get("WWW-Authenticate"), "mcp:orm") {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestForgetClient: what a client has revoked is asked about again at its next request, and nobody else's is.
func TestForgetClient(t *testing.T) {
	t.Parallel()
	f := newFake()
	withAccessToken(f, access.ScopeSearch)
	s := mcp.New(mcp.Config{Gateway: f, Limiter: newLimiter(), Identify: identify, Now: time.Now})
	url := serve(t, s)
	wants := func(resolves int) {
		t.Helper()
		if a := send(t, url, listTools); a.status != 200 || f.resolveCount() != resolves {
			t.Errorf("%d, asked %d times, want %d", a.status, f.resolveCount(), resolves)
		}
	}
	wants(1)
	wants(1)
	s.ForgetClient("dmo_other")
	wants(1)
	s.ForgetClient("dmo_x")
	wants(2)
}
