package kit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"doorman/odoo/localodoo"
)

// Odoo is one fresh database on a real Odoo, with the addon installed, the switch on and a service key.
type Odoo struct {
	Host       *localodoo.Host
	Server     *localodoo.Server
	DB         string
	ServiceKey string
	Out        map[string]any // what the set-up script put into `out`
}

// Environ is the service's configuration for this Odoo.
func (o *Odoo) Environ() []string { return o.EnvironAt(o.Server.URL()) }

// EnvironAt is the same for an Odoo that is reached by another URL, such as a proxy in between.
func (o *Odoo) EnvironAt(url string) []string {
	return []string{"DOORMAN_ODOO_URL=" + url, "DOORMAN_ODOO_DB=" + o.DB, "DOORMAN_ODOO_KEY=" + o.ServiceKey}
}

// Text returns a text that the set-up script put into `out`.
func (o *Odoo) Text(name string) string { return fmt.Sprint(o.Out[name]) }

// ID returns a number that the set-up script put into `out`.
func (o *Odoo) ID(name string) int64 { n, _ := o.Out[name].(float64); return int64(n) }

const prelude = `
import json
from odoo.fields import Command
out = {}
settings = env["doorman.settings"]._get()
settings.action_enable()
out["service_key"] = settings._generate_service_key()
admin = env.ref("base.user_admin")
def user(login, *groups):
    "A person whose password is the login: out[login + '_uid'] is the id."
    person = env["res.users"].with_context(no_reset_password=True).create({
        "name": login.title(), "login": login, "password": login, "email": login + "@example.com",
        "group_ids": [Command.set([env.ref(g).id for g in groups])]})
    out[login + "_uid"] = person.id
    return person
def connection(name, owner, **values):
    "A connection with a key: out[name] is the key, out[name + '_id'] its id. Nothing limits its rate, and nobody is asked, unless values do."
    values = {"rate_limit_minute": 1_000_000, "rate_limit_day": 100_000_000, "approve_outward": False, **values}
    record = env["doorman.connection"].create({"name": name, "user_id": owner.id, **values})
    out[name], out[name + "_id"] = record._issue_key(), record.id
    return record
`

// SkipWithoutOdoo skips, saying why, unless the real Odoo was asked for.
func SkipWithoutOdoo(t testing.TB) {
	t.Helper()
	if os.Getenv("DOORMAN_TEST_ODOO") == "" {
		t.Skip("needs a real Odoo: set DOORMAN_TEST_ODOO=1, as make test does")
	}
}

// RealOdoo gives a test a fresh database on a real Odoo. setup is Python that runs in it: it finds env, admin, user(login,
// *groups), connection(name, owner, **values), and puts what the test needs into out. workers is the number of the server's
// processes; 0 is a threaded one. All tests of a package that want as many share that server, each in its own database.
func RealOdoo(t testing.TB, workers int, setup string) *Odoo {
	t.Helper()
	return RealOdooWith(t, nil, workers, setup)
}

// RealOdooWith is RealOdoo with more modules. The first such test takes the minutes that Odoo needs to install them.
func RealOdooWith(t testing.TB, modules []string, workers int, setup string) *Odoo {
	t.Helper()
	SkipWithoutOdoo(t)
	server := theServers.get(t, modules, workers)
	o := newOdoo(t, server.host, setup)
	t.Cleanup(func() { _ = o.Host.DropDatabase(context.Background(), o.DB) })
	server.open(t, o)
	return o
}

// OwnHost is OwnOdoo with a PostgreSQL of the test's own, too, for one that stops it.
func OwnHost(t testing.TB, workers int, setup string) *Odoo {
	t.Helper()
	SkipWithoutOdoo(t)
	host, err := localodoo.Start(t.Context(), localodoo.Options{Addons: []string{AddonDir(t)}, Modules: []string{"doorman"}, Demo: true, Log: os.Stderr})
	if err != nil {
		t.Fatalf("no local Odoo: %v", err)
	}
	t.Cleanup(func() { _ = host.Close() })
	return serveOwn(t, newOdoo(t, host, setup), workers)
}

// OwnOdoo is RealOdoo with a server of the test's own, for one that stops it, or reads what it does by itself.
func OwnOdoo(t testing.TB, workers int, setup string) *Odoo {
	t.Helper()
	SkipWithoutOdoo(t)
	host, err := theHosts.get(nil)
	if err != nil {
		t.Fatalf("no local Odoo: %v", err)
	}
	return serveOwn(t, newOdoo(t, host, setup), workers)
}

// serveOwn starts a server for one database.
func serveOwn(t testing.TB, o *Odoo, workers int) *Odoo {
	t.Helper()
	server, err := o.Host.Serve(t.Context(), localodoo.ServeOptions{Workers: workers, Databases: []string{o.DB}})
	if err != nil {
		t.Fatal(err)
	}
	o.Server = server
	t.Cleanup(func() {
		_ = server.Stop()
		_ = o.Host.DropDatabase(context.Background(), o.DB)
	})
	return o
}

// SharedOdoo is RealOdooWith for tests that do not mind what the others have left: all those of a package with the same
// modules and set-up are given the same database, one after the other.
func SharedOdoo(t testing.TB, modules []string, workers int, setup string) *Odoo {
	t.Helper()
	SkipWithoutOdoo(t)
	server := theServers.get(t, modules, workers)
	shared := server.shared(setup)
	shared.Lock()
	t.Cleanup(shared.Unlock)
	if shared.odoo == nil {
		shared.odoo = newOdoo(t, server.host, setup)
		server.open(t, shared.odoo)
	}
	return shared.odoo
}

// newOdoo makes a database and runs the set-up in it.
func newOdoo(t testing.TB, host *localodoo.Host, setup string) *Odoo {
	t.Helper()
	db, err := theHosts.database(t.Context(), host)
	if err != nil {
		t.Fatal(err)
	}
	o := &Odoo{Host: host, DB: db}
	o.Out = o.Python(t, prelude+setup)
	o.ServiceKey = o.Text("service_key")
	return o
}

// Beside makes one more database on the same server, with a setup of its own, as RealOdoo takes it. It can still be copied: the
// server opens it at the first request, or by Server.Open.
func (o *Odoo) Beside(t testing.TB, setup string) *Odoo {
	t.Helper()
	db, err := theHosts.database(t.Context(), o.Host)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.Host.DropDatabase(context.Background(), db) })
	other := &Odoo{Host: o.Host, Server: o.Server, DB: db}
	other.Out = other.Python(t, prelude+setup)
	other.ServiceKey = other.Text("service_key")
	return other
}

// Python runs a script in the database (see RealOdoo) and returns what it put into out.
func (o *Odoo) Python(t testing.TB, script string) map[string]any {
	t.Helper()
	if !strings.Contains(script, "out = {}") {
		script = "import json\nout = {}\n" + script
	}
	text, err := o.Host.Shell(t.Context(), o.DB, script+"\nprint('OUT ' + json.dumps(out))\n")
	if err != nil {
		t.Fatalf("set-up in Odoo: %v", err)
	}
	for line := range strings.Lines(text) {
		if body, found := strings.CutPrefix(line, "OUT "); found {
			var out map[string]any
			if err := json.Unmarshal([]byte(body), &out); err != nil {
				t.Fatal(err)
			}
			return out
		}
	}
	t.Fatalf("the set-up script printed no result:\n%s", text)
	return nil
}

// AddonDir returns the folder of the repository's addons.
func AddonDir(t testing.TB) string {
	t.Helper()
	root, err := rootOf(filepath.Join("addon", "doorman"))
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(root, "addon")
}

// rootOf returns the folder, the working directory or one above it, that has this.
func rootOf(what string) (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, missing := os.Stat(filepath.Join(dir, what)); missing == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("no " + what + " above the working directory")
		}
	}
	return "", err
}
