package odoo_test

import (
	"fmt"
	"sync"
	"testing"

	"doorman/server/e2e/kit"
)

// daySetup makes a connection that may change four contacts within a day before a person is asked.
const daySetup = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
bob = user("bob", "base.group_user")
rule = {"model_id": env["ir.model"]._get_id("res.partner"), "more_than": 4, "per_day": True}
connection("day", admin, scope_ids=scopes, approver_id=bob.id, approval_rule_ids=[Command.create(rule)])
out["many"] = env["res.partner"].create([{"name": f"Day {n}"} for n in range(12)]).ids
`

// TestRealDayRule: of twelve changes at the same instant, through two replicas of the service, four are made, and the others
// wait for a person.
func TestRealDayRule(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 2, daySetup)
	one, two := kit.Serve(t, o.Environ()...), kit.Serve(t, o.Environ()...)
	var many []int64
	for _, id := range o.Out["many"].([]any) {
		many = append(many, int64(id.(float64)))
	}
	start := make(chan struct{})
	said := make([]string, len(many))
	var together sync.WaitGroup
	for i, id := range many {
		service := []*kit.Service{one, two}[i%2]
		session := kit.Connect(t, service.MCP, o.Text("day"))
		together.Go(func() {
			<-start
			content, failed := kit.Call(t, session, "update_records", kit.Args{"model": "res.partner", "ids": []int64{id}, "values": kit.Args{"ref": "x"}})
			said[i] = fmt.Sprint(failed, content["status"])
		})
	}
	close(start)
	together.Wait()
	changed := o.Python(t, `
out["n"] = env["res.partner"].search_count([("ref", "=", "x"), ("name", "=like", "Day %")])
out["waiting"] = env["doorman.approval"].search_count([("state", "=", "pending")])`)
	if n, waiting := changed["n"], changed["waiting"]; n != 4.0 || waiting != 8.0 {
		t.Errorf("%v were changed and %v wait, want 4 and 8: %q", n, waiting, said)
	}
}
