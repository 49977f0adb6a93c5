package browser_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"doorman/server/e2e/kit"
)

const (
	inviteAction = "action-doorman.doorman_invite_action"
	secondFactor = "JBSWY3DPEHPK3PXP"
	inviteLink   = ".modal .o_field_widget[name=link]"
	acceptButton = `//form[@action="/doorman/invite/accept"]//button`
)

// TestRealBrowserInvite goes the way of an invite: an administrator makes one; somebody without an account takes it, and
// somebody who logs in with a second factor; their keys work in the official TypeScript clients until it is revoked.
func TestRealBrowserInvite(t *testing.T) {
	node := kit.NeedNode(t)
	o := kit.RealOdoo(t, 0, `
tina = user("tina", "base.group_user")
tina.name = "Tina Weber"
env["res.users"].search([]).odoobot_state = "disabled"  # else it opens a chat over what is to be seen
env.cr.execute("UPDATE res_users SET totp_secret = '`+secondFactor+`' WHERE id = %s", [tina.id])
out["settings"] = settings.id`)
	// Odoo learns its own address when an administrator logs in, and tells the service with its first answer.
	kit.AsAdmin(t, o, "res.users", "has_access", []int64{}, "read")
	s := kit.Serve(t, o.Environ()...)
	kit.AsAdmin(t, o, "doorman.settings", "write", []int64{o.ID("settings")}, map[string]any{"public_url": s.URL})
	i := &invited{o: o, s: s, node: node}
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"an administrator makes it", i.make},
		{"somebody without an account", i.signUp},
		{"somebody with a second factor", i.logIn},
		{"the next one", i.tooLate},
		{"revoke with the connections", i.revoke},
	} {
		if !t.Run(step.name, step.run) {
			return // each goes on where the one before has left off
		}
	}
}

type invited struct {
	o    *kit.Odoo
	s    *kit.Service
	node *kit.Interpreter
	link string
	keys []string
}

// client lets an official TypeScript client connect with a key, list the tools and search.
func (i *invited) client(t *testing.T, flavour, key string) (tools []string, refused bool) {
	t.Helper()
	job, err := json.Marshal(map[string]any{"url": i.s.MCP, "sessions": []any{map[string]any{
		"key": key, "calls": []any{map[string]any{"name": "search_records", "arguments": map[string]any{"model": "res.partner", "limit": 1}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	out := i.node.Run(t, nil, string(job), "clients.mjs", flavour)
	var answers []struct {
		Tools   []string
		Results []struct {
			IsError bool
			Thrown  string
		}
		Failed *struct{ Status int }
	}
	if err := json.Unmarshal([]byte(out.Stdout), &answers); err != nil || len(answers) != 1 {
		t.Fatalf("%s: %v\n%s", flavour, err, out.Stderr)
	}
	a := answers[0]
	if a.Failed != nil {
		if a.Failed.Status != 401 {
			t.Errorf("%s: refused with status %d", flavour, a.Failed.Status)
		}
		return nil, true
	}
	if len(a.Results) == 1 && strings.Contains(a.Results[0].Thrown, `"code":401`) {
		return nil, true // it was let in by what was remembered of the key, and its call found out
	}
	if len(a.Results) != 1 || a.Results[0].Thrown != "" {
		t.Fatalf("%s: search_records: %+v", flavour, a.Results)
	}
	return a.Tools, a.Results[0].IsError
}

// works checks the key that a page shows, and what it grants.
func (i *invited) works(p *page, flavour string) {
	p.Helper()
	p.see("pre#key", "dmk_")
	p.see("pre#url", i.s.MCP)
	key := strings.TrimSpace(p.texts("pre#key")[0])
	i.keys = append(i.keys, key)
	tools, refused := i.client(p.T, flavour, key)
	if refused || !slices.Contains(tools, "search_records") || slices.Contains(tools, "create_records") {
		p.Errorf("with the key of a read-only invite, the %s client is refused (%t), and sees %v", flavour, refused, tools)
	}
	if strings.Contains(i.s.Log(), key) {
		p.Error("the key is in the service's log")
	}
}

func (i *invited) make(t *testing.T) {
	p := browser(t, i.o, "admin")
	p.open(inviteAction, ".o_list_view, .o_nocontent_help")
	p.click(`//*[contains(@class, "o_control_panel")]//button[contains(., "Create Invite")]`)
	p.see(".modal", "Read-only developer")
	p.fill(".modal .o_field_widget[name=key_name_preset] input", "External Dev MCP Key")
	p.fill(".modal .o_field_widget[name=max_uses] input", "2")
	p.click(".modal .o_field_widget[name=new_accounts] input")
	p.shot("invite-wizard", 1400, 800)
	p.shot("invite-wizard-phone", 412, 900)
	p.click(".modal button[name=action_create_invite]")
	p.see(inviteLink, "/oauth/invite/")
	i.link = strings.Fields(p.texts(inviteLink)[0])[0]
	if !strings.HasPrefix(i.link, i.s.URL+"/oauth/invite/") {
		p.Fatalf("the link is %s", i.link)
	}
	p.shot("invite-link", 1400, 900)
	p.done()
	p.open(inviteAction, ".o_list_view .o_data_row")
	p.see(".o_data_row", "External Dev MCP Key")
	p.see(".o_data_row", "mcp:search")
	p.shot("invites", 1400, 420)
}

func (i *invited) signUp(t *testing.T) {
	p := visitor(t, i.o)
	p.visit(i.link)
	p.see("body", "You are invited")
	p.see("body", "Search and read")
	p.shot("invite-page", 700, 1300)
	p.shot("invite-page-phone", 390, 844)
	where := ask[string](p, `location.href + " " + document.referrer`)
	if token := i.link[strings.LastIndexByte(i.link, '/')+1:]; strings.Contains(where, token) {
		p.Errorf("the token stays in the address: %s", where)
	}
	p.fill("#name", "Nora Neu")
	p.fill("#email", "nora@partner.example")
	p.fill("#password", "short")
	p.click("#signup #accept")
	// The browser itself refuses a password that is too short, and says so.
	p.see("h1", "You are invited")
	p.fill("#password", "correct-horse-battery")
	p.click("#signup #accept")
	p.see("body", "External Dev MCP Key")
	p.shot("invite-key", 700, 1200)
	i.works(p, "v2-auto")
}

func (i *invited) logIn(t *testing.T) {
	p := visitor(t, i.o)
	p.visit(i.link)
	p.see("body", "You are invited")
	p.click("#login")
	p.logIn("tina")
	p.wait("input[name=totp_token]")
	p.do(chromedp.SendKeys("input[name=totp_token]", totp(t, secondFactor, time.Now())))
	p.click(`//form[.//input[@name="totp_token"]]//button[@type="submit"]`)
	p.see("body", "You are logged in as tina")
	p.shot("invite-accept", 700, 900)
	p.click(acceptButton)
	i.works(p, "v1")
}

func (i *invited) tooLate(t *testing.T) {
	p := visitor(t, i.o)
	p.visit(i.link)
	p.see("h1", "This link does not work")
	p.see("body", "Have you already accepted it? Log in")
	p.missing("a stranger is offered something", "form[action^='/doorman/invite/accept'], #signup")
	p.shot("invite-gone", 700, 600)
}

func (i *invited) revoke(t *testing.T) {
	p := browser(t, i.o, "admin")
	p.open(inviteAction, ".o_list_view .o_data_row")
	p.click(`//td[contains(., "External Dev MCP Key")]`)
	p.see(".o_form_sheet", "Nora Neu")
	p.see(".o_form_sheet", "Tina Weber")
	p.shot("invite-form", 1400, 900)
	p.click("button[name=action_revoke_all]")
	p.click(confirmButton)
	p.see(".o_form_statusbar, .o_form_sheet, .o_form_view", "Revoked")
	for n, key := range i.keys {
		for _, flavour := range []string{"v1", "v2-auto"} {
			if _, refused := i.client(p.T, flavour, key); !refused {
				p.Errorf("key %d was revoked with its invite, and the %s client got in", n, flavour)
			}
		}
		// By now the service has forgotten what it knew of the key: no list of tools either.
		if tools, _ := i.client(p.T, "v2-modern", key); tools != nil {
			p.Errorf("with the revoked key %d a client still sees %v", n, tools)
		}
	}
}

// totp is RFC 6238 as authenticator apps do it: SHA-1, 30 seconds, 6 digits.
func totp(t *testing.T, secret string, now time.Time) string {
	t.Helper()
	key, err := base32.StdEncoding.DecodeString(secret)
	if err != nil {
		t.Fatal(err)
	}
	mac := hmac.New(sha1.New, key)
	_ = binary.Write(mac, binary.BigEndian, now.Unix()/30)
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	return fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[at:at+4])&0x7fffffff%1_000_000)
}

// TestRealBrowserInviteNoAccount shows what somebody without an account is told to do, and somebody with a portal account.
func TestRealBrowserInviteNoAccount(t *testing.T) {
	o := kit.RealOdoo(t, 0, `
user("paul", "base.group_portal")
def link(**values):
    _invite, token = env["doorman.invite"].with_user(admin)._make(
        {"scope_ids": [Command.set(env.ref("doorman.scope_search").ids)], **values})
    env.cr.flush()
    return token
out["asks"], out["makes"] = link(), link(new_accounts=True)
env["ir.config_parameter"].set_param("auth_signup.invitation_scope", "b2b")`)
	kit.AsAdmin(t, o, "res.users", "has_access", []int64{}, "read") // Odoo learns its own address
	page := o.Server.URL() + "/doorman/invite#"
	free := func(scope string) {
		kit.AsAdmin(t, o, "ir.config_parameter", "set_param", "auth_signup.invitation_scope", scope)
	}
	p := visitor(t, o)
	p.visit(page + o.Text("asks"))
	p.see("#no_account", "Ask Mitchell Admin for an account, or for an invite that lets you create one yourself")
	p.shot("invite-no-account", 1400, 900)
	p.shot("invite-no-account-phone", 390, 844)
	p.missing("a sign-up that this Odoo does not allow", `a[href^="/web/signup"], #signup`)
	free("b2c")
	p = visitor(t, o)
	p.visit(page + o.Text("asks"))
	p.see("#no_account", "Then ask Mitchell Admin to make it an internal user")
	p.shot("invite-free-sign-up", 1400, 900)
	p.shot("invite-free-sign-up-phone", 390, 844)
	p.click(`#no_account a`)
	p.wait(`form.oe_signup_form`)

	p = visitor(t, o)
	p.visit(page + o.Text("makes"))
	p.wait("#signup")
	p.missing("two ways to an account", "#no_account")

	p = visitor(t, o)
	p.visit(page + o.Text("asks"))
	p.click("#login")
	p.logIn("paul")
	p.see(".alert-warning", "is a portal account, but a key requires an internal user. Ask Mitchell Admin")
	p.missing("a portal user may accept", "#accept")
	p.shot("invite-portal", 1400, 900)
	p.shot("invite-portal-phone", 390, 844)
}
