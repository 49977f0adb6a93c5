package odoo_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

const (
	canary      = "CANARY-7f3a9c"
	canaryKey   = "CANARYKEY0123456789abcdef"
	canaryCred  = "dmk_CANARYCRED"
	faultTime   = 400 * time.Millisecond // the deadline in the fault table
	faultGrace  = 500 * time.Millisecond
	memoryBound = 50 << 20
)

// faults are what may go wrong in one call, with the kind that comes of it. maybe = the error must not claim that
// nothing was done.
var faults = []struct {
	name  string
	fault odootest.Fault
	want  access.Kind
	maybe bool
	says  string // what the message has to hold
	only  string // transport, if it is not for all
}{
	{name: "slow but in time", fault: odootest.Fault{Kind: odootest.Slow, Delay: 20 * time.Millisecond}},
	{name: "slower than the deadline", fault: odootest.Fault{Kind: odootest.Slow, Delay: 30 * time.Second}, want: access.OdooTimeout, maybe: true},
	{name: "never answers", fault: odootest.Fault{Kind: odootest.Never}, want: access.OdooTimeout, maybe: true},
	{name: "trickles bytes", fault: odootest.Fault{Kind: odootest.Trickle}, want: access.OdooTimeout, maybe: true},
	{name: "page with status 200", fault: odootest.Fault{Kind: odootest.HTML}, want: access.OdooUnavailable, maybe: true},
	{name: "page with status 403", fault: odootest.Fault{Kind: odootest.HTML, Status: 403}, want: access.OdooUnavailable, says: "does not let the request through"},
	{name: "page with status 404", fault: odootest.Fault{Kind: odootest.HTML, Status: 404}, want: access.OdooUnavailable, says: "does not find its database"},
	{name: "page with status 405", fault: odootest.Fault{Kind: odootest.HTML, Status: 405}, want: access.OdooUnavailable, says: "does not let the request through"},
	{name: "page with status 401", fault: odootest.Fault{Kind: odootest.HTML, Status: 401}, want: access.OdooUnavailable, says: "own key"},
	{name: "page with status 413", fault: odootest.Fault{Kind: odootest.HTML, Status: 413}, want: access.TooLarge},
	{name: "page with status 429", fault: odootest.Fault{Kind: odootest.HTML, Status: 429}, want: access.OdooUnavailable, says: "slow down"},
	{name: "page with status 500", fault: odootest.Fault{Kind: odootest.HTML, Status: 500}, want: access.OdooUnavailable, maybe: true},
	{name: "502", fault: odootest.Fault{Kind: odootest.HTML, Status: 502}, want: access.OdooUnavailable, maybe: true},
	{name: "503", fault: odootest.Fault{Kind: odootest.HTML, Status: 503}, want: access.OdooUnavailable, maybe: true},
	{name: "504", fault: odootest.Fault{Kind: odootest.HTML, Status: 504}, want: access.OdooUnavailable, maybe: true},
	{name: "not HTTP at all", fault: odootest.Fault{Kind: odootest.Garbage}, want: access.OdooUnavailable, maybe: true},
	{name: "broken JSON", fault: odootest.Fault{Kind: odootest.InvalidJSON}, want: access.OdooUnavailable, maybe: true},
	{name: "answer cut short", fault: odootest.Fault{Kind: odootest.Truncated}, want: access.OdooUnavailable, maybe: true},
	{name: "answer to another request", fault: odootest.Fault{Kind: odootest.WrongID}, want: access.OdooUnavailable, maybe: true, only: odoo.TransportDoorman},
	{name: "answer to another request, jsonrpc", fault: odootest.Fault{Kind: odootest.WrongID}, want: access.OdooUnavailable, maybe: true, only: odoo.TransportJSONRPC},
	{name: "connection dropped before", fault: odootest.Fault{Kind: odootest.DropBefore}, want: access.OdooUnavailable, maybe: true},
	{name: "connection dropped after the commit", fault: odootest.Fault{Kind: odootest.DropAfterCommit}, want: access.OdooUnavailable, maybe: true},
	{name: "redirect to another host", fault: odootest.Fault{Kind: odootest.Redirect, Location: "https://evil.example/steal?t=" + canary}, want: access.OdooUnavailable, says: "evil.example"},
	{name: "exception with HTTP 200", fault: exception("odoo.exceptions.UserError", "Nice words.", 200), want: access.BusinessRule, says: "Nice words."},
	{name: "concurrency error", fault: exception("psycopg2.errors.SerializationFailure", "could not serialize "+canary, 0), want: access.Conflict},
	{name: "access error", fault: exception("odoo.exceptions.AccessError", "You are not allowed.", 0), want: access.Forbidden, says: "You are not allowed."},
	{name: "access denied", fault: exception("odoo.exceptions.AccessDenied", "Access Denied", 0), want: access.OdooUnavailable, says: "own key"},
	{name: "PostgreSQL gave up", fault: exception("psycopg2.errors.QueryCanceled", canary, 0), want: access.OdooTimeout},
	{name: "PostgreSQL is away", fault: exception("psycopg2.OperationalError", canary, 0), want: access.OdooUnavailable},
	{name: "an exception that nobody foresaw", fault: exception("odoo.addons.x.Weird", canary, 0), want: access.Internal},
}

func exception(name, message string, status int) odootest.Fault {
	return odootest.Fault{Kind: odootest.Exception, Name: name, Message: message, Status: status}
}

// TestFaults is every fault by every transport: right kind, in time, sent once, nothing leaks.
func TestFaults(t *testing.T) {
	t.Parallel()
	for _, row := range faults {
		for _, transport := range transports {
			if row.only != "" && row.only != transport {
				continue
			}
			t.Run(row.name+"/"+transport, func(t *testing.T) {
				t.Parallel()
				s, c, fence := faultyOdoo(t, transport)
				fault := row.fault
				fault.Methods = []string{"call"}
				s.Inject(fault)
				start := time.Now()
				_, err := c.Call(t.Context(), fence, createPartner())
				if d := time.Since(start); d > faultTime+faultGrace {
					t.Errorf("ended after %v", d)
				}
				if n := s.Count("call"); n != 1 {
					t.Errorf("sent %d times", n)
				}
				if row.want == "" {
					if err != nil {
						t.Error(err)
					}
					return
				}
				checkFault(t, err, row.want, row.maybe, row.says)
			})
		}
	}
}

// checkFault looks at the words of an error.
func checkFault(t *testing.T, err error, want access.Kind, maybe bool, says string) {
	t.Helper()
	e := wantKind(t, err, want)
	if !strings.Contains(e.Message, says) {
		t.Errorf("message %q, want %q in it", e.Message, says)
	}
	if maybe != strings.Contains(e.Message, "may or may not") {
		t.Errorf("message %q; may have been done: %v", e.Message, maybe)
	}
	if e.Kind == access.OdooUnavailable && e.RetryAfter == 0 && maybe {
		t.Error("no retry time")
	}
	noLeak(t, err)
}

// noLeak looks for what must be in no part of an error, the operator's included.
func noLeak(t *testing.T, err error) {
	t.Helper()
	e := access.AsError(err)
	all := e.Error() + e.Message + e.Hint + e.Detail
	proof := access.ProofOf(canaryCred)
	for _, secret := range []string{canary, canaryKey, canaryCred, proof.Hex(), "Traceback", "dist-packages", "<html"} {
		if strings.Contains(all, secret) {
			t.Errorf("%q leaks in %q", secret, all)
		}
	}
}

// faultyOdoo is a fake full of canaries, a client with a short deadline, and a fence.
func faultyOdoo(t *testing.T, transport string, change ...func(*odoo.Config)) (*odootest.Server, *odoo.Client, access.Fence) {
	t.Helper()
	s := odootest.New(t, odootest.Options{
		Key: canaryKey, Canary: canary, Connections: []odootest.Connection{{Credential: canaryCred}},
	})
	c := newClient(t, s, transport, append([]func(*odoo.Config){func(c *odoo.Config) { c.Timeout = faultTime }}, change...)...)
	proof := access.ProofOf(canaryCred)
	// The set-up may take longer than the deadline under test on a loaded machine, so it has a client of its own.
	snap := mustResolve(t, newClient(t, s, transport), proof)
	_, _ = c.Hello(t.Context()) // log in, where the way wants it
	return s, c, access.FenceOf(proof, snap)
}

func createPartner() access.Request {
	return access.Request{Model: "res.partner", Method: "create", Kwargs: map[string]any{"vals_list": []any{map[string]any{"name": "New"}}}}
}

// TestHugeAnswer sends 100 MB and watches the memory. Not parallel: it measures.
func TestHugeAnswer(t *testing.T) {
	for _, kind := range []odootest.FaultKind{odootest.Huge, odootest.HugeAnnounced} {
		for _, transport := range transports {
			s, c, fence := faultyOdoo(t, transport, func(c *odoo.Config) { c.Timeout = 20 * time.Second })
			s.Inject(odootest.Fault{Kind: kind, Methods: []string{"call"}})
			peak := watchHeap(t, func() {
				_, err := c.Call(t.Context(), fence, createPartner())
				e := wantKind(t, err, access.TooLarge)
				if !strings.Contains(e.Hint, "has done so") {
					t.Errorf("hint %q hides that the call was carried out", e.Hint)
				}
				noLeak(t, err)
			})
			t.Logf("%s: heap grew by %d MiB", transport, peak>>20)
			if peak > memoryBound {
				t.Errorf("%s: heap grew by %d MiB", transport, peak>>20)
			}
		}
	}
}

// watchHeap returns by how much the live heap grew at most while f ran.
func watchHeap(t *testing.T, f func()) uint64 {
	t.Helper()
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before, peak := m.HeapAlloc, uint64(0)
	done, ctx := make(chan struct{}), t.Context()
	go func() {
		defer close(done)
		f()
	}()
	for {
		select {
		case <-done:
			return peak
		case <-ctx.Done():
			return peak
		case <-time.After(5 * time.Millisecond):
			runtime.ReadMemStats(&m)
			if m.HeapAlloc > before {
				peak = max(peak, m.HeapAlloc-before)
			}
		}
	}
}

func TestCancelEndsACallAtOnce(t *testing.T) {
	t.Parallel()
	for _, transport := range append(transports, odoo.TransportAuto) {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s, c, fence := faultyOdoo(t, transport, func(c *odoo.Config) { c.Timeout = 30 * time.Second })
			s.Inject(odootest.Fault{Kind: odootest.Never, Methods: []string{"call"}})
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(50*time.Millisecond, cancel)
			start := time.Now()
			_, err := c.Call(ctx, fence, createPartner())
			e := wantKind(t, err, access.OdooTimeout)
			if !strings.Contains(e.Message, "cancelled") || time.Since(start) > faultGrace {
				t.Errorf("after %v: %v", time.Since(start), e)
			}
		})
	}
}

func TestRefusedConnection(t *testing.T) {
	t.Parallel()
	for _, transport := range append(transports, odoo.TransportAuto) {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s, c, fence := faultyOdoo(t, transport)
			s.Refuse()
			_, err := c.Call(t.Context(), fence, createPartner())
			e := wantKind(t, err, access.OdooUnavailable)
			if !strings.Contains(e.Message, "nothing was done") || e.RetryAfter == 0 {
				t.Errorf("%+v", e)
			}
			noLeak(t, err)
		})
	}
}

func TestConfigRefuses(t *testing.T) {
	t.Parallel()
	good := odoo.Config{URL: "http://odoo.example/base/", Database: "db", Key: canaryKey}
	if _, err := odoo.New(good); err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*odoo.Config){
		"no URL":              func(c *odoo.Config) { c.URL = "" },
		"no scheme":           func(c *odoo.Config) { c.URL = "odoo.example" },
		"another scheme":      func(c *odoo.Config) { c.URL = "ftp://odoo.example" },
		"a password":          func(c *odoo.Config) { c.URL = "http://u:" + canary + "@odoo.example" },
		"a query":             func(c *odoo.Config) { c.URL = "http://odoo.example/?token=" + canary },
		"a fragment":          func(c *odoo.Config) { c.URL = "http://odoo.example/#" + canary },
		"no URL at all":       func(c *odoo.Config) { c.URL = "http://[::1" + canary },
		"no database":         func(c *odoo.Config) { c.Database = "" },
		"a header in the db":  func(c *odoo.Config) { c.Database = "db\r\nX: " + canary },
		"no key":              func(c *odoo.Config) { c.Key = "" },
		"a key with line end": func(c *odoo.Config) { c.Key = canaryKey + "\n" },
		"unknown transport":   func(c *odoo.Config) { c.Transport = "soap" },
	} {
		t.Run(name, func(t *testing.T) {
			c := good
			change(&c)
			_, err := odoo.New(c)
			if err == nil {
				t.Fatal("accepted")
			}
			if strings.Contains(err.Error(), "CANARY") {
				t.Errorf("leaks: %v", err)
			}
			if _, ok := errors.AsType[*access.Error](err); ok {
				t.Error("a mistake in the configuration is not an answer of Odoo's")
			}
		})
	}
}
