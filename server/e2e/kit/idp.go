package kit

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/google/uuid"

	"doorman/server/safefetch"
)

// IDPURL is the issuer that an IDP is.
const IDPURL = "https://idp.example.com"

// IDP is a company's identity provider: discovery, keys, and the exchange of an ID token for an assertion (RFC 8693). Its
// ID tokens are the subject's name, and nobody checks them: that is not what is tested here.
type IDP struct {
	server *httptest.Server
	key    *rsa.PrivateKey

	mu sync.Mutex
	// claims are added to each assertion, e.g. an email address.
	claims map[string]any
	given  []string
}

// NewIDP starts one.
func NewIDP(t testing.TB, claims map[string]any) *IDP {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	p := &IDP{key: key, claims: claims}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, map[string]any{
			"issuer": IDPURL, "jwks_uri": IDPURL + "/keys", "token_endpoint": IDPURL + "/token", "authorization_endpoint": IDPURL + "/authorize",
			"response_types_supported": []string{"code"}, "code_challenge_methods_supported": []string{"S256"},
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "k1", Algorithm: "RS256", Use: "sig"}}})
	})
	mux.HandleFunc("POST /token", p.exchange)
	p.server = httptest.NewTLSServer(mux)
	t.Cleanup(p.server.Close)
	return p
}

func answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(body)
}

func (p *IDP) exchange(w http.ResponseWriter, r *http.Request) {
	id, _, basic := r.BasicAuth()
	if !basic {
		id = r.FormValue("client_id")
	}
	claims := map[string]any{"sub": r.FormValue("subject_token"), "aud": r.FormValue("audience"), "client_id": id}
	for _, name := range []string{"resource", "scope"} {
		if value := r.FormValue(name); value != "" {
			claims[name] = value
		}
	}
	text, err := p.Assertion(claims)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	answer(w, map[string]any{
		"issued_token_type": "urn:ietf:params:oauth:token-type:id-jag", "access_token": text, "token_type": "N_A", "expires_in": 300,
	})
}

// Assertion signs one, good for five minutes.
func (p *IDP) Assertion(claims map[string]any) (string, error) {
	now := time.Now().Unix()
	all := map[string]any{"iss": IDPURL, "jti": uuid.NewString(), "iat": now, "exp": now + 300}
	p.mu.Lock()
	maps.Copy(all, p.claims)
	p.mu.Unlock()
	maps.Copy(all, claims)
	payload, err := json.Marshal(all)
	if err != nil {
		return "", err
	}
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: jose.JSONWebKey{Key: p.key, KeyID: "k1"}},
		(&jose.SignerOptions{}).WithType("oauth-id-jag+jwt"))
	if err != nil {
		return "", err
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		return "", err
	}
	text, err := signed.CompactSerialize()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.given = append(p.given, text)
	return text, err
}

// Given are all assertions that it has signed.
func (p *IDP) Given() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]string{}, p.given...)
}

// Fetcher reaches it as if it were on the Internet.
func (p *IDP) Fetcher() *safefetch.Fetcher { return FetcherOf(p.server) }

// FetcherOf reaches a server by every name, as if it were on the Internet. Its certificate is for example.com and what is
// below.
func FetcherOf(server *httptest.Server) *safefetch.Fetcher {
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return &safefetch.Fetcher{
		RootCAs: roots,
		Lookup: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
		},
		Connect: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", server.Listener.Addr().String())
		},
	}
}

// Client is one of HTTP that reaches it by its name, and everything else as usual.
func (p *IDP) Client(next http.RoundTripper) *http.Client {
	own := p.server.Client().Transport.(*http.Transport).Clone()
	own.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, p.server.Listener.Addr().String())
	}
	return &http.Client{Transport: byHost{own, next}}
}

type byHost struct{ idp, next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b byHost) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Hostname() == "idp.example.com" {
		return b.idp.RoundTrip(r)
	}
	return b.next.RoundTrip(r)
}
