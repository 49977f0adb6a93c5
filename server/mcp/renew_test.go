package mcp_test

import (
	"errors"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

var anywhere = []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}

// TestAllowedAtOnce: what an administrator has just allowed works at the next call, though the refusal is remembered.
func TestAllowedAtOnce(t *testing.T) {
	t.Parallel()
	policy := func(how func(*access.Policy)) func(*access.Snapshot) {
		return func(s *access.Snapshot) { how(&s.Connection.Policy) }
	}
	rows := []struct {
		name     string
		closed   func(*access.Snapshot)
		refusal  string
		tool     string
		forgets  bool // the refusal is remembered for a second only, by a clock that no test turns
		reopened func(*access.Snapshot)
	}{
		{"a scope", policy(func(p *access.Policy) { p.Scopes = nil }), "not_allowed", "search_records", false, policy(func(p *access.Policy) { p.Scopes = access.Scopes })},
		{"a tool", policy(func(p *access.Policy) { p.AllowedTools = []string{} }), "not_allowed", "search_records", false, policy(func(p *access.Policy) { p.AllowedTools = nil })},
		{"a model", policy(func(p *access.Policy) { p.AllowedModels = []string{} }), "not_allowed", "search_records", false, policy(func(p *access.Policy) { p.AllowedModels = []string{"res.partner"} })},
		{"an address", policy(func(p *access.Policy) { p.BlockedIPs = anywhere }), "forbidden", "search_records", false, policy(func(p *access.Policy) { p.BlockedIPs = nil })},
		{"a tool for everyone", func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"search_records"} }, "not_allowed", "search_records", false, func(s *access.Snapshot) { s.Settings.DisabledTools = nil }},
		{"a module", func(s *access.Snapshot) { s.Settings.MissingModules = []string{"sale"} }, "needs_module", "search_records", false, func(s *access.Snapshot) { s.Settings.MissingModules = nil }},
		{"an address, for a tool that is not there", policy(func(p *access.Policy) { p.BlockedIPs = anywhere }), "forbidden", "no_such_tool", false, policy(func(p *access.Policy) { p.BlockedIPs = nil })},
		{"the connection", func(s *access.Snapshot) { s.Connection.Status = access.StatusInactive }, "forbidden", "search_records", true, func(s *access.Snapshot) { s.Connection.Status = access.StatusConnected }},
		{"the switch", func(s *access.Snapshot) { s.Settings.Enabled = false }, "forbidden", "search_records", true, func(s *access.Snapshot) { s.Settings.Enabled = true }},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f, at, limiter := newFake(), newClock(), newLimiter()
			row.closed(f.snapshot)
			s := mcp.New(mcp.Config{Gateway: f, Limiter: limiter, Identify: identify, Now: at.now})
			mcp.NeedModule(s, "search_records", "sale")
			server := serve(t, s)
			wants := func(kind string, resolves int) {
				t.Helper()
				if a := call(t, server, row.tool, searchPartners); a.kind() != kind {
					t.Fatalf("got %q, want %q: %s", a.kind(), kind, a.body)
				}
				if n := f.resolveCount(); n != resolves && !row.forgets {
					t.Fatalf("Odoo was asked %d times who this is, want %d", n, resolves)
				}
			}
			open := ""
			if row.tool == "no_such_tool" {
				open = "unknown_tool"
			}
			wants(row.refusal, 1)
			if !row.forgets {
				at.move(1900 * time.Millisecond)
				wants(row.refusal, 1)
			}
			at.move(2100 * time.Millisecond)
			wants(row.refusal, 2)
			f.change(row.reopened)
			at.move(2100 * time.Millisecond)
			wants(open, 3)
			wants(open, 3)
			at.move(10 * time.Second)
			wants(open, 3) // what is allowed asks nobody; but the fence
			counted := 6
			if row.refusal == "forbidden" {
				counted = 3 // the refused ones did not get past the door
			}
			if n := limiter.count("7"); n != counted {
				t.Errorf("%d calls were counted, want %d", n, counted)
			}
		})
	}
}

// TestEditedConnection: while somebody changes a policy back and forth, each call finds what holds at that moment, and
// the refusals of a connection that nobody touches go back to asking once in two seconds.
func TestEditedConnection(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	f.call = func(fence access.Fence, _ access.Request) (access.Reply, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		if fence.Version != f.snapshot.Connection.Version {
			s := *f.snapshot
			return access.Reply{Stale: &s}, nil
		}
		return reply(`[]`), nil
	}
	server := serve(t, mcp.New(mcp.Config{Gateway: f, Limiter: newLimiter(), Identify: identify, Now: at.now}))
	wants := func(what, kind string, resolves int) {
		t.Helper()
		if a := call(t, server, "search_records", searchPartners); a.kind() != kind {
			t.Fatalf("%s: got %q, want %q: %s", what, a.kind(), kind, a.body)
		}
		if n := f.resolveCount(); n != resolves {
			t.Fatalf("%s: Odoo was asked %d times who this is, want %d", what, n, resolves)
		}
	}
	wants("at first", "", 1)
	for round := range 3 {
		f.change(func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{} })
		wants("taken away", "not_allowed", 1+round)
		f.change(func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = nil })
		wants("given back", "", 2+round)
	}
	f.change(func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{} })
	wants("taken away for good", "not_allowed", 4)
	wants("still being edited", "not_allowed", 5)
	at.move(31 * time.Second)
	wants("left alone", "not_allowed", 6)
	wants("left alone, again", "not_allowed", 6)
}

// TestListFollows: tools/list shows what holds when it would otherwise be refused, and what it knows for its cache hint.
func TestListFollows(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	s := mcp.New(mcp.Config{Gateway: f, Limiter: newLimiter(), Identify: identify, Now: at.now})
	mcp.NeedModule(s, "search_records", "sale")
	server := serve(t, s)
	f.snapshot.Connection.Policy.BlockedIPs = anywhere
	f.snapshot.Settings.MissingModules = []string{"sale"}
	if a := send(t, server, listTools); a.status != 403 {
		t.Fatalf("%d %s", a.status, a.body)
	}
	f.change(func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = nil })
	at.move(3 * time.Second)
	a := send(t, server, listTools)
	if a.status != 200 || len(a.Result.Tools) != 12 || strings.Contains(a.body, `"search_records"`) {
		t.Fatalf("%d, %d tools: %.300s", a.status, len(a.Result.Tools), a.body)
	}
	if a := call(t, server, "search_records", searchPartners); a.kind() != "needs_module" || !strings.Contains(a.body, "the Odoo module sale") {
		t.Fatal(a.body)
	}
	for _, row := range s.Catalog() {
		want := map[string]string{"search_records": "sale", "run_sql": "doorman_code", "run_python": "doorman_code"}[row.Name]
		if row.NeedsModule != want {
			t.Errorf("%s needs %q in the catalog, want %q", row.Name, row.NeedsModule, want)
		}
	}
}

// TestSteadyRefusalsAreCheap: a client that does not give up costs Odoo one question in two seconds.
func TestSteadyRefusalsAreCheap(t *testing.T) {
	t.Parallel()
	f, at, limiter := newFake(), newClock(), newLimiter()
	f.snapshot.Connection.Policy.AllowedTools = []string{}
	server := endpoint(t, f, func(c *mcp.Config) { c.Now, c.Limiter = at.now, limiter })
	for range 100 { // 10 seconds
		call(t, server.URL, "search_records", searchPartners)
		at.move(100 * time.Millisecond)
	}
	if n := f.resolveCount(); n != 5 {
		t.Errorf("Odoo was asked %d times in 10 s, want 1 and then one every 2 s", n)
	}
	at.move(time.Minute)
	var together sync.WaitGroup
	for range 32 {
		together.Go(func() { call(t, server.URL, "search_records", searchPartners) })
	}
	together.Wait()
	if n := f.resolveCount(); n != 6 {
		t.Errorf("32 refusals at once asked %d times", n-5)
	}
	at.move(time.Minute)
	limiter.mu.Lock()
	limiter.after["7"] = 0
	limiter.mu.Unlock()
	if a := call(t, server.URL, "search_records", searchPartners); a.kind() != "rate_limited" {
		t.Fatal(a.body)
	}
	if n := f.resolveCount(); n != 6 {
		t.Error("a refusal by the rate asked Odoo")
	}
}

// TestRenewalThatFails: an outage opens nothing, and is not asked about again and again; a dead key is called dead.
func TestRenewalThatFails(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	f.snapshot.Connection.Policy.AllowedTools = []string{}
	server := endpoint(t, f, func(c *mcp.Config) { c.Now = at.now })
	wants := func(kind string, resolves int) {
		t.Helper()
		if a := call(t, server.URL, "search_records", searchPartners); a.kind() != kind || f.resolveCount() != resolves {
			t.Fatalf("%d resolves, want %d; want %s: %s", f.resolveCount(), resolves, kind, a.body)
		}
	}
	wants("not_allowed", 1)
	answer := func(err error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.resolve = func(access.Proof) (access.Resolution, error) { return access.Resolution{}, err }
	}
	answer(errors.New("down"))
	at.move(3 * time.Second)
	wants("not_allowed", 2)
	wants("not_allowed", 2)
	at.move(3 * time.Second)
	wants("not_allowed", 3)
	answer(access.Invalid())
	at.move(3 * time.Second)
	wants("unauthenticated", 4)
	if a := send(t, server.URL, listTools); a.status != 401 {
		t.Fatalf("%d %s", a.status, a.body)
	}
}
