package odoo_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"doorman/server/e2e/kit"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// peoplesKeys is for the set-up of a real Odoo: api_key(person) is a key of Odoo's own.
const peoplesKeys = `
from datetime import datetime, timedelta
def api_key(person):
    return env["res.users.apikeys"].with_user(person)._generate("rpc", "test", datetime.now() + timedelta(days=1))
out["admin_key"] = api_key(admin)
`

// guest is somebody's browser at Odoo's pages for invites.
type guest struct {
	odoo   string
	client *http.Client
}

// seenPage is what a guest sees.
type seenPage struct {
	status int
	text   string
	path   string
}

// key is the key that a page shows; "" = none.
func (p seenPage) key() string { return shownKey.FindString(p.text) }

// newGuest is somebody who has not logged in.
func newGuest(ctx context.Context, o *kit.Odoo) (*guest, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &guest{o.Server.URL(), &http.Client{Jar: jar}}
	_, err = v.do(ctx, "/web/login?db="+o.DB, nil) // the session remembers the database, as one with a name of its own would
	return v, err
}

// logIn is a guest with an account.
func logIn(ctx context.Context, o *kit.Odoo, login, password string) (*guest, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	v := &guest{o.Server.URL(), &http.Client{Jar: jar}}
	_, err = kit.InSession(ctx, v.client, v.odoo+"/web/session/authenticate", map[string]any{"db": o.DB, "login": login, "password": password})
	return v, err
}

// seated is a guest who has logged in before.
func seated(o *kit.Odoo, sid string) (*guest, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(o.Server.URL())
	if err != nil {
		return nil, err
	}
	jar.SetCookies(at, []*http.Cookie{{Name: "session_id", Value: sid}})
	return &guest{o.Server.URL(), &http.Client{Jar: jar}}, nil
}

// do sends what a form would; nil is a look at the page.
func (v *guest) do(ctx context.Context, path string, form url.Values) (p seenPage, err error) {
	method, body := http.MethodGet, ""
	if form != nil {
		method, body = http.MethodPost, form.Encode()
	}
	r, err := http.NewRequestWithContext(ctx, method, v.odoo+path, strings.NewReader(body))
	if err != nil {
		return p, err
	}
	if form != nil {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := v.client.Do(r)
	if err != nil {
		return p, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return seenPage{answer.StatusCode, string(text), answer.Request.URL.Path}, err
}

// open goes the way of a link: the page that it leads to, whose script posts the token.
func (v *guest) open(ctx context.Context, token string) (seenPage, error) {
	first, err := v.do(ctx, "/doorman/invite", nil)
	if err != nil {
		return first, err
	}
	csrf := kit.CSRFField.FindStringSubmatch(first.text)
	if csrf == nil {
		return first, fmt.Errorf("the page of the link has no form: %d %s", first.status, first.text)
	}
	return v.do(ctx, "/doorman/invite/open", url.Values{"csrf_token": {csrf[1]}, "token": {token}})
}

// press sends the form of a page that open or press returned.
func (v *guest) press(ctx context.Context, p seenPage, path string, fields url.Values) (seenPage, error) {
	csrf := kit.CSRFField.FindStringSubmatch(p.text)
	if csrf == nil {
		return p, errors.New("the page has no form: " + p.text)
	}
	form := url.Values{"csrf_token": {csrf[1]}}
	maps.Copy(form, fields)
	return v.do(ctx, "/doorman/invite/"+path, form)
}

// mustAccept opens a link and accepts it.
func (v *guest) mustAccept(t testing.TB, token string) (key string) {
	t.Helper()
	offer, err := v.open(t.Context(), token)
	if err != nil || offer.status != http.StatusOK {
		t.Fatalf("open: %d %v %s", offer.status, err, offer.text)
	}
	taken, err := v.press(t.Context(), offer, "accept", nil)
	if err != nil || taken.key() == "" {
		t.Fatalf("accept: %d %v %s", taken.status, err, taken.text)
	}
	return taken.key()
}

// organizer makes and ends invites by the API, with an administrator's own key.
type organizer struct {
	t   testing.TB
	url string
	key string
}

// call sends one request and returns status and answer.
func (a organizer) call(method, path, body string) (status int, answer map[string]any) {
	a.t.Helper()
	r, err := http.NewRequestWithContext(a.t.Context(), method, a.url+kit.InvitesPath+path, strings.NewReader(body))
	if err != nil {
		a.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/json")
	if a.key != "" {
		r.Header.Set("Authorization", "Bearer "+a.key)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		a.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		a.t.Fatal(err)
	}
	return response.StatusCode, answer
}

// make makes an invite and returns its id and token.
func (a organizer) make(body string) (id int64, token string) {
	a.t.Helper()
	status, made := a.call("POST", "", body)
	link, _ := made["invite_url"].(string)
	found := kit.InviteLink.FindStringSubmatch(link)
	if status != http.StatusCreated || found == nil {
		a.t.Fatalf("%d %v", status, made)
	}
	return int64(made["id"].(float64)), found[1]
}

func (a organizer) mustRevoke(id int64, query string) map[string]any {
	a.t.Helper()
	status, ended := a.call("DELETE", "/"+strconv.FormatInt(id, 10)+query, "")
	if status != http.StatusOK {
		a.t.Fatalf("%d %v", status, ended)
	}
	return ended
}

const invitePeople = peoplesKeys + `
uma, anna = user("uma", "base.group_user"), user("anna", "base.group_user")
out["user_key"] = api_key(uma)
north = env["res.company"].create({"name": "North"})
nora = user("nora", "base.group_user", "doorman.group_admin")
nora.write({"company_ids": [Command.set([north.id])], "company_id": north.id})
out["nora_key"], out["north"] = api_key(nora), north.id
connection("mcp_key", admin)
settings.public_url = False
`

// TestRealInvites: the API on a real Odoo, by the examples of the documentation; what comes of an invite works until it is
// revoked, and nobody gets more than they have.
func TestRealInvites(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, invitePeople)
	s := kit.Serve(t, o.Environ()...)
	kit.Await(t, "Odoo knows where the service is", readiness(t, s, http.StatusOK))
	create, revoke := kit.InviteExamples(t, s)
	as := func(key string) organizer { return organizer{t, s.URL, key} }
	admin := as(o.Text("admin_key"))
	id, link := kit.CreateByExample(t, create, admin.key)
	if !strings.HasPrefix(link, s.URL+"/oauth/invite/") {
		t.Fatalf("the link leads to %s", link)
	}
	path := "/" + strconv.FormatInt(id, 10)

	t.Run("deny", func(t *testing.T) {
		for _, row := range []struct {
			name               string
			who                organizer
			method, path, body string
			status             int
			code               string
		}{
			{"no key", as(""), "POST", "", `{"scopes":["mcp:search"]}`, 401, "unauthenticated"},
			{"a wrong key", as(strings.Repeat("0", 40)), "POST", "", `{"scopes":["mcp:search"]}`, 401, "unauthenticated"},
			{"the key of an MCP connection", as(o.Text("mcp_key")), "POST", "", `{"scopes":["mcp:search"]}`, 401, "unauthenticated"},
			{"the same without its prefix", as(strings.TrimPrefix(o.Text("mcp_key"), "dmk_")), "GET", "", "", 401, "unauthenticated"},
			{"an ordinary user's key", as(o.Text("user_key")), "POST", "", `{"scopes":["mcp:search"]}`, 403, "forbidden"},
			{"an ordinary user looks", as(o.Text("user_key")), "GET", path, "", 403, "forbidden"},
			{"an ordinary user lists", as(o.Text("user_key")), "GET", "", "", 403, "forbidden"},
			{"an ordinary user revokes", as(o.Text("user_key")), "DELETE", path, "", 403, "forbidden"},
			{"the service's own key", as(o.ServiceKey), "POST", "", `{"scopes":["mcp:search"]}`, 403, "forbidden"},
			{"the service's own key lists", as(o.ServiceKey), "GET", "", "", 403, "forbidden"},
			{"a scope beyond one's own", admin, "POST", "", `{"scopes":["mcp:search","mcp:shell"]}`, 403, "scopes_exceeded"},
			{"a group beyond one's own", as(o.Text("nora_key")), "POST", "", `{"scopes":["mcp:search"],"new_accounts":true,"account_groups":["base.group_system"]}`, 403, "groups_exceeded"},
			{"an administrator's group", admin, "POST", "", `{"scopes":["mcp:search"],"new_accounts":true,"account_groups":["base.group_system"]}`, 403, "groups_exceeded"},
			{"another company", admin, "POST", "", fmt.Sprintf(`{"scopes":["mcp:search"],"companies":[%d]}`, o.ID("north")), 403, "companies_exceeded"},
			{"another company's invite", as(o.Text("nora_key")), "GET", path, "", 404, "not_found"},
			{"another company revokes it", as(o.Text("nora_key")), "DELETE", path + "?connections=revoke", "", 404, "not_found"},
			{"an invite that is not there", admin, "GET", "/2147483647", "", 404, "not_found"},
			{"a scope that is not there", admin, "POST", "", `{"scopes":["mcp:nothing"]}`, 400, "invalid_input"},
			{"a tool that is not there", admin, "POST", "", `{"scopes":["mcp:search"],"allowed_tools":["nothing"]}`, 400, "invalid_input"},
			{"a model that is not there", admin, "POST", "", `{"scopes":["mcp:search"],"allowed_models":["no.model"]}`, 400, "invalid_input"},
			{"an address that is none", admin, "POST", "", `{"scopes":["mcp:search"],"allowed_ips":["everywhere"]}`, 400, "invalid_input"},
		} {
			status, answer := row.who.call(row.method, row.path, row.body)
			told, _ := answer["error"].(map[string]any)
			if status != row.status || told["code"] != row.code || told["message"] == "" {
				t.Errorf("%s: %d %v", row.name, status, answer)
			}
			if row.code == "scopes_exceeded" && told["message"] != "requested scopes exceed admin's own permissions" {
				t.Errorf("%s: %v", row.name, answer)
			}
		}
		if _, answer := as(o.Text("nora_key")).call("GET", "", ""); answer["total"] != 0.0 {
			t.Errorf("another company sees %v", answer)
		}
	})
	t.Run("as documented", func(t *testing.T) {
		d := kit.FetchOpenAPI(t, s)
		operations := d.Operations(t)
		made, _ := admin.make(`{"scopes":["mcp:search"]}`)
		for _, row := range []struct{ name, path, body, key string }{
			{"POST " + kit.InvitesPath, "", kit.WholeInvite, admin.key},
			{"POST " + kit.InvitesPath, "", `{"scopes":["mcp:shell"]}`, admin.key},
			{"POST " + kit.InvitesPath, "", `{"scopes":["mcp:search"],"allowed_tools":["nothing"]}`, admin.key},
			{"GET " + kit.InvitesPath, "?limit=2", "", admin.key},
			{"GET " + kit.InvitesPath, "", "", o.ServiceKey},
			{"GET " + kit.InvitesPath + "/{id}", path, "", admin.key},
			{"GET " + kit.InvitesPath + "/{id}", path, "", "wrong"},
			{"DELETE " + kit.InvitesPath + "/{id}", "/2147483647", "", admin.key},
			{"DELETE " + kit.InvitesPath + "/{id}", "/{made}?connections=revoke", "", admin.key},
		} {
			row.path = strings.Replace(row.path, "{made}", strconv.FormatInt(made, 10), 1)
			method, _, _ := strings.Cut(row.name, " ")
			status, header, answer := kit.NoFollow(t, method, s.URL+kit.InvitesPath+row.path, row.body, "Authorization", "Bearer "+row.key)
			d.Check(t, operations[row.name], status, header, answer)
			if row.body == kit.WholeInvite && status != http.StatusCreated {
				t.Errorf("%d %s", status, answer)
			}
		}
	})
	status, shown := admin.call("GET", path, "")
	if status != 200 || shown["state"] != "active" || shown["current_uses"] != 0.0 || shown["created_by"] != "admin" || len(shown["acceptances"].([]any)) != 0 {
		t.Fatalf("after all that: %d %v", status, shown)
	}

	anna, err := logIn(t.Context(), o, "anna", "anna")
	if err != nil {
		t.Fatal(err)
	}
	session := kit.Connect(t, s.MCP, anna.mustAccept(t, kit.InviteLink.FindStringSubmatch(link)[1]))
	kit.Must(t, session, "search_records", kit.Args{"model": "res.partner", "limit": 1})
	_, shown = admin.call("GET", path, "")
	d := kit.FetchOpenAPI(t, s)
	_, header, answer := kit.NoFollow(t, "GET", s.URL+kit.InvitesPath+path, "", "Authorization", "Bearer "+admin.key)
	d.Check(t, d.Operations(t)["GET "+kit.InvitesPath+"/{id}"], http.StatusOK, header, answer)
	if taken := onlyItem(t, shown["acceptances"]); taken["login"] != "anna" || taken["ip"] != "127.0.0.1" || taken["new_account"] != false || shown["current_uses"] != 1.0 {
		t.Errorf("accepted: %v", shown)
	}
	status, listed := admin.call("GET", "?limit=500&state=active", "")
	isOurs := func(i any) bool { return i.(map[string]any)["id"] == float64(id) }
	if all, _ := listed["invites"].([]any); status != 200 || !slices.ContainsFunc(all, isOurs) || listed["total"] != float64(len(all)) {
		t.Errorf("listed: %d %v", status, listed)
	}

	ended := kit.RunExample(t, strings.ReplaceAll(revoke, "{inviteId}", strconv.FormatInt(id, 10)), admin.key)
	if ended["state"] != "revoked" || ended["revoked_connections"] != 0.0 {
		t.Errorf("revoked: %v", ended)
	}
	kit.Must(t, session, "search_records", kit.Args{"model": "res.partner", "limit": 1}) // existing keys are not revoked
	uma, err := logIn(t.Context(), o, "uma", "uma")
	if err != nil {
		t.Fatal(err)
	}
	if gone, err := uma.open(t.Context(), kit.InviteLink.FindStringSubmatch(link)[1]); err != nil || gone.status != 404 || !strings.Contains(gone.text, "This link does not work") {
		t.Errorf("a revoked link: %d %v", gone.status, err)
	}
	if ended := admin.mustRevoke(id, "?connections=revoke"); ended["revoked_connections"] != 1.0 {
		t.Errorf("revoked with connections: %v", ended)
	}
	if ended := admin.mustRevoke(id, "?connections=revoke"); ended["revoked_connections"] != 0.0 {
		t.Errorf("revoked again: %v", ended)
	}
	params := &sdk.CallToolParams{Name: "search_records", Arguments: kit.Args{"model": "res.partner", "limit": 1}}
	if _, err := session.CallTool(t.Context(), params); err == nil || !strings.Contains(err.Error(), "Unauthorized") {
		t.Errorf("the key of a revoked connection still opens: %v", err)
	}
	kit.NoErrors(t, o)
}

// onlyItem is the one object of a list.
func onlyItem(t testing.TB, list any) map[string]any {
	t.Helper()
	items, _ := list.([]any)
	if len(items) != 1 {
		t.Fatalf("not one: %v", list)
	}
	return items[0].(map[string]any)
}

// TestRealInviteSignUp: who has no account makes one with the link, and it holds what the invite grants and no more.
func TestRealInviteSignUp(t *testing.T) {
	t.Parallel()
	o := kit.RealOdoo(t, 0, invitePeople)
	s := kit.Serve(t, o.Environ()...)
	kit.KnowsItself(t, o, s)
	admin := organizer{t, s.URL, o.Text("admin_key")}
	_, token := admin.make(`{"scopes":["mcp:search","mcp:metadata"],"read_only":true,"new_accounts":true,"expires_in":"1d","key_expires_in":"12h"}`)
	v, err := newGuest(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	offer, err := v.open(t.Context(), token)
	if err != nil || offer.status != 200 {
		t.Fatalf("%d %v", offer.status, err)
	}
	taken, err := v.press(t.Context(), offer, "signup", url.Values{"name": {"Dev"}, "email": {"dev@partner.example"}, "password": {"correct-horse-1"}})
	if err != nil || taken.key() == "" {
		t.Fatalf("%d %v %s", taken.status, err, taken.text)
	}
	session := kit.Connect(t, s.MCP, taken.key())
	who := kit.Must(t, session, "get_context", nil)
	if text, _ := json.Marshal(who); !strings.Contains(string(text), "dev@partner.example") {
		t.Errorf("it acts as %s", text)
	}
	if _, failed := kit.Call(t, session, "create_records", kit.Args{"model": "res.partner", "records": `[{"name":"x"}]`}); failed == "" {
		t.Error("a key that may only read made a contact")
	}
	if status, _ := (organizer{t, s.URL, taken.key()}).call("GET", "", ""); status != 401 {
		t.Errorf("the key opens the API: %d", status)
	}
	kit.NoErrors(t, o)
}
