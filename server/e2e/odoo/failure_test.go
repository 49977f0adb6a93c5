package odoo_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// deadline is DOORMAN_ODOO_TIMEOUT in these tests; recovery is what the README promises.
const (
	deadline = 2 * time.Second
	recovery = 5 * time.Second
)

// readiness asks a service, and tells what it says unless its status is this one.
func readiness(t *testing.T, s *kit.Service, want int) func() error {
	return func() error {
		status, _, body := kit.Get(t, http.MethodGet, s.URL+"/readyz")
		return kit.Unless(status == want, status, " ", body)
	}
}

// TestRealOdooFails: whatever happens to Odoo, a call ends by its deadline with the right kind, readiness tells, the
// process lives, and it works again within 5 seconds after Odoo does, without a restart.
func TestRealOdooFails(t *testing.T) {
	o := kit.OwnOdoo(t, 0, `connection("key", admin)`)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	answer := func(status int, contentType, body string) (breakIt, mendIt func(testing.TB)) {
		return func(testing.TB) {
			proxy.AnswerInstead(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", contentType)
				w.WriteHeader(status)
				_, _ = w.Write([]byte(body))
			})
		}, func(testing.TB) { proxy.AnswerInstead(nil) }
	}
	must := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	html, htmlMend := answer(200, "text/html", "<html><title>canary-page</title>Maintenance</html>")
	garbage, garbageMend := answer(200, "application/json", `{"jsonrpc":"2.0","id":1,"result":canary-garbage`)
	gateway, gatewayMend := answer(502, "text/html", "<h1>canary-502 Bad Gateway</h1>")
	rows := []struct {
		name          string
		direct        bool // the service talks to Odoo itself, not by way of the proxy
		kind          string
		breakIt, mend func(testing.TB)
	}{
		{"stopped", true, "odoo_unavailable", func(testing.TB) { must(o.Server.Kill()) }, func(testing.TB) { must(o.Server.Restart(t.Context())) }},
		{"hangs", true, "odoo_timeout", func(testing.TB) { must(o.Server.Pause()) }, func(testing.TB) { must(o.Server.Resume()) }},
		{"answers HTML", false, "odoo_unavailable", html, htmlMend},
		{"answers garbage", false, "odoo_unavailable", garbage, garbageMend},
		{"is behind a proxy that says 502", false, "odoo_unavailable", gateway, gatewayMend},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			at := proxy.URL
			if row.direct {
				at = o.Server.URL()
			}
			s := kit.Serve(t, append(o.EnvironAt(at), "DOORMAN_ODOO_TIMEOUT="+deadline.String())...)
			session := kit.Connect(t, s.MCP, o.Text("key"))
			search := map[string]any{"model": "res.partner", "limit": 1}
			if content, failed := kit.Call(t, session, "search_records", search); failed != "" {
				t.Fatal(content)
			}
			row.breakIt(t)
			start := time.Now()
			content, failed := kit.Call(t, session, "search_records", search)
			if took := time.Since(start); took > deadline+500*time.Millisecond {
				t.Errorf("took %s", took)
			}
			if failed != row.kind || strings.Contains(kit.Sprint(content), "canary") {
				t.Errorf("got %q: %v, want %q", failed, content, row.kind)
			}
			kit.Within(t, 10*time.Second, "readiness tells", readiness(t, s, http.StatusServiceUnavailable))
			row.mend(t)
			mended := time.Now()
			kit.Within(t, recovery, "calls work again", func() error { return kit.Search(t.Context(), s.MCP, o.Text("key")) })
			t.Logf("worked again after %s", time.Since(mended).Round(time.Millisecond))
			kit.Within(t, recovery, "readiness tells again", readiness(t, s, http.StatusOK))
		})
	}
}

// TestRealPostgresFails: without PostgreSQL, reads and changes are refused by every way with a time to wait, nobody is told that
// it may have been done, and all goes on when it is back.
func TestRealPostgresFails(t *testing.T) {
	t.Parallel()
	o := kit.OwnHost(t, 2, `connection("key", admin, scope_ids=[Command.set(env["doorman.scope"].search([]).ids)])`)
	services := map[string]*kit.Service{}
	for _, way := range []string{"doorman", "json2", "jsonrpc", "xmlrpc"} {
		services[way] = kit.Serve(t, append(o.Environ(), "DOORMAN_ODOO_TRANSPORT="+way)...)
		if err := kit.Search(t.Context(), services[way].MCP, o.Text("key")); err != nil {
			t.Fatalf("%s: %v", way, err)
		}
	}
	if err := o.Host.StopPostgres(); err != nil {
		t.Fatal(err)
	}
	for way, s := range services {
		for _, call := range []map[string]any{
			kit.ToolCall("search_records", map[string]any{"model": "res.partner", "limit": 1}),
			kit.ToolCall("create_records", map[string]any{"model": "res.partner", "records": []any{map[string]any{"name": "x"}}}),
			kit.ToolCall("update_records", map[string]any{"model": "res.partner", "ids": []int{1}, "values": map[string]any{"name": "x"}, "idempotency_key": "k"}),
		} {
			reply, err := kit.TryPost(t.Context(), s.MCP, o.Text("key"), "tools/call", call)
			if err != nil {
				t.Fatal(err)
			}
			content, failed := reply.Tool()
			if wait, _ := content["retry_after_seconds"].(float64); failed != "odoo_unavailable" || wait < 1 {
				t.Errorf("%s: %v: %q %v", way, call["name"], failed, content)
			}
			if said := kit.Sprint(content); strings.Contains(said, "may or may not") {
				t.Errorf("%s: %v: %s", way, call["name"], said)
			}
		}
	}
	if err := o.Host.StartPostgres(t.Context()); err != nil {
		t.Fatal(err)
	}
	for way, s := range services {
		kit.Within(t, recovery, way+" works again", func() error { return kit.Search(t.Context(), s.MCP, o.Text("key")) })
	}
}

// TestRealRestartBetweenCalls: an Odoo that was restarted does not cost the next call a stall or a failure.
func TestRealRestartBetweenCalls(t *testing.T) {
	o := kit.OwnOdoo(t, 0, `connection("key", admin)`)
	s := kit.Serve(t, o.Environ()...)
	for range 2 {
		if err := kit.Search(t.Context(), s.MCP, o.Text("key")); err != nil {
			t.Fatal(err)
		}
		if err := o.Server.Restart(t.Context()); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		start := time.Now()
		err := kit.Search(ctx, s.MCP, o.Text("key"))
		cancel()
		if err != nil {
			t.Fatalf("the call after a restart: %v", err)
		}
		t.Logf("took %s, the registry's loading included", time.Since(start).Round(time.Millisecond))
	}
}

// TestRealShutdown: at the order to stop, calls under way are answered.
func TestRealShutdown(t *testing.T) {
	o := kit.OwnOdoo(t, 0, `connection("key", admin)`)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	if err := kit.Search(t.Context(), s.MCP, o.Text("key")); err != nil {
		t.Fatal(err)
	}
	before := proxy.Requests()
	if err := o.Server.Pause(); err != nil {
		t.Fatal(err)
	}
	answered := make(chan error, 1)
	go func() { answered <- kit.Search(t.Context(), s.MCP, o.Text("key")) }()
	kit.Await(t, "the call is under way", func() error { return kit.Unless(proxy.Requests() > before, "no request of it has come") })
	stopped := make(chan error, 1)
	go func() { stopped <- s.Stop() }()
	kit.Await(t, "no new request is taken", func() error {
		answer, err := http.Get(s.URL + "/healthz")
		if err == nil {
			_ = answer.Body.Close()
		}
		return kit.Unless(err != nil, "it is answered")
	})
	if err := o.Server.Resume(); err != nil {
		t.Fatal(err)
	}
	if err := <-answered; err != nil {
		t.Errorf("the call under way was cut off: %v", err)
	}
	if err := <-stopped; err != nil {
		t.Errorf("serve returned %v", err)
	}
}
