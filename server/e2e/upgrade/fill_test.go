package upgrade_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/e2e/kit"
)

const redirect = "http://127.0.0.1:4711/callback"

// life is what AI tools and people have done with the service of then, as far as somebody goes on with it.
type life struct {
	o *kit.Odoo

	created  map[string]any           // the answer to onceArgs
	requests map[string]int64         // requests for approval, by what became of them
	stood    map[int64]map[string]any // how each stood, as approval_status said
	bot      *kit.Party               // a program that registered itself
	own      *kit.Party               // the one made by hand, with a secret
	tokens   map[string]any           // of bot: access_token, refresh_token
	spent    string                   // a refresh token of bot that was exchanged
	ownToken map[string]any           // of own
	download string                   // the path of a link to a file
}

// onceArgs is a change that its client sends twice.
var onceArgs = kit.Args{"model": "res.partner", "records": `[{"name":"Once Ltd","ref":"ONCE"}]`, "idempotency_key": "upgrade-once"}

// decided are what becomes of requests for approval. Those that wait are decided on after the update.
var decided = []string{"waits", "waits_too", "executed", "rejected", "cancelled", "expired", "failed"}

// live does what people and AI tools do, with the service of then.
func live(t *testing.T, o *kit.Odoo, s *then) *life {
	t.Helper()
	l := &life{o: o, requests: map[string]int64{}, stood: map[int64]map[string]any{}}
	l.work(t, s)
	l.ask(t, s)
	l.logIn(t, s)
	for _, job := range []string{"fold_use", "expire_connections"} {
		if err := kit.GatewayCall(t.Context(), o, job); err != nil {
			t.Fatal(err)
		}
	}
	return l
}

// work makes calls of every outcome, for the audit and for what is kept of some.
func (l *life) work(t *testing.T, s *then) {
	t.Helper()
	key := kit.Connect(t, s.MCP, l.o.Text("key"))
	partner := l.o.ID("partner")
	kit.Must(t, key, "search_records", kit.Args{"model": "res.partner", "limit": 2})
	kit.Must(t, key, "update_records", kit.Args{"model": "res.partner", "ids": []int64{partner}, "values": `{"phone":"1"}`})
	l.created = kit.Must(t, key, "create_records", onceArgs)
	kit.Must(t, key, "set_reference", kit.Args{"ids": []int64{partner}, "reference": "before"})
	file := kit.Must(t, key, "get_attachment", kit.Args{"model": "res.partner", "id": partner, "attachment_id": l.attachment(t, key)})
	link, err := url.Parse(fmt.Sprint(file["link"]))
	if err != nil || link.Path == "" {
		t.Fatalf("no link to the file: %v", file)
	}
	l.download = link.Path
	kit.Must(t, key, "request_upload", kit.Args{"model": "res.partner", "id": partner, "name": "new.txt"})
	for name, row := range map[string]kit.Args{
		"whole":  {"model": "res.users"},
		"reader": {"model": "res.partner", "fields": []string{"nmae"}},
	} {
		if content, failed := kit.Call(t, kit.Connect(t, s.MCP, l.o.Text(name)), "search_records", row); failed == "" {
			t.Fatalf("%s: %v was not refused: %v", name, row, content)
		}
	}
	for _, name := range []string{"rotated", "rotated_old", "admin"} {
		kit.Must(t, kit.Connect(t, s.MCP, l.o.Text(name)), "search_records", kit.Args{"model": "res.partner", "limit": 1})
	}
}

// attachment is the id of the file of a partner.
func (l *life) attachment(t *testing.T, session *sdk.ClientSession) any {
	t.Helper()
	list, _ := kit.Must(t, session, "get_attachment", kit.Args{"model": "res.partner", "id": l.o.ID("partner")})["files"].([]any)
	if len(list) != 1 {
		t.Fatalf("files: %v", list)
	}
	return list[0].(map[string]any)["id"]
}

// ask puts calls before a person, and has all but two decided on.
func (l *life) ask(t *testing.T, s *then) {
	t.Helper()
	gated := kit.Connect(t, s.MCP, l.o.Text("gated"))
	for _, name := range decided {
		content := kit.Must(t, gated, "create_records", kit.Args{"model": "res.partner", "records": fmt.Sprintf(`[{"name":%q}]`, "Asked "+name)})
		id, _ := content["request_id"].(float64)
		if content["status"] != "pending_approval" || id == 0 {
			t.Fatalf("not pending: %v", content)
		}
		l.requests[name] = int64(id)
	}
	l.decide(t, "boss", "action_approve", "executed")
	l.decide(t, "boss", "action_reject", "rejected", "Not before the inventory.")
	l.decide(t, "mia", "action_cancel", "cancelled")
	if _, err := l.o.Host.Psql(t.Context(), l.o.DB, fmt.Sprintf(
		"UPDATE doorman_approval SET expires_at = now() at time zone 'utc' WHERE id = %d", l.requests["expired"])); err != nil {
		t.Fatal(err)
	}
	if err := kit.GatewayCall(t.Context(), l.o, "expire_approvals"); err != nil {
		t.Fatal(err)
	}
	// It fails for lack of rights, which whoever asked gets back.
	manager := func(may int) {
		out := l.o.Python(t, fmt.Sprintf(`
mia = env["res.users"].search([("login", "=", "mia")])
mia.group_ids = [(%d, env.ref("base.group_partner_manager").id)]
env.cr.commit()
out["ok"] = True`, may))
		if out["ok"] != true {
			t.Fatal(out)
		}
	}
	manager(3)
	l.decide(t, "boss", "action_approve", "failed")
	manager(4)
	for name, id := range l.requests {
		told := kit.Must(t, gated, "approval_status", kit.Args{"request_id": id})
		l.stood[id] = told
		want := map[string]string{"waits": "pending_approval", "waits_too": "pending_approval"}[name]
		if want == "" {
			want = name
		}
		if told["status"] != want {
			t.Fatalf("the request that is to be %s: %v", name, told)
		}
	}
}

// decide presses a button of a request.
func (l *life) decide(t *testing.T, login, button, name string, more ...any) {
	t.Helper()
	if _, err := kit.As(t.Context(), l.o, login, "doorman.approval", button, append([]any{[]int64{l.requests[name]}}, more...)...); err != nil {
		t.Fatalf("%s of %s by %s: %v", button, name, login, err)
	}
}

// logIn lets two programs in by OAuth, and begins with a third one.
func (l *life) logIn(t *testing.T, s *then) {
	t.Helper()
	mia := kit.LogIn(t, l.o, "mia")
	allow := kit.AtConsent(t, l.o, mia, "allow")
	login := func(p *kit.Party, secret string) map[string]any {
		t.Helper()
		answer, err := allow(t.Context(), p.AuthorizeURL())
		if err != nil {
			t.Fatal(err)
		}
		form := url.Values{"grant_type": {"authorization_code"}, "code": {answer.Get("code")}, "redirect_uri": {redirect}, "code_verifier": {kit.Verifier}}
		if secret != "" {
			form.Set("client_secret", secret)
		}
		status, tokens := p.Token(form)
		if status != http.StatusOK {
			t.Fatalf("tokens: %d %v", status, tokens)
		}
		return tokens
	}
	l.bot = &kit.Party{T: t, Service: s.Service, Redirect: redirect}
	l.bot.Client = l.bot.Register()
	first := login(l.bot, "")
	l.spent = fmt.Sprint(first["refresh_token"])
	status, second := l.bot.Refresh(first["refresh_token"])
	if status != http.StatusOK {
		t.Fatalf("refresh: %d %v", status, second)
	}
	l.tokens = second
	l.own = &kit.Party{T: t, Service: s.Service, Redirect: redirect, Client: l.o.Text("client_id")}
	l.ownToken = login(l.own, l.o.Text("client_secret"))
	// A person who has not decided yet.
	if status, _, _ := kit.NoFollow(t, http.MethodGet, l.bot.AuthorizeURL(), ""); status != http.StatusFound && status != http.StatusSeeOther {
		t.Fatalf("the way to the consent page: %d", status)
	}
	if err := kit.Search(t.Context(), s.MCP, fmt.Sprint(l.tokens["access_token"])); err != nil {
		t.Fatalf("the access token does not work: %v", err)
	}
}

// same compares two answers of a tool, less what is said of this call alone.
func same(a, b map[string]any, less ...string) bool {
	strip := func(m map[string]any) (out map[string]any) {
		body, _ := json.Marshal(m)
		_ = json.Unmarshal(body, &out)
		for _, key := range less {
			delete(out, key)
		}
		return out
	}
	return reflect.DeepEqual(strip(a), strip(b))
}
