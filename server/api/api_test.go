package api_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/api"
	"doorman/server/secret"
)

const goodInvite = `{"id":7,"state":"active","scopes":["mcp:search"],"max_uses":5,"current_uses":0,"expires_at":"2026-03-21T12:00:00Z",
"key_name_preset":"k","key_lifetime_hours":2160,"read_only":false,"research_tools":false,"allowed_tools":[],"allowed_models":[],"companies":[],"approval_tools":[],
"model_rules":[],"approval_rules":[],"approve_outward":true,"approver":"","approver_group":"","two_approvers":"","approval_expiry_hours":24,"allowed_ips":[],"blocked_ips":[],"recipient_domains":[],"rate_limit_minute":0,
"rate_limit_day":0,"rows_reply":0,"rows_day":0,"accept_list":[],"new_accounts":false,"account_groups":[],"description":"","company":"C","created_by":"admin","created_at":"2026-03-18T12:00:00Z"}`

const goodConnection = `{"id":7,"name":"n","status":"awaiting","status_since":"2026-03-18T12:00:00Z","type":"bearer","archived":false,"user":"ann","user_name":"Ann",
"company":"C","missing_scopes":[],"scopes":["mcp:search"],"read_only":false,"research_tools":false,"allowed_tools":[],"allowed_models":[],"companies":[],"approval_tools":[],
"model_rules":[],"approval_rules":[],"approve_outward":true,"approver":"","approver_group":"","two_approvers":"","approval_expiry_hours":24,"allowed_ips":[],"blocked_ips":[],"recipient_domains":[],"rate_limit_minute":0,
"rate_limit_day":0,"rows_reply":0,"rows_day":0,"description":"","expires_at":null,"key_expires_at":null,"pickup_pending":true,"last_used":null,"requests":0,"invite_id":null,"created_by":"admin","created_at":"2026-03-18T12:00:00Z"}`

// fakeOdoo answers every question alike, and keeps them.
type fakeOdoo struct {
	answer string
	err    error
	asked  []string
	args   map[string]any
	key    string
}

func (f *fakeOdoo) Ask(_ context.Context, key secret.Text, method string, args map[string]any) (json.RawMessage, error) {
	f.asked, f.args, f.key = append(f.asked, method), args, key.Reveal()
	return json.RawMessage(f.answer), f.err
}

// fakeGuesses lets everybody in until told otherwise.
type fakeGuesses struct {
	refuse *access.Error
	failed []bool
}

func (f *fakeGuesses) Enter(netip.Addr, time.Time) (func(bool, time.Time), *access.Error) {
	return func(failed bool, _ time.Time) { f.failed = append(f.failed, failed) }, f.refuse
}

type world struct {
	odoo     fakeOdoo
	guesses  fakeGuesses
	reported []string
	api      *api.API
}

func newWorld(answer string, err error) *world {
	w := &world{odoo: fakeOdoo{answer: answer, err: err}}
	w.api = w.with(func(*api.Config) {})
	return w
}

// with makes the API with another configuration.
func (w *world) with(change func(*api.Config)) *api.API {
	c := api.Config{
		Odoo: &w.odoo, Guesses: &w.guesses, Now: time.Now,
		Identify: func(*http.Request) (netip.Addr, string) { return netip.MustParseAddr("192.0.2.1"), "request-1" },
		WebURL:   func() string { return "https://odoo.example.com" },
		Report:   func(id string, err error) { w.reported = append(w.reported, id+" "+err.Error()) },
	}
	change(&c)
	return api.New(c)
}

// do sends a request with a key; headers are pairs, and an "Authorization" among them replaces it.
func (w *world) do(method, target, body string, headers ...string) (*httptest.ResponseRecorder, told) {
	r := httptest.NewRequest(method, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Authorization", "Bearer key")
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Del(headers[i])
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header[headers[i]] = append(r.Header[headers[i]], headers[i+1])
	}
	answer := httptest.NewRecorder()
	w.api.ServeHTTP(answer, r)
	var e struct{ Error told }
	_ = json.Unmarshal(answer.Body.Bytes(), &e)
	return answer, e.Error
}

type told struct{ Code, Message, Hint string }

const (
	invites     = "/api/org/mcp/invites"
	connections = "/api/org/mcp/connections"
	usage       = "/api/org/mcp/usage"
	server      = "/api/org/mcp/server"
)

// TestCredential: one key of a form that keys have goes to Odoo, and nothing else does.
func TestCredential(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name    string
		headers []string
		key     string // "" = Odoo is not asked
	}{
		{"a key", nil, "key"},
		{"its scheme in other letters", []string{"Authorization", "bEaReR key"}, "key"},
		{"the longest", []string{"Authorization", "Bearer " + strings.Repeat("k", 512)}, strings.Repeat("k", 512)},

		{"none", []string{"Authorization", ""}, ""},
		{"an empty one", []string{"Authorization", "Bearer "}, ""},
		{"another scheme", []string{"Authorization", "Basic YTpi"}, ""},
		{"no scheme", []string{"Authorization", "key"}, ""},
		{"two headers", []string{"Authorization", "Bearer key", "Authorization", "Bearer key"}, ""},
		{"two schemes in two headers", []string{"Authorization", "Bearer key", "Authorization", "Basic YTpi"}, ""},
		{"two schemes in one", []string{"Authorization", "Bearer key, Basic YTpi"}, ""},
		{"two words", []string{"Authorization", "Bearer key key"}, ""},
		{"a space too many", []string{"Authorization", "Bearer  key"}, ""},
		{"a tab", []string{"Authorization", "Bearer\tkey"}, ""},
		{"two lines", []string{"Authorization", "Bearer key\r\nX-Odoo-Database: other"}, ""},
		{"a NUL", []string{"Authorization", "Bearer key\x00"}, ""},
		{"beyond ASCII", []string{"Authorization", "Bearer kéy"}, ""},
		{"too long", []string{"Authorization", "Bearer " + strings.Repeat("k", 513)}, ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(`{"invites":[],"total":0}`, nil)
			answer, e := w.do("GET", invites, "", row.headers...)
			if w.odoo.key != row.key || len(w.odoo.asked) > 1 {
				t.Fatalf("Odoo was asked %v with %q", w.odoo.asked, w.odoo.key)
			}
			if row.key != "" {
				if answer.Code != 200 {
					t.Fatalf("%d %s", answer.Code, answer.Body)
				}
				return
			}
			challenge := answer.Header().Get("WWW-Authenticate")
			if answer.Code != 401 || e.Code != "unauthenticated" || !strings.HasPrefix(challenge, `Bearer realm="`) ||
				strings.Contains(challenge, "resource_metadata") {
				t.Errorf("%d %+v %s", answer.Code, e, challenge)
			}
		})
	}
	t.Run("in the address it counts for nothing", func(t *testing.T) {
		w := newWorld("", nil)
		if answer, _ := w.do("GET", invites+"?access_token=canary", "", "Authorization", ""); answer.Code != 401 || len(w.odoo.asked) > 0 {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
		if answer, e := w.do("GET", invites+"?access_token=canary", ""); answer.Code != 400 || strings.Contains(e.Message, "canary") || len(w.odoo.asked) > 0 {
			t.Errorf("%d %s", answer.Code, answer.Body)
		}
	})
}

// TestWhoseKey walks all routes that take a key: without one, the answer names everybody whose key it may be.
func TestWhoseKey(t *testing.T) {
	t.Parallel()
	w := newWorld("", nil)
	for _, route := range w.api.Routes() {
		path := strings.NewReplacer("{id}", "7", "{token}", "x").Replace(route.Path)
		answer, _ := w.do(route.Method, path, "", "Authorization", "")
		if answer.Code != http.StatusUnauthorized {
			continue // it needs no key
		}
		want := "This needs the Odoo API key of an MCP administrator."
		if strings.HasPrefix(route.Path, "/api/org/mcp/audit") {
			want = "This needs the Odoo API key of an MCP auditor or administrator."
		}
		if !strings.Contains(answer.Body.String(), want) {
			t.Errorf("%s %s: %s", route.Method, route.Path, answer.Body)
		}
	}
}

// TestGuesses: wrong keys count, good ones do not, whatever they are refused for; and who has guessed too much is not heard.
func TestGuesses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		err    error
		failed bool
	}{
		{"a good key", nil, false},
		{"a good key of somebody else", &access.AdminRefusal{Code: access.AdminForbidden, Message: "m"}, false},
		{"Odoo is down", &access.Error{Kind: access.OdooUnavailable, Message: "m"}, false},
		{"a wrong key", &access.Error{Kind: access.Unauthenticated, Message: "m"}, true},
	} {
		w := newWorld(`{"invites":[],"total":0}`, row.err)
		w.do("GET", invites, "")
		if len(w.guesses.failed) != 1 || w.guesses.failed[0] != row.failed {
			t.Errorf("%s: counted %v", row.name, w.guesses.failed)
		}
	}
	w := newWorld("", nil)
	w.guesses.refuse = &access.Error{Kind: access.RateLimited, Message: "m", RetryAfter: 1500 * time.Millisecond}
	answer, e := w.do("GET", invites, "")
	if answer.Code != 429 || e.Code != "rate_limited" || answer.Header().Get("Retry-After") != "2" || len(w.odoo.asked) > 0 {
		t.Errorf("%d %+v %v", answer.Code, e, w.odoo.asked)
	}
}

// TestErrors: what Odoo says becomes a status and a code; what only the log should know stays there.
func TestErrors(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		err    error
		status int
		code   string
	}{
		{&access.AdminRefusal{Code: access.AdminForbidden, Message: "m"}, 403, "forbidden"},
		{&access.AdminRefusal{Code: access.AdminScopes, Message: "m"}, 403, "scopes_exceeded"},
		{&access.AdminRefusal{Code: access.AdminGroups, Message: "m"}, 403, "groups_exceeded"},
		{&access.AdminRefusal{Code: access.AdminCompanies, Message: "m"}, 403, "companies_exceeded"},
		{&access.AdminRefusal{Code: access.AdminWidens, Message: "m"}, 403, "would_widen"},
		{&access.AdminRefusal{Code: access.AdminKey, Message: "m"}, 403, "key_withheld"},
		{&access.AdminRefusal{Code: access.AdminConflict, Message: "m"}, 409, "conflict"},
		{&access.AdminRefusal{Code: access.AdminInput, Message: "m"}, 400, "invalid_input"},
		{&access.AdminRefusal{Code: access.AdminNotFound, Message: "m"}, 404, "not_found"},
		{&access.Error{Kind: access.Unauthenticated, Message: "m", Detail: "canary"}, 401, "unauthenticated"},
		{&access.Error{Kind: access.OdooUnavailable, Message: "m", Detail: "canary"}, 503, "odoo_unavailable"},
		{&access.Error{Kind: access.OdooTimeout, Message: "m", Detail: "canary"}, 504, "odoo_timeout"},
		{&access.Error{Kind: access.Internal, Message: "canary", Detail: "canary"}, 500, "internal"},
		{&access.Error{Kind: access.BusinessRule, Message: "canary", Detail: "canary"}, 500, "internal"},
		{errors.New("canary"), 500, "internal"},
		{&access.AdminRefusal{Code: "launch", Message: "canary"}, 500, "internal"},
	} {
		w := newWorld("", row.err)
		answer, e := w.do("GET", invites, "")
		if answer.Code != row.status || e.Code != row.code || e.Message == "" || strings.Contains(answer.Body.String(), "canary") {
			t.Errorf("%v: %d %s", row.err, answer.Code, answer.Body)
		}
		if retry := answer.Header().Get("Retry-After"); (retry != "") != (row.status == 503 || row.status == 504) {
			t.Errorf("%v: Retry-After %q", row.err, retry)
		}
		if (len(w.reported) == 1) != (row.status >= 500) {
			t.Errorf("%v: reported %v", row.err, w.reported)
		}
	}
}

// TestAnswers: only what is documented is passed on, and only if all of it is there.
func TestAnswers(t *testing.T) {
	t.Parallel()
	good := `{"invite":` + goodInvite + `,"revoked_connections":0}`
	for _, row := range []struct {
		name, answer string
		status       int
	}{
		{"an invite", good, 200},
		{"with more than is agreed", strings.Replace(good, `"id":7`, `"id":7,"token":"canary"`, 1), 200},
		{"without a restriction", strings.Replace(good, `"read_only":false,`, "", 1), 500},
		{"with null for a list", strings.Replace(good, `"allowed_ips":[]`, `"allowed_ips":null`, 1), 500},
		{"with null for a number", strings.Replace(good, `"max_uses":5`, `"max_uses":null`, 1), 500},
		{"with a text for a number", strings.Replace(good, `"max_uses":5`, `"max_uses":"canary"`, 1), 500},
		{"without a count", `{"invite":` + goodInvite + `}`, 500},
		{"without an invite", `{}`, 500},
		{"null", `null`, 500},
		{"a list", `["canary"]`, 500},
	} {
		w := newWorld(row.answer, nil)
		answer, _ := w.do("DELETE", invites+"/7", "")
		if answer.Code != row.status || strings.Contains(answer.Body.String()+fmt.Sprint(w.reported), "canary") {
			t.Errorf("%s: %d %s %v", row.name, answer.Code, answer.Body, w.reported)
		}
	}
}

// TestPaths: what there is, what is asked of Odoo for it, and what there is not.
func TestPaths(t *testing.T) {
	t.Parallel()
	one := `{"invite":` + goodInvite + `,"acceptances":[],"invite_url":"u","revoked_connections":2,"invites":[],"total":0}`
	one = strings.Replace(one, `"id":7`, `"acceptances":[],"id":7`, 1)
	for _, row := range []struct {
		method, target, asked string
		status                int
	}{
		{"GET", invites, "api_list map[limit:100 offset:0]", 200},
		{"GET", invites + "?limit=500&offset=7&state=revoked", "api_list map[limit:500 offset:7 state:revoked]", 200},
		{"GET", invites + "/7", "api_get map[invite_id:7]", 200},
		{"GET", invites + "/2147483647", "api_get map[invite_id:2147483647]", 200},
		{"DELETE", invites + "/7", "api_revoke map[connections:false invite_id:7]", 200},
		{"DELETE", invites + "/7?connections=revoke", "api_revoke map[connections:true invite_id:7]", 200},
		{"GET", "/api/openapi.json", "", 200},

		{"GET", invites + "?limit=0", "", 400},
		{"GET", invites + "?limit=501", "", 400},
		{"GET", invites + "?limit=1e2", "", 400},
		{"GET", invites + "?limit=", "", 400},
		{"GET", invites + "?offset=-1", "", 400},
		{"GET", invites + "?state=gone", "", 400},
		{"GET", invites + "?limit=1&limit=2", "", 400},
		{"GET", invites + "?page=2", "", 400},
		{"GET", invites + "?limit=1;offset=2", "", 400},
		{"GET", invites + "/7?acceptances=no", "", 400},
		{"DELETE", invites + "/7?connections=true", "", 400},
		{"DELETE", invites + "/7?connections=", "", 400},
		{"DELETE", invites + "/7?connection=revoke", "", 400},
		{"DELETE", invites + "/7?connections=revoke&connections=revoke", "", 400},
		{"POST", invites + "?max_uses=5", "", 400},
		{"GET", invites + "/0", "", 404},
		{"GET", invites + "/-1", "", 404},
		{"GET", invites + "/07", "", 404},
		{"GET", invites + "/7.0", "", 404},
		{"GET", invites + "/%D9%A7", "", 404}, // a digit, but not one of ours
		{"GET", invites + "/2147483648", "", 404},
		{"GET", invites + "/99999999999999999999", "", 404},
		{"DELETE", invites + "/all", "", 404},
		{"GET", invites + "/", "", 404},
		{"GET", invites + "/7/connections", "", 404},
		{"GET", "/api", "", 404},
		{"GET", "/api/org/mcp", "", 404},
		{"GET", "/api/org/mcp/Invites", "", 404},
		{"DELETE", invites, "", 405},
		{"PUT", invites + "/7", "", 405},
		{"PATCH", invites + "/7", "", 405},
		{"HEAD", invites, "api_list map[limit:100 offset:0]", 200},
		{"HEAD", invites + "/0", "", 404},
		{"HEAD", "/api/openapi.json", "", 200},
		{"OPTIONS", invites, "", 204},
		{"POST", "/api/openapi.json", "", 405},
	} {
		w := newWorld(one, nil)
		answer, e := w.do(row.method, row.target, `{"scopes":["mcp:search"]}`)
		asked := ""
		if len(w.odoo.asked) > 0 {
			asked = fmt.Sprint(w.odoo.asked[0], " ", w.odoo.args)
		}
		if answer.Code != row.status || asked != row.asked {
			t.Errorf("%s %s: %d %s, asked %q", row.method, row.target, answer.Code, answer.Body, asked)
		}
		header := answer.Header()
		if header.Get("Cache-Control") != "no-store" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s %s: headers %v", row.method, row.target, header)
		}
		if row.status >= 400 && (e.Code == "" || e.Message == "" || e.Hint == "") || (row.status == 405 || row.status == 204) != (header.Get("Allow") != "") {
			t.Errorf("%s %s: %+v %v", row.method, row.target, e, header)
		}
	}
}

// TestAdministration: what there is beside the invites, what is asked of Odoo for it, and what is refused unasked.
func TestAdministration(t *testing.T) {
	t.Parallel()
	answer := `{"connection":` + goodConnection + `,"pickup_url":"u","pickup_expires_at":"t","key":null,"connections":[],"usage":[],"total":0,"first":"f","last":"l",
"server":{"enabled":true,"all_read_only":false,"mcp_url":"","service_version":"","service_last_seen":null}}`
	const made = `{"name":"n","user":"ann","scopes":["mcp:search"]}`
	for _, row := range []struct {
		method, target, body, asked string
		status                      int
	}{
		{"POST", connections, made, "api_connect map[values:map[name:n scopes:[mcp:search] user:ann]]", 201},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"expires_at":"2027-01-31T12:00:00Z","deliver":"key"}`, "api_connect map[values:map[deliver:key expires_at:2027-01-31T12:00:00Z name:n scopes:[a] user:ann]]", 201},
		{"GET", connections, "", "api_connections map[limit:100 offset:0]", 200},
		{"GET", connections + "?status=idle&type=oauth&user=ann%40b.example&invite=5&limit=500", "", "api_connections map[invite_id:5 limit:500 offset:0 status:idle type:oauth user:ann@b.example]", 200},
		{"GET", connections + "/7", "", "api_connection map[connection_id:7]", 200},
		{"PATCH", connections + "/7", `{"read_only":true}`, "api_narrow map[connection_id:7 values:map[read_only:true]]", 200},
		{"PATCH", connections + "/7", `{}`, "api_narrow map[connection_id:7 values:map[]]", 200},
		{"DELETE", connections + "/7", "", "api_disconnect map[connection_id:7]", 200},
		{"POST", connections + "/7/rotate", "", "api_rotate map[connection_id:7]", 200},
		{"POST", connections + "/7/rotate", `{"key_days":30}`, "api_rotate map[connection_id:7 key_days:30]", 200},
		{"POST", connections + "/7/rotate", `{"deliver":"email"}`, "api_rotate map[connection_id:7 deliver:email]", 200},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"deliver":"email"}`, "api_connect map[values:map[deliver:email name:n scopes:[a] user:ann]]", 201},
		{"GET", usage, "", "api_usage map[limit:100 offset:0]", 200},
		{"GET", usage + "?from=2027-01-01&to=2027-01-31&connection=7&user=ann&limit=1000", "", "api_usage map[connection_id:7 first:2027-01-01 last:2027-01-31 limit:1000 offset:0 user:ann]", 200},
		{"GET", server, "", "api_server map[]", 200},
		{"PATCH", server, `{"enabled":false}`, "api_switch_off map[values:map[enabled:false]]", 200},
		// Odoo refuses this one, and says where it is done.
		{"PATCH", server, `{"enabled":true}`, "api_switch_off map[values:map[enabled:true]]", 200},

		{"POST", connections, `{"user":"ann","scopes":["a"]}`, "", 400},
		{"POST", connections, `{"name":"n","scopes":["a"]}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"key":"dmk_x"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"expires_at":"2027-01-31"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"expires_at":"2027-02-30T00:00:00Z"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"expires_at":"2027-01-31T12:00:00z"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"expires_at":"2027-01-31T12:00:00+00:00"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"expires_at":"2027-01-31T12:00:00.5Z"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"expires_at":"0000-01-31T12:00:00Z"}`, "", 400},
		{"POST", connections, `{"name":"n","user":"ann","scopes":["a"],"key_days":3651}`, "", 400},
		{"POST", connections + "?user=ann", made, "", 400},
		{"GET", connections + "?state=idle", "", "", 400},
		{"GET", connections + "?status=gone", "", "", 400},
		{"GET", connections + "?type=key", "", "", 400},
		{"GET", connections + "?user=", "", "", 400},
		{"GET", connections + "?user=a%00", "", "", 400},
		{"GET", connections + "?user=%ff", "", "", 400},
		{"GET", connections + "?invite=x", "", "", 400},
		{"GET", connections + "?limit=501", "", "", 400},
		{"GET", connections + "/7?key=1", "", "", 400},
		{"PATCH", connections + "/7", `{"name":"n"}`, "", 400},
		{"PATCH", connections + "/7", `{"user":"bob"}`, "", 400},
		{"PATCH", connections + "/7", `{"read_only":true,"read_only":false}`, "", 400},
		{"PATCH", connections + "/7", `[{"op":"remove"}]`, "", 400},
		{"PATCH", connections + "/7", "", "", 400},
		{"DELETE", connections + "/7?really=yes", "", "", 400},
		{"POST", connections + "/7/rotate", `{"deliver":"key"}`, "", 400},
		{"POST", connections + "/7/rotate", `{"key_days":-1}`, "", 400},
		{"GET", usage + "?from=2027-1-1", "", "", 400},
		{"GET", usage + "?from=2027-02-30", "", "", 400},
		{"GET", usage + "?to=today", "", "", 400},
		{"GET", usage + "?connection=0", "", "", 400},
		{"GET", usage + "?limit=1001", "", "", 400},
		{"PATCH", server, `{}`, "", 400},
		{"PATCH", server, `{"enabled":0}`, "", 400},
		{"PATCH", server, `{"all_read_only":false}`, "", 400},
		{"GET", connections + "/0", "", "", 404},
		{"GET", connections + "/", "", "", 404},
		{"PATCH", connections + "/2147483648", `{}`, "", 404},
		{"DELETE", connections + "/all", "", "", 404},
		{"POST", connections + "//rotate", "", "", 404},
		{"POST", connections + "/7/8/rotate", "", "", 404},
		{"POST", connections + "/7/approve", "", "", 404},
		{"POST", connections + "/7/rotate/", "", "", 404},
		{"GET", server + "/", "", "", 404},
		{"PUT", connections + "/7", `{}`, "", 405},
		{"DELETE", connections, "", "", 405},
		{"POST", connections + "/7", `{}`, "", 405},
		{"GET", connections + "/7/rotate", "", "", 405},
		{"POST", usage, `{}`, "", 405},
		{"POST", server, `{"enabled":true}`, "", 405},
		{"DELETE", server, "", "", 405},
		{"HEAD", server, "", "api_server map[]", 200},
	} {
		w := newWorld(answer, nil)
		got, e := w.do(row.method, row.target, row.body)
		asked := ""
		if len(w.odoo.asked) > 0 {
			asked = fmt.Sprint(w.odoo.asked[0], " ", w.odoo.args)
		}
		if got.Code != row.status || asked != row.asked {
			t.Errorf("%s %s %s: %d %s, asked %q", row.method, row.target, row.body, got.Code, got.Body, asked)
		}
		if row.status >= 400 && (e.Code == "" || e.Message == "" || e.Hint == "") {
			t.Errorf("%s %s: %+v", row.method, row.target, e)
		}
		if location := got.Header().Get("Location"); (location == connections+"/7") != (row.status == 201) {
			t.Errorf("%s %s: Location %q", row.method, row.target, location)
		}
	}
}

// TestLink: a good token, one that is used up and one that nobody made get the same answer; Odoo is not asked.
func TestLink(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("aB3_-", 9)[:43]
	for _, row := range []struct {
		name, method, target, to string
		status                   int
	}{
		{"a link", "GET", "/oauth/invite/" + token, "https://odoo.example.com/doorman/invite#" + token, 303},
		{"a robot that looks first", "HEAD", "/oauth/invite/" + token, "https://odoo.example.com/doorman/invite#" + token, 303},
		{"with what a mail program added", "GET", "/oauth/invite/" + token + "?utm_source=mail", "https://odoo.example.com/doorman/invite#" + token, 303},
		{"too short", "GET", "/oauth/invite/" + token[1:], "https://odoo.example.com/doorman/invite", 303},
		{"too long", "GET", "/oauth/invite/" + token + "a", "https://odoo.example.com/doorman/invite", 303},
		{"none", "GET", "/oauth/invite/", "https://odoo.example.com/doorman/invite", 303},
		{"another letter", "GET", "/oauth/invite/" + token[1:] + ".", "https://odoo.example.com/doorman/invite", 303},
		{"two lines", "GET", "/oauth/invite/" + token[2:] + "%0d%0a", "https://odoo.example.com/doorman/invite", 303},
		{"a line end after it", "GET", "/oauth/invite/" + token + "%0a", "https://odoo.example.com/doorman/invite", 303},
		{"more path", "GET", "/oauth/invite/" + token + "/x", "", 404},
		{"posted", "POST", "/oauth/invite/" + token, "", 405},
		{"deleted", "DELETE", "/oauth/invite/" + token, "", 405},
		{"asked by a page", "OPTIONS", "/oauth/invite/" + token, "", 204},
	} {
		w := newWorld("", nil)
		answer, _ := w.do(row.method, row.target, "", "Authorization", "")
		header := answer.Header()
		if answer.Code != row.status || header.Get("Location") != row.to || len(w.odoo.asked)+len(w.guesses.failed) > 0 {
			t.Errorf("%s: %d %q", row.name, answer.Code, header.Get("Location"))
		}
		if header.Get("Cache-Control") != "no-store" || strings.Contains(answer.Body.String(), token) {
			t.Errorf("%s: %v %s", row.name, header, answer.Body)
		}
		if row.status == 303 && (header.Get("Referrer-Policy") != "no-referrer" || header.Get("X-Robots-Tag") != "noindex" || header.Get("X-Frame-Options") != "DENY") {
			t.Errorf("%s: %v", row.name, header)
		}
	}
}

// TestWithhold: no token comes into a log by its path, also not by one that was put together wrongly.
func TestWithhold(t *testing.T) {
	t.Parallel()
	token := strings.Repeat("aB3_-", 9)[:43]
	for path, want := range map[string]string{
		"/mcp": "/mcp", "/": "/", "": "", "/api/org/mcp/invites/7": "/api/org/mcp/invites/7", "/oauth/invite/": "/oauth/invite/",
		"/.well-known/oauth-protected-resource/mcp": "/.well-known/oauth-protected-resource/mcp",
		"/oauth/invite/" + token:                    "/oauth/invite/[withheld]",
		"/oauth/invite/" + token[:20]:               "/oauth/invite/[withheld]",
		"/oauth/invite/a/b":                         "/oauth/invite/[withheld]/[withheld]",
		"/oauth//invite//" + token:                  "/oauth//invite//[withheld]",
		"/OAuth/Invite/" + token:                    "/OAuth/Invite/[withheld]",
		"/oauth/invites/" + token:                   "/oauth/invites/[withheld]",
		"/" + token:                                 "/[withheld]",
		"/invite#" + token:                          "/[withheld]",
		"/api/org/mcp/invites/" + token:             "/api/org/mcp/invites/[withheld]",
	} {
		if got := api.Withhold(path); got != want {
			t.Errorf("%q is logged as %q, want %q", path, got, want)
		}
	}
}
