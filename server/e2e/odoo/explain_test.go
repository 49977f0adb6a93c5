package odoo_test

import (
	"fmt"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealExplain: `doorman explain` says of each call what the call itself comes to.
func TestRealExplain(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, peoplesKeys+`
partner = Command.set([env["ir.model"]._get_id("res.partner")])
clerk = user("clerk", "doorman.group_user", "doorman.group_scope_search", "doorman.group_scope_orm", "base.group_partner_manager")
rule = {"model_id": env["ir.model"]._get_id("res.partner"), "perm_read": True, "perm_write": True, "domain": "[('ref', '=', 'seen')]"}
out["seen"] = env["res.partner"].create({"name": "Seen", "ref": "seen"}).id
out["hidden"] = env["res.partner"].create({"name": "Hidden", "ref": "x"}).id
for name, values in (
    ("open", {}),
    ("read_only", {"read_only": True}),
    ("narrow", {"allowed_model_ids": [partner]}),
    ("ruled", {"model_rule_ids": [Command.create(rule)]}),
    ("elsewhere", {"allowed_ips": "192.0.2.1"}),
):
    connection(name, clerk, scope_ids=[Command.set(env["doorman.scope"].search([]).ids)], **values)
out["clerk_key"] = api_key(clerk)`)
	s := kit.Serve(t, o.Environ()...)
	environ := []string{"DOORMAN_ODOO_URL=" + o.Server.URL(), "DOORMAN_ODOO_DB=" + o.DB, "DOORMAN_ADMIN_KEY=" + o.Text("admin_key")}
	update := func(id int64) map[string]any {
		return map[string]any{"model": "res.partner", "ids": []int64{id}, "values": map[string]any{"comment": "x"}}
	}
	for _, c := range []struct {
		connection, tool, model, record string
		args                            map[string]any
		verdict, decides                string
	}{
		{"open", "update_records", "res.partner", "seen", update(o.ID("seen")), "Allowed.", "ok      Odoo: approval"},
		{"read_only", "update_records", "res.partner", "seen", update(o.ID("seen")), "Refused.", "refused Service"},
		{"narrow", "search_records", "res.country", "", map[string]any{"model": "res.country"}, "Refused.", "refused Service"},
		{"ruled", "update_records", "res.partner", "seen", update(o.ID("seen")), "Allowed.", "ok      Odoo: approval"},
		{"ruled", "update_records", "res.partner", "hidden", update(o.ID("hidden")), "Refused.", "refused Odoo: the user's rights"},
		{"ruled", "delete_records", "res.partner", "seen", map[string]any{"model": "res.partner", "ids": []int64{o.ID("seen")}},
			"Refused.", "refused Odoo: policy (models, rules)"},
	} {
		t.Run(c.connection+" "+c.tool+" "+c.record, func(t *testing.T) {
			args := []string{"--connection", fmt.Sprint(o.ID(c.connection + "_id")), "--tool", c.tool, "--model", c.model}
			if c.record != "" {
				args = append(args, "--record", fmt.Sprint(o.ID(c.record)))
			}
			printed, said := kit.Explain(t, environ, args...)
			if said != "<nil>" || !strings.Contains(printed, "\n"+c.verdict+"\n") || !strings.Contains(printed, c.decides) {
				t.Errorf("%s\n%s", said, printed)
			}
			if answer, failed := kit.Call(t, kit.Connect(t, s.MCP, o.Text(c.connection)), c.tool, c.args); (failed != "") != (c.verdict == "Refused.") {
				t.Errorf("the call itself: %q %v\n%s", failed, answer, printed)
			}
		})
	}
	elsewhere := []string{"--connection", fmt.Sprint(o.ID("elsewhere_id")), "--tool", "search_records", "--model", "res.partner"}
	for _, c := range []struct {
		name, verdict string
		args          []string
	}{
		{"another address", "Refused.", append(elsewhere, "--address", "192.0.2.2")},
		{"its address", "Allowed.", append(elsewhere, "--address", "192.0.2.1")},
		{"no address", "Allowed.", elsewhere},
	} {
		if printed, said := kit.Explain(t, environ, c.args...); said != "<nil>" || !strings.Contains(printed, "\n"+c.verdict+"\n") {
			t.Errorf("%s: %s\n%s", c.name, said, printed)
		}
	}
	for _, c := range []struct {
		name, key, connection, want string
	}{
		{"another's key", o.Text("clerk_key"), fmt.Sprint(o.ID("open_id")), "Only MCP administrators"},
		{"no key of Odoo's", "nonsense", fmt.Sprint(o.ID("open_id")), "This key is invalid"},
		{"no such connection", o.Text("admin_key"), "999999", "There is no such connection"},
	} {
		_, said := kit.Explain(t, append(environ[:2:2], "DOORMAN_ADMIN_KEY="+c.key), "--connection", c.connection, "--tool", "search_records")
		if !strings.Contains(said, c.want) || strings.Contains(said, c.key) {
			t.Errorf("%s: %s", c.name, said)
		}
	}
}
