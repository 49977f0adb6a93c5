package browser_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

const changesAction = "action-doorman.doorman_policy_change_action"

// undoable has an AI tool change the contact Undone Ltd, and returns the row of the audit.
func (b *backend) undoable(t *testing.T) (row int64) {
	t.Helper()
	connection, key := b.connect(t, "Windsurf, clean-up", adminID)
	b.o.Python(t, fmt.Sprintf(`
env["doorman.connection"].browse(%d).scope_ids = env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))])
env.cr.commit()`, connection))
	made := kit.AsAdmin(t, b.o, "res.partner", "create", []any{map[string]any{"name": "Undone Ltd", "function": "Buyer", "comment": "<p>Pays late</p>"}})
	var ids []int64
	if err := json.Unmarshal(made, &ids); err != nil {
		t.Fatal(err)
	}
	kit.Must(t, kit.Connect(t, b.s.MCP, key), "update_records", kit.Args{
		"model": "res.partner", "ids": ids, "values": `{"function": "Seller", "comment": "Pays on time"}`,
	})
	return b.number(t, fmt.Sprintf("SELECT max(id) FROM doorman_audit WHERE change_id IS NOT NULL AND connection_id = %d", connection))
}

// undo takes back what an AI tool has changed, from its row in the audit.
func (b *backend) undo(t *testing.T) {
	b.undoable(t)
	p := browser(t, b.o, "admin")
	p.open(auditAction, ".o_list_view .o_data_row")
	p.click(`//tr[contains(@class, "o_data_row")]//td[@name="what"][starts-with(normalize-space(), "Update records: Contact")]`)
	p.click("button[name=action_undo]")
	p.see(".modal", "Pays late")
	p.shot("undo", 1400, 800)
	p.shot("undo-phone", 412, 900)
	p.click(".modal button[name=action_undo]")
	const function = "SELECT function FROM res_partner WHERE name = 'Undone Ltd'"
	p.until(func() (string, bool) {
		is, err := b.o.Host.Psql(p.ctx, b.o.DB, function)
		return fmt.Sprintf("the function is %q (%v)", is, err), err == nil && strings.TrimSpace(is) == "Buyer"
	})
}

// policyChange asks for what takes two administrators, and sees it wait.
func (b *backend) policyChange(t *testing.T) {
	settings := []int64{b.o.ID("settings")}
	kit.AsAdmin(t, b.o, "res.users", "create", []any{map[string]any{
		"name": "Second Admin", "login": "second", "group_ids": []any{[]any{4, b.o.ID("admin_group")}},
	}})
	kit.AsAdmin(t, b.o, "doorman.settings", "write", settings, map[string]any{"four_eyes": true})
	kit.AsAdmin(t, b.o, "doorman.settings", "write", settings, map[string]any{"allow_self_approval": true})
	p := browser(t, b.o, "admin")
	p.open(changesAction, ".o_list_view .o_data_row")
	p.see(".o_data_row", "Pending")
	p.shot("policy-changes", 1400, 420)
	p.click(".o_data_row td[name=field_label]")
	p.wait(".o_form_view")
	p.shot("policy-change", 1400, 700)
	p.shot("policy-change-phone", 412, 900)
	// The administrator who requested it cannot confirm it, only withdraw it.
	p.missing("the requester confirms", "button[name=action_confirm]")
	b.o.Python(t, `
env["doorman.policy.change"].search([]).unlink()
env["doorman.settings"]._get().write({"four_eyes": False})
env.cr.commit()`)
}

// lookAtDialogs opens what nobody goes on with here: the service's key would change, and the addon would go.
func (b *backend) lookAtDialogs(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.open(settingsAction, ".o_form_view")
	p.shot("settings", 1400, 1000)
	p.click(`//button[contains(., "Rotate the Service Key")]`)
	p.wait(".modal .modal-footer")
	p.shot("rotate-service-key", 1400, 700)
	var module []int64
	found := kit.AsAdmin(t, b.o, "ir.module.module", "search", []any{[]any{"name", "=", "doorman"}})
	if err := json.Unmarshal(found, &module); err != nil {
		t.Fatal(err)
	}
	p.open(fmt.Sprintf("action-base.open_module_tree/%d", module[0]), ".o_form_view")
	p.click(`button[name=button_uninstall_wizard]`)
	p.see(".modal .alert-danger", "Export the audit")
	p.shot("uninstall", 1400, 900)
	p.shot("uninstall-phone", 412, 900)
}
