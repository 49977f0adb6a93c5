package odoo_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

// probe is one try to learn something of a model through a relation to it.
type probe struct {
	name string
	tool string
	args map[string]any
	kind string // of the refusal; "" = not_allowed
}

func searching(name, domain string) probe {
	return probe{name: name, tool: "search_records", args: map[string]any{"model": "res.partner", "domain": domain, "fields": []string{"name"}}}
}

func reading(name, tool, argument string, value any) probe {
	return probe{name: name, tool: tool, args: map[string]any{"model": "res.partner", argument: value}}
}

// probes start from res.partner, which is allowed, and reach for models that are not.
var probes = []probe{
	searching("a dotted path", `[["bank_ids.acc_number","=like","%"]]`),
	searching("a path of two steps", `[["child_ids.bank_ids.acc_number","=like","%"]]`),
	searching("a path through what is allowed", `[["parent_id.bank_ids.acc_number","=like","%"]]`),
	searching("any", `[["bank_ids","any",[["acc_number","=like","%"]]]]`),
	searching("not any", `[["bank_ids","not any",[["acc_number","=like","9%"]]]]`),
	searching("any within any", `[["child_ids","any",[["bank_ids","any",[["acc_number","ilike","1"]]]]]]`),
	searching("a path within any", `[["child_ids","any",[["bank_ids.acc_number","ilike","1"]]]]`),
	searching("the id of another record", `[["bank_ids.id",">",0]]`),
	searching("a login", `[["user_ids.login","=like","a%"]]`),
	searching("who made it", `[["create_uid.login","=","admin"]]`),
	searching("who made it, by two names", `[["write_uid.partner_id.email","like","@"]]`),
	searching("a country's code", `[["country_id.code","=","BE"]]`),
	searching("a company's field", `[["company_id.vat","!=",false]]`),
	searching("a tag's name", `[["category_id.name","=like","%"]]`),
	searching("a message", `[["message_ids.body","ilike","secret"]]`),
	searching("an activity", `[["activity_ids.note","ilike","secret"]]`),
	searching("behind an or", `["|",["name","=","x"],["bank_ids.acc_number","=like","%"]]`),
	searching("behind a not", `["!",["bank_ids.acc_number","=like","9%"]]`),
	searching("the name of another record", `[["country_id","ilike","belg"]]`),
	searching("the name of many records", `[["bank_ids","ilike","1"]]`),
	reading("order by a path", "search_records", "order", "country_id.code"),
	reading("order by another model's order", "search_records", "order", "country_id desc"),
	reading("group by a path", "aggregate_records", "group_by", []string{"country_id.code"}),
	reading("count within a path", "aggregate_records", "domain", `[["bank_ids.acc_number","=like","%"]]`),
	{"a dotted field", "search_records", map[string]any{"model": "res.partner", "fields": []string{"bank_ids.acc_number"}}, "invalid_input"},
	{"a dotted field of one record", "read_records", map[string]any{"model": "res.partner", "ids": []int{1}, "fields": []string{"country_id.code"}}, "invalid_input"},
	{"measure along a path", "aggregate_records", map[string]any{"model": "res.partner", "measures": []string{"bank_ids.id:max"}}, "invalid_input"},
	{"the model itself", "search_records", map[string]any{"model": "res.partner.bank"}, ""},
	{"its structure", "describe_model", map[string]any{"model": "res.partner.bank"}, ""},
}

// TestRealRelationProbes: a connection for res.partner learns nothing of other models through it.
func TestRealRelationProbes(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, `
env["res.partner.bank"].create({"acc_number": "BE71096123456769", "partner_id": env.ref("base.main_partner").id})
partner = Command.set([env["ir.model"]._get_id("res.partner")])
connection("narrow", admin, allowed_model_ids=[partner])
connection("open", admin)`)
	s := kit.Serve(t, o.Environ()...)
	narrow, open := kit.Connect(t, s.MCP, o.Text("narrow")), kit.Connect(t, s.MCP, o.Text("open"))
	for _, args := range []map[string]any{
		{"model": "res.partner", "domain": `[["name","=like","%"]]`},
		{"model": "res.partner", "domain": `[["child_ids.name","=like","%"]]`},
		{"model": "res.partner", "domain": `[["child_ids","any",[["email","!=",false]]]]`},
		{"model": "res.partner", "domain": `[["country_id","!=",false]]`},
	} {
		t.Run(fmt.Sprint("allowed: ", args["domain"]), func(t *testing.T) {
			if content, failed := kit.Call(t, narrow, "search_records", args); failed != "" {
				t.Fatalf("refused: %v", content)
			}
		})
	}
	reached := 0
	for _, p := range probes {
		t.Run("refused: "+p.name, func(t *testing.T) {
			content, failed := kit.Call(t, narrow, p.tool, p.args)
			if want := cmp.Or(p.kind, "not_allowed"); failed != want {
				t.Errorf("got %q, want %s: %v", failed, want, content)
			}
			if strings.Contains(fmt.Sprint(content), "BE71096123456769") {
				t.Errorf("it holds the account number: %v", content)
			}
		})
		// A probe that is refused to everyone shows nothing of the model rule.
		if _, failed := kit.Call(t, open, p.tool, p.args); failed == "" {
			reached++
		}
	}
	if reached < 20 {
		t.Errorf("only %d of %d probes get through an open connection", reached, len(probes))
	}
}

// TestRealFolding: while 32 clients make 10,000 calls, the job adds them up; nothing is lost, and nobody notices.
func TestRealFolding(t *testing.T) {
	t.Parallel()
	const clients, total = 32, 10_000
	o := kit.RealOdoo(t, 2, `connection("key", admin, rate_limit_minute=1_000_000, rate_limit_day=1_000_000)`)
	s := kit.Serve(t, o.Environ()...)
	folding := make(chan struct{})
	var folds atomic.Int32
	var folder sync.WaitGroup
	folder.Go(func() {
		for {
			select {
			case <-folding:
				return
			default:
				if err := kit.RunJob(t.Context(), o, "fold_use"); err != nil {
					t.Errorf("fold_use: %v", err)
					return
				}
				folds.Add(1)
			}
		}
	})
	var next atomic.Int64
	var callers sync.WaitGroup
	for range clients {
		callers.Go(func() {
			for next.Add(1) <= total {
				if err := kit.Search(t.Context(), s.MCP, o.Text("key")); err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
			}
		})
	}
	callers.Wait()
	close(folding)
	folder.Wait()
	// What came after the oldest transaction under way, in any database of the server, waits for it to end: other tests have some.
	want := fmt.Sprint(total, " connected")
	kit.Await(t, "the last calls are counted", func() error {
		if err := kit.RunJob(t.Context(), o, "fold_use"); err != nil {
			t.Fatal(err)
		}
		got, err := o.Host.Psql(t.Context(), o.DB, "SELECT request_count || ' ' || state FROM doorman_connection WHERE id = "+fmt.Sprint(o.ID("key_id")))
		if err != nil {
			t.Fatal(err)
		}
		return kit.Unless(strings.TrimSpace(got) == want, got)
	})
	if folds.Load() < 10 {
		t.Errorf("only %d folds while the calls ran", folds.Load())
	}
	kit.NoErrors(t, o)
}

// lists says whether tools/list names a tool, asked without a client that keeps the answer.
func lists(t *testing.T, mcpURL, key, tool string) bool {
	t.Helper()
	var list struct{ Tools []struct{ Name string } }
	r := kit.Post(t, mcpURL, key, "tools/list", map[string]any{})
	if err := json.Unmarshal(r.Result, &list); err != nil || r.Status != http.StatusOK {
		t.Fatalf("tools/list: status %d, %v", r.Status, err)
	}
	return slices.ContainsFunc(list.Tools, func(listed struct{ Name string }) bool { return listed.Name == tool })
}

// TestRealDayLimit: the requests of today still count after the service was restarted.
func TestRealDayLimit(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, `connection("key", admin, rate_limit_day=5)`)
	sameDay := kit.SameDay()
	call := func(s *kit.Service) string {
		_, failed := kit.Call(t, kit.Connect(t, s.MCP, o.Text("key")), "search_records", map[string]any{"model": "res.partner"})
		sameDay(t)
		return failed
	}
	first := kit.Serve(t, o.Environ()...)
	for i := range 3 {
		if failed := call(first); failed != "" {
			t.Fatalf("call %d: %s", i, failed)
		}
	}
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := kit.Serve(t, o.Environ()...)
	for i, want := range []string{"", "", "rate_limited", "rate_limited"} {
		if failed := call(second); failed != want {
			t.Errorf("call %d after the restart: %q, want %q", i, failed, want)
		}
	}
}

// TestRealCatalogReacts: what an administrator changes shows at once in tools/call, and in tools/list within 30 s.
func TestRealCatalogReacts(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, `connection("key", admin); connection("narrow", admin)`)
	s := kit.Serve(t, o.Environ()...)
	session := kit.Connect(t, s.MCP, o.Text("key"))
	kit.Await(t, "the catalog is in Odoo", func() error {
		n, err := o.Host.Psql(t.Context(), o.DB, "SELECT count(*) FROM doorman_tool")
		return kit.Unless(err == nil && strings.TrimSpace(n) != "0", n, err)
	})
	listed := func() bool { return lists(t, s.MCP, o.Text("key"), "search_records") }
	search := func() string {
		_, failed := kit.Call(t, session, "search_records", map[string]any{"model": "res.partner"})
		return failed
	}
	found := func(model string, domain ...any) (ids []int64) {
		if err := json.Unmarshal(kit.AsAdmin(t, o, model, "search", domain), &ids); err != nil || len(ids) == 0 {
			t.Fatalf("%s %v: %v %v", model, domain, ids, err)
		}
		return ids
	}
	named := func(model, field, name string) []int64 { return found(model, []any{field, "=", name}) }
	search1, read1 := named("doorman.tool", "name", "search_records"), named("doorman.tool", "name", "read_records")
	connection := []int64{o.ID("key_id")}
	only := func(ids []int64) any { return []any{[]any{6, 0, ids}} }
	steps := []struct {
		name, model string
		ids         []int64
		values      map[string]any
		allowed     bool
	}{
		{"a tool switched off", "doorman.tool", search1, map[string]any{"active": false}, false},
		{"and on again", "doorman.tool", search1, map[string]any{"active": true}, true},
		{"an allow list without it", "doorman.connection", connection, map[string]any{"allowed_tool_ids": only(read1)}, false},
		{"an allow list with it", "doorman.connection", connection, map[string]any{"allowed_tool_ids": only(search1)}, true},
		{"a model list without it", "doorman.connection", connection, map[string]any{"allowed_model_ids": only(named("ir.model", "model", "res.country"))}, false},
		{"no model list", "doorman.connection", connection, map[string]any{"allowed_model_ids": only([]int64{})}, true},
	}
	if search() != "" || !listed() {
		t.Fatal("it does not work to begin with")
	}
	for _, step := range steps {
		t.Run(step.name, func(t *testing.T) {
			kit.AsAdmin(t, o, step.model, "write", step.ids, step.values)
			if failed := search(); (failed == "") != step.allowed {
				t.Errorf("the very next call: %q", failed)
			}
			if strings.Contains(step.name, "model list") {
				return // the list of tools does not depend on models
			}
			if listed() != step.allowed {
				t.Errorf("tools/list does not follow the call")
			}
		})
	}
	t.Run("tools/list alone, within its cache hint", func(t *testing.T) {
		kit.AsAdmin(t, o, "doorman.tool", "write", search1, map[string]any{"active": false})
		kit.Within(t, 31*time.Second, "the tool disappears", func() error { return kit.Unless(!listed(), "it is listed") })
		kit.AsAdmin(t, o, "doorman.tool", "write", search1, map[string]any{"active": true})
	})
	t.Run("a module is installed, and removed", func(t *testing.T) {
		const module, model = "uom", "uom.uom"
		reach := func() string {
			_, failed := kit.Call(t, session, "search_records", map[string]any{"model": model})
			return failed
		}
		if failed := reach(); failed != "unknown_model" {
			t.Fatalf("before: %q", failed)
		}
		id := named("ir.module.module", "name", module)
		kit.AsAdmin(t, o, "ir.module.module", "button_immediate_install", id)
		if failed := reach(); failed != "" {
			t.Errorf("installed: %q", failed)
		}
		kit.AsAdmin(t, o, "ir.module.module", "button_immediate_uninstall", id)
		if failed := reach(); failed != "unknown_model" {
			t.Errorf("removed: %q", failed)
		}
	})
}
