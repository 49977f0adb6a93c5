package odoo_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"doorman/server/e2e/kit"
)

// writers are the connections of the tests of changes: an MCP user who may change contacts, and the administrator.
const writers = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
anna = user("anna", "base.group_user", "base.group_partner_manager", "doorman.group_user")
connection("anna", anna, scope_ids=scopes)
connection("admin", admin, scope_ids=scopes)
connection("reader", anna, scope_ids=scopes, read_only=True)
connection("partners", admin, scope_ids=scopes, allowed_model_ids=[Command.set([env["ir.model"]._get_id("res.partner")])])
acme = env["res.partner"].create({"name": "Acme"})
follower = env["res.partner"].create({"name": "Follower", "email": "follower@example.com"})
acme.message_subscribe([follower.id])
out["acme"], out["follower"], out["tag"] = acme.id, follower.id, env["res.partner.category"].create({"name": "Gold"}).id
`

// TestRealWrites: the five tools, as a user, one request to Odoo each.
func TestRealWrites(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, nil, 0, writers)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	anna := kit.Connect(t, s.MCP, o.Text("anna"))
	kit.Must(t, anna, "search_records", kit.Args{"model": "res.partner", "limit": 1}) // learns the fields
	count := func(tool string, a kit.Args) map[string]any {
		t.Helper()
		before := proxy.Requests()
		content := kit.Must(t, anna, tool, a)
		if n := proxy.Requests() - before; n != 1 {
			t.Errorf("%s took %d requests to Odoo, want 1", tool, n)
		}
		return content
	}
	made := kit.Only(t, count("create_records", kit.Args{
		"model": "res.partner", "records": `[{"name":"New Ltd","is_company":true,"category_id":[[4,` + fmt.Sprint(o.ID("tag")) + `,0]],"child_ids":[[0,0,{"name":"Ann"}]]}]`,
	}))
	id := made["id"].(float64)
	if made["name"] != "New Ltd" || !strings.HasSuffix(fmt.Sprint(made["url"]), fmt.Sprint("/odoo/res.partner/", id)) {
		t.Errorf("created %v", made)
	}
	count("update_records", kit.Args{"model": "res.partner", "ids": []any{id}, "values": kit.Args{"phone": "123", "parent_id": false}})
	count("post_message", kit.Args{"model": "res.partner", "id": id, "body": "Hello <b>you</b>"})
	count("call_method", kit.Args{"model": "res.partner", "ids": []any{id}, "method": "action_archive"})
	out := o.Python(t, fmt.Sprintf(`
p = env["res.partner"].browse(%v)
out["state"] = [p.name, p.phone, p.active, p.category_id.name, p.child_ids.name, p.create_uid.login]
out["messages"] = [[m.body, m.author_id.name, m.subtype_id.name] for m in p.message_ids if "Hello" in m.body]
row = env["doorman.audit"].search([("tool", "=", "create_records")], limit=1)
out["audit"] = [row.model, row.orm_method, row.record_ids, row.outcome, row.user_login]
`, id))
	for name, want := range map[string]string{
		"state":    "[New Ltd 123 false Gold Ann anna]",
		"messages": "[[<p>Hello &lt;b&gt;you&lt;/b&gt;</p> Anna Note]]",
		"audit":    fmt.Sprintf("[res.partner create %v ok anna]", id),
	} {
		if got := fmt.Sprint(out[name]); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	count("delete_records", kit.Args{"model": "res.partner", "ids": []any{id}})
	if _, failed := kit.Call(t, anna, "delete_records", kit.Args{"model": "res.partner", "ids": []any{id}}); failed != "not_found" {
		t.Errorf("deleted twice: %q", failed)
	}
}

// TestRealWritesRefused: what it says, and that nothing was done.
func TestRealWritesRefused(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, nil, 0, writers)
	s := kit.Serve(t, o.Environ()...)
	acme := o.ID("acme")
	one := []int64{acme}
	for _, row := range []struct {
		key, tool string
		args      kit.Args
		kind      string
	}{
		{"reader", "update_records", kit.Args{"model": "res.partner", "ids": one, "values": kit.Args{"name": "x"}}, "read_only"},
		{"reader", "call_method", kit.Args{"model": "res.partner", "ids": one, "method": "action_archive"}, "read_only"},
		{"anna", "create_records", kit.Args{"model": "res.country", "records": `[{"name":"x","code":"XX"}]`}, "forbidden"},
		{"anna", "update_records", kit.Args{"model": "res.partner", "ids": one, "values": kit.Args{"nmae": "x"}}, "unknown_field"},
		{"anna", "update_records", kit.Args{"model": "res.partner", "ids": one, "values": kit.Args{"parent_id": acme}}, "business_rule"},
		{"anna", "update_records", kit.Args{"model": "res.partner", "ids": one, "values": kit.Args{"parent_id": "Holding"}}, "invalid_input"},
		{"anna", "update_records", kit.Args{"model": "res.partner", "ids": one, "values": kit.Args{"category_id": []any{[]int{9}}}}, "invalid_input"},
		{"admin", "create_records", kit.Args{"model": "res.users", "records": `[{"name":"x","login":"x"}]`}, "not_allowed"},
		{"admin", "create_records", kit.Args{"model": "ir.cron", "records": `[{"name":"x"}]`}, "not_allowed"},
		{"admin", "create_records", kit.Args{"model": "res.partner", "records": `[{"name":"x","user_ids":[[0,0,{"login":"x"}]]}]`}, "not_allowed"},
		{"admin", "update_records", kit.Args{"model": "res.partner", "ids": one, "values": `{"message_ids":[[0,0,{"body":"forged"}]]}`}, "not_allowed"},
		{"admin", "update_records", kit.Args{"model": "res.partner", "ids": []int{3}, "values": kit.Args{"email": "x@evil.example"}}, "forbidden"},
		{"admin", "call_method", kit.Args{"model": "res.partner", "ids": one, "method": "write", "kwargs": kit.Args{"vals": kit.Args{"name": "x"}}}, "not_allowed"},
		{"admin", "call_method", kit.Args{"model": "res.users", "ids": []int{2}, "method": "action_reset_password"}, "not_allowed"},
		{"partners", "update_records", kit.Args{"model": "res.partner", "ids": one, "values": `{"bank_ids":[[0,0,{"acc_number":"BE1"}]]}`}, "not_allowed"},
		{"partners", "update_records", kit.Args{"model": "res.country", "ids": one, "values": kit.Args{"name": "x"}}, "not_allowed"},
	} {
		t.Run(fmt.Sprint(row.key, " ", row.tool, " ", row.args), func(t *testing.T) {
			content, failed := kit.Call(t, kit.Connect(t, s.MCP, o.Text(row.key)), row.tool, row.args)
			if failed != row.kind || content["message"] == "" {
				t.Errorf("got %q, want %s: %v", failed, row.kind, content)
			}
		})
	}
	out := o.Python(t, fmt.Sprintf(`
p = env["res.partner"].browse(%d)
out["state"] = [p.name, p.active, len(p.bank_ids), env["res.users"].search_count([("login", "=", "x")])]`, acme))
	if got := fmt.Sprint(out["state"]); got != "[Acme true 0 0]" {
		t.Errorf("afterwards: %s", got)
	}
}

// TestRealDryRun: it tells what would be, and leaves an audit row and nothing else, emails included.
func TestRealDryRun(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, nil, 0, writers)
	s := kit.Serve(t, o.Environ()...)
	anna := kit.Connect(t, s.MCP, o.Text("anna"))
	const left = `
out["counts"] = [env[m].with_context(active_test=False).search_count([]) for m in (
    "res.partner", "res.partner.category", "mail.mail", "mail.message", "mail.notification", "mail.tracking.value",
    "ir.attachment", "bus.bus")]
out["names"] = env["res.partner"].browse(%d).name`
	before := o.Python(t, fmt.Sprintf(left, o.ID("acme")))
	create := kit.Must(t, anna, "create_records", kit.Args{"model": "res.partner", "records": `[{"name":"Never","category_id":[[0,0,{"name":"t"}]]}]`, "dry_run": true})
	update := kit.Must(t, anna, "update_records", kit.Args{"model": "res.partner", "ids": []int64{o.ID("acme")}, "values": kit.Args{"name": "Never"}, "dry_run": true})
	remove := kit.Must(t, anna, "delete_records", kit.Args{"model": "res.partner", "ids": []int64{o.ID("follower")}, "dry_run": true})
	after := o.Python(t, fmt.Sprintf(left, o.ID("acme"))+`
rows = env["doorman.audit"].search([("reason", "=", "dry_run")])
out["rows"] = sorted([r.tool, r.outcome] for r in rows)`)
	if fmt.Sprint(before["counts"], before["names"]) != fmt.Sprint(after["counts"], after["names"]) {
		t.Errorf("before %v, after %v", before, after)
	}
	if got := fmt.Sprint(after["rows"]); got != "[[create_records ok] [delete_records ok] [update_records ok]]" {
		t.Errorf("audit: %s", got)
	}
	change := func(content map[string]any) map[string]any { return content["changes"].([]any)[0].(map[string]any) }
	if c := change(create); fmt.Sprint(c["after"].(map[string]any)["name"]) != "Never" || c["id"] != nil || c["before"] != nil {
		t.Errorf("create: %v", c)
	}
	if c := change(update); c["before"].(map[string]any)["name"] != "Acme" || c["after"].(map[string]any)["name"] != "Never" {
		t.Errorf("update: %v", c)
	}
	if c := change(remove); c["before"].(map[string]any)["email"] != "follower@example.com" || c["after"] != nil {
		t.Errorf("delete: %v", c)
	}
}

// TestRealIdempotency: the same change, asked for 20 times at once, is made once; everyone gets its answer, or is told
// to ask again.
func TestRealIdempotency(t *testing.T) {
	t.Parallel()
	for _, workers := range []int{0, 2} {
		t.Run(fmt.Sprint(workers, " workers"), func(t *testing.T) {
			o := kit.SharedOdoo(t, nil, workers, writers)
			s := kit.Serve(t, o.Environ()...)
			session := kit.Connect(t, s.MCP, o.Text("anna"))
			for round := range 5 {
				name := fmt.Sprint("Once ", round)
				a := kit.Args{"model": "res.partner", "records": []kit.Args{{"name": name}}, "idempotency_key": name}
				var mu sync.Mutex
				outcomes, ids := map[string]int{}, map[any]bool{}
				var callers sync.WaitGroup
				for range 20 {
					callers.Go(func() {
						content, failed := kit.Call(t, session, "create_records", a)
						mu.Lock()
						defer mu.Unlock()
						outcomes[failed]++
						if failed == "" {
							ids[kit.Only(t, content)["id"]] = true
						}
					})
				}
				callers.Wait()
				again := kit.Must(t, session, "create_records", a)
				ids[kit.Only(t, again)["id"]] = true
				if len(ids) != 1 || outcomes[""]+outcomes["conflict"] != 20 || outcomes[""] == 0 || again["replayed"] != true {
					t.Fatalf("outcomes %v, ids %v, again %v", outcomes, ids, again)
				}
				t.Logf("%v", outcomes)
				found := kit.Must(t, session, "search_records", kit.Args{"model": "res.partner", "domain": `[["name","=","` + name + `"]]`})
				if found["total"] != 1.0 {
					t.Fatalf("there are %v records", found["total"])
				}
			}
			if _, failed := kit.Call(t, session, "create_records", kit.Args{
				"model": "res.partner", "records": `[{"name":"Another"}]`, "idempotency_key": "Once 0",
			}); failed != "conflict" {
				t.Errorf("the same key for another request: %q", failed)
			}
		})
	}
}
