package odoo_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

const adminPeople = invitePeople + `
eve = user("eve", "base.group_user")
out["employee_key"] = api_key(eve)
uma.group_ids = [Command.link(env.ref("doorman.group_user").id)]
out["other_scope_key"] = env["res.users.apikeys"].with_user(admin)._generate("doorman", "x", datetime.now() + timedelta(days=1))
out["revoked_key"] = api_key(admin)
env["res.users.apikeys"].sudo().search([("user_id", "=", admin.id)], order="id desc", limit=1).unlink()
connection("umas", uma)
nils = user("nils", "base.group_user")
nils.write({"company_ids": [Command.set([north.id])], "company_id": north.id})
connection("theirs", nils)
`

// adminAPI is somebody who calls the REST API; every answer is held against its document.
type adminAPI struct {
	t   *testing.T
	s   *kit.Service
	d   *kit.OpenAPI
	ops map[string]kit.APIOperation
	key string
}

// ask sends a request; what is a number in the path is {id} in the document.
func (a adminAPI) ask(method, path, body string) (status int, answer map[string]any) {
	a.t.Helper()
	var headers []string
	if a.key != "" {
		headers = []string{"Authorization", "Bearer " + a.key}
	}
	status, header, text := kit.NoFollow(a.t, method, a.s.URL+path, body, headers...)
	plain, _, _ := strings.Cut(path, "?")
	parts := strings.Split(plain, "/")
	for i, part := range parts {
		if _, err := strconv.Atoi(part); err == nil {
			parts[i] = "{id}"
		}
	}
	a.d.Check(a.t, a.ops[method+" "+strings.Join(parts, "/")], status, header, text)
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		a.t.Fatal(err)
	}
	return status, answer
}

func (a adminAPI) must(method, path, body string, want int) map[string]any {
	a.t.Helper()
	status, answer := a.ask(method, path, body)
	if status != want {
		a.t.Fatalf("%s %s %s: %d %v", method, path, body, status, answer)
	}
	return answer
}

// TestRealAdminAPI: what administrators' scripts do with connections on a real Odoo, from a new one to its end; and nobody
// else does any of it.
func TestRealAdminAPI(t *testing.T) {
	t.Parallel()
	post := kit.NewPostOffice(t)
	o := kit.RealOdoo(t, 0, adminPeople+fmt.Sprintf(`
env["ir.mail_server"].create({"name": "test", "smtp_host": "127.0.0.1", "smtp_port": %d, "smtp_encryption": "none"})
env["res.company"].search([]).alias_domain_id = env["mail.alias.domain"].create({"name": "our.example"})
uma.email = "uma@our.example"
eve.email = False
`, post.Port()))
	s := kit.Serve(t, o.Environ()...)
	d := kit.FetchOpenAPI(t, s)
	as := func(key string) adminAPI { return adminAPI{t, s, d, d.Operations(t), key} }
	admin := as(o.Text("admin_key"))
	umas := fmt.Sprint(kit.ConnectionsPath, "/", o.ID("umas_id"))
	makesOne := `{"name":"Agent","user":"uma","scopes":["mcp:search","mcp:metadata"]}`

	t.Run("deny", func(t *testing.T) {
		calls := []struct{ method, path, body string }{
			{"POST", kit.ConnectionsPath, makesOne},
			{"GET", kit.ConnectionsPath, ""},
			{"GET", umas, ""},
			{"PATCH", umas, `{"read_only":true}`},
			{"POST", umas + "/rotate", ""},
			{"DELETE", umas, ""},
			{"GET", kit.UsagePath, ""},
			{"GET", kit.ServerPath, ""},
			{"PATCH", kit.ServerPath, `{"enabled":false}`},
		}
		for name, who := range map[string]struct {
			key    string
			status int
			code   string
		}{
			"no key":                          {"", 401, "unauthenticated"},
			"a wrong key":                     {strings.Repeat("0", 40), 401, "unauthenticated"},
			"a revoked key":                   {o.Text("revoked_key"), 401, "unauthenticated"},
			"a key of another scope":          {o.Text("other_scope_key"), 401, "unauthenticated"},
			"the key of an MCP connection":    {o.Text("umas"), 401, "unauthenticated"},
			"what looks like an OAuth token":  {"dma_" + strings.Repeat("a", 43), 401, "unauthenticated"},
			"the user of the connection":      {o.Text("user_key"), 403, "forbidden"},
			"an employee":                     {o.Text("employee_key"), 403, "forbidden"},
			"the service's own key":           {o.ServiceKey, 403, "forbidden"},
			"another company's administrator": {o.Text("nora_key"), 404, "not_found"},
		} {
			for _, call := range calls {
				want, code := who.status, who.code
				if who.status == http.StatusNotFound {
					switch {
					case call.path == kit.ServerPath:
						continue // it is of no company: see the end
					case call.method == "POST" && call.path == kit.ConnectionsPath:
						want, code = 400, "invalid_input" // they see no user of that name
					case call.path == kit.ConnectionsPath || call.path == kit.UsagePath:
						want, code = 200, ""
					}
				}
				status, answer := as(who.key).ask(call.method, call.path, call.body)
				told, _ := answer["error"].(map[string]any)
				if got, _ := told["code"].(string); status != want || got != code {
					t.Errorf("%s, %s %s: %d %v", name, call.method, call.path, status, answer)
				}
			}
		}
		shown := admin.must("GET", umas, "", 200)
		if shown["status"] != "awaiting" || shown["read_only"] != false || shown["pickup_pending"] != false {
			t.Errorf("after all that: %v", shown)
		}
		kit.Must(t, kit.Connect(t, s.MCP, o.Text("umas")), "search_records", kit.Args{"model": "res.partner", "limit": 1})
		north := as(o.Text("nora_key")).must("GET", kit.ConnectionsPath, "", 200)
		if found := onlyItem(t, north["connections"]); found["user"] != "nils" || north["total"] != 1.0 {
			t.Errorf("another company sees %v", north)
		}
	})
	t.Run("widens", func(t *testing.T) {
		for _, row := range []struct {
			method, path, body, code string
			status                   int
		}{
			{"POST", kit.ConnectionsPath, `{"name":"n","user":"uma","scopes":["mcp:search"],"approve_outward":false}`, "would_widen", 403},
			{"POST", kit.ConnectionsPath, `{"name":"n","user":"uma","scopes":["mcp:search"],"rate_limit_minute":1000000}`, "would_widen", 403},
			{"POST", kit.ConnectionsPath, `{"name":"n","user":"uma","scopes":["mcp:shell"]}`, "scopes_exceeded", 403},
			{"POST", kit.ConnectionsPath, fmt.Sprintf(`{"name":"n","user":"uma","scopes":["mcp:search"],"companies":[%d]}`, o.ID("north")), "companies_exceeded", 403},
			{"POST", kit.ConnectionsPath, `{"name":"n","user":"nils","scopes":["mcp:search"]}`, "invalid_input", 400},
			{"POST", kit.ConnectionsPath, `{"name":"n","user":"uma","scopes":["mcp:search"],"expires_at":"2020-01-01T00:00:00Z"}`, "invalid_input", 400},
			{"PATCH", umas, `{"rate_limit_minute":0}`, "would_widen", 403},
			{"PATCH", umas, `{"scopes":["mcp:orm"]}`, "would_widen", 403},
			{"PATCH", umas, `{"approver":"admin"}`, "would_widen", 403},
			{"PATCH", umas, `{"read_only":true,"scopes":["mcp:search","mcp:metadata","mcp:orm"]}`, "would_widen", 403},
			{"PATCH", umas, `{"allowed_models":["no.model"]}`, "invalid_input", 400},
			{"PATCH", kit.ServerPath, `{"enabled":true}`, "would_widen", 403},
			{"GET", kit.UsagePath + "?from=2020-01-01", "", "invalid_input", 400},
		} {
			status, answer := admin.ask(row.method, row.path, row.body)
			told, _ := answer["error"].(map[string]any)
			if status != row.status || told["code"] != row.code {
				t.Errorf("%s %s %s: %d %v", row.method, row.path, row.body, status, answer)
			}
			if says, _ := told["message"].(string); row.code == "would_widen" && !strings.Contains(says, "in Odoo") {
				t.Errorf("%s: does not say where it is done", says)
			}
		}
		if shown := admin.must("GET", umas, "", 200); shown["read_only"] != false {
			t.Errorf("half of it was done: %v", shown)
		}
	})

	made := admin.must("POST", kit.ConnectionsPath, makesOne, 201)
	if made["key"] != nil || made["status"] != "awaiting" || made["created_by"] != "admin" || made["user"] != "uma" {
		t.Fatalf("made %v", made)
	}
	path := fmt.Sprint(kit.ConnectionsPath, "/", made["id"])
	session := kit.Connect(t, s.MCP, pickUpBy(t, o, "uma", made["pickup_url"]))
	kit.Must(t, session, "search_records", kit.Args{"model": "res.partner", "limit": 1})
	kit.Must(t, session, "search_records", kit.Args{"model": "res.users", "limit": 1})

	for range 2 { // the answer may get lost
		admin.must("PATCH", path, `{"allowed_models":["res.partner"],"rows_day":1000}`, 200)
	}
	kit.Within(t, 5*time.Second, "the stricter policy holds", func() error {
		content, failed := kit.Call(t, session, "search_records", kit.Args{"model": "res.users", "limit": 1})
		return kit.Unless(failed == "not_allowed", failed, content)
	})
	kit.Must(t, session, "search_records", kit.Args{"model": "res.partner", "limit": 1})

	rotated := admin.must("POST", path+"/rotate", `{"key_days":7}`, 200)
	kit.Must(t, session, "search_records", kit.Args{"model": "res.partner", "limit": 1}) // the old key, until the new one is there
	renewed := kit.Connect(t, s.MCP, pickUpBy(t, o, "uma", rotated["pickup_url"]))
	kit.Must(t, renewed, "search_records", kit.Args{"model": "res.partner", "limit": 1})
	t.Run("by email", func(t *testing.T) {
		sent := admin.must("POST", path+"/rotate", `{"deliver":"email"}`, 200)
		letters := post.Of("uma@our.example", "Your key for Agent")
		if len(letters) != 1 || sent["pickup_url"] != nil || sent["pickup_expires_at"] == nil {
			t.Fatalf("%d emails, %v", len(letters), sent)
		}
		link := regexp.MustCompile(`[^"]*/doorman/pickup#[^"]*`).FindString(htmlOf(t, letters[0]))
		renewed = kit.Connect(t, s.MCP, pickUpBy(t, o, "uma", link))
		kit.Must(t, renewed, "search_records", kit.Args{"model": "res.partner", "limit": 1})
		if status, answer := admin.ask("POST", kit.ConnectionsPath, `{"name":"Agent","user":"eve","scopes":["mcp:search"],"deliver":"email"}`); status != http.StatusBadRequest {
			t.Errorf("to somebody without an address: %d %v", status, answer)
		}
	})
	if listed := admin.must("GET", kit.ConnectionsPath+"?user=uma&type=bearer&limit=1", "", 200); listed["total"] != 2.0 || onlyItem(t, listed["connections"])["id"] != made["id"] {
		t.Errorf("listed %v", listed)
	}

	used := onlyItem(t, admin.must("GET", fmt.Sprint(kit.UsagePath, "?connection=", made["id"]), "", 200)["usage"])
	if used["requests"].(float64) < 5 || used["ok"].(float64) < 5 || used["rows"].(float64) < 5 || used["user"] != "uma" { // refusals are told a little later
		t.Errorf("used %v", used)
	}

	for range 2 {
		if ended := admin.must("DELETE", path, "", 200); ended["status"] != "revoked" {
			t.Errorf("ended %v", ended)
		}
	}
	if _, err := kit.As(t.Context(), o, "uma", "doorman.connection", "action_reactivate", []int64{int64(made["id"].(float64))}); err == nil {
		t.Error("its user brings it back")
	}
	if status, answer := admin.ask("POST", path+"/rotate", ""); status != http.StatusConflict {
		t.Errorf("rotate what has ended: %d %v", status, answer)
	}

	t.Run("two at once", func(t *testing.T) {
		both := []string{`{"allowed_models":["res.partner"]}`, `{"allowed_models":["res.users"]}`}
		for round := range 5 {
			free := admin.must("POST", kit.ConnectionsPath, `{"name":"Free","user":"uma","scopes":["mcp:search"],"allowed_models":["res.partner","res.users"]}`, 201)
			var statuses [2]int
			var asking sync.WaitGroup
			for i, body := range both {
				asking.Go(func() {
					statuses[i], _, _ = kit.NoFollow(t, "PATCH", fmt.Sprint(s.URL, kit.ConnectionsPath, "/", free["id"]), body, "Authorization", "Bearer "+admin.key)
				})
			}
			asking.Wait()
			slices.Sort(statuses[:])
			if statuses != [2]int{200, 403} {
				t.Errorf("round %d: %v: one makes it stricter, and what the other one wants is not stricter than that", round, statuses)
			}
		}
	})
	t.Run("read only for all, and off", func(t *testing.T) {
		kit.AsAdmin(t, o, "doorman.settings", "action_make_read_only", []int64{})
		if state := admin.must("GET", kit.ServerPath, "", 200); state["enabled"] != true || state["all_read_only"] != true {
			t.Errorf("state %v", state)
		}
		admin.must("PATCH", umas, `{"read_only":true}`, 200)
		for range 2 {
			if state := as(o.Text("nora_key")).must("PATCH", kit.ServerPath, `{"enabled":false}`, 200); state["enabled"] != false {
				t.Errorf("state %v", state)
			}
		}
		if status, answer := admin.ask("PATCH", kit.ServerPath, `{"enabled":true}`); status != http.StatusForbidden {
			t.Errorf("switched on: %d %v", status, answer)
		}
		admin.must("DELETE", umas, "", 200) // what ends access works while it is off
	})
}

// pickUpBy is a person who opens the link to their key.
func pickUpBy(t *testing.T, o *kit.Odoo, login string, link any) string {
	t.Helper()
	text, _ := link.(string)
	_, token, found := strings.Cut(text, "/doorman/pickup#")
	if !found {
		t.Fatalf("no pick-up link: %v", link)
	}
	client := kit.LogIn(t, o, login)
	_, page := openPickup(t, o, client, token)
	_, page = kit.Visit(t, client, o.Server.URL()+"/doorman/pickup/details", kit.FormOf(t, page))
	key := shownKey.FindString(page)
	if key == "" {
		t.Fatalf("no key: %s", page)
	}
	return key
}
