package access_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"doorman/server/access"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var (
	search = access.Tool{Name: "search_records", Scope: access.ScopeSearch}
	create = access.Tool{Name: "create_records", Scope: access.ScopeORM, Writes: true}
)

// open is a connection that may do everything the tests ask for; each row takes something away.
func open() *access.Snapshot {
	return &access.Snapshot{
		Connection: access.Connection{
			ID: 1, Version: 1, Status: access.StatusConnected,
			Policy: access.Policy{Scopes: []access.Scope{access.ScopeSearch, access.ScopeORM}},
		},
		Settings: access.Settings{Enabled: true, Version: 1},
	}
}

type row struct {
	name string
	with func(*access.Snapshot)
	call access.Call
	want access.Kind // "" = allow
}

func allow(name string, c access.Call, with func(*access.Snapshot)) row {
	return row{name, with, c, ""}
}
func deny(kind access.Kind, name string, c access.Call, with func(*access.Snapshot)) row {
	return row{name, with, c, kind}
}

func prefixes(list ...string) (out []netip.Prefix) {
	for _, s := range list {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}

func from(ip string) access.Call {
	return access.Call{Tool: search, Model: "res.partner", IP: netip.MustParseAddr(ip)}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	partners := access.Call{Tool: search, Model: "res.partner"}
	nothing := func(*access.Snapshot) {}
	rows := []row{
		allow("an open connection searches", partners, nothing),
		allow("a tool without a model", access.Call{Tool: search}, nothing),
		allow("a connection that was never used", partners, func(s *access.Snapshot) { s.Connection.Status = access.StatusAwaiting }),
		allow("an idle connection", partners, func(s *access.Snapshot) { s.Connection.Status = access.StatusIdle }),
		allow("a moment before its expiry", partners, func(s *access.Snapshot) { s.Connection.ExpiresAt = now.Add(1) }),
		allow("reading through a read-only connection", partners, func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }),
		allow("writing with the scope for it", access.Call{Tool: create, Model: "res.partner"}, nothing),
		allow("a tool on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"search_records"} }),
		allow("a model on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"res.partner"} }),
		allow("an address inside the allowed network", from("10.1.2.3"), func(s *access.Snapshot) { s.Connection.Policy.AllowedIPs = prefixes("10.0.0.0/8") }),
		allow("an IPv6 address inside the allowed network", from("2001:db8::5"), func(s *access.Snapshot) { s.Connection.Policy.AllowedIPs = prefixes("2001:db8::/32") }),

		deny(access.Forbidden, "the master switch is off", partners, func(s *access.Snapshot) { s.Settings.Enabled = false }),
		deny(access.Forbidden, "the master switch comes before a revoked connection", partners, func(s *access.Snapshot) {
			s.Settings.Enabled = false
			s.Connection.Status = access.StatusRevoked
		}),
		deny(access.Unauthenticated, "revoked", partners, func(s *access.Snapshot) { s.Connection.Status = access.StatusRevoked }),
		deny(access.Unauthenticated, "expired by status", partners, func(s *access.Snapshot) { s.Connection.Status = access.StatusExpired }),
		deny(access.Unauthenticated, "a status nobody knows", partners, func(s *access.Snapshot) { s.Connection.Status = "fine" }),
		deny(access.Unauthenticated, "no status at all", partners, func(s *access.Snapshot) { s.Connection.Status = "" }),
		deny(access.Forbidden, "waiting for activation", partners, func(s *access.Snapshot) { s.Connection.Status = access.StatusInactive }),
		deny(access.Unauthenticated, "the very moment of its expiry", partners, func(s *access.Snapshot) { s.Connection.ExpiresAt = now }),
		deny(access.Forbidden, "a blocked address", from("10.1.2.3"), func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = prefixes("10.0.0.0/8") }),
		deny(access.Forbidden, "blocked beats allowed", from("10.1.2.3"), func(s *access.Snapshot) {
			s.Connection.Policy.AllowedIPs = prefixes("10.0.0.0/8")
			s.Connection.Policy.BlockedIPs = prefixes("10.1.2.3/32")
		}),
		deny(access.Forbidden, "a blocked address in its IPv6 dress", from("::ffff:10.1.2.3"), func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = prefixes("10.0.0.0/8") }),
		deny(access.Forbidden, "an address outside the allowed network", from("192.0.2.1"), func(s *access.Snapshot) { s.Connection.Policy.AllowedIPs = prefixes("10.0.0.0/8") }),
		deny(access.Forbidden, "no address at all where one is required", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedIPs = prefixes("10.0.0.0/8") }),
		deny(access.NotAllowed, "without any scope", partners, func(s *access.Snapshot) { s.Connection.Policy.Scopes = nil }),
		deny(access.NotAllowed, "with another scope", partners, func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{access.ScopeMetadata} }),
		deny(access.NotAllowed, "a tool that names no scope", access.Call{Tool: access.Tool{Name: "x"}}, func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{""} }),
		deny(access.ReadOnly, "writing through a read-only connection", access.Call{Tool: create, Model: "res.partner"}, func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }),
		deny(access.NotAllowed, "a tool that is not on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"read_records"} }),
		deny(access.NotAllowed, "a list that lost its last tool", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{} }),
		deny(access.NotAllowed, "a tool switched off for everyone", partners, func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"search_records"} }),
		deny(access.NotAllowed, "a model that is not on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"sale.order"} }),
		deny(access.NotAllowed, "a list that lost its last model", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{} }),
		deny(access.NotAllowed, "a model whose name only starts like an allowed one", access.Call{Tool: search, Model: "res.partner.bank"}, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"res.partner"} }),
	}
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			s := open()
			r.with(s)
			d := access.Decide(now, s, r.call)
			if r.want == "" {
				if !d.Allowed() || d.Err() != nil {
					t.Fatalf("refused: %v", d.Err())
				}
				return
			}
			if d.Allowed() || d.Err() == nil {
				t.Fatal("allowed")
			}
			if err := d.Err(); err.Kind != r.want || err.Message == "" || err.Hint == "" {
				t.Fatalf("got %q (message %q, hint %q), want kind %q with words", err.Kind, err.Message, err.Hint, r.want)
			}
		})
	}
}

func TestZeroDecisionRefuses(t *testing.T) {
	t.Parallel()
	var d access.Decision
	if d.Allowed() || d.Err() == nil {
		t.Fatal("the zero decision allows")
	}
	if access.Decide(now, &access.Snapshot{}, access.Call{}).Allowed() {
		t.Fatal("an empty snapshot allows")
	}
}

// TestListShowsWhatMayBeCalled holds MayUse to Decide: a tool is listed if and only if it may be called.
func TestListShowsWhatMayBeCalled(t *testing.T) {
	t.Parallel()
	takeAway := []func(*access.Snapshot){
		func(s *access.Snapshot) {},
		func(s *access.Snapshot) { s.Connection.Policy.Scopes = nil },
		func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{access.ScopeSearch} },
		func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true },
		func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"create_records"} },
		func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{} },
		func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"search_records"} },
	}
	for i, take := range takeAway {
		for j, also := range takeAway {
			s := open()
			take(s)
			also(s)
			for _, tool := range []access.Tool{search, create} {
				if listed, callable := access.MayUse(s, tool), access.Decide(now, s, access.Call{Tool: tool}).Allowed(); listed != callable {
					t.Errorf("%d+%d: %s listed %v, callable %v", i, j, tool.Name, listed, callable)
				}
			}
		}
	}
}

// narrow cuts an allow list down to what it has in common with keep.
func narrow(list *[]string, keep ...string) {
	out := []string{}
	for _, name := range keep {
		if *list == nil || slices.Contains(*list, name) {
			out = append(out, name)
		}
	}
	*list = out
}

// TestTakingAwayNeverAllowsMore: whatever is allowed after a grant is removed was allowed before.
func TestTakingAwayNeverAllowsMore(t *testing.T) {
	t.Parallel()
	cuts := map[string]func(*access.Snapshot){
		"scope": func(s *access.Snapshot) {
			s.Connection.Policy.Scopes = s.Connection.Policy.Scopes[:min(1, len(s.Connection.Policy.Scopes))]
		},
		"scopes":     func(s *access.Snapshot) { s.Connection.Policy.Scopes = nil },
		"read only":  func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true },
		"tools":      func(s *access.Snapshot) { narrow(&s.Connection.Policy.AllowedTools, "search_records") },
		"no tool":    func(s *access.Snapshot) { narrow(&s.Connection.Policy.AllowedTools) },
		"models":     func(s *access.Snapshot) { narrow(&s.Connection.Policy.AllowedModels, "sale.order") },
		"allowed ip": func(s *access.Snapshot) { s.Connection.Policy.AllowedIPs = prefixes("10.0.0.0/8") },
		"blocked ip": func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = prefixes("0.0.0.0/0") },
		"switch":     func(s *access.Snapshot) { s.Settings.Enabled = false },
		"revoked":    func(s *access.Snapshot) { s.Connection.Status = access.StatusRevoked },
		"expiry":     func(s *access.Snapshot) { s.Connection.ExpiresAt = now },
	}
	var calls []access.Call
	for _, tool := range []access.Tool{search, create} {
		for _, model := range []string{"", "res.partner", "sale.order"} {
			for _, ip := range []string{"10.0.0.1", "192.0.2.1", "::1"} {
				calls = append(calls, access.Call{Tool: tool, Model: model, IP: netip.MustParseAddr(ip)})
			}
		}
	}
	for first, cut := range cuts {
		for second, deeper := range cuts {
			before, after := open(), open()
			cut(before)
			cut(after)
			deeper(after)
			for _, call := range calls {
				if access.Decide(now, after, call).Allowed() && !access.Decide(now, before, call).Allowed() {
					t.Errorf("%s, then %s as well: allows %+v", first, second, call)
				}
			}
		}
	}
}
