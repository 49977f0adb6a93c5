package odoo_test

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

const (
	goldenRedirect = "http://127.0.0.1:4711/callback"
	goldenIssuer   = "https://mcp.example.com"
	goldenIDP      = "https://idp.example.com"
)

// goldenChallenge is PKCE's, of a verifier that nobody needs.
var goldenChallenge = func() string {
	sum := sha256.Sum256([]byte("golden"))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}()

func registration() access.Registration {
	return access.Registration{Name: "Golden", RedirectURIs: []string{goldenRedirect}, IP: "192.0.2.1"}
}

// registered is a client that has just registered itself.
func registered(t *testing.T, c *odoo.Client) access.OAuthClient {
	t.Helper()
	made, err := c.OAuthRegister(t.Context(), registration())
	if err != nil {
		t.Fatal(err)
	}
	return access.OAuthClient{ID: made.ClientID, Kind: access.ClientDynamic, Name: "Golden", RedirectURIs: []string{goldenRedirect}}
}

func beginning(client access.OAuthClient) access.AuthorizationRequest {
	return access.AuthorizationRequest{
		Client: client, RedirectURI: goldenRedirect, Scopes: []access.Scope{access.ScopeSearch}, State: "s", HasState: true,
		Challenge: goldenChallenge, Resource: goldenIssuer + "/mcp", IP: "192.0.2.1",
	}
}

// allowed is a redemption of the code that a person's Allow gave.
func allowed(t *testing.T, s site, c *odoo.Client) access.Redemption {
	t.Helper()
	client := registered(t, c)
	consent, err := c.OAuthBegin(t.Context(), beginning(client))
	if err != nil {
		t.Fatal(err)
	}
	back, err := url.Parse(s.allow(t, consent))
	if err != nil || back.Query().Get("code") == "" {
		t.Fatalf("no code: %v %v", back, err)
	}
	return access.Redemption{
		Code: access.ProofOf(back.Query().Get("code")), ClientID: client.ID, RedirectURI: goldenRedirect,
		Challenge: goldenChallenge, Resource: goldenIssuer + "/mcp", IP: "192.0.2.1",
	}
}

// loggedIn is a client that holds tokens.
func loggedIn(t *testing.T, s site, c *odoo.Client) (string, access.OAuthTokens) {
	t.Helper()
	r := allowed(t, s, c)
	tokens, err := c.OAuthRedeem(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	return r.ClientID, tokens
}

// assertion is what the trusted issuer says of the administrator.
func assertion(s site) access.Assertion {
	return access.Assertion{
		ClientID: s.trusted[0], Secret: access.ProofOf(s.trusted[1]), Issuer: goldenIDP, Subject: "u-1", ID: uuid.NewString(),
		ExpiresAt: time.Now().Add(5 * time.Minute), Email: "golden@example.com", Scopes: []access.Scope{access.ScopeSearch},
		Resource: goldenIssuer + "/mcp", IP: "192.0.2.1",
	}
}

// assertCase shows it, changed.
func assertCase(times int, change func(*access.Assertion)) func(*testing.T, site, *odoo.Client, access.Proof) {
	return func(t *testing.T, s site, c *odoo.Client, _ access.Proof) {
		a := assertion(s)
		change(&a)
		for range times {
			_, _ = c.OAuthAssert(t.Context(), a)
		}
	}
}

var oauthCases = []goldenCase{
	{name: "oauth_assert", run: assertCase(1, func(*access.Assertion) {})},
	{name: "oauth_assert_twice", run: assertCase(2, func(*access.Assertion) {})},
	{name: "oauth_assert_secret", run: assertCase(1, func(a *access.Assertion) { a.Secret = access.ProofOf("x") })},
	{name: "oauth_assert_issuer", run: assertCase(1, func(a *access.Assertion) { a.Issuer = "https://other.example.com" })},
	{name: "oauth_assert_scope", run: assertCase(1, func(a *access.Assertion) { a.Scopes = []access.Scope{access.ScopeShell} })},
	{name: "oauth_assert_refused", run: assertCase(1, func(a *access.Assertion) {
		a.Refused = &access.OAuthError{Code: "invalid_grant", Description: "The assertion is not valid: it has expired.", Reason: "exp"}
	})},
	{name: "oauth_register", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		_, _ = c.OAuthRegister(t.Context(), registration())
	}},
	{name: "oauth_register_refused", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		r := registration()
		r.RedirectURIs = []string{}
		_, _ = c.OAuthRegister(t.Context(), r)
	}},
	{name: "oauth_client", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		_, _ = c.OAuthClient(t.Context(), registered(t, c).ID)
	}},
	{name: "oauth_client_unknown", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		_, _ = c.OAuthClient(t.Context(), "dmo_nobody")
	}},
	{name: "oauth_begin", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		_, _ = c.OAuthBegin(t.Context(), beginning(registered(t, c)))
	}},
	{name: "oauth_redeem", run: func(t *testing.T, s site, c *odoo.Client, _ access.Proof) { loggedIn(t, s, c) }},
	{name: "oauth_redeem_unknown", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		_, _ = c.OAuthRedeem(t.Context(), access.Redemption{Code: access.ProofOf("dmx_nobody"), ClientID: registered(t, c).ID, Challenge: goldenChallenge})
	}},
	{name: "oauth_redeem_twice", run: func(t *testing.T, s site, c *odoo.Client, _ access.Proof) {
		r := allowed(t, s, c)
		_, _ = c.OAuthRedeem(t.Context(), r)
		_, _ = c.OAuthRedeem(t.Context(), r)
	}},
	{name: "oauth_redeem_target", run: func(t *testing.T, s site, c *odoo.Client, _ access.Proof) {
		r := allowed(t, s, c)
		r.Resource = "https://other.example.com/mcp"
		_, _ = c.OAuthRedeem(t.Context(), r)
	}},
	{name: "oauth_redeem_nobody", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		_, _ = c.OAuthRedeem(t.Context(), access.Redemption{Code: access.ProofOf("dmx_nobody"), ClientID: "dmo_nobody", Challenge: goldenChallenge})
	}},
	{name: "oauth_refresh", run: func(t *testing.T, s site, c *odoo.Client, _ access.Proof) {
		id, tokens := loggedIn(t, s, c)
		_, _ = c.OAuthRefresh(t.Context(), access.Refreshing{Refresh: access.ProofOf(tokens.Refresh), ClientID: id})
	}},
	{name: "oauth_refresh_wider", run: func(t *testing.T, s site, c *odoo.Client, _ access.Proof) {
		id, tokens := loggedIn(t, s, c)
		_, _ = c.OAuthRefresh(t.Context(), access.Refreshing{
			Refresh: access.ProofOf(tokens.Refresh), ClientID: id, Scopes: []access.Scope{access.ScopeSearch, access.ScopeORM},
		})
	}},
	{name: "oauth_revoke", run: func(t *testing.T, s site, c *odoo.Client, _ access.Proof) {
		id, tokens := loggedIn(t, s, c)
		_, _ = c.OAuthRevoke(t.Context(), access.Revocation{Token: access.ProofOf(tokens.Access), ClientID: id})
	}},
	{name: "oauth_revoke_unknown", run: func(t *testing.T, _ site, c *odoo.Client, _ access.Proof) {
		_, _ = c.OAuthRevoke(t.Context(), access.Revocation{Token: access.ProofOf("dma_nobody"), ClientID: registered(t, c).ID})
	}},
	{name: "resolve_token", run: func(t *testing.T, s site, c *odoo.Client, _ access.Proof) {
		_, tokens := loggedIn(t, s, c)
		_, _ = c.Resolve(t.Context(), access.ProofOf(tokens.Access))
	}},
	{name: "purge_oauth", run: jobCase("purge_oauth")},
}

// allowOnFake is a person at the fake's consent page.
func allowOnFake(s *odootest.Server) func(*testing.T, string) string {
	return func(_ *testing.T, consent string) string { return s.Decide(consent, true, goldenIssuer) }
}

var csrfToken = regexp.MustCompile(`name="csrf_token" value="([^"]+)"`)

// allow is the administrator in a browser, at the real Odoo's consent page.
func (r *realOdoo) allow(t *testing.T, consent string) string {
	t.Helper()
	jar, _ := cookiejar.New(nil)
	person := &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	fetch := func(response *http.Response, err error) (*http.Response, string) {
		if err != nil {
			t.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		return response, string(text)
	}
	login := fmt.Sprintf(`{"jsonrpc":"2.0","params":{"db":%q,"login":"admin","password":"admin"}}`, r.db)
	if _, said := fetch(person.Post(r.srv.URL()+"/web/session/authenticate", "application/json", strings.NewReader(login))); !strings.Contains(said, `"uid"`) {
		t.Fatalf("admin cannot log in: %s", said)
	}
	u, err := url.Parse(consent)
	if err != nil {
		t.Fatal(err)
	}
	_, page := fetch(person.Get(r.srv.URL() + u.RequestURI()))
	token := csrfToken.FindStringSubmatch(page)
	if token == nil {
		t.Fatalf("no consent page: %s", page)
	}
	decided, page := fetch(person.PostForm(r.srv.URL()+u.Path, url.Values{
		"csrf_token": {token[1]}, "request": {u.Query().Get("request")}, "answer": {"allow"},
	}))
	if decided.StatusCode != http.StatusSeeOther {
		t.Fatalf("%s %s", decided.Status, page)
	}
	return decided.Header.Get("Location")
}
