package transport

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"doorman/odoo/wire"
	"doorman/server/observe"
)

const (
	maxErrorBody = 1 << 20   // an answer that is not 200 needs no more: an exception with its traceback
	maxStale     = 16        // dead pooled connections that one request may meet; one just given back may slip past a purge
	chunkSize    = 256 << 10 // how an answer of unknown length is read
)

// poster sends one POST to Odoo and reads one answer, within limits. It is shared by every transport.
type poster struct {
	base    *url.URL
	client  *http.Client
	db      string
	speaks  int // the service's interface
	maxBody int64
}

// newPoster builds the HTTP side. Timeouts below the call's deadline only cover what says that nobody is there; how long
// Odoo may think is the deadline's business.
func newPoster(o Options) *poster {
	rt := o.RoundTripper
	if rt == nil {
		dialer := &net.Dialer{
			Timeout: 3 * time.Second,
			KeepAliveConfig: net.KeepAliveConfig{
				Enable: true, Idle: 10 * time.Second, Interval: 3 * time.Second, Count: 3,
			},
		}
		rt = &http.Transport{
			Proxy: nil, // see Options.RoundTripper
			DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
				conn, err := dialer.DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return watch(conn), nil
			},
			TLSClientConfig:     &tls.Config{MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout: 5 * time.Second,
			// HTTP/2 is left off: its own retry rules would have to be proven too, and Odoo does not speak it.
			TLSNextProto:           map[string]func(string, *tls.Conn) http.RoundTripper{},
			MaxIdleConns:           o.MaxInFlight,
			MaxIdleConnsPerHost:    o.MaxInFlight,
			IdleConnTimeout:        20 * time.Second, // dialling a neighbour is cheap, a connection it forgot is not
			MaxResponseHeaderBytes: 64 << 10,
		}
	}
	return &poster{
		base: o.Base, db: o.Database, speaks: o.Interface, maxBody: o.MaxBody,
		client: &http.Client{
			Transport: rt,
			// A followed redirect would hand the key, and the call, to wherever the answer points.
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// outgoing is one POST.
type outgoing struct {
	path   string
	ctype  string
	bearer Key  // "" = no Authorization header
	repeat bool // changes nothing at Odoo, so net/http may send it again when a pooled connection breaks
	body   []byte
}

// incoming is what came back.
type incoming struct {
	status   int
	json     bool
	xml      bool
	body     []byte
	location string
	password bool // it asks for a password (RFC 7617), which Odoo's endpoints never do
	retry    time.Duration
}

// post sends o and returns the answer, whatever its status. Every error is a *Failure.
func (p *poster) post(ctx context.Context, o outgoing) (incoming, error) {
	for try := 1; ; try++ {
		in, stale, err := p.once(ctx, o)
		if !stale || try == maxStale {
			return in, err
		}
		// Nothing was sent, so this is still the first time. The other pooled connections are likely as dead.
		p.client.CloseIdleConnections()
	}
}

// once is one try; stale says that the request did not leave, because a reused connection was dead.
func (p *poster) once(ctx context.Context, o outgoing) (in incoming, stale bool, err error) {
	u := *p.base
	u.Path += o.path
	sending := &sendWatch{}
	ctx, stop := context.WithCancel(ctx)
	defer stop() // an answer that is given up half way must not keep its connection busy
	req, err := http.NewRequestWithContext(httptrace.WithClientTrace(ctx, sending.trace()), http.MethodPost, u.String(), bytes.NewReader(o.body))
	if err != nil {
		return incoming{}, false, &Failure{Class: BadRequest, Reason: "request cannot be built"}
	}
	req.Header.Set("Content-Type", o.ctype)
	req.Header.Set("Accept", o.ctype)
	req.Header.Set("User-Agent", "doorman")
	req.Header.Set("X-Odoo-Database", p.db)
	req.Header.Set(interfaceHeader, strconv.Itoa(p.speaks))
	if o.bearer != "" {
		req.Header.Set("Authorization", "Bearer "+string(o.bearer))
	}
	observe.Ask(ctx, req.Header)
	if o.repeat {
		// An empty list is net/http's mark for "may be repeated" that is not sent. Without it a POST is not repeated.
		req.Header["Idempotency-Key"] = []string{}
	}
	resp, err := p.client.Do(req)
	if err != nil {
		sent, dead := sending.outcome()
		return incoming{}, dead && ctx.Err() == nil, networkFailure(ctx, err, sent)
	}
	defer func() { _ = resp.Body.Close() }()
	observe.Told(ctx, resp.Header)
	in, err = p.read(ctx, resp)
	return in, false, err
}

// read takes in the answer, up to the cap.
func (p *poster) read(ctx context.Context, resp *http.Response) (incoming, error) {
	ctype, _, _ := mime.ParseMediaType(resp.Header.Get("Content-Type"))
	in := incoming{
		password: strings.HasPrefix(strings.ToLower(resp.Header.Get("WWW-Authenticate")), "basic"),
		status:   resp.StatusCode,
		json:     ctype == "application/json" || ctype == "application/json-rpc",
		xml:      ctype == "text/xml" || ctype == "application/xml",
		retry:    retryAfter(resp.Header.Get("Retry-After")),
	}
	if loc, err := resp.Location(); err == nil && in.status >= 300 && in.status < 400 {
		in.location = loc.Host // the rest may hold what was sent
	}
	limit := p.maxBody
	if in.status != http.StatusOK {
		limit = min(limit, maxErrorBody)
	}
	body, err := readCapped(resp.Body, resp.ContentLength, limit)
	switch {
	case errors.Is(err, errTooLarge):
		if in.status != http.StatusOK {
			return in, nil // its status says enough
		}
		return in, &Failure{Class: TooLarge, Sent: true, Status: in.status, Reason: "answer beyond the cap"}
	case err != nil:
		return in, networkFailure(ctx, err, true)
	}
	in.body = body
	return in, nil
}

var errTooLarge = errors.New("too large")

// readCapped reads all of r or fails. An announced length beyond the cap costs nothing, and an endless answer no more
// than the cap: chunks are joined only once all of it is there, where a growing buffer would hold it twice.
func readCapped(r io.Reader, length, limit int64) ([]byte, error) {
	if length > limit {
		return nil, errTooLarge
	}
	if length >= 0 {
		body := make([]byte, length)
		_, err := io.ReadFull(r, body)
		return body, err
	}
	var (
		chunks [][]byte
		total  int64
	)
	for {
		chunk := make([]byte, min(chunkSize, limit-total+1))
		n, err := fill(r, chunk)
		chunks = append(chunks, chunk[:n])
		total += int64(n)
		switch {
		case total > limit:
			return nil, errTooLarge
		case errors.Is(err, io.EOF):
			return bytes.Join(chunks, nil), nil
		case err != nil:
			return nil, err
		}
	}
}

// fill reads until b is full or r says why not. io.ReadFull will not do: it reports a clean end and a body that was cut
// short with the same error.
func fill(r io.Reader, b []byte) (n int, err error) {
	for n < len(b) && err == nil {
		var m int
		m, err = r.Read(b[n:])
		n += m
	}
	return n, err
}

// retryAfter reads the seconds form of Retry-After (RFC 9110, 10.2.3), at most a minute.
func retryAfter(s string) time.Duration {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 {
		return 0
	}
	return min(time.Duration(n)*time.Second, time.Minute)
}

// statusFailure classifies an answer that is not an envelope of the addon or of Odoo's RPC.
func statusFailure(in incoming) *Failure {
	f := &Failure{Sent: true, Status: in.status, Retry: in.retry, Proxied: !in.json && !in.xml}
	switch in.status {
	case http.StatusUnauthorized, http.StatusProxyAuthRequired:
		f.Class, f.Reason = KeyRefused, "key refused"
		if in.password {
			f.Class, f.Reason = Blocked, "a proxy before Odoo asks for a password"
		}
	case http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		f.Class, f.Reason = Gateway, "no Odoo behind the proxy"
	case http.StatusNotFound, http.StatusGone:
		f.Class, f.Reason = Missing, "no addon, no database, or a path that is blocked"
	case http.StatusForbidden, http.StatusMethodNotAllowed, http.StatusNotAcceptable, http.StatusUnsupportedMediaType, http.StatusUnavailableForLegalReasons, http.StatusNotImplemented:
		f.Class, f.Reason = Blocked, "path blocked"
	case http.StatusRequestEntityTooLarge:
		f.Class, f.Reason = RefusedSize, "request too large for a proxy or Odoo"
	case http.StatusTooManyRequests:
		f.Class, f.Reason = Throttled, "throttled on the way"
	default:
		f.Class, f.Reason = Garbage, "not an answer of the addon"
		if in.status >= 300 && in.status < 400 {
			f.Class, f.Reason = Redirect, "redirected to "+wire.Printable(in.location)
		}
	}
	return f
}

// sendWatch tells whether anything of a request left this machine.
type sendWatch struct {
	mu     sync.Mutex
	tries  int          // connections that net/http gave to the request
	reused bool         // the last of them came from the pool
	conn   *watchedConn // the last of them; nil if it is not one of ours
	start  int64        // what it had written before
	sent   bool         // an earlier one took bytes
}

// trace hooks the watch into net/http.
func (s *sendWatch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.settle()
		s.tries++
		s.reused = info.Reused
		s.conn = unwrap(info.Conn)
		if s.conn == nil {
			s.sent = true // unknown counts as sent
			return
		}
		s.start = s.conn.written.Load()
		if info.Reused && s.conn.peerClosed() {
			s.conn.kill()
		}
	}}
}

// settle closes the books on the last connection: after it, that connection takes no more bytes.
func (s *sendWatch) settle() {
	if s.conn == nil {
		return
	}
	s.conn.kill()
	s.sent = s.sent || s.conn.written.Load() != s.start
	s.conn = nil
}

// outcome says whether bytes were sent, and whether a dead pooled connection is why none were.
func (s *sendWatch) outcome() (sent, stale bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	reused := s.conn != nil && s.reused
	s.settle()
	return s.sent, reused && !s.sent
}

// isEOF reports a connection that ended without an answer.
func isEOF(err error) bool {
	// errServerClosedIdle is not exported, and it is the usual end of a pooled connection.
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		strings.HasSuffix(err.Error(), "server closed idle connection")
}

// isTLS reports a failed handshake.
func isTLS(err error) bool {
	var (
		verify *tls.CertificateVerificationError
		record tls.RecordHeaderError
		alert  tls.AlertError
		host   x509.HostnameError
	)
	return errors.As(err, &verify) || errors.As(err, &record) || errors.As(err, &alert) || errors.As(err, &host)
}
