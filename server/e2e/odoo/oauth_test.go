package odoo_test

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealOauth: the Go SDK's own OAuth client, a person at Odoo's consent page, the real addon. From a bare URL to a
// tool; a Deny; a hundred refreshes at once; a code twice; revoked in Odoo, refused at the next call.
func TestRealOauth(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 2, `
user("mia", "base.group_user", "doorman.group_user")
settings.rate_limit_minute = 1_000_000`)
	s := kit.Serve(t, o.Environ()...)
	mia := kit.LogIn(t, o, "mia")
	allow, deny := kit.AtConsent(t, o, mia, "allow"), kit.AtConsent(t, o, mia, "deny")
	const redirect = "http://127.0.0.1:4711/callback"

	t.Run("the whole dance", func(t *testing.T) {
		session, err := kit.SignIn(t.Context(), s, redirect, kit.Registers("Go"), kit.ThenGone(allow))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = session.Close() }()
		content, failed := kit.Call(t, session, "get_context", map[string]any{})
		if failed != "" || !strings.Contains(kit.Sprint(content), "mia") {
			t.Fatalf("%s %v", failed, content)
		}
		o.Python(t, `
connection = env["doorman.connection"].search([("auth_type", "=", "oauth"), ("user_id.login", "=", "mia")])
assert len(connection) == 1, connection
assert connection.dynamic_registration, "it registered itself"
connection.action_revoke()
env.cr.commit()`)
		if kit.Answers(t, session) {
			t.Error("a revoked connection called a tool")
		}
	})

	t.Run("the connection's policy holds", func(t *testing.T) { oauthPolicy(t, o, s, redirect, allow) })

	p := &kit.Party{T: t, Service: s, Redirect: redirect}
	p.Client = p.Register()
	t.Run("deny", func(t *testing.T) {
		q, err := deny(t.Context(), p.AuthorizeURL())
		if err != nil || q.Get("error") != "access_denied" || q.Get("state") != "s" || q.Get("iss") != s.URL {
			t.Fatalf("%v %v", q, err)
		}
	})
	t.Run("a hundred refreshes of one token", func(t *testing.T) {
		q, err := allow(t.Context(), p.AuthorizeURL())
		if err != nil {
			t.Fatal(err)
		}
		status, first := p.Redeem(q.Get("code"))
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, first)
		}
		pairs, refused := manyTimes(t, 100, func() (int, map[string]any) { return p.Refresh(first["refresh_token"]) })
		if len(pairs) != 1 || refused != 0 {
			t.Errorf("%d different pairs, %d refused", len(pairs), refused)
		}
	})
	t.Run("a hundred redemptions of one code", func(t *testing.T) {
		q, err := allow(t.Context(), p.AuthorizeURL())
		if err != nil {
			t.Fatal(err)
		}
		pairs, refused := manyTimes(t, 100, func() (int, map[string]any) { return p.Redeem(q.Get("code")) })
		if len(pairs) > 1 || refused < 99 {
			t.Errorf("%d different pairs, %d refused", len(pairs), refused)
		}
		for pair := range pairs {
			if status, _ := p.Refresh(strings.Fields(pair)[1]); status != http.StatusBadRequest {
				t.Errorf("the family is alive: %d", status)
			}
		}
	})
	t.Run("the job", func(t *testing.T) {
		kit.Await(t, "purge_oauth ran", func() error { return kit.Unless(strings.Contains(s.Log(), `"job":"purge_oauth"`), s.Log()) })
		for line := range strings.Lines(s.Log()) {
			if strings.Contains(line, `"job":"purge_oauth"`) && strings.Contains(line, `"error"`) {
				t.Error(line)
			}
		}
	})
}

// oauthPolicy: what an administrator sets on a connection that came by OAuth holds at its next call, as on any other.
func oauthPolicy(t *testing.T, o *kit.Odoo, s *kit.Service, redirect string, person func(context.Context, string) (url.Values, error)) {
	session, err := kit.SignIn(t.Context(), s, redirect, kit.Registers("Ruled"), kit.ThenGone(person))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	search := func() (map[string]any, string) {
		return kit.Call(t, session, "search_records", kit.Args{"model": "res.partner", "limit": 1})
	}
	rule := func(values string) {
		t.Helper()
		o.Python(t, fmt.Sprintf(`
from odoo.fields import Command
connection = env["doorman.connection"].search([("auth_type", "=", "oauth"), ("oauth_client_id.name", "=", "Ruled")])
assert len(connection) == 1, connection
connection.write(%s)
env.cr.commit()`, values))
	}
	if content, failed := search(); failed != "" {
		t.Fatalf("before any rule: %s %v", failed, content)
	}
	rule(`{"approval_tool_ids": [Command.set(env["doorman.tool"].search([("name", "=", "search_records")]).ids)]}`)
	if content, failed := search(); failed != "" || content["status"] != "pending_approval" {
		t.Errorf("a tool that needs approval: %s %v", failed, content)
	}
	rule(`{"approval_tool_ids": [Command.clear()], "read_only": True, "allowed_tool_ids": [Command.set(env["doorman.tool"].search([("name", "=", "get_context")]).ids)]}`)
	if content, failed := search(); failed == "" {
		t.Errorf("a tool that is not allowed: %v", content)
	}
	rule(`{"allowed_tool_ids": [Command.clear()], "blocked_ips": "127.0.0.0/8"}`)
	if kit.Answers(t, session) {
		t.Error("a blocked address called a tool")
	}
	rule(`{"blocked_ips": "", "allowed_ips": "192.0.2.0/24"}`)
	if kit.Answers(t, session) {
		t.Error("an address that is not allowed called a tool")
	}
	rule(`{"allowed_ips": ""}`)
	if content, failed := search(); failed != "" {
		t.Fatalf("let in again: %s %v", failed, content)
	}
	rule(`{"rate_limit_minute": 1}`)
	search() // learns of it
	if content, failed := search(); failed != "rate_limited" {
		t.Errorf("beyond the rate: %s %v", failed, content)
	}
}

// manyTimes does something so often at once; pairs are the different tokens that came of it.
func manyTimes(t *testing.T, n int, do func() (int, map[string]any)) (pairs map[string]bool, refused int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	pairs = map[string]bool{}
	for range n {
		wait.Go(func() {
			status, body := do()
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusOK {
				pairs[kit.Sprint(body["access_token"])+" "+kit.Sprint(body["refresh_token"])] = true
			} else if refused++; body["error"] != "invalid_grant" {
				t.Errorf("%d %v", status, body)
			}
		})
	}
	wait.Wait()
	return pairs, refused
}
