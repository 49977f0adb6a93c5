package oauth_test

import (
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/access"
)

func TestServerMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/.well-known/oauth-authorization-server", "/.well-known/oauth-authorization-server/mcp"} {
		a := s.do(http.MethodGet, path, "", "Host", "evil.example.com", "X-Forwarded-Host", "evil.example.com", "X-Forwarded-Proto", "http")
		want := map[string]any{
			"issuer": issuer, "authorization_endpoint": issuer + "/oauth/authorize", "token_endpoint": issuer + "/oauth/token",
			"revocation_endpoint": issuer + "/oauth/revoke", "registration_endpoint": issuer + "/oauth/register",
			"response_types_supported": []any{"code"}, "response_modes_supported": []any{"query"},
			"grant_types_supported": []any{"authorization_code", "refresh_token"}, "code_challenge_methods_supported": []any{"S256"},
			"token_endpoint_auth_methods_supported":          []any{"none", "client_secret_basic", "client_secret_post"},
			"revocation_endpoint_auth_methods_supported":     []any{"none", "client_secret_basic", "client_secret_post"},
			"authorization_response_iss_parameter_supported": true, "client_id_metadata_document_supported": true,
			"scopes_supported": []any{"mcp:metadata", "mcp:search", "offline_access"},
		}
		if a.status != 200 || !reflect.DeepEqual(a.json, want) || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%d %v %s", a.status, a.header, a.body)
		}
	}
	s.odoo.SetOAuth(func(o *access.OAuthSettings) {
		o.Registration, o.Documents, o.Scopes = false, false, []access.Scope{access.ScopeORM}
	})
	s.later(11 * time.Second) // what was set works within that
	a := s.do(http.MethodGet, "/.well-known/oauth-authorization-server", "")
	if a.json["registration_endpoint"] != nil || a.json["client_id_metadata_document_supported"] != false ||
		!reflect.DeepEqual(a.json["scopes_supported"], []any{"mcp:orm", "offline_access"}) {
		t.Error(a.body)
	}
	for _, path := range []string{"/.well-known/openid-configuration", "/.well-known/openid-configuration/mcp", "/oauth/userinfo", "/oauth/jwks"} {
		if a := s.do(http.MethodGet, path, ""); a.status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.status)
		}
	}
}

func TestResourceMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, path := range []string{"/.well-known/oauth-protected-resource", "/.well-known/oauth-protected-resource/mcp"} {
		a := s.do(http.MethodGet, path, "")
		want := map[string]any{
			"resource": resource, "resource_name": "Doorman for Odoo", "authorization_servers": []any{issuer},
			"bearer_methods_supported": []any{"header"}, "scopes_supported": []any{"mcp:metadata", "mcp:search"},
		}
		if a.status != 200 || !reflect.DeepEqual(a.json, want) || a.header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%d %v %s", a.status, a.header, a.body)
		}
	}
}

// TestOff: with the setting off there is no authorization server; keys go on, so the resource document stays.
func TestOff(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.Enabled = false })
	s.do(http.MethodGet, "/.well-known/oauth-authorization-server", "").refused(t, http.StatusNotFound, "access_denied")
	if a := s.do(http.MethodGet, "/.well-known/oauth-protected-resource", ""); a.status != 200 || a.json["authorization_servers"] != nil {
		t.Errorf("%d %s", a.status, a.body)
	}
	s.register(`{"redirect_uris":["https://a.example.com/"]}`).refused(t, http.StatusForbidden, "access_denied")
	_, challenge := pkce()
	s.authorize(ask("dmo_x", webURI, challenge)).shown(t, "access_denied")
	s.post("/oauth/token", refreshing("dmo_x", "dmr_"+challenge)).refused(t, http.StatusForbidden, "access_denied")
}

// TestOdooDown: nothing is granted and nobody is sent anywhere; clients are told to come back.
func TestOdooDown(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	s.odoo.Refuse()
	_, challenge := pkce()
	s.authorize(ask(client, webURI, challenge)).shown(t, "temporarily_unavailable")
	s.later(time.Minute) // the settings are too old, too
	for _, a := range []answer{
		s.do(http.MethodGet, "/.well-known/oauth-authorization-server", ""),
		s.post("/oauth/token", refreshing(client, "dmr_"+challenge)), s.register(`{"redirect_uris":["https://a.example.com/"]}`),
	} {
		if a.refused(t, http.StatusServiceUnavailable, "temporarily_unavailable"); a.header.Get("Retry-After") == "" {
			t.Errorf("%v", a.header)
		}
	}
	s.authorize(ask(client, webURI, challenge)).shown(t, "temporarily_unavailable")
	if a := s.do(http.MethodGet, "/.well-known/oauth-protected-resource", ""); a.status != 200 || a.json["authorization_servers"] == nil {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestOdooHangs: clients give up after 10 s; by then each endpoint has said that it cannot tell.
func TestOdooHangs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	s.within = 200 * time.Millisecond // not for the set-up, which a busy machine may take longer over
	s = s.replica()
	s.odoo.Inject(odootest.Fault{Kind: odootest.Never, Methods: []string{"oauth_register", "oauth_begin", "oauth_redeem", "oauth_refresh", "oauth_revoke"}})
	_, challenge := pkce()
	s.authorize(ask(client, webURI, challenge)).shown(t, "temporarily_unavailable")
	for what, a := range map[string]answer{
		"register": s.register(`{"redirect_uris":["https://a.example.com/"]}`),
		"refresh":  s.post("/oauth/token", refreshing(client, "dmr_"+challenge)),
		"revoke":   s.post("/oauth/revoke", url.Values{"client_id": {client}, "token": {"dmr_" + challenge}}),
	} {
		if a.refused(t, http.StatusServiceUnavailable, "temporarily_unavailable"); a.header.Get("Retry-After") == "" {
			t.Errorf("%s: %v", what, a.header)
		}
	}
}

func TestDance(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	verifier, challenge := pkce()
	a := s.authorize(ask(client, webURI, challenge))
	if a.status != http.StatusSeeOther || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" ||
		a.header.Get("Access-Control-Allow-Origin") != "" {
		t.Fatalf("%d %v", a.status, a.header)
	}
	back, _ := url.Parse(s.odoo.Decide(a.header.Get("Location"), true, issuer))
	if back.Query().Get("state") != "st-1" || back.Query().Get("iss") != issuer {
		t.Fatal(back)
	}
	if s.odoo.Decide(a.header.Get("Location"), true, issuer) != "" {
		t.Error("a request was decided on twice")
	}
	first := s.post("/oauth/token", redeeming(client, webURI, back.Query().Get("code"), verifier))
	if first.status != 200 || first.text("token_type") != "Bearer" || first.json["expires_in"] != float64(3600) || first.text("scope") != "mcp:search" ||
		first.header.Get("Cache-Control") != "no-store" || first.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Fatalf("%d %v %s", first.status, first.header, first.body)
	}
	if !s.opens(first.text("access_token")) || s.opens(first.text("refresh_token")) || s.opens(back.Query().Get("code")) {
		t.Error("the access token opens the door, and nothing else does")
	}
	second := s.post("/oauth/token", refreshing(client, first.text("refresh_token")))
	if second.status != 200 || second.text("access_token") == first.text("access_token") || second.text("refresh_token") == first.text("refresh_token") {
		t.Fatalf("%d %s", second.status, second.body)
	}
	again := s.post("/oauth/token", refreshing(client, first.text("refresh_token")))
	if again.text("access_token") != second.text("access_token") || again.text("refresh_token") != second.text("refresh_token") {
		t.Errorf("within the grace: %s", again.body)
	}
	if s.opens(second.text("refresh_token")); !s.opens(second.text("access_token")) {
		t.Error("the new token does not open")
	}
}

// TestToleratedRequests: what clients add, and what some leave out, changes nothing.
func TestToleratedRequests(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(url.Values){
		"no resource: there is but one": func(q url.Values) { q.Del("resource") },
		"prompt":                        func(q url.Values) { q.Set("prompt", "consent") },
		"nonce":                         func(q url.Values) { q.Set("nonce", "n-1") },
		"login_hint":                    func(q url.Values) { q.Set("login_hint", "mia@example.com") },
		"what nobody knows":             func(q url.Values) { q.Set("x_vendor", "1") },
		"offline_access":                func(q url.Values) { q.Set("scope", "mcp:search offline_access") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			client := s.client(webURI)
			verifier, challenge := pkce()
			a := s.post("/oauth/token", redeeming(client, webURI, s.code(client, webURI, challenge, change), verifier))
			if a.status != 200 || a.text("scope") != "mcp:search" || !s.opens(a.text("access_token")) {
				t.Errorf("%d %s", a.status, a.body)
			}
		})
	}
}

// TestTokensReachOdooAsProofs: no code, token, verifier or secret is in what Odoo receives, nor in the log.
func TestTokensReachOdooAsProofs(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.odoo.MakeClient("dmo_confidential", "dms_canary-secret", webURI)
	verifier, challenge := pkce()
	code := s.code("dmo_confidential", webURI, challenge, func(q url.Values) { q.Set("state", "canary-state") })
	form := redeeming("dmo_confidential", webURI, code, verifier)
	form.Set("client_secret", "dms_canary-secret")
	first := s.post("/oauth/token", form)
	again := refreshing("dmo_confidential", first.text("refresh_token"))
	again.Set("client_secret", "dms_canary-secret")
	second := s.post("/oauth/token", again)
	wrong := refreshing("dmo_confidential", "dmr_"+strings.Repeat("c", 43))
	wrong.Set("client_secret", "dms_canary-wrong")
	s.post("/oauth/token", wrong)
	s.post("/oauth/revoke", url.Values{"token": {second.text("access_token")}, "client_id": {"dmo_confidential"}, "client_secret": {"dms_canary-secret"}})
	s.authorize(url.Values{"client_id": {"dmo_none"}, "redirect_uri": {webURI}, "state": {"canary-state"}, "code_challenge": {challenge}})
	secrets := []string{
		code, verifier, "canary-secret", "canary-wrong", strings.Repeat("c", 43), first.text("access_token"), first.text("refresh_token"),
		second.text("access_token"), second.text("refresh_token"),
	}
	for _, secret := range secrets {
		if secret == "" {
			t.Fatalf("%s %s", first.body, second.body)
		}
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("%s is in the log", secret)
		}
		for _, r := range s.odoo.Requests() {
			if strings.Contains(string(r.Body), secret) {
				t.Errorf("%s was sent to Odoo: %s", secret, r.Body)
			}
		}
	}
	if strings.Contains(s.log.String(), "canary-state") || strings.Contains(s.log.String(), challenge) {
		t.Error("a state or a challenge is in the log")
	}
	if !strings.Contains(s.log.String(), "oauth refused") {
		t.Error("nothing was logged: the test shows nothing")
	}
}

// TestDecisionsBack: Deny, and a redirect URI with a query of its own.
func TestDecisionsBack(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI + "?tenant=7")
	_, challenge := pkce()
	q := ask(client, webURI+"?tenant=7", challenge)
	to, _ := url.Parse(s.odoo.Decide(s.authorize(q).header.Get("Location"), false, issuer))
	if to.Query().Get("error") != "access_denied" || to.Query().Get("tenant") != "7" || to.Query().Get("state") != "st-1" {
		t.Error(to)
	}
	q.Set("resource", "https://other.example.com/mcp")
	s.odoo.MakeClient("dmo_by_hand", "", webURI+"?tenant=7")
	q.Set("client_id", "dmo_by_hand")
	a := s.authorize(q)
	a.sentBack(t, webURI+"?tenant=7&", "invalid_target", "st-1")
	q.Del("state")
	s.authorize(q).sentBack(t, webURI+"?tenant=7&", "invalid_target", "")
}

// TestScopes: what is asked for, and what becomes of it.
func TestScopes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	for _, row := range []struct{ asked, granted string }{
		{"mcp:search", "mcp:search"},
		{"mcp:search mcp:metadata", "mcp:search mcp:metadata"},
		{"mcp:search mcp:search", "mcp:search"},
		{"mcp:search mcp:orm", "mcp:search"},          // not of the default policy
		{"mcp:search read:all openid", "mcp:search"},  // words of others
		{"mcp:search offline_access", "mcp:search"},   // means nothing
		{"offline_access", "mcp:metadata mcp:search"}, // nothing else: the defaults
		{"", "mcp:metadata mcp:search"},               // none at all
	} {
		a := s.tokens(client, webURI, func(q url.Values) { q.Set("scope", row.asked) })
		if a.text("scope") != row.granted {
			t.Errorf("%q: granted %q, want %q", row.asked, a.text("scope"), row.granted)
		}
	}
	first := s.tokens(client, webURI, func(q url.Values) { q.Set("scope", "mcp:metadata mcp:search") })
	form := refreshing(client, first.text("refresh_token"))
	form.Set("scope", "mcp:search")
	narrow := s.post("/oauth/token", form)
	if narrow.text("scope") != "mcp:search" {
		t.Fatal(narrow.body)
	}
	// The refresh token keeps what was granted (RFC 6749 section 6).
	if wide := s.post("/oauth/token", refreshing(client, narrow.text("refresh_token"))); wide.text("scope") != "mcp:metadata mcp:search" {
		t.Error(wide.body)
	}
}

// TestLoopback: the port is the program's own each time, and the three names of this machine are one.
func TestLoopback(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client("http://localhost/callback")
	for _, uri := range []string{
		"http://localhost/callback", "http://localhost:1/callback", "http://127.0.0.1:65535/callback", "http://[::1]:4711/callback", "http://127.0.0.1/callback",
	} {
		if a := s.tokens(client, uri); a.status != 200 {
			t.Errorf("%s: %s", uri, a.body)
		}
	}
}

// TestConfidential: all ways in which a client may show its secret.
func TestConfidential(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.odoo.MakeClient("dmo_a", "dms_p+%:ä", webURI)
	coded := basic(url.QueryEscape("dmo_a"), url.QueryEscape("dms_p+%:ä"))
	for name, shown := range map[string]func(url.Values) []string{
		"basic":                         func(f url.Values) []string { f.Del("client_id"); return []string{"Authorization", coded} },
		"basic, and the id in the form": func(url.Values) []string { return []string{"Authorization", coded} },
		"basic in capitals": func(url.Values) []string {
			return []string{"Authorization", "BASIC" + strings.TrimPrefix(coded, "Basic")}
		},
		"post": func(f url.Values) []string { f.Set("client_secret", "dms_p+%:ä"); return nil },
	} {
		verifier, challenge := pkce()
		form := redeeming("dmo_a", webURI, s.code("dmo_a", webURI, challenge), verifier)
		if a := s.post("/oauth/token", form, shown(form)...); a.status != 200 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	// A library that does not know yet how to authenticate shows an empty secret; that is none.
	client := s.client(webURI)
	for _, shown := range [][]string{{"Authorization", basic(client, "")}, nil} {
		verifier, challenge := pkce()
		form := redeeming(client, webURI, s.code(client, webURI, challenge), verifier)
		if shown == nil {
			form.Set("client_secret", "")
		}
		if a := s.post("/oauth/token", form, shown...); a.status != 200 {
			t.Errorf("an empty secret: %d %s", a.status, a.body)
		}
	}
}

func TestRevoke(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client, other := s.client(webURI), s.client(webURI)
	for _, kind := range []string{"access_token", "refresh_token"} {
		tokens := s.tokens(client, webURI)
		// Another client's attempt does nothing, and does not learn that.
		for _, id := range []string{other, client} {
			a := s.post("/oauth/revoke", url.Values{"token": {tokens.text(kind)}, "client_id": {id}, "token_type_hint": {"wrong"}})
			if a.status != 200 || a.body != "" || a.header.Get("Cache-Control") != "no-store" || a.header.Get("Access-Control-Allow-Origin") != "*" {
				t.Errorf("%d %v %s", a.status, a.header, a.body)
			}
			if s.opens(tokens.text("access_token")) != (id == other) {
				t.Errorf("%s revoked by %s", kind, id)
			}
		}
		if len(s.revoked) != 1 || s.revoked[0] != client {
			t.Errorf("told of %q", s.revoked) // and not of the attempt
		}
		s.revoked = nil
		s.post("/oauth/token", refreshing(client, tokens.text("refresh_token"))).refused(t, 400, "invalid_grant")
	}
	for _, token := range []string{"dma_unknown", "dmk_key", "x", "dma_" + strings.Repeat("a", 43)} {
		if a := s.post("/oauth/revoke", url.Values{"token": {token}, "client_id": {client}}); a.status != 200 || s.revoked != nil {
			t.Errorf("%s: %d, told of %q", token, a.status, s.revoked)
		}
	}
}

// TestCORS: for pages of any origin where a client in a browser needs it, and nowhere else.
func TestCORS(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for path, method := range map[string]string{
		"/.well-known/oauth-authorization-server": "GET", "/.well-known/oauth-protected-resource/mcp": "GET",
		"/oauth/register": "POST", "/oauth/token": "POST", "/oauth/revoke": "POST",
	} {
		a := s.do(http.MethodOptions, path, "", "Origin", "https://page.example.com", "Access-Control-Request-Method", method)
		if a.status != 204 || a.header.Get("Access-Control-Allow-Origin") != "*" || a.header.Get("Access-Control-Allow-Methods") != method ||
			a.header.Get("Access-Control-Allow-Credentials") != "" {
			t.Errorf("%s: %d %v", path, a.status, a.header)
		}
	}
	for _, method := range []string{http.MethodOptions, http.MethodPost, http.MethodPut} {
		a := s.do(method, "/oauth/authorize", "")
		if a.status != http.StatusMethodNotAllowed && a.status != http.StatusNoContent || a.header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s authorize: %d %v", method, a.status, a.header)
		}
	}
	for _, path := range []string{"/oauth/token", "/oauth/revoke", "/oauth/register"} {
		if a := s.do(http.MethodGet, path, ""); a.status != http.StatusMethodNotAllowed {
			t.Errorf("GET %s: %d", path, a.status)
		}
	}
}

// TestRates: one address cannot keep Odoo busy, and does not lock out another.
func TestRates(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	registration := `{"redirect_uris":["https://a.example.com/"]}`
	for range 100 {
		if a := s.register(registration); a.status != http.StatusCreated {
			t.Fatal(a.body)
		}
	}
	a := s.register(registration)
	if a.refused(t, http.StatusTooManyRequests, "temporarily_unavailable"); a.header.Get("Retry-After") != "3600" ||
		!strings.Contains(a.text("error_description"), "100 in an hour. Try again in 60 minutes.") {
		t.Errorf("%v %s", a.header, a.body)
	}
	for range 1000 { // what is refused does not use up what everybody has together
		s.register(registration)
	}
	if a := s.do(http.MethodPost, "/oauth/register", registration, "Content-Type", "application/json", "From", "192.0.2.9"); a.status != http.StatusCreated {
		t.Error(a.body)
	}
	// The setting, in both directions.
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.Registrations = 101 })
	s.later(time.Minute)
	if a := s.register(registration); a.status != http.StatusCreated {
		t.Errorf("one more: %s", a.body)
	}
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.Registrations = 2 })
	s.later(time.Minute)
	if a := s.register(registration); a.status != http.StatusTooManyRequests || a.header.Get("Retry-After") != "3480" ||
		!strings.Contains(a.text("error_description"), "2 in an hour. Try again in 58 minutes.") {
		t.Errorf("fewer: %v %s", a.header, a.body)
	}
	for i := range 25 { // of everybody together
		from := "203.0.113." + strconv.Itoa(i)
		a := s.do(http.MethodPost, "/oauth/register", registration, "Content-Type", "application/json", "From", from)
		if a.refused(t, http.StatusTooManyRequests, "temporarily_unavailable"); !strings.Contains(a.text("error_description"), "all networks together may make 20 in an hour") {
			t.Fatal(a.body)
		}
	}
	s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.Registrations = access.Registrations })
	s.later(time.Hour)
	client := s.client(webURI)
	_, challenge := pkce()
	for i := range 61 {
		a := s.authorize(ask(client, webURI, challenge))
		if i < 60 && a.status != http.StatusSeeOther || i == 60 && a.status != http.StatusTooManyRequests {
			t.Fatalf("request %d: %d", i, a.status)
		}
	}
	if a := s.authorize(ask(client, webURI, challenge), "From", "192.0.2.9"); a.status != http.StatusSeeOther {
		t.Error(a.body)
	}
}

// TestGuessing: after 120 failures of one address in a minute Odoo is not asked any more.
func TestGuessing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	good := s.tokens(client, webURI)
	for range 120 {
		s.post("/oauth/token", refreshing(client, "dmr_"+strings.Repeat("a", 43))).refused(t, 400, "invalid_grant")
	}
	before := s.odoo.Count("oauth_refresh")
	a := s.post("/oauth/token", refreshing(client, good.text("refresh_token")))
	if a.refused(t, http.StatusTooManyRequests, "temporarily_unavailable"); a.header.Get("Retry-After") == "" || s.odoo.Count("oauth_refresh") != before {
		t.Errorf("%v", a.header)
	}
	if a := s.post("/oauth/token", refreshing(client, good.text("refresh_token")), "From", "192.0.2.9"); a.status != 200 {
		t.Errorf("%d %s", a.status, a.body)
	}
}

// TestReuse: what was used before ends all that came of it, where it is not the same client in its own grace.
func TestReuse(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	t.Run("a code", func(t *testing.T) {
		verifier, challenge := pkce()
		form := redeeming(client, webURI, s.code(client, webURI, challenge), verifier)
		first := s.post("/oauth/token", form)
		s.post("/oauth/token", form).refused(t, 400, "invalid_grant")
		if s.opens(first.text("access_token")) {
			t.Error("the first tokens are alive")
		}
		s.post("/oauth/token", refreshing(client, first.text("refresh_token"))).refused(t, 400, "invalid_grant")
	})
	t.Run("a refresh token after the grace", func(t *testing.T) {
		first := s.tokens(client, webURI)
		second := s.post("/oauth/token", refreshing(client, first.text("refresh_token")))
		s.later(61 * time.Second)
		s.post("/oauth/token", refreshing(client, first.text("refresh_token"))).refused(t, 400, "invalid_grant")
		s.post("/oauth/token", refreshing(client, second.text("refresh_token"))).refused(t, 400, "invalid_grant")
		if s.opens(second.text("access_token")) {
			t.Error("the family is alive")
		}
	})
	t.Run("an older refresh token", func(t *testing.T) {
		list := []answer{s.tokens(client, webURI)}
		for i := range 4 {
			list = append(list, s.post("/oauth/token", refreshing(client, list[i].text("refresh_token"))))
		}
		newest := list[4]
		for i := range 4 { // within the grace: all of them get what is the newest
			a := s.post("/oauth/token", refreshing(client, list[i].text("refresh_token")))
			if a.status != 200 || a.text("access_token") != newest.text("access_token") || a.text("refresh_token") != newest.text("refresh_token") {
				t.Errorf("generation %d: %d %s", i+1, a.status, a.body)
			}
		}
		if !s.opens(newest.text("access_token")) {
			t.Error("the login has ended")
		}
		s.later(61 * time.Second)
		s.post("/oauth/token", refreshing(client, list[0].text("refresh_token"))).refused(t, 400, "invalid_grant")
		if s.opens(newest.text("access_token")) {
			t.Error("after the grace the login is alive")
		}
	})
	t.Run("an older refresh token of another client", func(t *testing.T) {
		first := s.tokens(client, webURI)
		second := s.post("/oauth/token", refreshing(client, first.text("refresh_token")))
		third := s.post("/oauth/token", refreshing(client, second.text("refresh_token")))
		s.post("/oauth/token", refreshing(s.client(webURI), first.text("refresh_token"))).refused(t, 400, "invalid_grant")
		if s.opens(third.text("access_token")) {
			t.Error("the login is alive")
		}
	})
}

// TestManyAtOnce: a hundred redemptions of one code give one pair of tokens at most; a hundred refreshes of one token give
// one successor.
func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	client := s.client(webURI)
	tokens := s.tokens(client, webURI)
	answers := make(chan answer, 200)
	verifier, challenge := pkce()
	code := redeeming(client, webURI, s.code(client, webURI, challenge), verifier)
	for i := range 100 {
		from := []string{"From", "198.51.100." + string(rune('0'+i%10))}
		go func() { answers <- s.post("/oauth/token", refreshing(client, tokens.text("refresh_token")), from...) }()
		go func() { answers <- s.post("/oauth/token", code, from...) }()
	}
	pairs := map[string]int{}
	for range 200 {
		if a := <-answers; a.status == 200 {
			pairs[a.text("access_token")+a.text("refresh_token")]++
		}
	}
	counts := slices.Sorted(maps(pairs))
	if len(counts) != 2 || counts[0] != 1 || counts[1] != 100 || s.odoo.Families() != 1 {
		t.Errorf("%v, %d families", counts, s.odoo.Families())
	}
}

func maps(m map[string]int) func(func(int) bool) {
	return func(yield func(int) bool) {
		for _, n := range m {
			if !yield(n) {
				return
			}
		}
	}
}
