package odoo_test

import (
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// undoSetup makes two connections of the administrator that may change things: one of them asks Bob before it deletes.
const undoSetup = `
scopes = [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)]
bob = user("bob", "base.group_user")
delete = env["doorman.tool"].search([("name", "=", "delete_records")])
connection("mine", admin, scope_ids=scopes, approver_id=bob.id, approval_tool_ids=[Command.set(delete.ids)])
connection("other", admin, scope_ids=scopes)
tag = env["res.partner.category"].create({"name": "Old tag"})
out["ada"] = env["res.partner"].create({"name": "Ada", "phone": "1", "comment": "<p>Old <b>text</b></p>", "category_id": [Command.set(tag.ids)]}).id
`

// TestRealUndo: over MCP, from end to end: values, links and made records are as they were before, as Odoo itself tells; and
// what is refused.
func TestRealUndo(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 2, undoSetup)
	service := kit.Serve(t, o.Environ()...)
	mine, other := kit.Connect(t, service.MCP, o.Text("mine")), kit.Connect(t, service.MCP, o.Text("other"))
	ada := int64(o.Out["ada"].(float64))
	now := func() string {
		return fmt.Sprint(o.Python(t, fmt.Sprintf(`
ada = env["res.partner"].browse(%d)
out["ada"] = [ada.name, ada.phone, str(ada.comment), ada.category_id.mapped("name")]`, ada))["ada"])
	}
	change := func(tool string, args kit.Args) float64 {
		t.Helper()
		content, failed := kit.Call(t, mine, tool, args)
		id, ok := content["change_id"].(float64)
		if failed != "" || !ok {
			t.Fatalf("%s: %s %v", tool, failed, content)
		}
		return id
	}
	undo := func(session *sdk.ClientSession, id float64, more kit.Args) (map[string]any, string) {
		t.Helper()
		args := kit.Args{"change_id": id}
		maps.Copy(args, more)
		return kit.Call(t, session, "undo_change", args)
	}
	refused := func(session *sdk.ClientSession, id float64, kind string) {
		t.Helper()
		before := now()
		if content, failed := undo(session, id, nil); failed == "" || content["kind"] != kind || now() != before {
			t.Errorf("want %s: %v, %s -> %s", kind, content, before, now())
		}
	}

	old := now()
	id := change("update_records", kit.Args{"model": "res.partner", "ids": []int64{ada}, "values": kit.Args{
		"name": "Eve", "phone": "2", "comment": "**New**", "category_id": [][]any{{5, 0, 0}},
	}})
	changed := now()
	if changed == old {
		t.Fatalf("nothing has changed: %s", old)
	}
	content, failed := undo(mine, id, kit.Args{"dry_run": true})
	changes, _ := content["changes"].([]any)
	if failed != "" || content["dry_run"] != true || now() != changed || len(changes) == 0 {
		t.Errorf("dry run: %s %v, %s", failed, content, now())
	}
	refused(other, id, "not_found")
	if content, failed = undo(mine, id, nil); failed != "" || now() != old {
		t.Errorf("undone: %v, %s, want %s", content, now(), old)
	}
	refused(mine, id, "conflict") // twice

	// Of four at the same instant, one undoes it.
	id = change("update_records", kit.Args{"model": "res.partner", "ids": []int64{ada}, "values": kit.Args{"phone": "6"}})
	start, said := make(chan struct{}), make([]string, 4)
	var together sync.WaitGroup
	for i := range said {
		session := kit.Connect(t, service.MCP, o.Text("mine"))
		together.Go(func() {
			<-start
			_, said[i] = kit.Call(t, session, "undo_change", kit.Args{"change_id": id})
		})
	}
	close(start)
	together.Wait()
	slices.Sort(said)
	if !slices.Equal(said, []string{"", "conflict", "conflict", "conflict"}) || now() != old {
		t.Errorf("at once: %q, %s, want %s", said, now(), old)
	}

	id = change("update_records", kit.Args{"model": "res.partner", "ids": []int64{ada}, "values": kit.Args{"phone": "3"}})
	o.Python(t, fmt.Sprintf(`env["res.partner"].browse(%d).phone = "4"`, ada))
	refused(mine, id, "conflict") // somebody has changed it since

	// What was made is deleted, which this connection asks a person for.
	id = change("create_records", kit.Args{"model": "res.partner", "records": []kit.Args{{"name": "Made"}}})
	content, failed = undo(mine, id, nil)
	if failed != "" || content["status"] != "pending_approval" {
		t.Fatalf("it does not wait: %v", content)
	}
	made := o.Python(t, fmt.Sprintf(`
made = env["res.partner"].search([("name", "=", "Made")])
out["before"] = len(made)
env["doorman.approval"].browse(%v).with_user(env["res.users"].search([("login", "=", "bob")])).action_approve()
env.flush_all()
out["after"] = len(made.exists())
out["state"] = env["doorman.approval"].browse(%v).state`, content["request_id"], content["request_id"]))
	if made["before"] != 1.0 || made["after"] != 0.0 || made["state"] != "executed" {
		t.Errorf("%v", made)
	}
	status, failed := kit.Call(t, mine, "approval_status", kit.Args{"request_id": content["request_id"]})
	if result, _ := status["result"].(map[string]any); failed != "" || result["undone"] != id {
		t.Errorf("%v", status)
	}

	// A connection that is gone undoes nothing.
	id = change("update_records", kit.Args{"model": "res.partner", "ids": []int64{ada}, "values": kit.Args{"phone": "5"}})
	o.Python(t, `env["doorman.connection"].search([("user_id.login", "=", "admin")]).write({"read_only": True})`)
	refused(mine, id, "read_only")
}
