package access_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
)

// cases is how many random cases a property is tried on.
const cases = 20_000

// dice returns a source of random cases, and says how to get the same ones again.
func dice(t *testing.T) *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

var (
	someTools = []access.Tool{search, create, orders, status, {
		Name: "search_accounts", Scope: access.ScopeSearch, Writes: true, Risk: access.RiskHigh, NeedsModule: "account",
	}}
	someModels = []string{"", "res.partner", "sale.order", "ir.rule", "doorman.audit", "doorman.connection", "account.move"}
	someIPs    = []string{"10.0.0.1", "10.0.0.9", "192.0.2.1", "::1", "2001:db8::9", "::ffff:10.0.0.1"}
	someNets   = []string{"10.0.0.0/8", "10.0.0.0/29", "192.0.2.1/32", "::/0", "2001:db8::/125", "0.0.0.0/0"}
	someFloors = []string{"doorman.", "ir.rule", "account.move", "sale."}
)

// some returns a random part of list.
func some[T any](r *rand.Rand, list []T) []T {
	out := []T{}
	for _, v := range list {
		if r.IntN(2) == 0 {
			out = append(out, v)
		}
	}
	return out
}

// maybe returns nil, or a random part of list.
func maybe[T any](r *rand.Rand, list []T) []T {
	if r.IntN(2) == 0 {
		return nil
	}
	return some(r, list)
}

func names(tools []access.Tool) (out []string) {
	for _, t := range tools {
		out = append(out, t.Name)
	}
	return out
}

// anySnapshot is mostly one that allows something, or nothing would be tried.
func anySnapshot(r *rand.Rand) *access.Snapshot {
	s := open()
	s.Settings.Enabled = r.IntN(20) > 0
	s.Settings.Floor = some(r, someFloors)
	s.Settings.MissingModules = some(r, []string{"account", "sale_management"})
	s.Settings.DisabledTools = some(r, names(someTools)[:1])
	if r.IntN(20) == 0 {
		s.Connection.Status = access.StatusRevoked
	}
	if r.IntN(4) == 0 {
		s.Connection.ExpiresAt = now.Add(time.Duration(r.IntN(3)-1) * time.Second)
	}
	p := &s.Connection.Policy
	p.Scopes = some(r, access.Scopes)
	p.ReadOnly = r.IntN(3) == 0
	p.AllowedTools, p.AllowedModels = maybe(r, names(someTools)), maybe(r, someModels[1:])
	if r.IntN(3) == 0 {
		p.AllowedIPs = prefixes(some(r, someNets)...)
	}
	if r.IntN(3) == 0 {
		p.BlockedIPs = prefixes(some(r, someNets)...)
	}
	p.Approvals = r.IntN(2) == 0
	return s
}

func anyCall(r *rand.Rand) access.Call {
	return access.Call{
		Tool: someTools[r.IntN(len(someTools))], Model: someModels[r.IntN(len(someModels))],
		IP: netip.MustParseAddr(someIPs[r.IntN(len(someIPs))]), Rate: access.Rate{Allowed: r.IntN(8) > 0},
	}
}

func pick[T any](r *rand.Rand, list []T) (v T) {
	if len(list) > 0 {
		v = list[r.IntN(len(list))]
	}
	return v
}

// without returns list without v; a list that was "everything" becomes all there is but v.
func without(list, everything []string, v string) []string {
	if list == nil {
		list = everything
	}
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == v })
}

// cuts take something away, and nothing else.
var cuts = map[string]func(*rand.Rand, *access.Snapshot, *access.Call){
	"the switch": func(_ *rand.Rand, s *access.Snapshot, _ *access.Call) { s.Settings.Enabled = false },
	"the status": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		s.Connection.Status = pick(r, []access.Status{access.StatusRevoked, access.StatusInactive, access.StatusExpired, "", "fine"})
	},
	"time": func(_ *rand.Rand, s *access.Snapshot, _ *access.Call) { s.Connection.ExpiresAt = now },
	"an allowed network": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		p := &s.Connection.Policy
		if len(p.AllowedIPs) == 0 {
			p.AllowedIPs = prefixes(pick(r, someNets))
		} else if len(p.AllowedIPs) > 1 { // the last one is the restriction itself
			p.AllowedIPs = p.AllowedIPs[1:]
		}
	},
	"a network, by blocking it": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		s.Connection.Policy.BlockedIPs = append(slices.Clone(s.Connection.Policy.BlockedIPs), prefixes(pick(r, someNets))...)
	},
	"the rate": func(_ *rand.Rand, _ *access.Snapshot, c *access.Call) {
		c.Rate = access.Rate{Limit: access.LimitMinute, Max: 1}
	},
	"a scope": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		gone := pick(r, s.Connection.Policy.Scopes)
		s.Connection.Policy.Scopes = slices.DeleteFunc(slices.Clone(s.Connection.Policy.Scopes), func(x access.Scope) bool { return x == gone })
	},
	"writing": func(_ *rand.Rand, s *access.Snapshot, _ *access.Call) { s.Connection.Policy.ReadOnly = true },
	"a tool, for everyone": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		s.Settings.DisabledTools = append(slices.Clone(s.Settings.DisabledTools), pick(r, someTools).Name)
	},
	"a tool": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		p := &s.Connection.Policy
		p.AllowedTools = without(p.AllowedTools, names(someTools), pick(r, someTools).Name)
	},
	"a module": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		s.Settings.MissingModules = append(slices.Clone(s.Settings.MissingModules), pick(r, []string{"account", "sale_management"}))
	},
	"a model": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		p := &s.Connection.Policy
		p.AllowedModels = without(p.AllowedModels, someModels, pick(r, someModels))
	},
	"a model, for everyone": func(r *rand.Rand, s *access.Snapshot, _ *access.Call) {
		s.Settings.Floor = append(slices.Clone(s.Settings.Floor), pick(r, someFloors))
	},
}

// rank orders decisions: refuse < allow.
func rank(d access.Decision) int {
	if d.Allowed() {
		return 1
	}
	return 0
}

// TestTakingAwayNeverAllowsMore: whatever a connection may do after a grant was removed, it could do before.
func TestTakingAwayNeverAllowsMore(t *testing.T) {
	t.Parallel()
	r := dice(t)
	mattered := map[string]int{}
	for range cases {
		before, call := anySnapshot(r), anyCall(r)
		// Of what is refused nothing can be taken: that it stays refused is tried on the few.
		for i := 0; i < 30 && rank(access.Decide(now, before, call)) == 0; i++ {
			before, call = anySnapshot(r), anyCall(r)
		}
		after, cutCall := *before, call
		what := pick(r, sortedKeys(cuts))
		cuts[what](r, &after, &cutCall)
		was, is := rank(access.Decide(now, before, call)), rank(access.Decide(now, &after, cutCall))
		if is > was {
			t.Fatalf("without %s it is %d, was %d\ncall %+v\nbefore %+v\nafter %+v", what, is, was, call, before, after)
		}
		if is < was {
			mattered[what]++
		}
	}
	for what := range cuts {
		if mattered[what] == 0 {
			t.Errorf("in %d cases, taking away %s never made a difference: nothing was tried", cases, what)
		}
	}
}

// TestApprovalsDecideNothing: that calls may wait for a person changes no decision here, in either direction. Odoo decides
// it by what a call really changes.
func TestApprovalsDecideNothing(t *testing.T) {
	t.Parallel()
	r := dice(t)
	for range cases {
		s, call := anySnapshot(r), anyCall(r)
		other := *s
		other.Connection.Policy.Approvals = !s.Connection.Policy.Approvals
		was, is := access.Decide(now, s, call), access.Decide(now, &other, call)
		if was.Allowed() != is.Allowed() || fmt.Sprint(was.Err()) != fmt.Sprint(is.Err()) {
			t.Fatalf("%v, but %v\n%+v %+v", was.Err(), is.Err(), call, s)
		}
	}
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// TestNoListIsEverythingAnEmptyOneNothing, for tools and models alike.
func TestNoListIsEverythingAnEmptyOneNothing(t *testing.T) {
	t.Parallel()
	r := dice(t)
	for range cases {
		s, call := anySnapshot(r), anyCall(r)
		decide := func(with func(*access.Policy)) int {
			changed := *s
			with(&changed.Connection.Policy)
			return rank(access.Decide(now, &changed, call))
		}
		all := decide(func(p *access.Policy) { p.AllowedTools, p.AllowedModels = nil, nil })
		named := decide(func(p *access.Policy) { p.AllowedTools, p.AllowedModels = names(someTools), someModels })
		if all != named {
			t.Fatalf("no list: %d, every name listed: %d\n%+v %+v", all, named, call, s)
		}
		if got := decide(func(p *access.Policy) { p.AllowedTools = []string{} }); got != 0 && !call.Tool.FollowUp {
			t.Fatalf("an empty list of tools: %d\n%+v %+v", got, call, s)
		}
		if got := decide(func(p *access.Policy) { p.AllowedModels = []string{} }); got != 0 && call.Model != "" {
			t.Fatalf("an empty list of models: %d\n%+v %+v", got, call, s)
		}
	}
}

// TestBlockedBeatsAllowed, however exactly the address is allowed.
func TestBlockedBeatsAllowed(t *testing.T) {
	t.Parallel()
	r := dice(t)
	for range cases {
		s, call := anySnapshot(r), anyCall(r)
		ip := call.IP.Unmap()
		blocked, err := ip.Prefix(r.IntN(ip.BitLen() + 1))
		if err != nil {
			t.Fatal(err)
		}
		s.Connection.Policy.AllowedIPs = append(slices.Clone(s.Connection.Policy.AllowedIPs), netip.PrefixFrom(ip, ip.BitLen()))
		s.Connection.Policy.BlockedIPs = []netip.Prefix{blocked}
		if rank(access.Decide(now, s, call)) > 0 || access.Admit(now, s, call.IP).Allowed() {
			t.Fatalf("%s passes although %s is blocked", call.IP, blocked)
		}
	}
}

// expand lists every address of a network.
func expand(p netip.Prefix) (out []netip.Prefix) {
	for ip := p.Masked().Addr(); p.Contains(ip); ip = ip.Next() {
		out = append(out, netip.PrefixFrom(ip, ip.BitLen()))
	}
	return out
}

// TestNetworkEqualsItsAddresses: a network is nothing but the list of its addresses, allowed or blocked, v4 or v6, at its
// borders as well.
func TestNetworkEqualsItsAddresses(t *testing.T) {
	t.Parallel()
	for _, network := range prefixes("10.1.2.8/29", "203.0.113.248/29", "2001:db8::8/125") {
		whole, single := []netip.Prefix{network}, expand(network)
		if len(single) != 8 {
			t.Fatalf("%s has %d addresses", network, len(single))
		}
		tried := []netip.Addr{single[0].Addr().Prev(), single[7].Addr().Next(), netip.MustParseAddr("192.0.2.1"), {}}
		for _, p := range single {
			tried = append(tried, p.Addr(), netip.AddrFrom16(p.Addr().As16()))
		}
		for _, ip := range tried {
			for name, set := range map[string]func(*access.Policy, []netip.Prefix){
				"allowed": func(p *access.Policy, list []netip.Prefix) { p.AllowedIPs = list },
				"blocked": func(p *access.Policy, list []netip.Prefix) { p.BlockedIPs = list },
			} {
				one, many := open(), open()
				set(&one.Connection.Policy, whole)
				set(&many.Connection.Policy, single)
				call := access.Call{Tool: search, IP: ip, Rate: counted}
				if a, b := access.Decide(now, one, call).Allowed(), access.Decide(now, many, call).Allowed(); a != b {
					t.Errorf("%s, %s %s: %v by the network, %v by its addresses", ip, name, network, a, b)
				}
			}
		}
	}
}

// TestFloorPrefixEqualsItsModels: a prefix of the floor is nothing but the list of the models under it.
func TestFloorPrefixEqualsItsModels(t *testing.T) {
	t.Parallel()
	var under []string
	for _, name := range []string{"connection", "audit", "settings", "tool", "scope", "policy.mixin", "a"} {
		under = append(under, "doorman."+name)
	}
	tried := append(slices.Clone(under), "doorman", "doorma", "doormanx", "doormen.audit", "x.doorman.audit", "res.partner", "")
	for _, model := range tried {
		short, long := open(), open()
		short.Settings.Floor, long.Settings.Floor = []string{"doorman."}, under
		call := on(search, model)
		a, b := access.Decide(now, short, call), access.Decide(now, long, call)
		if a.Allowed() != b.Allowed() || a.Allowed() == strings.HasPrefix(model, "doorman.") || fmt.Sprint(a.Err()) != fmt.Sprint(b.Err()) {
			t.Errorf("%q: %v by the prefix, %v by the names", model, a.Err(), b.Err())
		}
	}
}

// TestListShowsWhatMayBeCalled holds MayUse to Decide: of a connection that is let in at all, a tool is listed if and
// only if some call of it is allowed.
func TestListShowsWhatMayBeCalled(t *testing.T) {
	t.Parallel()
	r := dice(t)
	for range cases {
		s, ip := anySnapshot(r), netip.MustParseAddr(pick(r, someIPs))
		if !access.Admit(now, s, ip).Allowed() {
			continue
		}
		for _, tool := range someTools {
			callable := rank(access.Decide(now, s, access.Call{Tool: tool, IP: ip, Rate: counted})) > 0
			if listed := access.MayUse(s, tool); listed != callable {
				t.Fatalf("%s: listed %v, callable %v\n%+v", tool.Name, listed, callable, s)
			}
		}
	}
}
