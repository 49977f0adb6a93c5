package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// inGerman makes Odoo's people and its visitors read German: what the addon's own file of translations says.
const inGerman = `
env["res.lang"]._activate_lang("de_DE")
env["ir.module.module"].search([("name", "=", "doorman")])._update_translations(["de_DE"])
jan = user("jan", "doorman.group_user", "base.group_partner_manager")
eva = user("eva", "base.group_user")
everyone = env["res.users"].with_context(active_test=False).search([])
everyone.lang = "de_DE"
env["res.users"].search([]).odoobot_state = "disabled"  # else it opens a chat over what is to be seen
tool = env["doorman.tool"].search([("name", "=", "delete_records")]) or env["doorman.tool"]._inside().create({"name": "delete_records", "risk": "high"})
connection("Schreibtisch", jan, approver_id=eva.id, approval_tool_ids=[Command.set(tool.ids)],
    scope_ids=[Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)])
from datetime import datetime, timedelta
out["admin_key"] = env["res.users.apikeys"].with_user(admin)._generate("rpc", "test", datetime.now() + timedelta(days=1))
out["partner"] = env["res.partner"].create({"name": "Alte Messe GmbH"}).id
out["settings"] = settings.id`

// german is the service, and what the addon's file of translations says.
type german struct {
	*backend
	ai    *sdk.ClientSession
	words map[string]string
}

// TestRealBrowserGerman goes each of the main ways once in German, pages on a phone: nothing there hangs on English labels, and
// what a person reads is what the translators wrote. A page that is German in part would show here.
func TestRealBrowserGerman(t *testing.T) {
	kit.SkipWithoutOdoo(t)
	words := translations(t, "de")
	o := kit.RealOdoo(t, 0, inGerman)
	// Odoo learns its own address when an administrator logs in, and tells the service with its first answer.
	kit.AsAdmin(t, o, "res.users", "has_access", []int64{}, "read")
	s := kit.Serve(t, o.Environ()...)
	kit.AsAdmin(t, o, "doorman.settings", "write", []int64{o.ID("settings")}, map[string]any{"public_url": s.URL})
	kit.KnowsItself(t, o, s)
	g := &german{&backend{o, s}, kit.Connect(t, s.MCP, o.Text("Schreibtisch")), words}
	t.Run("wizard", g.wizard)
	t.Run("approval", g.approval)
	t.Run("audit", g.audit)
	t.Run("revoke", g.revoke)
	t.Run("invite", g.invite)
	t.Run("consent", g.consent)
	t.Run("nothing is cut", g.whole)
}

// say is the German of an English text.
func (g *german) say(t *testing.T, english string) string {
	t.Helper()
	text := g.words[english]
	if text == "" {
		t.Fatalf("de.po has no %q", english)
	}
	return strings.Join(strings.Fields(text), " ")
}

// tab is a phone of somebody who is logged in.
func (g *german) tab(t *testing.T, login string) *page {
	t.Helper()
	p := browser(t, g.o, login)
	p.narrow()
	return p
}

// narrow makes the page as wide as a phone.
func (p *page) narrow() {
	p.Helper()
	p.do(chromedp.EmulateViewport(phoneWidth, 844))
}

// button is the XPath of a button within something, by its German label.
func (g *german) button(t *testing.T, within, english string) string {
	t.Helper()
	return fmt.Sprintf(`//*[contains(@class, %q)]//button[contains(normalize-space(), %q)]`, within, g.say(t, english))
}

func (g *german) wizard(t *testing.T) {
	p := g.tab(t, "admin")
	p.open("action-doorman.doorman_connect_wizard_action", ".o_doorman_tiles")
	p.see(".o_content, .modal", g.say(t, "Which AI tool?"))
	p.click(fmt.Sprintf(`//*[contains(@class, "o_form_view")]//button[normalize-space()=%q]`, g.say(t, "API Key")))
	p.fill(".o_field_widget[name=name] input", "Claude, Monatsabschluss")
	p.shot("german-wizard", phoneWidth, 900)
	p.click("button[name=action_connect]")
	p.see(".o_field_widget[name=key]", "dmk_")
	key := strings.Fields(p.texts(".o_field_widget[name=key]")[0])[0]
	g.admits(t, "the key of the wizard", key, true)
	p.click(g.button(t, "modal-footer", "Done"))
	p.see(".modal", g.say(t, "Close without copying?"))
	p.click(g.button(t, "modal-footer", "Close"))
	p.gone(".modal")
}

// whole looks, at a desk, at each list's headers and badges and at the tabs of the longest form: German words are long.
func (g *german) whole(t *testing.T) {
	p := browser(t, g.o, "admin")
	a := &axe{seen: map[string]*finding{}}
	for _, list := range []string{
		"application", "approval", "audit", "connection", "invite", "key_report", "oauth_client", "oauth_issuer", "own_tool", "policy_change",
		"tool", "use_connection",
	} {
		p.open("action-doorman.doorman_"+list+"_action?view_type=list", drawn["list"])
		a.cut(p, list)
	}
	a.report(t)
	for _, width := range widths {
		p.do(chromedp.EmulateViewport(width.wide, width.high))
		p.open(settingsAction, ".o_form_view .o_notebook_headers .nav-link")
		outside := ask[[]string](p, `[...document.querySelectorAll(".o_notebook_headers .nav-link")].filter(tab =>
			tab.getBoundingClientRect().right > tab.closest(".o_form_sheet").getBoundingClientRect().right).map(tab => tab.innerText)`)
		if len(outside) != 0 {
			t.Errorf("tabs beyond the edge at %d px: %q", width.wide, outside)
		}
	}
}

func (g *german) approval(t *testing.T) {
	content, failed := kit.Call(t, g.ai, "delete_records", kit.Args{"model": "res.partner", "ids": []int64{g.o.ID("partner")}})
	id, _ := content["request_id"].(float64)
	if failed != "" || content["status"] != "pending_approval" || id == 0 {
		t.Fatalf("it does not wait: %v %s", content, failed)
	}
	p := g.tab(t, "eva")
	p.request(int64(id))
	p.see(".o_form_sheet", "Alte Messe GmbH")
	p.see(".o_form_sheet", g.say(t, "Deleted records cannot be restored."))
	p.shot("german-approval", phoneWidth, 1100)
	p.click(approve)
	p.see(".o_notification", g.say(t, "Approved and carried out"))
	p.see(".o_doorman_status", g.say(t, "Executed"))
	told := kit.Must(t, g.ai, "approval_status", kit.Args{"request_id": int64(id)})
	if told["status"] != "executed" {
		t.Errorf("the AI tool is told %v", told)
	}
}

// audit: the AI tool of a German is refused in English, and the administrator reads why in German.
func (g *german) audit(t *testing.T) {
	const said = "There are no values to set."
	content, failed := kit.Call(t, g.ai, "update_records", kit.Args{"model": "res.partner", "ids": []int64{1}, "values": "{}"})
	if failed != "invalid_input" || content["message"] != said {
		t.Fatalf("the AI tool is told %v", content)
	}
	p := browser(t, g.o, "admin")
	var id int64
	p.until(func() (string, bool) { // the service tells of it every few seconds
		out, err := g.o.Host.Psql(t.Context(), g.o.DB, "SELECT id FROM doorman_audit WHERE message = '"+said+"'")
		_, none := fmt.Sscan(out, &id)
		return fmt.Sprintf("the refusal is not in the audit: %q %v", out, err), err == nil && none == nil
	})
	p.open(fmt.Sprintf("%s/%d", auditAction, id), ".o_form_view")
	p.see(".o_form_sheet", g.say(t, said))
	p.see(".o_form_sheet", g.say(t, "Update records"))
	p.see(".o_form_sheet", g.say(t, "The request is malformed"))
	p.shot("german-audit", 1400, 900)
}

func (g *german) revoke(t *testing.T) {
	p := browser(t, g.o, "admin") // a phone has the buttons in a menu
	id, key := g.connect(t, "Continue, Übersetzungen", adminID)
	p.form(id)
	p.click("button[name=action_ask_revoke]")
	p.wait(".modal button[name=action_revoke]")
	p.shot("german-revoke", phoneWidth, 844)
	p.click(".modal button[name=action_revoke]")
	p.see(".o_doorman_status", g.say(t, "Revoked"))
	g.admits(t, "the key of a revoked connection", key, false)
}

// invite is of somebody who is not logged in: their browser says what they read.
func (g *german) invite(t *testing.T) {
	create, _ := kit.InviteExamples(t, g.s)
	_, link := kit.CreateByExample(t, create, g.o.Text("admin_key"))
	p := visitor(t, g.o)
	p.narrow()
	p.visit(link)
	p.see("h1", g.say(t, "You are invited"))
	p.see("body", g.say(t, "Search and read"))
	p.shot("german-invite", phoneWidth, 844)
}

func (g *german) consent(t *testing.T) {
	back := newListener(t)
	party := &kit.Party{T: t, Service: g.s, Redirect: back.url}
	party.Client = party.Register()
	p := g.tab(t, "jan")
	p.visit(party.AuthorizeURL())
	p.see("body", g.say(t, "Search and read"))
	p.see("#allow", g.say(t, "Allow"))
	p.shot("german-consent", phoneWidth, 660)
	p.click("#deny")
	if q, err := back.wait(t.Context()); err != nil || q.Get("error") != "access_denied" {
		t.Errorf("%v %v", q, err)
	}
}

// phoneWidth is that of the smaller phones.
const phoneWidth = 390

// translations reads a language of the addon, English to translated.
func translations(t *testing.T, language string) map[string]string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(kit.AddonDir(t), "doorman", "i18n", language+".po"))
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, entry := range poEntry.FindAllStringSubmatch(string(text), -1) {
		found[poText(t, entry[1])] = poText(t, entry[2])
	}
	if len(found) < 1000 {
		t.Fatalf("%s.po has %d texts", language, len(found))
	}
	return found
}

var (
	poEntry  = regexp.MustCompile(`(?m)^msgid ((?:".*"\n)+)msgstr ((?:".*"\n)+)`)
	poPieces = regexp.MustCompile(`(?m)^".*"$`)
)

// poText joins the lines of a text in a .po file.
func poText(t *testing.T, lines string) string {
	t.Helper()
	var text strings.Builder
	for _, piece := range poPieces.FindAllString(lines, -1) {
		part, err := strconv.Unquote(piece)
		if err != nil {
			t.Fatalf("%s: %v", piece, err)
		}
		text.WriteString(part)
	}
	return text.String()
}
