package localodoo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// needOdoo skips a test that needs the real thing, and says how to run it.
func needOdoo(t *testing.T) {
	t.Helper()
	if os.Getenv("DOORMAN_TEST_ODOO") != "1" {
		t.Skip("SKIPPED: needs a real Odoo; set DOORMAN_TEST_ODOO=1 (`make test` does)")
	}
	if err := Available(); err != nil {
		t.Fatalf("DOORMAN_TEST_ODOO=1 is set, and no Odoo can be had here: %v", err)
	}
}

// testLog sends progress lines to the test's log.
type testLog struct{ t *testing.T }

func (l testLog) Write(p []byte) (int, error) {
	l.t.Log(strings.TrimSuffix(string(p), "\n"))
	return len(p), nil
}

// start starts a Host that ends with the test.
func start(t *testing.T, o Options) *Host {
	t.Helper()
	o.Log = testLog{t}
	h, err := Start(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		eventually(t, 5*time.Second, "no process left after Close", func() bool { return len(processesOf(h.work.dir)) == 0 })
	})
	return h
}

// database makes a database and serves to check its speed.
func database(t *testing.T, h *Host) string {
	t.Helper()
	begin := time.Now()
	db, err := h.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("fresh database after %v", time.Since(begin))
	if took := time.Since(begin); took > 5*time.Second {
		t.Errorf("a fresh database took %v, want about 1 s", took)
	}
	return db
}

// page asks a server for a page of a database.
func page(s *Server, db, path string, limit time.Duration) (int, string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), limit)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL()+path, nil)
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("X-Odoo-Database", db)
	req.Close = true
	resp, err := direct.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, string(body), err
}

func TestWarmStartIsFast(t *testing.T) {
	needOdoo(t)
	o := Options{Addons: []string{tinyAddon(t, "warm")}, Modules: []string{"tiny_one"}}
	start(t, o).Close()
	begin := time.Now()
	h := start(t, o)
	db, err := h.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Serve(t.Context(), ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if code, _, err := page(s, db, "/web/login", time.Minute); err != nil || code != 200 {
		t.Fatalf("first answer: %d %v", code, err)
	}
	took := time.Since(begin)
	t.Logf("from Start to the first page of a fresh database: %v", took)
	if took > 15*time.Second {
		t.Errorf("took %v, want under 15 s", took)
	}
}

// One host for everything that does not need its own.
func TestHost(t *testing.T) {
	needOdoo(t)
	h := start(t, Options{Addons: []string{tinyAddon(t, "host")}, Modules: []string{"tiny_one"}})
	a := database(t, h)

	t.Run("databases copied at once are independent", func(t *testing.T) {
		names := make([]string, 4)
		var all sync.WaitGroup
		for i := range names {
			all.Go(func() {
				var err error
				if names[i], err = h.NewDatabase(t.Context()); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		seen := map[string]bool{}
		for _, db := range append(names, a) {
			uuid, err := h.Psql(t.Context(), db, "SELECT value FROM ir_config_parameter WHERE key = 'database.uuid'")
			if err != nil {
				t.Fatal(err)
			}
			seen[db], seen[uuid] = true, true
		}
		if len(seen) != 10 {
			t.Errorf("5 names and 5 identities expected, got %d different values", len(seen))
		}
		for _, db := range names {
			if err := h.DropDatabase(t.Context(), db); err != nil {
				t.Error(err)
			}
		}
	})
	t.Run("shell commits, and an exception does not", func(t *testing.T) {
		out, err := h.Shell(t.Context(), a, "thing = env['tiny.thing'].create({'name': 'from the shell'})\nprint(thing.name)")
		if err != nil || out != "from the shell\n" {
			t.Fatalf("%q %v", out, err)
		}
		_, err = h.Shell(t.Context(), a, "env['tiny.thing'].create({'name': 'never'})\n1/0")
		if err == nil || !strings.Contains(err.Error(), "ZeroDivisionError") {
			t.Errorf("want the traceback, got %v", err)
		}
		names, err := h.Psql(t.Context(), a, "SELECT name FROM tiny_thing ORDER BY id")
		if err != nil || names != "host\nfrom the shell" {
			t.Errorf("%q %v", names, err)
		}
	})
	t.Run("Odoo's own tests", func(t *testing.T) { odooTests(t, h) })
	t.Run("two servers, two databases", func(t *testing.T) { twoServers(t, h, a, database(t, h)) })
	t.Run("the process for websockets lives", func(t *testing.T) { websocketProcess(t, h, a) })
	t.Run("stop, kill, pause, restart", func(t *testing.T) { upAndDown(t, h, a) })
	t.Run("a server that cannot start says why", func(t *testing.T) {
		_, err := h.Serve(t.Context(), ServeOptions{ExtraArgs: []string{"--no-such-option"}})
		if err == nil || !strings.Contains(err.Error(), "no such option") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("settings for throw-away data", func(t *testing.T) {
		if out, err := h.Psql(t.Context(), a, "SHOW fsync"); err != nil || out != "off" {
			t.Errorf("fsync is %q, %v", out, err)
		}
	})
}

func odooTests(t *testing.T, h *Host) {
	db := database(t, h)
	var log strings.Builder
	r, err := h.RunTests(t.Context(), db, "tiny_one", "", &log)
	if err != nil || r.Tests != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	r, err = h.RunTests(t.Context(), db, "tiny_one", "wrong", nil)
	if err == nil || r.Failed != 1 || !strings.Contains(err.Error(), "test_wrong") {
		t.Errorf("the failing test: %+v %v", r, err)
	}
	if _, err = h.RunTests(t.Context(), db, "tiny_one", "/tiny_one:NoSuchClass", nil); err == nil {
		t.Error("a run without any test passes as success")
	}
}

func twoServers(t *testing.T, h *Host, a, b string) {
	threaded, err := h.Serve(t.Context(), ServeOptions{Databases: []string{a, b}})
	if err != nil {
		t.Fatal(err)
	}
	prefork, err := h.Serve(t.Context(), ServeOptions{Workers: 2, Databases: []string{a, b}})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []*Server{threaded, prefork} {
		for _, db := range []string{a, b} {
			if code, body, err := page(s, db, "/web/login", 30*time.Second); err != nil || code != 200 || !strings.Contains(body, "login") {
				t.Errorf("%s of %s: %d %v", s.URL(), db, code, err)
			}
		}
		if err := s.Stop(); err != nil {
			t.Error(err)
		}
	}
}

func upAndDown(t *testing.T, h *Host, db string) {
	s, err := h.Serve(t.Context(), ServeOptions{Workers: 1, Databases: []string{db}})
	if err != nil {
		t.Fatal(err)
	}
	url := s.URL()
	up := func(what string) {
		t.Helper()
		if code, _, err := page(s, db, "/web/health", 10*time.Second); err != nil || code != 200 {
			t.Fatalf("%s: %d %v", what, code, err)
		}
	}
	down := func(what string) {
		t.Helper()
		if code, _, err := page(s, db, "/web/health", time.Second); err == nil {
			t.Fatalf("%s: still answers %d", what, code)
		}
	}
	restart := func(what string) {
		t.Helper()
		begin := time.Now()
		if err := s.Restart(t.Context()); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
		t.Logf("%s took %v", what, time.Since(begin))
		if s.URL() != url {
			t.Fatalf("%s: the port changed from %s to %s", what, url, s.URL())
		}
		up(what)
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(s.Pause())
	down("paused")
	must(s.Resume())
	up("resumed")
	restart("restart of a running server")
	must(s.Kill())
	down("killed")
	select {
	case <-s.Exited():
	default:
		t.Error("killed, and Exited is still open")
	}
	restart("restart after a kill")
	must(s.Stop())
	down("stopped")
	must(s.Stop())
	restart("restart after a stop")
	must(s.Pause())
	must(s.Stop())
	down("stopped while paused")
}

func TestDurableAndDemo(t *testing.T) {
	needOdoo(t)
	h := start(t, Options{Durable: true, Demo: true})
	db := database(t, h)
	for _, setting := range []string{"fsync", "synchronous_commit", "full_page_writes"} {
		if out, err := h.Psql(t.Context(), db, "SHOW "+setting); err != nil || out != "on" {
			t.Errorf("%s is %q, %v", setting, out, err)
		}
	}
	out, err := h.Psql(t.Context(), db, "SELECT count(*) > 10 FROM res_partner")
	if err != nil || out != "t" {
		t.Errorf("no demo partners: %q %v", out, err)
	}
}

// What cannot be installed is said in Odoo's words, and nothing of it is cached.
func TestBrokenAddon(t *testing.T) {
	needOdoo(t)
	addons := tinyAddon(t, "broken")
	broken := filepath.Join(addons, "tiny_one", "data.xml")
	if err := os.WriteFile(broken, []byte(`<odoo><record id="x" model="no.such.model"/></odoo>`), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{Addons: []string{addons}, Modules: []string{"tiny_one"}})
	if err == nil || !strings.Contains(err.Error(), "no.such.model") {
		t.Errorf("got %v", err)
	}
	if _, err := Start(t.Context(), Options{Modules: []string{"no_such_module"}}); err == nil || !strings.Contains(err.Error(), "no_such_module") {
		t.Errorf("got %v", err)
	}
}

// lineTrigger calls f when a line with the text comes by.
type lineTrigger struct {
	text string
	f    func()
}

func (l lineTrigger) Write(p []byte) (int, error) {
	if strings.Contains(string(p), l.text) {
		l.f()
	}
	return len(p), nil
}

// Interrupted in the middle of an installation: an error, no half layer, no process.
func TestInterruptedBuild(t *testing.T) {
	needOdoo(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	addons := tinyAddon(t, fmt.Sprintf("interrupted %d", time.Now().UnixNano()))
	log := lineTrigger{"Installing the modules tiny_one", func() { time.AfterFunc(500*time.Millisecond, cancel) }}
	begin := time.Now()
	_, err := Start(ctx, Options{Addons: []string{addons}, Modules: []string{"tiny_one"}, Log: log})
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("want the cancellation, got %v", err)
	}
	t.Logf("ended %v after the start", time.Since(begin))
	cache, err := cacheDir(Options{}, os.Getenv, mustAccount(t))
	if err != nil {
		t.Fatal(err)
	}
	if half, _ := filepath.Glob(filepath.Join(cache, "layers", ".addon-*")); len(half) > 0 {
		t.Errorf("half layers are left: %v", half)
	}
}

// The context that Start got is the life of the Host.
func TestContextEndsHost(t *testing.T) {
	needOdoo(t)
	ctx, cancel := context.WithCancel(t.Context())
	h, err := Start(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Serve(t.Context(), ServeOptions{Workers: 1})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := h.Close(); err != nil { // waits for what the cancellation began
		t.Error(err)
	}
	eventually(t, 5*time.Second, "no process left", func() bool { return len(processesOf(h.work.dir)) == 0 })
	if err := s.Restart(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("a restart after the end: %v", err)
	}
	if _, err := h.Serve(t.Context(), ServeOptions{}); !errors.Is(err, errClosed) {
		t.Errorf("a server after the end: %v", err)
	}
}

// mustAccount is the account that runs Odoo here.
func mustAccount(t *testing.T) account {
	t.Helper()
	if os.Geteuid() != 0 {
		return self()
	}
	acc, err := accountNamed("postgres")
	if err != nil {
		t.Fatal(err)
	}
	return acc
}
