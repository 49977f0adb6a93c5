package localodoo

import (
	"context"
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
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
		eventually(t, time.Minute, "no process left after Close", func() bool { return len(processesOf(h.work.dir)) == 0 })
	})
	return h
}

// database makes a database.
func database(t *testing.T, h *Host) string {
	t.Helper()
	db, err := h.NewDatabase(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// tinyOptions ask for the tiny addon, the same for every test: one layer in the cache.
func tinyOptions(t *testing.T) Options {
	t.Helper()
	return Options{Addons: []string{tinyAddon(t, "tiny")}, Modules: []string{"tiny_one"}}
}

// ownCache gives a test that looks at the cache, or fills it, one of its own.
// What takes minutes to make is the usual one's by links: Odoo itself and the
// base layer below o's addon, which stays locked until the test ends.
func ownCache(t *testing.T, o Options) Options {
	t.Helper()
	dir, err := os.MkdirTemp("", "doorman-cache-") //nolint:usetesting // t.TempDir fails a test whose folder cannot be emptied
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	log := &progress{w: testLog{t}}
	tools, usual, err := newToolchain(t.Context(), thisMachine(), o, log)
	if err != nil {
		t.Fatal(err)
	}
	tree, err := snapshot(o.Addons, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	l, err := newLayers(tools, o, tree)
	if err != nil {
		t.Fatal(err)
	}
	lock, err := l.parent.open(t.Context(), &builder{tools: tools, cache: usual, log: log})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lock.release)
	for _, name := range []string{"odoo", "pycache", filepath.Join("layers", filepath.Base(l.parent.dir(usual)))} {
		link := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(usual, name), link); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	o.CacheDir = dir
	return o
}

// leftOfAddons lists what a cache keeps of addon layers: finished ones, half ones, locks.
func leftOfAddons(t *testing.T, o Options) []string {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(o.CacheDir, "layers"))
	if err != nil {
		t.Fatal(err)
	}
	var left []string
	for _, e := range entries {
		if strings.Contains(e.Name(), "addon-") {
			left = append(left, e.Name())
		}
	}
	return left
}

// startLog starts a Host, ends it, and returns the lines that it said.
func startLog(t *testing.T, o Options) []string {
	t.Helper()
	var log strings.Builder
	o.Log = &log
	h, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	return strings.Split(strings.TrimSpace(log.String()), "\n")
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

// One host for everything that does not need its own.
func TestHost(t *testing.T) {
	needOdoo(t)
	t.Parallel()
	h := start(t, tinyOptions(t))
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
		for _, db := range slices.Concat(names, []string{a}) {
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
	t.Run("a database copied from a prepared one", func(t *testing.T) { preparedDatabase(t, h) })
	t.Run("a database is dropped when work in it has ended", func(t *testing.T) { dropAfterWork(t, h) })
	t.Run("shell", func(t *testing.T) { shellTests(t, h, a) })
	t.Run("Odoo's own tests", func(t *testing.T) { odooTests(t, h) })
	t.Run("servers", func(t *testing.T) { servers(t, h, a, database(t, h)) })
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

// preparedDatabase copies a database that is not the layer's: rows and files come along, the identity does not, and a
// database in use is refused.
func preparedDatabase(t *testing.T, h *Host) {
	from := database(t, h)
	prepare := "env['tiny.thing'].create({'name': 'prepared'})\nenv['ir.attachment'].create({'name': 'prepared', 'raw': b'a file' * 9})"
	if _, err := h.Shell(t.Context(), from, prepare); err != nil {
		t.Fatal(err)
	}
	db, err := h.NewDatabaseFrom(t.Context(), from)
	if err != nil {
		t.Fatal(err)
	}
	read := `
print(env['tiny.thing'].search_count([('name', '=', 'prepared')]))
print(env['ir.attachment'].search([('name', '=', 'prepared')]).raw == b'a file' * 9)
print(env['ir.config_parameter'].get_param('database.uuid'))`
	var identities []string
	for _, name := range []string{from, db} {
		out, err := h.Shell(t.Context(), name, read)
		if err != nil {
			t.Fatal(err)
		}
		uuid, found := strings.CutPrefix(out, "1\nTrue\n")
		if !found {
			t.Errorf("%s has %q", name, out)
		}
		identities = append(identities, uuid)
	}
	if identities[0] == identities[1] {
		t.Errorf("one identity for two databases: %q", identities)
	}
	file := filepath.Join(h.work.dir, "home", "begun-in-use")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var all sync.WaitGroup
	all.Go(func() { _, _ = h.Shell(ctx, from, blocked(file)) })
	begun(t, file)
	if _, err := h.NewDatabaseFrom(t.Context(), from); err == nil || !strings.Contains(err.Error(), "being accessed by other users") {
		t.Errorf("a database in use: %v", err)
	}
	cancel()
	all.Wait()
	for _, bad := range []string{"", "no_such_database", `x" OWNER odoo; --`} {
		if _, err := h.NewDatabaseFrom(t.Context(), bad); err == nil {
			t.Errorf("a copy of %q", bad)
		}
	}
}

func dropAfterWork(t *testing.T, h *Host) {
	db := database(t, h)
	var all sync.WaitGroup
	all.Go(func() {
		if _, err := h.Psql(t.Context(), db, "SELECT pg_sleep(1)"); err != nil {
			t.Errorf("cut off: %v", err)
		}
	})
	for working := ""; working != "1"; {
		var err error
		if working, err = h.Psql(t.Context(), db, "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(1)'"); err != nil {
			t.Fatal(err)
		}
	}
	if err := h.DropDatabase(t.Context(), db); err != nil {
		t.Error(err)
	}
	all.Wait()
}

func odooTests(t *testing.T, h *Host) {
	db := database(t, h)
	var log strings.Builder
	r, err := h.RunTests(t.Context(), db, "tiny_one", "", &log)
	if err != nil || r.Tests != 1 || !strings.Contains(log.String(), "Starting TestTiny.test_there_is_one") {
		t.Fatalf("%+v %v\n%s", r, err, log.String())
	}
	r, err = h.RunTests(t.Context(), db, "tiny_one", "wrong", nil)
	if err == nil || r.Failed != 1 || !strings.Contains(err.Error(), "test_wrong") {
		t.Errorf("the failing test: %+v %v", r, err)
	}
}

// servers has two servers for two databases. The prefork one then goes through what can happen to a server.
func servers(t *testing.T, h *Host, a, b string) {
	threaded, err := h.Serve(t.Context(), ServeOptions{Databases: []string{a}})
	if err != nil {
		t.Fatal(err)
	}
	prefork := preforkServer(t, h)
	for _, s := range []*Server{threaded, prefork} {
		for _, db := range []string{a, b} {
			if code, body, err := page(s, db, "/web/login", time.Minute); err != nil || code != 200 || !strings.Contains(body, "login") {
				t.Errorf("%s of %s: %d %v", s.URL(), db, code, err)
			}
		}
	}
	if err := threaded.Stop(); err != nil {
		t.Error(err)
	}
	t.Run("every worker opens the database", func(t *testing.T) { everyWorker(t, h, a) })
	t.Run("the process for websockets lives", func(t *testing.T) { websocketProcess(t, prefork, a) })
	t.Run("stop, kill, pause, restart", func(t *testing.T) { upAndDown(t, prefork, a) })
}

func upAndDown(t *testing.T, s *Server, db string) {
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
		if err := s.Restart(t.Context()); err != nil {
			t.Fatalf("%s: %v", what, err)
		}
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
	websockets, _ := children(t, s.proc.pid)
	must(s.Stop())
	down("stopped")
	for _, pid := range websockets {
		eventually(t, time.Minute, "the process for websockets gone after Stop", func() bool { return gone(pid) })
	}
	must(s.Stop())
	restart("restart after a stop")
	must(s.Pause())
	must(s.Stop())
	down("stopped while paused")
}

func TestDurableAndDemo(t *testing.T) {
	needOdoo(t)
	t.Parallel()
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
	t.Parallel()
	o := ownCache(t, tinyOptions(t))
	broken := filepath.Join(o.Addons[0], "tiny_one", "data.xml")
	if err := os.WriteFile(broken, []byte(`<odoo><record id="x" model="no.such.model"/></odoo>`), 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), o)
	if err == nil || !strings.Contains(err.Error(), "no.such.model") {
		t.Errorf("got %v", err)
	}
	if left := leftOfAddons(t, o); len(left) > 0 {
		t.Errorf("the cache keeps of it: %v", left)
	}
	o.Modules = []string{"no_such_module"}
	if _, err := Start(t.Context(), o); err == nil || !strings.Contains(err.Error(), "no_such_module") {
		t.Errorf("got %v", err)
	}
}

// Interrupted in the middle of an installation: an error, no half layer, no process.
func TestInterruptedBuild(t *testing.T) {
	needOdoo(t)
	t.Parallel()
	o := ownCache(t, tinyOptions(t))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	failed := make(chan error, 1)
	go func() {
		_, err := Start(ctx, o)
		failed <- err
	}()
	half := filepath.Join(o.CacheDir, "layers", ".addon-")
	eventually(t, time.Minute, "Odoo at work in the database of the half layer", func() bool {
		return strings.Contains(strings.Join(processesOf(half), "\n"), "odoo "+templateDB)
	})
	cancel()
	if err := <-failed; !errors.Is(err, context.Canceled) {
		t.Fatalf("want the cancellation, got %v", err)
	}
	if left := leftOfAddons(t, o); len(left) > 0 {
		t.Errorf("half layers are left: %v", left)
	}
	if left := processesOf(half); len(left) > 0 {
		t.Errorf("processes are left: %v", left)
	}
}

// The context that Start got is the life of the Host.
func TestContextEndsHost(t *testing.T) {
	needOdoo(t)
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	h, err := Start(ctx, Options{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := h.Serve(t.Context(), ServeOptions{})
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := h.Close(); err != nil { // waits for what the cancellation began
		t.Error(err)
	}
	eventually(t, time.Minute, "no process left", func() bool { return len(processesOf(h.work.dir)) == 0 })
	if err := s.Restart(t.Context()); !errors.Is(err, errClosed) {
		t.Errorf("a restart after the end: %v", err)
	}
	if _, err := h.Serve(t.Context(), ServeOptions{}); !errors.Is(err, errClosed) {
		t.Errorf("a server after the end: %v", err)
	}
}
