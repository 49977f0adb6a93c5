package mcp_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/mcp"
)

// watched serves an endpoint. It says when a request's client has gone away, as the server sees it, and what was recorded
// besides what Odoo records itself.
func watched(t *testing.T, s *slowOdoo) (url string, gone <-chan struct{}, recorded func() []access.Event) {
	t.Helper()
	left := make(chan struct{}, 10)
	inner := mcp.New(mcp.Config{Gateway: s, Limiter: newLimiter(), Identify: identify, Version: "test"})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		stop := context.AfterFunc(r.Context(), func() { left <- struct{}{} })
		defer stop()
		inner.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, left, func() []access.Event {
		server.Close() // waits for the requests
		ended, end := context.WithCancel(context.Background())
		end()
		inner.Run(ended) // sends what is pending
		return s.events
	}
}

const (
	slowRead  = `{"name":"get_context","arguments":{}}`
	slowWrite = `{"name":"delete_records","arguments":` + deletePartner + `}`
)

// TestClientHangsUp: what only reads ends with its client. What writes ends where the protocol says that hanging up takes
// a request back, and is done otherwise: it may have been the network.
func TestClientHangsUp(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, era, params string
		streams, ends     bool
	}{
		{"a read", oldEra, slowRead, false, true},
		{"a read of 2026", newEra, slowRead, false, true},
		{"a read that streams", oldEra, slowRead, true, true},
		{"a read of 2026 that streams", newEra, slowRead, true, true},
		{"a write of 2026", newEra, slowWrite, false, true},
		{"a write of 2026 that streams", newEra, slowWrite, true, true},
		{"a write", oldEra, slowWrite, false, false},
		{"a write that streams", oldEra, slowWrite, true, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			odoo := newSlowOdoo(writer())
			url, gone, recorded := watched(t, odoo)
			ctx, hangUp := context.WithCancel(t.Context())
			params := row.params
			if row.streams && row.era == oldEra {
				params = withToken(params, `1`)
			}
			body := bodyOf(row.era, "tools/call", params)
			if row.streams && row.era == newEra {
				body = rawRequest("tools/call", withMeta(row.params, `1`))
			}
			returned := make(chan struct{})
			go func() {
				defer close(returned)
				if response, err := start(ctx, t, url, body, eraHeaders(row.era, "tools/call", row.params)...); err == nil {
					_, _ = io.Copy(io.Discard, response.Body)
					_ = response.Body.Close()
				}
			}()
			<-odoo.entered
			hangUp()
			<-returned
			<-gone
			if row.ends {
				if err := <-odoo.ended; !errors.Is(err, context.Canceled) || odoo.callCount() != 0 {
					t.Errorf("%v, %d calls", err, odoo.callCount())
				}
			} else {
				close(odoo.release)
				if err := <-odoo.ended; err != nil {
					t.Errorf("ended with %v", err)
				}
			}
			// Odoo has its own row of it, or has not done it: nothing is made up on top.
			if events := recorded(); len(events) > 0 {
				t.Errorf("recorded %+v", events)
			}
		})
	}
}

// notice takes the request back whose id is given as JSON.
func notice(id string) string {
	return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `,"reason":"enough"}}`
}

// TestNotice: notifications/cancelled ends the request that it names, of the same client, and the client still gets an
// answer that says how it stands.
func TestNotice(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, method, params string }{
		{"a read", "tools/call", slowRead},
		{"a write", "tools/call", slowWrite},
		{"a resource", "resources/read", uri("odoo://res.partner/1")},
		{"a read that streams", "tools/call", withToken(slowRead, `"x"`)},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			odoo := newSlowOdoo(writer())
			url, _, _ := watched(t, odoo)
			answers := make(chan answer, 1)
			go func() { answers <- send(t, url, rawRequest(row.method, row.params)) }()
			<-odoo.entered
			if a := send(t, url, notice(`"q-1"`)); a.status != http.StatusAccepted || a.body != "" {
				t.Fatalf("%d %s", a.status, a.body)
			}
			if err := <-odoo.ended; !errors.Is(err, context.Canceled) {
				t.Errorf("ended with %v", err)
			}
			if a := <-answers; !strings.Contains(a.body, "odoo_timeout") || !strings.Contains(a.body, "q-1") {
				t.Errorf("answered %s", a.body)
			}
			// The name is free again, and a notice that comes late is one of nothing.
			send(t, url, notice(`"q-1"`))
			go func() { answers <- send(t, url, rawRequest(row.method, row.params)) }()
			<-odoo.entered
			odoo.release <- struct{}{}
			if err := <-odoo.ended; err != nil {
				t.Error(err)
			}
			<-answers
		})
	}
}

// TestNoticeOfAnother: nobody ends the request of somebody else, nor one that it may not be.
func TestNoticeOfAnother(t *testing.T) {
	t.Parallel()
	const otherKey = "dmk_other"
	for _, row := range []struct {
		name    string
		twice   bool // the request is under way twice
		body    string
		headers []string
	}{
		{"another key", false, notice(`"q-1"`), []string{"Authorization", "Bearer " + otherKey}},
		{"no key", false, notice(`"q-1"`), []string{"Authorization", ""}},
		{"another program", false, notice(`"q-1"`), []string{"User-Agent", "other/1"}},
		{"another address", false, notice(`"q-1"`), []string{"X-Test-From", "192.0.2.77"}},
		{"another id", false, notice(`"q-2"`), nil},
		{"another kind of id", false, notice(`1`), nil},
		{"no id", false, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{}}`, nil},
		{"nothing", false, `{"jsonrpc":"2.0","method":"notifications/cancelled"}`, nil},
		{"an id that is a list", false, notice(`["q-1"]`), nil},
		{"two of one name", true, notice(`"q-1"`), nil},
		{"a request that looks like a notice", false, `{"jsonrpc":"2.0","method":"tools/list","id":1,"params":{"requestId":"q-1"}}`, nil},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			odoo := newSlowOdoo(writer())
			odoo.resolve = func(p access.Proof) (access.Resolution, error) {
				s := *odoo.snapshot
				if p == access.ProofOf(otherKey) {
					return access.Resolution{Snapshot: &s}, nil // another key of the same connection
				}
				if p != access.ProofOf(goodKey) {
					return access.Resolution{}, access.Invalid()
				}
				return access.Resolution{Snapshot: &s}, nil
			}
			url := endpoint(t, odoo.fakeGateway, odoo.gateway, func(c *mcp.Config) {
				c.Identify = func(r *http.Request) (netip.Addr, string) {
					if from := r.Header.Get("X-Test-From"); from != "" {
						return netip.MustParseAddr(from), "req-2"
					}
					return identify(r)
				}
			}).URL
			calls, answers := 1, make(chan answer, 2)
			if row.twice {
				calls = 2
			}
			for range calls {
				go func() { answers <- send(t, url, rawRequest("tools/call", slowWrite)) }()
				<-odoo.entered
			}
			send(t, url, row.body, row.headers...)
			close(odoo.release)
			for range calls {
				if err := <-odoo.ended; err != nil {
					t.Errorf("ended with %v", err)
				}
				if a := <-answers; a.kind() != "" || !strings.Contains(a.body, "Acme") {
					t.Errorf("answered %s", a.body)
				}
			}
		})
	}
}

// TestNoticesAreCounted: they are requests like others, and cost a client its own account only.
func TestNoticesAreCounted(t *testing.T) {
	t.Parallel()
	f, l := newFake(), newLimiter()
	l.after["7:other"] = 2
	url := endpoint(t, f, func(c *mcp.Config) { c.Limiter = l }).URL
	got := []int{}
	for range 3 {
		got = append(got, send(t, url, notice(`1`)).status)
	}
	if fmt.Sprint(got) != "[202 202 429]" || l.count("7") != 0 {
		t.Errorf("%v, %d calls", got, l.count("7"))
	}
}

// TestFloodIsRecorded: a call that did not even get to wait for Odoo has no row there, so the service tells of it; one that
// Odoo may have done has its own.
func TestFloodIsRecorded(t *testing.T) {
	t.Parallel()
	for kind, want := range map[access.Kind]int{access.RateLimited: 1, access.OdooTimeout: 0, access.OdooUnavailable: 0, access.BusinessRule: 0} {
		odoo := newSlowOdoo(writer())
		odoo.fakeGateway.call = func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{}, &access.Error{Kind: kind, Message: "No.", RetryAfter: 2e9}
		}
		close(odoo.release)
		url, _, recorded := watched(t, odoo)
		a := call(t, url, "delete_records", deletePartner)
		if a.kind() != string(kind) || a.Result.StructuredContent["retry_after_seconds"] != 2.0 {
			t.Errorf("%s: %s", kind, a.body)
		}
		if events := recorded(); len(events) != want || want > 0 && events[0].Reason != kind {
			t.Errorf("%s: recorded %+v", kind, events)
		}
	}
}
