package oauth

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/rs/zerolog"
	"golang.org/x/sync/singleflight"

	"doorman/server/access"
	"doorman/server/observe"
	"doorman/server/safefetch"
)

// The paths of the endpoints.
const (
	ServerMetadataPath   = "/.well-known/oauth-authorization-server"
	ResourceMetadataPath = "/.well-known/oauth-protected-resource"
	authorizePath        = "/oauth/authorize"
	tokenPath            = "/oauth/token" //nolint:gosec // a path, no credential
	revokePath           = "/oauth/revoke"
	registerPath         = "/oauth/register"
)

// Guesses refuses a network that shows too many codes, tokens or secrets that open nothing; limit.Guesses is one.
type Guesses interface {
	// Enter asks whether Odoo may be asked. If so, leave must be called once; else refusal says when to try again.
	Enter(ip netip.Addr, now time.Time) (leave func(failed bool, at time.Time), refusal *access.Error)
}

// Config is what the endpoints need. Gateway, Guesses, Identify and Issuer are required.
type Config struct {
	Gateway  access.OAuth
	Guesses  Guesses
	Identify func(*http.Request) (ip netip.Addr, requestID string)
	Issuer   string // the public origin, without a slash at its end
	Resource string // path of the MCP endpoint: "/mcp"
	Log      zerolog.Logger
	// Revoked is told the id of a client that has revoked a token: nothing of its tokens is to be remembered. nil = nobody is.
	Revoked func(clientID string)
	Fetcher *safefetch.Fetcher // nil = the real one
	Now     func() time.Time   // nil = time.Now
	Within  time.Duration      // how long an answer may take, an Odoo that hangs included; 0 = 9 s
}

// Server is the authorization server. It keeps caches and nothing else.
type Server struct {
	gateway   access.OAuth
	guesses   Guesses
	identify  func(*http.Request) (netip.Addr, string)
	issuer    string
	path      string // of the resource
	resource  string
	log       zerolog.Logger
	revoked   func(clientID string)
	now       func() time.Time
	within    time.Duration
	documents *documents
	issuers   *issuers
	authorize *rates
	registerA *rates // of an address
	registerG *rates // of all together
	flight    singleflight.Group

	mu       sync.Mutex
	settings access.OAuthSettings
	asked    time.Time
}

// How often. The counts are of one process: they keep a loop away from Odoo, and do not promise anything.
const (
	authorizesAMinute = 60 // of one address
	// registersOfAll is how many addresses together may register all that one may.
	registersOfAll = 10
)

// New makes the endpoints.
func New(c Config) *Server {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Fetcher == nil {
		c.Fetcher = &safefetch.Fetcher{}
	}
	if c.Within <= 0 {
		c.Within = answerWithin
	}
	if c.Revoked == nil {
		c.Revoked = func(string) {}
	}
	return &Server{
		gateway: c.Gateway, guesses: c.Guesses, identify: c.Identify, issuer: c.Issuer, path: c.Resource,
		resource: c.Issuer + c.Resource, log: c.Log, revoked: c.Revoked, now: c.Now, within: c.Within, documents: newDocuments(c.Fetcher, c.Now),
		issuers:   newIssuers(c.Fetcher, c.Now),
		authorize: newRates(time.Minute), registerA: newRates(time.Hour), registerG: newRates(time.Hour),
	}
}

// Caches are those of the server, to be watched.
func (s *Server) Caches() []observe.Cache {
	return []observe.Cache{observe.CacheOf("client_documents", s.documents.cache)}
}

// Mount adds the endpoints. What is not offered (OpenID's discovery) is not there.
func (s *Server) Mount(e *echo.Echo) {
	for _, path := range []string{ServerMetadataPath, ServerMetadataPath + s.path} {
		s.open(e, http.MethodGet, path, s.serverMetadata)
	}
	for _, path := range []string{ResourceMetadataPath, ResourceMetadataPath + s.path} {
		s.open(e, http.MethodGet, path, s.resourceMetadata)
	}
	e.GET(authorizePath, s.bounded(s.authorizeEndpoint))
	s.open(e, http.MethodPost, tokenPath, s.tokenEndpoint)
	s.open(e, http.MethodPost, revokePath, s.revokeEndpoint)
	s.open(e, http.MethodPost, registerPath, s.registerEndpoint)
}

// Open reports whether pages of any origin may use a path: discovery, and the endpoints that a client in a browser posts
// to. None of them looks at a cookie. /oauth/authorize is not among them: it is for browsers to go to, not for scripts
// (RFC 9700 section 2.6).
func (s *Server) Open(path string) bool {
	switch path {
	case tokenPath, revokePath, registerPath:
		return true
	}
	return path == ServerMetadataPath || path == ServerMetadataPath+s.path ||
		path == ResourceMetadataPath || path == ResourceMetadataPath+s.path
}

// open adds an endpoint with CORS for everybody, and without credentials.
func (s *Server) open(e *echo.Echo, method, path string, h echo.HandlerFunc) {
	e.Add(method, path, func(c echo.Context) error {
		c.Response().Header().Set("Access-Control-Allow-Origin", "*")
		c.Response().Header().Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, X-Request-Id")
		return s.bounded(h)(c)
	})
	allow := "OPTIONS, " + method
	if method == http.MethodGet {
		allow += ", " + http.MethodHead
	}
	e.OPTIONS(path, func(c echo.Context) error {
		header := c.Response().Header()
		header.Set("Access-Control-Allow-Origin", "*")
		header.Set("Access-Control-Allow-Methods", method)
		header.Set("Allow", allow)
		header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, MCP-Protocol-Version")
		header.Set("Access-Control-Max-Age", "600")
		return c.NoContent(http.StatusNoContent)
	})
}

// bounded ends what an endpoint asks of others before its client gives up.
func (s *Server) bounded(h echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		ctx, cancel := context.WithTimeout(c.Request().Context(), s.within)
		defer cancel()
		c.SetRequest(c.Request().WithContext(ctx))
		return h(c)
	}
}

const (
	// answerWithin is shorter than the 10 s after which hosted clients give up: better a clear word than none.
	answerWithin = 9 * time.Second
	// settingsLife is how long settings are acted on: a switch in Odoo works within that.
	settingsLife = 10 * time.Second
	// settingsWithin bounds the wait for an Odoo that hangs: clients give up on discovery after 10 s.
	settingsWithin = 5 * time.Second
)

// current returns the settings, at most settingsLife old. Many requests at once ask Odoo once.
func (s *Server) current(ctx context.Context) (access.OAuthSettings, error) {
	s.mu.Lock()
	known, asked := s.settings, s.asked
	s.mu.Unlock()
	if !asked.IsZero() && s.now().Sub(asked) < settingsLife {
		return known, nil
	}
	got, err, _ := s.flight.Do("", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settingsWithin)
		defer cancel()
		start := s.now()
		hello, err := s.gateway.Hello(ctx)
		if err != nil {
			return access.OAuthSettings{}, err
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settings, s.asked = hello.OAuth, start
		return hello.OAuth, nil
	})
	return got.(access.OAuthSettings), err
}

// last returns the settings that were heard of last, however old; none yet: those of a fresh Odoo.
func (s *Server) last() access.OAuthSettings {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.asked.IsZero() {
		return access.OAuthSettings{Enabled: true}
	}
	return s.settings
}

// errOff is the answer of every endpoint while OAuth is off.
func errOff() *Error {
	return &Error{Code: accessDenied, Description: "An administrator has switched OAuth off in this Odoo.", Status: http.StatusForbidden}
}

// enabled returns the settings, or why there is nothing to do.
func (s *Server) enabled(ctx context.Context) (access.OAuthSettings, error) {
	settings, err := s.current(ctx)
	if err == nil && !settings.Enabled {
		err = errOff()
	}
	return settings, err
}

// logged notes a refusal for the operator: code and reason, and nothing that was sent.
func (s *Server) logged(r *http.Request, endpoint string, e *Error, err error) {
	_, id := s.identify(r)
	event := s.log.Debug()
	if e.status() >= http.StatusInternalServerError {
		event = s.log.Warn().Str("detail", access.AsError(err).Detail)
	}
	event.Str("request_id", id).Str("endpoint", endpoint).Str("error", e.Code).Str("description", e.Description).Str("reason", e.Reason).Msg("oauth refused")
}

// ipText is an address as the audit has it.
func ipText(ip netip.Addr) string {
	if !ip.IsValid() {
		return ""
	}
	return ip.Unmap().String()
}

// scopeText writes scopes as OAuth has them.
func scopeText(list []access.Scope) string {
	words := make([]string, len(list))
	for i, s := range list {
		words[i] = string(s)
	}
	return strings.Join(words, " ")
}
