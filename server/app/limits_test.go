package app_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/e2e/kit"
	"doorman/server/limit"
)

// overFake is a service over a fake Odoo with these connections.
func overFake(t *testing.T, connections []odootest.Connection, environ ...string) (*kit.Service, *odootest.Server) {
	t.Helper()
	o := odootest.New(t, odootest.Options{Connections: connections})
	return kit.Serve(t, append(fakeEnviron(o), environ...)...), o
}

// fakeEnviron is the service's configuration for a fake Odoo.
func fakeEnviron(o *odootest.Server) []string {
	return []string{
		"DOORMAN_ODOO_URL=" + o.URL(), "DOORMAN_ODOO_DB=" + o.Options().Database, "DOORMAN_ODOO_KEY=" + o.Options().Key,
		"DOORMAN_LOG_LEVEL=info",
	}
}

func withPolicy(credential string, p access.Policy) odootest.Connection {
	return odootest.Connection{Credential: credential, Snapshot: access.Snapshot{Connection: access.Connection{Policy: p}}}
}

// forged is an address that a client may claim to have.
func forged(r *rand.Rand) string {
	if r.IntN(4) == 0 {
		return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(r.IntN(256)), byte(r.IntN(256))}).String()
	}
	return netip.AddrFrom4([4]byte{10, byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))}).String()
}

// forgers are ways in which a client's own X-Forwarded-For reaches the service. The real client is the peer, or who the
// trusted proxy says it is: what the proxy appends.
var forgers = []struct {
	name    string
	environ []string
	headers func(claimed string) []string
	real    string
}{
	{"no proxy is trusted", nil, func(claimed string) []string { return []string{claimed} }, "127.0.0.1"},
	{
		"a trusted proxy appends", []string{"DOORMAN_TRUSTED_PROXIES=127.0.0.1"},
		func(claimed string) []string { return []string{claimed + ", 203.0.113.5"} }, "203.0.113.5",
	},
	{
		"a trusted proxy whose network is written as IPv6", []string{"DOORMAN_TRUSTED_PROXIES=::ffff:127.0.0.0/104"},
		func(claimed string) []string { return []string{claimed + ", 203.0.113.5"} }, "203.0.113.5",
	},
	{
		"a trusted proxy adds a line", []string{"DOORMAN_TRUSTED_PROXIES=127.0.0.1"},
		func(claimed string) []string { return []string{claimed, "203.0.113.5"} }, "203.0.113.5",
	},
}

// TestForgedAddresses: hundreds of requests that each claim another address are one client's.
func TestForgedAddresses(t *testing.T) {
	t.Parallel()
	const requests = 150 // more than any of the limits
	for _, f := range forgers {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			host := netip.MustParseAddr(f.real)
			s, o := overFake(t, []odootest.Connection{
				withPolicy("dmk_rated", access.Policy{RateMinute: 50}),
				withPolicy("dmk_inside", access.Policy{AllowedIPs: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("2001:db8::/32")}}),
				withPolicy("dmk_blocked", access.Policy{BlockedIPs: []netip.Prefix{netip.PrefixFrom(host, 32)}}),
			}, f.environ...)
			seed := uint64(time.Now().UnixNano())
			t.Logf("seed %d", seed)
			r := rand.New(rand.NewPCG(seed, 0))
			ask := func(key string) (status int, passed bool) {
				status, body := search(t, s.MCP, key, f.headers(forged(r))...)
				return status, strings.Contains(body, `"records"`)
			}
			count := func(key string) (passed int) {
				for range requests {
					if _, ok := ask(key); ok {
						passed++
					}
				}
				return passed
			}
			began := time.Now()
			if n := count("dmk_rated"); n < 50 || n > within(50, began) {
				t.Errorf("%d of %d calls passed a limit of 50 in %s", n, requests, time.Since(began))
			}
			if n := count("dmk_inside"); n != 0 {
				t.Errorf("%d of %d calls passed a list of allowed addresses that the client is not on", n, requests)
			}
			if n := count("dmk_blocked"); n != 0 {
				t.Errorf("%d of %d calls passed a block of the client's own address", n, requests)
			}
			before, limited := o.Count("resolve"), 0
			began = time.Now()
			for i := range requests {
				if status, _ := ask(fmt.Sprint("dmk_guess_", i)); status == http.StatusTooManyRequests {
					limited++
				}
			}
			if asked := o.Count("resolve") - before; asked < 120 || asked > within(120, began) || limited != requests-asked {
				t.Errorf("of %d guesses in %s %d reached Odoo and %d were limited, want 120 and %d", requests, time.Since(began), asked, limited, requests-120)
			}
		})
	}
}

// within is how many may have passed a limit a minute since then: that many, and on a machine that took longer than a minute
// over it, as many for each minute that has begun.
func within(limit int, began time.Time) int {
	return limit * (1 + int(time.Since(began)/time.Minute))
}

// search sends one tools/call with these X-Forwarded-For lines.
func search(t *testing.T, mcpURL, key string, forwarded ...string) (int, string) {
	t.Helper()
	var headers []string
	for _, line := range forwarded {
		headers = append(headers, "X-Forwarded-For", line)
	}
	r := kit.Post(t, mcpURL, key, "tools/call",
		kit.ToolCall("search_records", kit.Args{"model": "res.partner", "fields": []string{"name"}, "limit": 1}), headers...)
	return r.Status, r.Body
}

// TestExactlyTheLimit: 32 clients at once on one connection get what it may have, and not one more.
func TestExactlyTheLimit(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, []odootest.Connection{withPolicy("dmk_100", access.Policy{RateMinute: 100}), {
		Credential: "dmk_day", UsedToday: 9_990, Snapshot: access.Snapshot{Connection: access.Connection{Policy: access.Policy{RateDay: 10_000}}},
	}})
	for key, want := range map[string]int64{"dmk_100": 100, "dmk_day": 10} {
		if key == "dmk_day" && time.Now().UTC().Hour() == 0 && time.Now().UTC().Minute() < 2 {
			continue // the day has just turned: nothing is seeded then
		}
		before, began := len(o.Audit()), time.Now()
		var passed, refused atomic.Int64
		var together sync.WaitGroup
		for range 32 {
			together.Go(func() {
				for range 10 {
					switch _, body := search(t, s.MCP, key); {
					case strings.Contains(body, `"records"`):
						passed.Add(1)
					case strings.Contains(body, `"rate_limited"`):
						refused.Add(1)
					default:
						t.Errorf("%s: %s", key, body)
					}
				}
			})
		}
		together.Wait()
		most := want
		if key == "dmk_100" {
			most = int64(within(100, began))
		}
		if n := passed.Load(); n < want || n > most || refused.Load() != 320-n || int64(len(o.Audit())-before) != n {
			t.Errorf("%s: %d passed, %d refused, %d reached Odoo in %s; want %d", key, n, refused.Load(), len(o.Audit())-before, time.Since(began), want)
		}
	}
}

// TestReplicasShareTheLimit: 32 clients at once, half of them at each of two replicas, get together what one would.
func TestReplicasShareTheLimit(t *testing.T) {
	t.Parallel()
	redis := "DOORMAN_REDIS_URL=" + kit.Redis(t)
	first, o := overFake(t, []odootest.Connection{withPolicy("dmk_100", access.Policy{RateMinute: 100})}, redis)
	second := kit.Serve(t,
		"DOORMAN_ODOO_URL="+o.URL(), "DOORMAN_ODOO_DB="+o.Options().Database, "DOORMAN_ODOO_KEY="+o.Options().Key, redis)
	began := time.Now()
	var passed [2]atomic.Int64
	var together sync.WaitGroup
	for client := range 32 {
		together.Go(func() {
			for range 10 {
				replica := client % 2
				_, body := search(t, []*kit.Service{first, second}[replica].MCP, "dmk_100")
				switch {
				case strings.Contains(body, `"records"`):
					passed[replica].Add(1)
				case !strings.Contains(body, `"rate_limited"`):
					t.Errorf("replica %d: %s", replica, body)
				}
			}
		})
	}
	together.Wait()
	a, b := int(passed[0].Load()), int(passed[1].Load())
	if a+b < 100 || a+b > within(100, began) || a == 0 || b == 0 || len(o.Audit()) != a+b {
		t.Errorf("%d passed at one and %d at the other, %d reached Odoo in %s; want 100 together, some at each", a, b, len(o.Audit()), time.Since(began))
	}
}

// TestRedisDown: with a Redis that does not answer nobody is let in, readiness says why, and its password is nowhere.
func TestRedisDown(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil, "DOORMAN_REDIS_URL=redis://user:"+canary+"@127.0.0.1:1/0")
	status, _, body := kit.Get(t, http.MethodGet, s.URL+"/readyz")
	if status != http.StatusServiceUnavailable || !strings.Contains(body, "Redis cannot count") || !strings.Contains(body, "DOORMAN_REDIS_URL") {
		t.Errorf("readyz: %d %s", status, body)
	}
	status, called := search(t, s.MCP, odootest.DefaultCredential)
	if status != http.StatusOK || !strings.Contains(called, "The rate limits cannot be checked right now.") {
		t.Errorf("tools/call: %d %s", status, called)
	}
	status, header, listed := kit.Get(t, http.MethodPost, s.MCP, "Authorization", "Bearer "+odootest.DefaultCredential, "Accept", "application/json, text/event-stream")
	if status != http.StatusServiceUnavailable || header.Get("Retry-After") == "" {
		t.Errorf("tools/list: %d %s", status, listed)
	}
	if o.Count("call") != 0 {
		t.Error("a call reached Odoo")
	}
	if log := s.Log(); strings.Contains(body+called+listed+log, canary) || !strings.Contains(log, "rate limits cannot be checked") {
		t.Errorf("log: %s", log)
	}
}

// TestServiceTellsOdoo: the heartbeat says where AI tools reach it, and every job runs at the start.
func TestServiceTellsOdoo(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil)
	kit.Await(t, "the first runs", func() error {
		for _, job := range []string{"fold_use", "expire_connections", "purge_audit", "remind_expiry", "expire_invites", "remind_invited", "purge_oauth"} {
			if o.JobRuns(job) == 0 {
				return errors.New(job + " has not run")
			}
		}
		return kit.Unless(o.Count("hello") > 0 && o.Count("sync_catalog") > 0, "no heartbeat, or no catalog")
	})
	if said := o.LastHello(); said["url"] != s.MCP || said["version"] == "" {
		t.Errorf("it said %v", said)
	}
}

// TestLimitNames: a verdict of package limit becomes a rate of package access word for word.
func TestLimitNames(t *testing.T) {
	t.Parallel()
	if limit.PerMinute != access.LimitMinute || limit.PerDay != access.LimitDay {
		t.Fatal("the two packages name the limits differently")
	}
	m, now := limit.NewMemory(), time.Now()
	for _, l := range []limit.Limits{{Minute: 1, Day: 10}, {Minute: 10, Day: 1}} {
		for range 2 {
			v, err := m.Take(context.Background(), fmt.Sprint(l), l, now)
			if e := access.Limit(access.Rate(v)).Err(); err != nil || !v.Allowed && (e == nil || !strings.Contains(e.Message, "its limit of requests a "+v.Limit)) {
				t.Errorf("%+v: %+v %v %v", l, v, e, err)
			}
		}
	}
}
