package oauth_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorman/odoo/odootest"
)

// TestIssuerKeys: how keys are found, changed and withdrawn.
func TestIssuerKeys(t *testing.T) {
	t.Parallel()
	s := company(t)
	keys := signingKeys()
	works := func(what string, change func(*jag)) {
		t.Helper()
		if a := s.assert(change); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", what, a.status, a.body)
		}
	}
	same := func(*jag) {}
	works("at first", same)
	fetches := s.web.fetches.Load()
	for range 5 {
		works("again", same)
		s.assert(signedBy(jose.RS256, keys["foreign"], "k8")).refused(t, 400, "invalid_grant")
	}
	if n := s.web.fetches.Load() - fetches; n != 0 {
		t.Errorf("%d fetches within a minute of the first", n)
	}
	// The issuer changes its key: the new one is found once the old keys are a minute old, by the first who shows it.
	s.publish(idp, public("rsa", "k1", "RS256"), public("foreign", "k8", "RS256"))
	s.assert(signedBy(jose.RS256, keys["foreign"], "k8")).refused(t, 400, "invalid_grant")
	s.later(time.Minute)
	works("the new key", signedBy(jose.RS256, keys["foreign"], "k8"))
	if n := s.web.fetches.Load() - fetches; n != 1 {
		t.Errorf("%d fetches for a new key", n)
	}
	for range 5 {
		s.assert(signedBy(jose.RS256, keys["foreign"], "k99")).refused(t, 400, "invalid_grant")
	}
	if n := s.web.fetches.Load() - fetches; n != 1 {
		t.Errorf("%d fetches for keys that nobody has", n)
	}
	// The old one is withdrawn.
	s.publish(idp, public("foreign", "k8", "RS256"))
	s.later(10 * time.Minute)
	s.assert(same).refused(t, 400, "invalid_grant")
	works("the new key, later", signedBy(jose.RS256, keys["foreign"], "k8"))
}

// TestIssuerAway: an issuer that cannot be asked, or answers what nobody should believe. The assertion is neither taken nor
// called wrong.
func TestIssuerAway(t *testing.T) {
	t.Parallel()
	const discovery = idp + "/.well-known/openid-configuration"
	says := func(url, body string) func(*site) {
		return func(s *site) { s.web.set(url, page(body)) }
	}
	moved := func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "https://evil.example.com/", http.StatusFound)
	}
	rows := map[string]func(*site){
		"no discovery":               func(s *site) { s.web.set(discovery, http.NotFound) },
		"discovery moved":            func(s *site) { s.web.set(discovery, moved) },
		"discovery no JSON":          says(discovery, "<html>"),
		"discovery of another":       says(discovery, `{"issuer":"https://evil.example.com","jwks_uri":"https://evil.example.com/keys"}`),
		"discovery, another slash":   says(discovery, `{"issuer":"`+idp+`/","jwks_uri":"`+idp+`/keys"}`),
		"discovery too large":        says(discovery, `{"issuer":"`+idp+`","jwks_uri":"`+idp+`/keys","x":"`+strings.Repeat("x", 200<<10)+`"}`),
		"no jwks_uri":                says(discovery, `{"issuer":"`+idp+`"}`),
		"keys by http":               says(discovery, `{"issuer":"`+idp+`","jwks_uri":"http://idp.example.com/keys"}`),
		"keys inside":                says(discovery, `{"issuer":"`+idp+`","jwks_uri":"https://inside.example.com/keys"}`),
		"keys at an address":         says(discovery, `{"issuer":"`+idp+`","jwks_uri":"https://127.0.0.1/keys"}`),
		"keys at another port":       says(discovery, `{"issuer":"`+idp+`","jwks_uri":"https://idp.example.com:8443/keys"}`),
		"keys in a file":             says(discovery, `{"issuer":"`+idp+`","jwks_uri":"file:///etc/passwd"}`),
		"no keys":                    func(s *site) { s.web.set(idp+"/keys", http.NotFound) },
		"keys moved":                 func(s *site) { s.web.set(idp+"/keys", moved) },
		"keys too large":             says(idp+"/keys", `{"keys":[],"x":"`+strings.Repeat("x", 200<<10)+`"}`),
		"an issuer on the inside":    nil,
		"an issuer at another port":  nil,
		"an issuer that is a number": nil,
	}
	names := map[string]string{
		"an issuer on the inside": "https://inside.example.com", "an issuer at another port": "https://idp.example.com:8443",
		"an issuer that is a number": "https://93.184.216.34",
	}
	for name, change := range rows {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := company(t)
			s.t = t
			who := idp
			if change != nil {
				change(s)
			} else {
				who = names[name]
				s.odoo.Trust(who, odootest.Issuer{})
			}
			a := s.assert(with("iss", who))
			a.refused(t, http.StatusServiceUnavailable, "temporarily_unavailable")
			if a.header.Get("Retry-After") == "" || strings.Contains(a.body, "x.com") {
				t.Error(a.header, a.body)
			}
			fetches := s.web.fetches.Load()
			s.assert(with("iss", who)).refused(t, http.StatusServiceUnavailable, "temporarily_unavailable")
			if s.web.fetches.Load() != fetches {
				t.Error("asked again at once")
			}
			if change == nil {
				return
			}
			s.publish(idp, public("rsa", "k1", "RS256"))
			s.later(time.Minute)
			if a := s.assert(); a.status != http.StatusOK {
				t.Errorf("once it is well: %d %s", a.status, a.body)
			}
		})
	}
	s := company(t)
	s.web.set(idp+"/keys", page(`{"keys":[]}`)) // none for now: nothing is signed with one of them
	s.assert().refused(t, 400, "invalid_grant")
	s = company(t)
	secret := []byte(strings.Repeat("secret", 8))
	coded := base64.RawURLEncoding.EncodeToString(secret)
	s.web.set(idp+"/keys", page(`{"keys":[{"kty":"oct","kid":"k1","k":"`+coded+`"}]}`)) // everybody can read it
	s.assert(signedBy(jose.HS256, secret, "k1")).refused(t, 400, "invalid_grant")
	s = company(t)
	set, err := json.Marshal(public("rsa", "k1", "RS256"))
	if err != nil {
		t.Fatal(err)
	}
	s.web.set(idp+"/keys", page(`{"x":"`+strings.Repeat("x", 100<<10)+`","keys":[`+string(set)+`]}`)) // Entra ID has many
	if a := s.assert(); a.status != http.StatusOK {
		t.Errorf("many keys: %d %s", a.status, a.body)
	}
}
