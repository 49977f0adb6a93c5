package localodoo

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestCacheDir(t *testing.T) {
	env := func(value string) func(string) string {
		return func(name string) string {
			if name == "DOORMAN_CACHE" {
				return value
			}
			return ""
		}
	}
	me := self()
	if got, err := cacheDir(Options{CacheDir: "/tmp/a"}, env("/tmp/b"), me); err != nil || got != "/tmp/a" {
		t.Errorf("the option does not win: %s %v", got, err)
	}
	if got, err := cacheDir(Options{}, env("/tmp/b"), me); err != nil || got != "/tmp/b" {
		t.Errorf("the environment is not used: %s %v", got, err)
	}
	closed := filepath.Join(t.TempDir(), "closed")
	if err := os.Mkdir(closed, 0o700); err != nil {
		t.Fatal(err)
	}
	stranger := account{uid: 65533, gid: 65533, name: "stranger"}
	_, err := cacheDir(Options{CacheDir: filepath.Join(closed, "cache")}, env(""), stranger)
	if err == nil || !strings.Contains(err.Error(), closed) || !strings.Contains(err.Error(), "stranger") {
		t.Errorf("a cache that cannot be entered: %v", err)
	}
	t.Setenv("HOME", closed)
	got, err := cacheDir(Options{}, env(""), stranger)
	if os.Geteuid() == 0 {
		if err != nil || got != rootCache {
			t.Errorf("root with a closed home: %s %v", got, err)
		}
	} else if err == nil {
		t.Errorf("no usable cache, and no error: %s", got)
	}
}

func TestNormalize(t *testing.T) {
	dir := t.TempDir()
	o, err := Options{Addons: []string{dir}, Modules: []string{"b", "a", "b"}}.normalize()
	if err != nil || !slices.Equal(o.Modules, []string{"a", "b"}) {
		t.Errorf("got %+v %v", o, err)
	}
	for _, bad := range []Options{
		{Modules: []string{"a,b"}}, {Modules: []string{"--stop"}}, {Modules: []string{""}}, {Modules: []string{"x'y"}},
		{Addons: []string{filepath.Join(dir, "nowhere")}},
	} {
		if _, err := bad.normalize(); err == nil {
			t.Errorf("%+v passes", bad)
		}
	}
}

func TestSnapshotHash(t *testing.T) {
	root := tinyAddon(t, "one")
	hash := func() string {
		t.Helper()
		tree, err := snapshot([]string{root}, t.TempDir())
		if err != nil {
			t.Fatal(err)
		}
		return tree.hash
	}
	write := func(rel, text string) {
		t.Helper()
		path := filepath.Join(root, rel)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	first := hash()
	for _, same := range []string{"tiny_one/__pycache__/a.pyc", "tiny_one/.swp", "tiny_one/tests/test_new.py", "tiny_one/readme/USAGE.md", "tiny_one/data.xml~"} {
		write(same, "x")
		if hash() != first {
			t.Errorf("%s changes the hash, and no database depends on it", same)
		}
	}
	for _, other := range []string{"tiny_one/data.xml", "tiny_one/views/new.xml", "tiny_one/models.py", "tiny_two/__manifest__.py"} {
		before := hash()
		write(other, "y")
		if hash() == before {
			t.Errorf("%s does not change the hash", other)
		}
	}
	if err := os.Rename(filepath.Join(root, "tiny_one/views/new.xml"), filepath.Join(root, "tiny_one/views/newer.xml")); err != nil {
		t.Fatal(err)
	}
	if hash() == first {
		t.Error("a renamed file does not change the hash")
	}
}

// An addon folder and an addon may be links to a checkout.
func TestSnapshotFollowsLinks(t *testing.T) {
	checkout, addons, linked := tinyAddon(t, "linked"), t.TempDir(), filepath.Join(t.TempDir(), "addons")
	for link, to := range map[string]string{filepath.Join(addons, "tiny_one"): filepath.Join(checkout, "tiny_one"), linked: addons} {
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
	}
	plain, err := snapshot([]string{checkout}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	tree, err := snapshot([]string{linked}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	if tree.hash != plain.hash || tree.modules["tiny_one"] == "" {
		t.Errorf("through links: %+v, without: %+v", tree, plain)
	}
}

func TestAddonState(t *testing.T) {
	root := tinyAddon(t, "state")
	state := func() string {
		t.Helper()
		s, err := addonState([]string{root})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	first := state()
	models := filepath.Join(root, "tiny_one", "models.py")
	text, err := os.ReadFile(models)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(root, "tiny_one", ".swp"), text, 0o644); err != nil {
		t.Fatal(err)
	}
	if state() != first {
		t.Error("an editor's leftover counts as a change")
	}
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(models, later, later); err != nil {
		t.Fatal(err)
	}
	if state() == first {
		t.Error("a file written again, of the same length, does not count")
	}
}

func TestSplitPutsDependenciesIntoTheBaseLayer(t *testing.T) {
	root := t.TempDir()
	for name, manifest := range map[string]string{
		"mine":   "{'name': 'Mine', 'depends': ['mail', \"contacts\",\n  'helper'], 'data': ['x']}",
		"helper": "{'depends': ('portal',)}",
		"cyclic": "{'depends': ['cyclic']}",
	} {
		if err := os.MkdirAll(filepath.Join(root, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(root, name, "__manifest__.py"), []byte(manifest), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree, err := snapshot([]string{root}, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	own, extra := tree.split([]string{"mine", "cyclic", "crm"})
	if !slices.Equal(own, []string{"base", "contacts", "crm", "mail", "portal", "web"}) || !slices.Equal(extra, []string{"cyclic", "mine"}) {
		t.Errorf("own %v, extra %v", own, extra)
	}
}

// fakeTools is a toolchain that runs nothing.
type fakeTools struct{ toolchain }

func (fakeTools) key() string             { return "fake" }
func (fakeTools) account() account        { return account{uid: 7} }
func (fakeTools) hasModule(m string) bool { return m != "typo" }

func TestLayerKeys(t *testing.T) {
	tree := addonTree{modules: map[string]string{"mine": "/nowhere"}, hash: "h1"}
	plan := func(o Options, tree addonTree) *layer {
		t.Helper()
		l, err := newLayers(fakeTools{}, o, tree)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	one := plan(Options{Modules: []string{"mine"}}, tree)
	tree.hash = "h2"
	two := plan(Options{Modules: []string{"mine"}}, tree)
	if one.key == two.key || one.parent.key != two.parent.key {
		t.Error("an edit of the addon must change its layer and only that")
	}
	if family, _, _ := strings.Cut(one.key, "-"); !strings.HasPrefix(two.key, family+"-") {
		t.Error("two states of one addon are not of one family")
	}
	if demo := plan(Options{Modules: []string{"mine"}, Demo: true}, tree); demo.parent.key == one.parent.key {
		t.Error("demo data shares the layer without")
	}
	if plain := plan(Options{}, tree); plain.kind != "base" || plain.key != one.parent.key {
		t.Error("a plain Odoo is not the layer below the addon")
	}
	if _, err := newLayers(fakeTools{}, Options{Modules: []string{"typo"}}, tree); err == nil || !strings.Contains(err.Error(), "typo") {
		t.Errorf("an unknown module: %v", err)
	}
}

func TestPruneKeepsTheNewestAndThoseInUse(t *testing.T) {
	b := &builder{cache: t.TempDir()}
	var inUse *fileLock
	for i, name := range []string{"addon-f-8", "addon-f-7", "addon-f-6", "addon-f-5", "addon-f-4", "addon-f-3", "addon-f-2", "addon-f-1", "addon-g-9"} {
		dir := filepath.Join(b.cache, "layers", name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		used := time.Now().Add(-time.Duration(i) * time.Hour)
		if err := os.Chtimes(dir, used, used); err != nil {
			t.Fatal(err)
		}
		if name == "addon-f-1" {
			var err error
			if inUse, err = tryLock(dir+".lock", false); err != nil {
				t.Fatal(err)
			}
		}
	}
	defer inUse.release()
	b.prune(&layer{kind: "addon", key: "f-8"})
	left, _ := filepath.Glob(filepath.Join(b.cache, "layers", "*-?"))
	for i := range left {
		left[i] = filepath.Base(left[i])
	}
	if !slices.Equal(left, []string{"addon-f-1", "addon-f-3", "addon-f-4", "addon-f-5", "addon-f-6", "addon-f-7", "addon-f-8", "addon-g-9"}) {
		t.Errorf("left: %v", left)
	}
}

func TestLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.lock")
	first, err := tryLock(path, true)
	if err != nil || first == nil {
		t.Fatal(err)
	}
	if second, err := tryLock(path, false); err != nil || second != nil {
		t.Errorf("a second lock is had: %v %v", second, err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	told := 0
	if _, err := waitLock(ctx, path, true, func() { told++ }); !errors.Is(err, context.DeadlineExceeded) || told != 1 {
		t.Errorf("waiting: %v, said %d times", err, told)
	}
	first.release()
	a, err := tryLock(path, false)
	if err != nil || a == nil {
		t.Fatal(err)
	}
	defer a.release()
	if b, err := tryLock(path, false); err != nil || b == nil {
		t.Errorf("two shared locks exclude each other: %v", err)
	} else {
		b.release()
	}
}

func TestSweepTellsLiveFromDead(t *testing.T) {
	root := t.TempDir()
	t.Setenv("TMPDIR", root)
	make := func(name string, lockFile bool) string {
		t.Helper()
		dir := filepath.Join(root, workPrefix+name)
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		if lockFile {
			if err := os.WriteFile(filepath.Join(dir, liveLock), nil, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
	live, dead, foreign := make("live", true), make("dead", true), make("foreign", false)
	lock, err := tryLock(filepath.Join(live, liveLock), true)
	if err != nil {
		t.Fatal(err)
	}
	defer lock.release()
	sweep(root)
	for dir, want := range map[string]bool{live: true, dead: false, foreign: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s is there: %v, want %v", filepath.Base(dir), err == nil, want)
		}
	}
}

func TestContainerCommand(t *testing.T) {
	w := &workdir{dir: "/tmp/doorman-odoo-x"}
	c := &containers{program: "docker", acc: account{uid: 1000, gid: 1001}, cache: "/cache"}
	s := c.odoo(w, []string{"/repo/addon"}, "server", "--workers", "2")
	line := s.path + " " + strings.Join(s.args, " ")
	for _, part := range []string{
		"docker run --rm -i --init --name " + s.container,
		"--network host", "--user 1000:1001", "--security-opt label=disable",
		"--volume /tmp/doorman-odoo-x:/tmp/doorman-odoo-x ", "--volume /cache:/cache ", "--volume /repo/addon:/repo/addon:ro",
		"--env PYTHONPYCACHEPREFIX=/cache/pycache",
		"--entrypoint /usr/bin/python3 odoo:19 /usr/bin/odoo server --workers 2 --addons-path /repo/addon",
	} {
		if !strings.Contains(line, part) {
			t.Errorf("%q is missing in\n%s", part, line)
		}
	}
	s = c.pg(w, "postgres", "-D", "/d")
	if line := strings.Join(s.args, " "); !strings.HasSuffix(line, "--entrypoint /usr/lib/postgresql/16/bin/postgres postgres:16 -D /d") {
		t.Errorf("got %s", line)
	}
	c.program = "podman"
	line = strings.Join(c.pg(w, "initdb").args, " ")
	if !strings.Contains(line, "--userns keep-id") || !strings.Contains(line, "docker.io/library/postgres:16") {
		t.Errorf("podman: %s", line)
	}
}

func TestPackagesCommand(t *testing.T) {
	w := &workdir{dir: "/tmp/w"}
	p := &packages{tree: "/cache/odoo/1", cache: "/cache", pgBin: "/pg/bin"}
	s := p.odoo(w, []string{"/a", "/b"}, "server")
	if s.path != "/usr/bin/python3" || strings.Join(s.args, " ") != "/cache/odoo/1/usr/bin/odoo server --addons-path /a,/b" {
		t.Errorf("got %s %v", s.path, s.args)
	}
	if !slices.Contains(s.env, "PYTHONPATH=/cache/odoo/1/usr/lib/python3/dist-packages") || !slices.Contains(s.env, "HOME=/tmp/w/home") {
		t.Errorf("environment %v", s.env)
	}
}

func TestServerCommand(t *testing.T) {
	h := &Host{work: &workdir{dir: "/tmp/w"}, tools: fakeTools{}}
	s := &Server{host: h, port: 15001, gevent: 15002, opts: ServeOptions{Workers: 2, ExtraArgs: []string{"--log-sql"}}}
	line := strings.Join(s.args(), " ")
	for _, part := range []string{"server --db_host /tmp/w/socket", "--data-dir /tmp/w/data", "--http-interface 127.0.0.1",
		"--http-port 15001 --gevent-port 15002 --workers 2", "--max-cron-threads 0"} {
		if !strings.Contains(line, part) {
			t.Errorf("%q is missing in %s", part, line)
		}
	}
	if strings.Contains(line, " -d ") || strings.Contains(line, "--database") {
		t.Errorf("bound to a database: %s", line)
	}
	if s.args()[len(s.args())-1] != "--log-sql" {
		t.Error("extra arguments do not come last")
	}
}

// Hosts of several processes choose ports at the same time, long before Odoo listens on them.
func TestPortIsHeld(t *testing.T) {
	port, hold, err := FreePort()
	if err != nil {
		t.Fatal(err)
	}
	defer hold.Close()
	if second, err := holdPort(port); err == nil {
		second.Close()
		t.Errorf("port %d is had twice", port)
	}
	if c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
		c.Close()
		t.Error("somebody answers on a port that is only held")
	}
	// Go listens with SO_REUSEADDR, as Odoo does.
	l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		t.Fatalf("the server itself cannot listen: %v", err)
	}
	l.Close()
	hold.Close()
	again, err := holdPort(port)
	if err != nil {
		t.Fatalf("a port that was given back: %v", err)
	}
	again.Close()
}

func TestPostgresListensOnNoPort(t *testing.T) {
	w := &workdir{dir: "/tmp/w"}
	off := strings.Join((&cluster{work: w, data: "/d"}).serverArgs(), " ")
	on := strings.Join((&cluster{work: w, data: "/d", durable: true}).serverArgs(), " ")
	if !strings.Contains(off, "listen_addresses= ") {
		t.Error("a cluster that trusts everyone listens on TCP")
	}
	for _, setting := range []string{"fsync", "full_page_writes", "synchronous_commit"} {
		if !strings.Contains(off, setting+"=off") || !strings.Contains(on, setting+"=on") {
			t.Errorf("%s is not off for tests and on for benchmarks", setting)
		}
	}
}

func TestFailingPart(t *testing.T) {
	log := `2026-01-01 10:00:00,123 7 INFO db odoo.x: fine
2026-01-01 10:00:01,123 7 ERROR db odoo.x: FAIL: TestA.test_b
Traceback (most recent call last):
AssertionError: 1 != 2
2026-01-01 10:00:02,123 7 INFO db odoo.x: 3 ERROR words that do not count
2026-01-01 10:00:03,123 7 CRITICAL db odoo.x: the end
`
	want := "2026-01-01 10:00:01,123 7 ERROR db odoo.x: FAIL: TestA.test_b\nTraceback (most recent call last):\nAssertionError: 1 != 2\n" +
		"2026-01-01 10:00:03,123 7 CRITICAL db odoo.x: the end"
	if got := failingPart(log); got != want {
		t.Errorf("got\n%s", got)
	}
	if got := failingPart("usage: odoo\nno such option"); !strings.Contains(got, "no such option") {
		t.Errorf("got %q", got)
	}
	long := failingPart("Traceback x\n" + strings.Repeat("  line\n", 500) + "ValueError: the reason")
	if strings.Count(long, "\n") > 61 || !strings.HasSuffix(long, "the reason") {
		t.Errorf("%d lines, end %q", strings.Count(long, "\n"), long[len(long)-20:])
	}
}

func TestCountTests(t *testing.T) {
	r, ok := countTests("x odoo.tests.result: 1 failed, 2 error(s) of 30 tests when loading database 'a'\n")
	if !ok || r != (TestResult{Tests: 30, Failed: 1, Errors: 2}) {
		t.Errorf("got %+v %v", r, ok)
	}
	if _, ok := countTests("nothing"); ok {
		t.Error("found a summary in nothing")
	}
}

// Odoo exits with 0 where no test matches, and with 1 where one fails.
func TestOutcome(t *testing.T) {
	const line = "2026-11-28 07:51:50,162 16285 %s db odoo.tests.result: %s of %s tests when loading database 'db'\n"
	rows := []struct {
		name, log string
		end       error
		tests     int
		failed    string // what the error says
	}{
		{"passed", fmt.Sprintf(line, "INFO", "0 failed, 0 error(s)", "7"), nil, 7, ""},
		{"none matches", fmt.Sprintf(line, "WARNING", "0 failed, 0 error(s)", "0"), nil, 0, "no test matches /m:Nowhere"},
		{"no summary at all", "2026-11-28 07:51:50,161 16285 INFO db odoo.registry: Registry loaded in 2.4s\n", nil, 0, "no test matches /m:Nowhere"},
		{"one failed", fmt.Sprintf(line, "ERROR", "1 failed, 0 error(s)", "7"), errors.New("exit status 1"), 7, "1 failed, 0 errors of 7"},
		{"one broken", fmt.Sprintf(line, "ERROR", "0 failed, 1 error(s)", "7"), nil, 7, "0 failed, 1 errors of 7"},
		{"all passed, and Odoo crashed", fmt.Sprintf(line, "INFO", "0 failed, 0 error(s)", "7"), errors.New("exit status 255"), 7, "exit status 255"},
		{"the addon cannot be loaded", "2026-11-28 07:51:50,161 16285 CRITICAL db odoo.registry: Failed to load\n", errors.New("exit status 255"), 0, "Failed to load"},
	}
	for _, row := range rows {
		r, err := outcome("m", "/m:Nowhere", row.log, row.end)
		if r.Tests != row.tests || (err == nil) != (row.failed == "") || err != nil && !strings.Contains(err.Error(), row.failed) {
			t.Errorf("%s: %+v %v", row.name, r, err)
		}
	}
}

func TestProgressWritesWholeLines(t *testing.T) {
	var b strings.Builder
	p := &progress{w: &b}
	p.step("Doing %s", "this")()
	if got := b.String(); got != "Doing this ...\n  done in 0.0 s\n" {
		t.Errorf("got %q", got)
	}
	var silent *progress
	silent.say("nobody hears")
}
