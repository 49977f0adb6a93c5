package browser_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"

	"doorman/server/e2e/kit"
)

// widths are those at which every page is looked at: a desk and a phone.
var widths = []struct{ wide, high int64 }{{1400, 900}, {390, 844}}

// odoosFaults are what axe finds in what Odoo's own web client draws around and inside our views: by rule, the elements, and
// why they are not ours to mend. None of our own elements may match.
var odoosFaults = []struct{ rules, elements, why string }{
	{"html-has-lang meta-viewport", "html, meta", "the page that Odoo's web client is in"},
	{"*", ".o_main_navbar *, .o_searchview, .o_searchview *, .o_cp_switch_buttons *, .o_cp_pager *, .o_notification_manager *", "Odoo's bars and notices"},
	{"aria-required-parent", ".o_notebook_headers .nav-link", "Odoo's notebook: a list item between the list of tabs and a tab"},
	{"aria-allowed-attr", ".o_tag, .o-autocomplete--input, .o-dropdown", "Odoo's tags, choices and menus carry aria attributes that their role does not know"},
	{"aria-allowed-role", "article.o_kanban_record", "Odoo's cards"},
	{"autocomplete-valid", ".o_select_menu_input", "Odoo's selection field"},
	{"button-name", ".o_optional_columns_dropdown .btn, .o_button_more, .o_clipboard_button, .o_control_panel .btn:has(> .fa-search)", "Odoo's menu of buttons, its copy button, its search on a phone"},
	{"accesskeys", ".o-kanban-button-new", "Odoo's button below the cards of a form, which may have two such fields"},
	{"image-alt", ".o_avatar img, .o_m2o_avatar img, .o_field_many2one_avatar_user img", "Odoo's pictures of people, whose names stand beside them"},
	{"label", ".o_data_cell .form-check-input[disabled], .o_field_boolean input[disabled]", "Odoo's tick that cannot be edited, in lists; the column has a header"},
	{"label", ".o_list_record_selector input", "Odoo's tick that chooses a row"},
	{"empty-table-header", ".o_list_table th, .o_pivot th, .o_activity_view th", "Odoo's columns of buttons and handles"},
	{"aria-dialog-name", ".modal[role=dialog]", "Odoo's dialogs have a title, and do not name it as theirs"},
	{"landmark-main-is-top-level landmark-no-duplicate-main landmark-no-duplicate-banner landmark-unique landmark-banner-is-top-level", ".o_content, .modal-body, .o_navbar, .o_main_navbar, .o_cp_searchview", "Odoo's layout of a page, which a dialog has too"},
	{"heading-order", ".modal-title", "Odoo's title of a dialog"},
	{"scrollable-region-focusable", ".o_pivot", "Odoo's pivot table where it is wider than a phone"},
	{"color-contrast", ".o_pivot th *, .o_pivot th, .o_activity_view *", "Odoo's pivot tables and activity view"},
	{"scrolls-sideways", ".o_pivot, .o_pivot_view", "Odoo's pivot table where it is wider than a phone"},
	{"*", ".o_form_view:has([name=doorman_own_tools]) :not(.o_doorman, .o_doorman *)", "Odoo's own part of My Preferences"},
	{"*", ".o_form_view:has(button[name=action_doorman_audit]) :not(.alert-danger, .alert-danger *)", "Odoo's own part of the dialog that uninstalls"},
	{"*", ".o-mail-Chatter :not([class*=o_doorman])", "Odoo's chatter, without what is ours in it"},
}

// violation is what axe says of one element.
type violation struct {
	Rule, Impact, Help, HTML, Where string
}

// axe looks at pages with axe-core, the engine behind most accessibility checks, and gathers what it finds.
type axe struct {
	script string
	seen   map[string]*finding
}

type finding struct {
	violation
	pages []string
}

// changing is what tells like elements of two rows apart.
var changing = regexp.MustCompile(`[0-9]+|>[^<]*<| (id|for|name|title|href|src|aria-label|data-[a-z]+)="[^"]*"`)

// newAxe reads axe-core from the npm packages that the tests have anyway.
func newAxe(t *testing.T) *axe {
	t.Helper()
	path := filepath.Join(kit.NeedNode(t).Dir, "node_modules", "axe-core", "axe.min.js")
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return &axe{string(script), map[string]*finding{}}
}

// look finds what is wrong with what the page shows now.
func (a *axe) look(p *page, name string) {
	p.Helper()
	a.sideways(p, name)
	a.faults(p, name)
}

// faults runs axe. Of a page that became narrow after it was opened, that is all that can be asked: not all of it is drawn
// anew.
func (a *axe) faults(p *page, name string) {
	p.Helper()
	a.cut(p, name)
	a.notes(p, name)
	a.blank(p, name)
	a.lines(p, name)
	has := ask[bool](p, `!!window.axe`)
	if !has {
		p.js(a.script)
	}
	script := fmt.Sprintf(`(async () => {
		// What is still fading in has less contrast. Pages with a policy for styles let a script's own sheet pass.
		const still = new CSSStyleSheet();
		still.replaceSync("*, *::before, *::after {transition: none !important; animation: none !important}");
		document.adoptedStyleSheets = [still];
		const odoos = %s;
		const found = await axe.run(document, {resultTypes: ["violations"], elementRef: true, rules: {region: {enabled: false}, "page-has-heading-one": {enabled: false}}});
		return JSON.stringify(found.violations.flatMap(rule => rule.nodes.map(node => ({rule, node, element: node.element})))
			.filter(({element}) => element?.isConnected) // what was drawn anew meanwhile is looked at where it is shown next
			.filter(({rule, element}) => !odoos(rule.id, element))
			.map(({rule, node}) => ({
				rule: rule.id, impact: node.impact ?? rule.impact, help: node.failureSummary, html: node.html.slice(0, 300), where: node.target.join(" "),
			})));
	})()`, isOdoos(p))
	said := ask[string](p, script, chromedp.EvalAwaitPromise)
	var found []violation
	if err := json.Unmarshal([]byte(said), &found); err != nil {
		p.Fatal(err)
	}
	for _, v := range found {
		a.note(p, v.Rule+" "+changing.ReplaceAllString(v.HTML, ""), v, name)
	}
}

// isOdoos is a function in JavaScript that says whether a fault of an element is in odoosFaults.
func isOdoos(p *page) string {
	p.Helper()
	faults := make([][2]string, 0, len(odoosFaults))
	for _, fault := range odoosFaults {
		faults = append(faults, [2]string{fault.rules, fault.elements})
	}
	odoos, err := json.Marshal(faults)
	if err != nil {
		p.Fatal(err)
	}
	return fmt.Sprintf(`((rule, element) => %s.some(([rules, elements]) => (rules === "*" || rules.split(" ").includes(rule)) && element.matches(elements)))`, odoos)
}

// note keeps a finding once, with the pages that have it.
func (a *axe) note(p *page, key string, v violation, name string) {
	p.Helper()
	if a.seen[key] == nil {
		a.seen[key] = &finding{violation: v}
		p.Logf("%s: %s (%s): %s\n\t%s\n\t%s", name, v.Rule, v.Impact, v.Where, v.HTML, strings.ReplaceAll(v.Help, "\n", "\n\t"))
	}
	a.seen[key].pages = append(a.seen[key].pages, name)
}

// cut finds headers and badges of lists whose text does not fit.
func (a *axe) cut(p *page, name string) {
	p.Helper()
	headers := ask[[]string](p, `[...document.querySelectorAll(".o_list_table th[data-name], .o_data_cell:has(.o_field_badge)")].filter(cell => {
		const text = cell.querySelector("th .text-truncate, th span, .badge") ?? cell;
		return innerWidth > 1000 && text.checkVisibility() && text.scrollWidth > text.clientWidth + 1 && !`+isOdoos(p)+`("cut-header", cell);
	}).map(cell => (cell.dataset.name ?? cell.getAttribute("name")) + ": " + cell.innerText.trim())`)
	for _, header := range headers {
		a.note(p, "cut header "+header, violation{Rule: "cut-header", Impact: "serious", Where: header}, name)
	}
}

// notes finds what is said of an empty field below it: an empty line beside the label, which reads as if nothing could be
// entered there, and the note as if it belonged to the next field.
func (a *axe) notes(p *page, name string) {
	p.Helper()
	below := ask[[]string](p, `[...document.querySelectorAll(".o_doorman .o_cell > div > .o_field_widget + .text-muted:last-child")].filter(note => {
		const field = note.previousElementSibling, inputs = [...field.querySelectorAll("input, textarea")];
		return note.checkVisibility() && inputs.length && inputs.every(input => !input.value && !input.placeholder)
			&& note.getBoundingClientRect().top >= field.getBoundingClientRect().bottom - 1;
	}).map(note => note.previousElementSibling.getAttribute("name") + ": " + note.innerText)`)
	for _, note := range below {
		a.note(p, "note below "+note, violation{Rule: "note-below-empty-field", Impact: "minor", Where: note}, name)
	}
}

// blank finds a pivot table that has rows and not one number.
func (a *axe) blank(p *page, name string) {
	p.Helper()
	if ask[bool](p, `(cells => cells.length > 0 && cells.every(cell => !cell.innerText.trim()))([...document.querySelectorAll(".o_pivot td")])`) {
		a.note(p, "blank pivot "+name, violation{Rule: "blank-pivot", Impact: "serious", Where: ".o_pivot"}, name)
	}
}

// lines finds a line between the pages of a form and nothing: Odoo draws it if anything follows, seen or not.
func (a *axe) lines(p *page, name string) {
	p.Helper()
	if ask[bool](p, `[...document.querySelectorAll(".o_form_sheet .o_notebook")].some(pages => {
		let next = pages.nextElementSibling;
		while (next && !next.checkVisibility()) next = next.nextElementSibling;
		return !next && pages.checkVisibility() && parseFloat(getComputedStyle(pages.querySelector(":scope > .tab-content")).borderBottomWidth) > 0;
	})`) {
		a.note(p, "line before nothing "+name, violation{Rule: "line-before-nothing", Impact: "minor", Where: ".o_notebook"}, name)
	}
}

// report fails for all that is ours.
func (a *axe) report(t *testing.T) {
	t.Helper()
	keys := make([]string, 0, len(a.seen))
	for key := range a.seen {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		f := a.seen[key]
		t.Errorf("%s (%s): %s\n\t%s\n\t%s\n\ton %s", f.Rule, f.Impact, f.Where, f.HTML, strings.ReplaceAll(f.Help, "\n", "\n\t"), strings.Join(f.pages, "; "))
	}
}

// everything makes one record of each kind that the demo data has none of, and lists our actions with their views.
const everything = waiting + `
env["doorman.connection"]._demo_refresh()
pia = user("pia", "doorman.group_user")
settings_id = settings.id
out["settings"] = settings.id
link = connection("link", pia)
paul = user("paul", "base.group_portal")
env["doorman.connection"].create({"user_id": pia.id, "name": "All that the purchasing department asks its AI tool about, " * 3})
def invite(**values):
    _invite, token = env["doorman.invite"].with_user(admin)._make(
        {"scope_ids": [Command.set(env.ref("doorman.scope_search").ids)], "max_uses": 9, **values})
    return token
out["asks"], out["makes"] = invite(), invite(new_accounts=True)
out["takes1400"], out["takes390"] = invite(), invite()  # each person accepts an invite once
partner_model = env["ir.model"]._get("res.partner").id
action = env["ir.actions.server"].create({"name": "Tag a customer", "model_id": partner_model, "state": "code", "code": "result = 'tagged'"})
env["doorman.own.tool"].create({"title": "Tag a customer", "name": "tag_customer", "description": "Gives customers a tag.", "action_id": action.id,
    "parameter_ids": [Command.create({"name": "ref", "description": "The reference"})]})
out["issuer"] = env["doorman.oauth.issuer"].create({"name": "Okta", "issuer": "https://company.okta.com", "match_email": True}).id
settings.oauth_assertions = True
actions, looked = [], set()
for data in env["ir.model.data"].search([("module", "in", ("doorman", "doorman_code")), ("model", "=", "ir.actions.act_window")], order="name"):
    action = env["ir.actions.act_window"].browse(data.res_id)
    if action.target == "new":
        continue
    first = env[action.res_model].search([], limit=1)
    chosen = {line.view_mode: line.view_id.id for line in action.view_ids}
    modes = []
    for mode in action.view_mode.split(","):
        view = env[action.res_model].get_view(chosen.get(mode) or (action.view_id.id if action.view_id.type == mode else None), mode)["id"]
        if view not in looked:  # two actions may share one
            modes.append(mode)
        looked.add(view)
    actions.append({"name": data.complete_name, "modes": modes, "cards": "kanban" in action.view_mode, "narrow": action.mobile_view_mode, "first": first.id or 0})
out["actions"] = actions
`

// TestRealBrowserAccessible has axe-core look at all our pages and views, at a desk and on a phone.
func TestRealBrowserAccessible(t *testing.T) {
	a := newAxe(t)
	o := kit.RealOdoo(t, 0, everything)
	s := kit.Serve(t, o.Environ()...)
	kit.AsAdmin(t, o, "doorman.settings", "write", []int64{o.ID("settings")}, map[string]any{"public_url": s.URL})
	ai := &asked{o, kit.Connect(t, s.MCP, o.Text("Claude Desktop, sales")), map[string]int64{}}
	ai.requests(t)
	r := &reader{a, o, &backend{o, s}, ai}
	for _, width := range widths {
		as := func(t *testing.T, login string) *page { return browserOf(t, o, login, width.wide, width.high) }
		t.Run(fmt.Sprint("views ", width.wide), func(t *testing.T) { r.views(t, width.wide, width.high) })
		t.Run(fmt.Sprint("dialogs ", width.wide), func(t *testing.T) { r.dialogs(as(t, "admin"), width.wide) })
		t.Run(fmt.Sprint("approver ", width.wide), func(t *testing.T) { r.approver(as(t, "ann"), width.wide) })
		t.Run(fmt.Sprint("public ", width.wide), func(t *testing.T) { r.public(as(t, "admin"), width.wide, width.high) })
	}
	t.Run("keyboard", r.byKeyboard)
	a.report(t)
}

type reader struct {
	*axe
	o  *kit.Odoo
	b  *backend
	ai *asked
}

// drawn is when a view of a kind is there.
var drawn = map[string]string{
	"list": ".o_list_view .o_list_renderer, .o_view_nocontent", "kanban": ".o_kanban_view .o_kanban_renderer", "form": ".o_form_view .o_form_sheet_bg, .o_form_view .o_form_sheet, .o_form_view .o_form_nosheet",
	"graph": ".o_graph_view .o_graph_renderer", "pivot": ".o_pivot_view .o_pivot", "activity": ".o_activity_view",
}

// ours is an action of the addon: the views that no action before it has shown.
type ours struct {
	Name  string
	Modes []string
	Cards bool
	// Narrow is the mode in which a narrow window opens an action with cards, no matter what its address says.
	Narrow string
	First  int64
}

// views opens each view of each of our actions, and each tab of each form.
func (r *reader) views(t *testing.T, wide, high int64) {
	raw, err := json.Marshal(r.o.Out["actions"])
	if err != nil {
		t.Fatal(err)
	}
	var actions []ours
	if err := json.Unmarshal(raw, &actions); err != nil || len(actions) == 0 {
		t.Fatalf("%v %s", err, raw)
	}
	all := browserOf(t, r.o, "admin", wide, high)
	for _, action := range append(actions, ours{Name: "mcp-overview"}) {
		t.Run(action.Name, func(t *testing.T) {
			p := &page{t, all.ctx, all.o}
			p.do(chromedp.EmulateViewport(wide, high))
			if action.Modes == nil {
				p.open(action.Name, ".o_doorman_overview")
				r.look(p, fmt.Sprintf("%s %d", action.Name, wide))
			}
			for _, mode := range action.Modes {
				r.view(p, action, mode, wide, high)
			}
		})
	}
}

// view opens one view of an action.
func (r *reader) view(p *page, action ours, mode string, wide, high int64) {
	p.Helper()
	path, form, resized := "action-"+action.Name, mode == "form", false
	switch phone := wide < 768; {
	case form && action.First == 0, phone && mode == "list" && action.Cards: // there, Odoo shows the cards
		return
	case form:
		path += fmt.Sprintf("/%d", action.First)
	case phone && mode != action.Narrow && action.Cards:
		// They are reached from a wide window: a narrow one opens another in their place.
		p.do(chromedp.EmulateViewport(widths[0].wide, widths[0].high))
		resized = true
		fallthrough
	default:
		path += "?view_type=" + mode
	}
	name := fmt.Sprintf("%s %s %d", strings.TrimPrefix(action.Name, "doorman."), mode, wide)
	p.open(path, drawn[mode])
	if resized {
		p.do(chromedp.EmulateViewport(wide, high))
		r.faults(p, name)
	} else {
		r.look(p, name)
	}
	if strings.HasSuffix(action.Name, "doorman_invite_action") && !form {
		r.picture(p, "invites-"+mode, wide)
	}
	if form {
		r.tabs(p, name)
	}
}

// tabs opens each tab of the form that is there.
func (r *reader) tabs(p *page, name string) {
	p.Helper()
	r.tabsIn(p, ".o_action_manager .o_form_view", name)
}

func (r *reader) tabsIn(p *page, form, name string) {
	p.Helper()
	links := form + " .o_notebook_headers .nav-link"
	for i, tab := range p.texts(links) {
		if i == 0 {
			continue
		}
		p.act(fmt.Sprintf(`document.querySelectorAll(%q)[%d]`, links, i), `e.click()`)
		p.until(func() (string, bool) {
			return "the tab " + tab + " does not open", ask[bool](p, fmt.Sprintf(`document.querySelectorAll(%q)[%d]?.classList.contains("active") === true`, links, i))
		})
		r.look(p, name+", tab "+tab)
	}
}

// picture takes one for docs/ and for the eye, and goes on with the same window.
func (r *reader) picture(p *page, name string, wide int64) {
	p.Helper()
	for _, w := range widths {
		if w.wide == wide {
			p.shot(fmt.Sprintf("%s-%d", name, wide), w.wide, w.high)
			p.do(chromedp.EmulateViewport(w.wide, w.high))
		}
	}
}

// approver looks at what waits for a person outside the MCP groups.
func (r *reader) approver(p *page, wide int64) {
	for about, id := range r.ai.id {
		p.request(id)
		name := fmt.Sprintf("request %s %d", about, wide)
		r.look(p, name)
		r.tabs(p, name)
	}
	p.request(r.ai.id["leads"])
	p.js(fmt.Sprintf(`(({orm, action}) => orm.call("doorman.approval", "action_open_reject", [[%d]]).then(next => action.doAction(next)))(odoo.__WOWL_DEBUG__.root.env.services)`, r.ai.id["leads"]))
	p.wait(".modal .o_field_widget[name=reason]")
	r.look(p, fmt.Sprintf("dialog reject %d", wide))
	p.open("mcp-approvals", ".o_list_view .o_data_row, .o_kanban_view .o_kanban_record")
	r.look(p, fmt.Sprintf("what waits %d", wide))
	p.js(fmt.Sprintf(`(({orm, action}) => orm.call("doorman.approval", "action_approve_many", [[%d]]).then(next => action.doAction(next)))(odoo.__WOWL_DEBUG__.root.env.services)`, r.ai.id["note"]))
	p.wait(".modal, .o_notification")
	r.look(p, fmt.Sprintf("dialog approve many %d", wide))
}

// public opens the pages of strangers and of people on their way in.
func (r *reader) public(admin *page, width, high int64) {
	base := r.o.Server.URL()
	looked := func(p *page, name, heading string) {
		p.Helper()
		p.see("main", heading)
		r.look(p, fmt.Sprintf("page %s %d", name, width))
	}
	stranger := func() *page {
		p := visitor(admin.T, r.o)
		p.do(chromedp.EmulateViewport(width, high))
		return p
	}
	p := stranger()
	p.visit(base + "/doorman/invite")
	looked(p, "invite, incomplete", "The link is not complete")
	for name, token := range map[string]string{"asks": r.o.Text("asks"), "makes": r.o.Text("makes")} {
		p = stranger()
		p.visit(base + "/doorman/invite#" + token)
		looked(p, "invite, "+name, "You are invited")
	}
	p = stranger()
	p.visit(base + "/doorman/invite#dmi_nothing")
	looked(p, "invite, gone", "This link does not work")
	p = stranger()
	p.visit(base + "/doorman/invite#" + r.o.Text("asks"))
	p.click("#login")
	p.logIn("paul")
	looked(p, "invite, portal account", "is a portal account")
	p = stranger()
	p.visit(base + "/doorman/invite#" + r.o.Text(fmt.Sprint("takes", width)))
	p.click("#login")
	p.logIn("tom")
	looked(p, "invite, logged in", "You are logged in as")
	p.click("#accept")
	looked(p, "invite, key", "dmk_")
	p.visit(base + "/web/login")
	p.visit(base + "/doorman/invite#" + r.o.Text(fmt.Sprint("takes", width)))
	looked(p, "invite, accepted before", "You have accepted this invite")

	var dialog struct {
		Context struct {
			Link string `json:"default_link"`
		}
	}
	if err := json.Unmarshal(kit.AsAdmin(admin.T, r.o, "doorman.connection", "action_pickup_link", []int64{r.o.ID("link_id")}), &dialog); err != nil {
		admin.Fatal(err)
	}
	link := base + dialog.Context.Link[strings.Index(dialog.Context.Link, "/doorman/"):]
	p = stranger()
	p.visit(link)
	p.logIn("pia")
	looked(p, "pick-up", "A key for you")
	p.click(`//button[contains(., "Show my key")]`)
	looked(p, "picked up", "dmk_")
	p.visit(base + "/web/login")
	p.visit(link)
	looked(p, "pick-up, gone", "This link does not work")

	party := &kit.Party{T: admin.T, Service: r.b.s, Redirect: "http://127.0.0.1:1/callback"}
	party.Client = party.Register()
	p = admin
	p.visit(party.AuthorizeURL())
	looked(p, "consent", "What it will be able to do")
	p.visit(base + "/doorman/consent")
	looked(p, "consent, gone", "There is nothing to decide here")
	p.visit(r.b.s.URL + "/oauth/authorize?client_id=nobody")
	p.see("body", "Connecting failed")
	r.look(p, fmt.Sprintf("page of the service %d", width))
}
