package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto"
	"github.com/chromedp/chromedp"

	"doorman/server/e2e/kit"
)

const (
	connectionAction = "action-doorman.doorman_connection_action"
	settingsAction   = "action-doorman.doorman_settings_action"
	auditAction      = "action-doorman.doorman_audit_action"
	useAction        = "action-doorman.doorman_use_action"
	usesAction       = "action-doorman.doorman_use_connection_action"
	toolAction       = "action-doorman.doorman_tool_action"
	keyAction        = "action-doorman.doorman_key_report_action"
)

// page is a tab of a headless Chromium. Its methods end the test when what they wait for does not come.
type page struct {
	*testing.T
	ctx context.Context
	o   *kit.Odoo
}

// browser opens a tab of somebody who is logged in; the password is the login. People log in once, and keep what their
// browser has loaded: most of a page's time is Odoo's scripts.
func browser(t *testing.T, o *kit.Odoo, login string) *page {
	t.Helper()
	return browserOf(t, o, login, 1400, 900)
}

// browserOf is browser with a window of another size. One that changes later has not all of it drawn anew.
func browserOf(t *testing.T, o *kit.Odoo, login string, wide, high int64) *page {
	t.Helper()
	name := o.DB + " " + login
	profile := profiles[name]
	if profile == nil {
		profile = newProfile(t)
		p := tab(t, profile, o)
		p.openLogin()
		p.logIn(login)
		p.wait(`.o_web_client .o_main_navbar`)
		profiles[name] = profile
	}
	p := tab(t, profile, o)
	p.do(chromedp.EmulateViewport(wide, high))
	p.open("", `.o_action_manager > *`) // what Odoo opens by itself is there: else it could come after what a test opens
	return p
}

// logIn fills in Odoo's own form.
func (p *page) logIn(login string) {
	p.Helper()
	p.wait(`input[name=login]`)
	p.do(
		chromedp.SetValue(`input[name=login]`, login),
		chromedp.SetValue(`input[name=password]`, login),
		chromedp.Submit(`form.oe_login_form`),
	)
}

// visitor opens the login page for somebody who is not logged in, in a browser that has never been there.
func visitor(t *testing.T, o *kit.Odoo) *page {
	t.Helper()
	p := tab(t, newProfile(t), o)
	p.openLogin()
	return p
}

// openLogin goes to the login page. From then on the session remembers the database, as one with a name of its own would:
// other tests have theirs beside it.
func (p *page) openLogin() {
	p.Helper()
	p.visit(p.o.Server.URL() + "/web/login?db=" + p.o.DB)
}

func (p *page) do(actions ...chromedp.Action[chromedp.Void]) {
	p.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.Fatal(err)
	}
}

// found is the script that lists the elements of a CSS selector, or of an XPath where it begins with a slash.
func found(selector string) string {
	if !strings.HasPrefix(selector, "/") {
		return fmt.Sprintf(`[...document.querySelectorAll(%q)]`, selector)
	}
	return fmt.Sprintf(`(r => [...Array(r.snapshotLength).keys()].map(i => r.snapshotItem(i)))(
		document.evaluate(%q, document, null, XPathResult.ORDERED_NODE_SNAPSHOT_TYPE))`, selector)
}

// wait asks until an element can be seen, in whatever page is there by then. chromedp.WaitVisible follows the nodes of one
// page; when a machine is busy and the next page comes while it looks, it may wait for ever.
func (p *page) wait(selector string) {
	p.Helper()
	p.until(func() (string, bool) {
		return selector + " cannot be seen", ask[bool](p, found(selector)+`.some(e => e.checkVisibility())`)
	})
}

// gone asks until there is no such element any more.
func (p *page) gone(selector string) {
	p.Helper()
	p.until(func() (string, bool) {
		return selector + " is still there", ask[bool](p, found(selector)+`.length === 0`)
	})
}

// visit goes to an address. On a busy machine Chromium now and then never says that a page has loaded: it is asked again.
func (p *page) visit(address string) {
	p.Helper()
	p.until(func() (string, bool) {
		ctx, cancel := context.WithTimeout(p.ctx, never/3)
		defer cancel()
		err := chromedp.Do(ctx, chromedp.Navigate(address))
		if err != nil && ctx.Err() == nil {
			p.Fatal(fmt.Errorf("%s cannot be opened: %w", address, err))
		}
		return fmt.Sprintf("%s does not load: %v", address, err), err == nil
	})
}

// open goes to an action of the addon and waits for its view.
func (p *page) open(path, view string) {
	p.Helper()
	address := p.o.Server.URL() + "/odoo/" + path
	if ask[bool](p, ready) {
		p.js(fmt.Sprintf(leave, address))
		p.until(func() (string, bool) { // a wizard opens above what is there
			return path + " does not open", ask[bool](p, `!document.querySelector(".o_action_manager > [data-left]") || !!document.querySelector(".modal")`)
		})
		p.wait(view)
		return
	}
	// From one address to the same one with another fragment or none, a browser may stay where it is.
	p.visit("about:blank")
	p.visit(address)
	p.wait(view)
	p.js(`window.width = innerWidth`)
}

const (
	// ready is whether the web client is there, for a window as wide as today's, and nothing in it would stay when it goes
	// somewhere else: a dialog, a notice, what is not saved.
	ready = `location.pathname.startsWith("/odoo") && window.width === innerWidth && !!document.querySelector(".o_action_manager > *")
		&& !document.querySelector(".modal, .o_popover, .o_notification, .o_form_status_indicator_new_record, .o_form_button_save:not(.invisible *), .o_list_button_save")`
	// leave has the web client go to an address as by a link in it, and marks what is there. To load all of it anew takes
	// more than a second of processor time. Records are asked for anew: a list would show first what it remembers of them.
	leave = `{ odoo.loader.modules.get("@web/core/network/rpc").rpcBus.trigger("CLEAR-CACHES", ["web_read", "web_search_read", "web_read_group"]);
		document.querySelectorAll(".o_action_manager > *").forEach(e => e.dataset.left = "");
		const link = Object.assign(document.createElement("a"), {href: %q});
		document.body.append(link);
		link.click();
		link.remove() }`
)

// form opens one connection.
func (p *page) form(id int64) {
	p.Helper()
	p.open(fmt.Sprintf("%s/%d", connectionAction, id), ".o_form_view .o_field_widget[name=name]")
}

// click clicks once, and once the element rests: a second click could do twice what is to be done once, and what is still
// being laid out is somewhere else when the click arrives.
func (p *page) click(selector string) {
	p.Helper()
	p.wait(selector)
	var before string
	p.until(func() (string, bool) {
		at := ask[string](p, `JSON.stringify(`+found(selector)+`[0]?.getBoundingClientRect() ?? "")`)
		rests := at == before
		before = at
		return fmt.Sprintf("%s does not rest: %s", selector, at), rests
	})
	ctx, cancel := context.WithTimeout(p.ctx, never)
	defer cancel()
	if err := chromedp.Do(ctx, chromedp.Click(selector)); err != nil {
		p.Fatal(fmt.Errorf("%s cannot be clicked: %w", selector, err))
	}
}

// fill types a text into an input, in place of what is there, and leaves it.
func (p *page) fill(selector, text string) {
	p.Helper()
	p.wait(selector)
	p.do(chromedp.Focus(selector))
	p.act(fmt.Sprintf(`document.querySelector(%q)`, selector), `e.select()`)
	p.do(chromedp.SendKeys(selector, text), chromedp.Blur(selector))
}

// passes says whether an answer is missing because the page went away while it was asked, or has not drawn all that the
// script reads.
func passes(err error) bool {
	var refused *cdproto.Error
	var thrown *chromedp.ExceptionError
	// The DevTools protocol has this number for all that it cannot do.
	return errors.As(err, &refused) && refused.Code == -32000 || errors.As(err, &thrown)
}

// ask reads something in whatever page is there, by a script that changes nothing: where the page goes away meanwhile, the
// next one is asked, and one that is still being drawn, once more.
func ask[T any](p *page, script string, options ...chromedp.EvaluateOption) T {
	p.Helper()
	deadline := time.Now().Add(never)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		answer, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script, options...))
		if err == nil {
			tick.Stop()
			return answer
		}
		if !passes(err) || time.Now().After(deadline) {
			p.Fatal(err)
		}
	}
}

// js runs a script that changes something.
func (p *page) js(script string) {
	p.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[any](script+`; true`)); err != nil {
		p.Fatal(err)
	}
}

// act runs a script on the element e that an expression gives, once it is there: a menu draws its entries after it opens.
func (p *page) act(element, script string) {
	p.Helper()
	p.until(func() (string, bool) {
		return element + " is not there", ask[bool](p, fmt.Sprintf(`(e => { if (e) { %s } return !!e; })(%s)`, script, element))
	})
}

// texts returns what the elements say, one string each.
func (p *page) texts(selector string) []string {
	p.Helper()
	return ask[[]string](p, fmt.Sprintf(`[...document.querySelectorAll(%q)].map(e => e.innerText.trim())`, selector))
}

// see waits until the elements together say this.
func (p *page) see(selector, want string) {
	p.Helper()
	p.until(func() (string, bool) {
		got := strings.Join(strings.Fields(strings.Join(p.texts(selector), " ")), " ")
		return fmt.Sprintf("%s says %q, want %q in it", selector, got, want), strings.Contains(got, want)
	})
}

// seeRows waits until the list has exactly these names, in any order.
func (p *page) seeRows(what string, want []string) {
	p.Helper()
	slices.Sort(want)
	p.until(func() (string, bool) {
		got := p.texts(".o_data_row td[name=name]")
		slices.Sort(got)
		return fmt.Sprintf("%s: the list shows %q, want %q", what, got, want), slices.Equal(got, want)
	})
}

// never is how long a test waits for what does not come. A busy machine takes its time.
const never = 2 * time.Minute

// until asks until it is so.
func (p *page) until(ok func() (string, bool)) {
	p.Helper()
	deadline := time.Now().Add(never)
	for tick := time.NewTicker(50 * time.Millisecond); ; <-tick.C {
		saw, done := ok()
		if done {
			tick.Stop()
			return
		}
		if time.Now().After(deadline) {
			p.shot("failed", 1400, 900)
			p.Fatal(saw)
		}
	}
}

// missing reports elements that should not be there.
func (p *page) missing(what, selector string) {
	p.Helper()
	if found := p.texts(selector); len(found) != 0 {
		p.Errorf("%s: %q", what, found)
	}
}

// shot saves what is seen to DOORMAN_TEST_SHOTS, where that is set: the pictures in docs/ are made so.
func (p *page) shot(name string, width, height int64) {
	p.Helper()
	dir := os.Getenv("DOORMAN_TEST_SHOTS")
	if dir == "" {
		return
	}
	// The pause is for the eye, not for the test: animations end, avatars load.
	p.do(chromedp.EmulateViewport(width, height), chromedp.Sleep(800*time.Millisecond))
	png, err := chromedp.Run(p.ctx, chromedp.CaptureScreenshot())
	if err != nil {
		p.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, name+".png"), png, 0o644); err != nil {
		p.Fatal(err)
	}
	p.do(chromedp.EmulateViewport(1400, 900))
}

// key returns the key that the dialog shows, and closes it.
func (p *page) key() string {
	p.Helper()
	const field = ".modal .o_field_widget[name=key]"
	p.see(field, "dmk_")
	key := strings.Fields(p.texts(field)[0])[0]
	p.done()
	return key
}

// done closes a dialog that shows a secret: that asks first, since nothing was copied.
func (p *page) done() {
	p.Helper()
	p.click(doneButton)
	p.see(".modal", "Close without copying?")
	p.click(`//*[contains(@class, "modal-footer")]//button[normalize-space()="Close"]`)
	p.gone(".modal")
}

// tab opens a page of a form.
func (p *page) tab(name string) {
	p.Helper()
	p.click(fmt.Sprintf(`//a[contains(@class, "nav-link")][normalize-space()=%q]`, name))
}

// backend is the real Odoo with the addon and its demo data, and the service before it.
type backend struct {
	o *kit.Odoo
	s *kit.Service
}

// connect makes a connection with a key, as an administrator would over RPC.
func (b *backend) connect(t *testing.T, name string, user int64) (id int64, key string) {
	t.Helper()
	made := kit.AsAdmin(t, b.o, "doorman.connection", "create", []any{map[string]any{"name": name, "user_id": user}})
	var ids []int64
	if err := json.Unmarshal(made, &ids); err != nil {
		t.Fatalf("create answered %s", made)
	}
	return ids[0], kit.NewKey(t, b.o, "action_rotate_key", ids[0])
}

// admits checks whether a key lets a call through.
func (b *backend) admits(t *testing.T, what, key string, want bool) {
	t.Helper()
	err := kit.Search(t.Context(), b.s.MCP, key)
	if want && err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if !want && err == nil {
		t.Errorf("%s: a call with it went through", what)
	}
}

// names returns the names of the connections that meet a condition.
func (b *backend) names(t *testing.T, where string) []string {
	t.Helper()
	out, err := b.o.Host.Psql(t.Context(), b.o.DB, "SELECT name FROM doorman_connection WHERE "+where)
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(strings.Split(out, "\n"), func(s string) bool { return strings.TrimSpace(s) == "" })
}

func (b *backend) id(t *testing.T, name string) int64 {
	t.Helper()
	return b.number(t, fmt.Sprintf("SELECT id FROM doorman_connection WHERE name = '%s'", strings.ReplaceAll(name, "'", "''")))
}

// number is what a query for one whole number finds.
func (b *backend) number(t *testing.T, query string) (n int64) {
	t.Helper()
	out, err := b.o.Host.Psql(t.Context(), b.o.DB, query)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := fmt.Sscan(out, &n); err != nil {
		t.Fatalf("%s: %q", query, out)
	}
	return n
}

const adminID = 2 // base.user_admin

// TestRealBackend clicks through what this addon adds to Odoo's backend.
func TestRealBackend(t *testing.T) {
	// The database comes from one that may be days old: by then all of its demo data would be idle.
	o := kit.RealOdoo(t, 0, `
env["doorman.connection"]._demo_refresh()
out["pia"] = user("pia", "doorman.group_user").id
if "odoobot_state" in env["res.users"]._fields:  # else it opens a chat over what is to be seen
    env["res.users"].search([]).odoobot_state = "disabled"
out["settings"] = settings.id
out["admin_group"] = env.ref("doorman.group_admin").id`)
	b := &backend{o, kit.Serve(t, o.Environ()...)}
	kit.AsAdmin(t, o, "doorman.settings", "write", []int64{o.ID("settings")}, map[string]any{"public_url": b.s.URL})
	kit.Await(t, "the service has said hello", func() error {
		n, err := o.Host.Psql(t.Context(), o.DB, "SELECT count(*) FROM doorman_tool WHERE name = 'get_context'")
		return kit.Unless(err == nil && strings.TrimSpace(n) == "1", n, err)
	})
	t.Run("every view opens", b.everyView)
	t.Run("phone", b.phone)
	t.Run("wizard", b.wizard)
	t.Run("first call", b.firstCall)
	t.Run("the list", b.list)
	t.Run("keys", b.keys)
	t.Run("rotate", b.rotate)
	t.Run("revoke and reactivate", b.revoke)
	t.Run("revoke several", b.revokeSeveral)
	t.Run("idle", b.idle)
	t.Run("wrong IP line", b.wrongLine)
	t.Run("master switch", b.masterSwitch)
	t.Run("a tool switched off", b.toolOff)
	t.Run("own tool", b.ownTool)
	t.Run("explain", b.explain)
	t.Run("undo", b.undo)
	t.Run("a change that waits for a second administrator", b.policyChange)
	t.Run("dialogs", b.lookAtDialogs)
	t.Run("MCP user", b.user)
}
