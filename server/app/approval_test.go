package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// waiter is the key of a connection whose deletions, and changes of more than two countries, wait for a person.
const waiter = "dmk_waiter"

var gated = odootest.Waits{Tools: []string{"delete_records"}, Model: "res.country", MoreThan: 2}

// overWaiting is a service over a fake Odoo in which calls wait for a person.
func overWaiting(t *testing.T) (*kit.Service, *odootest.Server) {
	t.Helper()
	return overFake(t, []odootest.Connection{{Credential: waiter, Waits: gated}, {Credential: "dmk_other", Waits: gated}})
}

func deletion(ids ...int) map[string]any { return map[string]any{"model": "res.partner", "ids": ids} }

func status(t testing.TB, session *sdk.ClientSession, id any) map[string]any {
	t.Helper()
	content, failed := kit.Call(t, session, "approval_status", map[string]any{"request_id": id})
	if failed != "" {
		t.Fatalf("approval_status: %v", content)
	}
	return content
}

// pending makes a call that must wait, and returns the number of its request.
func pending(t testing.TB, session *sdk.ClientSession, tool string, args map[string]any) int64 {
	t.Helper()
	content, failed := kit.Call(t, session, tool, args)
	if failed != "" || content["status"] != "pending_approval" {
		t.Fatalf("%s: %v", tool, content)
	}
	return int64(content["request_id"].(float64))
}

// TestApprovalLife: a call waits, nothing is done; a person decides, and the AI tool learns what became of it.
func TestApprovalLife(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		decide func(o *odootest.Server, id int64)
		status string
		says   map[string]any
		done   int
	}{
		{"allow approved", func(o *odootest.Server, id int64) { o.Approve(id) }, "executed", map[string]any{
			"decided_by": odootest.Approver,
			"result": map[string]any{
				"model": "res.partner", "count": 2.0, "records": []any{
					map[string]any{"id": 3.0, "name": "Partner 03"}, map[string]any{"id": 4.0, "name": "Partner 04"},
				},
			},
		}, 1},
		{"deny rejected", func(o *odootest.Server, id int64) { o.Reject(id, "Not these.") }, "rejected", map[string]any{
			"reason": "Not these.", "decided_by": odootest.Approver, "result": nil,
		}, 0},
		{"deny approved too late", func(o *odootest.Server, id int64) { o.Overdue(id); o.Approve(id) }, "expired", map[string]any{"result": nil}, 0},
		{"deny withdrawn", func(o *odootest.Server, id int64) { o.Cancel(id, "Not any more.") }, "cancelled", map[string]any{"reason": "Not any more."}, 0},
		{"deny rejected, then approved", func(o *odootest.Server, id int64) { o.Reject(id, "No."); o.Approve(id) }, "rejected", map[string]any{"reason": "No."}, 0},
		{"deny approved, when a record is gone", func(o *odootest.Server, id int64) { o.Delete("res.partner", 4); o.Approve(id) }, "failed", map[string]any{
			"result": nil, "error": map[string]any{
				"kind": "not_found", "code": "unknown_record", "message": "There is no res.partner with the id 4.", "hint": "Use search_records to find ids.",
			},
		}, 0},
		{"deny undecided", func(*odootest.Server, int64) {}, "pending_approval", map[string]any{
			"result": nil, "decided_at": nil, "decided_by": nil, "approval_url": "http://odoo.example/odoo/doorman.approval/1",
		}, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			s, o := overWaiting(t)
			session := kit.Connect(t, s.MCP, waiter)
			id := pending(t, session, "delete_records", deletion(3, 4))
			if again := pending(t, session, "delete_records", deletion(3, 4)); again != id || o.Effects() != 0 || o.Record("res.partner", 3) == nil {
				t.Fatalf("asked again it is %d, not %d; %d effects", again, id, o.Effects())
			}
			row.decide(o, id)
			got := status(t, session, id)
			if got["status"] != row.status || got["tool"] != "delete_records" || got["next"] == "" || got["summary"] == "" {
				t.Errorf("%v, want %s", got, row.status)
			}
			for name, want := range row.says {
				if !reflect.DeepEqual(got[name], want) {
					t.Errorf("%s is %v, want %v", name, got[name], want)
				}
			}
			if gone := o.Record("res.partner", 3) == nil; o.Effects() != row.done || gone != (row.done > 0) {
				t.Errorf("%d effects, want %d; gone %v", o.Effects(), row.done, gone)
			}
			if again := status(t, session, id); !reflect.DeepEqual(again, got) {
				t.Errorf("asked again: %v, not %v", again, got)
			}
		})
	}
}

// TestPendingAnswer is exactly what was promised, and words for who reads only text.
func TestPendingAnswer(t *testing.T) {
	t.Parallel()
	s, o := overWaiting(t)
	session := kit.Connect(t, s.MCP, waiter)
	result, err := session.CallTool(t.Context(), &sdk.CallToolParams{Name: "delete_records", Arguments: deletion(3)})
	if err != nil || result.IsError || len(result.Content) != 2 {
		t.Fatalf("%+v, %v", result, err)
	}
	a := o.Approvals()[0]
	want := fmt.Sprintf(`{"status":"pending_approval","request_id":1,"expires_at":%q,"approval_url":"http://odoo.example/odoo/doorman.approval/1"}`,
		a.ExpiresAt.Format("2006-01-02T15:04:05Z"))
	if text := result.Content[0].(*sdk.TextContent).Text; text != want {
		t.Errorf("got %s\nwant %s", text, want)
	}
	structured, _ := json.Marshal(result.StructuredContent)
	var a1, a2 any
	_, _ = json.Unmarshal(structured, &a1), json.Unmarshal([]byte(want), &a2)
	if !reflect.DeepEqual(a1, a2) {
		t.Errorf("got %s", structured)
	}
	words := result.Content[1].(*sdk.TextContent).Text
	for _, part := range []string{"Nothing has been done", "http://odoo.example/odoo/doorman.approval/1", "approval_status", "request_id 1", "do not repeat"} {
		if !strings.Contains(words, part) {
			t.Errorf("no %q in %q", part, words)
		}
	}
	_, _, metrics := kit.Get(t, http.MethodGet, s.URL+"/metrics")
	if !strings.Contains(metrics, `doorman_tool_calls_total{outcome="pending_approval",tool="delete_records"} 1`) {
		t.Error("the metrics do not count it as waiting")
	}
}

// TestWhatWaits: Odoo decides it, and each call is one request to it, whether it waits or not.
func TestWhatWaits(t *testing.T) {
	t.Parallel()
	s, o := overWaiting(t)
	session := kit.Connect(t, s.MCP, waiter)
	countries := func(n int) map[string]any {
		list := strings.TrimSuffix(strings.Repeat(`{"name":"X","code":"XX"},`, n), ",")
		return map[string]any{"model": "res.country", "records": "[" + list + "]"}
	}
	dry := func(args map[string]any) map[string]any {
		args["dry_run"] = true
		return args
	}
	for _, row := range []struct {
		name, tool string
		args       map[string]any
		waits      bool
	}{
		{"allow two records", "create_records", countries(2), false},
		{"allow many of another model", "create_records", map[string]any{"model": "res.partner", "records": `[{"name":"a"},{"name":"b"},{"name":"c"}]`}, false},
		{"allow trying out three", "create_records", dry(countries(3)), false},
		{"allow trying out a deletion", "delete_records", dry(deletion(1)), false},
		{"allow reading three", "read_records", map[string]any{"model": "res.country", "ids": []int{1, 2, 3}}, false},
		{"deny three records", "create_records", countries(3), true},
		{"deny changing three", "update_records", map[string]any{"model": "res.country", "ids": []int{1, 2, 3}, "values": `{"name":"Y"}`}, true},
		{"deny running a method on three", "call_method", map[string]any{"model": "res.country", "ids": []int{1, 2, 3}, "method": "toggle"}, true},
		{"deny deleting one", "delete_records", deletion(1), true},
	} {
		before, calls := len(o.Approvals()), o.Count("call")
		content, failed := kit.Call(t, session, row.tool, row.args)
		if waits := content["status"] == "pending_approval"; failed != "" || waits != row.waits || len(o.Approvals()) > before != row.waits {
			t.Errorf("%s: %v", row.name, content)
		}
		if n := o.Count("call") - calls; n != 1 {
			t.Errorf("%s: %d calls", row.name, n)
		}
	}
	for _, row := range []struct {
		name, tool, kind string
		args             map[string]any
	}{
		{"deny a field that is not there", "create_records", "unknown_field", map[string]any{"model": "res.country", "records": `[{"nme":"a"},{"name":"b"},{"name":"c"}]`}},
		{"deny a record named twice", "delete_records", "invalid_input", deletion(1, 1)},
		{"deny what Odoo finds is not there", "delete_records", "not_found", deletion(999)},
		{"deny a model on the floor", "delete_records", "not_allowed", map[string]any{"model": "ir.rule", "ids": []int{1}}},
	} {
		before := len(o.Approvals())
		if content, failed := kit.Call(t, session, row.tool, row.args); failed != row.kind || len(o.Approvals()) != before {
			t.Errorf("%s: %v", row.name, content)
		}
	}
}

// TestStatusOfOthers: a request of somebody else and one that is not there are the same answer.
func TestStatusOfOthers(t *testing.T) {
	t.Parallel()
	s, _ := overWaiting(t)
	mine, other := kit.Connect(t, s.MCP, waiter), kit.Connect(t, s.MCP, "dmk_other")
	id := pending(t, mine, "delete_records", deletion(3))
	stranger, failed := kit.Call(t, other, "approval_status", map[string]any{"request_id": id})
	nobody, _ := kit.Call(t, other, "approval_status", map[string]any{"request_id": id + 1000})
	if failed != "not_found" || !reflect.DeepEqual(stranger, nobody) {
		t.Errorf("%v, but %v", stranger, nobody)
	}
	for _, args := range []map[string]any{{}, {"request_id": 0}, {"request_id": -1}, {"request_id": "x"}, {"request_id": 1 << 40}, {"id": id}} {
		if content, failed := kit.Call(t, other, "approval_status", args); failed != "invalid_input" {
			t.Errorf("%v: %v", args, content)
		}
	}
}

// TestRestartWhileWaiting: the service keeps nothing, so another one answers as well, also with the state that a client
// carries.
func TestRestartWhileWaiting(t *testing.T) {
	t.Parallel()
	first, o := overWaiting(t)
	id := pending(t, kit.Connect(t, first.MCP, waiter), "delete_records", deletion(3))
	if err := first.Stop(); err != nil {
		t.Fatal(err)
	}
	second := kit.Serve(t, fakeEnviron(o)...)
	session := kit.Connect(t, second.MCP, waiter)
	if got := status(t, session, id); got["status"] != "pending_approval" {
		t.Fatal(got)
	}
	o.Approve(id)
	if got := status(t, session, id); got["status"] != "executed" || o.Effects() != 1 {
		t.Fatal(got)
	}
}

// TestLostAnswer: a client that did not hear that a person was asked is told that it may have been done, looks, and asks again:
// it is the same request.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	for _, kind := range []odootest.FaultKind{odootest.DropAfterCommit, odootest.Truncated, odootest.InvalidJSON, odootest.DropBefore} {
		s, o := overWaiting(t)
		session := kit.Connect(t, s.MCP, waiter)
		o.Inject(odootest.Fault{Kind: kind, Methods: []string{"call"}, Times: 1})
		content, failed := kit.Call(t, session, "delete_records", deletion(3))
		if failed != "odoo_unavailable" || !strings.Contains(kit.Sprint(content), "may or may not") || o.Count("call") != 1 || o.Effects() != 0 {
			t.Fatalf("fault %d: %v", kind, content)
		}
		id := pending(t, session, "delete_records", deletion(3))
		if n := len(o.Approvals()); n != 1 || id != 1 {
			t.Errorf("fault %d: %d requests", kind, n)
		}
		o.Inject(odootest.Fault{Kind: kind, Methods: []string{"approval_status"}, Times: 1})
		if content, failed := kit.Call(t, session, "approval_status", map[string]any{"request_id": id}); failed != "odoo_unavailable" {
			t.Errorf("fault %d: %v", kind, content)
		}
		o.Approve(id)
		if got := status(t, session, id); got["status"] != "executed" || o.Effects() != 1 {
			t.Errorf("fault %d: %v", kind, got)
		}
	}
}

// TestSameKeyAfterApproval: a change with an idempotency key that was approved and done is answered, and not asked for
// again.
func TestSameKeyAfterApproval(t *testing.T) {
	t.Parallel()
	s, o := overWaiting(t)
	session := kit.Connect(t, s.MCP, waiter)
	args := deletion(3)
	args["idempotency_key"] = "k"
	o.Approve(pending(t, session, "delete_records", args))
	content, failed := kit.Call(t, session, "delete_records", args)
	if failed != "" || content["replayed"] != true || len(o.Approvals()) != 1 || o.Effects() != 1 {
		t.Errorf("%v, %d requests", content, len(o.Approvals()))
	}
}

// TestPollingWhileDecided: eight clients ask hundreds of times while a person decides; none sees anything but "waits",
// and then one and the same result.
func TestPollingWhileDecided(t *testing.T) {
	t.Parallel()
	s, o := overWaiting(t)
	id := pending(t, kit.Connect(t, s.MCP, waiter), "delete_records", deletion(3, 4))
	var polls atomic.Int64
	var seen sync.Map // what was seen of a decided request, as JSON
	var wg sync.WaitGroup
	for range 8 {
		session := kit.Connect(t, s.MCP, waiter)
		wg.Go(func() {
			decided := false
			for range 50 {
				content, failed := kit.Call(t, session, "approval_status", map[string]any{"request_id": id})
				body, _ := json.Marshal(content)
				switch {
				case failed == "" && content["status"] == "pending_approval" && !decided && content["result"] == nil:
				case failed == "" && content["status"] == "executed":
					decided = true
					seen.Store(string(body), true)
				default:
					t.Errorf("decided %v: %s", decided, body)
				}
				if polls.Add(1) == 150 {
					o.Approve(id)
				}
			}
		})
	}
	wg.Wait()
	different := 0
	seen.Range(func(any, any) bool { different++; return true })
	if different != 1 || o.Effects() != 1 {
		t.Errorf("%d different results, %d effects", different, o.Effects())
	}
}

// TestOddArguments: what the AI tool sent is kept as it was sent, and its result is shaped with it.
func TestOddArguments(t *testing.T) {
	t.Parallel()
	s, o := overWaiting(t)
	const odd = `{"model":"res.country","records":[{"name":"ёж 🦔 \u0000<&\"'\\ \u2028","code":"A"},{"name":"x","code":123456789012345678901234567890},{"name":"y","code":1.0}],` +
		`"idempotency_key":"ключ"}`
	if r := kit.Post(t, s.MCP, waiter, "tools/call", kit.ToolCall("create_records", json.RawMessage(odd))); !strings.Contains(r.Body, "pending_approval") {
		t.Fatal(r.Body)
	}
	a := o.Approvals()[0]
	kept := strings.NewReplacer(`\u003c`, "<", `\u0026`, "&").Replace(string(a.Arguments)) // the same text, as Go writes it
	if kept != odd || a.Call.IdempotencyKey != "ключ" {
		t.Errorf("kept %s\nsent %s", kept, odd)
	}
	o.Approve(a.ID)
	got := kit.Post(t, s.MCP, waiter, "tools/call", kit.ToolCall("approval_status", kit.Args{"request_id": 1})).Body
	if !strings.Contains(got, `"status":"executed"`) || !strings.Contains(got, "ёж 🦔") || !strings.Contains(got, `"count":3`) {
		t.Error(got)
	}
}

// TestTheFakeKnowsTheTools: which tool a call is of the fake takes from its method, as the addon does; the service says the
// same.
func TestTheFakeKnowsTheTools(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, []odootest.Connection{{Credential: waiter}})
	session := kit.Connect(t, s.MCP, waiter)
	partner := func(more kit.Args) kit.Args {
		more["model"] = "res.partner"
		return more
	}
	calls := map[string]kit.Args{
		"get_context": {}, "list_models": {}, "describe_model": partner(kit.Args{}), "search_records": partner(kit.Args{}),
		"read_records": partner(kit.Args{"ids": []int{1}}), "aggregate_records": partner(kit.Args{"group_by": []string{"country_id"}}),
		"search_everywhere": {"query": "Partner"}, "read_messages": partner(kit.Args{"id": 1}), "get_actions": partner(kit.Args{"id": 1}),
		"get_attachment": partner(kit.Args{"id": 1}), "get_report": partner(kit.Args{"ids": []int{1}}),
		"export_records": partner(kit.Args{"fields": []string{"name"}}),
		"request_upload": partner(kit.Args{"id": 1, "name": "a.txt"}), "create_records": partner(kit.Args{"records": `[{"name":"A"}]`}),
		"update_records": partner(kit.Args{"ids": []int{1}, "values": `{"name":"B"}`}), "delete_records": partner(kit.Args{"ids": []int{2}}),
		"call_method": partner(kit.Args{"ids": []int{1}, "method": "do_it"}), "post_message": partner(kit.Args{"id": 1, "body": "Hi"}),
		"schedule_activity": partner(kit.Args{"id": 1}), "send_document": partner(kit.Args{"id": 1}),
	}
	for tool, args := range calls {
		before := len(o.Audit())
		if content, failed := kit.Call(t, session, tool, args); failed != "" {
			t.Errorf("%s: %v", tool, content)
			continue
		}
		seen := o.Audit()[before:]
		if len(seen) != 1 || seen[0].Call.Tool() != tool || seen[0].Call.Audit["tool"] != tool {
			t.Errorf("%s: %+v", tool, seen)
		}
	}
}
