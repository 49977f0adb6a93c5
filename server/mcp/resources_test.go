package mcp_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

const (
	oldEra = "2025-11-25"
	newEra = "2026-07-28"
)

// ask sends one request of a protocol version and decodes its result into one.
func ask(t testing.TB, url, era, method, params string, result any) answer {
	t.Helper()
	a := send(t, url, bodyOf(era, method, params), eraHeaders(era, method, params)...)
	if result != nil {
		var all struct{ Result json.RawMessage }
		if err := json.Unmarshal([]byte(a.body), &all); err != nil {
			t.Fatalf("%v: %s", err, a.body)
		}
		if len(all.Result) > 0 {
			if err := json.Unmarshal(all.Result, result); err != nil {
				t.Fatalf("%v: %s", err, a.body)
			}
		}
	}
	return a
}

// bodyOf is a request with params, a JSON object.
func bodyOf(era, method, params string) string {
	if era == newEra {
		meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
		if params != "{}" {
			meta += ","
		}
		params = "{" + meta + strings.TrimPrefix(params, "{")
	}
	return `{"jsonrpc":"2.0","id":1,"method":"` + method + `","params":` + params + `}`
}

func eraHeaders(era, method, params string) []string {
	if era != newEra {
		return nil
	}
	var named struct{ Name, URI string }
	_ = json.Unmarshal([]byte(params), &named)
	return []string{"MCP-Protocol-Version", era, "Mcp-Method", method, "Mcp-Name", named.Name + named.URI}
}

type contents struct {
	Contents []struct{ URI, MIMEType, Text string }
	TTLMs    *int
	// CacheScope must never be public: what one person may read, another may not.
	CacheScope, ResultType string
}

func uri(u string) string { return `{"uri":"` + u + `"}` }

// TestResourceIsWhatTheToolGives: the same rows, the same request to Odoo, in both protocols.
func TestResourceIsWhatTheToolGives(t *testing.T) {
	t.Parallel()
	for _, era := range []string{oldEra, newEra} {
		for _, row := range []struct{ uri, tool, args string }{
			{"odoo://res.partner/1", "read_records", `{"model":"res.partner","ids":[1]}`},
			{"odoo://res.partner/fields", "describe_model", `{"model":"res.partner"}`},
		} {
			t.Run(era+" "+row.uri, func(t *testing.T) {
				t.Parallel()
				f, counted := newFake(), newLimiter()
				url := endpoint(t, f, func(c *mcp.Config) { c.Limiter = counted }).URL
				want := call(t, url, row.tool, row.args)
				asked := f.last()
				var got contents
				a := ask(t, url, era, "resources/read", uri(row.uri), &got)
				if len(got.Contents) != 1 || got.Contents[0].URI != row.uri || got.Contents[0].MIMEType != "application/json" {
					t.Fatal(a.body)
				}
				if want.Result.Content[0].Text != got.Contents[0].Text {
					t.Errorf("the tool gives %s\nthe resource %s", want.Result.Content[0].Text, got.Contents[0].Text)
				}
				if modern := era == newEra; modern != (got.ResultType == "complete") || got.CacheScope != "private" || got.TTLMs == nil || *got.TTLMs != 0 {
					t.Errorf("cache hints: %s", a.body)
				}
				same := f.last()
				if a := same.Audit; a.Method != "resources/read" || a.Tool != row.tool || a.RequestID != "req-1" || a.IP != "192.0.2.1" {
					t.Errorf("recorded as %+v", a)
				}
				if fmt.Sprint(asked.Model, asked.Method, asked.IDs, asked.Kwargs) != fmt.Sprint(same.Model, same.Method, same.IDs, same.Kwargs) {
					t.Errorf("the tool asked %+v\nthe resource %+v", asked, same)
				}
				if counted.count("7") != 2 || counted.count("7:other") != 0 || f.callCount() != 2 {
					t.Errorf("counted %d calls and %d others, %d requests to Odoo", counted.count("7"), counted.count("7:other"), f.callCount())
				}
			})
		}
	}
}

// TestResourceRefused: everything that keeps from the tool keeps from the resource, and Odoo is not asked. The code is the
// protocol's own where there is one.
func TestResourceRefused(t *testing.T) {
	t.Parallel()
	policy := func(how func(*access.Policy)) func(*access.Snapshot) {
		return func(s *access.Snapshot) { how(&s.Connection.Policy) }
	}
	as := func(*access.Snapshot) {}
	for _, row := range []struct {
		name, uri string
		change    func(*access.Snapshot)
		kind      string
		code      int // of 2025-11-25
		modern    int
	}{
		{"no scope for records", "odoo://res.partner/1", policy(func(p *access.Policy) { p.Scopes = []access.Scope{access.ScopeMetadata} }), "not_allowed", -32002, -32602},
		{"no scope for fields", "odoo://res.partner/fields", policy(func(p *access.Policy) { p.Scopes = []access.Scope{access.ScopeSearch} }), "not_allowed", -32002, -32602},
		{"the tool is not on the list", "odoo://res.partner/1", policy(func(p *access.Policy) { p.AllowedTools = []string{"search_records"} }), "not_allowed", -32002, -32602},
		{"the tool is switched off", "odoo://res.partner/fields", func(s *access.Snapshot) { s.Settings.DisabledTools = []string{"describe_model"} }, "not_allowed", -32002, -32602},
		{"the model is not on the list", "odoo://res.partner/1", policy(func(p *access.Policy) { p.AllowedModels = []string{"sale.order"} }), "not_allowed", -32002, -32602},
		{"the model is not on the list, its fields", "odoo://res.partner/fields", policy(func(p *access.Policy) { p.AllowedModels = []string{} }), "not_allowed", -32002, -32602},
		{"the floor", "odoo://ir.rule/1", as, "not_allowed", -32002, -32602},
		{"the floor, its fields", "odoo://ir.rule/fields", as, "not_allowed", -32002, -32602},
		{"another scheme", "file:///etc/passwd", as, "not_found", -32002, -32602},
		{"another case", "ODOO://res.partner/1", as, "not_found", -32002, -32602},
		{"no id", "odoo://res.partner/", as, "not_found", -32002, -32602},
		{"no model", "odoo:///1", as, "not_found", -32002, -32602},
		{"an id of zero", "odoo://res.partner/0", as, "not_found", -32002, -32602},
		{"a negative id", "odoo://res.partner/-1", as, "not_found", -32002, -32602},
		{"an id with a zero before it", "odoo://res.partner/01", as, "not_found", -32002, -32602},
		{"an id beyond 32 bits", "odoo://res.partner/4294967296", as, "not_found", -32002, -32602},
		{"several ids", "odoo://res.partner/1,2", as, "not_found", -32002, -32602},
		{"an escaped slash", "odoo://res.partner/1%2Ffields", as, "not_found", -32002, -32602},
		{"a query", "odoo://res.partner/1?fields=password", as, "not_found", -32002, -32602},
		{"dots", "odoo://../1", as, "not_found", -32002, -32602},
		{"a model with a quote", "odoo://res.partner'/1", as, "not_found", -32002, -32602},
		{"a model in capitals", "odoo://Res.Partner/1", as, "not_found", -32002, -32602},
		{"a control character", `odoo://res.partner/\u0001`, as, "not_found", -32002, -32602},
		{"a very long one", "odoo://" + strings.Repeat("a", 5000) + "/1", as, "not_found", -32002, -32602},
	} {
		for _, era := range []string{oldEra, newEra} {
			if era == newEra && strings.Contains(row.uri, `\u`) {
				continue // cannot be said in the header that has to say it too
			}
			t.Run(row.name+" "+era, func(t *testing.T) {
				t.Parallel()
				f := newFake()
				row.change(f.snapshot)
				a := ask(t, endpoint(t, f).URL, era, "resources/read", uri(row.uri), nil)
				want, status := row.code, 200
				if era == newEra {
					want, status = row.modern, 400
				}
				if a.Error.Code != want || a.status != status || a.kind() != row.kind || f.callCount() != 0 {
					t.Errorf("%d, %d calls: %.500s", a.status, f.callCount(), a.body)
				}
				if hint, _ := a.Error.Data["hint"].(string); hint == "" || a.Error.Data["uri"] == nil {
					t.Errorf("no help: %.500s", a.body)
				}
			})
		}
	}
}

// TestResourceAtTheDoor: what is refused before it is known for what. It is an HTTP status, as for everything but a call.
func TestResourceAtTheDoor(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*access.Snapshot)
		status int
	}{
		"the master switch":  {func(s *access.Snapshot) { s.Settings.Enabled = false }, 403},
		"a blocked address":  {func(s *access.Snapshot) { s.Connection.Policy.BlockedIPs = anywhere }, 403},
		"not activated":      {func(s *access.Snapshot) { s.Connection.Status = access.StatusInactive }, 403},
		"a revoked key":      {func(s *access.Snapshot) { s.Connection.Status = access.StatusRevoked }, 401},
		"a status of no use": {func(s *access.Snapshot) { s.Connection.Status = "?" }, 401},
	} {
		f := newFake()
		row.change(f.snapshot)
		if a := ask(t, endpoint(t, f).URL, oldEra, "resources/read", uri("odoo://res.partner/1"), nil); a.status != row.status || f.callCount() != 0 {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
}

// TestResourceIsRateLimited: reads and calls are one account, and guessing addresses is counted as well.
func TestResourceIsRateLimited(t *testing.T) {
	t.Parallel()
	f, l := newFake(), newLimiter()
	l.after["7"] = 3
	url := endpoint(t, f, func(c *mcp.Config) { c.Limiter = l }).URL
	call(t, url, "search_records", searchPartners)
	ask(t, url, oldEra, "resources/read", uri("odoo://res.partner/1"), nil)
	ask(t, url, oldEra, "resources/read", uri("odoo://no/thing/at/all"), nil)
	a := ask(t, url, oldEra, "resources/read", uri("odoo://res.partner/1"), nil)
	if a.kind() != "rate_limited" || a.Error.Code != 429 || a.Error.Data["retry_after_seconds"] != 7.0 || f.callCount() != 2 {
		t.Errorf("%d calls: %s", f.callCount(), a.body)
	}
	if b := call(t, url, "search_records", searchPartners); b.kind() != "rate_limited" {
		t.Error(b.body)
	}
	l.fail(fmt.Errorf("no limiter"))
	if a := ask(t, url, oldEra, "resources/read", uri("odoo://res.partner/1"), nil); a.kind() != "unavailable" || f.callCount() != 2 {
		t.Error(a.body)
	}
}

// TestHiddenRecordLooksMissing: nobody can tell a record that is not there from one that is hidden.
func TestHiddenRecordLooksMissing(t *testing.T) {
	t.Parallel()
	read := func(answer func() (access.Reply, error)) answer {
		f := newFake()
		f.call = func(access.Fence, access.Request) (access.Reply, error) { return answer() }
		return ask(t, endpoint(t, f).URL, oldEra, "resources/read", uri("odoo://res.partner/7"), nil)
	}
	missing := read(func() (access.Reply, error) { return reply(`[]`), nil })
	hidden := read(func() (access.Reply, error) {
		return access.Reply{}, access.NewError(access.Forbidden, "Sorry, Ann doesn't have 'read' access to: Contact (7)", "")
	})
	if missing.Error.Code != -32002 || missing.kind() != "not_found" || missing.body != hidden.body || missing.status != hidden.status {
		t.Errorf("missing %s\nhidden %s", missing.body, hidden.body)
	}
	for kind, code := range map[access.Kind]int{
		access.UnknownModel: -32002, access.NotAllowed: -32002, access.OdooUnavailable: 503, access.OdooTimeout: 504, access.Unavailable: 503, access.Internal: 500,
	} {
		if a := read(func() (access.Reply, error) {
			return access.Reply{}, access.NewError(kind, "Odoo says so.", "Do this.")
		}); a.Error.Code != code || a.kind() != string(kind) {
			t.Errorf("%s: %s", kind, a.body)
		}
	}
}

// TestGatedResource: a read that a person must approve says so, and nothing is read.
func TestGatedResource(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.snapshot.Connection.Policy.Approvals = true
	f.waits = func(r access.Request) bool { return r.Model == "res.partner" }
	url := endpoint(t, f).URL
	for _, u := range []string{"odoo://res.partner/1", "odoo://res.partner/fields"} {
		a := ask(t, url, oldEra, "resources/read", uri(u), nil)
		if a.kind() != "pending_approval" || a.Error.Code != 403 || !strings.Contains(a.body, "request_id 12") || !strings.Contains(a.body, pendingTwelve.URL) {
			t.Error(a.body)
		}
	}
	if f.callCount() != 2 || f.askedCount() != 2 || string(f.asked[0].Arguments) != `{"ids":[1],"model":"res.partner"}` {
		t.Errorf("%d calls, asked %+v", f.callCount(), f.asked)
	}
}

type templates struct {
	ResourceTemplates []struct{ URITemplate, Name, Title, Description, MIMEType string }
	CacheScope        string
}

// TestTemplatesFollowTheTools: a template is listed for whoever may use its tool.
func TestTemplatesFollowTheTools(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		policy access.Policy
		want   string
	}{
		"all that reads":  {access.Policy{Scopes: []access.Scope{access.ScopeMetadata, access.ScopeSearch}}, "[odoo://{model}/fields odoo://{model}/{id}]"},
		"metadata only":   {access.Policy{Scopes: []access.Scope{access.ScopeMetadata}}, "[odoo://{model}/fields]"},
		"search only":     {access.Policy{Scopes: []access.Scope{access.ScopeSearch}}, "[odoo://{model}/{id}]"},
		"one tool":        {access.Policy{Scopes: access.Scopes, AllowedTools: []string{"read_records"}}, "[odoo://{model}/{id}]"},
		"neither":         {access.Policy{Scopes: access.Scopes, AllowedTools: []string{"get_context"}}, "[]"},
		"no scope at all": {access.Policy{}, "[]"},
	} {
		f := newFake()
		row.policy.RateMinute, row.policy.RateDay = 100, 1000
		f.snapshot.Connection.Policy = row.policy
		var got templates
		a := ask(t, endpoint(t, f).URL, oldEra, "resources/templates/list", `{}`, &got)
		uris := []string{}
		for _, r := range got.ResourceTemplates {
			uris = append(uris, r.URITemplate)
			if r.Name == "" || r.Title == "" || r.Description == "" || r.MIMEType != "application/json" {
				t.Errorf("%+v", r)
			}
		}
		if fmt.Sprint(uris) != row.want || got.CacheScope != "private" || f.callCount() != 0 {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}

type listing struct {
	Resources []struct{ URI, Name, Title string }
	// NextCursor and the others are of the protocol.
	NextCursor, CacheScope string
}

// manyModels is a fake that knows n models beside two that matter.
func manyModels(n int) *fakeGateway {
	f := newFake()
	models := []map[string]any{{"model": "res.partner", "display_name": "Contact"}, {"model": "sale.order", "display_name": "Sales Order"}}
	for i := range n {
		models = append(models, map[string]any{"model": fmt.Sprintf("x.model_%03d", i), "display_name": fmt.Sprintf("Thing %d", i)})
	}
	body, _ := json.Marshal(models)
	f.call = func(fence access.Fence, r access.Request) (access.Reply, error) {
		if r.Method == "models" {
			return reply(string(body)), nil
		}
		return f.answer(fence, r)
	}
	return f
}

// TestResourceList: the models that matter, or those that the connection is limited to, in pages; Odoo is asked once.
func TestResourceList(t *testing.T) {
	t.Parallel()
	t.Run("those that matter", func(t *testing.T) {
		t.Parallel()
		f := manyModels(300)
		url := endpoint(t, f).URL
		for range 3 {
			var got listing
			a := ask(t, url, newEra, "resources/list", `{}`, &got)
			if len(got.Resources) != 2 || got.Resources[0].URI != "odoo://res.partner/fields" || got.Resources[0].Title != "Contact: fields" || got.NextCursor != "" || got.CacheScope != "private" {
				t.Fatal(a.body)
			}
		}
		if f.callCount() != 1 || f.last().Audit.Tool != "list_models" || f.last().Audit.Method != "resources/list" {
			t.Errorf("%d calls, the last %+v", f.callCount(), f.last())
		}
	})
	t.Run("pages", func(t *testing.T) {
		t.Parallel()
		f := manyModels(120)
		f.snapshot.Connection.Policy.AllowedModels = []string{"whatever Odoo makes of it"}
		url := endpoint(t, f).URL
		seen, cursor, pages := map[string]bool{}, "", 0
		for ; pages == 0 || cursor != ""; pages++ {
			var got listing
			a := ask(t, url, oldEra, "resources/list", `{"cursor":"`+cursor+`"}`, &got)
			if len(got.Resources) == 0 || len(got.Resources) > 50 {
				t.Fatal(a.body)
			}
			for _, r := range got.Resources {
				if seen[r.URI] {
					t.Errorf("%s is on two pages", r.URI)
				}
				seen[r.URI] = true
			}
			cursor = got.NextCursor
		}
		if len(seen) != 122 || pages != 3 || f.callCount() != 1 {
			t.Errorf("%d resources on %d pages, %d calls", len(seen), pages, f.callCount())
		}
	})
	for name, change := range map[string]func(*access.Snapshot){
		"may not describe": func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"list_models", "read_records"} },
		"may not list":     func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = []string{"describe_model"} },
		"no scope":         func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{access.ScopeSearch} },
	} {
		t.Run("nothing: "+name, func(t *testing.T) {
			t.Parallel()
			f := manyModels(3)
			change(f.snapshot)
			var got listing
			a := ask(t, endpoint(t, f).URL, oldEra, "resources/list", `{}`, &got)
			if !strings.Contains(a.body, `"resources":[]`) || f.callCount() != 0 || f.askedCount() != 0 {
				t.Errorf("%d calls, asked %d: %s", f.callCount(), f.askedCount(), a.body)
			}
		})
	}
	t.Run("nothing: listing waits for a person", func(t *testing.T) {
		t.Parallel()
		f := manyModels(3)
		f.byTool("list_models")
		url := endpoint(t, f).URL
		for range 3 {
			var got listing
			if a := ask(t, url, oldEra, "resources/list", `{}`, &got); !strings.Contains(a.body, `"resources":[]`) {
				t.Error(a.body)
			}
		}
		if f.callCount() != 1 || f.askedCount() != 0 || !f.calls[0].AskNobody || f.calls[0].Arguments != nil {
			t.Errorf("asked %d: %+v", f.askedCount(), f.calls)
		}
	})
	t.Run("Odoo is down", func(t *testing.T) {
		t.Parallel()
		f := newFake()
		f.call = func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{}, &access.Error{Kind: access.OdooUnavailable, Message: "Odoo is not reachable.", Detail: "secret"}
		}
		if a := ask(t, endpoint(t, f).URL, oldEra, "resources/list", `{}`, nil); a.Error.Code != 503 || a.kind() != "odoo_unavailable" || strings.Contains(a.body, "secret") {
			t.Error(a.body)
		}
	})
}

// TestNamesFollowTheConnection: the list that is kept is of one connection, as it is now.
func TestNamesFollowTheConnection(t *testing.T) {
	t.Parallel()
	f, at := manyModels(0), newClock()
	url := endpoint(t, f, func(c *mcp.Config) { c.Now = at.now }).URL
	var got listing
	ask(t, url, oldEra, "resources/list", `{}`, &got)
	f.change(func(s *access.Snapshot) { s.User.Groups = "g2" })
	f.mu.Lock()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`[{"model":"sale.order","display_name":"Sales Order"}]`), nil
	}
	f.mu.Unlock()
	at.move(3 * time.Second)
	call(t, url, "delete_records", deletePartner) // a refusal asks Odoo who this is, once what is known is two seconds old
	if ask(t, url, oldEra, "resources/list", `{}`, &got); len(got.Resources) != 1 || got.Resources[0].URI != "odoo://sale.order/fields" {
		t.Errorf("%+v", got)
	}
}

// TestCursors: a cursor that is none of ours is refused by every list.
func TestCursors(t *testing.T) {
	t.Parallel()
	url := endpoint(t, manyModels(1)).URL
	good := base64.RawURLEncoding.EncodeToString([]byte("1:zzz"))
	for _, list := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"} {
		for _, cursor := range []string{"x", "!!!", "MTo", "MjphYmM", strings.Repeat("A", 4000), `\u0000`} {
			for _, era := range []string{oldEra, newEra} {
				if a := ask(t, url, era, list, `{"cursor":"`+cursor+`"}`, nil); a.Error.Code != -32602 {
					t.Errorf("%s %s %.20s: %s", era, list, cursor, a.body)
				}
			}
		}
		if a := ask(t, url, oldEra, list, `{}`, nil); a.Error.Message != "" {
			t.Errorf("%s: %s", list, a.body)
		}
	}
	if a := ask(t, url, oldEra, "resources/list", `{"cursor":"`+good+`"}`, nil); !strings.Contains(a.body, `"resources":[]`) {
		t.Errorf("beyond the end: %s", a.body)
	}
}

// TestCapabilities: what is there is said, and nothing else: nothing can be subscribed to, nothing tells of changes.
func TestCapabilities(t *testing.T) {
	t.Parallel()
	url := endpoint(t, newFake()).URL
	const want = `"capabilities":{"completions":{},"prompts":{},"resources":{},"tools":{}}`
	old := ask(t, url, oldEra, "initialize", `{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}`, nil)
	discovered := ask(t, url, newEra, "server/discover", `{}`, nil)
	for _, a := range []answer{old, discovered} {
		var said struct{ Result struct{ Capabilities any } }
		_ = json.Unmarshal([]byte(a.body), &said)
		if got, _ := json.Marshal(said.Result.Capabilities); `"capabilities":`+string(got) != want {
			t.Errorf("%s", a.body)
		}
	}
	for _, method := range []string{"resources/subscribe", "resources/unsubscribe"} {
		if a := ask(t, url, oldEra, method, uri("odoo://res.partner/1"), nil); a.Error.Code != -32601 {
			t.Errorf("%s: %s", method, a.body)
		}
	}
}
