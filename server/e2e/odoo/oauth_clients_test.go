package odoo_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

// TestRealOauthClients: each way in which a client may be known, and what ends it, on the real addon.
func TestRealOauthClients(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 2, `
for login in ("mia", "ida", "ben", "ola", "kim"):
    user(login, "base.group_user", "doorman.group_user")
env["res.users"].browse(out["mia_uid"]).group_ids = [Command.link(env.ref("base.group_partner_manager").id)]
settings.rate_limit_minute = 1_000_000
settings.scope_ids = env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))])
def custom(name, login, kind):
    wizard = env["doorman.connect.wizard"].with_user(admin).create({
        "step": "client", "client_name": name, "user_id": out[login + "_uid"], "client_type": kind, "access": "full",
        "redirect_uris": "https://bot.example.com/callback"})
    dialog = wizard.action_make_client()["context"]
    out[name], out[name + "_secret"] = dialog["default_client_id"], dialog["default_key"]
custom("bot", "mia", "confidential")
out["settings"] = settings.id`)
	c := &known{o: o, s: kit.Serve(t, o.Environ()...)}
	t.Run("a step up", c.stepUp)
	t.Run("made by hand, with a secret", c.byHand)
	t.Run("a new secret", c.newSecret)
	t.Run("a document that is pinned", c.document)
	t.Run("what ends it", c.ends)
	t.Run("the master switch", c.masterSwitch)
}

type known struct {
	o *kit.Odoo
	s *kit.Service
}

const loopback = "http://127.0.0.1:4711/callback"

// asked is a person who allows, and keeps the scopes that were asked for.
func (c *known) asked(t *testing.T, name string, scopes *[]string) func(context.Context, string) (url.Values, error) {
	t.Helper()
	allow := kit.AtConsent(t, c.o, kit.LogIn(t, c.o, name), "allow")
	return func(ctx context.Context, address string) (url.Values, error) {
		if u, err := url.Parse(address); err == nil {
			*scopes = append(*scopes, u.Query().Get("scope"))
		}
		return allow(ctx, address)
	}
}

// session is one of a client that registered itself, for its own user.
func (c *known) session(t *testing.T, name string) *sdk.ClientSession {
	t.Helper()
	session, err := kit.SignIn(t.Context(), c.s, loopback, kit.Registers("Of "+name), kit.ThenGone(kit.AtConsent(t, c.o, kit.LogIn(t, c.o, name), "allow")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	if !kit.Answers(t, session) {
		t.Fatal("it does not work before it ends")
	}
	return session
}

// stepUp: the first login asks for what reads, a call that writes sends the person back for more. With a client id of its
// own: the SDK lets one that registers itself do so anew each time, and that is another program.
func (c *known) stepUp(t *testing.T) {
	var scopes []string
	session, err := kit.SignIn(t.Context(), c.s, loopback, kit.Documented(kit.PinnedDocument), c.asked(t, "mia", &scopes))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	if !kit.Answers(t, session) || len(scopes) != 1 || strings.Contains(scopes[0], "mcp:orm") {
		t.Fatalf("asked for %q", scopes)
	}
	content, failed := kit.Call(t, session, "create_records", map[string]any{"model": "res.partner", "records": `[{"name":"Step"}]`, "dry_run": true})
	if failed != "" {
		t.Fatal(failed, content)
	}
	if len(scopes) != 2 || !strings.Contains(scopes[1], "mcp:orm") || !strings.Contains(scopes[1], "mcp:search") {
		t.Errorf("asked for %q", scopes)
	}
	out := c.o.Python(t, `out["n"] = env["doorman.connection"].search_count([("client_id", "=", "`+kit.PinnedDocument+`"), ("user_id.login", "=", "mia")])`)
	if n, _ := out["n"].(float64); n != 1 {
		t.Errorf("%v connections of one client and user", out["n"])
	}
}

func (c *known) byHand(t *testing.T) {
	const redirect = "https://bot.example.com/callback"
	id, secret := c.o.Text("bot"), c.o.Text("bot_secret")
	session, err := kit.SignIn(t.Context(), c.s, redirect, kit.MadeByHand(id, secret), kit.AtConsent(t, c.o, kit.LogIn(t, c.o, "mia"), "allow"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	if !kit.Answers(t, session) {
		t.Error("it calls no tool")
	}
	if _, err := kit.SignIn(t.Context(), c.s, redirect, kit.MadeByHand(id, secret+"x"), kit.AtConsent(t, c.o, kit.LogIn(t, c.o, "mia"), "allow")); err == nil {
		t.Error("a wrong secret got tokens")
	}
	// It is mia's: another user's Allow is not a button on their page, and the answer that they send all the same grants nothing.
	if q, err := kit.AtConsent(t, c.o, kit.LogIn(t, c.o, "ida"), "allow")(t.Context(), (&kit.Party{T: t, Service: c.s, Client: id, Redirect: redirect}).AuthorizeURL()); err == nil && q.Has("code") {
		t.Errorf("another user was let in: %v", q)
	}
}

// newSecret: the old one ends at once, by both ways in which a secret is sent.
func (c *known) newSecret(t *testing.T) {
	const redirect = "https://bot.example.com/callback"
	id := c.o.Text("bot")
	out := c.o.Python(t, `
client = env["doorman.oauth.client"].search([("client_id", "=", "`+id+`")])
out["secret"] = client.with_user(env.ref("base.user_admin")).action_rotate_secret()["context"]["default_key"]
env.cr.commit()`)
	allow := kit.AtConsent(t, c.o, kit.LogIn(t, c.o, "mia"), "allow")
	p := &kit.Party{T: t, Service: c.s, Client: id, Redirect: redirect}
	for _, row := range []struct {
		name, secret string
		want         int
	}{{"the old one", c.o.Text("bot_secret"), http.StatusUnauthorized}, {"the new one", kit.Sprint(out["secret"]), http.StatusOK}, {"none", "", http.StatusUnauthorized}} {
		t.Run(row.name, func(t *testing.T) {
			p.T = t
			q, err := allow(t.Context(), p.AuthorizeURL())
			if err != nil {
				t.Fatal(err)
			}
			form := url.Values{"grant_type": {"authorization_code"}, "code": {q.Get("code")}, "redirect_uri": {redirect}, "code_verifier": {kit.Verifier}}
			if row.secret != "" {
				form.Set("client_secret", row.secret)
			}
			if status, answer := p.Token(form); status != row.want {
				t.Errorf("%d %v", status, answer["error"])
			}
		})
	}
}

// document: the host is proven, nothing is fetched, and any loopback port will do.
func (c *known) document(t *testing.T) {
	for _, redirect := range []string{"http://localhost:51234/callback", "http://127.0.0.1:40001/callback"} {
		session, err := kit.SignIn(t.Context(), c.s, redirect, kit.Documented(kit.PinnedDocument), kit.AtConsent(t, c.o, kit.LogIn(t, c.o, "ida"), "allow"))
		if err != nil {
			t.Fatalf("%s: %v", redirect, err)
		}
		if !kit.Answers(t, session) {
			t.Errorf("%s: it calls no tool", redirect)
		}
		_ = session.Close()
	}
	out := c.o.Python(t, `
found = env["doorman.connection"].search([("client_id", "=", "`+kit.PinnedDocument+`"), ("user_id.login", "=", "ida")])
out["seen"] = [[c.user_id.login, c.dynamic_registration, c.client_type] for c in found]`)
	if kit.Sprint(out["seen"]) != "[[ida false public]]" {
		t.Errorf("connections: %v", out["seen"])
	}
}

// ends: each of these is refused at the very next call, through connections that were open all the time.
func (c *known) ends(t *testing.T) {
	for _, row := range []struct{ name, user, do string }{
		{"its user revokes it", "ida", `env["doorman.connection"].search([("name", "=", "Of ida")]).with_user(who).action_revoke()`},
		{"its user is deactivated", "ben", `who.active = False`},
		{"MCP User is taken away", "ola", `who.group_ids = [(3, env.ref("doorman.group_user").id)]`},
		{"the client is removed", "kim", `env["doorman.oauth.client"].search([("name", "=", "Of kim")]).with_user(env.ref("base.user_admin")).action_end()`},
	} {
		t.Run(row.name, func(t *testing.T) {
			session := c.session(t, row.user)
			c.o.Python(t, "\nwho = env['res.users'].search([('login', '=', '"+row.user+"')])\n"+row.do+"\nenv.cr.commit()")
			if kit.Answers(t, session) {
				t.Error("a call went through")
			}
		})
	}
}

// masterSwitch ends all for as long as it is off: OAuth's own, and that of everything.
func (c *known) masterSwitch(t *testing.T) {
	settings := []int64{c.o.ID("settings")}
	for _, name := range []string{"enabled", "oauth_enabled"} {
		t.Run(name, func(t *testing.T) {
			change := func(on bool) {
				if name == "oauth_enabled" {
					kit.AsAdmin(t, c.o, "doorman.settings", "write", settings, map[string]any{name: on})
					return
				}
				kit.AsAdmin(t, c.o, "doorman.settings", map[bool]string{true: "action_enable", false: "action_disable"}[on], settings)
			}
			session := c.session(t, "mia")
			change(false)
			if kit.Answers(t, session) {
				t.Error("a call went through")
			}
			change(true)
			// The client has nobody left to ask: what lets it in is the token that it had.
			kit.Within(t, 15*time.Second, "it works again", func() error { return kit.Unless(kit.Answers(t, session), "no answer") })
		})
	}
}
