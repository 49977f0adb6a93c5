package browser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"doorman/server/e2e/kit"

	"github.com/chromedp/chromedp"
)

const live = "active AND state IN ('inactive', 'awaiting', 'connected', 'idle')"

// everyView opens each view with the demo data: what is seen is what the guides show.
func (b *backend) everyView(t *testing.T) {
	p := browser(t, b.o, "admin")
	cursor := b.id(t, "Cursor, web shop team")
	kit.NewKey(t, b.o, "action_rotate_key", cursor)

	p.open(connectionAction, ".o_list_view .o_data_row")
	p.shot("connections", 1400, 560)
	p.form(cursor)
	p.see(".o_doorman_status", "Connected")
	p.see(".o_form_sheet", "Doorman: Cursor, web shop team")
	p.see("button[name=action_open_requests]", "87 Requests")
	p.shot("connection", 1400, 1150)
	p.shot("connection-phone", 412, 900)
	p.click("button[name=action_open_requests]")
	p.wait(".o_graph_view canvas")
	p.see(".o_control_panel", "Requests by connection")
	p.shot("use", 1400, 600)

	p.form(b.id(t, "Claude, browser"))
	p.see(".o_form_sheet", "OAUTH INFO")
	p.see(".o_form_sheet", "https://claude.ai/api/mcp/auth_callback")
	p.tab("Approvals")
	p.see(".o_field_widget[name=approval_tool_ids]", "aggregate_records (low risk)")
	p.shot("connection-oauth", 1400, 1150)
	p.missing("an OAuth connection has no key", "button[name=action_pickup_link]")

	p.open(settingsAction, ".o_form_view button[name=action_disable]")
	p.see(".oe_stat_button", "Online Service")
	p.see(".oe_stat_button", fmt.Sprintf("%d Connections", len(b.names(t, live))))
	p.shot("settings", 1400, 760)
	p.shot("settings-phone", 412, 900)
	p.click(`//*[contains(@class, "oe_stat_button")][contains(., "Refused")]`)
	p.wait(".o_list_view .o_data_row")
	for _, row := range p.texts(".o_data_row td[name=outcome]") {
		if row != "Refused" {
			t.Errorf("behind the counter of what was refused: %q", row)
		}
	}
	p.open(toolAction, ".o_list_view .o_data_row")
	p.shot("tools", 1400, 480)
	for _, phone := range []struct{ name, action string }{{"tools", toolAction}, {"audit", auditAction}} {
		p.do(chromedp.EmulateViewport(390, 844))
		p.open(phone.action, ".o_kanban_view .o_kanban_record:not(.o_kanban_ghost)")
		p.shot(phone.name+"-phone", 390, 844)
		p.do(chromedp.EmulateViewport(1400, 900))
	}
	p.open(auditAction, ".o_list_view .o_data_row")
	p.shot("audit", 1400, 620)
	p.click(".o_data_row td[name=what]")
	p.wait(".o_form_view .o_field_widget[name=request_id]")
	p.missing("a row without payload has no tabs", ".o_notebook")
	p.shot("audit-row", 1400, 600)
	p.open(useAction, ".o_graph_view canvas")
	p.open(usesAction, ".o_list_view .o_data_row")
	p.click(".o_switch_view.o_pivot")
	p.wait(".o_pivot_view table")
	p.see(".o_pivot_view", "Cursor, web shop team")
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.click(".o_switch_view.o_graph")
	p.wait(".o_graph_view canvas")
}

// list checks columns, colours, filters and groups against the database.
func (b *backend) list(t *testing.T) {
	p := browser(t, b.o, "admin")
	kit.AsAdmin(t, b.o, "doorman.connection", "write", []int64{b.id(t, "VS Code, data clean-up")}, map[string]any{"active": false})
	kit.AsAdmin(t, b.o, "doorman.connection", "write", []int64{b.id(t, "Gemini CLI, month-end reports")}, map[string]any{
		"expires_at": time.Now().UTC().AddDate(0, 0, 5).Format(time.DateTime)})
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.see(".o_searchview_facet", "Active")
	p.seeRows("it opens with what is active", b.names(t, live))
	if headers := strings.Join(p.texts(".o_list_table thead th"), "|"); !strings.Contains(headers, "Type|Name|User|Status|Last used|Requests") {
		t.Errorf("columns %q", headers)
	}
	p.missing("there is a New button", ".o_list_button_add")
	p.click(".o_searchview_dropdown_toggler")
	p.choose(".o_filter_menu", "Revoked")
	p.seeRows("Revoked, chosen while Active is on", b.names(t, "active AND state = 'revoked'"))
	p.choose(".o_filter_menu", "Active")
	p.seeRows("Active again", b.names(t, live))
	p.click(".o_searchview_facet .o_facet_remove")
	all := b.names(t, "active")
	p.seeRows("without a filter", all)
	b.colours(p)
	p.shot("connections-all", 1400, 640)

	p.click(".o_searchview_dropdown_toggler")
	for _, filter := range []struct{ name, where string }{
		{"Active", live},
		{"Revoked", "active AND state = 'revoked'"},
		{"Expired", "active AND state = 'expired'"},
		{"Connected", "active AND state = 'connected'"},
		{"Awaiting connection", "active AND state = 'awaiting'"},
		{"Idle", "active AND state = 'idle'"},
		{"Waiting for activation", "active AND state = 'inactive'"},
		{"API Key", "active AND auth_type = 'bearer'"},
		{"OAuth Client", "active AND auth_type = 'oauth'"},
		{"Dynamic Registrations", "active AND dynamic_registration"},
		{"Archived", "NOT active"},
		{"Expiring soon", "active AND state NOT IN ('revoked', 'expired') AND expires_at < now() at time zone 'utc' + interval '14 days'"},
		{"Never used", "active AND last_used IS NULL"},
	} {
		want := b.names(t, filter.where)
		if len(want) == 0 || len(want) == len(all) {
			t.Errorf("%s: the demo data shows nothing by %d of %d rows", filter.name, len(want), len(all))
		}
		p.choose(".o_filter_menu", filter.name)
		p.seeRows(filter.name, want)
		p.choose(".o_filter_menu", filter.name)
		p.seeRows("without "+filter.name, all)
	}
	for group, want := range map[string]string{"Type": "API Key", "User": "Mitchell Admin", "Status": "Connected"} {
		p.choose(".o_group_by_menu", group)
		p.see(".o_group_header", want)
		p.choose(".o_group_by_menu", group)
		p.gone(".o_group_header")
	}
}

// choose clicks an entry of the search menu, which stays open: by script, since the menu moves with the search bar.
func (p *page) choose(menu, entry string) {
	p.Helper()
	p.act(fmt.Sprintf(`[...document.querySelectorAll(%q)].find(e => e.innerText.trim() === %q)`, menu+" .o_menu_item", entry), `e.click()`)
}

// colours checks that each row has the colour of its status, and its badge the same.
func (b *backend) colours(p *page) {
	p.Helper()
	want := map[string]string{
		"Connected": "success", "Awaiting connection": "warning", "Waiting for activation": "warning",
		"Idle": "muted", "Revoked": "danger", "Expired": "danger",
	}
	script := `[...document.querySelectorAll(".o_data_row")].map(row => {
		const badge = row.querySelector("td[name=state] .badge");
		return [badge.innerText.trim(), row.className, badge.className].join("|");
	})`
	rows := ask[[]string](p, script)
	seen := map[string]bool{}
	for _, row := range rows {
		part := strings.Split(row, "|")
		colour := want[part[0]]
		seen[part[0]] = true
		badge := "text-bg-" + strings.ReplaceAll(colour, "muted", "300")
		if colour == "" || !strings.Contains(part[1], "text-"+colour) || !strings.Contains(part[2], badge) {
			p.Errorf("a row that is %s has the classes %s, its badge %s", part[0], part[1], part[2])
		}
	}
	if len(seen) != len(want) {
		p.Errorf("the demo data shows only %v", seen)
	}
}

// phone checks the cards that a small screen gets instead of the list.
func (b *backend) phone(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.do(chromedp.EmulateViewport(412, 900))
	p.open(connectionAction, ".o_kanban_view .o_kanban_record")
	p.see(".o_kanban_record", "Claude Code, Marc's laptop Connected")
	p.see(".o_kanban_record", "Requests: 128")
	p.see(".o_control_panel", "Connect a New Tool")
	if ask[bool](p, `document.querySelector(".o_content").scrollWidth > 412`) {
		t.Error("wider than the screen")
	}
	p.shot("connections-phone", 412, 860)
}
