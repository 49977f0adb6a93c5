package app_test

import (
	"encoding/json"
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
	calls := map[string]struct{ path, asked string }{
		create: {kit.InvitesPath, "api_create"}, "GET " + kit.InvitesPath: {kit.InvitesPath, "api_list"},
		"GET " + one: {kit.InvitesPath + "/1", "api_get"}, "DELETE " + one: {kit.InvitesPath + "/1", "api_revoke"},
		"GET /api/org/mcp/audit": {"/api/org/mcp/audit", "api_export"},
	}
	for _, name := range slices.Sorted(maps.Keys(calls)) { // the DELETE first: of an invite that is not there yet
		c := calls[name]
		ask(name, c.path, kit.WholeInvite, "Authorization", admin)
		ask(name, c.path+"?nonsense=1", kit.WholeInvite, "Authorization", admin)
		ask(name, c.path, kit.WholeInvite)
		ask(name, c.path, kit.WholeInvite, "Authorization", "Bearer wrong")
		ask(name, c.path, kit.WholeInvite, "Authorization", user)
		ask(name, c.path, kit.WholeInvite, "Authorization", admin, "Host", "evil.example.com")
		for _, f := range []odootest.Fault{
			{Kind: odootest.Exception, Name: "builtins.ZeroDivisionError"}, {Kind: odootest.HTML, Status: 502}, {Kind: odootest.Never},
		} {
			f.Methods, f.Times = []string{c.asked}, 1
			o.Inject(f)
			ask(name, c.path, kit.WholeInvite, "Authorization", admin)
		}
	}
	ask(create, kit.InvitesPath, kit.WholeInvite, "Authorization", admin)
	ask(create, kit.InvitesPath, `{"scopes":["mcp:shell"]}`, "Authorization", admin)
	ask(create, kit.InvitesPath, `{"scopes":["mcp:nothing"]}`, "Authorization", admin)
	ask(create, kit.InvitesPath, `{"scopes":["mcp:orm"],"companies":[2]}`, "Authorization", admin)
	ask(create, kit.InvitesPath, `{"scopes":["mcp:orm"],"account_groups":["base.group_system"]}`, "Authorization", admin)
	ask(create, kit.InvitesPath, strings.Repeat(" ", 65<<10), "Authorization", admin)
	ask(create, kit.InvitesPath, kit.WholeInvite, "Authorization", admin, "Content-Type", "text/plain")
	ask("GET "+kit.InvitesPath, kit.InvitesPath+"?limit=1&state=active", "", "Authorization", admin)
	ask("GET "+one, kit.InvitesPath+"/1", "", "Authorization", admin)
	ask("GET "+one, kit.InvitesPath+"/99", "", "Authorization", admin)
	ask("DELETE "+one, kit.InvitesPath+"/1?connections=revoke", "", "Authorization", admin)
	ask("DELETE "+one, kit.InvitesPath+"/99", "", "Authorization", admin)
	for name, path := range map[string]string{
		"GET /api/openapi.json": "/api/openapi.json", "GET /oauth/invite/{token}": "/oauth/invite/x", "HEAD /oauth/invite/{token}": "/oauth/invite/x",
	} {
		ask(name, path, "")
		ask(name, path, "", "Host", "evil.example.com")
	}
	for range 120 {
		kit.Get(t, http.MethodGet, s.URL+kit.InvitesPath, "Authorization", "Bearer wrong")
	}
	for name, c := range calls {
		ask(name, c.path, kit.WholeInvite, "Authorization", admin)
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
	if enumerated != 2 {
		t.Errorf("%d schemas have scopes, want those of a new invite and of an invite", enumerated)
	}
}

// TestOpenAPIInput: what the document says of a new invite is what the service takes.
func TestOpenAPIInput(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil)
	d := kit.FetchOpenAPI(t, s)
	schema := d.Schema(t, d.Operations(t)["POST "+kit.InvitesPath].RequestBody.Content["application/json"].Schema)
	var shown struct{ Properties map[string]any }
	var all map[string]any
	if json.Unmarshal(d.Components.Schemas["NewInvite"], &shown) != nil || json.Unmarshal([]byte(kit.WholeInvite), &all) != nil ||
		!slices.Equal(slices.Sorted(maps.Keys(shown.Properties)), slices.Sorted(maps.Keys(all))) {
		t.Fatalf("the document has %v", slices.Sorted(maps.Keys(shown.Properties)))
	}
	take := func(body map[string]any) (documented, taken bool, answer string) {
		text, err := json.Marshal(body)
		if err != nil {
			t.Fatal(err)
		}
		var v any
		_ = json.Unmarshal(text, &v)
		status, _, answer := kit.Send(t, http.MethodPost, s.URL+kit.InvitesPath, string(text), "Authorization", "Bearer "+o.Options().PersonKey)
		return schema.Validate(v) == nil, status == http.StatusCreated, answer
	}
	for name := range all {
		for _, value := range []any{all[name], nil, 1.5, -1, 1 << 40, "", "\r\n", true, []any{}, []any{nil}, []any{""}, []any{1.5}, map[string]any{}} {
			body := maps.Clone(all)
			body[name] = value
			documented, taken, answer := take(body)
			// The form of a duration is more than its schema can say.
			if documented != taken && !(documented && strings.HasSuffix(name, "expires_in")) {
				t.Errorf("%s: %v (%T): documented %v, taken %v: %s", name, value, value, documented, taken, answer)
			}
		}
	}
	if documented, taken, _ := take(map[string]any{"scopes": []string{"mcp:orm"}, "nonsense": 1}); documented || taken {
		t.Error("a field that is not documented")
	}
	for _, scope := range append(slices.Clone(access.Scopes), "mcp:nothing", "mcp:", "orm", "MCP:ORM", "mcp:orm ") {
		known := slices.Contains(access.Scopes, scope)
		if documented, _, _ := take(map[string]any{"scopes": []access.Scope{scope}}); documented != known {
			t.Errorf("scope %q: documented %t, in the catalog %t", scope, documented, known)
		}
	}
	if documented, taken, _ := take(map[string]any{}); documented || taken {
		t.Error("nothing at all")
	}
}
