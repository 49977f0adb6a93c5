package odoo_test

import (
	"fmt"
	"maps"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// rowsSetup makes fifty contacts, and connections that may get so many rows.
const rowsSetup = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm", "mcp:sql", "mcp:shell"))]).ids)]
settings.write({"allow_sql": True, "allow_shell": True})
admin.group_ids = [Command.link(env.ref(g).id) for g in ("base.group_allow_export", "base.group_system", "doorman.group_scope_sql", "doorman.group_scope_shell")]
connection("reply", admin, scope_ids=scopes, rows_reply=20)
connection("day", admin, scope_ids=scopes, rows_day=120)
connection("code", admin, scope_ids=scopes, rows_day=10_000)
connection("race", admin, scope_ids=scopes, rows_day=95)
env["res.partner"].create([{"name": f"Flow {n:02}"} for n in range(50)])
`

// flows is a search that finds the fifty.
func flows(limit int, more kit.Args) kit.Args {
	args := kit.Args{"model": "res.partner", "domain": `[["name","=like","Flow %"]]`, "fields": []string{"name"}, "limit": limit, "order": "name"}
	maps.Copy(args, more)
	return args
}

// TestRealRowLimits: what flows out is cut, refused and counted, through two replicas of the service that share a Redis, in
// the same numbers as the audit has.
func TestRealRowLimits(t *testing.T) {
	t.Parallel()
	o := kit.RealOdooWith(t, []string{codeAddon}, 2, rowsSetup)
	redis := "DOORMAN_REDIS_URL=" + kit.Redis(t)
	sameDay := kit.SameDay()
	one, two := kit.Serve(t, append(o.Environ(), redis)...), kit.Serve(t, append(o.Environ(), redis)...)

	t.Run("a reply", func(t *testing.T) {
		session := kit.Connect(t, one.MCP, o.Text("reply"))
		var names []string
		for offset := 0; ; {
			page := kit.Must(t, session, "search_records", flows(100, kit.Args{"offset": offset}))
			for _, record := range page["records"].([]any) {
				names = append(names, fmt.Sprint(record.(map[string]any)["name"]))
			}
			if page["has_more"] != true {
				break
			}
			if !strings.Contains(fmt.Sprint(page["note"]), "row limit of this connection is 20") || page["total"] != 50.0 {
				t.Fatalf("%v", page)
			}
			offset = int(page["next_offset"].(float64))
		}
		if len(names) != 50 || names[0] != "Flow 00" || names[49] != "Flow 49" {
			t.Errorf("%d names: %q", len(names), names)
		}
		export := kit.Args{"model": "res.partner", "fields": []string{"name"}, "domain": `[["name","=like","Flow %"]]`}
		if content, failed := kit.Call(t, session, "export_records", export); failed != "too_large" {
			t.Errorf("export: %v", content)
		}
		export["domain"] = `[["name","=like","Flow 1%"]]`
		if content := kit.Must(t, session, "export_records", export); content["rows"] != 10.0 {
			t.Errorf("export: %v", content)
		}
		query := kit.Must(t, session, "run_sql", kit.Args{"query": "SELECT id FROM res_partner WHERE name LIKE 'Flow %' ORDER BY id", "limit": 50})
		if len(query["rows"].([]any)) != 20 || query["has_more"] != true {
			t.Errorf("query: %v", query)
		}
	})

	t.Run("a day", func(t *testing.T) {
		first, second := kit.Connect(t, one.MCP, o.Text("day")), kit.Connect(t, two.MCP, o.Text("day"))
		kit.Must(t, first, "search_records", flows(50, nil))
		kit.Must(t, second, "search_records", flows(50, nil))
		page := kit.Must(t, first, "search_records", flows(50, nil)) // 20 are left
		sameDay(t)
		if len(page["records"].([]any)) != 20 || page["has_more"] != true {
			t.Errorf("%v", page)
		}
		for _, session := range []*sdk.ClientSession{first, second} {
			content, failed := kit.Call(t, session, "search_records", flows(1, nil))
			sameDay(t)
			if failed != "rate_limited" || content["retry_after_seconds"] == nil {
				t.Errorf("%v", content)
			}
		}
		kit.Must(t, first, "describe_model", kit.Args{"model": "res.partner"})
		kit.Must(t, second, "create_records", kit.Args{"model": "res.partner", "records": []kit.Args{{"name": "Made all the same"}}})
		// Another service that starts without that Redis knows it of the audit.
		third := kit.Connect(t, kit.Serve(t, o.Environ()...).MCP, o.Text("day"))
		content, failed := kit.Call(t, third, "search_records", flows(1, nil))
		sameDay(t)
		if failed != "rate_limited" {
			t.Errorf("after a restart: %v", content)
		}
	})

	t.Run("at once", func(t *testing.T) {
		var out, refused atomic.Int64
		var together sync.WaitGroup
		for i := range 12 {
			session := kit.Connect(t, []*kit.Service{one, two}[i%2].MCP, o.Text("race"))
			together.Go(func() {
				content, failed := kit.Call(t, session, "search_records", flows(20, nil))
				if failed != "" {
					refused.Add(1)
					return
				}
				out.Add(int64(len(content["records"].([]any))))
			})
		}
		together.Wait()
		sameDay(t)
		if n := out.Load(); n > 95 || n < 60 || refused.Load() == 0 {
			t.Errorf("%d rows got out, %d calls were refused; want at most 95", n, refused.Load())
		}
	})

	t.Run("code", func(t *testing.T) {
		session := kit.Connect(t, two.MCP, o.Text("code"))
		kit.Must(t, session, "run_sql", kit.Args{"query": "SELECT id FROM res_partner WHERE name LIKE 'Flow %'", "limit": 7})
		kit.Must(t, session, "run_python", kit.Args{"code": `result = len(env["res.partner"].search([("name", "=like", "Flow %")]).mapped("name"))`})
		counted := o.Python(t, fmt.Sprintf(`
rows = env["doorman.audit"].search([("connection_id", "=", %d), ("tool", "in", ("run_sql", "run_python"))], order="id")
out["rows"] = [[row.tool, row.rows] for row in rows]
out["day"] = env["doorman.audit"]._rows_today(%d)`, o.ID("code_id"), o.ID("day_id")))
		var sql, python int
		if n, err := fmt.Sscanf(fmt.Sprint(counted["rows"]), "[[run_sql %d] [run_python %d]]", &sql, &python); n != 2 || sql != 7 || python < 50 {
			t.Errorf("the audit has %v (%v), want 7 and at least 50", counted["rows"], err)
		}
		if sameDay(t); counted["day"] != 120.0 {
			t.Errorf("the audit has %v rows of the day, want 120", counted["day"])
		}
	})
}
