package browser_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"doorman/server/e2e/kit"
)

// keys looks at the report of keys, and at what says when a key ends.
func (b *backend) keys(t *testing.T) {
	p := browser(t, b.o, "admin")
	id, _ := b.connect(t, "Codex CLI, repair desk", adminID)
	soon, _ := b.connect(t, "n8n, price list", adminID)
	kit.AsAdmin(t, b.o, "doorman.connection", "action_rotate_key", []int64{soon}, 0, 7)
	kit.NewKey(t, b.o, "action_rotate_key", b.id(t, "Cursor, web shop team"))
	p.open(keyAction, ".o_list_view .o_data_row")
	p.see(".o_data_row.text-warning", "n8n, price list")
	p.see(".o_list_view", "On screen")
	p.shot("keys", 1400, 560)
	p.click(".o_searchview_dropdown_toggler")
	p.click(`//*[contains(@class, "o_filter_menu")]//*[contains(@class, "o_menu_item")][normalize-space()="Expires within 30 days"]`)
	p.see(".o_searchview_facet", "Expires within 30 days")
	p.until(func() (string, bool) {
		rows := p.texts(".o_data_row td[name=connection_id]")
		saw := fmt.Sprintf("what expires soon: %q", rows)
		return saw, slices.Contains(rows, "n8n, price list") && !slices.Contains(rows, "Codex CLI, repair desk")
	})
	p.open(keyAction, ".o_list_view .o_data_row")
	p.click(".o_switch_view.o_pivot")
	p.wait(".o_pivot_view table")
	p.see(".o_pivot_view", "Ends soon")
	p.shot("keys-pivot", 1400, 560)
	p.click(".o_switch_view.o_graph")
	p.wait(".o_graph_view canvas")
	p.shot("keys-graph", 1400, 560)
	p.open(keyAction, ".o_list_view .o_data_row")
	p.click(`//td[@name="connection_id"][contains(., "n8n, price list")]`)
	p.wait(".o_form_sheet .o_field_widget[name=key_expires_at]")

	p.form(id)
	p.click(rotateButton)
	p.see(".modal", "at most 365")
	p.shot("rotate-phone", 390, 844)
	p.fill(".modal .o_field_widget[name=key_days] input", "366")
	p.click(".modal button[name=action_rotate]")
	p.see(".modal", "number of days that a key can work: 365")

	b.end(t, id)
	p.form(id)
	p.see(".o_form_sheet .alert-danger", "Its key has expired")
	p.shot("key-ended", 1400, 700)
	p.shot("key-ended-phone", 390, 844)
	p.open(keyAction, ".o_list_view .o_data_row")
	p.see(".o_data_row.text-danger", "Codex CLI, repair desk")

	p.do(chromedp.EmulateViewport(390, 844))
	p.open(keyAction, ".o_kanban_view .o_kanban_record")
	p.see(".o_kanban_record", "n8n, price list Ends soon")
	if ask[bool](p, `document.querySelector(".o_content").scrollWidth > 390`) {
		t.Error("wider than the screen")
	}
	p.shot("keys-phone", 390, 844)

	p.open(settingsAction, ".o_form_view button[name=action_disable]")
	p.click(`//a[@name="risks"]`)
	p.wait(".o_field_widget[name=key_max_days]")
	p.shot("settings-risks", 1400, 900)

	user := browser(t, b.o, "pia")
	user.open(connectionAction, ".o_list_view, .o_nocontent_help")
	user.click(`[data-menu-xmlid="doorman.menu_reporting"]`)
	user.wait(`[data-menu-xmlid="doorman.menu_decisions"]`)
	user.missing("an MCP user has the report of keys in the menu", `[data-menu-xmlid="doorman.menu_keys"]`)
}

// end lets a key come to its end, as time would.
func (b *backend) end(t *testing.T, connection int64) {
	t.Helper()
	_, err := b.o.Host.Psql(t.Context(), b.o.DB, fmt.Sprintf(`UPDATE res_users_apikeys SET expiration_date = now() at time zone 'utc' - interval '1 second'
		WHERE id = (SELECT api_key_id FROM doorman_connection WHERE id = %d)`, connection))
	if err != nil {
		t.Fatal(err)
	}
}
