package odoo_test

import (
	"maps"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"doorman/server/app"
	"doorman/server/e2e/kit"
)

// TestRealEnterprise: what a trusted issuer says of a person opens a real Odoo as that person, once; and
// ends with its user.
func TestRealEnterprise(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 2, `
mia = user("mia", "base.group_user", "doorman.group_user")
mia.email = "mia@company.example"
settings.log_payloads = True
settings.oauth_assertions = True
issuer = env["doorman.oauth.issuer"].with_user(admin).create({"name": "IdP", "issuer": "`+kit.IDPURL+`", "match_email": True})
wizard = env["doorman.issuer.client"].with_user(admin).create({"issuer_id": issuer.id, "name": "Enterprise tool"})
dialog = wizard.action_make()["context"]
out["client"], out["client_secret"] = dialog["default_client_id"], dialog["default_key"]`)
	idp := kit.NewIDP(t, map[string]any{"email": "mia@company.example", "email_verified": true})
	s := kit.ServeIn(app.WithFetcher(t.Context(), idp.Fetcher()), t, append(o.Environ(), "DOORMAN_LOG_LEVEL=trace")...)
	show := func(assertion string) (int, string) {
		t.Helper()
		form := url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:jwt-bearer"}, "assertion": {assertion},
			"client_id": {o.Text("client")}, "client_secret": {o.Text("client_secret")},
		}
		status, _, said := kit.Send(t, http.MethodPost, s.URL+"/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded")
		return status, said
	}
	sign := func(claims map[string]any) string {
		t.Helper()
		all := map[string]any{"sub": "u-mia", "aud": s.URL, "client_id": o.Text("client"), "resource": s.MCP, "scope": "mcp:metadata mcp:search"}
		maps.Copy(all, claims)
		text, err := idp.Assertion(all)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	assertion := sign(nil)
	status, said := show(assertion)
	token, _, _ := strings.Cut(strings.TrimPrefix(said, `{"access_token":"`), `"`)
	if status != http.StatusOK || !strings.HasPrefix(token, "dma_") || strings.Contains(said, "refresh_token") {
		t.Fatalf("%d %s", status, said)
	}
	if status, said := show(assertion); status != http.StatusBadRequest || !strings.Contains(said, "invalid_grant") {
		t.Errorf("shown again: %d %s", status, said)
	}
	session := kit.Connect(t, s.MCP, token)
	if who := kit.Must(t, session, "get_context", kit.Args{}); !strings.Contains(kit.Sprint(who), "mia@company.example") {
		t.Errorf("it acts as %v", who)
	}
	kit.Must(t, session, "search_records", kit.Args{"model": "res.partner"})
	for name, claims := range map[string]map[string]any{
		"another address": {"email": "eve@company.example"}, "not verified": {"email_verified": false},
	} {
		if status, said := show(sign(claims)); status != http.StatusBadRequest || !strings.Contains(said, "invalid_grant") {
			t.Errorf("%s: %d %s", name, status, said)
		}
	}
	// No assertion, and no token, is left anywhere.
	log, err := os.ReadFile(o.Server.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	dump, err := o.Host.Dump(t.Context(), o.DB)
	if err != nil {
		t.Fatal(err)
	}
	places := map[string]string{"database": dump, "service's log": s.Log(), "Odoo's log": string(log)}
	for place, sign := range map[string]string{"database": "oauth/assert", "service's log": "oauth refused", "Odoo's log": "jsonrpc"} {
		if !strings.Contains(places[place], sign) {
			t.Errorf("the %s does not hold %s: it was not looked at", place, sign)
		}
	}
	for _, secret := range append(idp.Given(), token, o.Text("client_secret")) {
		for where, text := range places {
			if strings.Contains(text, secret) {
				t.Errorf("a secret is in the %s", where)
			}
		}
	}
	o.Python(t, `env["res.users"].search([("login", "=", "mia")]).active = False
env.cr.commit()`)
	if status, header, _ := kit.Send(t, http.MethodPost, s.MCP, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"get_context","arguments":{}}}`,
		"Authorization", "Bearer "+token, "Content-Type", "application/json", "Accept", "application/json, text/event-stream"); status != http.StatusUnauthorized {
		t.Errorf("a token of an archived user: %d %v", status, header)
	}
	if status, said := show(sign(nil)); status != http.StatusBadRequest || !strings.Contains(said, "invalid_grant") {
		t.Errorf("an assertion about an archived user: %d %s", status, said)
	}
	kit.NoErrors(t, o)
}
