package mcp_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"doorman/server/access"
	"doorman/server/mcp"
)

const (
	callContext = `{"jsonrpc":"2.0","id":%,"method":"tools/call","params":{"name":"get_context","arguments":{}}}`
	pingBody    = `{"jsonrpc":"2.0","id":%,"method":"ping"}`
)

// several is a batch of bodies, each with an id of its own.
func several(bodies ...string) string {
	for i := range bodies {
		bodies[i] = strings.ReplaceAll(bodies[i], "%", string(rune('1'+i)))
	}
	return "[" + strings.Join(bodies, ",") + "]"
}

// TestEachRequestCountsOnce: whatever becomes of a request, and however it is wrapped up.
func TestEachRequestCountsOnce(t *testing.T) {
	t.Parallel()
	search := func(args string) string {
		return `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":` + args + `}}`
	}
	nothing := func(*fakeGateway) {}
	rows := []struct {
		name, body   string
		calls, other int
		with         func(*fakeGateway)
	}{
		{"a call", search(searchPartners), 1, 0, nothing},
		{"a call on a decision that was stale", search(searchPartners), 1, 0, func(f *fakeGateway) {
			fresh := changed(f, func(*access.Policy) {})
			f.call = func(fence access.Fence, _ access.Request) (access.Reply, error) {
				if fence.Version != fresh.Connection.Version {
					return access.Reply{Stale: fresh}, nil
				}
				return reply(`[]`), nil
			}
		}},
		{"a call that the policy refuses", search(`{"model":"ir.rule"}`), 1, 0, nothing},
		{"a call with arguments that are none", search(`[]`), 1, 0, nothing},
		{"a call that Odoo fails", search(searchPartners), 1, 0, func(f *fakeGateway) {
			f.call = func(access.Fence, access.Request) (access.Reply, error) { return access.Reply{}, errors.New("no") }
		}},
		{"a call of a tool that is not there", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`, 1, 0, nothing},
		{"three calls in a batch", several(callContext, callContext, callContext), 3, 1, nothing},
		{"a list", listTools, 0, 1, nothing},
		{"a ping", pingBody, 0, 1, nothing},
		{"three pings in a batch", several(pingBody, pingBody, pingBody), 0, 3, nothing},
		{"a list dressed as a call", `{"jsonrpc":"2.0","id":1,"Method":"tools/call","method":"tools/list"}`, 0, 1, nothing},
		{"a call dressed as a list", `{"jsonrpc":"2.0","id":1,"Method":"tools/list","method":"tools/call","params":{"name":"get_context"}}`, 1, 0, nothing},
		{"a call and a list in one", `{"jsonrpc":"2.0","id":1,"method":"tools/list","method":"tools/call","params":{"name":"get_context"}}`, 0, 1, nothing},
		{"a call with a parameter twice", search(`{"model":"res.partner","model":"ir.rule"}`), 1, 0, nothing},
		{"what is not JSON", `nonsense`, 0, 1, nothing},

		{"a call through a connection that waits for activation", search(searchPartners), 0, 0, func(f *fakeGateway) { f.snapshot.Connection.Status = access.StatusInactive }},
		{"a call from a blocked address", search(searchPartners), 0, 0, func(f *fakeGateway) { f.snapshot.Connection.Policy.BlockedIPs = anywhere }},
		{"a call while the switch is off", search(searchPartners), 0, 0, func(f *fakeGateway) { f.snapshot.Settings.Enabled = false }},
		{"a list while the switch is off", listTools, 0, 0, func(f *fakeGateway) { f.snapshot.Settings.Enabled = false }},
		{"a call of a tool that is not there, from a blocked address", `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"x"}}`, 0, 0, func(f *fakeGateway) { f.snapshot.Connection.Policy.BlockedIPs = anywhere }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f, limiter := newFake(), newLimiter()
			row.with(f)
			server := endpoint(t, f, func(c *mcp.Config) { c.Limiter = limiter })
			a := send(t, server.URL, strings.ReplaceAll(row.body, "%", "1"), "MCP-Protocol-Version", "2025-03-26")
			if limiter.count("7") != row.calls || limiter.count("7:other") != row.other {
				t.Fatalf("counted %v, want %d and %d: %d %s", limiter.taken, row.calls, row.other, a.status, a.body)
			}
			for _, asked := range limiter.asked {
				if asked != "7 100 1000" && asked != "7:other 100 0" {
					t.Errorf("asked for %q", asked)
				}
			}
		})
	}
}

// TestRateRefusals: what is beyond a limit is refused before anything else of it is looked at, with when to come back.
func TestRateRefusals(t *testing.T) {
	t.Parallel()
	f, limiter := newFake(), newLimiter()
	limiter.after["7"] = 2
	server := endpoint(t, f, func(c *mcp.Config) { c.Limiter = limiter })
	for range 2 {
		if a := call(t, server.URL, "search_records", searchPartners); a.kind() != "" {
			t.Fatal(a.body)
		}
	}
	for name, args := range map[string]string{"search_records": searchPartners, "get_context": `{"x":1}`, "no_such_tool": `{}`} {
		a := call(t, server.URL, name, args)
		content := a.Result.StructuredContent
		if a.status != 200 || a.kind() != "rate_limited" || content["retry_after_seconds"] != 7.0 ||
			content["message"] != "This connection has reached its limit of requests a minute: 2." || content["hint"] != "Try again in 7 seconds." {
			t.Errorf("%s: %s", name, a.body)
		}
	}
	if n := f.callCount(); n != 2 {
		t.Errorf("Odoo was asked %d times", n)
	}
	// The two buckets are apart.
	if a := send(t, server.URL, listTools); a.status != 200 {
		t.Errorf("tools/list: %d %s", a.status, a.body)
	}
	limiter.mu.Lock()
	limiter.after["7:other"], limiter.after["7"] = 1, 3
	limiter.mu.Unlock()
	a := send(t, server.URL, listTools)
	if a.status != 429 || a.header.Get("Retry-After") != "7" || a.kind() != "rate_limited" {
		t.Errorf("tools/list: %d %v %s", a.status, a.header, a.body)
	}
	if a := call(t, server.URL, "search_records", searchPartners); a.kind() != "" {
		t.Error(a.body)
	}
}

// TestLimiterDown: while nobody knows how often, nobody passes, it is not called a refusal, and the log stays readable.
func TestLimiterDown(t *testing.T) {
	t.Parallel()
	f, limiter, at := newFake(), newLimiter(), newClock()
	var log bytes.Buffer
	s := mcp.New(mcp.Config{Gateway: f, Limiter: limiter, Identify: identify, Now: at.now, Log: zerolog.New(&log)})
	server := serve(t, s)
	limiter.fail(errors.New("connection refused"))
	for range 20 {
		at.move(time.Second)
		a := call(t, server, "search_records", searchPartners)
		content := a.Result.StructuredContent
		if a.status != 200 || a.kind() != "unavailable" || content["message"] != "The rate limits cannot be checked right now." || content["retry_after_seconds"] != 3.0 {
			t.Fatalf("tools/call: %d %s", a.status, a.body)
		}
		if a := send(t, server, listTools); a.status != 503 || a.header.Get("Retry-After") != "3" || a.kind() != "unavailable" {
			t.Fatalf("tools/list: %d %v %s", a.status, a.header, a.body)
		}
	}
	if n := f.callCount(); n != 0 {
		t.Errorf("Odoo was asked %d times", n)
	}
	if n := strings.Count(log.String(), "rate limits"); n != 1 || !strings.Contains(log.String(), `"level":"warn"`) {
		t.Errorf("said %d times: %s", n, log.String())
	}
	at.move(time.Minute)
	call(t, server, "search_records", searchPartners)
	if n := strings.Count(log.String(), "rate limits"); n != 2 {
		t.Errorf("a minute later said %d times", n)
	}
	limiter.fail(nil)
	if a := call(t, server, "search_records", searchPartners); a.kind() != "" {
		t.Fatal(a.body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
	if len(f.events) != 0 {
		t.Errorf("in the audit: %+v", f.events)
	}
}

// TestDayIsSeeded: the limiter learns what the audit knows, by the day that Odoo counted.
func TestDayIsSeeded(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for _, row := range []struct {
		name string
		at   time.Time
		used int
		want []string
	}{
		{"at noon", noon, 40, []string{"7 40 2026-11-22"}},
		{"in the last second of the day", noon.Add(12*time.Hour - time.Second), 40, []string{"7 40 2026-11-22"}},
		{"a minute into the day", noon.Add(12*time.Hour + time.Minute), 3, []string{"7 3 2026-11-23"}},
		{"by a clock of another zone", noon.Add(-11 * time.Hour).In(time.FixedZone("", -5*3600)), 40, []string{"7 40 2026-11-22"}},
		{"when the count may be yesterday's", noon.Add(12*time.Hour + time.Second), 9_999, nil},
		{"when nothing was used", noon, 0, nil},
	} {
		f, limiter, at := newFake(), newLimiter(), newClock()
		at.set(row.at)
		f.used = row.used
		server := endpoint(t, f, func(c *mcp.Config) { c.Limiter, c.Now = limiter, func() time.Time { return row.at } })
		call(t, server.URL, "search_records", searchPartners)
		call(t, server.URL, "search_records", searchPartners)
		if !slices.Equal(limiter.seeds, row.want) {
			t.Errorf("%s: %v, want %v", row.name, limiter.seeds, row.want)
		}
	}
}

// TestManyEventsGoInBatches: Odoo takes a thousand at once and would drop the others.
func TestManyEventsGoInBatches(t *testing.T) {
	t.Parallel()
	f := newFake()
	largest, rows := 0, 0
	f.record = func(events []access.Event) error {
		largest, rows = max(largest, len(events)), rows+len(events)
		return nil
	}
	var from netip.Addr // each in a network of its own: of one, only so many events are told apart
	s := mcp.New(mcp.Config{Gateway: f, Limiter: newLimiter(), Identify: func(*http.Request) (netip.Addr, string) { return from, "r" }})
	for i := range 1200 {
		from = netip.AddrFrom4([4]byte{10, byte(i >> 8), byte(i), 1})
		r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(listTools))
		r.Header.Set("Authorization", "Bearer dmk_wrong")
		s.ServeHTTP(httptest.NewRecorder(), r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx)
	if largest > 500 || rows != 1200 {
		t.Fatalf("%d rows, %d at once", rows, largest)
	}
}

// TestOutagesAreFree: a call that an outage ended does not use up the day; one that Odoo worked on does.
func TestOutagesAreFree(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		fails access.Kind // "" = it succeeds
		free  bool
	}{
		{"", false}, {access.OdooUnavailable, true}, {access.Updating, true}, {access.Unavailable, true},
		{access.OdooTimeout, false}, {access.Internal, false}, {access.NotFound, false}, {access.BusinessRule, false},
		{access.InvalidInput, false}, {access.Conflict, false}, {access.TooLarge, false},
	} {
		f, limiter := newFake(), newLimiter()
		f.snapshot.Connection.Policy.RateDay = 100
		f.call = func(access.Fence, access.Request) (access.Reply, error) {
			if row.fails != "" {
				return access.Reply{}, access.NewError(row.fails, "It failed.", "")
			}
			return reply(`[]`), nil
		}
		server := serve(t, mcp.New(mcp.Config{Gateway: f, Limiter: limiter, Identify: identify}))
		key := strconv.FormatInt(f.snapshot.Connection.ID, 10)
		for range 3 {
			call(t, server, "search_records", searchPartners)
		}
		want := 3
		if row.free {
			want = 0
		}
		if got := limiter.count(key); got != want {
			t.Errorf("%q: %d calls of the day are used up, want %d", row.fails, got, want)
		}
	}
}
