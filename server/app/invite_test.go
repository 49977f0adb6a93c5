package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// TestInvitesByCurl: the examples of the documentation work as they stand.
func TestInvitesByCurl(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil)
	create, revoke := kit.InviteExamples(t, s)
	id, _ := kit.CreateByExample(t, create, o.Options().PersonKey)
	ended := kit.RunExample(t, strings.ReplaceAll(revoke, "{inviteId}", fmt.Sprint(id)), o.Options().PersonKey)
	if ended["state"] != "revoked" || ended["revoked_connections"] != 0.0 {
		t.Errorf("revoked %v", ended)
	}
	refused := kit.RunExample(t, create, o.Options().UserKey)
	if fmt.Sprint(refused["error"].(map[string]any)["code"]) != "forbidden" {
		t.Errorf("refused %v", refused)
	}
}

// TestInviteSurface: the API answers in its own words whatever is asked below /api/, and no page of another site gets in.
func TestInviteSurface(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil, "DOORMAN_ALLOWED_ORIGINS=https://inspector.example.com")
	key := []string{"Authorization", "Bearer " + o.Options().PersonKey}
	link := "/oauth/invite/" + strings.Repeat("t", 43)
	for _, row := range []struct {
		name, method, path string
		headers            []string
		status             int
		code               string
	}{
		{"an administrator", "GET", kit.InvitesPath, key, 200, ""},
		{"from its own page", "GET", kit.InvitesPath, append([]string{"Origin", s.URL}, key...), 200, ""},
		{"the document", "GET", "/api/openapi.json", nil, 200, ""},

		{"from an MCP client's page", "GET", kit.InvitesPath, append([]string{"Origin", "https://inspector.example.com"}, key...), 403, "forbidden"},
		{"from another page", "GET", kit.InvitesPath, append([]string{"Origin", "https://evil.example.com"}, key...), 403, "forbidden"},
		{"that asks first", "OPTIONS", kit.InvitesPath, []string{"Origin", "https://inspector.example.com", "Access-Control-Request-Method", "POST"}, 403, "forbidden"},
		{"from a sandbox", "GET", kit.InvitesPath, append([]string{"Origin", "null"}, key...), 403, "forbidden"},
		{"by another name", "GET", kit.InvitesPath, append([]string{"Host", "evil.example.com"}, key...), 403, "forbidden"},
		{"two keys", "GET", kit.InvitesPath, append([]string{"Authorization", "Bearer other"}, key...), 401, "unauthenticated"},
		{"the key of a connection", "GET", kit.InvitesPath, []string{"Authorization", "Bearer " + odootest.DefaultCredential}, 401, "unauthenticated"},
		{"the service's own key", "GET", kit.InvitesPath, []string{"Authorization", "Bearer " + o.Options().Key}, 403, "forbidden"},
		{"no path", "GET", "/api/org/mcp/keys", key, 404, "not_found"},
		{"no method", "PATCH", kit.InvitesPath, key, 405, "method_not_allowed"},
		{"no method that anybody has", "LAUNCH", kit.InvitesPath, key, 405, "method_not_allowed"},
		{"no method of the base", "LAUNCH", "/api", key, 404, "not_found"},
		{"the link, asked by a page", "GET", link, []string{"Origin", "https://inspector.example.com"}, 403, "forbidden"},
		{"the link, posted", "POST", link, nil, 405, "method_not_allowed"},
	} {
		t.Run(row.name, func(t *testing.T) {
			status, header, body := kit.Get(t, row.method, s.URL+row.path, row.headers...)
			var answer struct {
				Error struct{ Code, Message string }
			}
			_ = json.Unmarshal([]byte(body), &answer)
			if status != row.status || answer.Error.Code != row.code {
				t.Errorf("%d %s", status, body)
			}
			if header.Get("Access-Control-Allow-Origin") != "" || header.Get("X-Content-Type-Options") != "nosniff" || header.Get("X-Request-Id") == "" {
				t.Errorf("headers %v", header)
			}
			if strings.HasPrefix(row.path, "/api") && (header.Get("Cache-Control") != "no-store" || header.Get("Content-Type") != "application/json") {
				t.Errorf("headers %v", header)
			}
		})
	}
}

// TestInviteGuessing: keys that open nothing count per network; Odoo is spared, and good keys are never counted.
func TestInviteGuessing(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil, "DOORMAN_TRUSTED_PROXIES=127.0.0.1")
	ask := func(key, from string) int {
		status, _, _ := kit.Get(t, http.MethodGet, s.URL+kit.InvitesPath, "Authorization", "Bearer "+key, "X-Forwarded-For", from)
		return status
	}
	for range 200 {
		if status := ask(o.Options().PersonKey, "192.0.2.1"); status != 200 {
			t.Fatalf("a good key: %d", status)
		}
	}
	limited, began := 0, time.Now()
	for i := range 200 {
		if ask(fmt.Sprint("guess", i), "192.0.2.1") == http.StatusTooManyRequests {
			limited++
		}
	}
	if asked := o.Count("api_list") - 200; asked < 120 || asked > within(120, began) || limited != 200-asked {
		t.Errorf("%d of 200 wrong keys were limited in %s, and Odoo was asked about %d", limited, time.Since(began), asked)
	}
	if status := ask(o.Options().PersonKey, "192.0.2.2"); status != 200 {
		t.Errorf("somebody else's network: %d", status)
	}
}

// TestInviteTokenStaysOut: with everything logged that can be, neither the token nor the key is in the log or the metrics.
func TestInviteTokenStaysOut(t *testing.T) {
	t.Parallel()
	o := odootest.New(t, odootest.Options{PersonKey: "key-" + canary, Canary: canary, WebURL: "https://odoo.example.com"})
	s := kit.Serve(t, append(fakeEnviron(o), "DOORMAN_LOG_LEVEL=trace")...)
	key := []string{"Authorization", "Bearer key-" + canary}
	status, _, body := kit.Send(t, http.MethodPost, s.URL+kit.InvitesPath, `{"scopes":["mcp:search"],"description":"`+canary+`"}`, key...)
	var made struct {
		URL string `json:"invite_url"`
	}
	if err := json.Unmarshal([]byte(body), &made); status != 201 || err != nil {
		t.Fatalf("%d %s", status, body)
	}
	token := kit.InviteLink.FindStringSubmatch(made.URL)[1]
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	kit.Await(t, "Odoo has said where people reach it", func() error {
		status, header, _ := kit.NoFollow(t, http.MethodGet, s.URL+"/oauth/invite/x", "")
		return kit.Unless(header.Get("Location") == "https://odoo.example.com/doorman/invite", status, " ", header)
	})
	paths := []string{"/oauth/invite/" + token, "/oauth/invite/" + token + "/", "/oauth//invite/" + token, "/oauth/invites/" + token, "/" + token,
		"/api/org/mcp/invites/" + token, "/mcp/" + token, "/oauth/invite?token=" + token}
	for _, method := range []string{"GET", "HEAD", "POST", "LAUNCH"} {
		for _, path := range paths {
			r, err := http.NewRequestWithContext(t.Context(), method, s.URL+path, nil)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := client.Do(r)
			if err != nil {
				t.Fatal(err)
			}
			_ = answer.Body.Close()
			to := answer.Header.Get("Location")
			if good := path == paths[0] && (method == "GET" || method == "HEAD"); good != (to == "https://odoo.example.com/doorman/invite#"+token) {
				t.Errorf("%s %s leads to %q", method, path, to)
			}
		}
	}
	for _, fault := range []odootest.Fault{
		{Kind: odootest.Exception, Name: "builtins.ValueError", Message: token + canary},
		{Kind: odootest.HTML, Status: 502}, {Kind: odootest.InvalidJSON}, {Kind: odootest.Truncated},
		{Kind: odootest.Redirect, Location: "http://127.0.0.1:1/" + canary},
	} {
		fault.Methods, fault.Times = []string{"api_list"}, 1
		o.Inject(fault)
		if status, _, body := kit.Get(t, http.MethodGet, s.URL+kit.InvitesPath, key...); status < 500 || strings.Contains(body, canary) || strings.Contains(body, token) {
			t.Errorf("%d %s", status, body)
		}
	}
	_, _, metrics := kit.Get(t, http.MethodGet, s.URL+"/metrics")
	log := s.Log()
	for _, secret := range []string{token, token[:20], canary} {
		if strings.Contains(log, secret) || strings.Contains(metrics, secret) {
			t.Errorf("%q got out", secret)
		}
	}
	for _, line := range []string{`"path":"/oauth/invite/[withheld]"`, `the REST API could not answer`} {
		if !strings.Contains(log, line) {
			t.Errorf("the log has no %s", line)
		}
	}
	if !strings.Contains(metrics, `doorman_odoo_requests_total{method="api_create",outcome="ok"}`) {
		t.Error("requests are not counted")
	}
}

// TestInviteLinkLeadsToOdoo: where Odoo does not say where people reach it, it is where the service reaches it.
func TestInviteLinkLeadsToOdoo(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil)
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	o.Refuse() // the link works while Odoo is away: it is the browser that goes there
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.URL+"/oauth/invite/"+strings.Repeat("t", 43), nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if to := answer.Header.Get("Location"); answer.StatusCode != http.StatusSeeOther || to != o.URL()+"/doorman/invite#"+strings.Repeat("t", 43) {
		t.Errorf("%d %s", answer.StatusCode, to)
	}
	status, header, body := kit.Get(t, http.MethodGet, s.URL+kit.InvitesPath, "Authorization", "Bearer "+o.Options().PersonKey)
	if status != 503 || header.Get("Retry-After") == "" || !strings.Contains(body, "odoo_unavailable") {
		t.Errorf("the API: %d %s", status, body)
	}
}
