package app_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"

	"doorman/server/app/apptest"
)

// atConsent is a person in a browser who is logged in at the real Odoo: it follows an authorization URL to the consent
// page, and answers it.
func atConsent(t *testing.T, o *apptest.Odoo, person *http.Client, answer string) func(context.Context, string) (url.Values, error) {
	t.Helper()
	still := *person
	still.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return func(ctx context.Context, address string) (url.Values, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return nil, err
		}
		response, err := still.Do(r)
		if err != nil {
			return nil, err
		}
		_ = response.Body.Close()
		consent, err := url.Parse(response.Header.Get("Location"))
		if err != nil || consent.Path != "/doorman/consent" {
			return nil, errors.New("no consent page: " + response.Status + " " + response.Header.Get("Location"))
		}
		page := o.Server.URL() + consent.RequestURI()
		status, text := visit(t, person, page, nil)
		token := csrfField.FindStringSubmatch(text)
		if status != http.StatusOK || token == nil {
			return nil, errors.New("the consent page: " + text)
		}
		form := url.Values{"csrf_token": {token[1]}, "request": {consent.Query().Get("request")}, "answer": {answer}}
		decided, err := still.PostForm(o.Server.URL()+"/doorman/consent", form)
		if err != nil {
			return nil, err
		}
		_ = decided.Body.Close()
		to, err := url.Parse(decided.Header.Get("Location"))
		if err != nil || decided.StatusCode != http.StatusSeeOther {
			return nil, errors.New("the answer: " + decided.Status)
		}
		return to.Query(), nil
	}
}

// TestRealOauth: the Go SDK's own OAuth client, a person at Odoo's consent page, the real addon. From a bare URL to a
// tool; a Deny; a hundred refreshes at once; a code twice; revoked in Odoo, refused at the next call.
func TestRealOauth(t *testing.T) {
	o := apptest.RealOdoo(t, 2, `
user("mia", "base.group_user", "doorman.group_user")
settings.rate_limit_minute = 1_000_000`)
	s := apptest.Serve(t, o.Environ()...)
	mia := login(t, o, "mia")
	allow, deny := atConsent(t, o, mia, "allow"), atConsent(t, o, mia, "deny")
	const redirect = "http://127.0.0.1:4711/callback"

	t.Run("the whole dance", func(t *testing.T) {
		session, err := signIn(t.Context(), s, redirect, registers("Go"), allow)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = session.Close() }()
		content, failed := apptest.Call(t, session, "get_context", map[string]any{})
		if failed != "" || !strings.Contains(sprint(content), "mia") {
			t.Fatalf("%s %v", failed, content)
		}
		o.Python(t, `
connection = env["doorman.connection"].search([("auth_type", "=", "oauth"), ("user_id.login", "=", "mia")])
assert len(connection) == 1, connection
assert connection.dynamic_registration, "it registered itself"
connection.action_revoke()
env.cr.commit()`)
		if answers(t, session) {
			t.Error("a revoked connection called a tool")
		}
	})

	t.Run("the connection's policy holds", func(t *testing.T) { oauthPolicy(t, o, s, redirect, allow) })

	p := &party{t: t, service: s, redirect: redirect}
	p.client = p.register()
	t.Run("deny", func(t *testing.T) {
		q, err := deny(t.Context(), p.ask())
		if err != nil || q.Get("error") != "access_denied" || q.Get("state") != "s" || q.Get("iss") != s.URL {
			t.Fatalf("%v %v", q, err)
		}
	})
	t.Run("a hundred refreshes of one token", func(t *testing.T) {
		q, err := allow(t.Context(), p.ask())
		if err != nil {
			t.Fatal(err)
		}
		status, first := p.redeem(q.Get("code"))
		if status != http.StatusOK {
			t.Fatalf("%d %v", status, first)
		}
		pairs, refused := p.manyTimes(100, func() (int, map[string]any) { return p.refresh(first["refresh_token"]) })
		if len(pairs) != 1 || refused != 0 {
			t.Errorf("%d different pairs, %d refused", len(pairs), refused)
		}
	})
	t.Run("a hundred redemptions of one code", func(t *testing.T) {
		q, err := allow(t.Context(), p.ask())
		if err != nil {
			t.Fatal(err)
		}
		pairs, refused := p.manyTimes(100, func() (int, map[string]any) { return p.redeem(q.Get("code")) })
		if len(pairs) > 1 || refused < 99 {
			t.Errorf("%d different pairs, %d refused", len(pairs), refused)
		}
		for pair := range pairs {
			if status, _ := p.refresh(strings.Fields(pair)[1]); status != http.StatusBadRequest {
				t.Errorf("the family is alive: %d", status)
			}
		}
	})
	t.Run("the job", func(t *testing.T) {
		apptest.Eventually(t, 5e9, "purge_oauth ran", func() bool { return strings.Contains(s.Log(), `"job":"purge_oauth"`) })
		for line := range strings.Lines(s.Log()) {
			if strings.Contains(line, `"job":"purge_oauth"`) && strings.Contains(line, `"error"`) {
				t.Error(line)
			}
		}
	})
}

// oauthPolicy: what an administrator sets on a connection that came by OAuth holds at its next call, as on any other.
func oauthPolicy(t *testing.T, o *apptest.Odoo, s *apptest.Service, redirect string, person func(context.Context, string) (url.Values, error)) {
	session, err := signIn(t.Context(), s, redirect, registers("Ruled"), thenGone(person))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	search := func() (map[string]any, string) {
		return apptest.Call(t, session, "search_records", args{"model": "res.partner", "limit": 1})
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
	if answers(t, session) {
		t.Error("a blocked address called a tool")
	}
	rule(`{"blocked_ips": "", "allowed_ips": "192.0.2.0/24"}`)
	if answers(t, session) {
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
func (p *party) manyTimes(n int, do func() (int, map[string]any)) (pairs map[string]bool, refused int) {
	var mu sync.Mutex
	var wait sync.WaitGroup
	pairs = map[string]bool{}
	for range n {
		wait.Go(func() {
			status, body := do()
			mu.Lock()
			defer mu.Unlock()
			if status == http.StatusOK {
				pairs[sprint(body["access_token"])+" "+sprint(body["refresh_token"])] = true
			} else if refused++; body["error"] != "invalid_grant" {
				p.t.Errorf("%d %v", status, body)
			}
		})
	}
	wait.Wait()
	return pairs, refused
}
