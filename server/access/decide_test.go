package access_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

var now = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

var (
	search = access.Tool{Name: "search_records", Scope: access.ScopeSearch}
	create = access.Tool{Name: "create_records", Scope: access.ScopeORM, Writes: true}
	status = access.Tool{Name: "approval_status", Scope: access.ScopeMetadata, FollowUp: true}
	orders = access.Tool{Name: "search_orders", Scope: access.ScopeSearch, NeedsModule: "sale_management"}
)

var counted = access.Rate{Allowed: true}

// open is a connection that may do everything the tests ask for; each row takes something away.
func open() *access.Snapshot {
	return &access.Snapshot{
		Connection: access.Connection{
			ID: 1, Version: 1, Status: access.StatusConnected,
			Policy: access.Policy{
				Scopes: []access.Scope{access.ScopeSearch, access.ScopeORM}, RateMinute: 60, RateDay: 10_000,
			},
		},
		Settings: access.Settings{Enabled: true, Version: 1, Floor: []string{"doorman.", "ir.rule", "change.password."}},
	}
}

// research is a tool that a switch of the policy offers.
var research = access.Call{Tool: access.Tool{Name: "search", Scope: access.ScopeSearch, OnSwitch: true}, IP: netip.MustParseAddr("192.0.2.1"), Rate: counted}

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
	return access.Call{Tool: search, Model: "res.partner", IP: netip.MustParseAddr(ip), Rate: counted}
}

// on is a call of a tool on a model, within the limits.
func on(tool access.Tool, model string) access.Call {
	return access.Call{Tool: tool, Model: model, Rate: counted}
}

// rated is a search of which the limiter said this.
func rated(r access.Rate) access.Call {
	return access.Call{Tool: search, Model: "res.partner", Rate: r}
}

func TestDecide(t *testing.T) {
	t.Parallel()
	partners := on(search, "res.partner")
	nothing := func(*access.Snapshot) {}
	approvals := func(s *access.Snapshot) { s.Connection.Policy.Approvals = true }
	rows := []row{
		allow("an open connection searches", partners, nothing),
		allow("a tool without a model", on(search, ""), nothing),
		allow("a connection that was never used", partners, func(s *access.Snapshot) { s.Connection.Status = access.StatusAwaiting }),
		allow("an idle connection", partners, func(s *access.Snapshot) { s.Connection.Status = access.StatusIdle }),
		allow("a moment before its expiry", partners, func(s *access.Snapshot) { s.Connection.ExpiresAt = now.Add(1) }),
		allow("reading through a read-only connection", partners, func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }),
		allow("writing with the scope for it", on(create, "res.partner"), nothing),
		allow("a tool on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"search_records"} }),
		allow("a model on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"res.partner"} }),
		allow("an address inside the allowed network", from("10.1.2.3"), func(s *access.Snapshot) { s.Connection.Policy.AllowedIPs = prefixes("10.0.0.0/8") }),
		allow("an IPv6 address inside the allowed network", from("2001:db8::5"), func(s *access.Snapshot) { s.Connection.Policy.AllowedIPs = prefixes("2001:db8::/32") }),
		allow("an address beside the blocked network", from("10.1.2.3"), func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = prefixes("10.1.2.4/30") }),
		allow("a tool whose module is there", on(orders, "sale.order"), func(s *access.Snapshot) { s.Settings.MissingModules = []string{"sale", "stock"} }),
		allow("a model that only starts like one on the floor", on(search, "ir.rules"), nothing),
		allow("a model whose name holds one of the floor", on(search, "x.ir.rule"), nothing),
		allow("a model that is called as a prefix of the floor, without its dot", on(search, "doorman"), nothing),
		allow("a tool for research where it is offered", research, func(s *access.Snapshot) { s.Connection.Policy.ResearchTools = true }),
		deny(access.NotAllowed, "a tool for research where it is not offered", research, nothing),
		deny(access.NotAllowed, "one that is on the list of tools, and not offered", research, func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"search"} }),
		deny(access.NotAllowed, "one that is offered without its scope", research, func(s *access.Snapshot) {
			s.Connection.Policy.ResearchTools, s.Connection.Policy.Scopes = true, []access.Scope{access.ScopeORM}
		}),
		allow("following up with any scope", on(status, ""), nothing),
		allow("following up past the list of tools", on(status, ""), func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{} }),
		allow("where calls may wait: that is Odoo's to decide", on(create, "res.partner"), approvals),
		allow("following up where calls may wait", on(status, ""), approvals),

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
		deny(access.NotAllowed, "a scope that its user has no permission for", partners, func(s *access.Snapshot) {
			s.Connection.Policy.Scopes, s.Connection.Policy.Lacking = []access.Scope{access.ScopeMetadata}, []access.Scope{access.ScopeSearch}
		}),
		deny(access.NotAllowed, "a tool that names no scope", on(access.Tool{Name: "x"}, ""), func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{""} }),
		deny(access.ReadOnly, "writing through a read-only connection", on(create, "res.partner"), func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }),
		allow("reading while all connections are read-only", partners, func(s *access.Snapshot) { s.Settings.ReadOnlyBy = "Ann" }),
		allow("following up while all connections are read-only", on(status, ""), func(s *access.Snapshot) { s.Settings.ReadOnlyBy = "Ann" }),
		deny(access.ReadOnly, "writing while all connections are read-only", on(create, "res.partner"), func(s *access.Snapshot) { s.Settings.ReadOnlyBy = "Ann" }),
		deny(access.ReadOnly, "writing where calls may wait, while all are read-only", on(create, "res.partner"), func(s *access.Snapshot) {
			s.Connection.Policy.Approvals, s.Settings.ReadOnlyBy = true, "Ann"
		}),
		deny(access.NotAllowed, "the scope comes before all being read-only", on(create, ""), func(s *access.Snapshot) { s.Connection.Policy.Scopes, s.Settings.ReadOnlyBy = nil, "Ann" }),
		deny(access.NotAllowed, "following up without any scope", on(status, ""), func(s *access.Snapshot) { s.Connection.Policy.Scopes = nil }),
		deny(access.NotAllowed, "following up with a scope that nobody knows", on(status, ""), func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{"", "mcp:all"} }),
		deny(access.NotAllowed, "following up, switched off for everyone", on(status, ""), func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"approval_status"} }),
		deny(access.RateLimited, "following up beyond the minute", access.Call{Tool: status, Rate: access.Rate{Limit: access.LimitMinute, Max: 1}}, nothing),
		deny(access.NotAllowed, "a tool that is not on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"read_records"} }),
		deny(access.NotAllowed, "a list that lost its last tool", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{} }),
		deny(access.NotAllowed, "a tool switched off for everyone", partners, func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"search_records"} }),
		deny(access.NotAllowed, "a model that is not on the list", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"sale.order"} }),
		deny(access.NotAllowed, "a list that lost its last model", partners, func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{} }),
		deny(access.NotAllowed, "a model whose name only starts like an allowed one", on(search, "res.partner.bank"), func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"res.partner"} }),
		deny(access.RateLimited, "a call that nobody counted", rated(access.Rate{}), nothing),
		deny(access.RateLimited, "beyond the minute", rated(access.Rate{Limit: access.LimitMinute, Max: 60, RetryAfter: time.Second}), nothing),
		deny(access.RateLimited, "beyond the day", rated(access.Rate{Limit: access.LimitDay, Max: 10_000, RetryAfter: time.Hour}), nothing),
		deny(access.RateLimited, "beyond a limit nobody knows", rated(access.Rate{Limit: "week", Max: 1}), nothing),
		deny(access.Forbidden, "a blocked address comes before the rate", access.Call{Tool: search, IP: netip.MustParseAddr("10.1.2.3")}, func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = prefixes("10.0.0.0/8") }),
		deny(access.RateLimited, "the rate comes before the scope", rated(access.Rate{Limit: access.LimitDay, Max: 1}), func(s *access.Snapshot) { s.Connection.Policy.Scopes = nil }),
		deny(access.NotAllowed, "the scope comes before read only", on(create, ""), func(s *access.Snapshot) { s.Connection.Policy.Scopes, s.Connection.Policy.ReadOnly = nil, true }),
		deny(access.NeedsModule, "a tool whose module is not there", on(orders, "sale.order"), func(s *access.Snapshot) { s.Settings.MissingModules = []string{"sale_management"} }),
		deny(access.NotAllowed, "the tool list comes before the module", on(orders, "sale.order"), func(s *access.Snapshot) {
			s.Settings.MissingModules = []string{"sale_management"}
			s.Connection.Policy.AllowedTools = []string{"search_records"}
		}),
		deny(access.NeedsModule, "the module comes before the model", on(orders, "sale.order"), func(s *access.Snapshot) {
			s.Settings.MissingModules = []string{"sale_management"}
			s.Connection.Policy.AllowedModels = []string{"res.partner"}
		}),
		deny(access.NotAllowed, "a model on the floor", on(search, "ir.rule"), nothing),
		deny(access.NotAllowed, "a model on the floor that the policy allows", on(search, "ir.rule"), func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"ir.rule"} }),
		deny(access.NotAllowed, "a model under a prefix of the floor", on(search, "doorman.connection"), nothing),
		deny(access.NotAllowed, "a model deep under a prefix of the floor", on(search, "change.password.own"), func(s *access.Snapshot) { s.Connection.Policy.AllowedModels = []string{"change.password.own"} }),
		deny(access.NotAllowed, "a model on the floor where calls may wait: nobody is asked", on(search, "doorman.audit"), approvals),
		deny(access.NotAllowed, "a tool that is not on the list where calls may wait", partners, func(s *access.Snapshot) {
			s.Connection.Policy.Approvals, s.Connection.Policy.AllowedTools = true, []string{}
		}),
		deny(access.Forbidden, "the switch is off where calls may wait", partners, func(s *access.Snapshot) {
			s.Connection.Policy.Approvals, s.Settings.Enabled = true, false
		}),
		deny(access.ReadOnly, "reading only where calls may wait", on(create, "res.partner"), func(s *access.Snapshot) {
			s.Connection.Policy.Approvals, s.Connection.Policy.ReadOnly = true, true
		}),
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
	if access.Decide(now, &access.Snapshot{}, access.Call{Rate: counted}).Allowed() {
		t.Fatal("an empty snapshot allows")
	}
	if access.Limit(access.Rate{}).Allowed() || !access.Limit(counted).Allowed() {
		t.Fatal("the zero rate passes, or one that allows does not")
	}
}

// TestRateWords: who is refused learns which limit it was and when to come back.
func TestRateWords(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		rate            access.Rate
		message, inHint string
	}{
		{access.Rate{Limit: access.LimitMinute, Max: 100, RetryAfter: 300 * time.Millisecond}, "This connection has reached its limit of requests a minute: 100.", "in 1 second."},
		{access.Rate{Limit: access.LimitMinute, Max: 100, RetryAfter: 59*time.Second + 1}, "This connection has reached its limit of requests a minute: 100.", "in 60 seconds."},
		{access.Rate{Limit: access.LimitDay, Max: 10_000, RetryAfter: 90 * time.Minute}, "This connection has reached its limit of requests a day (UTC): 10000.", "in 90 minutes."},
		{access.Rate{Limit: access.LimitDay, Max: 10_000, RetryAfter: 5*time.Hour + time.Second}, "This connection has reached its limit of requests a day (UTC): 10000.", "in 6 hours."},
		{access.Rate{Limit: access.LimitDay, Max: 1}, "This connection has reached its limit of requests a day (UTC): 1.", "later"},
	} {
		e := access.Limit(row.rate).Err()
		if e == nil || e.Message != row.message || !strings.Contains(e.Hint, row.inHint) || e.RetryAfter != row.rate.RetryAfter {
			t.Errorf("%+v: %+v", row.rate, e)
		}
	}
}

// TestWhoseScopeItIs: a refusal says whether the connection or its user lacks it.
func TestWhoseScopeItIs(t *testing.T) {
	s := &access.Snapshot{Settings: access.Settings{Enabled: true}, Connection: access.Connection{Status: access.StatusConnected}}
	call := access.Call{Tool: access.Tool{Name: "x", Scope: access.ScopeSearch}, Rate: access.Rate{Allowed: true}}
	for _, c := range []struct {
		lacking []access.Scope
		code    string
	}{
		{nil, "scope_missing"}, {[]access.Scope{access.ScopeORM}, "scope_missing"}, {[]access.Scope{access.ScopeSearch}, "permission_missing"},
	} {
		s.Connection.Policy.Lacking = c.lacking
		if e := access.Decide(time.Now(), s, call).Err(); e == nil || e.Code != c.code {
			t.Errorf("%v: %v", c.lacking, e)
		}
	}
}
