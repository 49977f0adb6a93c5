package odoo_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/e2e/kit"
)

// TestRealOauthSecrets follows every secret of a login, and the link to a file, through their lives (used, used wrongly,
// used twice) and then looks for them wherever something could have been left: in the service's log at its most talkative,
// its metrics, Odoo's log, the whole database (audit, chatter and mails are in it), the sessions and files, and in the text
// of every refusal.
func TestRealOauthSecrets(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 2, `
mia = user("mia", "base.group_user", "doorman.group_user")
settings.log_payloads = True
wizard = env["doorman.connect.wizard"].with_user(admin).create({
    "step": "client", "client_name": "Canary", "user_id": out["mia_uid"], "client_type": "confidential", "access": "full",
    "redirect_uris": "https://bot.example.com/callback"})
dialog = wizard.action_make_client()["context"]
out["client"], out["client_secret"] = dialog["default_client_id"], dialog["default_key"]
from odoo.tools import config
out["data_dir"] = config["data_dir"]
note = env["ir.attachment"].create({"name": "canary.txt", "raw": b"in a file", "res_model": "res.partner", "res_id": mia.partner_id.id})
out["partner"], out["note"] = mia.partner_id.id, note.id`)
	s := kit.Serve(t, append(o.Environ(), "DOORMAN_LOG_LEVEL=trace")...)
	p := &kit.Party{T: t, Service: s, Client: o.Text("client"), Redirect: "https://bot.example.com/callback"}
	secret := o.Text("client_secret")
	var refusals strings.Builder // whatever a refused request was answered, headers too
	refused := func(status int, header http.Header, said string) {
		if status < http.StatusMultipleChoices {
			t.Errorf("not refused: %d %s", status, said)
		}
		_, _ = fmt.Fprintln(&refusals, status, header, said)
	}
	q, err := kit.AtConsent(t, o, kit.LogIn(t, o, "mia"), "allow")(t.Context(), p.AuthorizeURL())
	if err != nil {
		t.Fatal(err)
	}
	code := q.Get("code")
	trade := func(form url.Values, basic string) (int, map[string]any) {
		t.Helper()
		status, header, said := kit.Send(t, http.MethodPost, s.URL+"/oauth/token", form.Encode(), "Content-Type", "application/x-www-form-urlencoded",
			"Authorization", "Basic "+basicOf(p.Client, basic))
		var answer map[string]any
		if err := json.Unmarshal([]byte(said), &answer); err != nil {
			t.Fatal(err)
		}
		if status != http.StatusOK {
			refused(status, header, said)
		}
		return status, answer
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.Redirect}, "code_verifier": {kit.Verifier}}
	const wrong = "dms_canary-wrong-secret-5b1f"
	if status, answer := trade(form, wrong); status != http.StatusUnauthorized {
		t.Fatalf("a wrong secret: %d %v", status, answer)
	}
	status, first := trade(form, secret)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, first)
	}
	status, second := trade(url.Values{"grant_type": {"refresh_token"}, "refresh_token": {kit.Sprint(first["refresh_token"])}}, secret)
	if status != http.StatusOK {
		t.Fatalf("%d %v", status, second)
	}

	token := kit.Sprint(second["access_token"])
	session := kit.Connect(t, s.MCP, token)
	file := kit.Must(t, session, "get_attachment", kit.Args{"model": "res.partner", "id": o.ID("partner"), "attachment_id": o.ID("note")})
	link := kit.Sprint(file["link"])
	if status, _, body := fetch(t, http.MethodGet, link, nil); status != http.StatusOK || string(body) != "in a file" {
		t.Fatalf("%d %s", status, body)
	}
	again, header, gone := fetch(t, http.MethodGet, link, nil)
	refused(again, header, string(gone))
	unused := kit.Sprint(kit.Must(t, session, "get_attachment", kit.Args{"model": "res.partner", "id": o.ID("partner"), "attachment_id": o.ID("note")})["link"])

	// In places where they do not belong.
	for _, misplaced := range []string{code, token, kit.Sprint(second["refresh_token"])} {
		for _, path := range []string{"/mcp?access_token=", "/oauth/authorize?code=", "/files/", "/oauth/invite/", "/api/org/mcp/invites/"} {
			refused(kit.NoFollow(t, http.MethodGet, s.URL+path+misplaced, ""))
		}
		refused(kit.Get(t, http.MethodPost, s.MCP, "Authorization", "Bearer "+misplaced+"x"))
	}
	// Twice: the login is over, and the audit and the chatter tell of it.
	if status, _ := trade(form, secret); status != http.StatusBadRequest {
		t.Errorf("a code twice: %d", status)
	}
	if kit.Search(t.Context(), s.MCP, token) == nil {
		t.Error("a token of a login that is over called a tool")
	}

	secrets := map[string]string{
		"code": code, "verifier": kit.Verifier, "client's secret": o.Text("client_secret"), "wrong secret": wrong,
		"first access token": kit.Sprint(first["access_token"]), "first refresh token": kit.Sprint(first["refresh_token"]),
		"access token": token, "refresh token": kit.Sprint(second["refresh_token"]),
		"link": link[strings.LastIndex(link, "/")+1:], "link that nobody followed": unused[strings.LastIndex(unused, "/")+1:],
		"basic credentials": basicOf(p.Client, secret),
		"service's key":     o.Text("service_key"),
	}
	for name, secret := range secrets {
		if len(secret) < 12 {
			t.Fatalf("the %s is %q: looking for it means nothing", name, secret)
		}
	}
	for _, name := range []string{"code", "access token", "refresh token", "link"} {
		secrets["proof of the "+name] = access.ProofOf(secrets[name]).Hex()
	}
	_, _, metrics := kit.Get(t, http.MethodGet, s.URL+"/metrics")
	log, err := os.ReadFile(o.Server.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	dump, err := o.Host.Dump(t.Context(), o.DB)
	if err != nil {
		t.Fatal(err)
	}
	places := map[string][]byte{
		"the service's log": []byte(s.Log()), "the metrics": []byte(metrics), "Odoo's log": log, "the database": []byte(dump),
		"the sessions and files": files(t, o.Text("data_dir")), "what refusals say": []byte(refusals.String()),
	}
	// What must be found, so that looking means something.
	for place, sign := range map[string]string{
		"the service's log": "/files/[withheld]", "the metrics": "oauth_redeem", "Odoo's log": "/doorman/consent",
		"the database": "oauth/reuse", "what refusals say": "invalid_grant", "the sessions and files": "in a file",
	} {
		if !bytes.Contains(places[place], []byte(sign)) {
			t.Errorf("%s does not hold %s: it was not looked at", place, sign)
		}
	}
	for name, secret := range secrets {
		for place, text := range places {
			if bytes.Contains(text, []byte(secret)) {
				t.Errorf("the %s is in %s", name, place)
			}
		}
	}
	kit.NoErrors(t, o)
}

// basicOf is RFC 6749 section 2.3.1: both parts are form-encoded first.
func basicOf(id, secret string) string {
	return base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id) + ":" + url.QueryEscape(secret)))
}
