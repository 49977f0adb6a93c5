package app

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"doorman/jobs"
	"doorman/odoo"
	"doorman/server/access"
	"doorman/server/api"
	"doorman/server/files"
	"doorman/server/limit"
	"doorman/server/mcp"
	"doorman/server/oauth"
	"doorman/server/safefetch"
	"doorman/server/secret"
)

// grace is how long requests under way may take, beyond the time that a call of Odoo may, once no new one is taken.
const grace = 5 * time.Second

// service is one running Doorman.
type service struct {
	config   *Config
	log      zerolog.Logger
	gateway  access.Gateway
	endpoint *mcp.Server
	oauth    *oauth.Server
	api      *api.API
	files    *files.Handler
	metrics  *metrics
	health   *health
	key      func() odoo.Key // as it is right now
	tracing  *tracing
	served   map[string]bool // its routes
	port     string
	stopping atomic.Bool
}

type fixturesKey struct{}

// WithFixtures lets a service that Run starts with ctx carry what the conformance suite asks of every server. For tests:
// no configuration leads here.
func WithFixtures(ctx context.Context, f mcp.Fixtures) context.Context {
	return context.WithValue(ctx, fixturesKey{}, f)
}

type fetcherKey struct{}

// WithFetcher lets a service that Run starts with ctx reach documents of clients and keys of issuers on an Internet of the
// tests' own. No configuration leads here.
func WithFetcher(ctx context.Context, f *safefetch.Fetcher) context.Context {
	return context.WithValue(ctx, fetcherKey{}, f)
}

// newService wires the parts; it starts nothing and talks to nobody.
func newService(ctx context.Context, c *Config, log zerolog.Logger) (*service, error) {
	m := newMetrics()
	key := odoo.Key(c.OdooKey.Reveal())
	from := func() odoo.Key { return key }
	if c.OdooKeyFile != "" {
		from = newKeyFile(c.OdooKeyFile, key, log).current
	}
	client, err := odoo.New(odoo.Config{
		URL: c.OdooURL, Database: c.OdooDB, Key: key, KeyFrom: from, Transport: c.OdooTransport,
		Timeout: c.OdooTimeout, MaxInFlight: c.OdooInFlight, Observe: m.odoo, InFlight: m.inFlight.Add,
		Version: version(), Endpoint: c.public.String() + mcpPath, Greet: true,
		Workers: c.OdooWorkers, Batch: c.OdooBatch, Batched: m.batched,
	})
	if err != nil {
		return nil, err
	}
	s := &service{
		config: c, log: log, gateway: client, metrics: m, health: newHealth(client, c.OdooURL), key: from, served: map[string]bool{},
	}
	if s.tracing, err = newTracing(ctx, c, log); err != nil {
		return nil, err
	}
	fixtures, _ := ctx.Value(fixturesKey{}).(mcp.Fixtures)
	s.endpoint = mcp.New(mcp.Config{
		Gateway: client, Limiter: newLimiter(c), Identify: identify, Log: log, Version: version(),
		FilesURL: c.public.String() + filesPath + "/", Resource: c.public.String() + mcpPath,
		ResourceMetadata: c.public.String() + oauth.ResourceMetadataPath + mcpPath,
		Timeout:          c.OdooTimeout, MaxBody: c.MaxBody, Observe: m.tool, CountRefusal: m.refused,
		Fixtures: fixtures,
	})
	s.files = files.New(files.Config{Files: client, Guesses: limit.NewGuesses(), Identify: identify, Now: time.Now})
	fetcher, _ := ctx.Value(fetcherKey{}).(*safefetch.Fetcher)
	s.oauth = oauth.New(oauth.Config{
		Gateway: client, Guesses: limit.NewGuesses(), Identify: identify, Issuer: c.public.String(), Resource: mcpPath, Log: log,
		Revoked: s.endpoint.ForgetClient, Fetcher: fetcher,
	})
	s.api = api.New(api.Config{
		Odoo: administration{client}, Audit: auditPages{client}, Guesses: limit.NewGuesses(), Identify: identify, WebURL: s.health.webURL, Now: time.Now,
		Report: func(requestID string, err error) {
			log.Warn().Str("request_id", requestID).Str("error", err.Error()).Msg("the REST API could not answer")
		},
	})
	m.watch(slices.Concat(s.endpoint.Caches(), s.oauth.Caches()))
	return s, nil
}

// administration is the client as package api asks for it.
type administration struct{ client *odoo.Client }

// Ask implements api.Odoo.
func (a administration) Ask(ctx context.Context, key secret.Text, method string, args map[string]any) (json.RawMessage, error) {
	return a.client.Admin(ctx, odoo.Key(key.Reveal()), method, args)
}

// auditPages is the client as package api asks for the audit.
type auditPages struct{ client *odoo.Client }

// Page implements api.Audit.
func (a auditPages) Page(ctx context.Context, key secret.Text, after int64, limit int) (*access.AuditPage, error) {
	return a.client.AuditExport(ctx, odoo.Key(key.Reveal()), after, limit)
}

// serve runs the service on listener until ctx ends. Then /readyz says so, and load balancers have a moment to send
// requests elsewhere; after it no new request is taken, those under way are finished, the jobs are drained, and what is
// left for the audit is sent.
func (s *service) serve(ctx context.Context, listener, metricsListener net.Listener) error {
	_, s.port, _ = net.SplitHostPort(listener.Addr().String())
	server, open := s.server(), &connections{}
	server.ConnState = open.note
	background, stopBackground := context.WithCancel(context.WithoutCancel(ctx))
	defer stopBackground()
	var workers sync.WaitGroup
	workers.Go(func() { s.endpoint.Run(background) })
	runner := jobs.New(s.log, s.gateway, s.watchJob)
	err := runner.Start(background, runner.Heartbeat(s.gateway, s.health.note), jobs.Catalog(s.gateway, s.endpoint.Catalog()))
	if err != nil {
		return err
	}
	stopMetrics := s.serveMetrics(metricsListener)
	defer stopMetrics()
	defer s.tracing.stop()
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	s.log.Info().Str("listen", listener.Addr().String()).Str("mcp", s.config.public.String()+mcpPath).Str("version", version()).Msg("doorman is open")

	select {
	case err = <-served:
	case <-ctx.Done():
		s.log.Info().Msg("stopping")
		s.stopping.Store(true)
		select {
		case err = <-served:
		case <-time.After(s.config.StopDelay):
			err = shutdown(server, listener, open, s.config.OdooTimeout+grace)
		}
	}
	runner.Stop()
	stopBackground()
	workers.Wait()
	if s.config.redis != nil {
		_ = s.config.redis.Close()
	}
	return err
}

// bodyTime is how long a request may take to arrive.
const bodyTime = time.Minute

// server is what listens, with the bounds on what a client may keep open.
func (s *service) server() *http.Server {
	return &http.Server{
		Handler: s.routes(), ErrorLog: nil,
		ReadHeaderTimeout: 10 * time.Second, ReadTimeout: bodyTime, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		// Counted from the header on: the body, the question of who is asking, the call itself, which a stream ends with, and
		// as long again as the body for the answer. Without it, a client that asks and reads nothing keeps the connection, and
		// whatever works on its answer, for ever. Files have limits of their own.
		WriteTimeout: bodyTime + s.config.OdooTimeout + max(s.config.OdooTimeout, mcp.Patience()) + bodyTime,
	}
}

// gcPercent lets the heap grow to three times what is in use between two collections. The SDK's JSON decoder takes a buffer
// of 32 KB nine times a call, and drops it at once; with Go's default of 100 a quarter of the processor time goes into
// collecting. Measured at 32 calls at once: 490 microseconds a call at 100, 360 at 200, 330 at 300; and 47, 56 and 66 MB.
const gcPercent = 200

// serveCommand is `doorman serve`.
func serveCommand(ctx context.Context, environ []string, stderr io.Writer) error {
	if !slices.ContainsFunc(environ, func(v string) bool { return strings.HasPrefix(v, "GOGC=") }) {
		debug.SetGCPercent(gcPercent)
	}
	c, err := loadConfig(environ)
	if err != nil {
		return err
	}
	listener, metricsListener, err := c.listen()
	if err != nil {
		return err
	}
	s, err := newService(ctx, c, newLog(c, stderr))
	if err != nil {
		return errors.Join(err, listener.Close(), closeIfOpen(metricsListener))
	}
	if err := s.serve(ctx, listener, metricsListener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
