package mcp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
)

// researcher is a connection that offers search and fetch, with what Odoo answers to both.
func researcher() *fakeGateway {
	f := newFake()
	f.snapshot.Connection.Policy.ResearchTools = true
	f.call = func(_ access.Fence, r access.Request) (access.Reply, error) {
		if r.Method == "search" {
			return reply(`{"results":[{"id":"res.partner:1","title":"Acme (Contact)","url":"https://odoo.example/odoo/res.partner/1"}]}`), nil
		}
		return reply(`{"rows":[{"id":1,"display_name":"Acme","name":"Acme","active":true,"comment":"<p>Hi<br>there</p>","parent_id":[3,"Holding"],` +
			`"child_ids":[4,5,6,7],"ref":false}],"names":{"child_ids":{"4":"Ann","5":"Bob"}},"url":"https://odoo.example/odoo/res.partner/1"}`), nil
	}
	return f
}

// TestResearchContract: names, arguments and answers are those that OpenAI's research clients ask for, as content and as
// text, in one request to Odoo each.
func TestResearchContract(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ tool, args, method, want string }{
		{"search", `{"query":" Acme "}`, "search",
			`{"results":[{"id":"res.partner:1","title":"Acme (Contact)","url":"https://odoo.example/odoo/res.partner/1"}]}`},
		{"search", `{"query":"Acme","toolCallId":"x"}`, "search",
			`{"results":[{"id":"res.partner:1","title":"Acme (Contact)","url":"https://odoo.example/odoo/res.partner/1"}]}`},
		{"fetch", `{"id":"res.partner:1"}`, "fetch", ""},
	} {
		f := researcher()
		url := endpoint(t, f).URL
		call(t, url, "describe_model", searchPartners) // what is known of the model is kept
		before := f.callCount()
		a := call(t, url, row.tool, row.args)
		if a.kind() != "" || f.callCount() != before+1 || f.last().Method != row.method {
			t.Fatalf("%s: %d calls: %s", row.tool, f.callCount()-before, a.body)
		}
		structured, err := json.Marshal(a.Result.StructuredContent)
		if err != nil || len(a.Result.Content) != 1 {
			t.Fatalf("%v, %d contents", err, len(a.Result.Content))
		}
		var fromText map[string]any
		if json.Unmarshal([]byte(a.Result.Content[0].Text), &fromText) != nil || fmt.Sprint(fromText) != fmt.Sprint(a.Result.StructuredContent) {
			t.Errorf("as text %s, as content %s", a.Result.Content[0].Text, structured)
		}
		if row.want != "" && string(structured) != row.want {
			t.Errorf("got  %s\nwant %s", structured, row.want)
		}
	}
}

// TestFetched: a record as a person would read it, with what is asked for to tell it.
func TestFetched(t *testing.T) {
	t.Parallel()
	f := researcher()
	a := call(t, endpoint(t, f).URL, "fetch", `{"id":"res.partner:1"}`)
	got := a.Result.StructuredContent
	if got["id"] != "res.partner:1" || got["title"] != "Acme" || got["url"] != "https://odoo.example/odoo/res.partner/1" ||
		fmt.Sprint(got["metadata"]) != "map[model:res.partner record_id:1]" {
		t.Errorf("%s", a.body)
	}
	text, _ := got["text"].(string)
	for _, want := range []string{"Contact: Acme\n", ": Holding\n", ": yes\n", "Hi\nthere", ": Ann, Bob, and 2 more\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in %s", want, text)
		}
	}
	if strings.Contains(text, "false") || strings.Contains(text, "<p>") || strings.Contains(text, "null") {
		t.Error(text)
	}
	if r := f.last(); r.Model != "res.partner" || fmt.Sprint(r.IDs) != "[1]" || !strings.Contains(fmt.Sprint(r.Kwargs["fields"]), "comment") {
		t.Errorf("asked for %v %v %v", r.Model, r.IDs, r.Kwargs)
	}
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`{"rows":[],"names":{},"url":"x"}`), nil
	}
	if a := call(t, endpoint(t, f).URL, "fetch", `{"id":"res.partner:1"}`); a.kind() != "not_found" {
		t.Error(a.body)
	}
}

// TestResearchRefused: before Odoo is asked.
func TestResearchRefused(t *testing.T) {
	t.Parallel()
	policy := func(how func(*access.Policy)) func(*fakeGateway) {
		return func(f *fakeGateway) { how(&f.snapshot.Connection.Policy) }
	}
	nothing := func(*fakeGateway) {}
	for _, row := range []struct {
		name, tool, args, kind string
		change                 func(*fakeGateway)
	}{
		{"allow", "search", `{"query":"Acme"}`, "", nothing},
		{"allow a long question", "search", `{"query":"` + strings.Repeat("x", 1000) + `"}`, "", nothing},
		{"allow", "fetch", `{"id":"res.partner:1"}`, "", nothing},
		{"allow where only is read", "fetch", `{"id":"res.partner:1"}`, "", policy(func(p *access.Policy) { p.ReadOnly = true })},
		{"no query", "search", `{}`, "invalid_input", nothing},
		{"a letter", "search", `{"query":" x "}`, "invalid_input", nothing},
		{"too long a question", "search", `{"query":"` + strings.Repeat("x", 1001) + `"}`, "invalid_input", nothing},
		{"an argument more", "search", `{"query":"Acme","limit":5}`, "invalid_input", nothing},
		{"no id", "fetch", `{}`, "invalid_input", nothing},
		{"a number alone", "fetch", `{"id":"1"}`, "invalid_input", nothing},
		{"an id of zero", "fetch", `{"id":"res.partner:0"}`, "invalid_input", nothing},
		{"an id beyond 32 bits", "fetch", `{"id":"res.partner:4294967297"}`, "invalid_input", nothing},
		{"two ids", "fetch", `{"id":"res.partner:1:2"}`, "invalid_input", nothing},
		{"not a model", "fetch", `{"id":"Res.Partner:1"}`, "invalid_input", nothing},
		{"a model of the floor", "fetch", `{"id":"ir.rule:1"}`, "not_allowed", nothing},
		{"a model off the list", "fetch", `{"id":"res.country:1"}`, "not_allowed", policy(func(p *access.Policy) { p.AllowedModels = []string{"res.partner"} })},
		{"the switch off", "search", `{"query":"Acme"}`, "not_allowed", policy(func(p *access.Policy) { p.ResearchTools = false })},
		{"the switch off", "fetch", `{"id":"res.partner:1"}`, "not_allowed", policy(func(p *access.Policy) { p.ResearchTools = false })},
		{"the switch off, by name on the list", "fetch", `{"id":"res.partner:1"}`, "not_allowed",
			policy(func(p *access.Policy) { p.ResearchTools, p.AllowedTools = false, []string{"fetch"} })},
		{"not on the list of tools", "search", `{"query":"Acme"}`, "not_allowed", policy(func(p *access.Policy) { p.AllowedTools = []string{"fetch"} })},
		{"without its scope", "search", `{"query":"Acme"}`, "not_allowed",
			policy(func(p *access.Policy) { p.Scopes = []access.Scope{access.ScopeMetadata, access.ScopeORM} })},
		{"off in the catalog", "fetch", `{"id":"res.partner:1"}`, "not_allowed", func(f *fakeGateway) { f.snapshot.Settings.DisabledTools = []string{"fetch"} }},
	} {
		t.Run(row.tool+" "+row.name, func(t *testing.T) {
			t.Parallel()
			f := researcher()
			row.change(f)
			a := call(t, endpoint(t, f).URL, row.tool, row.args)
			if a.kind() != row.kind || f.callCount() > 0 != (row.kind == "") {
				t.Errorf("got %q after %d calls: %s", a.kind(), f.callCount(), a.body)
			}
		})
	}
}

// TestResearchIsListed where it may be called, and nowhere else.
func TestResearchIsListed(t *testing.T) {
	t.Parallel()
	for _, on := range []bool{true, false} {
		f := researcher()
		f.snapshot.Connection.Policy.ResearchTools = on
		body := send(t, endpoint(t, f).URL, listTools).body
		for _, name := range []string{"search", "fetch"} {
			if strings.Contains(body, `"name":"`+name+`"`) != on {
				t.Errorf("%s with the switch at %t: %s", name, on, body)
			}
		}
	}
}

// TestCopiesRefused: before Odoo is asked.
func TestCopiesRefused(t *testing.T) {
	t.Parallel()
	many := strings.TrimSuffix(strings.Repeat("1,", 21), ",")
	for i := range 21 {
		many = strings.Replace(many, "1,", fmt.Sprintf("%d ,", i+100), 1)
	}
	for args, says := range map[string]string{
		`{"model":"res.partner"}`:                                                               "ids is missing",
		`{"model":"res.partner","ids":[1,1]}`:                                                   "listed twice",
		`{"model":"res.partner","ids":[` + many + `]}`:                                          "limit of 20",
		`{"model":"res.partner","ids":[0]}`:                                                     "not a record id",
		`{"model":"res.partner","ids":[1],"values":[]}`:                                         "not a JSON object",
		`{"model":"res.partner","ids":[1],"values":{"nmae":"x"}}`:                               "Did you mean name",
		`{"model":"res.partner","ids":[1],"values":"{"}`:                                        "not a JSON object",
		`{"model":"res.partner","ids":[1],"default":{"name":"x"}}`:                              "no parameter",
		`{"model":"ir.rule","ids":[1]}`:                                                         "ir.rule",
		`{"model":"res.partner","ids":[1],"idempotency_key":"` + strings.Repeat("k", 65) + `"}`: "longer than 64",
	} {
		f := writer()
		a := call(t, endpoint(t, f).URL, "copy_records", args)
		if a.kind() == "" || !strings.Contains(fmt.Sprint(a.Result), says) || f.callCount() != 0 {
			t.Errorf("%s: %d calls: %s", args, f.callCount(), a.body)
		}
	}
}
