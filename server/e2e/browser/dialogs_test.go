package browser_test

import (
	"encoding/json"
	"fmt"

	"doorman/server/e2e/kit"
)

// sideways finds, on a phone, what has to be moved sideways to be read: the page itself, a dialog, a list.
func (a *axe) sideways(p *page, name string) {
	p.Helper()
	found := ask[[]violation](p, fmt.Sprintf(`(() => {
		const odoos = %s;
		return innerWidth >= 768 ? [] : [...document.querySelectorAll("*")].filter(e => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 0 && e.checkVisibility()
			&& (e === document.scrollingElement || ["auto", "scroll"].includes(getComputedStyle(e).overflowX)) && !odoos("scrolls-sideways", e))
			.map(e => ({Rule: "scrolls-sideways", Impact: "serious", Help: e.scrollWidth + " px in " + e.clientWidth + " px; furthest to the right: "
				+ [...e.querySelectorAll("*")].reduce((far, c) => c.getBoundingClientRect().right > far.getBoundingClientRect().right ? c : far, e).outerHTML.slice(0, 200),
				HTML: e.outerHTML.slice(0, 200), Where: (e.closest("[data-id], .o_field_widget, .o_action")?.getAttribute("name") ?? "") + " " + e.tagName + "." + e.className}));
	})()`, isOdoos(p)))
	for _, v := range found {
		a.note(p, v.Rule+" "+v.Where, v, name)
	}
}

// dialogs are opened one after the other, for a window of one width.
type dialogs struct {
	*reader
	p    *page
	wide int64
}

func (d *dialogs) named(name string) string { return fmt.Sprintf("dialog %s %d", name, d.wide) }

// opens runs a script that opens a dialog, and looks at it.
func (d *dialogs) opens(name, script string) {
	d.p.Helper()
	d.shows(script)
	d.look(d.p, d.named(name))
}

func (d *dialogs) shows(script string) {
	d.p.Helper()
	d.p.js(`odoo.__WOWL_DEBUG__.root.env.services.dialog.closeAll()`) // a page with a dialog that was changed asks before it is left
	d.p.gone(".modal")
	d.p.open(ownToolAction, ".o_list_view, .o_kanban_view") // what the web client opens by itself would close the dialog
	d.p.js(`(({orm, action}) => {` + script + `})(odoo.__WOWL_DEBUG__.root.env.services)`)
	d.p.wait(".modal .modal-body")
}

// step clicks, and looks at what comes.
func (d *dialogs) step(name, click, then string) {
	d.p.Helper()
	d.p.click(click)
	d.p.see(".modal", then)
	d.look(d.p, d.named(name))
}

// does is a script that opens the action that a method returns.
func (d *dialogs) does(model, method string, ids ...int64) string {
	given, err := json.Marshal(append([]int64{}, ids...))
	if err != nil {
		d.p.Fatal(err)
	}
	// As for a button, the server may leave the views out.
	return fmt.Sprintf(`orm.call(%q, %q, [%s]).then(next => action.doAction({views: [[false, "form"]], ...next}))`, model, method, given)
}

// dialogs opens what is asked and shown in dialogs.
func (r *reader) dialogs(p *page, wide int64) {
	d := &dialogs{reader: r, p: p, wide: wide}
	d.connect()
	d.invite()
	d.ofConnections()
	d.ofSettings()
	d.ofOdoo()
}

func (d *dialogs) connect() {
	const connect = `action.doAction("doorman.doorman_connect_wizard_action")`
	d.opens("connect", connect)
	d.step("connect, API key", `//*[contains(@class, "modal")]//button[normalize-space()="API Key"]`, "Connection name")
	d.p.fill(".modal .o_field_widget[name=name] input", fmt.Sprint("Looked at ", d.wide))
	d.step("connect, key", ".modal button[name=action_connect]", "dmk_")
	d.opens("connect", connect)
	d.step("connect, browser", `.modal button[name=action_choose_browser]`, "Waiting for the first call.")
	d.opens("connect", connect)
	d.step("connect, client", `.modal button[name=action_choose_client]`, "Allowed redirect URIs")
	d.opens("connect", connect)
	d.step("connect, Cursor", `//*[contains(@class, "o_doorman_tiles")]//button[normalize-space()="Cursor"]`, "Add to Cursor")
}

func (d *dialogs) invite() {
	const invite = `action.doAction("doorman.doorman_invite_wizard_action")`
	d.opens("invite", invite)
	for _, choice := range []string{"custom", "listed"} {
		d.p.click(fmt.Sprintf(`.modal input[type=radio][data-value=%q]`, choice))
	}
	d.p.click(".modal .o_field_widget[name=new_accounts] input")
	d.p.wait(".modal .o_field_widget[name=accept_list] textarea")
	d.look(d.p, d.named("invite, open"))
	d.tabsIn(d.p, ".modal", d.named("invite"))
	d.opens("invite", invite)
	d.step("invite, link", ".modal button[name=action_create_invite]", "/oauth/invite/")
}

// ofConnections are the dialogs about one connection, and about what its AI tool has done.
func (d *dialogs) ofConnections() {
	cursor := d.b.id(d.p.T, "Cursor, web shop team")
	at := func(action string) string {
		return fmt.Sprintf(`action.doAction(%q, {additionalContext: {active_id: %d, active_ids: [%d], default_connection_id: %d}})`, action, cursor, cursor, cursor)
	}
	d.opens("rotate", at("doorman.doorman_rotate_key_action"))
	d.opens("explain", at("doorman.doorman_explain_action"))
	d.opens("revoke", d.does("doorman.connection", "action_ask_revoke", cursor))
	d.opens("pick-up link", d.does("doorman.connection", "action_pickup_link", d.o.ID("link_id")))
	d.opens("who saw a record", `action.doAction("doorman.doorman_record_history_action")`)
	d.picture(d.p, "who-saw", d.wide)
	d.opens("undo", d.does("doorman.audit", "action_undo", d.b.undoable(d.p.T)))
	d.p.see(".modal", "Pays late")
	d.picture(d.p, "undo", d.wide)
}

func (d *dialogs) ofSettings() {
	d.opens("service key", `action.doAction("doorman.doorman_rotate_service_key_action")`)
	d.opens("issuer's new client", d.does("doorman.oauth.issuer", "action_new_client", d.o.ID("issuer")))
	d.picture(d.p, "issuer-client", d.wide)
	d.opens("review copy", d.does("doorman.settings", "action_review_copy"))
	d.picture(d.p, "review-copy", d.wide)
	d.p.click(`.modal input[type=radio][data-value="instead"]`)
	d.p.see(".modal", "Keep what is still needed")
	d.look(d.p, d.named("review copy, instead"))
	d.picture(d.p, "review-copy-instead", d.wide)
}

// ofOdoo are Odoo's own dialogs to which Doorman adds something.
func (d *dialogs) ofOdoo() {
	d.shows(`orm.call("res.users", "action_get").then(next => action.doAction({...next, res_id: 2}))`) // the administrator
	d.p.tab("AI tools")
	d.p.see(".modal .o_field_widget[name=doorman_own_tools]", "Gemini CLI, month-end reports")
	d.look(d.p, d.named("preferences, tab AI tools"))
	d.picture(d.p, "preferences", d.wide)
	var module []int64
	found := kit.AsAdmin(d.p.T, d.o, "ir.module.module", "search", []any{[]any{"name", "=", "doorman"}})
	if err := json.Unmarshal(found, &module); err != nil {
		d.p.Fatal(err)
	}
	d.opens("uninstall", d.does("ir.module.module", "button_uninstall_wizard", module...))
	d.p.see(".modal .alert-danger", "Export the audit")
	d.picture(d.p, "uninstall", d.wide)
}
