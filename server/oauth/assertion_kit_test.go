package oauth_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorman/odoo/odootest"
)

// signingKeys are made once: RSA keys take their time.
var signingKeys = sync.OnceValue(func() map[string]crypto.Signer {
	out := map[string]crypto.Signer{}
	for _, name := range []string{"rsa", "foreign"} {
		key, err := rsa.GenerateKey(rand.Reader, 2048)
		if err != nil {
			panic(err)
		}
		out[name] = key
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	out["ec"], out["ed"] = ec, ed
	return out
})

func public(name, kid, alg string) jose.JSONWebKey {
	return jose.JSONWebKey{Key: signingKeys()[name].Public(), KeyID: kid, Algorithm: alg, Use: "sig"}
}

// publish sets up an issuer's discovery document and keys.
func (s *site) publish(issuer string, keys ...jose.JSONWebKey) {
	s.t.Helper()
	set, err := json.Marshal(jose.JSONWebKeySet{Keys: keys})
	if err != nil {
		s.t.Fatal(err)
	}
	s.web.set(strings.TrimSuffix(issuer, "/")+"/.well-known/openid-configuration",
		page(`{"issuer":"`+issuer+`","jwks_uri":"`+strings.TrimSuffix(issuer, "/")+`/keys","id_token_signing_alg_values_supported":["RS256"]}`))
	s.web.set(strings.TrimSuffix(issuer, "/")+"/keys", page(string(set)))
}

// company is a site with one trusted issuer, one client with a secret, and Maria.
func company(t *testing.T) *site {
	t.Helper()
	s := newSite(t)
	s.publish(idp, public("rsa", "k1", "RS256"), public("ec", "k2", "ES256"), public("ed", "k3", "EdDSA"))
	s.odoo.Trust(idp, odootest.Issuer{})
	s.odoo.MakeClient(clientID, clientSecret)
	s.odoo.Employ(odootest.Person{Issuer: idp, Subject: "u-maria", Email: maria})
	return s
}

// jag is what makes up an assertion.
type jag struct {
	claims map[string]any
	header map[jose.HeaderKey]any
	alg    jose.SignatureAlgorithm
	key    any
	kid    string
	raw    string // in place of the claims
}

func (s *site) clock() time.Time { return time.Unix(0, s.now.Load()) }

// good is an assertion that opens the door; changes make another one of it. A claim that is nil is left out.
func (s *site) good(changes ...func(*jag)) jag {
	now := s.clock().Unix()
	j := jag{
		claims: map[string]any{
			"iss": idp, "sub": "u-maria", "aud": issuer, "client_id": clientID, "jti": pkceText(), "iat": now, "exp": now + 300,
			"resource": resource, "scope": "mcp:search",
		},
		header: map[jose.HeaderKey]any{jose.HeaderType: "oauth-id-jag+jwt"},
		alg:    jose.RS256, key: signingKeys()["rsa"], kid: "k1",
	}
	for _, change := range changes {
		change(&j)
	}
	return j
}

func pkceText() string { verifier, _ := pkce(); return verifier }

func (j jag) sign(t testing.TB) string {
	t.Helper()
	options := &jose.SignerOptions{ExtraHeaders: j.header}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: j.alg, Key: jose.JSONWebKey{Key: j.key, KeyID: j.kid}}, options)
	if err != nil {
		t.Fatal(err)
	}
	payload := []byte(j.raw)
	if j.raw == "" {
		for name, value := range j.claims {
			if value == nil {
				delete(j.claims, name)
			}
		}
		if payload, err = json.Marshal(j.claims); err != nil {
			t.Fatal(err)
		}
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	text, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// with changes claims: name, value, name, value.
func with(pairs ...any) func(*jag) {
	return func(j *jag) {
		for i := 0; i+1 < len(pairs); i += 2 {
			j.claims[pairs[i].(string)] = pairs[i+1]
		}
	}
}

func head(name jose.HeaderKey, value any) func(*jag) {
	return func(j *jag) {
		if j.header[name] = value; value == nil {
			delete(j.header, name)
		}
	}
}

func signedBy(alg jose.SignatureAlgorithm, key any, kid string) func(*jag) {
	return func(j *jag) { j.alg, j.key, j.kid = alg, key, kid }
}

// asserting is a request that shows an assertion.
func asserting(assertion string) url.Values {
	return url.Values{
		"grant_type": {jwtBearer}, "assertion": {assertion}, "client_id": {clientID}, "client_secret": {clientSecret},
	}
}

func (s *site) assert(changes ...func(*jag)) answer {
	s.t.Helper()
	return s.post("/oauth/token", asserting(s.good(changes...).sign(s.t)))
}
