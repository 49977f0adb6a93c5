package clients_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealOauthTypeScript: the official TypeScript clients on the real addon: from a bare URL to a tool, a refresh, a scope
// more, and refused once the connection is revoked in Odoo.
func TestRealOauthTypeScript(t *testing.T) {
	node := kit.NeedNode(t)
	o := kit.RealOdoo(t, 2, `
user("mia", "base.group_user", "doorman.group_user", "base.group_partner_manager")
settings.rate_limit_minute = 1_000_000
settings.scope_ids = env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))])`)
	s := kit.Serve(t, o.Environ()...)
	allow := kit.AtConsent(t, o, kit.LogIn(t, o, "mia"), "allow")
	for _, flavour := range []string{"v1", "v2"} {
		for name, document := range map[string]string{"registers": "", "document": kit.PinnedDocument} {
			t.Run(flavour+" "+name, func(t *testing.T) {
				var gone atomic.Bool
				person := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/revoke" {
						gone.Store(true)
						o.Python(t, `
env["doorman.connection"].search([("user_id.login", "=", "mia"), ("state", "!=", "revoked")]).action_revoke()
env.cr.commit()`)
						return
					}
					address, _ := io.ReadAll(r.Body)
					q, err := allow(r.Context(), string(address))
					if gone.Load() || err != nil {
						http.Error(w, "not again: "+kit.Sprint(err), http.StatusGone)
						return
					}
					_, _ = io.WriteString(w, q.Encode())
				}))
				t.Cleanup(person.Close)
				job, _ := json.Marshal(map[string]string{"url": s.MCP, "issuer": s.URL, "document": document, "person": person.URL})
				out := node.Run(t, nil, string(job), "oauth.mjs", flavour)
				var seen struct {
					Scopes                       []string
					Iss, AfterRevoke             string
					Called, Refreshed, SteppedUp bool
				}
				if err := json.Unmarshal([]byte(out.Stdout), &seen); err != nil || out.Code != 0 {
					t.Fatalf("%v\n%s\n%s", err, out.Stdout, out.Stderr)
				}
				if !seen.Called || !seen.Refreshed || !seen.SteppedUp || seen.AfterRevoke != "refused" || seen.Iss != s.URL {
					t.Errorf("%+v", seen)
				}
				if len(seen.Scopes) < 2 || !strings.Contains(seen.Scopes[1], "mcp:orm") {
					t.Errorf("asked for %q", seen.Scopes)
				}
			})
		}
	}
}
