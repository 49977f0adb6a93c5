package mcp_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// TestServedRequestsReachTheAudit: what is answered without Odoo shows that a connection is in use; it comes to the
// audit seldom and folded, apart from refusals of the same.
func TestServedRequestsReachTheAudit(t *testing.T) {
	t.Parallel()
	f, limiter := newFake(), newLimiter()
	s := mcp.New(mcp.Config{Gateway: f, Limiter: limiter, Identify: identify})
	server := serve(t, s)
	for _, body := range []string{
		listTools, listTools, listTools,
		`{"jsonrpc":"2.0","id":1,"method":"ping"}`,
		`{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"probe","version":"9"}}}`,
		`{"jsonrpc":"2.0","method":"notifications/initialized"}`,
		`{"jsonrpc":"2.0","id":1,"method":"no/such"}`,
	} {
		send(t, server, body)
	}
	limiter.after["7:other"] = 0
	send(t, server, listTools)
	type moment struct {
		after time.Duration
		e     access.Event
	}
	var got []moment
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		f.record = func(events []access.Event) error {
			for _, e := range events {
				got = append(got, moment{time.Since(start), e})
			}
			return nil
		}
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		time.Sleep(11 * time.Second) // of the bubble's clock
		cancel()
		<-done
	})
	counts := map[string]int{}
	for _, m := range got {
		e := m.e
		what := "refused "
		if e.Served {
			what = "served "
		}
		counts[what+e.Audit.Method] += e.Count
		wantAfter, wantReason := 2*time.Second, access.RateLimited
		if e.Served {
			wantAfter, wantReason = 10*time.Second, ""
		}
		if m.after != wantAfter || e.Reason != wantReason || e.Connection != 7 || e.Time.IsZero() || e.Audit.RequestID == "" || (e.Message == "") != e.Served {
			t.Errorf("after %s: %+v", m.after, e)
		}
		if e.Audit.Method == "initialize" && e.Audit.Client != "probe 9" {
			t.Errorf("client %q", e.Audit.Client)
		}
	}
	if len(got) != 3 || counts["served tools/list"] != 3 || counts["served initialize"] != 1 || counts["refused tools/list"] != 1 {
		t.Fatalf("%v", counts)
	}
}

// TestFloodsStaySmall: whoever is refused cannot make rows in Odoo's audit at will, nor fill the memory, nor the room of
// others, by sending each time something else.
func TestFloodsStaySmall(t *testing.T) {
	t.Parallel()
	f, limiter := newFake(), newLimiter()
	limiter.after["7"], limiter.after["7:other"] = 0, 0
	var from netip.Addr
	s := mcp.New(mcp.Config{Gateway: f, Limiter: limiter, Identify: func(*http.Request) (netip.Addr, string) { return from, "r" }})
	flood := func(key string, body func(i int) string, at func(i int) string) {
		for i := range 200 {
			from = netip.MustParseAddr(at(i))
			r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader(body(i)))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/json, text/event-stream")
			r.Header.Set("Authorization", "Bearer "+key)
			s.ServeHTTP(httptest.NewRecorder(), r)
		}
	}
	here := func(int) string { return "192.0.2.1" }
	long := strings.Repeat("x", 50_000)
	flood(goodKey, func(i int) string {
		return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"made_up_%d"}}`, i)
	}, here)
	flood(goodKey, func(i int) string { return fmt.Sprintf(`{"jsonrpc":"2.0","id":1,"method":"m%d%s"}`, i, long) }, here)
	flood("dmk_wrong", func(int) string { return listTools }, func(i int) string { return fmt.Sprintf("2001:db8:1:%x::1", i) })
	flood("dmk_wrong", func(int) string { return listTools }, func(int) string { return "203.0.113.9" })
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx) // sends what there is
	rows, calls, requests := map[int64]int{}, 0, 0
	for _, e := range f.events {
		rows[e.Connection]++
		if e.Audit.Method == "tools/call" {
			calls += e.Count
		}
		requests += e.Count
		if size := len(fmt.Sprint(e)); size > 1000 {
			t.Fatalf("an event of %d bytes waits for Odoo", size)
		}
	}
	// Of the connection 20 and one for the rest of each kind; of one network 20 and one; of the other one.
	if rows[7] != 22 || rows[0] != 22 || calls != 200 || requests != 800 {
		t.Errorf("%v rows, %d calls, %d requests", rows, calls, requests)
	}
}
