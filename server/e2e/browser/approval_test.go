package browser_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

const (
	approvalAction = "action-doorman.doorman_approval_action"
	clock          = `.o_menu_systray .fa-clock-o`
	counter        = `.o-mail-ActivityMenu-counter`
	approve        = `.o-mail-Activity .o_doorman_approve`
	reject         = `.o-mail-Activity .o_doorman_reject`
	odoosOwn       = `.o-mail-Activity-markDone, .o-mail-Activity-edit, .o-mail-ActivityListPopoverItem-markAsDone, .o-mail-ActivityListPopoverItem-editbtn, .o-mail-ActivityListPopoverItem-cancel`
)

// waiting makes Tom, whose AI tool asks, and Ann, who decides and is nothing but an internal user. The contact "evil"
// has a name that runs as a script where it is not escaped, and reads backwards where it is not cleaned.
const waiting = `
tom = user("tom", "doorman.group_user", "base.group_partner_manager")
tom.name = "Tom Fischer"
ann = user("ann", "base.group_user")
ann.name = "Ann Boss"
env["res.users"].search([]).odoobot_state = "disabled"  # else it opens a chat over what is to be seen
tools = env["doorman.tool"]
for name, risk in (("create_records", "medium"), ("update_records", "medium"), ("delete_records", "high"), ("post_message", "medium"), ("search_records", "low")):
    tools |= env["doorman.tool"].search([("name", "=", name)]) or env["doorman.tool"]._inside().create({"name": name, "risk": risk})
connection("Claude Desktop, sales", tom, approver_id=ann.id, approve_outward=True, approval_tool_ids=[Command.set(tools.ids)],
    scope_ids=[Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)])
Partner = env["res.partner"]
out["leads"] = Partner.create([{"name": "Trade fair lead %02d" % n, "email": "lead%d@example.com" % n, "city": "Lyon"} for n in range(1, 13)]).ids
out["azure"] = Partner.create({"name": "Azure Nordic", "email": "hello@azure.example.com", "city": "Paris",
    "country_id": env.ref("base.fr").id, "comment": "<p>Pays late.</p>"}).id
out["company"] = Partner.create({"name": "Gemini Furniture", "is_company": True, "street": "Old Road 1", "city": "Ghent", "comment": "<p style='color: red'>Pays late.</p>",
    "child_ids": [Command.create({"name": n, "type": "contact"}) for n in ("Edwin Hansen", "Oscar Morgan")]}).id
out["evil"] = Partner.create({"name": "<img src=x onerror='pwned=1'><script>pwned=1</script>\u202egnp"}).id
out["germany"] = env.ref("base.de").id
`

// asked is the approver's browser and the AI tool that waits for her.
type asked struct {
	o  *kit.Odoo
	ai *sdk.ClientSession
	id map[string]int64 // number of a request, by what it is about
}

// TestRealBrowserApproval: who decides sees the request in Odoo's clock, opens it, and decides by the activity itself;
// the AI tool that waits gets the result, or the reason.
func TestRealBrowserApproval(t *testing.T) {
	o := kit.RealOdoo(t, 0, waiting)
	s := kit.Serve(t, o.Environ()...)
	a := &asked{o, kit.Connect(t, s.MCP, o.Text("Claude Desktop, sales")), map[string]int64{}}
	t.Run("calls wait", a.requests)
	t.Run("requester", a.requester)
	t.Run("administrator", a.administrator)
	p := browser(t, o, "ann")
	for _, step := range []struct {
		name string
		run  func(*page)
	}{
		{"clock", a.clock}, {"approve by the activity", a.approve}, {"reject by the activity", a.reject},
		{"list", a.list}, {"many at once", a.many}, {"activity view", a.activityView}, {"names do not run", a.names}, {"phone", a.phone}, {"a letter", a.letter}, {"what goes along", a.along}, {"own menu", a.ownMenu},
	} {
		if !t.Run(step.name, func(t *testing.T) { step.run(&page{t, p.ctx, o}) }) {
			return // the steps go on where the one before has left the page
		}
	}
}

// requests makes calls that wait for a person.
func (a *asked) requests(t *testing.T) {
	azure := a.o.ID("azure")
	a.pending(t, "leads", "delete_records", kit.Args{"model": "res.partner", "ids": a.o.Out["leads"]})
	a.pending(t, "deco", "create_records", kit.Args{"model": "res.partner", "records": fmt.Sprintf(
		`[{"name":"Deco GmbH","is_company":true,"country_id":%d,"child_ids":[[0,0,{"name":"Willi Winzig","function":"Buyer"}]]}]`, a.o.ID("germany"))})
	a.pending(t, "note", "post_message", kit.Args{"model": "res.partner", "id": azure, "body": "Dear Ms Nordic,\n\nyour quotation is ready.\n\nKind regards", "kind": "note"})
	a.pending(t, "azure", "update_records", kit.Args{"model": "res.partner", "ids": []int64{azure}, "values": fmt.Sprintf(
		`{"city":"Berlin","country_id":%d,"comment":"<p>Pays on time, since May.</p>","phone":"+49 30 1234567"}`, a.o.ID("germany"))})
}

func (a *asked) pending(t *testing.T, about, tool string, arguments kit.Args) {
	t.Helper()
	content, failed := kit.Call(t, a.ai, tool, arguments)
	id, _ := content["request_id"].(float64)
	if failed != "" || content["status"] != "pending_approval" || id == 0 {
		t.Fatalf("%s does not wait: %v", tool, content)
	}
	a.id[about] = int64(id)
}

// seen is what the AI tool gets to know of a request.
func (a *asked) seen(t *testing.T, about, status string) map[string]any {
	t.Helper()
	content := kit.Must(t, a.ai, "approval_status", kit.Args{"request_id": a.id[about]})
	if content["status"] != status {
		t.Fatalf("the AI tool is told %v, want %s", content, status)
	}
	return content
}

// request opens a request as a page of its own.
func (p *page) request(id int64) {
	p.Helper()
	p.open(fmt.Sprintf("%s/%d", approvalAction, id), ".o_form_view.o_doorman_approval, .o_doorman_approval")
}

// clock opens what waits from Odoo's top bar.
func (a *asked) clock(p *page) {
	p.see(counter, "4")
	p.click(clock)
	p.see(".o-mail-ActivityGroup", "MCP approval")
	p.see(".o-mail-ActivityGroup", "4 Today")
	p.click(".o-mail-ActivityGroup")
	p.see(".o_data_row", "Permanently delete 12 contacts: Trade fair lead 01")
	if got := p.texts(".o_data_row button[name=action_approve_or_open]"); len(got) != 4 {
		p.Errorf("%d of 4 rows can be approved", len(got))
	}
	p.shot("approval-list", 1400, 420)
}

// approve decides on the page of a request that was opened from the list, by the activity in its chatter.
func (a *asked) approve(p *page) {
	p.click(`//td[@name="summary_shown"][contains(., "Azure Nordic")][contains(., "Change")]`)
	p.see(".o_form_sheet", "Change city, country, notes, and phone on contact Azure Nordic")
	p.see(".o_doorman_change", "City Paris → Berlin")
	p.see(".o_doorman_change", "Country France → Germany")
	p.see(".o_doorman_change", "Notes Pays late. → Pays on time, since May.")
	p.see(".o-mail-Activity", "Claude Desktop, sales asks, in the name of Tom Fischer.")
	p.missing("Odoo's own buttons", odoosOwn)
	p.shot("approval-form", 1400, 760)
	p.click(approve)
	p.see(".o_notification", "Approved and carried out")
	p.see(".o_doorman_status", "Executed")
	p.see(".o-mail-Chatter", "Approved by Ann Boss, and carried out.")
	p.gone(".o-mail-Activity")
	p.see(counter, "3")
	done := a.seen(p.T, "azure", "executed")
	if result, _ := done["result"].(map[string]any); done["decided_by"] != "Ann Boss" || kit.Only(p.T, result)["name"] != "Azure Nordic" {
		p.Errorf("the AI tool is told %v", done)
	}
}

// reject needs a reason, which the AI tool gets.
func (a *asked) reject(p *page) {
	p.open(approvalAction, ".o_list_view .o_data_row")
	p.click(`//tr[contains(@class, "o_data_row")][contains(., "Permanently delete 12 contacts")]//button[@name="action_approve_or_open"]`)
	p.wait(".o_doorman_approval .o_form_sheet")
	a.seen(p.T, "leads", "pending_approval") // a list deletes nothing by one click
	p.see(".alert-warning", "Deleted records cannot be restored.")
	p.shot("approval-activity", 1400, 620)
	p.shot("approval-phone", 390, 844)
	p.click(reject)
	p.see(".modal", "Permanently delete 12 contacts")
	p.click(".modal .modal-footer .btn-danger")
	p.wait(".modal .o_field_invalid")
	a.seen(p.T, "leads", "pending_approval")
	p.fill(".modal .o_field_widget[name=reason] textarea", "They are still worked on <b>until</b> May.")
	p.shot("approval-reject", 1400, 620)
	p.click(".modal .modal-footer .btn-danger")
	p.see(".o_doorman_status", "Rejected")
	p.see(".alert-danger", "They are still worked on <b>until</b> May.")
	p.gone(".o-mail-Activity")
	p.see(counter, "2")
	if got := a.seen(p.T, "leads", "rejected"); got["reason"] != "They are still worked on <b>until</b> May." {
		p.Errorf("the AI tool is told %v", got)
	}
}

// list decides on a row.
func (a *asked) list(p *page) {
	p.open(approvalAction, ".o_list_view .o_data_row")
	p.see(".o_searchview_facet", "Pending")
	p.click(`//tr[contains(@class, "o_data_row")][contains(., "Create contact Deco GmbH")]//button[@name="action_approve_or_open"]`)
	p.see(".o_notification", "Approved and carried out")
	p.until(func() (string, bool) {
		rows := p.texts(".o_data_row")
		return fmt.Sprintf("after approving one of two, the list has %q", rows), len(rows) == 1
	})
	a.seen(p.T, "deco", "executed")
}

// many approves several requests of low risk at once, and no others.
func (a *asked) many(p *page) {
	for _, city := range []string{"Lyon", "Paris"} {
		a.pending(p.T, city, "search_records", kit.Args{"model": "res.partner", "domain": fmt.Sprintf(`[["city","=",%q]]`, city)})
	}
	p.open(approvalAction, ".o_list_view .o_data_row")
	p.click("thead .o_list_record_selector input")
	p.click(`//*[contains(@class, "o_control_panel")]//button[@name="action_approve_many"]`)
	p.see(".modal", "Low risk and without a warning: 2.")
	p.see(".modal", "Not included, to be opened one by one: 1.")
	p.shot("approval-many", 1400, 620)
	p.shot("approval-many-phone", 390, 844)
	a.seen(p.T, "Lyon", "pending_approval")
	p.click(".modal button[name=action_approve]")
	p.see(".o_notification", "Approved and carried out: 2")
	a.seen(p.T, "Lyon", "executed")
	a.seen(p.T, "Paris", "executed")
	a.seen(p.T, "note", "pending_approval")
}

// activityView decides in the small window that Odoo's activities open in lists and cards too.
func (a *asked) activityView(p *page) {
	p.open(approvalAction, ".o_list_view .o_data_row")
	p.click(".o_switch_view.o_activity")
	p.see(".o_activity_summary_cell", "Note on contact Azure Nordic")
	p.act(`[...document.querySelectorAll(".o_activity_summary_cell")].find(e => e.innerText.includes("Note on contact"))?.firstElementChild`, `e.click()`)
	p.see(".o-mail-ActivityListPopover", "Approve Reject")
	p.missing("Odoo's own buttons", odoosOwn+", .o-mail-ActivityListPopover > button")
	p.click(".o-mail-ActivityListPopover .o_doorman_approve")
	// What was shown is from before the contact was changed: that is a warning, so it is opened.
	p.see(".o_form_sheet .alert-warning", "Records have changed since this was requested.")
	a.seen(p.T, "note", "pending_approval")
	p.click(approve)
	p.see(".o_notification", "Nothing has been done yet")
	a.seen(p.T, "note", "pending_approval")
	p.see(".o_doorman_body", "Dear Ms Nordic, your quotation is ready.")
	p.see(".o-mail-Chatter", "Records have changed: it has to be reviewed again.")
	p.click(approve)
	p.see(".o_doorman_status", "Executed")
	a.seen(p.T, "note", "executed")
}

// letter is an email that waits: who gets it, what it says.
func (a *asked) letter(p *page) {
	a.pending(p.T, "letter", "send_document", kit.Args{
		"model": "res.partner", "id": a.o.ID("azure"), "partner_ids": []int64{a.o.ID("azure")}, "emails": []string{"accounts@azure.example.com"},
		"subject": "Your quotation of May", "body": "Dear Ms Nordic,\n\nwe can deliver **all twelve desks** in June.\n\nKind regards",
	})
	p.request(a.id["letter"])
	for _, told := range []string{"What would leave", "hello@azure.example.com", "accounts@azure.example.com", "Your quotation of May", "in June"} {
		p.see(".o_form_sheet", told)
	}
	p.shot("approval-letter", 1400, 900)
	p.shot("approval-letter-phone", 390, 1100)
	a.seen(p.T, "letter", "pending_approval")
}

// along is a change that takes others with it, and formatting from a text.
func (a *asked) along(p *page) {
	a.pending(p.T, "company", "update_records", kit.Args{
		"model": "res.partner", "ids": []int64{a.o.ID("company")}, "values": kit.Args{"street": "New Road 7", "comment": "Pays on time."},
	})
	p.request(a.id["company"])
	for _, told := range []string{"Old Road 1", "New Road 7", "Edwin Hansen", "Oscar Morgan", "Gemini Furniture, Notes: the text loses its colors"} {
		p.see(".o_form_sheet", told)
	}
	p.shot("approval-along", 1400, 900)
	p.shot("approval-along-phone", 390, 1100)
}

// ownMenu leads a person outside the MCP groups to what they have decided.
func (a *asked) ownMenu(p *page) {
	p.do(chromedp.EmulateViewport(1400, 900))
	p.open("", ".o_user_menu button")
	p.click(".o_user_menu button")
	p.click(`//*[contains(@class, "dropdown-item")][normalize-space()="MCP approvals"]`)
	p.see(".o_data_row", "Create contact Deco GmbH")
	p.shot("approvals-own", 1400, 620)
}

// names opens what has a script for a name, wherever names are shown.
func (a *asked) names(p *page) {
	a.pending(p.T, "evil", "update_records", kit.Args{
		"model": "res.partner", "ids": []int64{a.o.ID("evil")}, "values": `{"ref": "\"><img src=x onerror=pwned=1>"}`,
	})
	harmless := func(where string) {
		p.Helper()
		p.see("body", "<img src=x onerror='pwned=1'><script>pwned=1</script>")
		if ask[bool](p, `!!window.pwned || !!document.querySelector("img[src=x]") || document.body.innerText.includes("\u202e")`) {
			p.Errorf("%s: a name of others is more than text", where)
		}
	}
	p.open(approvalAction, ".o_list_view .o_data_row")
	harmless("list")
	p.click(".o_switch_view.o_kanban")
	p.wait(".o_kanban_view .o_kanban_record")
	harmless("cards")
	p.click(".o_switch_view.o_activity")
	p.see(".o_activity_summary_cell", "<img src=x")
	p.act(`document.querySelector(".o_activity_summary_cell .cursor-pointer")`, `e.click()`)
	p.see(".o-mail-ActivityListPopover", "Approve Reject")
	harmless("activities")
	p.request(a.id["evil"])
	p.see(".o-mail-Activity", "<img src=x")
	harmless("form")
	for _, tab := range []string{"As requested", "Details"} {
		p.click(fmt.Sprintf(`//a[contains(@class, "nav-link")][normalize-space()=%q]`, tab))
		harmless(tab)
	}
	p.click(reject)
	p.see(".modal", "<img src=x")
	harmless("dialog")
	p.click(`//*[contains(@class, "modal-footer")]//button[contains(., "Back")]`)
	p.gone(".modal")
}

// phone goes the whole way on a small screen.
func (a *asked) phone(p *page) {
	narrow := func() {
		p.Helper()
		p.do(chromedp.EmulateViewport(390, 844))
	}
	narrow()
	p.request(a.id["evil"])
	p.wait(".o_doorman_foot button[name=action_approve]")
	fits := ask[string](p, `(() => {
		const wide = [...document.querySelectorAll("html, .o_content, .o_form_sheet")].filter(e => e.scrollWidth > 390);
		const far = [...document.querySelectorAll(".o_doorman_foot button")].filter(e => {
			const {top, bottom, left, right} = e.getBoundingClientRect();
			return top < 0 || bottom > innerHeight || left < 0 || right > innerWidth;
		});
		return wide.map(e => "wide: " + e.className).concat(far.map(e => "out of reach: " + e.innerText)).join(", ");
	})()`)
	if fits != "" {
		p.Errorf("at 390 px: %s", fits)
	}
	p.open("", clock)
	p.click(clock)
	p.click(".o-mail-ActivityGroup")
	p.wait(".o_kanban_view .o_kanban_record")
	p.click(".o_kanban_record button[name=action_approve_or_open]")
	p.see(".o_notification", "Approved and carried out")
	a.seen(p.T, "evil", "executed")
	p.gone(counter)
}

// requester sees their request, and no way to decide.
func (a *asked) requester(t *testing.T) {
	p := browser(t, a.o, "tom")
	p.request(a.id["leads"])
	p.see(".o_form_sheet", "You requested this. It is waiting for Ann Boss")
	p.missing("who asked can decide", "button[name^=action_approve]:not([name=action_approve_many]), button[name=action_open_reject], .o_doorman_approve")
	p.missing("Odoo's own buttons", odoosOwn)
	if got := strings.Join(p.texts(".o_form_statusbar button"), " "); !strings.Contains(got, "Withdraw") {
		t.Errorf("who asked cannot withdraw it: %q", got)
	}
}

// administrator sees what waits for others, and the rules of the connection.
func (a *asked) administrator(t *testing.T) {
	p := browser(t, a.o, "admin")
	p.request(a.id["leads"])
	p.see(".o_form_sheet", "It is waiting for Ann Boss")
	p.missing("who is not asked can decide", "button[name=action_approve], .o_doorman_approve")
	p.form(a.o.ID("Claude Desktop, sales_id"))
	p.see("button[name=action_open_approvals]", "4 waiting Approvals")
	p.click("button[name=action_open_approvals]")
	p.wait(".o_list_view .o_data_row")
	p.open(settingsAction, ".o_form_view button[name=action_disable]")
	pending, err := a.o.Host.Psql(t.Context(), a.o.DB, "SELECT count(*) FROM doorman_approval WHERE state = 'pending'")
	if err != nil {
		t.Fatal(err)
	}
	p.see(".oe_stat_button", strings.TrimSpace(pending)+" To approve")
	p.open(auditAction, ".o_list_view .o_data_row")
	p.see(".o_data_row td[name=outcome]", "Waiting for approval")
}
