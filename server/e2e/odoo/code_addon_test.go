package odoo_test

import (
	"fmt"
	"os"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// coder is a database in which an Odoo administrator may use SQL and Python, as far as the base addon is concerned.
const coder = `
admin.group_ids = [Command.link(env.ref(g).id) for g in ("base.group_system", "doorman.group_scope_sql", "doorman.group_scope_shell")]
settings.write({"allow_sql": True, "allow_shell": True})
connection("admin", admin, scope_ids=[Command.set(env["doorman.scope"].search([]).ids)])
`

// install and uninstall are what Apps does, in a process of its own: the server hears of it by its registry's signal.
const (
	install   = `env["ir.module.module"].search([("name", "=", "` + codeAddon + `")]).button_immediate_install()`
	uninstall = `env["ir.module.module"].search([("name", "=", "` + codeAddon + `")]).button_immediate_uninstall()`
)

// TestRealCodeAddonInOneOfTwo: one process of Odoo serves two databases, and its code of run_sql and run_python is for
// the one that has the addon; whichever that is, after each has loaded its modules anew.
func TestRealCodeAddonInOneOfTwo(t *testing.T) {
	plain := kit.RealOdoo(t, 0, coder)
	with := plain.Beside(t, coder)
	with.Python(t, install)
	if err := with.Server.Open(t.Context(), with.DB); err != nil {
		t.Fatal(err)
	}

	type site struct {
		*kit.Odoo
		tools *sdk.ClientSession
	}
	var sites [2]site
	for i, o := range []*kit.Odoo{plain, with} {
		s := kit.Serve(t, o.Environ()...)
		sites[i] = site{o, kit.Connect(t, s.MCP, o.Text("admin"))}
	}
	// answers is what both tools say: "" for an answer, else the kind of the error.
	answers := func(s site) [2]string {
		t.Helper()
		_, sql := kit.Call(t, s.tools, "run_sql", kit.Args{"query": "SELECT 1 AS one"})
		_, python := kit.Call(t, s.tools, "run_python", kit.Args{"code": "result = 1"})
		return [2]string{sql, python}
	}
	listed := func(s site) bool {
		t.Helper()
		list, err := s.tools.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		found := 0
		for _, tool := range list.Tools {
			if tool.Name == "run_sql" || tool.Name == "run_python" {
				found++
			}
		}
		return found == 2
	}
	// settles waits until a database answers like one that has the addon, or like one that hasn't. A service may know for
	// a moment what held before, and Odoo loads its modules anew at the first request.
	settles := func(when string, s site, has bool) {
		t.Helper()
		want := [2]string{"needs_module", "needs_module"}
		if has {
			want = [2]string{}
		}
		kit.Await(t, when, func() error {
			said, shown := answers(s), listed(s)
			if said == want && shown == has {
				return nil
			}
			return fmt.Errorf("%s: run_sql %q, run_python %q, want %q; listed: %v, want %v", s.DB, said[0], said[1], want, shown, has)
		})
	}
	wants := func(when string, has ...bool) {
		t.Helper()
		for i, s := range sites {
			settles(when, s, has[i])
		}
	}
	wants("at first", false, true)
	// The order in which they are loaded makes no difference: each loads its modules anew, the one with the addon last.
	for _, s := range []site{sites[0], sites[1], sites[0]} {
		s.Python(t, "env.registry.registry_invalidated = True")
		// The refusals may come from the service alone. The server has to have loaded them, or it would do so in the
		// midst of the installation below, and log that it finds modules half installed.
		kit.Must(t, s.tools, "search_records", kit.Args{"model": "res.partner", "limit": 1})
		wants("after loading the modules anew", false, true)
	}
	sites[0].Python(t, install)
	wants("installed in both", true, true)
	sites[1].Python(t, uninstall)
	wants("uninstalled in the second", true, false)
	left := sites[1].Python(t, `env.cr.execute("SELECT count(*) FROM pg_proc WHERE proname LIKE 'doorman\\_sql\\_%'")
out["functions"] = env.cr.fetchone()[0]`)
	if left["functions"] != 0.0 {
		t.Errorf("%v functions are left of it in the database", left["functions"])
	}
	log, err := os.ReadFile(plain.Server.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(log)) {
		if strings.Contains(line, " ERROR ") || strings.Contains(line, " CRITICAL ") {
			t.Errorf("Odoo logs %s", line)
		}
	}
}
