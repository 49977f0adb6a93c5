package odoo_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

// TestNeverSentTwice loses the answer after the commit, over fresh and over pooled connections, by every way: Odoo did
// it once, and the caller is told that it may have been done.
func TestNeverSentTwice(t *testing.T) {
	t.Parallel()
	for _, transport := range append(transports, odoo.TransportAuto) {
		for _, kind := range []odootest.FaultKind{odootest.DropAfterCommit, odootest.Truncated, odootest.InvalidJSON, odootest.Trickle} {
			t.Run(fmt.Sprintf("%s/%d", transport, kind), func(t *testing.T) {
				t.Parallel()
				s, c, fence := faultyOdoo(t, transport)
				for range 3 {
					before := s.Effects()
					s.Inject(odootest.Fault{Kind: kind, Methods: []string{"call"}, Times: 1})
					_, err := c.Call(t.Context(), fence, createPartner())
					e := access.AsError(err)
					if err == nil || !strings.Contains(e.Message, "may or may not") {
						t.Fatalf("%v hides that the call may have been done", err)
					}
					if n := s.Effects() - before; n != 1 {
						t.Fatalf("done %d times", n)
					}
				}
			})
		}
	}
}

// TestRepeatedReads: what changes nothing may be sent again by net/http when a pooled connection breaks under it.
func TestRepeatedReads(t *testing.T) {
	t.Parallel()
	s, c, _ := faultyOdoo(t, odoo.TransportDoorman)
	s.Inject(odootest.Fault{Kind: odootest.DropBefore, Methods: []string{"resolve"}, Times: 1})
	if _, err := c.Resolve(t.Context(), access.ProofOf(canaryCred)); err != nil {
		t.Errorf("a read over a connection that broke: %v", err)
	}
}

// TestStaleConnections closes the pooled connections under the client: the next call dials, at once, and is done once.
func TestStaleConnections(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s, c, fence := faultyOdoo(t, transport, func(c *odoo.Config) { c.Timeout = 10 * time.Second })
			for i := range 100 {
				var wg sync.WaitGroup
				for range 3 { // several connections in the pool
					wg.Go(func() { _, _ = c.Hello(t.Context()) })
				}
				wg.Wait()
				before := s.Effects()
				s.CloseConnections()
				if _, err := c.Call(t.Context(), fence, createPartner()); err != nil {
					t.Fatalf("round %d: %v", i, err)
				}
				if n := s.Effects() - before; n != 1 {
					t.Fatalf("round %d: done %d times", i, n)
				}
			}
		})
	}
}

func TestRestartBetweenCalls(t *testing.T) {
	t.Parallel()
	for _, transport := range append(transports, odoo.TransportAuto) {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s, c, fence := faultyOdoo(t, transport, func(c *odoo.Config) { c.Timeout = 10 * time.Second })
			for i := range 10 {
				if err := s.Restart(); err != nil {
					t.Fatal(err)
				}
				start := time.Now()
				if _, err := c.Call(t.Context(), fence, createPartner()); err != nil {
					t.Fatalf("restart %d: %v", i, err)
				}
				if d := time.Since(start); d > time.Second {
					t.Errorf("restart %d: stalled for %v", i, d)
				}
			}
			if n := s.Effects(); n != 10 {
				t.Errorf("10 calls, done %d times", n)
			}
		})
	}
}

// TestKeepAlive: calls in a row share a connection.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	c := newClient(t, s, odoo.TransportDoorman)
	for range 20 {
		if _, err := c.Hello(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n := s.Dials(); n != 1 {
		t.Errorf("20 calls dialled %d times", n)
	}
}

// TestHeaders: the database with every request, the key only where it belongs, no cookie, nothing of the client's own
// credential but its proof.
func TestHeaders(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s, c, fence := faultyOdoo(t, transport)
			if _, err := c.Call(t.Context(), fence, searchRead(nil, "name")); err != nil {
				t.Fatal(err)
			}
			inBody := transport == odoo.TransportJSONRPC || transport == odoo.TransportXMLRPC
			for _, r := range s.Requests() {
				if r.Database != s.Options().Database {
					t.Errorf("%s: X-Odoo-Database is %q", r.Path, r.Database)
				}
				if inBody != (r.Authorization == "") || inBody != strings.Contains(string(r.Body), canaryKey) {
					t.Errorf("%s: Authorization %q", r.Path, r.Authorization)
				}
				if strings.Contains(string(r.Body)+r.Authorization, canaryCred) {
					t.Errorf("%s: the client's credential was sent to Odoo", r.Path)
				}
			}
		})
	}
}

// TestRedirectNotFollowed: the host that a redirect names never hears from us.
func TestRedirectNotFollowed(t *testing.T) {
	t.Parallel()
	for _, status := range []int{301, 302, 303, 307, 308} {
		elsewhere := odootest.New(t)
		s, c, fence := faultyOdoo(t, odoo.TransportDoorman, func(c *odoo.Config) {
			c.RoundTripper = roundTrip(func(r *http.Request) (*http.Response, error) {
				return &http.Response{
					StatusCode: status, Body: http.NoBody, Request: r,
					Header: http.Header{"Location": {elsewhere.URL() + "/doorman/jsonrpc?key=" + canary}},
				}, nil
			})
		})
		_, err := c.Call(t.Context(), fence, createPartner())
		e := wantKind(t, err, access.OdooUnavailable)
		if !strings.Contains(e.Message, "redirects elsewhere") || elsewhere.Total() != 0 || s.Effects() != 0 {
			t.Errorf("%d: %v, %d requests elsewhere", status, e, elsewhere.Total())
		}
		noLeak(t, err)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestProxyVariablesAreIgnored is serial: it sets the environment.
func TestProxyVariablesAreIgnored(t *testing.T) {
	proxy := odootest.New(t)
	t.Setenv("HTTP_PROXY", proxy.URL())
	t.Setenv("HTTPS_PROXY", proxy.URL())
	t.Setenv("ALL_PROXY", proxy.URL())
	c, err := odoo.New(odoo.Config{URL: "http://odoo.invalid", Database: "db", Key: canaryKey, Timeout: 5 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	_, err = c.Hello(t.Context())
	_ = wantKind(t, err, access.OdooUnavailable)
	if proxy.Total() != 0 {
		t.Error("the key went to a proxy")
	}
}

func TestObserve(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	seen := map[string]int{}
	s, c, fence := faultyOdoo(t, odoo.TransportDoorman, func(c *odoo.Config) {
		c.Observe = func(method, outcome string, d time.Duration) {
			mu.Lock()
			defer mu.Unlock()
			if d < 0 || d > time.Minute {
				t.Errorf("took %v", d)
			}
			seen[method+" "+outcome]++
		}
	})
	_, _ = c.Call(t.Context(), fence, searchRead(nil, "name"))
	_, _ = c.Call(t.Context(), fence, searchRead(nil, "no_such_field"))
	s.Inject(odootest.Fault{Kind: odootest.HTML, Status: 502})
	_, _ = c.Call(t.Context(), fence, searchRead(nil, "name"))
	mu.Lock()
	defer mu.Unlock()
	for _, want := range []string{"hello ok", "call ok", "call unknown_field", "call odoo_unavailable"} {
		if seen[want] != 1 {
			t.Errorf("%q observed %d times: %v", want, seen[want], seen)
		}
	}
}
