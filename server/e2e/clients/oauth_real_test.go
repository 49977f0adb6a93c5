package clients_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// login is what a client did from a bare URL on.
type login struct {
	Scopes, Resources                           []string
	Tools, Logins                               int
	Called, Refreshed, SteppedUp, LoggedInAgain bool
}

// office is a real Odoo with people who log in by OAuth, and what is in front of it.
type office struct {
	*kit.Odoo
	service *kit.Service
}

func newOffice(t *testing.T, people ...string) office {
	t.Helper()
	script := `
settings.rate_limit_minute = 1_000_000
settings.scope_ids = env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))])`
	for _, login := range people {
		script += `
user("` + login + `", "base.group_user", "doorman.group_user", "base.group_partner_manager")`
	}
	o := kit.RealOdoo(t, 2, script)
	return office{o, kit.Serve(t, o.Environ()...)}
}

// person is somebody at a browser for a client: it consents, and at /revoke ends what there is.
func (o office) person(t *testing.T, name string) string {
	allow := kit.AtConsent(t, o.Odoo, kit.LogIn(t, o.Odoo, name), "allow")
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/revoke" {
			o.Python(t, `
found = env["doorman.connection"].search([("user_id.login", "=", "`+name+`"), ("state", "!=", "revoked")])
assert len(found) == 1, found
found.action_revoke()
env.cr.commit()`)
			return
		}
		address, _ := io.ReadAll(r.Body)
		q, err := allow(r.Context(), string(address))
		if err != nil {
			http.Error(w, err.Error(), http.StatusGone)
			return
		}
		_, _ = io.WriteString(w, q.Encode())
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// check reads what a client saw, and holds it against what each of them has to reach.
func (o office) check(t *testing.T, out kit.Output) {
	t.Helper()
	var seen login
	if err := json.Unmarshal([]byte(out.Stdout), &seen); err != nil || out.Code != 0 {
		t.Fatalf("%v\n%s\n%s", err, out.Stdout, out.Stderr)
	}
	if seen.Tools == 0 || !seen.Called || !seen.Refreshed || !seen.SteppedUp || !seen.LoggedInAgain {
		t.Errorf("%+v", seen)
	}
	if len(seen.Scopes) < 3 || strings.Contains(seen.Scopes[0], "mcp:orm") || !strings.Contains(seen.Scopes[1], "mcp:orm") {
		t.Errorf("asked for %q", seen.Scopes)
	}
	if slices.ContainsFunc(seen.Resources, func(r string) bool { return r != o.service.MCP }) {
		t.Errorf("for %q", seen.Resources)
	}
}

// job is what a client is asked to do.
func (o office) job(t *testing.T, person, document string) string {
	job, err := json.Marshal(map[string]string{
		"url": o.service.MCP, "issuer": o.service.URL, "document": document, "person": o.person(t, person),
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(job)
}

// TestRealOauthPython: Python's clients on the real addon, from a bare URL to a tool, a refresh, one scope more, and once
// more by themselves after the connection was revoked in Odoo.
func TestRealOauthPython(t *testing.T) {
	python := kit.NeedPython(t)
	flavours := []string{"mcp-auto", "mcp-legacy", "fastmcp", "authlib"}
	o := newOffice(t, flavours...)
	for _, flavour := range flavours {
		t.Run(flavour, func(t *testing.T) {
			o.check(t, python.Run(t, nil, o.job(t, flavour, ""), "oauth.py", flavour))
		})
	}
}

// TestRealOauthTypeScript: the same of the official TypeScript clients, known by their document and registered by themselves.
func TestRealOauthTypeScript(t *testing.T) {
	node := kit.NeedNode(t)
	documents := map[string]string{"registers": "", "document": kit.PinnedDocument}
	o := newOffice(t, "v1-registers", "v1-document", "v2-registers", "v2-document")
	for _, flavour := range []string{"v1", "v2"} {
		for name, document := range documents {
			t.Run(flavour+" "+name, func(t *testing.T) {
				out := node.Run(t, nil, o.job(t, flavour+"-"+name, document), "oauth.mjs", flavour)
				o.check(t, out)
				if !strings.Contains(out.Stdout, `"iss":"`+o.service.URL+`"`) {
					t.Errorf("who it came back from: %s", out.Stdout)
				}
			})
		}
	}
}

// TestRealOauthOthers: the same of a library that knows nothing of MCP, and of the bridge for clients that only know stdio.
func TestRealOauthOthers(t *testing.T) {
	node := kit.NeedNode(t)
	flavours := []string{"openid-client", "mcp-remote"}
	o := newOffice(t, flavours...)
	for _, flavour := range flavours {
		t.Run(flavour, func(t *testing.T) {
			o.check(t, node.Run(t, nil, o.job(t, flavour, ""), "logins.mjs", flavour))
		})
	}
}
