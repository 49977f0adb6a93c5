package browser_test

import (
	"fmt"
	"strings"
	"testing"
)

const (
	rotateButton     = `//button[contains(., "Rotate Key")]`
	reactivateButton = `//button[@name="action_reactivate"]`
	confirmButton    = `.modal .modal-footer .btn-primary`
	doneButton       = `//*[contains(@class, "modal-footer")]//button[contains(., "Done")]`
)

// wizard goes from the button to a key that works.
func (b *backend) wizard(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.click(`//*[contains(@class, "o_control_panel")]//button[contains(., "Connect a New Tool")]`)
	p.see(".modal", "Which AI tool?")
	p.shot("wizard", 1400, 760)
	p.shot("wizard-phone", 390, 900)
	p.click(`//*[contains(@class, "modal")]//button[normalize-space()="API Key"]`)
	p.fill(".modal .o_field_widget[name=name] input", "Claude Code, month-end")
	p.shot("wizard-key", 1400, 720)
	p.click(".modal button[name=action_connect]")
	p.see(".modal .o_field_widget[name=key]", "dmk_")
	shown := strings.Fields(p.texts(".modal .o_field_widget[name=key]")[0])[0]
	p.see(".modal .o_field_widget[name=url]", b.s.MCP)
	p.see(".modal .o_field_widget[name=snippets]", shown)
	p.see(".modal .o_field_widget[name=snippets]", b.s.MCP)
	p.shot("key", 1400, 1100)
	key := p.key()
	b.admits(t, "the key of the wizard", key, true)
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.see(".o_data_row", "Claude Code, month-end")
}

// firstCall goes from an AI tool's tile to its first call, with nothing typed.
func (b *backend) firstCall(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.click(`//*[contains(@class, "o_control_panel")]//button[contains(., "Connect a New Tool")]`)
	p.click(`//*[contains(@class, "o_doorman_tiles")]//button[normalize-space()="Codex"]`)
	p.wait(".modal button[name=action_connect]")
	p.missing("it has no browser login here", `.modal button[name=action_choose_browser]`)
	p.click(".modal button[name=action_connect]")
	p.see(".modal .o_field_widget[name=snippets]", "[mcp_servers.odoo]")
	p.missing("other tools are not shown", ".modal .o_field_widget[name=snippets] .nav-link:nth-child(2)")
	p.see(".modal .o_doorman_first_call", "Waiting for the first call.")
	p.click(".modal .o_doorman_test")
	p.see(".modal .o_doorman_first_call", "The connection is active and has a working key.")
	p.missing("all that Odoo knows is well", ".modal .o_doorman_first_call .fa-times")
	p.shot("first-call", 1400, 1000)
	p.shot("first-call-phone", 390, 1500)
	key := strings.Fields(p.texts(".modal .o_field_widget[name=key]")[0])[0]
	b.admits(t, "the key of the wizard", key, true)
	p.see(".modal .o_doorman_first_call", "Connected: ")
	p.see(".modal .o_doorman_first_call", "from 127.0.0.1")
	p.missing("there is nothing left to test", ".modal .o_doorman_test")
	p.shot("connected", 1400, 1000)
	if id := b.id(t, "Codex, Mitchell Admin"); id == 0 {
		t.Error("the connection has no name of its own")
	}
}

// rotate makes new keys, with the old one dead at once, and with an overlap.
func (b *backend) rotate(t *testing.T) {
	p := browser(t, b.o, "admin")
	id, old := b.connect(t, "Gemini CLI, stock", adminID)
	b.admits(t, "the first key", old, true)
	p.form(id)
	p.click(rotateButton)
	p.see(".modal", "The old key stops working at once.")
	p.shot("rotate", 1400, 700)
	p.click(".modal button[name=action_rotate]")
	key := p.key()
	b.admits(t, "the new key", key, true)
	b.admits(t, "the old key after a rotation without overlap", old, false)

	p.form(id)
	p.click(rotateButton)
	p.fill(".modal .o_field_widget[name=overlap_minutes] input", "30")
	p.see(".modal", "Both keys work during the overlap, then the old one stops.")
	p.click(".modal button[name=action_rotate]")
	newest := p.key()
	b.admits(t, "the new key", newest, true)
	b.admits(t, "the old key within the overlap", key, true)
	p.form(id)
	p.see(".o_form_sheet .alert", "The key before the last rotation works until")
	p.see(".o-mail-Chatter", "Minutes until the old key stops working: 30.")

	p.click(rotateButton)
	p.fill(".modal .o_field_widget[name=overlap_minutes] input", "99999")
	p.click(".modal button[name=action_rotate]")
	p.see(".modal", "The overlap must be from 0 to 10080 minutes")
	b.admits(t, "the key after a rotation that was refused", newest, true)
}

// revoke ends a connection, once it has said what ends, and brings it back with a new key.
func (b *backend) revoke(t *testing.T) {
	p := browser(t, b.o, "admin")
	id, old := b.connect(t, "Continue, translations", adminID)
	b.admits(t, "the first key", old, true)
	p.form(id)
	p.click("button[name=action_ask_revoke]")
	p.see(".modal", "API keys stop working for good.")
	b.admits(t, "before the question is answered, a call", old, true)
	p.shot("revoke", 1400, 620)
	p.shot("revoke-phone", 390, 844)
	p.click(".modal button[name=action_revoke]")
	p.see(".o_doorman_status", "Revoked")
	b.admits(t, "the key of a revoked connection", old, false)

	p.click(reactivateButton)
	p.see(".modal", "A new key is created and shown only once")
	p.click(confirmButton)
	key := p.key()
	b.admits(t, "the new key", key, true)
	b.admits(t, "the key of before", old, false)
	p.form(id)
	p.see(".o-mail-Chatter", "Revoked by Mitchell Admin.")
	p.see(".o-mail-Chatter", "Reactivated by Mitchell Admin.")
}

// revokeSeveral ends the connections that are ticked in the list.
func (b *backend) revokeSeveral(t *testing.T) {
	p := browser(t, b.o, "admin")
	_, one := b.connect(t, "Old trial A", adminID)
	_, two := b.connect(t, "Old trial B", adminID)
	_, other := b.connect(t, "Old trial, still needed", adminID)
	p.open(connectionAction, ".o_list_view .o_data_row")
	before := b.names(t, live)
	for _, name := range []string{"Old trial A", "Old trial B"} {
		p.click(fmt.Sprintf(`//tr[contains(@class, "o_data_row")][.//td[@name="name"][normalize-space()=%q]]//td[contains(@class, "o_list_record_selector")]//input`, name))
	}
	p.click(`//*[contains(@class, "o_control_panel")]//button[@name="action_ask_revoke"]`)
	p.see(".modal", "Connections that end now: 2")
	p.shot("revoke-several", 1400, 620)
	p.click(".modal button[name=action_revoke]")
	p.until(func() (string, bool) {
		after := b.names(t, live)
		return fmt.Sprintf("%d connections are alive, want %d", len(after), len(before)-2), len(after) == len(before)-2
	})
	p.seeRows("after revoking two", b.names(t, live))
	b.admits(t, "the first that was ticked", one, false)
	b.admits(t, "the second that was ticked", two, false)
	b.admits(t, "one that was not ticked", other, true)
}

// idle shows how long a connection has been silent.
func (b *backend) idle(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.form(b.id(t, "Sales assistant"))
	p.see(".o_form_statusbar", "Idle for 5 days, 10 hours")
	p.shot("idle", 1400, 420)
}

// wrongLine types an IP rule with a mistake: saving names the line.
func (b *backend) wrongLine(t *testing.T) {
	p := browser(t, b.o, "admin")
	id, key := b.connect(t, "Claude Desktop, warehouse", adminID)
	p.form(id)
	p.tab("Network and limits")
	p.see(".o_form_sheet", "From anywhere. To limit it")
	p.shot("connection-network", 1400, 1100)
	p.fill(".o_field_widget[name=allowed_ips] textarea", "10.0.0.0/8\n10.0.0.300")
	p.click(".o_form_button_save")
	p.see(".modal", "Allowed IPs, line 2: '10.0.0.300' is neither an IP address nor a network.")
	p.shot("wrong-line", 1400, 700)
	p.click(confirmButton)
	p.gone(".modal")
	b.admits(t, "before the rule is saved, a call", key, true)
	p.fill(".o_field_widget[name=allowed_ips] textarea", "203.0.113.0/24  # not here")
	p.click(".o_form_button_save")
	p.see(".o-mail-Chatter", "203.0.113.0/24 # not here")
	b.admits(t, "a call from an address that is not allowed", key, false)
}

// masterSwitch shuts and opens the door for all.
func (b *backend) masterSwitch(t *testing.T) {
	p := browser(t, b.o, "admin")
	id, key := b.connect(t, "Cursor, support", adminID)
	b.admits(t, "with the switch on", key, true)
	p.open(settingsAction, "button[name=action_disable]")
	p.click("button[name=action_disable]")
	p.see(".modal", "Every AI tool is refused from now on.")
	p.click(confirmButton)
	p.wait("button[name=action_enable]")
	b.admits(t, "with the switch off", key, false)
	p.shot("settings-off", 1400, 760)
	p.form(id)
	p.see(".o_form_sheet .alert", "The server is switched off")
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.see(".o_doorman_banner", "Access is switched off")
	p.shot("connections-off", 1400, 560)
	p.open(settingsAction, "button[name=action_enable]")
	p.click("button[name=action_enable]")
	p.wait("button[name=action_disable]")
	b.admits(t, "with the switch on again", key, true)
}

// toolOff switches a tool off in the catalog.
func (b *backend) toolOff(t *testing.T) {
	p := browser(t, b.o, "admin")
	_, key := b.connect(t, "VS Code, docs", adminID)
	b.admits(t, "the tool", key, true)
	p.open(toolAction, ".o_list_view .o_data_row")
	row := `//tr[contains(@class, "o_data_row")][.//td[@name="name"][normalize-space()="search_records"]]`
	p.click(row + `//button[@name="action_archive"]`)
	p.see(".modal", "The tool disappears from every connection at once.")
	p.click(confirmButton)
	p.wait(row + `//button[@name="action_unarchive"]`)
	b.admits(t, "a tool that is switched off", key, false)
	p.click(row + `//button[@name="action_unarchive"]`)
	p.wait(row + `//button[@name="action_archive"]`)
	b.admits(t, "the tool, on again", key, true)
}

// user looks at the backend as a plain MCP user does.
func (b *backend) user(t *testing.T) {
	id, old := b.connect(t, "Claude Code, Pia's laptop", b.o.ID("pia"))
	p := browser(t, b.o, "pia")
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.seeRows("an MCP user sees their own", []string{"Claude Code, Pia's laptop"})
	p.missing("there is a button to make one", ".o_list_button_add")
	if panel := strings.Join(p.texts(".o_control_panel"), " "); strings.Contains(panel, "Connect a New Tool") {
		t.Errorf("there is a button to connect one: %q", panel)
	}
	if menus := strings.Join(p.texts(".o_menu_sections"), " "); !strings.Contains(menus, "Audit") || strings.Contains(menus, "Configuration") {
		t.Errorf("menus %q", menus)
	}
	p.shot("connections-user", 1400, 420)
	p.form(id)
	p.see(".o_form_sheet", "Every tool of its scope")
	p.missing("a field of the policy can be edited", ".o_form_sheet input:not([disabled]), .o_form_sheet textarea:not([disabled])")
	p.missing("a user makes pick-up links", "button[name=action_pickup_link]")
	p.shot("connection-user", 1400, 1000)

	p.click(rotateButton)
	p.click(".modal button[name=action_rotate]")
	key := p.key()
	b.admits(t, "the key that its user made", key, true)
	b.admits(t, "the key before", old, false)
	p.form(id)
	p.click("button[name=action_ask_revoke]")
	p.click(".modal button[name=action_revoke]")
	p.see(".o_doorman_status", "Revoked")
	b.admits(t, "the key of what its user revoked", key, false)
	p.click(reactivateButton)
	p.click(confirmButton)
	b.admits(t, "the key of what its user reactivated", p.key(), true)

	p.open("", ".o_user_menu button")
	p.click(".o_user_menu button")
	p.click(`//*[contains(@class, "dropdown-item")][normalize-space()="My Preferences"]`)
	p.tab("AI tools")
	p.see(".modal", "Claude Code, Pia's laptop")
	p.shot("preferences", 1400, 700)
	p.shot("preferences-phone", 390, 844)

	p.open(auditAction, ".o_list_view .o_data_row")
	for _, row := range p.texts(".o_data_row td[name=user_id]") {
		if row != "Pia" {
			t.Errorf("an MCP user sees the audit of %q", row)
		}
	}
	p.open(settingsAction, ".o_web_client .o_main_navbar")
	p.missing("an MCP user sees the settings", "button[name=action_disable]")
}
