package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/api"
	"doorman/server/e2e/kit"
)

// TestOpenAPIRoutes: every route is documented, and every path of the document is a route.
func TestOpenAPIRoutes(t *testing.T) {
	t.Parallel()
	s, _ := overFake(t, nil)
	var routes []string
	for _, r := range api.New(api.Config{}).Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	slices.Sort(routes)
	if documented := slices.Sorted(maps.Keys(kit.FetchOpenAPI(t, s).Operations(t))); !slices.Equal(routes, documented) {
		t.Errorf("routes %v\ndocumented %v", routes, documented)
	}
}

// TestOpenAPI makes the running service give every answer that the document has, and holds each against its schema.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil, "DOORMAN_ODOO_TIMEOUT=1s")
	d := kit.FetchOpenAPI(t, s)
	operations := d.Operations(t)
	seen := map[string]bool{}
	ask := func(name, path, body string, headers ...string) {
		t.Helper()
		method, _, _ := strings.Cut(name, " ")
		status, header, answer := kit.NoFollow(t, method, s.URL+path, body, headers...)
		seen[fmt.Sprint(name, " ", status)] = true
		d.Check(t, operations[name], status, header, answer)
	}
	admin, user := "Bearer "+o.Options().PersonKey, "Bearer "+o.Options().UserKey
	create, one := "POST "+kit.InvitesPath, kit.InvitesPath+"/{id}"
	connect, connection, server := "POST "+kit.ConnectionsPath, kit.ConnectionsPath+"/{id}", "PATCH "+kit.ServerPath
	calls := map[string]struct{ path, asked, body string }{
		create: {kit.InvitesPath, "api_create", kit.WholeInvite}, "GET " + kit.InvitesPath: {kit.InvitesPath, "api_list", ""},
		"GET " + one: {kit.InvitesPath + "/1", "api_get", ""}, "DELETE " + one: {kit.InvitesPath + "/1", "api_revoke", ""},
		"GET /api/org/mcp/audit": {"/api/org/mcp/audit", "api_export", ""},

		connect: {kit.ConnectionsPath, "api_connect", kit.WholeConnection}, "GET " + kit.ConnectionsPath: {kit.ConnectionsPath, "api_connections", ""},
		"GET " + connection:              {kit.ConnectionsPath + "/1", "api_connection", ""},
		"PATCH " + connection:            {kit.ConnectionsPath + "/1", "api_narrow", `{"read_only":true}`},
		"DELETE " + connection:           {kit.ConnectionsPath + "/1", "api_disconnect", ""},
		"POST " + connection + "/rotate": {kit.ConnectionsPath + "/1/rotate", "api_rotate", `{"key_days":1}`},
		"GET " + kit.UsagePath:           {kit.UsagePath, "api_usage", ""},
		"GET " + kit.ServerPath:          {kit.ServerPath, "api_server", ""},
		server:                           {kit.ServerPath, "api_switch_off", `{"enabled":false}`},
	}
	for _, name := range slices.Sorted(maps.Keys(calls)) { // the DELETE first: of an invite that is not there yet
		c := calls[name]
		ask(name, c.path, c.body, "Authorization", admin)
		ask(name, c.path+"?nonsense=1", c.body, "Authorization", admin)
		ask(name, c.path, c.body)
		ask(name, c.path, c.body, "Authorization", "Bearer wrong")
		ask(name, c.path, c.body, "Authorization", user)
		ask(name, c.path, c.body, "Authorization", admin, "Host", "evil.example.com")
		if c.body != "" {
			ask(name, c.path, strings.Repeat(" ", 65<<10), "Authorization", admin)
			ask(name, c.path, c.body, "Authorization", admin, "Content-Type", "text/plain")
		}
		for _, f := range []odootest.Fault{
			{Kind: odootest.Exception, Name: "builtins.ZeroDivisionError"}, {Kind: odootest.HTML, Status: 502}, {Kind: odootest.Never},
		} {
			f.Methods, f.Times = []string{c.asked}, 1
			o.Inject(f)
			ask(name, c.path, c.body, "Authorization", admin)
		}
	}
	for _, row := range []struct{ name, path, body string }{
		{create, kit.InvitesPath, kit.WholeInvite},
		{create, kit.InvitesPath, `{"scopes":["mcp:shell"]}`},
		{create, kit.InvitesPath, `{"scopes":["mcp:nothing"]}`},
		{create, kit.InvitesPath, `{"scopes":["mcp:orm"],"companies":[2]}`},
		{create, kit.InvitesPath, `{"scopes":["mcp:orm"],"account_groups":["base.group_system"]}`},
		{"GET " + kit.InvitesPath, kit.InvitesPath + "?limit=1&state=active", ""},
		{"GET " + one, kit.InvitesPath + "/1", ""},
		{"GET " + one, kit.InvitesPath + "/99", ""},
		{"DELETE " + one, kit.InvitesPath + "/1?connections=revoke", ""},
		{"DELETE " + one, kit.InvitesPath + "/99", ""},
		{connect, kit.ConnectionsPath, `{"name":"k","user":"anna","scopes":["mcp:orm"],"deliver":"key"}`},
		{connect, kit.ConnectionsPath, `{"name":"k","user":"boss","scopes":["mcp:orm"],"deliver":"key"}`},
		{connect, kit.ConnectionsPath, `{"name":"k","user":"anna","scopes":["mcp:orm"],"approve_outward":false}`},
		{connect, kit.ConnectionsPath, `{"name":"k","user":"nobody","scopes":["mcp:orm"]}`},
		{"GET " + kit.ConnectionsPath, kit.ConnectionsPath + "?limit=1&status=awaiting&type=bearer&user=anna", ""},
		{"GET " + connection, kit.ConnectionsPath + "/1", ""},
		{"GET " + connection, kit.ConnectionsPath + "/99", ""},
		{"PATCH " + connection, kit.ConnectionsPath + "/1", `{"read_only":true}`},
		{"PATCH " + connection, kit.ConnectionsPath + "/1", `{"read_only":false}`},
		{"PATCH " + connection, kit.ConnectionsPath + "/99", `{"read_only":true}`},
		{"POST " + connection + "/rotate", kit.ConnectionsPath + "/1/rotate", ""},
		{"POST " + connection + "/rotate", kit.ConnectionsPath + "/99/rotate", ""},
		{"DELETE " + connection, kit.ConnectionsPath + "/1", ""},
		{"DELETE " + connection, kit.ConnectionsPath + "/99", ""},
		{"POST " + connection + "/rotate", kit.ConnectionsPath + "/1/rotate", "{}"},
		{"GET " + kit.UsagePath, kit.UsagePath + "?from=2026-01-01&to=2026-01-31&connection=1&user=admin", ""},
		{"GET " + kit.UsagePath, kit.UsagePath + "?connection=99", ""},
		{server, kit.ServerPath, `{"enabled":true}`},
		{server, kit.ServerPath, `{"enabled":false}`},
	} {
		ask(row.name, row.path, row.body, "Authorization", admin)
	}
	for name, path := range map[string]string{
		"GET /api/openapi.json": "/api/openapi.json", "GET /oauth/invite/{token}": "/oauth/invite/x", "HEAD /oauth/invite/{token}": "/oauth/invite/x",
	} {
		ask(name, path, "")
		ask(name, path, "", "Host", "evil.example.com")
	}
	for name, c := range calls {
		// 120 within a minute are too many; a busy machine may need more than a minute for so many.
		kit.Await(t, name+" is limited", func() error {
			if ask(name, c.path, c.body, "Authorization", admin); seen[name+" 429"] {
				return nil
			}
			for range 120 {
				kit.Get(t, http.MethodGet, s.URL+kit.InvitesPath, "Authorization", "Bearer wrong")
			}
			return errors.New("120 wrong keys are not too many")
		})
	}
	for name, op := range operations {
		for status := range op.Responses {
			if !seen[name+" "+status] {
				t.Errorf("%s never answered %s", name, status)
			}
		}
	}
}

// TestOpenAPIScopes: the scopes that the document enumerates are those of the catalog, in the service and in Odoo.
func TestOpenAPIScopes(t *testing.T) {
	t.Parallel()
	s, _ := overFake(t, nil)
	data, err := os.ReadFile("../../addon/doorman/data/doorman_scope_data.xml")
	if err != nil {
		t.Fatal(err)
	}
	var catalog []access.Scope
	for _, code := range regexp.MustCompile(`<field name="code">([^<]*)</field>`).FindAllSubmatch(data, -1) {
		catalog = append(catalog, access.Scope(code[1]))
	}
	if !slices.Equal(slices.Sorted(slices.Values(catalog)), slices.Sorted(slices.Values(access.Scopes))) {
		t.Errorf("Odoo's catalog has %v, the service %v", catalog, access.Scopes)
	}
	enumerated := 0
	for name, text := range kit.FetchOpenAPI(t, s).Components.Schemas {
		var schema struct {
			Properties map[string]struct {
				Items struct{ Enum []access.Scope }
			}
		}
		if err := json.Unmarshal(text, &schema); err != nil {
			t.Fatal(name, err)
		}
		if scopes, ok := schema.Properties["scopes"]; ok {
			enumerated++
			if !slices.Equal(scopes.Items.Enum, access.Scopes) {
				t.Errorf("%s enumerates %v, the catalog has %v", name, scopes.Items.Enum, access.Scopes)
			}
		}
	}
	if enumerated != 5 {
		t.Errorf("%d schemas have scopes, want those of invites and connections, new ones and shown ones, and of a stricter policy", enumerated)
	}
}

// TestOpenAPIInput: what the document says of a body is what the service takes.
func TestOpenAPIInput(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		operation, path, schema, whole string
		done                           int
		needed                         map[string]any // the least that is taken
	}{
		{"POST " + kit.InvitesPath, kit.InvitesPath, "NewInvite", kit.WholeInvite, http.StatusCreated, map[string]any{"scopes": []string{"mcp:orm"}}},
		{
			"POST " + kit.ConnectionsPath, kit.ConnectionsPath, "NewConnection", kit.WholeConnection, http.StatusCreated,
			map[string]any{"scopes": []string{"mcp:orm"}, "name": "k", "user": "anna"},
		},
		{"PATCH " + kit.ConnectionsPath + "/{id}", kit.ConnectionsPath + "/{made}", "Narrowing", kit.WholeNarrowing, http.StatusOK, nil},
		{"POST " + kit.ConnectionsPath + "/{id}/rotate", kit.ConnectionsPath + "/{made}/rotate", "Rotation", `{"deliver":"link","key_days":1}`, http.StatusOK, nil},
		{"PATCH " + kit.ServerPath, kit.ServerPath, "SwitchOff", `{"enabled":false}`, http.StatusOK, map[string]any{"enabled": false}},
	} {
		t.Run(row.operation, func(t *testing.T) {
			t.Parallel()
			s, o := overFake(t, nil)
			d := kit.FetchOpenAPI(t, s)
			schema := d.Schema(t, d.Operations(t)[row.operation].RequestBody.Content["application/json"].Schema)
			var shown struct{ Properties map[string]any }
			var all map[string]any
			if json.Unmarshal(d.Components.Schemas[row.schema], &shown) != nil || json.Unmarshal([]byte(row.whole), &all) != nil ||
				!slices.Equal(slices.Sorted(maps.Keys(shown.Properties)), slices.Sorted(maps.Keys(all))) {
				t.Fatalf("the document has %v", slices.Sorted(maps.Keys(shown.Properties)))
			}
			key := []string{"Authorization", "Bearer " + o.Options().PersonKey}
			method, _, _ := strings.Cut(row.operation, " ")
			made := 0
			take := func(body map[string]any) (documented, taken bool, answer string) {
				text, err := json.Marshal(body)
				if err != nil {
					t.Fatal(err)
				}
				var v any
				_ = json.Unmarshal(text, &v)
				path := row.path
				if strings.Contains(path, "{made}") { // a new one each time: what was narrowed takes less
					kit.Send(t, http.MethodPost, s.URL+kit.ConnectionsPath, kit.FreeConnection, key...)
					made++
					path = strings.Replace(path, "{made}", fmt.Sprint(made), 1)
				}
				status, _, answer := kit.Send(t, method, s.URL+path, string(text), key...)
				// What Odoo alone refuses is well formed.
				taken = status == row.done || strings.Contains(answer, `"would_widen"`) && status == http.StatusForbidden
				return schema.Validate(v) == nil, taken, answer
			}
			for name := range all {
				for _, value := range []any{all[name], nil, 1.5, -1, 1 << 40, "", "\r\n", true, false, []any{}, []any{nil}, []any{""}, []any{1.5}, map[string]any{}} {
					body := maps.Clone(all)
					body[name] = value
					documented, taken, answer := take(body)
					// The form of a duration, and who there is, are more than a schema can say.
					if documented != taken && !(documented && (strings.HasSuffix(name, "expires_in") || name == "user" || name == "name")) {
						t.Errorf("%s: %v (%T): documented %v, taken %v: %s", name, value, value, documented, taken, answer)
					}
				}
			}
			with := func(name string, value any) map[string]any {
				body := maps.Clone(row.needed)
				if body == nil {
					body = map[string]any{}
				}
				body[name] = value
				return body
			}
			if documented, taken, _ := take(with("nonsense", 1)); documented || taken {
				t.Error("a field that is not documented")
			}
			for _, scope := range append(slices.Clone(access.Scopes), "mcp:nothing", "mcp:", "orm", "MCP:ORM", "mcp:orm ") {
				if shown.Properties["scopes"] == nil {
					break
				}
				known := slices.Contains(access.Scopes, scope)
				if documented, _, _ := take(with("scopes", []access.Scope{scope})); documented != known {
					t.Errorf("scope %q: documented %t, in the catalog %t", scope, documented, known)
				}
			}
			if documented, taken, _ := take(map[string]any{}); documented != (row.needed == nil) || taken != (row.needed == nil) {
				t.Error("nothing at all")
			}
		})
	}
}
