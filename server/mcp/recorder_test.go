package mcp_test

import (
	"context"
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
