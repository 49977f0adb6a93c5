package clients_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"doorman/server/app"
	"doorman/server/e2e/kit"
)

// TestRealEnterpriseTypeScript: a real identity provider (oidc-provider), the official TypeScript client, and a real Odoo:
// from a login at the provider to a tool, and refused for good once the connection is revoked in Odoo.
func TestRealEnterpriseTypeScript(t *testing.T) {
	node := kit.NeedNode(t)
	o := kit.RealOdoo(t, 2, `
mia = user("mia", "base.group_user", "doorman.group_user")
mia.email = "mia@company.example"
settings.oauth_assertions = True
issuer = env["doorman.oauth.issuer"].create({"name": "IdP", "issuer": "`+kit.IDPURL+`", "match_email": True})
client, secret = issuer._make_client("TypeScript")
out["client"], out["client_secret"] = client.client_id, secret`)
	var provider atomic.Pointer[url.URL]
	front := httptest.NewTLSServer(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(provider.Load())
		r.SetXForwarded()
	}})
	t.Cleanup(front.Close)
	here := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/revoke" {
			o.Python(t, `
env["doorman.connection"].search([("user_id.login", "=", "mia")]).action_revoke()
env.cr.commit()`)
			return
		}
		body, _ := io.ReadAll(r.Body)
		at, err := url.Parse(string(body))
		if err != nil {
			t.Error(err)
		}
		provider.Store(at)
	}))
	t.Cleanup(here.Close)
	s := kit.ServeIn(app.WithFetcher(t.Context(), kit.FetcherOf(front)), t, append(o.Environ(), "DOORMAN_LOG_LEVEL=trace")...)
	job, _ := json.Marshal(map[string]string{
		"url": s.MCP, "issuer": kit.IDPURL, "here": here.URL + "/", "client": o.Text("client"), "secret": o.Text("client_secret"),
	})
	out := node.Run(t, nil, string(job), "enterprise.mjs")
	var seen struct {
		Assertions      []string
		Called, Refresh bool
		AfterRevoke     string
	}
	if err := json.Unmarshal([]byte(out.Stdout), &seen); err != nil || out.Code != 0 {
		t.Fatalf("%v\n%s\n%s\n%s", err, out.Stdout, out.Stderr, s.Log())
	}
	if !seen.Called || seen.Refresh || seen.AfterRevoke != "refused" || len(seen.Assertions) < 2 {
		t.Errorf("called %v, refresh token %v, %s after the revocation, %d assertions", seen.Called, seen.Refresh, seen.AfterRevoke, len(seen.Assertions))
	}
	for _, assertion := range seen.Assertions {
		if strings.Contains(s.Log(), assertion) {
			t.Error("an assertion is in the log")
		}
	}
	kit.NoErrors(t, o)
}
