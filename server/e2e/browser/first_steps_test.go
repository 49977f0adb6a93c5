package browser_test

import (
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// mostClicks is how many clicks lead from the login page to a tool that works, and to the first approval.
const mostClicks = 12

// walk is a page whose clicks are counted. What is typed at the login is not a click; the button there is.
type walk struct {
	*page
	clicks *int
}

func (w walk) click(selector string) {
	w.Helper()
	*w.clicks++
	w.page.click(selector)
}

func (w walk) logIn(login string) {
	w.Helper()
	*w.clicks++
	w.page.logIn(login)
	w.wait(`.o_web_client .o_main_navbar`)
}

// TestRealBrowserFirstSteps: an administrator who has never seen Doorman connects an AI tool, it does its first work, and what
// needs approval is approved by somebody else who has never seen Doorman either.
func TestRealBrowserFirstSteps(t *testing.T) {
	kit.SkipWithoutOdoo(t)
	o := kit.RealOdoo(t, 0, `
user("mia", "doorman.group_admin", "base.group_partner_manager")
user("ben", "doorman.group_admin", "base.group_partner_manager")
env["res.users"].search([]).tz = "UTC"  # as their browser's, which Odoo takes at the first login: what is due today stays so
env["res.users"].search([]).odoobot_state = "disabled"  # else it opens a chat over what is to be seen
out["partner"] = env["res.partner"].create({"name": "Old Fair Ltd", "email": "fair@example.com"}).id
out["settings"] = settings.id`)
	s := kit.Serve(t, o.Environ()...)
	kit.AsAdmin(t, o, "doorman.settings", "write", []int64{o.ID("settings")}, map[string]any{"public_url": s.URL})
	kit.KnowsItself(t, o, s)
	clicks := 0

	mia := walk{visitor(t, o), &clicks}
	mia.logIn("mia")
	mia.wait(".o_action_manager > *") // what Odoo opens by itself would come in place of what is clicked before
	mia.click(".o_navbar_apps_menu button")
	mia.click(`[data-menu-xmlid="doorman.menu_root"]`)
	mia.click(`//button[contains(., "Connect a New Tool")]`)
	mia.click(`//*[contains(@class, "o_doorman_tiles")]//button[normalize-space()="Codex"]`)
	mia.click(`//*[contains(@class, "modal")]//label[contains(., "Full access")]`)
	mia.click(".modal button[name=action_connect]")
	mia.see(".modal .o_doorman_first_call", "Waiting for the first call.")
	key := strings.Fields(mia.texts(".modal .o_field_widget[name=key]")[0])[0]
	ai := kit.Connect(t, s.MCP, key)
	found := kit.Must(t, ai, "search_records", kit.Args{"model": "res.partner", "domain": `[["name","=","Old Fair Ltd"]]`})
	if total, _ := found["total"].(float64); total != 1 {
		t.Fatalf("the first tool answers %v", found)
	}
	mia.see(".modal .o_doorman_first_call", "Connected: ")
	// By default, what leaves the company waits.
	content, failed := kit.Call(t, ai, "send_document", kit.Args{
		"model": "res.partner", "id": o.ID("partner"), "partner_ids": []int64{o.ID("partner")}, "subject": "Your stand", "body": "It is number 7.",
	})
	if failed != "" || content["status"] != "pending_approval" {
		t.Fatalf("what leaves the company does not wait: %v %s", content, failed)
	}

	ben := walk{visitor(t, o), &clicks}
	ben.logIn("ben")
	ben.wait(".o_action_manager > *") // what Odoo opens by itself would come in place of what is clicked before
	ben.click(clock)
	ben.click(".o-mail-ActivityGroup")
	ben.click(`//tr[contains(@class, "o_data_row")][contains(., "Old Fair Ltd")]//button[@name="action_approve_or_open"]`)
	ben.see(".o_form_sheet", "fair@example.com")
	ben.click(approve)
	ben.see(".o_notification", "Approved and carried out")
	told := kit.Must(t, ai, "approval_status", kit.Args{"request_id": int64(content["request_id"].(float64))})
	if told["status"] != "executed" {
		t.Errorf("the AI tool is told %v", told)
	}
	t.Logf("%d clicks", clicks)
	if clicks > mostClicks {
		t.Errorf("%d clicks, want at most %d", clicks, mostClicks)
	}
}
