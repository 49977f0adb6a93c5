package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/labstack/echo/v4/middleware"
	"github.com/rs/zerolog"
	"go.opentelemetry.io/otel/trace"

	"doorman/server/access"
	"doorman/server/api"
	"doorman/server/clientip"
	"doorman/server/files"
	"doorman/server/mcp"
	"doorman/server/oauth"
	"doorman/server/observe"
	"doorman/server/publicurl"
)

const (
	mcpPath    = "/mcp"
	apiPath    = "/api"
	invitePath = "/oauth/invite"
	filesPath  = "/files"
	// readyFor is how long one answer of readiness serves: probes must not become a load on Odoo.
	readyFor = time.Second
)

type requestKey struct{}

// request is what the outer layers found out about a request, for the inner ones.
type request struct {
	ip netip.Addr
	id string
}

// identify is how package mcp learns who is asking.
func identify(r *http.Request) (netip.Addr, string) {
	if found, ok := r.Context().Value(requestKey{}).(request); ok {
		return found.ip, found.id
	}
	return netip.Addr{}, ""
}

// routes is the whole surface of the service.
func (s *service) routes() *echo.Echo {
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.HTTPErrorHandler = s.httpError
	// Echo's own default trusts whatever X-Forwarded-For says.
	e.IPExtractor = func(r *http.Request) string { return clientip.Of(r, s.config.trustedProxies).String() }
	e.Use(s.endConnections, s.identifyRequest, middleware.RecoverWithConfig(middleware.RecoverConfig{LogErrorFunc: s.logPanic, DisablePrintStack: true}), s.checkSource, plainBody)

	// With a slash at its end it is the same endpoint. A redirect would lose the body, and in some clients the key.
	for _, path := range []string{mcpPath, mcpPath + "/"} {
		anyMethod(e, path, echo.WrapHandler(s.endpoint))
	}
	for path, status := range signposts {
		anyMethod(e, path, s.signpost(status))
	}
	for _, path := range []string{apiPath, apiPath + "/*", invitePath, invitePath + "/*"} {
		anyMethod(e, path, echo.WrapHandler(s.api))
	}
	for _, path := range []string{filesPath, filesPath + "/*"} {
		anyMethod(e, path, echo.WrapHandler(s.files))
	}
	s.oauth.Mount(e)
	e.GET("/healthz", s.healthz)
	e.GET("/readyz", s.readyz)
	if s.config.MetricsListen == "" {
		e.GET("/metrics", s.metricsPage)
	}
	addHead(e)
	for _, route := range e.Routes() {
		s.served[route.Path] = true
	}
	return e
}

// anyMethod has a handler answer every method of a path, also those that Echo has never heard of: it would answer these
// itself, and allow all those that it has.
func anyMethod(e *echo.Echo, path string, h echo.HandlerFunc) {
	e.Any(path, h)
	e.RouteNotFound(path, h)
}

// addHead lets HEAD be asked wherever GET may be (RFC 9110 section 9.1): proxies, probes and link checkers ask so. The
// handler is that of GET; the server keeps its body back.
func addHead(e *echo.Echo) {
	routes := e.Routes()
	for _, route := range routes {
		taken := slices.ContainsFunc(routes, func(r *echo.Route) bool { return r.Method == http.MethodHead && r.Path == route.Path })
		if route.Method != http.MethodGet || taken {
			continue
		}
		c := e.NewContext(nil, nil)
		e.Router().Find(http.MethodGet, route.Path, c)
		e.HEAD(route.Path, c.Handler())
	}
}

// identifyRequest gives every request an id and its client's address, and logs it when it is done: method, path
// without the query (it may hold what must not be logged) and without an invite's token, status, time.
func (s *service) identifyRequest(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		start := time.Now()
		r := c.Request()
		found := request{ip: clientip.Of(r, s.config.trustedProxies), id: requestIDOf(r)}
		ctx := context.WithValue(incoming(r), requestKey{}, found)
		var span trace.Span
		if !quiet[c.Path()] {
			ctx, span = s.tracing.start(ctx, r.Method, s.routeOf(c), found.id)
			defer func() { endSpan(span, c.Response()) }()
		}
		var seen *observe.Request
		if under(c.Path(), mcpPath) && s.log.GetLevel() <= zerolog.InfoLevel {
			seen = &observe.Request{}
			ctx = observe.With(ctx, seen)
		}
		c.SetRequest(r.WithContext(ctx))
		c.Response().Header().Set("X-Request-Id", found.id)
		c.Response().Header().Set("X-Content-Type-Options", "nosniff")
		err := next(c)
		if err != nil {
			c.Error(err)
		}
		s.logCalls(ctx, found, seen, c, start)
		if event := s.log.Debug(); event.Enabled() {
			event.Str("request_id", found.id).Str("method", r.Method).Str("path", api.Withhold(r.URL.Path)).
				Int("status", c.Response().Status).Stringer("ip", found.ip).Dur("took", time.Since(start)).Msg("request")
		}
		return nil
	}
}

// quiet are the routes that are asked all the time, by machines, and make no spans.
var quiet = map[string]bool{"/healthz": true, "/readyz": true, "/metrics": true}

// routeOf is the route that a request goes to; "" if it goes to none: the path is then the client's own, and may hold anything.
func (s *service) routeOf(c echo.Context) string {
	if path := c.Path(); s.served[path] {
		return path
	}
	return ""
}

// checkSource refuses requests whose Host or Origin is not ours: a page in a browser could otherwise reach a service on
// its user's machine by rebinding a name of its own to 127.0.0.1.
func (s *service) checkSource(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		r := c.Request()
		if !s.hostAllowed(r.Host) && c.Path() != "/healthz" && c.Path() != "/readyz" {
			return echo.NewHTTPError(http.StatusForbidden, "This host name is not allowed: DOORMAN_PUBLIC_URL sets Doorman's own, DOORMAN_ALLOWED_HOSTS lists others.")
		}
		origin := r.Header.Get("Origin")
		if origin == "" || s.oauth.Open(r.URL.Path) {
			return next(c)
		}
		// The API and the links are for scripts and for people, not for other sites' pages: no CORS, not even for those on the list.
		private := under(r.URL.Path, apiPath) || under(r.URL.Path, invitePath) || under(r.URL.Path, filesPath)
		if !s.originAllowed(origin) || private && !s.ownOrigin(origin) {
			return echo.NewHTTPError(http.StatusForbidden, "Requests from this web page are not allowed: DOORMAN_ALLOWED_ORIGINS lists those that are.")
		}
		if private {
			return next(c)
		}
		// CORS for the pages that are allowed: without it their browsers would not show them the answer. No cookies:
		// keys travel in a header that the page sets itself.
		header := c.Response().Header()
		header.Set("Access-Control-Allow-Origin", origin)
		header.Add("Vary", "Origin")
		header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, X-Request-Id, Retry-After")
		if r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", "POST")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Accept, MCP-Protocol-Version, Mcp-Method, Mcp-Name, X-Request-Id, Traceparent, Tracestate")
			header.Set("Access-Control-Max-Age", "600")
			return c.NoContent(http.StatusNoContent)
		}
		return next(c)
	}
}

// plainBody refuses a request whose body is compressed (RFC 9110 section 8.4): every endpoint would take the bytes for what they
// stand for, and a file would be kept as something else than its name says.
func plainBody(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		for _, coding := range c.Request().Header.Values("Content-Encoding") {
			if coding != "" && !strings.EqualFold(coding, "identity") {
				c.Response().Header().Set("Accept-Encoding", "identity")
				return echo.NewHTTPError(http.StatusUnsupportedMediaType, "The request is compressed, which Doorman does not read: send it without Content-Encoding.")
			}
		}
		return next(c)
	}
}

// hostAllowed takes the public host, those that the configuration adds for neighbours in a cluster, and this machine's own names where the service listens on it: a proxy on the same
// machine, or a probe, may come by either.
func (s *service) hostAllowed(host string) bool {
	if publicurl.IsHost(s.config.public, host) || s.neighbourly(host) {
		return true
	}
	name, port := splitHost(host)
	return isLoopback(name) && port == s.port
}

// neighbourly reports whether a host is among DOORMAN_ALLOWED_HOSTS; one that is there without a port is with any.
func (s *service) neighbourly(host string) bool {
	host = strings.ToLower(host)
	without := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && (host[0] == '[' && host[i-1] == ']' || strings.Count(host, ":") == 1) {
		without = host[:i]
	}
	return slices.Contains(s.config.AllowedHosts, host) || slices.Contains(s.config.AllowedHosts, without)
}

// splitHost takes a Host header apart: the name, of an IPv6 address without its brackets, and the port, "" for none.
func splitHost(host string) (name, port string) {
	name = host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name, port = host[:i], host[i+1:]
	}
	return strings.Trim(name, "[]"), port
}

func (s *service) originAllowed(origin string) bool {
	return s.ownOrigin(origin) || slices.Contains(s.config.AllowedOrigins, origin)
}

func (s *service) ownOrigin(origin string) bool {
	return strings.EqualFold(origin, s.config.public.Scheme+"://"+s.config.public.Host)
}

// under reports whether a path is base, or below it.
func under(path, base string) bool { return path == base || strings.HasPrefix(path, base+"/") }

// healthz says that the process lives. It asks nobody: an Odoo that is down must not get the service restarted.
func (s *service) healthz(c echo.Context) error { return c.String(http.StatusOK, "ok\n") }

// readyz says whether Odoo can be reached, by asking it, and Redis where that is used; and no more, once the service is
// about to stop.
func (s *service) readyz(c echo.Context) error {
	state := map[string]any{"ready": false}
	if told := s.asked(c); told != nil {
		state["asked"] = told
	}
	if s.stopping.Load() {
		state["kind"], state["message"] = "stopping", "This replica is shutting down."
		return c.JSON(http.StatusServiceUnavailable, state)
	}
	hello, err := s.health.check(c.Request().Context())
	if err == nil {
		err = s.config.checkLimits(c.Request().Context())
	}
	if err != nil {
		e := access.AsError(err)
		state["kind"], state["message"], state["hint"] = e.Kind, e.Message, e.Hint
		return c.JSON(http.StatusServiceUnavailable, state)
	}
	state["ready"], state["enabled"] = true, hello.Enabled
	return c.JSON(http.StatusOK, state)
}

// httpError answers what no handler did, in the form of the endpoint that it was meant for.
func (s *service) httpError(err error, c echo.Context) {
	if c.Response().Committed {
		return
	}
	status, message := http.StatusInternalServerError, "Something went wrong inside Doorman."
	if he, ok := errors.AsType[*echo.HTTPError](err); ok {
		status = he.Code
		if text, isText := he.Message.(string); isText {
			message = text
		}
		if message == http.StatusText(status) { // Echo's own words, which say nothing of what to do
			message = s.wayOn(status, c, message)
		}
	}
	switch path := c.Request().URL.Path; {
	case under(path, apiPath), under(path, invitePath):
		api.WriteStatus(c.Response(), status, message)
	case under(path, filesPath):
		files.WriteStatus(c.Response(), status, message)
	case under(path, mcpPath):
		mcp.WriteStatus(c.Response(), status, message)
	case s.oauth.Open(path):
		oauth.WriteStatus(c.Response(), status, message)
	default:
		_ = c.JSON(status, map[string]any{"error": map[string]any{"status": status, "message": message}})
	}
}

// wayOn says where a request with this status could go instead.
func (s *service) wayOn(status int, c echo.Context, otherwise string) string {
	switch status {
	case http.StatusNotFound:
		return "There is nothing at this address. Doorman's MCP endpoint is " + s.config.public.String() + mcpPath + "."
	case http.StatusMethodNotAllowed:
		return "This address does not support this method, only " + c.Response().Header().Get(echo.HeaderAllow) + "."
	}
	return otherwise
}

func (s *service) logPanic(c echo.Context, err error, _ []byte) error {
	_, id := identify(c.Request())
	s.log.Error().Str("request_id", id).Err(err).Msg("panic")
	return err
}

// newLog writes JSON lines.
func newLog(c *Config, w io.Writer) zerolog.Logger {
	// One line at a time: the writer may not be safe for use by several goroutines.
	return zerolog.New(zerolog.SyncWriter(w)).Level(c.logLevel).With().Timestamp().Logger()
}
