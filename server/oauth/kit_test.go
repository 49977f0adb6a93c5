package oauth_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/limit"
	"doorman/server/oauth"
	"doorman/server/safefetch"
)

const (
	issuer   = "https://mcp.example.com"
	resource = issuer + "/mcp"
	webURI   = "https://app.example.com/callback"
	loopURI  = "http://127.0.0.1:4711/callback"
)

// site is Doorman's OAuth over a fake Odoo, and a web of client documents.
type site struct {
	revoked []string // ids of clients that have revoked a token
	within  time.Duration
	t       testing.TB
	odoo    *odootest.Server
	handler http.Handler
	now     atomic.Int64 // of the service, in Unix nanoseconds
	log     *lines
	web     *web
	issuer  string
}

// lines is a log.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// web is a server that stands for every host of the Internet.
type web struct {
	server  *httptest.Server
	fetches atomic.Int64
	mu      sync.Mutex
	pages   map[string]http.HandlerFunc // by host and path
}

func (w *web) set(url string, page http.HandlerFunc) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.pages[strings.TrimPrefix(url, "https://")] = page
}

func (w *web) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	w.fetches.Add(1)
	w.mu.Lock()
	page := w.pages[r.Host+r.URL.RequestURI()]
	w.mu.Unlock()
	if page == nil {
		http.NotFound(rw, r)
		return
	}
	page(rw, r)
}

// fetcher reaches the web by public addresses; the certificate is for example.com and its subdomains.
func (w *web) fetcher() *safefetch.Fetcher {
	pool := x509.NewCertPool()
	pool.AddCert(w.server.Certificate())
	return &safefetch.Fetcher{
		RootCAs: pool, Timeout: time.Minute, // nobody is slow here but a busy machine
		Lookup: func(_ context.Context, host string) ([]netip.Addr, error) {
			if strings.HasPrefix(host, "inside.") {
				return []netip.Addr{netip.MustParseAddr("10.0.0.1")}, nil
			}
			return []netip.Addr{netip.MustParseAddr("93.184.216.34")}, nil
		},
		Connect: func(ctx context.Context, _ netip.AddrPort) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "tcp", w.server.Listener.Addr().String())
		},
	}
}

func newSite(t testing.TB) *site {
	t.Helper()
	s := &site{t: t, odoo: odootest.New(t), log: &lines{}, web: &web{pages: map[string]http.HandlerFunc{}}, issuer: issuer}
	s.now.Store(time.Now().UnixNano())
	s.web.server = httptest.NewTLSServer(s.web)
	t.Cleanup(s.web.server.Close)
	s.start()
	return s
}

// replica is another process of the same service, over the same Odoo.
func (s *site) replica() *site {
	other := &site{within: s.within, t: s.t, odoo: s.odoo, log: s.log, web: s.web, issuer: s.issuer}
	other.now.Store(s.now.Load())
	other.start()
	return other
}

// start makes the endpoints.
func (s *site) start() {
	t := s.t
	client, err := odoo.New(odoo.Config{
		URL: s.odoo.URL(), Database: odootest.DefaultDatabase, Key: odootest.DefaultKey, Transport: odoo.TransportDoorman,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(client.Close)
	e := echo.New()
	oauth.New(oauth.Config{
		Revoked: func(id string) { s.revoked = append(s.revoked, id) },
		Within:  s.within, Gateway: client, Guesses: limit.NewGuesses(), Issuer: issuer, Resource: "/mcp", Fetcher: s.web.fetcher(),
		Log: zerolog.New(s.log).Level(zerolog.TraceLevel), Now: func() time.Time { return time.Unix(0, s.now.Load()) },
		Identify: func(r *http.Request) (netip.Addr, string) {
			ip, err := netip.ParseAddr(r.Header.Get("From"))
			if err != nil {
				ip = netip.MustParseAddr("192.0.2.1")
			}
			return ip, "req-1"
		},
	}).Mount(e)
	s.handler = e
}

// later moves both clocks.
func (s *site) later(d time.Duration) {
	s.now.Add(int64(d))
	s.odoo.Later(d)
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   string
	json   map[string]any
}

func (a answer) text(name string) string { t, _ := a.json[name].(string); return t }

func (s *site) do(method, target, body string, headers ...string) answer {
	s.t.Helper()
	var r io.Reader
	if body != "" {
		r = strings.NewReader(body)
	}
	request := httptest.NewRequest(method, "http://127.0.0.1/", r)
	u, err := url.Parse(target)
	if err != nil {
		s.t.Fatal(err)
	}
	request.URL, request.RequestURI = u, target
	for i := 0; i+1 < len(headers); i += 2 {
		request.Header.Add(headers[i], headers[i+1])
	}
	w := s.serve(request)
	a := answer{status: w.Code, header: w.Header(), body: w.Body.String()}
	_ = json.Unmarshal([]byte(a.body), &a.json)
	return a
}

func (s *site) serve(r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	return w
}

func (s *site) register(metadata string) answer {
	s.t.Helper()
	return s.do(http.MethodPost, "/oauth/register", metadata, "Content-Type", "application/json")
}

// client registers one and returns its id.
func (s *site) client(uris ...string) string {
	s.t.Helper()
	list, _ := json.Marshal(uris)
	a := s.register(`{"client_name":"Test","redirect_uris":` + string(list) + `}`)
	if a.status != http.StatusCreated {
		s.t.Fatalf("register: %d %s", a.status, a.body)
	}
	return a.text("client_id")
}

// pkce is a verifier and its challenge.
func pkce() (verifier, challenge string) {
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	verifier = base64.RawURLEncoding.EncodeToString(b)
	sum := sha256.Sum256([]byte(verifier))
	return verifier, base64.RawURLEncoding.EncodeToString(sum[:])
}

// ask is an authorization request that is in order.
func ask(client, uri, challenge string) url.Values {
	return url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {uri}, "state": {"st-1"}, "scope": {"mcp:search"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"}, "resource": {resource},
	}
}

func (s *site) authorize(q url.Values, headers ...string) answer {
	s.t.Helper()
	return s.do(http.MethodGet, "/oauth/authorize?"+q.Encode(), "", headers...)
}

// code runs the dance up to the code.
func (s *site) code(client, uri, challenge string, change ...func(url.Values)) string {
	s.t.Helper()
	q := ask(client, uri, challenge)
	for _, f := range change {
		f(q)
	}
	a := s.authorize(q)
	if a.status != http.StatusSeeOther || !strings.Contains(a.header.Get("Location"), "/doorman/consent?request=") {
		s.t.Fatalf("authorize: %d %v %s", a.status, a.header, a.body)
	}
	to, err := url.Parse(s.odoo.Decide(a.header.Get("Location"), true, issuer))
	if err != nil || to.Query().Get("code") == "" {
		s.t.Fatalf("consent: %v %v", to, err)
	}
	return to.Query().Get("code")
}

func (s *site) post(path string, form url.Values, headers ...string) answer {
	s.t.Helper()
	headers = append(headers, "Content-Type", "application/x-www-form-urlencoded")
	return s.do(http.MethodPost, path, form.Encode(), headers...)
}

// redeeming is a good request for a code.
func redeeming(client, uri, code, verifier string) url.Values {
	return url.Values{
		"grant_type": {"authorization_code"}, "client_id": {client}, "redirect_uri": {uri}, "code": {code},
		"code_verifier": {verifier}, "resource": {resource},
	}
}

func refreshing(client, token string) url.Values {
	return url.Values{"grant_type": {"refresh_token"}, "client_id": {client}, "refresh_token": {token}}
}

// tokens runs the whole dance.
func (s *site) tokens(client, uri string, change ...func(url.Values)) answer {
	s.t.Helper()
	verifier, challenge := pkce()
	a := s.post("/oauth/token", redeeming(client, uri, s.code(client, uri, challenge, change...), verifier))
	if a.status != http.StatusOK {
		s.t.Fatalf("token: %d %s", a.status, a.body)
	}
	return a
}

// opens reports whether an access token resolves.
func (s *site) opens(token string) bool {
	s.t.Helper()
	c, err := odoo.New(odoo.Config{URL: s.odoo.URL(), Database: odootest.DefaultDatabase, Key: odootest.DefaultKey, Transport: odoo.TransportDoorman})
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	_, err = c.Resolve(context.Background(), access.ProofOf(token))
	return err == nil
}

// refused checks a direct refusal: code, status, no redirect, not kept by a cache.
func (a answer) refused(t *testing.T, status int, code string) {
	t.Helper()
	if a.status != status || a.text("error") != code || a.text("error_description") == "" {
		t.Errorf("%d %s, want %d %s", a.status, a.body, status, code)
	}
	if a.header.Get("Location") != "" || a.header.Get("Cache-Control") != "no-store" {
		t.Errorf("headers %v", a.header)
	}
}

// shown checks that a refusal is a page, and that nobody is sent anywhere.
func (a answer) shown(t *testing.T, code string) {
	t.Helper()
	if a.status < 400 || a.header.Get("Location") != "" || !strings.HasPrefix(a.header.Get("Content-Type"), "text/html") ||
		!strings.Contains(a.body, "<code>"+code+"</code>") {
		t.Errorf("%d %v %s, want a page with %s", a.status, a.header, a.body, code)
	}
	if a.header.Get("Cache-Control") != "no-store" || a.header.Get("Referrer-Policy") != "no-referrer" || a.header.Get("X-Frame-Options") != "DENY" ||
		!strings.Contains(a.header.Get("Content-Security-Policy"), "frame-ancestors 'none'") {
		t.Errorf("headers %v", a.header)
	}
}

// sentBack checks that a refusal goes to the client, with the state as it was and our name.
func (a answer) sentBack(t *testing.T, uri, code, state string) {
	t.Helper()
	to := a.header.Get("Location")
	if a.status != http.StatusSeeOther || !strings.HasPrefix(to, uri) {
		t.Fatalf("%d %q %s, want a redirect to %s", a.status, to, a.body, uri)
	}
	u, err := url.Parse(to)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	if q.Get("error") != code || q.Get("iss") != issuer || q.Get("code") != "" || len(q["error"]) != 1 {
		t.Errorf("%s, want %s", to, code)
	}
	if q.Get("state") != state || q.Has("state") != (state != "") {
		t.Errorf("state %q in %s, want %q", q.Get("state"), to, state)
	}
}

// document writes a client's document.
func document(id string, more ...string) string {
	fields := map[string]any{"client_id": id, "client_name": "Doc", "redirect_uris": []string{webURI}}
	for _, m := range more {
		var extra map[string]any
		if err := json.Unmarshal([]byte(m), &extra); err != nil {
			panic(fmt.Sprint(m, ": ", err))
		}
		for k, v := range extra {
			if fields[k] = v; v == nil {
				delete(fields, k)
			}
		}
	}
	body, _ := json.Marshal(fields)
	return string(body)
}

func page(body string, headers ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		for i := 0; i+1 < len(headers); i += 2 {
			w.Header().Set(headers[i], headers[i+1])
		}
		_, _ = io.WriteString(w, body)
	}
}
