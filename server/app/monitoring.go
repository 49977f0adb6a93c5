package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof" // mounted below; what it adds to http.DefaultServeMux is served nowhere
	"net/netip"
	"slices"
	"time"

	"github.com/labstack/echo/v4"

	"doorman/server/clientip"
	"doorman/server/publicurl"
)

// The metrics are at one of two places:
//
//	DOORMAN_METRICS_LISTEN is set      /metrics for everyone who reaches that address, unless DOORMAN_METRICS_ALLOW is set, too;
//	                                   /debug/pprof for DOORMAN_METRICS_ALLOW, which is this machine where it is not set
//	it is not                          /metrics beside the endpoint, for DOORMAN_METRICS_ALLOW, this machine where it is not set
//
// What came by way of a proxy is not for a monitoring system: a proxy on this machine that nobody has declared as trusted would
// otherwise make strangers look like this machine.

var thisMachine = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}

// listen opens what the configuration says: the second listener is nil where metrics have none of their own.
func (c *Config) listen() (main, metrics net.Listener, err error) {
	if main, err = c.listenOn(); err != nil || c.MetricsListen == "" {
		return main, nil, err
	}
	if metrics, err = net.Listen("tcp", c.MetricsListen); err != nil { //nolint:noctx // it waits for nobody
		return nil, nil, errors.Join(fmt.Errorf("DOORMAN_METRICS_LISTEN: %w", err), main.Close())
	}
	return main, metrics, nil
}

func closeIfOpen(l net.Listener) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

// serveMetrics serves a listener of the metrics' own until stop is called; it does nothing without one.
func (s *service) serveMetrics(listener net.Listener) (stop func()) {
	if listener == nil {
		return func() {}
	}
	server := &http.Server{
		Handler: s.monitoring(), ErrorLog: nil, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: bodyTime,
		IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10, // no WriteTimeout: how long a profile takes is in its request
	}
	s.log.Info().Str("metrics", listener.Addr().String()).Msg("metrics have a listener of their own")
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			s.log.Error().Err(err).Msg("the listener of the metrics has ended")
		}
	}()
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close()
		}
		<-done
	}
}

// monitoring is what the listener of the metrics serves.
func (s *service) monitoring() http.Handler {
	mux := http.NewServeMux()
	page := s.metrics.page()
	mux.Handle("GET /metrics", s.forMonitoring(s.config.metricsAllow, page))
	debug := func(pattern string, h http.HandlerFunc) { mux.Handle(pattern, s.forMonitoring(s.profilesFor(), h)) }
	debug("GET /debug/pprof/", pprof.Index)
	debug("GET /debug/pprof/cmdline", http.NotFound) // what was typed may hold anything
	debug("GET /debug/pprof/profile", pprof.Profile)
	debug("GET /debug/pprof/symbol", pprof.Symbol)
	debug("GET /debug/pprof/trace", pprof.Trace)
	return mux
}

func (s *service) profilesFor() []netip.Prefix {
	if len(s.config.metricsAllow) == 0 {
		return thisMachine
	}
	return s.config.metricsAllow
}

// forMonitoring lets allowed networks in, everyone if none is named, by an address or a name that is ours: a page in a browser
// could otherwise read the metrics by a name of its own that it lets point here.
func (s *service) forMonitoring(allowed []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, _ := splitHost(r.Host)
		_, notAddress := netip.ParseAddr(name)
		if notAddress != nil && name != "localhost" && !s.neighbourly(r.Host) {
			http.Error(w, "This host name is not allowed: DOORMAN_ALLOWED_HOSTS lists those that are.", http.StatusForbidden)
			return
		}
		ip := clientip.Of(r, nil)
		if forwarded(r) || len(allowed) > 0 && !within(ip, allowed) {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("X-Content-Type-Options", "nosniff")
		next.ServeHTTP(w, r)
	})
}

// metricsPage shows the metrics on the main listener to the networks that may see them.
func (s *service) metricsPage(c echo.Context) error {
	r := c.Request()
	ip, _ := identify(r)
	allowed := s.profilesFor()
	// By the public name it came through the proxy that speaks https for us, even if that says nothing of the client.
	byProxy := forwarded(r) || s.config.public.Scheme == "https" && publicurl.IsHost(s.config.public, r.Host)
	if byProxy && !within(clientip.Of(r, nil), s.config.trustedProxies) || !within(ip, allowed) {
		return echo.ErrNotFound
	}
	s.metrics.page().ServeHTTP(c.Response(), r)
	return nil
}

// forwarded reports whether a proxy says that it passes a request on.
func forwarded(r *http.Request) bool {
	for _, name := range []string{
		"Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Server", "X-Real-Ip",
	} {
		if len(r.Header.Values(name)) > 0 {
			return true
		}
	}
	return false
}

func within(ip netip.Addr, networks []netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(p netip.Prefix) bool { return p.Contains(ip) })
}
