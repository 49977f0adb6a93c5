package odoo_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
	"golang.org/x/sync/errgroup"

	"doorman/server/e2e/kit"
)

// gatedConnections makes connections of Anna's whose new contacts wait for Bob or Cora: gated(name).
const gatedConnections = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
anna = user("anna", "base.group_user", "base.group_partner_manager", "doorman.group_user")
bob, cora = user("bob", "base.group_user"), user("cora", "base.group_user")
group = env["res.groups"].create({"name": "Four eyes", "user_ids": [Command.set([bob.id, cora.id, anna.id])]})
def tool(name, risk):
    return env["doorman.tool"].search([("name", "=", name)]) or env["doorman.tool"]._inside().create({"name": name, "risk": risk})
gates = [Command.set([tool("create_records", "medium").id, tool("delete_records", "high").id])]
def gated(name):
    return connection(name, anna, scope_ids=scopes, approval_tool_ids=gates, approver_group_id=group.id)
`

// asking puts a new contact of this name before the approvers, and returns the number of the request.
func asking(t testing.TB, s *sdk.ClientSession, name string) int64 {
	t.Helper()
	content, failed := kit.Call(t, s, "create_records", map[string]any{
		"model": "res.partner", "records": fmt.Sprintf(`[{"name":%q}]`, name),
	})
	if failed != "" || content["status"] != "pending_approval" {
		t.Fatalf("not pending: %v", content)
	}
	id, _ := content["request_id"].(float64)
	return int64(id)
}

// decide approves or rejects a request as a person, over Odoo's own RPC.
func decide(ctx context.Context, o *kit.Odoo, login, method string, id int64) error {
	given := []any{[]int64{id}}
	if method == "action_reject" {
		given = append(given, "Not this one.")
	}
	_, err := kit.As(ctx, o, login, "doorman.approval", method, given...)
	return err
}

// TestRealApproval: a call waits, a person approves it in Odoo, and the AI tool gets the answer of the call.
func TestRealApproval(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, gatedConnections+`gated("key")`)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	anna := kit.Connect(t, s.MCP, o.Text("key"))
	status := func(id int64) map[string]any {
		t.Helper()
		before := proxy.Requests()
		told := kit.Must(t, anna, "approval_status", kit.Args{"request_id": id})
		if n := proxy.Requests() - before; n != 1 {
			t.Errorf("approval_status took %d requests to Odoo, want 1", n)
		}
		return told
	}

	first := asking(t, anna, "First Ltd")
	if again := asking(t, anna, "First Ltd"); again != first {
		t.Errorf("the same call again is request %d, not %d", again, first)
	}
	if found := kit.Must(t, anna, "search_records", kit.Args{"model": "res.partner", "domain": `[["name","=","First Ltd"]]`}); len(found["records"].([]any)) != 0 {
		t.Fatal("it was done before anybody approved it")
	}
	if got := status(first); got["status"] != "pending_approval" {
		t.Fatalf("status %v", got)
	}
	for login, why := range map[string]string{"anna": "who asked", "admin": "an administrator who is not asked"} {
		if err := decide(t.Context(), o, login, "action_approve", first); err == nil {
			t.Fatalf("%s could approve", why)
		}
	}
	if err := decide(t.Context(), o, "bob", "action_approve", first); err != nil {
		t.Fatal(err)
	}
	done := status(first)
	result, _ := done["result"].(map[string]any)
	if done["status"] != "executed" || done["decided_by"] != "Bob" || kit.Only(t, result)["name"] != "First Ltd" {
		t.Fatalf("status %v", done)
	}

	second := asking(t, anna, "Second Ltd")
	if err := decide(t.Context(), o, "cora", "action_reject", second); err != nil {
		t.Fatal(err)
	}
	if got := status(second); got["status"] != "rejected" || got["reason"] != "Not this one." || got["result"] != nil {
		t.Fatalf("status %v", got)
	}

	third := asking(t, anna, "Third Ltd")
	if _, err := o.Host.Psql(t.Context(), o.DB, fmt.Sprintf("UPDATE doorman_approval SET expires_at = now() at time zone 'utc' WHERE id = %d", third)); err != nil {
		t.Fatal(err)
	}
	if err := decide(t.Context(), o, "bob", "action_approve", third); err == nil || !strings.Contains(err.Error(), "expired") {
		t.Fatalf("an expired one could be approved: %v", err)
	}
	if err := kit.RunJob(t.Context(), o, "expire_approvals"); err != nil {
		t.Fatal(err)
	}
	if got := status(third); got["status"] != "expired" {
		t.Fatalf("status %v", got)
	}
	kit.NoErrors(t, o)
}

// race is two things that happen to one request at the same instant.
type race struct {
	name        string
	left, right func(ctx context.Context, round int, id int64) error
	loose       bool   // both may succeed: one of the two is not a decision
	expires     bool   // some time during the race
	rounds      int    // 0 = the usual number
	asker       string // which connections ask; "" = those that live
}

// rounds is how often each race is run.
const rounds = 20

// TestRealApprovalRaces: whatever two people and the clock do at the same instant, each request ends once, is carried
// out once or not at all, and leaves one row of the audit and no activity. All races share one Odoo, and run side by side:
// who loses one is run again by Odoo after a second or so, and a worker waits for that.
func TestRealApprovalRaces(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 8, gatedConnections+fmt.Sprintf(`
for n in range(%d):
    gated("round%%d" %% n)
    gated("revoked%%d" %% n)`, rounds))
	s := kit.Serve(t, o.Environ()...)
	by := func(login, method string) func(context.Context, int, int64) error {
		return func(ctx context.Context, _ int, id int64) error { return decide(ctx, o, login, method, id) }
	}
	races := []race{
		{name: "approve and reject", rounds: 100, left: by("bob", "action_approve"), right: by("cora", "action_reject")},
		{name: "two approvers", left: by("bob", "action_approve"), right: by("cora", "action_approve")},
		{name: "approve twice", left: by("bob", "action_approve"), right: by("bob", "action_approve")},
		{name: "approve and expire", loose: true, expires: true, left: by("bob", "action_approve"), right: func(ctx context.Context, _ int, _ int64) error {
			return kit.RunJob(ctx, o, "expire_approvals")
		}},
		{name: "approve and withdraw", left: by("bob", "action_approve"), right: by("anna", "action_cancel")},
		{name: "approve and revoke", loose: true, asker: "revoked", left: by("bob", "action_approve"), right: func(ctx context.Context, round int, _ int64) error {
			_, err := kit.As(ctx, o, "admin", "doorman.connection", "action_revoke", []int64{o.ID(fmt.Sprintf("revoked%d_id", round))})
			return err
		}},
	}
	pairs := make(chan struct{}, 4) // as many as have a worker for each of the two
	var all sync.WaitGroup
	for _, r := range races {
		all.Go(func() { t.Run(r.name, func(t *testing.T) { r.run(t, o, s, pairs) }) })
	}
	all.Wait()
	kit.NoErrors(t, o)
}

// run puts calls before people, and then lets the two things happen to each.
func (r race) run(t *testing.T, o *kit.Odoo, s *kit.Service, pairs chan struct{}) {
	ids, names := make([]int64, cmp.Or(r.rounds, rounds)), map[int64]string{}
	for i := range ids {
		name := fmt.Sprintf("%s %d", r.name, i)
		key := o.Text(fmt.Sprint(cmp.Or(r.asker, "round"), i%rounds))
		ids[i] = asking(t, kit.Connect(t, s.MCP, key), name)
		names[ids[i]] = name
	}
	var won atomic.Int32
	var group errgroup.Group
	for i, id := range ids {
		group.Go(func() error {
			pairs <- struct{}{}
			defer func() { <-pairs }()
			if r.expires {
				if err := expireIn(t.Context(), o, id, time.Duration(i)*20*time.Millisecond); err != nil {
					return err
				}
			}
			left, right := together(t.Context(), func(ctx context.Context) error { return r.left(ctx, i, id) },
				func(ctx context.Context) error { return r.right(ctx, i, id) })
			if !r.loose && (left == nil) == (right == nil) {
				t.Errorf("%s: left %v, right %v", names[id], left, right)
			}
			if left == nil {
				won.Add(1)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
	if r.expires {
		kit.Await(t, "all are over", func() error { // another run of the job may still work
			over, err := endsOf(t.Context(), o, names)
			if err = errors.Join(err, kit.RunJob(t.Context(), o, "expire_approvals")); err != nil {
				return err
			}
			pending := func(e ending) bool { return e.Open }
			return kit.Unless(!slices.ContainsFunc(slices.Collect(maps.Values(over)), pending), over)
		})
	}
	endedOnce(t, o, names)
	t.Logf("left won %d of %d", won.Load(), len(ids))
}

// together runs two functions at the same instant.
func together(ctx context.Context, left, right func(context.Context) error) (l, r error) {
	var both sync.WaitGroup
	start := make(chan struct{})
	both.Go(func() { <-start; l = left(ctx) })
	both.Go(func() { <-start; r = right(ctx) })
	close(start)
	both.Wait()
	return l, r
}

// expireIn moves the end of a request to d from now.
func expireIn(ctx context.Context, o *kit.Odoo, id int64, d time.Duration) error {
	_, err := o.Host.Psql(ctx, o.DB, fmt.Sprintf(
		"UPDATE doorman_approval SET expires_at = clock_timestamp() at time zone 'utc' + interval '%d milliseconds' WHERE id = %d", d.Milliseconds(), id))
	return err
}

// ending is what a request came to, in the database.
type ending struct {
	State                    string
	Effects, Rows, Asked     int
	Decided, HasResult, Open bool
}

// endsOf reads what became of requests, each of which would make a contact of this name.
func endsOf(ctx context.Context, o *kit.Odoo, names map[int64]string) (ends map[int64]ending, err error) {
	var asked []string
	for id, name := range names {
		asked = append(asked, fmt.Sprintf("(%d, '%s')", id, name))
	}
	text, err := o.Host.Psql(ctx, o.DB, fmt.Sprintf(`
		SELECT json_object_agg(a.id, json_build_object(
			'State', a.state, 'Decided', a.decided_at IS NOT NULL, 'HasResult', a.result IS NOT NULL,
			'Open', a.state = 'pending',
			'Effects', (SELECT count(*) FROM res_partner p WHERE p.name = asked.name),
			'Rows', (SELECT count(*) FROM doorman_audit d WHERE d.approval_id = a.id AND d.method LIKE 'approval/%%'),
			'Asked', (SELECT count(*) FROM mail_activity m WHERE m.res_model = 'doorman.approval' AND m.res_id = a.id)))
		  FROM (VALUES %s) AS asked(id, name) JOIN doorman_approval a ON a.id = asked.id`, strings.Join(asked, ", ")))
	if err != nil {
		return nil, err
	}
	start, end := strings.Index(text, "{"), strings.LastIndex(text, "}")
	if start < 0 || end < start {
		return nil, errors.New("no such request")
	}
	return ends, json.Unmarshal([]byte(text[start:end+1]), &ends)
}

// endedOnce checks that requests have ended, and that everything about each says the same.
func endedOnce(t testing.TB, o *kit.Odoo, names map[int64]string) {
	t.Helper()
	ends, err := endsOf(t.Context(), o, names)
	if err != nil || len(ends) != len(names) {
		t.Fatalf("%d of %d requests: %v", len(ends), len(names), err)
	}
	for id, e := range ends {
		effects := 0
		if e.State == "executed" {
			effects = 1
		}
		want := ending{State: e.State, Effects: effects, Rows: 1, Decided: true, HasResult: effects == 1}
		if e != want || e.State == "failed" {
			t.Errorf("%s: %+v, want %+v", names[id], e, want)
		}
	}
}
