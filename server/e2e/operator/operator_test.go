//go:build linux

package operator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"doorman/odoo/localodoo"
	"doorman/server/e2e/kit"
)

// installation is an Odoo that was there before Doorman, and Doorman in it.
type installation struct {
	t        *testing.T
	o        *kit.Odoo
	rc       string // Odoo's configuration file, as its packages have one in /etc
	files    string // a folder that Odoo's account may write to
	adminKey string
	keyFile  string // the service key
	replicas [2]*replica
	front    *balancer
}

// newInstallation is Odoo alone, with a server that has two workers.
func newInstallation(t *testing.T) *installation {
	t.Helper()
	kit.SkipWithoutOdoo(t)
	host, err := localodoo.Start(t.Context(), localodoo.Options{Addons: []string{kit.AddonDir(t)}, Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	must := func(text string, err error) string {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
		return text
	}
	i := &installation{t: t, o: &kit.Odoo{Host: host, DB: must(host.NewDatabase(t.Context()))}, files: must(host.WorkDir("operator"))}
	data := must(host.WorkDir("data"))
	// The checkout may be closed to Odoo's account.
	addons := filepath.Join(i.files, "addons")
	if err := os.CopyFS(addons, os.DirFS(kit.AddonDir(t))); err != nil {
		t.Fatal(err)
	}
	socket, port, user := host.Socket()
	i.rc = filepath.Join(i.files, "odoo.conf")
	i.write(i.rc, fmt.Sprintf("[options]\ndb_host = %s\ndb_port = %s\ndb_user = %s\ndata_dir = %s\naddons_path = %s\n", socket, port, user, data, addons), 0o644)
	if i.o.Server, err = host.Serve(t.Context(), localodoo.ServeOptions{Workers: 2, Databases: []string{i.o.DB}}); err != nil {
		t.Fatal(err)
	}
	return i
}

func (i *installation) write(path, text string, mode os.FileMode) {
	i.t.Helper()
	if err := os.WriteFile(path+".new", []byte(text), mode); err != nil {
		i.t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		i.t.Fatal(err)
	}
}

// run runs a command of the documentation where Odoo is, and returns what it prints.
func (i *installation) run(command string) string {
	i.t.Helper()
	var out bytes.Buffer
	err := i.o.Host.RunProgram(i.t.Context(), localodoo.Program{
		Path: "/bin/sh", Args: []string{"-c", command}, Env: []string{"ODOO_RC=" + i.rc, "ADMIN_KEY=" + i.adminKey}, Out: &out,
	})
	if err != nil || strings.Contains(out.String(), " CRITICAL ") || strings.Contains(out.String(), " ERROR ") {
		i.t.Fatalf("%s: %v\n%s", command, err, out.String())
	}
	return out.String()
}

// install is docs/install.md from the addon to a service key and a first connection. It returns the connection's key.
func (i *installation) install() (key string) {
	i.t.Helper()
	i.run(kit.CommandOf(i.t, "docs/install.md", "odoo -d mydb -i doorman", "mydb", i.o.DB))
	out := i.o.Python(i.t, fmt.Sprintf(`
from datetime import datetime, timedelta
from odoo.fields import Command
admin = env.ref("base.user_admin")
env["ir.config_parameter"].set_param("web.base.url", %q)
env["ir.config_parameter"].set_param("web.base.url.freeze", "True")
out["admin_key"] = env["res.users.apikeys"].with_user(admin)._generate("rpc", "operator", datetime.now() + timedelta(days=1))
out["settings"] = env["doorman.settings"]._get().id
connection = env["doorman.connection"].create({"name": "operator", "user_id": admin.id, "approve_outward": False,
    "rate_limit_minute": 1_000_000, "rate_limit_day": 100_000_000, "scope_ids": [Command.set(env["doorman.scope"].search([]).ids)]})
out["key"] = connection._issue_key()
env.cr.commit()
`, i.o.Server.URL()))
	i.adminKey = fmt.Sprint(out["admin_key"])
	kit.AsAdmin(i.t, i.o, "doorman.settings", "action_enable", []any{out["settings"]})
	i.keyFile = filepath.Join(i.t.TempDir(), "service.key")
	i.rotate()
	return fmt.Sprint(out["key"])
}

// rotate makes a service key by the documented call, and puts it where the service reads it.
func (i *installation) rotate() {
	i.t.Helper()
	said := i.run(kit.CommandOf(i.t, "docs/install.md", "curl -s https://odoo.example.com/json/2/doorman.settings/api_rotate_service_key",
		"https://odoo.example.com", i.o.Server.URL(), "mydb", i.o.DB))
	var made struct{ Key string }
	if err := json.Unmarshal([]byte(said), &made); err != nil || made.Key == "" {
		i.t.Fatalf("no key: %v %s", err, said)
	}
	i.write(i.keyFile, made.Key+"\n", 0o600)
}

// serve starts two replicas by the documented command, behind a balancer, and has `doorman check` look at them.
func (i *installation) serve() {
	i.t.Helper()
	program := buildDoorman(i.t)
	at := [2]string{kit.FreeAddress(i.t), kit.FreeAddress(i.t)}
	i.front = newBalancer(i.t, at)
	command := kit.CommandOf(i.t, "docs/install.md", "DOORMAN_ODOO_URL=http://127.0.0.1:8069", "http://127.0.0.1:8069", i.o.Server.URL(),
		"=mydb ", "="+i.o.DB+" ", "/run/secrets/doorman", i.keyFile, "https://mcp.example.com", i.front.URL,
		"doorman_0.2.0_linux_amd64/doorman", program)
	env := []string{"DOORMAN_TRUSTED_PROXIES=127.0.0.1", "DOORMAN_REDIS_URL=" + kit.Redis(i.t), "DOORMAN_STOP_DELAY=6s", "DOORMAN_LOG_LEVEL=debug"}
	for n := range i.replicas {
		r := &replica{command: command, at: at[n], env: env}
		i.replicas[n] = r
		r.start(i.t)
		i.t.Cleanup(func() {
			r.stop(i.t, syscall.SIGTERM)
			if i.t.Failed() {
				i.t.Logf("replica %d: %s", n, r.unusual())
			}
		})
	}
	for n := range i.replicas {
		i.front.isReady(i.t, n)
	}
	settings := strings.TrimSuffix(command, program+" serve")
	look := exec.CommandContext(i.t.Context(), "/bin/sh", "-c", settings+strings.Replace(kit.CommandOf(i.t, "docs/install.md", "doorman check"), "doorman", program, 1))
	look.Env = append(os.Environ(), env...)
	if out, err := look.CombinedOutput(); err != nil || strings.Contains(string(out), "FAIL") || !strings.Contains(string(out), "It runs, and takes calls.") {
		i.t.Errorf("doorman check: %v\n%s", err, out)
	}
}

// rolling restarts one replica after the other.
func (i *installation) rolling() {
	for n, r := range i.replicas {
		r.stop(i.t, syscall.SIGTERM)
		r.start(i.t)
		i.front.isReady(i.t, n)
	}
}

// newKey rotates the service key, and ends the overlap as its time does.
func (i *installation) newKey() {
	const taken = "its new key is in use"
	var before [2]int
	for n, r := range i.replicas {
		before[n] = r.count(taken)
	}
	i.rotate()
	for n, r := range i.replicas {
		kit.Await(i.t, "the new key", func() error { return kit.Unless(r.count(taken) > before[n], r.unusual()) })
	}
	i.o.Python(i.t, `
env.cr.execute("UPDATE doorman_service_key SET until = now() at time zone 'utc' - interval '1 second' WHERE until IS NOT NULL")
env["doorman.settings"]._end_old_service_keys()
`)
}

// outage is what costs calls under way, and how it ends.
type outage struct {
	name       string
	begin, end func()
}

func (i *installation) outages() []outage {
	must := func(err error) {
		if err != nil {
			i.t.Fatal(err)
		}
	}
	victim := i.replicas[0]
	return []outage{
		{"a replica dies", func() { victim.stop(i.t, syscall.SIGKILL) }, func() { victim.start(i.t) }},
		{"one of Odoo's workers dies", i.killWorker, func() {}},
		{"Odoo dies", func() { must(i.o.Server.Kill()) }, func() { must(i.o.Server.Restart(i.t.Context())) }},
		{"PostgreSQL ends", func() { must(i.o.Host.StopPostgres()) }, func() { must(i.o.Host.StartPostgres(i.t.Context())) }},
		{"an update", func() {
			must(i.o.Server.Stop())
			i.run(kit.CommandOf(i.t, "docs/upgrade.md", "odoo -d mydb -u doorman", "mydb", i.o.DB))
		}, func() { must(i.o.Server.Restart(i.t.Context())) }},
	}
}

var workerLine = regexp.MustCompile(`WorkerHTTP \((\d+)\) alive`)

// killWorker kills the worker that came up last. Odoo starts another one by itself.
func (i *installation) killWorker() {
	i.t.Helper()
	text, err := os.ReadFile(i.o.Server.LogFile())
	if err != nil {
		i.t.Fatal(err)
	}
	found := workerLine.FindAllSubmatch(text, -1)
	if len(found) == 0 {
		i.t.Fatal("Odoo's log names no worker")
	}
	pid, _ := strconv.Atoi(string(found[len(found)-1][1]))
	if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
		i.t.Fatal(err)
	}
}

// TestRealOperator: from an Odoo that has no Doorman to one that has none any more, by the commands of the documentation.
func TestRealOperator(t *testing.T) {
	i := newInstallation(t)
	before := i.psql(i.o.DB, "SELECT count(*) FROM res_partner")
	key := i.install()
	i.serve()
	if err := kit.Search(t.Context(), i.front.URL+"/mcp", key); err != nil {
		t.Fatalf("the first call: %v", err)
	}

	l := startLoad(t, i.front.URL+"/mcp", key, 4)
	l.smoothly(1, "a rolling restart", i.rolling)
	l.smoothly(2, "a new service key", i.newKey)
	for _, o := range i.outages() {
		l.goesOn("before: " + o.name)
		o.begin()
		o.end()
		l.goesOn("after: " + o.name)
	}
	l.end(i.o)
	if t.Failed() {
		return
	}
	i.copies(key)
	i.away(key, l.done.Load(), before)
}

func (i *installation) psql(db, sql string) string {
	i.t.Helper()
	out, err := i.o.Host.Psql(i.t.Context(), db, sql)
	if err != nil {
		i.t.Fatal(err)
	}
	return strings.TrimSpace(out)
}

// copies: what is restored from a backup waits for somebody to look at it, what is neutralized knows no key of the original.
func (i *installation) copies(key string) {
	i.t.Helper()
	backup := filepath.Join(i.files, "mydb.zip")
	restored, staging := i.o.DB+"_restored", i.o.DB+"_staging"
	const page = "docs/operations.md"
	i.run(kit.CommandOf(i.t, page, "odoo db dump", "mydb mydb.zip", i.o.DB+" "+backup))
	i.run(kit.CommandOf(i.t, page, "odoo db load mydb_restored", "mydb_restored", restored, "mydb.zip", backup))
	i.run(kit.CommandOf(i.t, page, "odoo db load --neutralize", "staging", staging, "mydb.zip", backup))
	i.run(kit.CommandOf(i.t, page, "odoo neutralize", "staging", staging))
	secret, err := os.ReadFile(i.keyFile)
	if err != nil {
		i.t.Fatal(err)
	}
	for db, says := range map[string]string{restored: "copy of another one", staging: ""} {
		s := kit.Serve(i.t, "DOORMAN_ODOO_URL="+i.o.Server.URL(), "DOORMAN_ODOO_DB="+db, "DOORMAN_ODOO_KEY="+strings.TrimSpace(string(secret)))
		if kit.Search(i.t.Context(), s.MCP, key) == nil {
			i.t.Errorf("%s: a key of the original opens it", db)
		}
		status, _, body := kit.Get(i.t, http.MethodGet, s.URL+"/readyz")
		if status != http.StatusServiceUnavailable || !strings.Contains(body, says) {
			i.t.Errorf("%s: %d %s", db, status, body)
		}
		if err := s.Stop(); err != nil {
			i.t.Error(err)
		}
		if on := i.psql(db, "SELECT enabled FROM doorman_settings"); on != "f" {
			i.t.Errorf("%s: access is %q", db, on)
		}
	}
	if status := i.json2(staging); status != http.StatusUnauthorized {
		i.t.Errorf("the service key in the neutralized copy: %d", status)
	}
	if err := kit.Search(i.t.Context(), i.front.URL+"/mcp", key); err != nil {
		i.t.Errorf("the original has suffered from its copies: %v", err)
	}
}

// json2 is how Odoo's own API answers the service key.
func (i *installation) json2(db string) int {
	i.t.Helper()
	secret, err := os.ReadFile(i.keyFile)
	if err != nil {
		i.t.Fatal(err)
	}
	status, _, _ := kit.Send(i.t, http.MethodPost, i.o.Server.URL()+"/json/2/res.users/context_get", "{}",
		"Authorization", "Bearer "+strings.TrimSpace(string(secret)), "Content-Type", "application/json", "X-Odoo-Database", db)
	return status
}

// away: the way out, and in again. Work that was done stays, and an old idempotency key is a new one.
func (i *installation) away(key string, done int64, before string) {
	i.t.Helper()
	for _, r := range i.replicas {
		r.stop(i.t, syscall.SIGTERM)
	}
	i.run(kit.CommandOf(i.t, "docs/install.md", "odoo module uninstall", "mydb", i.o.DB))
	if left := i.psql(i.o.DB, "SELECT count(*) FROM pg_class WHERE relname LIKE 'doorman%'"); left != "0" {
		i.t.Errorf("%s relations are left", left)
	}
	if status := i.json2(i.o.DB); status != http.StatusUnauthorized {
		i.t.Errorf("the service key still answers: %d", status)
	}
	others, _ := strconv.Atoi(before)
	if stayed := i.psql(i.o.DB, "SELECT count(*) FROM res_partner"); stayed != fmt.Sprint(int64(others)+done) {
		i.t.Errorf("%s contacts are there, not the %s of before and %d", stayed, before, done)
	}

	oldKeyFile := i.keyFile
	again := i.install()
	secret, err := os.ReadFile(i.keyFile)
	if err != nil {
		i.t.Fatal(err)
	}
	i.write(oldKeyFile, string(secret), 0o600)
	for n, r := range i.replicas {
		r.start(i.t)
		i.front.isReady(i.t, n)
	}
	if kit.Search(i.t.Context(), i.front.URL+"/mcp", key) == nil {
		i.t.Error("a connection's key outlived the uninstallation")
	}
	l := &load{t: i.t, mcp: i.front.URL + "/mcp", key: again}
	if wrong, _ := l.once(made + "1"); wrong != "" {
		i.t.Error(wrong)
	}
	if got, want := counts(i.t, i.o), fmt.Sprintf("%d %d 1", done+1, done); got != want {
		i.t.Errorf("records, different ones, audit rows: %s, want %s", got, want)
	}
}
