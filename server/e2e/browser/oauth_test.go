package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

const (
	applicationAction = "action-doorman.doorman_application_action"
	secretFactor      = "KRSXG5BAONSWG4TF"
)

// TestRealBrowserOAuth goes the way of a person who pastes one URL into an AI tool: the Go SDK's own OAuth client, its
// authorization URL in Chromium, Odoo's login with a second factor, the consent page, and what ends it again; and the ways
// of an administrator, who lets each in or sets up a client by hand.
func TestRealBrowserOAuth(t *testing.T) {
	o := kit.RealOdoo(t, 0, `
mia = user("mia", "base.group_user", "doorman.group_user")
mia.name = "Mia Lang"
env["res.users"].search([]).odoobot_state = "disabled"  # else it opens a chat over what is to be seen
env.cr.execute("UPDATE res_users SET totp_secret = '`+secretFactor+`' WHERE id = %s", [mia.id])
env["doorman.connection"].search([]).unlink()
out["settings"] = settings.id`)
	s := kit.Serve(t, o.Environ()...)
	kit.AsAdmin(t, o, "doorman.settings", "write", []int64{o.ID("settings")}, map[string]any{"public_url": s.URL})
	kit.KnowsItself(t, o, s)
	b := &consents{t: t, o: o, s: s, back: newListener(t)}
	for _, step := range []struct {
		name string
		run  func(*testing.T)
	}{
		{"paste the URL, log in, allow", b.connect},
		{"deny", b.deny},
		{"what an administrator sees", b.listed},
		{"disconnect", b.disconnect},
		{"an administrator lets it in", b.activate},
		{"the wizard names the URL", b.wizardURL},
		{"the wizard makes a client", b.wizardClient},
	} {
		if !t.Run(step.name, step.run) {
			return // each goes on where the one before has left off
		}
	}
}

type consents struct {
	t       *testing.T // what connects lives as long as the whole test
	o       *kit.Odoo
	s       *kit.Service
	back    *listener
	session *sdk.ClientSession
}

// listener is where a program on the person's computer waits for its answer.
type listener struct {
	url string
	got chan url.Values
}

func newListener(t *testing.T) *listener {
	l := &listener{got: make(chan url.Values, 1)}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/callback" {
			http.NotFound(w, r) // browsers ask for a favicon
			return
		}
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, "<h1>Back in the program</h1>")
		l.got <- r.URL.Query()
	}))
	t.Cleanup(server.Close)
	l.url = server.URL + "/callback"
	return l
}

// wait returns what the browser brought.
func (l *listener) wait(ctx context.Context) (url.Values, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	select {
	case q := <-l.got:
		return q, nil
	case <-ctx.Done():
		return nil, errors.New("nobody came back")
	}
}

// dance lets the SDK's client connect while walk goes through its pages, which only the test's own goroutine may do.
func (b *consents) dance(t *testing.T, known kit.OAuthClient, walk func(address string)) *sdk.ClientSession {
	t.Helper()
	type outcome struct {
		session *sdk.ClientSession
		err     error
	}
	address, done := make(chan string, 1), make(chan outcome, 1)
	go func() {
		session, err := kit.SignIn(b.t.Context(), b.s, b.back.url, known, kit.ThenGone(func(ctx context.Context, to string) (url.Values, error) {
			address <- to
			return b.back.wait(ctx)
		}))
		done <- outcome{session, err}
	}()
	for {
		select {
		case to := <-address:
			walk(to)
		case end := <-done:
			if end.err != nil {
				t.Fatal(end.err)
			}
			b.t.Cleanup(func() { _ = end.session.Close() })
			return end.session
		}
	}
}

// logInTwice is a login with a second factor: the code of a time. Odoo takes each code once (auth_totp,
// totp_last_counter), and those of half a minute before and after.
func (p *page) logInTwice(login, secret string, at time.Time) {
	p.Helper()
	p.logIn(login)
	p.wait("input[name=totp_token]")
	p.do(chromedp.SendKeys("input[name=totp_token]", totp(p.T, secret, at)))
	p.click(`//form[.//input[@name="totp_token"]]//button[@type="submit"]`)
}

func (b *consents) connect(t *testing.T) {
	p := visitor(t, b.o)
	b.session = b.dance(t, kit.Registers("Desk Assistant"), func(address string) {
		p.visit(address)
		p.logInTwice("mia", secretFactor, time.Now())
		for _, want := range []string{"Desk Assistant", "Not verified", "a program on your computer", "127.0.0.1", "Mia Lang", "Search and read"} {
			p.see("body", want)
		}
		p.shot("oauth-consent", 700, 540)
		p.shot("oauth-consent-phone", 390, 660)
		p.click("#allow")
		p.see("body", "Back in the program")
	})
	content, failed := kit.Call(t, b.session, "get_context", map[string]any{})
	if failed != "" || !strings.Contains(kit.Sprint(content), "mia") {
		t.Fatalf("%s %v", failed, content)
	}
}

// deny says no to a second client.
func (b *consents) deny(t *testing.T) {
	p := browser(t, b.o, "admin")
	party := &kit.Party{T: t, Service: b.s, Redirect: b.back.url}
	party.Client = party.Register()
	p.visit(party.AuthorizeURL())
	p.see("body", "By hand")
	p.click("#deny")
	q, err := b.back.wait(t.Context())
	if err != nil || q.Get("error") != "access_denied" || q.Get("state") != "s" || q.Get("iss") != b.s.URL || q.Has("code") {
		t.Errorf("%v %v", q, err)
	}
}

func (b *consents) listed(t *testing.T) {
	p := browser(t, b.o, "admin")
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.see(".o_data_row", "Desk Assistant")
	p.see(".o_data_row", "Mia Lang")
	p.click(`//td[contains(., "Desk Assistant")]`)
	p.see(".o_form_view .o_field_widget[name=client_id]", "dmo_")
	p.see(".o_form_view .o_field_widget[name=redirect_uris]", b.back.url)
	p.shot("oauth-connection", 1400, 1000)
}

func (b *consents) disconnect(t *testing.T) {
	if !kit.Answers(t, b.session) {
		t.Fatal("it does not work before it ends")
	}
	if err := kit.RunJob(t.Context(), b.o, "fold_use"); err != nil {
		t.Fatal(err)
	}
	p := visitor(t, b.o)
	p.visit(b.o.Server.URL() + "/web/login?db=" + b.o.DB)
	p.logInTwice("mia", secretFactor, time.Now().Add(30*time.Second)) // the code of the first login may still be the one of now
	p.wait(`.o_web_client .o_main_navbar`)
	p.open(applicationAction, ".o_list_view .o_data_row")
	p.see(".o_data_row", "Desk Assistant")
	p.see(".o_data_row", "Connected")
	p.shot("oauth-applications", 1400, 420)
	b.onPhone(p)
	p.open(applicationAction, ".o_list_view .o_data_row")
	p.click(".o_data_row button[name=action_revoke]")
	p.see(".modal", "logged out at once")
	p.click(confirmButton)
	p.gone(".modal")
	p.see(".o_data_row, .o_view_nocontent", "No connected applications yet")
	if kit.Answers(t, b.session) {
		t.Error("a disconnected application called a tool")
	}
}

// onPhone finds the button where a list would have no room for it.
func (b *consents) onPhone(p *page) {
	p.Helper()
	p.do(chromedp.EmulateViewport(412, 900))
	p.open(applicationAction, ".o_kanban_view .o_kanban_record button[name=action_revoke]")
	p.shot("oauth-applications-phone", 412, 500)
	p.do(chromedp.EmulateViewport(1400, 900))
}

// activate switches the setting on, and lets in who waits.
func (b *consents) activate(t *testing.T) {
	p := browser(t, b.o, "admin")
	b.askFirst(p)
	party := &kit.Party{T: t, Service: b.s, Redirect: b.back.url}
	party.Client = party.Register()
	p.visit(party.AuthorizeURL())
	p.see("body", "It can do nothing until an MCP administrator has activated it")
	p.click("#allow")
	q, err := b.back.wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	status, tokens := party.Redeem(q.Get("code"))
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, tokens)
	}
	token := kit.Sprint(tokens["access_token"])
	search := kit.ToolCall("search_records", kit.Args{"model": "res.partner", "fields": []string{"name"}, "limit": 1})
	refused := kit.Post(t, b.s.MCP, token, "tools/call", search)
	// In a form that a model reads to its user.
	if refused.Status != http.StatusOK || !strings.Contains(refused.Body, `"isError":true`) ||
		!strings.Contains(refused.Body, "is waiting for an administrator to activate it") {
		t.Errorf("%d %s", refused.Status, refused.Body)
	}
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.click(`//td[contains(., "By hand")]`)
	p.see(".o-mail-Chatter", "Let By hand in?")
	p.see(".o_form_view .alert", "is waiting for an MCP administrator")
	p.shot("oauth-activate", 1400, 1000)
	p.click("button[name=action_activate]")
	p.see(".o_doorman_status", "Awaiting")
	if r := kit.Post(t, b.s.MCP, token, "tools/call", search); r.Status != http.StatusOK || strings.Contains(r.Body, `"isError":true`) {
		t.Errorf("%d %s", r.Status, r.Body)
	}
}

// askFirst has new connections wait for an administrator.
func (b *consents) askFirst(p *page) {
	p.Helper()
	p.open(settingsAction, ".o_form_view .nav-link[name=oauth]")
	p.click(".nav-link[name=oauth]")
	p.see(".o_form_view", "Allowed redirect hosts")
	p.click(".o_field_widget[name=oauth_needs_activation] input")
	p.shot("oauth-settings", 1400, 1080)
	p.click(".o_form_button_save")
	p.until(func() (string, bool) {
		out, err := b.o.Host.Psql(p.Context(), b.o.DB, "SELECT oauth_needs_activation FROM doorman_settings")
		return "the setting is " + out, err == nil && strings.TrimSpace(out) == "t"
	})
}

func (b *consents) openWizard(p *page, button string) {
	p.Helper()
	p.open(connectionAction, ".o_list_view .o_data_row")
	p.click(`//*[contains(@class, "o_control_panel")]//button[contains(., "Connect a New Tool")]`)
	p.see(".modal", "Which AI tool?")
	p.click(`//*[contains(@class, "modal")]//button[@name="` + button + `"]`)
}

func (b *consents) wizardURL(t *testing.T) {
	p := browser(t, b.o, "admin")
	b.openWizard(p, "action_choose_browser")
	p.see(".modal .o_field_widget[name=guide]", b.s.MCP)
	p.see(".modal", "Waiting for the first call.")
	p.shot("wizard-oauth", 1400, 900)
	p.click(".modal button[name=action_back]")
	p.see(".modal", "Which AI tool?")
	for tool, want := range map[string]string{
		"Claude": "Add custom connector", "ChatGPT": "developer mode", "Copilot Studio": "Dynamic discovery",
		"Cursor": "mcp.json", "VS Code": "MCP: Add Server",
	} {
		p.click(`//*[contains(@class, "o_doorman_tiles")]//button[normalize-space()="` + tool + `"]`)
		p.see(".modal .o_doorman_guide", want)
		p.see(".modal .o_doorman_guide", b.s.MCP)
		if tool == "Cursor" {
			p.see(".modal .o_doorman_install", "Add to Cursor")
			p.shot("wizard-cursor", 1400, 900)
			p.shot("wizard-cursor-phone", 390, 1100)
		}
		p.click(".modal button[name=action_back]")
		p.see(".modal", "Which AI tool?")
	}
}

// wizardClient makes a confidential client, and lets it dance.
func (b *consents) wizardClient(t *testing.T) {
	p := browser(t, b.o, "admin")
	b.openWizard(p, "action_choose_client")
	p.fill(".modal .o_field_widget[name=client_name] input", "Support bot")
	p.fill(".modal .o_field_widget[name=redirect_uris] textarea", "http://bot.example.com/callback")
	p.click(".modal button[name=action_make_client]")
	p.see("body", "line 1: 'http://bot.example.com/callback' is not allowed")
	p.shot("wizard-client-refused", 1400, 900)
	p.click(`//*[contains(@class, "o_error_dialog") or contains(@class, "modal")]//footer//button[contains(., "Close")]`)
	p.fill(".modal .o_field_widget[name=redirect_uris] textarea", b.back.url)
	p.shot("wizard-client", 1400, 900)
	p.click(".modal button[name=action_make_client]")
	p.see(".modal .o_field_widget[name=key]", "dms_")
	p.see(".modal .o_field_widget[name=url]", b.s.MCP)
	shown := func(field string) string {
		return strings.Fields(p.texts(".modal .o_field_widget[name=" + field + "]")[0])[0]
	}
	id, secret := shown("client_id"), shown("key")
	p.shot("client-secret", 1400, 900)
	p.done()
	session := b.dance(t, kit.MadeByHand(id, secret), func(address string) {
		p.visit(address)
		p.see("body", "Support bot")
		p.see("body", "An administrator of this Odoo set it up")
		p.click("#allow")
		p.see("body", "Back in the program")
	})
	if !kit.Answers(t, session) {
		t.Error("the client of the wizard cannot call a tool")
	}
	b.onceOnly(p, id, secret)
}

// onceOnly looks for the secret where it was shown: it is nowhere any more.
func (b *consents) onceOnly(p *page, id, secret string) {
	p.Helper()
	p.open("action-doorman.doorman_oauth_client_action", ".o_list_view .o_data_row")
	p.click(`//td[contains(., "Support bot")]`)
	p.see(".o_form_view .o_field_widget[name=client_id]", id)
	p.shot("oauth-client", 1400, 800)
	page, err := json.Marshal(p.texts("body"))
	if err != nil || strings.Contains(string(page), secret) || strings.Contains(b.s.Log(), secret) {
		p.Errorf("the secret is shown again, or in the log: %v", err)
	}
}
