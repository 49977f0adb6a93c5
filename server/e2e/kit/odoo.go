package kit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
    "A connection with a key: out[name] is the key, out[name + '_id'] its id. Nothing limits its rate unless values do."
    values = {"rate_limit_minute": 1_000_000, "rate_limit_day": 100_000_000, **values}
    record = env["doorman.connection"].create({"name": name, "user_id": owner.id, **values})
    out[name], out[name + "_id"] = record._issue_key(), record.id
    return record
`

// hosts keeps one Host per kind of database for the whole test binary: starting one costs seconds.
var hosts struct {
	sync.Mutex
	byKey map[string]*localodoo.Host
}

// Main wraps testing.M: it ends the Odoos that tests started. Call it from TestMain.
func Main(m *testing.M) {
	code := m.Run()
	for _, h := range hosts.byKey {
		_ = h.Close()
	}
	os.Exit(code)
}

// SkipWithoutOdoo skips, saying why, unless the real Odoo was asked for.
func SkipWithoutOdoo(t testing.TB) {
	t.Helper()
	if os.Getenv("DOORMAN_TEST_ODOO") == "" {
		t.Skip("needs a real Odoo: set DOORMAN_TEST_ODOO=1, as make test does")
	}
}

// RealOdoo starts a real Odoo with a fresh database. setup is Python that runs in it: it finds env, admin, user(login,
// *groups), connection(name, owner, **values), and puts what the test needs into out. workers 0 is a threaded server.
func RealOdoo(t testing.TB, workers int, setup string) *Odoo {
	t.Helper()
	return RealOdooWith(t, nil, workers, setup)
}

// RealOdooWith is RealOdoo with more modules. The first such test takes the minutes that Odoo needs to install them.
func RealOdooWith(t testing.TB, modules []string, workers int, setup string) *Odoo {
	t.Helper()
	SkipWithoutOdoo(t)
	modules = append([]string{"doorman"}, modules...)
	host := sharedHost(t, localodoo.Options{Addons: []string{AddonDir(t)}, Modules: modules, Demo: true})
	ctx := t.Context()
	db, err := host.NewDatabase(ctx)
	if err != nil {
		t.Fatal(err)
	}
	o := &Odoo{Host: host, DB: db}
	o.Out = o.Python(t, prelude+setup)
	o.ServiceKey = o.Text("service_key")
	o.Server, err = host.Serve(ctx, localodoo.ServeOptions{Workers: workers, Databases: []string{db}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = o.Server.Stop()
		_ = host.DropDatabase(context.Background(), db)
	})
	return o
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

func sharedHost(t testing.TB, o localodoo.Options) *localodoo.Host {
	t.Helper()
	hosts.Lock()
	defer hosts.Unlock()
	key := fmt.Sprint(o.Modules, o.Demo, o.Durable)
	if h := hosts.byKey[key]; h != nil {
		return h
	}
	o.Log = os.Stderr
	h, err := localodoo.Start(context.Background(), o)
	if err != nil {
		t.Fatalf("no local Odoo: %v", err)
	}
	if hosts.byKey == nil {
		hosts.byKey = map[string]*localodoo.Host{}
	}
	hosts.byKey[key] = h
	return h
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
