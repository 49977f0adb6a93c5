package app_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"

	"doorman/odoo/odootest"
	"doorman/server/api"
	"doorman/server/app/apptest"
)

// document is /api/openapi.json, as far as the test reads it.
type document struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Responses map[string]response
		Schemas   map[string]json.RawMessage
	}
}

type response struct {
	Ref     string `json:"$ref"`
	Headers map[string]struct {
		Ref      string `json:"$ref"`
		Required bool
	}
	Content map[string]struct{ Schema json.RawMessage }
}

type operation struct {
	Responses   map[string]response
	RequestBody struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
}

// operations are the document's, by "GET /path".
func (d *document) operations(t *testing.T) map[string]operation {
	t.Helper()
	found := map[string]operation{}
	for path, item := range d.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			var op operation
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(err)
			}
			for status, r := range op.Responses {
				if name, isRef := strings.CutPrefix(r.Ref, "#/components/responses/"); isRef {
					op.Responses[status] = d.Components.Responses[name]
				}
			}
			found[strings.ToUpper(method)+" "+path] = op
		}
	}
	return found
}

// schema makes a validator of a schema of the document.
func (d *document) schema(t *testing.T, raw json.RawMessage) *jsonschema.Resolved {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	whole["$defs"] = d.Components.Schemas
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "#/components/schemas/", "#/$defs/")), &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// check holds one answer against the document.
func (d *document) check(t *testing.T, op operation, status int, header http.Header, body string) {
	t.Helper()
	r, documented := op.Responses[fmt.Sprint(status)]
	if !documented {
		t.Fatalf("%d is not documented: %s", status, body)
	}
	for name, h := range r.Headers {
		if (h.Required || h.Ref != "") && header.Get(name) == "" {
			t.Errorf("%d has no header %s", status, name)
		}
	}
	content, told := r.Content["application/json"]
	if !told {
		return
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d is no JSON: %s", status, body)
	}
	if err := d.schema(t, content.Schema).Validate(v); err != nil {
		t.Errorf("%d %s: %v", status, body, err)
	}
}

// fetchDocument asks a running service for it.
func fetchDocument(t *testing.T, s *apptest.Service) *document {
	t.Helper()
	_, _, body := get(t, http.MethodGet, s.URL+"/api/openapi.json")
	d := &document{}
	if err := json.Unmarshal([]byte(body), d); err != nil {
		t.Fatal(err)
	}
	return d
}

// TestOpenAPIRoutes: every route is documented, and every path of the document is a route.
func TestOpenAPIRoutes(t *testing.T) {
	t.Parallel()
	s, _ := overFake(t, nil)
	var routes []string
	for _, r := range api.New(api.Config{}).Routes() {
		routes = append(routes, r.Method+" "+r.Path)
	}
	slices.Sort(routes)
	if documented := slices.Sorted(maps.Keys(fetchDocument(t, s).operations(t))); !slices.Equal(routes, documented) {
		t.Errorf("routes %v\ndocumented %v", routes, documented)
	}
}

// everything is a body with every field of an invite.
const everything = `{"scopes":["mcp:orm","mcp:search"],"max_uses":5,"expires_in":"1d12h","key_name_preset":"k","key_expires_in":"0h","read_only":true,
"allowed_tools":["search_records"],"approval_tools":["create_records"],"allowed_models":["res.partner"],"companies":[1],
"approval_rules":[{"risk":"high","model":"","more_than":5,"reads":false}],"approver":"admin","approver_group":"base.group_user",
"approval_expiry_hours":48,"allowed_ips":["10.0.0.0/8"],"blocked_ips":["10.0.0.1"],"rate_limit_minute":5,"rate_limit_day":50,
"accept_list":["@example.com"],"new_accounts":true,"account_groups":["base.group_user"],"description":"why"}`

// TestOpenAPI makes the running service give every answer that the document has, and holds each against its schema.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil, "DOORMAN_ODOO_TIMEOUT=1s")
	d := fetchDocument(t, s)
	operations := d.operations(t)
	seen := map[string]bool{}
	ask := func(name, path, body string, headers ...string) {
		t.Helper()
		method, _, _ := strings.Cut(name, " ")
		status, header, answer := noFollow(t, method, s.URL+path, body, headers...)
		seen[fmt.Sprint(name, " ", status)] = true
		d.check(t, operations[name], status, header, answer)
	}
	admin, user := "Bearer "+o.Options().PersonKey, "Bearer "+o.Options().UserKey
	create, one := "POST "+invitesPath, invitesPath+"/{id}"
	calls := map[string]struct{ path, asked string }{
		create: {invitesPath, "api_create"}, "GET " + invitesPath: {invitesPath, "api_list"},
		"GET " + one: {invitesPath + "/1", "api_get"}, "DELETE " + one: {invitesPath + "/1", "api_revoke"},
	}
	for _, name := range slices.Sorted(maps.Keys(calls)) { // the DELETE first: of an invite that is not there yet
		c := calls[name]
		ask(name, c.path, everything, "Authorization", admin)
		ask(name, c.path+"?nonsense=1", everything, "Authorization", admin)
		ask(name, c.path, everything)
		ask(name, c.path, everything, "Authorization", "Bearer wrong")
		ask(name, c.path, everything, "Authorization", user)
		ask(name, c.path, everything, "Authorization", admin, "Host", "evil.example.com")
		for _, f := range []odootest.Fault{
			{Kind: odootest.Exception, Name: "builtins.ZeroDivisionError"}, {Kind: odootest.HTML, Status: 502}, {Kind: odootest.Never},
		} {
			f.Methods, f.Times = []string{c.asked}, 1
			o.Inject(f)
			ask(name, c.path, everything, "Authorization", admin)
		}
	}
	ask(create, invitesPath, everything, "Authorization", admin)
	ask(create, invitesPath, `{"scopes":["mcp:shell"]}`, "Authorization", admin)
	ask(create, invitesPath, `{"scopes":["mcp:nothing"]}`, "Authorization", admin)
	ask(create, invitesPath, `{"scopes":["mcp:orm"],"companies":[2]}`, "Authorization", admin)
	ask(create, invitesPath, `{"scopes":["mcp:orm"],"account_groups":["base.group_system"]}`, "Authorization", admin)
	ask(create, invitesPath, strings.Repeat(" ", 65<<10), "Authorization", admin)
	ask(create, invitesPath, everything, "Authorization", admin, "Content-Type", "text/plain")
	ask("GET "+invitesPath, invitesPath+"?limit=1&state=active", "", "Authorization", admin)
	ask("GET "+one, invitesPath+"/1", "", "Authorization", admin)
	ask("GET "+one, invitesPath+"/99", "", "Authorization", admin)
	ask("DELETE "+one, invitesPath+"/1?connections=revoke", "", "Authorization", admin)
	ask("DELETE "+one, invitesPath+"/99", "", "Authorization", admin)
	for name, path := range map[string]string{
		"GET /api/openapi.json": "/api/openapi.json", "GET /oauth/invite/{token}": "/oauth/invite/x", "HEAD /oauth/invite/{token}": "/oauth/invite/x",
	} {
		ask(name, path, "")
		ask(name, path, "", "Host", "evil.example.com")
	}
	for range 120 {
		get(t, http.MethodGet, s.URL+invitesPath, "Authorization", "Bearer wrong")
	}
	for name, c := range calls {
		ask(name, c.path, everything, "Authorization", admin)
	}
	for name, op := range operations {
		for status := range op.Responses {
			if !seen[name+" "+status] {
				t.Errorf("%s never answered %s", name, status)
			}
		}
	}
}

// TestOpenAPIInput: what the document says of a new invite is what the service takes.
func TestOpenAPIInput(t *testing.T) {
	t.Parallel()
	s, o := overFake(t, nil)
	d := fetchDocument(t, s)
	schema := d.schema(t, d.operations(t)["POST "+invitesPath].RequestBody.Content["application/json"].Schema)
	var shown struct{ Properties map[string]any }
	var all map[string]any
	if json.Unmarshal(d.Components.Schemas["NewInvite"], &shown) != nil || json.Unmarshal([]byte(everything), &all) != nil ||
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
		status, _, answer := send(t, http.MethodPost, s.URL+invitesPath, string(text), "Authorization", "Bearer "+o.Options().PersonKey)
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
	if documented, taken, _ := take(map[string]any{}); documented || taken {
		t.Error("nothing at all")
	}
}

// noFollow is send for what may be a redirect.
func noFollow(t *testing.T, method, url, body string, headers ...string) (int, http.Header, string) {
	t.Helper()
	return sendBy(t, &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}, method, url, body, headers...)
}
