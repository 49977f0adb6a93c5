package oauth_test

import (
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorman/odoo/odootest"
	"doorman/server/access"
)

const (
	idp          = "https://idp.example.com"
	jwtBearer    = "urn:ietf:params:oauth:grant-type:jwt-bearer"
	clientID     = access.PrefixClient + "enterprise"
	clientSecret = access.PrefixSecret + "enterprise-secret"
	maria        = "maria@example.com"
)

// TestAssertion: what an issuer says of a person becomes a token of ours, which opens what it should, and no more.
func TestAssertion(t *testing.T) {
	t.Parallel()
	s := company(t)
	a := s.assert()
	if a.status != http.StatusOK || !strings.HasPrefix(a.text("access_token"), access.PrefixAccess) || a.text("token_type") != "Bearer" {
		t.Fatalf("%d %s", a.status, a.body)
	}
	if _, there := a.json["refresh_token"]; there || a.text("scope") != "mcp:search" || a.json["expires_in"] != 3600.0 {
		t.Error(a.body)
	}
	if a.header.Get("Cache-Control") != "no-store" || s.odoo.TokenResource(a.text("access_token")) != resource || !s.opens(a.text("access_token")) {
		t.Error(a.header, s.odoo.TokenResource(a.text("access_token")))
	}
	if revoked := s.post("/oauth/revoke", url.Values{"token": {a.text("access_token")}, "client_id": {clientID}, "client_secret": {clientSecret}}); revoked.status != http.StatusOK {
		t.Error(revoked.body)
	}
	if s.opens(a.text("access_token")) {
		t.Error("a revoked token opens")
	}
}

// TestAssertionTaken: each of these is in order.
func TestAssertionTaken(t *testing.T) {
	t.Parallel()
	s := company(t)
	keys := signingKeys()
	now := s.clock().Unix()
	for name, change := range map[string]func(*jag){
		"as it is":             func(*jag) {},
		"EC":                   signedBy(jose.ES256, keys["ec"], "k2"),
		"Ed25519":              signedBy(jose.EdDSA, keys["ed"], "k3"),
		"no kid":               signedBy(jose.RS256, keys["rsa"], ""),
		"typ in capitals":      head(jose.HeaderType, "OAuth-ID-JAG+JWT"),
		"aud a list of one":    with("aud", []string{issuer}),
		"no resource":          with("resource", nil),
		"resource a list":      with("resource", []string{resource}),
		"resource in capitals": with("resource", "HTTPS://MCP.example.com:443/mcp/"),
		"resource the origin":  with("resource", issuer),
		"no scope":             with("scope", nil),
		"scopes of others too": with("scope", "files.read mcp:search offline_access"),
		"a minute late":        with("iat", now-359, "exp", now-59),
		"a minute early":       with("iat", now+59, "exp", now+300, "nbf", now+59),
		"an hour long":         with("exp", now+3600),
		"parts of a second":    with("exp", float64(now)+299.5),
		"more claims":          with("email", maria, "auth_time", now, "amr", []string{"mfa"}, "act", map[string]any{"sub": "x"}),
		"a long subject":       with("sub", "u-maria"),
	} {
		if a := s.assert(change); a.status != http.StatusOK || a.text("scope") == "" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(clientID+":"+clientSecret))
	for name, change := range map[string]func(url.Values) []string{
		"client_secret_basic": func(v url.Values) []string {
			v.Del("client_id")
			v.Del("client_secret")
			return []string{"Authorization", basic}
		},
		"an empty code, as go-sdk sends": func(v url.Values) []string { v.Set("code", ""); return nil },
		"scope and resource":             func(v url.Values) []string { v.Set("scope", "mcp:search"); v.Set("resource", resource); return nil },
		"a wider scope":                  func(v url.Values) []string { v.Set("scope", "mcp:search mcp:metadata"); return nil },
	} {
		form := asserting(s.good().sign(t))
		headers := change(form)
		if a := s.post("/oauth/token", form, headers...); a.status != http.StatusOK || a.text("scope") != "mcp:search" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestAssertionRefused: what is wrong with an assertion, and the word for it. Beside each, the same client's good one works.
func TestAssertionRefused(t *testing.T) {
	t.Parallel()
	s := company(t)
	s.publish("https://other.example.com", public("foreign", "k9", "RS256"))
	s.odoo.Trust("https://other.example.com", odootest.Issuer{})
	keys := signingKeys()
	der, err := x509.MarshalPKIXPublicKey(keys["rsa"].Public())
	if err != nil {
		t.Fatal(err)
	}
	asPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	now := s.clock().Unix()
	grant, scope := "invalid_grant", "invalid_scope"
	rows := []struct {
		name, code string
		change     func(*jag)
	}{
		{"typ missing", grant, head(jose.HeaderType, nil)},
		{"typ JWT", grant, head(jose.HeaderType, "JWT")},
		{"typ of an access token", grant, head(jose.HeaderType, "at+jwt")},
		{"typ of a logout token", grant, head(jose.HeaderType, "logout+jwt")},
		{"typ a number", grant, head(jose.HeaderType, 1)},
		{"typ with a space", grant, head(jose.HeaderType, "oauth-id-jag+jwt ")},
		{"header jku", grant, head("jku", "https://evil.example.com/keys")},
		{"header x5u", grant, head("x5u", "https://evil.example.com/cert")},
		{"header jwk", grant, head("jwk", jose.JSONWebKey{Key: keys["foreign"].Public()})},
		{"header crit", grant, head("crit", []string{"exp"})},
		{"header cty, nested", grant, head("cty", "JWT")},
		{"HS256 with the public key", grant, signedBy(jose.HS256, asPEM, "k1")},
		{"HS512 with the public key", grant, signedBy(jose.HS512, asPEM, "k1")},
		{"unknown kid", grant, signedBy(jose.RS256, keys["rsa"], "k7")},
		{"kid of another key", grant, signedBy(jose.RS256, keys["rsa"], "k2")},
		{"another's key under a known kid", grant, signedBy(jose.RS256, keys["foreign"], "k1")},
		{"another's key, no kid", grant, signedBy(jose.RS256, keys["foreign"], "")},
		{"key of another trusted issuer", grant, signedBy(jose.RS256, keys["foreign"], "k9")},
		{"iss missing", grant, with("iss", nil)},
		{"iss foreign", grant, with("iss", "https://evil.example.com")},
		{"iss of another trusted issuer", grant, with("iss", "https://other.example.com")},
		{"iss with a slash", grant, with("iss", idp+"/")},
		{"iss in capitals", grant, with("iss", "https://IDP.example.com")},
		{"iss with a port", grant, with("iss", idp+":443")},
		{"iss by http", grant, with("iss", "http://idp.example.com")},
		{"iss a list", grant, with("iss", []string{idp})},
		{"iss us", grant, with("iss", issuer)},
		{"aud missing", grant, with("aud", nil)},
		{"aud foreign", grant, with("aud", "https://other.example.com")},
		{"aud the endpoint", grant, with("aud", issuer+"/oauth/token")},
		{"aud the resource", grant, with("aud", resource)},
		{"aud with a slash", grant, with("aud", issuer+"/")},
		{"aud in capitals", grant, with("aud", "https://MCP.example.com")},
		{"aud ours among others", grant, with("aud", []string{issuer, "https://other.example.com"})},
		{"aud ours twice", grant, with("aud", []string{issuer, issuer})},
		{"aud an empty list", grant, with("aud", []string{})},
		{"aud the client", grant, with("aud", clientID)},
		{"client_id missing", grant, with("client_id", nil)},
		{"client_id another", grant, with("client_id", access.PrefixClient+"other")},
		{"client_id a list", grant, with("client_id", []string{clientID})},
		{"client_id in capitals", grant, with("client_id", strings.ToUpper(clientID))},
		{"resource foreign", grant, with("resource", "https://other.example.com/mcp")},
		{"resource another path", grant, with("resource", issuer+"/other")},
		{"resource ours and another", grant, with("resource", []string{resource, "https://other.example.com/mcp"})},
		{"resource an empty list", grant, with("resource", []string{})},
		{"resource empty", grant, with("resource", "")},
		{"resource a number", grant, with("resource", 1)},
		{"exp missing", grant, with("exp", nil)},
		{"exp past", grant, with("iat", now-400, "exp", now-61)},
		{"exp a text", grant, with("exp", "tomorrow")},
		{"exp beyond all clocks", grant, with("exp", 1e300)},
		{"exp negative", grant, with("exp", -1)},
		{"exp before iat", grant, with("exp", now+10, "iat", now+20)},
		{"iat missing", grant, with("iat", nil)},
		{"iat future", grant, with("iat", now+120, "exp", now+300)},
		{"iat far in the future", grant, with("iat", now+1e6, "exp", now+1e6+300)},
		{"iat a text", grant, with("iat", "now")},
		{"nbf future", grant, with("nbf", now+120)},
		{"nbf beyond all clocks", grant, with("nbf", 1e300)},
		{"nbf before all clocks", grant, with("nbf", -1e300)},
		{"nbf a text", grant, with("nbf", "now")},
		{"good for a year", grant, with("exp", now+365*24*3600)},
		{"good for an hour and a second", grant, with("exp", now+3601)},
		{"jti missing", grant, with("jti", nil)},
		{"jti empty", grant, with("jti", "")},
		{"jti a number", grant, with("jti", 7)},
		{"jti too long", grant, with("jti", strings.Repeat("x", access.MaxAssertionName+1))},
		{"sub missing", grant, with("sub", nil)},
		{"sub empty", grant, with("sub", "")},
		{"sub a number", grant, with("sub", 5)},
		{"sub too long", grant, with("sub", strings.Repeat("x", access.MaxIssuerSubject+1))},
		{"sub with a control character", grant, with("sub", "u-maria\x00")},
		{"sub unknown", grant, with("sub", "u-nobody")},
		{"sub in capitals", grant, with("sub", "U-MARIA")},
		{"cnf, which nobody verifies", grant, with("cnf", map[string]any{"jkt": "x"})},
		{"no scope of ours", grant, with("scope", "files.read")},
		{"scope empty", grant, with("scope", "")},
		{"scope a list", grant, with("scope", []string{"mcp:search"})},
		{"a scope that the policy lacks", scope, with("scope", "mcp:sql")},
		{"too long", grant, with("padding", strings.Repeat("x", 8<<10))},
		{"claims a list", grant, func(j *jag) { j.raw = `["iss"]` }},
		{"claims no JSON", grant, func(j *jag) { j.raw = `iss` }},
		{"a claim twice", grant, func(j *jag) {
			text, _ := json.Marshal(j.claims)
			j.raw = `{"sub":"u-maria",` + string(text[1:])
		}},
	}
	for i, row := range rows {
		// A client of its own address each: many wrong ones from one are slowed down.
		form := asserting(s.good(row.change).sign(t))
		from := []string{"From", address(i)}
		a := s.post("/oauth/token", form, from...)
		a.refused(t, http.StatusBadRequest, row.code)
		if t.Failed() {
			t.Fatal(row.name)
		}
		// What a wrong secret makes of it: nothing about the assertion.
		form.Set("client_secret", "wrong")
		s.post("/oauth/token", form, from...).refused(t, http.StatusUnauthorized, "invalid_client")
		if t.Failed() {
			t.Fatal(row.name, "with a wrong secret")
		}
	}
	if a := s.assert(); a.status != http.StatusOK {
		t.Errorf("the good one: %d %s", a.status, a.body)
	}
	if strings.Contains(s.log.String(), "eyJ") {
		t.Error("an assertion is in the log")
	}
}

// TestAssertionForms: texts that are not a compact JWS with one signature by a key pair.
func TestAssertionForms(t *testing.T) {
	t.Parallel()
	s := company(t)
	parts := strings.Split(s.good().sign(t), ".")
	none := base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none","typ":"oauth-id-jag+jwt"}`))
	encrypter, err := jose.NewEncrypter(jose.A128GCM, jose.Recipient{Algorithm: jose.RSA_OAEP_256, Key: signingKeys()["rsa"].Public()}, nil)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := encrypter.Encrypt([]byte(s.good().sign(t)))
	if err != nil {
		t.Fatal(err)
	}
	jwe, _ := encrypted.CompactSerialize()
	flat := `{"protected":"` + parts[0] + `","payload":"` + parts[1] + `","signature":"` + parts[2] + `"}`
	for name, text := range map[string]string{
		"no JWT":               "hello",
		"dots":                 "..",
		"two parts":            parts[0] + "." + parts[1],
		"four parts":           strings.Join(parts, ".") + ".",
		"alg none":             none + "." + parts[1] + ".",
		"alg none, signed":     none + "." + parts[1] + "." + parts[2],
		"signature cut":        parts[0] + "." + parts[1] + "." + parts[2][:20],
		"signature empty":      parts[0] + "." + parts[1] + ".",
		"claims of another":    parts[0] + "." + strings.Split(s.good().sign(t), ".")[1] + "." + parts[2],
		"header of another":    strings.Split(s.good(head("x", 1)).sign(t), ".")[0] + "." + parts[1] + "." + parts[2],
		"encrypted":            jwe,
		"JSON serialization":   flat,
		"general, two of them": `{"payload":"` + parts[1] + `","signatures":[{"protected":"` + parts[0] + `","signature":"` + parts[2] + `"}]}`,
		"a space in it":        parts[0] + ". " + parts[1] + "." + parts[2],
		"a space before":       " " + strings.Join(parts, "."),
		"plain base64":         parts[0] + "=." + parts[1] + "." + parts[2],
		"a code of ours":       access.PrefixCode + strings.Repeat("x", 43),
	} {
		t.Log(name)
		s.post("/oauth/token", asserting(text), "From", address(len(name))).refused(t, http.StatusBadRequest, "invalid_grant")
	}
}

// address is one of a network of its own.
func address(n int) string { return fmt.Sprintf("2001:db8:%x::1", n) }

// TestAssertionRequest: a good assertion in a request that is not in order, or from a client that is not.
func TestAssertionRequest(t *testing.T) {
	t.Parallel()
	s := company(t)
	other := access.PrefixClient + "other"
	s.odoo.MakeClient(other, clientSecret+"2")
	s.odoo.MakeClient(access.PrefixClient+"public", "")
	dynamic := s.client(webURI)
	const docID = "https://doc.example.com/client.json"
	one := func(name string, values ...string) func(url.Values) { return func(v url.Values) { v[name] = values } }
	as := func(id, secret string) func(url.Values) {
		return func(v url.Values) {
			v.Set("client_id", id)
			if v.Set("client_secret", secret); secret == "" {
				v.Del("client_secret")
			}
		}
	}
	rows := []struct {
		name   string
		status int
		code   string
		client string // that the assertion is for
		change func(url.Values)
	}{
		{"no assertion", 400, "invalid_request", clientID, func(v url.Values) { v.Del("assertion") }},
		{"an empty one", 400, "invalid_request", clientID, one("assertion", "")},
		{"no secret", 401, "invalid_client", clientID, as(clientID, "")},
		{"an empty secret", 401, "invalid_client", clientID, one("client_secret", "")},
		{"a wrong secret", 401, "invalid_client", clientID, as(clientID, "wrong")},
		{"another client's secret", 401, "invalid_client", clientID, as(clientID, clientSecret+"2")},
		{"no client", 401, "invalid_client", clientID, func(v url.Values) { v.Del("client_id") }},
		{"an unknown client", 401, "invalid_client", access.PrefixClient + "x", as(access.PrefixClient+"x", "y")},
		{"stolen by another client", 400, "invalid_grant", clientID, as(other, clientSecret+"2")},
		{"a public client", 400, "unauthorized_client", access.PrefixClient + "public", as(access.PrefixClient+"public", "")},
		{"a client that registered itself", 400, "unauthorized_client", dynamic, as(dynamic, "")},
		{"a client of a document", 400, "unauthorized_client", docID, as(docID, "")},
		{"a well-known client", 400, "unauthorized_client", "https://claude.ai/oauth/mcp-oauth-client-metadata", as("https://claude.ai/oauth/mcp-oauth-client-metadata", "")},
		{"a client of a document with a secret", 401, "invalid_client", docID, as(docID, "x")},
		{"a client assertion", 401, "invalid_client", clientID, func(v url.Values) { v.Set("client_assertion", v.Get("assertion")) }},
		{"resource foreign", 400, "invalid_target", clientID, one("resource", "https://other.example.com/mcp")},
		{"resource another path", 400, "invalid_target", clientID, one("resource", issuer+"/other")},
		{"scope unknown", 400, "invalid_scope", clientID, one("scope", "files.read")},
		{"scope that the assertion lacks", 400, "invalid_scope", clientID, one("scope", "mcp:metadata")},
		{"scope too long", 400, "invalid_scope", clientID, one("scope", strings.Repeat("mcp:search ", 100))},
		{"grant_type twice", 400, "invalid_request", clientID, one("grant_type", jwtBearer, jwtBearer)},
		{"assertion twice", 400, "invalid_request", clientID, func(v url.Values) { v["assertion"] = append(v["assertion"], v["assertion"][0]) }},
		{"client_id twice", 400, "invalid_request", clientID, one("client_id", clientID, clientID)},
		{"grant_type of saml2", 400, "unsupported_grant_type", clientID, one("grant_type", "urn:ietf:params:oauth:grant-type:saml2-bearer")},
		{"grant_type in capitals", 400, "unsupported_grant_type", clientID, one("grant_type", strings.ToUpper(jwtBearer))},
		{"grant_type of the exchange", 400, "unsupported_grant_type", clientID, one("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange")},
		{"a request of 16 kB", 413, "invalid_request", clientID, one("assertion", strings.Repeat("x", 16<<10))},
	}
	for i, row := range rows {
		form := asserting(s.good(with("client_id", row.client)).sign(t))
		row.change(form)
		s.post("/oauth/token", form, "From", address(i)).refused(t, row.status, row.code)
		if t.Failed() {
			t.Fatal(row.name)
		}
	}
	form := asserting(s.good().sign(t))
	s.do(http.MethodPost, "/oauth/token?"+form.Encode(), "", "Content-Type", "application/x-www-form-urlencoded").refused(t, 400, "invalid_request")
	s.do(http.MethodPost, "/oauth/token?assertion="+form.Get("assertion"), form.Encode(), "Content-Type", "application/x-www-form-urlencoded").refused(t, 400, "invalid_request")
	s.do(http.MethodPost, "/oauth/token", `{"assertion":"x"}`, "Content-Type", "application/json").refused(t, 400, "invalid_request")
}

// TestAssertionState: what was good a moment ago, and what has changed.
func TestAssertionState(t *testing.T) {
	t.Parallel()
	connection := func(s *site) string { return s.odoo.HolderOf(clientID, maria) }
	email := with("sub", "u-other", "email", "jo@example.com", "email_verified", true)
	byEmail := func(people ...odootest.Person) func(*site) {
		return func(s *site) { s.odoo.Trust(idp, odootest.Issuer{Email: true}); s.odoo.Employ(people...) }
	}
	jo := odootest.Person{Email: "jo@example.com"}
	rows := []struct {
		name   string
		code   string // "" = it works
		before func(*site)
		change func(*jag)
	}{
		{"as it is", "", func(*site) {}, nil},
		{"OAuth off", "access_denied", func(s *site) { s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.Enabled = false }) }, nil},
		{"the grant off", "unsupported_grant_type", func(s *site) { s.odoo.Trust(idp, odootest.Issuer{Off: true}) }, nil},
		{"issuer off, another on", "invalid_grant", func(s *site) {
			s.odoo.Trust("https://other.example.com", odootest.Issuer{})
			s.odoo.Trust(idp, odootest.Issuer{Off: true})
		}, nil},
		{"issuer off since the settings were read", "invalid_grant", func(s *site) {
			s.assert()
			s.odoo.Trust("https://other.example.com", odootest.Issuer{})
			s.odoo.Trust(idp, odootest.Issuer{Off: true})
		}, nil},
		{"client not listed", "unauthorized_client", func(s *site) { s.odoo.Trust(idp, odootest.Issuer{Clients: []string{"x"}}) }, nil},
		{"client listed", "", func(s *site) { s.odoo.Trust(idp, odootest.Issuer{Clients: []string{clientID}}) }, nil},
		{"client removed", "invalid_client", func(s *site) { s.odoo.EndClient(clientID) }, nil},
		{"user gone", "invalid_grant", func(s *site) { s.odoo.Employ(odootest.Person{Issuer: idp, Subject: "u-gone", Gone: true}) }, with("sub", "u-gone")},
		{"user of another issuer", "invalid_grant", func(s *site) { s.odoo.Employ(odootest.Person{Issuer: "https://other.example.com", Subject: "u-2"}) }, with("sub", "u-2")},
		{"user without that permission", "invalid_scope", func(s *site) {
			s.odoo.Employ(odootest.Person{Issuer: idp, Subject: "u-3", Scopes: []access.Scope{access.ScopeMetadata}})
		}, with("sub", "u-3")},
		{"connection revoked", "invalid_grant", func(s *site) { s.assert(); s.odoo.Revoke(connection(s)) }, nil},
		{"by email", "", byEmail(jo), email},
		{"by email, not switched on", "invalid_grant", func(s *site) { s.odoo.Employ(jo) }, email},
		{"email not verified", "invalid_grant", byEmail(jo), with("sub", "x", "email", jo.Email, "email_verified", false)},
		{"nobody says that it is verified", "invalid_grant", byEmail(jo), with("sub", "x", "email", jo.Email)},
		{"verified by a text", "invalid_grant", byEmail(jo), with("sub", "x", "email", jo.Email, "email_verified", "true")},
		{"two with that email", "invalid_grant", byEmail(jo, jo), email},
		{"nobody with that email", "invalid_grant", byEmail(), email},
		{"the one with that email is gone", "invalid_grant", byEmail(odootest.Person{Email: jo.Email, Gone: true}), email},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s := company(t)
			s.t = t
			row.before(s)
			change := row.change
			if change == nil {
				change = func(*jag) {}
			}
			a := s.assert(change)
			if got := a.text("error"); got != row.code || (row.code == "") != (a.status == http.StatusOK) {
				t.Errorf("%d %s, want %q", a.status, a.body, row.code)
			}
		})
	}
}

// TestAssertionOnce: at another replica as well, and by its own issuer only.
func TestAssertionOnce(t *testing.T) {
	t.Parallel()
	s := company(t)
	s.publish("https://other.example.com", public("foreign", "k9", "RS256"))
	s.odoo.Trust("https://other.example.com", odootest.Issuer{})
	s.odoo.Employ(odootest.Person{Issuer: "https://other.example.com", Subject: "u-maria", Email: maria})
	form := asserting(s.good(with("jti", "once")).sign(t))
	if a := s.post("/oauth/token", form); a.status != http.StatusOK {
		t.Fatal(a.body)
	}
	s.post("/oauth/token", form).refused(t, 400, "invalid_grant")
	s.replica().post("/oauth/token", form).refused(t, 400, "invalid_grant")
	s.assert(with("jti", "once")).refused(t, 400, "invalid_grant")
	foreign := func(j *jag) {
		with("iss", "https://other.example.com", "jti", "once")(j)
		signedBy(jose.RS256, signingKeys()["foreign"], "k9")(j)
	}
	if a := s.assert(foreign); a.status != http.StatusOK {
		t.Errorf("the same jti of another issuer: %s", a.body)
	}
}

// TestAssertionMetadata: the grant is told of while there is an issuer, and issuers never.
func TestAssertionMetadata(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	has := func() (bool, answer) {
		a := s.do(http.MethodGet, "/.well-known/oauth-authorization-server", "")
		grants, _ := a.json["grant_types_supported"].([]any)
		profiles, _ := a.json["authorization_grant_profiles_supported"].([]any)
		if there := slices.Contains(grants, any(jwtBearer)); there != (len(profiles) == 1 && profiles[0] == "urn:ietf:params:oauth:grant-profile:id-jag") {
			t.Error(a.body)
		}
		return slices.Contains(grants, any(jwtBearer)), a
	}
	if there, a := has(); there {
		t.Error(a.body)
	}
	s.odoo.Trust(idp, odootest.Issuer{})
	s.later(time.Minute)
	if there, a := has(); !there || strings.Contains(a.body, "idp") {
		t.Error(a.body)
	}
}
