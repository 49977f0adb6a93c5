package browser_test

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"doorman/server/e2e/kit"
)

// focused is what the keyboard would act on now, and whether one sees that it is so: by an outline, a shadow or a border
// that it has not without the focus, or the caret of a field.
const focused = `(() => {
	const e = document.activeElement;
	if (!e || e === document.body) { return "nothing"; }
	const look = () => { const s = getComputedStyle(e); return [s.outlineStyle === "none" ? "" : s.outlineWidth + s.outlineColor, s.boxShadow, s.borderColor, s.backgroundColor, s.textDecorationLine, s.color].join("|"); };
	const still = new CSSStyleSheet();
	still.replaceSync("* {transition: none !important}");
	document.adoptedStyleSheets = [still];
	const has = look();
	e.blur();
	const without = look();
	e.focus({preventScroll: true});
	const box = e.getBoundingClientRect();
	const there = box.width > 0 && box.bottom > 0 && box.top < innerHeight;
	const shown = has !== without || e.matches("input, textarea, [contenteditable], iframe");
	return (there ? "" : "out of sight: ") + (shown ? "" : "not shown: ") + e.outerHTML.slice(0, 160);
})()`

// press sends keys, and nothing else: no click and no focus by script.
func (p *page) press(keys string, options ...chromedp.KeyOption) {
	p.Helper()
	p.do(chromedp.KeyEvent(keys, options...))
}

// tabTo presses Tab until an element has the focus, and checks on the way that one always sees where it is, among what is
// in `within`.
func (p *page) tabTo(selector, within string) {
	p.Helper()
	const most = 120
	for range most {
		at := ask[bool](p, fmt.Sprintf(`!!document.activeElement?.matches(%q)`, selector))
		ours := ask[bool](p, fmt.Sprintf(`!!document.activeElement?.closest(%q)`, within))
		if ours {
			seen := ask[string](p, focused)
			if len(seen) > 8 && (seen[:3] == "out" || seen[:3] == "not") {
				p.Errorf("on the way to %s: %s", selector, seen)
			}
		}
		if at {
			return
		}
		p.press(kb.Tab)
	}
	p.Fatalf("Tab does not get to %s", selector)
}

// has waits until an element has the focus.
func (p *page) has(what, selector string) {
	p.Helper()
	p.until(func() (string, bool) {
		return fmt.Sprintf("%s: the focus is not in %s", what, selector), ask[bool](p, fmt.Sprintf(`!!document.activeElement?.closest(%q)`, selector))
	})
}

// byKeyboard goes the ways of an administrator, an approver and a person who is invited by keys alone.
func (r *reader) byKeyboard(t *testing.T) {
	t.Run("connect", r.keysConnect)
	t.Run("approve", r.keysApprove)
	t.Run("revoke", r.keysRevoke)
	t.Run("invite", r.keysInvite)
	t.Run("consent", r.keysConsent)
}

func (r *reader) keysConnect(t *testing.T) {
	p := browser(t, r.o, "admin")
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.press("c", chromedp.KeyModifiers(chromedp.ModifierAlt))
	p.see(".modal", "Which AI tool?")
	p.has("a dialog opens", ".modal")
	p.tabTo(`.modal button[name=action_choose_key]`, ".modal")
	p.press(kb.Enter)
	p.wait(".modal .o_field_widget[name=name] input")
	p.tabTo(".modal .o_field_widget[name=name] input", ".modal")
	p.press("By keyboard")
	p.tabTo(".modal button[name=action_connect]", ".modal")
	p.press(kb.Enter)
	p.see(".modal .o_field_widget[name=key]", "dmk_")
	p.has("the key is shown", ".modal")
	p.tabTo(".modal .modal-footer .btn-primary", ".modal")
	p.press(kb.Enter)
	p.see(".modal", "Close without copying?")
	p.has("the question", ".modal")
	p.tabTo(`.modal:last-of-type .modal-footer .btn-primary`, ".modal")
	p.press(" ")
	p.gone(".modal")
	if r.b.id(t, "By keyboard") == 0 {
		t.Error("there is no connection")
	}
}

func (r *reader) keysApprove(t *testing.T) {
	p := browser(t, r.o, "ann")
	p.open("mcp-approvals", ".o_list_view .o_data_row")
	// Odoo's lists: the arrow leads from the search bar into the rows, Enter opens one.
	p.tabTo(".o_searchview_input", ".o_searchview")
	p.press(kb.ArrowDown)
	p.press(kb.ArrowDown)
	p.has("an arrow leads into the list", ".o_data_row")
	p.press(kb.ArrowRight)
	p.press(kb.Enter)
	p.wait(".o_form_view.o_doorman_approval")
	p.open(fmt.Sprintf("%s/%d", approvalAction, r.ai.id["azure"]), ".o_form_view.o_doorman_approval")
	p.tabTo("button[name=action_approve]", ".o_form_view .o_statusbar_buttons")
	p.press(kb.Enter)
	p.see(".o_doorman_status", "Executed")
	r.ai.seen(t, "azure", "executed")

	p.open(fmt.Sprintf("%s/%d", approvalAction, r.ai.id["leads"]), ".o_form_view.o_doorman_approval")
	p.tabTo("button[name=action_open_reject]", ".o_form_view .o_statusbar_buttons")
	p.press(kb.Enter)
	p.has("a dialog opens", ".modal")
	p.press(kb.Escape)
	p.gone(".modal")
	p.has("the dialog is closed", "button[name=action_open_reject]")
	r.ai.seen(t, "leads", "pending_approval")
	p.press(kb.Enter)
	p.wait(".modal .o_field_widget[name=reason] textarea")
	p.tabTo(".modal .o_field_widget[name=reason] textarea", ".modal")
	p.press("They are still worked on.")
	p.tabTo(".modal .modal-footer .btn-danger", ".modal")
	p.press(kb.Enter)
	p.see(".o_doorman_status", "Rejected")
	r.ai.seen(t, "leads", "rejected")
}

func (r *reader) keysRevoke(t *testing.T) {
	p := browser(t, r.o, "admin")
	id, key := r.b.connect(t, "Ended by keyboard", adminID)
	p.form(id)
	p.tabTo("button[name=action_ask_revoke]", ".o_form_view .o_statusbar_buttons")
	p.press(kb.Enter)
	p.see(".modal", "API keys stop working for good.")
	p.has("a dialog opens", ".modal")
	p.press(kb.Escape)
	p.gone(".modal")
	p.has("the dialog is closed", "button[name=action_ask_revoke]")
	r.b.admits(t, "before it is confirmed", key, true)
	p.press(kb.Enter)
	p.wait(".modal button[name=action_revoke]")
	p.tabTo(".modal button[name=action_revoke]", ".modal")
	p.press(kb.Enter)
	p.see(".o_doorman_status", "Revoked")
	r.b.admits(t, "after it is confirmed", key, false)
}

func (r *reader) keysInvite(t *testing.T) {
	p := visitor(t, r.o)
	p.visit(r.o.Server.URL() + "/doorman/invite#" + r.o.Text("makes"))
	p.see("main", "You are invited")
	for field, text := range map[string]string{"#name": "Kim Keys", "#email": "kim@partner.example", "#password": "correct-horse-battery"} {
		p.js(`document.activeElement.blur()`)
		p.tabTo(field, "main")
		p.press(text)
	}
	p.tabTo("#accept", "main")
	p.press(kb.Enter)
	p.see("main", "dmk_")
	p.tabTo("main summary", "main")
	p.press(" ")
	p.wait("main details[open] pre")
}

func (r *reader) keysConsent(t *testing.T) {
	back := newListener(t)
	party := &kit.Party{T: t, Service: r.b.s, Redirect: back.url}
	party.Client = party.Register()
	p := browser(t, r.o, "admin")
	p.visit(party.AuthorizeURL())
	p.see("main", "What it will be able to do")
	p.tabTo("#allow", "main")
	p.press(kb.Tab)
	p.has("after Allow comes Deny", "#deny")
	p.press(kb.Tab, chromedp.KeyModifiers(chromedp.ModifierShift))
	p.press(kb.Enter)
	p.see("body", "Back in the program")
	if q, err := back.wait(t.Context()); err != nil || q.Get("code") == "" {
		t.Errorf("%v %v", q, err)
	}
}
