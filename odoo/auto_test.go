package odoo_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

// block makes a pretend proxy answer the given ways with a page.
func block(s *odootest.Server, status int, transports ...string) {
	for _, tr := range transports {
		s.Inject(odootest.Fault{Kind: odootest.HTML, Status: status, Transports: []string{tr}})
	}
}

func TestAutoPicksTheFirstThatGetsThrough(t *testing.T) {
	t.Parallel()
	for _, status := range []int{403, 404, 405, 406, 410, 415, 451, 501} {
		for n := range transports {
			s := odootest.New(t)
			block(s, status, transports[:n]...)
			c := newClient(t, s, odoo.TransportAuto)
			if _, err := c.Hello(t.Context()); err != nil {
				t.Fatalf("%d, %d ways blocked: %v", status, n, err)
			}
			if got, want := c.Transport(), "auto/"+transports[n]; got != want {
				t.Errorf("%d, %d ways blocked: uses %s, want %s", status, n, got, want)
			}
			s.Reset()
			if _, err := c.Hello(t.Context()); err != nil || s.Total() != 1 {
				t.Errorf("does not remember what worked: %d requests, %v", s.Total(), err)
			}
		}
	}
}

func TestAutoAllBlocked(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	block(s, 403, transports...)
	_, err := newClient(t, s, odoo.TransportAuto).Hello(t.Context())
	if e := wantKind(t, err, access.OdooUnavailable); !strings.Contains(e.Message, "does not let the request through") {
		t.Error(e)
	}
	if s.Total() != 4 {
		t.Errorf("%d requests", s.Total())
	}
}

// TestAutoDoesNotFallThrough: what another way would not mend ends the search at the first.
func TestAutoDoesNotFallThrough(t *testing.T) {
	t.Parallel()
	for name, fault := range map[string]odootest.Fault{
		"401":                  {Kind: odootest.HTML, Status: 401},
		"key refused by addon": exception("odoo.exceptions.AccessDenied", "Access Denied", 0),
		"500":                  {Kind: odootest.HTML, Status: 500},
		"502":                  {Kind: odootest.HTML, Status: 502},
		"503":                  {Kind: odootest.HTML, Status: 503},
		"504":                  {Kind: odootest.HTML, Status: 504},
		"429":                  {Kind: odootest.HTML, Status: 429},
		"page with 200":        {Kind: odootest.HTML},
		"redirect":             {Kind: odootest.Redirect, Location: "https://login.example/"},
		"never answers":        {Kind: odootest.Never},
		"dropped":              {Kind: odootest.DropBefore},
		"broken JSON":          {Kind: odootest.InvalidJSON},
		"garbage":              {Kind: odootest.Garbage},
		"exception":            exception("builtins.RuntimeError", "x", 0),
		"concurrency":          exception("odoo.exceptions.ConcurrencyError", "x", 0),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := odootest.New(t)
			fault.Transports = []string{odoo.TransportDoorman}
			s.Inject(fault)
			c := newClient(t, s, odoo.TransportAuto, func(c *odoo.Config) { c.Timeout = faultTime })
			if _, err := c.Hello(t.Context()); err == nil {
				t.Fatal("fell through")
			}
			for _, r := range s.Requests() {
				if r.Transport != odoo.TransportDoorman {
					t.Errorf("tried %s", r.Transport)
				}
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		s := odootest.New(t)
		s.Refuse()
		_, err := newClient(t, s, odoo.TransportAuto).Hello(t.Context())
		if e := wantKind(t, err, access.OdooUnavailable); !strings.Contains(e.Message, "not reachable") {
			t.Error(e)
		}
	})
}

// TestAutoPicksAnew: the way in use gets blocked. A read finds another one at once; a call is not sent again, since a
// filter may have eaten only its answer, but the next one goes through.
func TestAutoPicksAnew(t *testing.T) {
	t.Parallel()
	s, c, fence := faultyOdoo(t, odoo.TransportAuto, func(c *odoo.Config) { c.Timeout = 10 * time.Second })
	block(s, 403, odoo.TransportDoorman)
	_, err := c.Call(t.Context(), fence, createPartner())
	_ = wantKind(t, err, access.OdooUnavailable)
	if n := s.Count("call"); n != 1 {
		t.Errorf("sent %d times", n)
	}
	if _, err := c.Call(t.Context(), fence, createPartner()); err != nil || c.Transport() != "auto/json2" {
		t.Errorf("%s: %v", c.Transport(), err)
	}
	block(s, 404, odoo.TransportJSON2)
	if _, err := c.Hello(t.Context()); err != nil || c.Transport() != "auto/jsonrpc" {
		t.Errorf("%s: %v", c.Transport(), err)
	}
	if s.Effects() != 1 {
		t.Errorf("done %d times", s.Effects())
	}
}

// TestAutoPicksOnce: callers that come together do not each go through all the ways.
func TestAutoPicksOnce(t *testing.T) {
	t.Parallel()
	s := odootest.New(t)
	block(s, 403, odoo.TransportDoorman, odoo.TransportJSON2)
	c := newClient(t, s, odoo.TransportAuto)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Hello(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	blocked := 0
	for _, r := range s.Requests() {
		if slices.Contains([]string{odoo.TransportDoorman, odoo.TransportJSON2}, r.Transport) {
			blocked++
		}
	}
	if blocked != 2 {
		t.Errorf("%d requests to ways that are blocked", blocked)
	}
}

func TestNoAddon(t *testing.T) {
	t.Parallel()
	s := odootest.New(t, odootest.Options{NoAddon: true})
	for _, transport := range append(transports, odoo.TransportAuto) {
		_, err := newClient(t, s, transport).Hello(t.Context())
		var e *access.Error
		if !errors.As(err, &e) || e.Kind != access.OdooUnavailable || e.RetryAfter != 0 {
			t.Fatalf("%s: %v", transport, err)
		}
		// Without the addon its user is not there either, so Odoo's own ways refuse the key before anything else.
		if (transport == odoo.TransportDoorman || transport == odoo.TransportAuto) && !strings.Contains(e.Hint, "module doorman") {
			t.Errorf("%s: hint %q", transport, e.Hint)
		}
	}
}

// TestUserMadeAnew: the service's user gets another id while its key stays; /jsonrpc and XML-RPC log in again.
func TestUserMadeAnew(t *testing.T) {
	t.Parallel()
	for _, transport := range []string{odoo.TransportJSONRPC, odoo.TransportXMLRPC} {
		s, c, fence := faultyOdoo(t, transport)
		before := s.Count("authenticate")
		s.SetUID(99)
		if _, err := c.Call(t.Context(), fence, createPartner()); err != nil {
			t.Errorf("%s: %v", transport, err)
		}
		if s.Effects() != 1 || s.Count("authenticate") != before+1 {
			t.Errorf("%s: done %d times, logged in %d times more", transport, s.Effects(), s.Count("authenticate")-before)
		}
	}
}
