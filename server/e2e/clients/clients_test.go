package clients_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// people are the connections that the tests of real clients use.
const people = `
connection("full", admin, scope_ids=[Command.set(env["doorman.scope"].search([]).ids)])
connection("looker", admin, scope_ids=[Command.set([env.ref("doorman.scope_metadata").id])])
connection("partners", admin, allowed_model_ids=[Command.set([env["ir.model"]._get_id("res.partner")])])
dead = connection("revoked", admin)
dead.action_revoke()
env["ir.ui.view"].create({"name": "doorman_test_card", "type": "qweb", "key": "base.doorman_test_card", "arch": """
<t t-name="base.doorman_test_card"><div class="article" t-foreach="docs" t-as="o"><p t-out="o.name"/></div></t>"""})
env["ir.actions.report"].create({"name": "Card", "model": "res.partner", "report_type": "qweb-text",
    "report_name": "base.doorman_test_card"})`

// call is one tools/call, in the form that the clients take.
type call struct {
	Name      string         `json:"name"`
	Arguments map[string]any `json:"arguments"`
}

// everyTool is one good call of each tool, and a key that its structured result must have.
var everyTool = []struct {
	call
	has string
}{
	{call{"get_context", map[string]any{}}, "user"},
	{call{"list_models", map[string]any{"query": "partner", "limit": 5}}, "models"},
	{call{"describe_model", map[string]any{"model": "res.partner", "query": "country"}}, "fields"},
	{call{"search_records", map[string]any{"model": "res.partner", "domain": `[["id",">",0]]`, "limit": 2}}, "records"},
	{call{"read_records", map[string]any{"model": "res.partner", "ids": []int{1, 2147483647}}}, "missing_ids"},
	{call{"aggregate_records", map[string]any{"model": "res.partner", "group_by": []string{"country_id"}}}, "groups"},
	{call{"create_records", map[string]any{"model": "res.partner", "records": `[{"name":"Made by a client"}]`, "dry_run": true}}, "changes"},
	{call{"update_records", map[string]any{"model": "res.partner", "ids": []int{1}, "values": `{"color":3}`}}, "records"},
	{call{"delete_records", map[string]any{"model": "res.partner", "ids": []int{20}, "dry_run": true}}, "changes"},
	{call{"call_method", map[string]any{"model": "res.partner", "ids": []int{1}, "method": "create_company"}}, "note"},
	{call{"post_message", map[string]any{"model": "res.partner", "id": 1, "body": "Hello"}}, "message_id"},
	{call{"search_everywhere", map[string]any{"query": "partner"}}, "found"},
	{call{"read_messages", map[string]any{"model": "res.partner", "id": 1}}, "messages"},
	{call{"get_actions", map[string]any{"model": "res.partner", "id": 1}}, "actions"},
	{call{"schedule_activity", map[string]any{"model": "res.partner", "id": 1, "summary": "Ring"}}, "activity_id"},
	{call{"get_attachment", map[string]any{"model": "res.partner", "id": 1}}, "files"},
	{call{"get_report", map[string]any{"model": "res.partner", "ids": []int{1}}}, "link"},
	{call{"request_upload", map[string]any{"model": "res.partner", "id": 1, "name": "a.txt"}}, "link"},
	{call{"request_upload", map[string]any{"model": "res.partner", "id": 1, "name": "a.txt", "text": "hello"}}, "attachment_id"},
	{call{"export_records", map[string]any{"model": "res.partner", "fields": []string{"name"}}}, "link"},
}

// refusedCalls must come back as results that a model can read, through every client.
var refusedCalls = []struct {
	key string
	call
	kind string
}{
	{"full", call{"search_records", map[string]any{"model": "no.such.model"}}, "unknown_model"},
	{"full", call{"search_records", map[string]any{"model": "res.partner", "fields": []string{"nmae"}}}, "unknown_field"},
	{"full", call{"search_records", map[string]any{"model": "res.partner", "limt": 3}}, "invalid_input"},
	{"full", call{"read_records", map[string]any{"model": "res.partner"}}, "invalid_input"},
	{"looker", call{"search_records", map[string]any{"model": "res.partner"}}, "not_allowed"},
	{"looker", call{"approval_status", map[string]any{"request_id": 2147483647}}, "not_found"},
	{"partners", call{"search_records", map[string]any{"model": "res.users"}}, "not_allowed"},
}

// job is what clients.mjs is asked to do; answer is what it saw in one session.
type (
	job struct {
		URL      string    `json:"url"`
		Sessions []session `json:"sessions"`
	}
	session struct {
		Key   string `json:"key"`
		Calls []call `json:"calls"`
	}
	answer struct {
		Protocol, Server string
		Tools            []string
		Results          []toolResult
		Failed           *struct {
			Name, Message, Data string
			Status              int
		}
	}
	toolResult struct {
		IsError           bool
		StructuredContent map[string]any
		Content           []struct{ Type, Text string }
		Thrown            string
	}
)

// TestRealClients lets the clients that people have work with a Doorman over a real Odoo.
func TestRealClients(t *testing.T) {
	node := kit.NeedNode(t)
	o := kit.RealOdoo(t, 0, people)
	s := kit.Serve(t, o.Environ()...)
	for _, row := range []struct{ flavour, protocol string }{
		{"v1", "2025-11-25"},
		{"v2-legacy", "2025-11-25"},
		{"v2-auto", "2026-07-28"},
		{"v2-modern", "2026-07-28"},
	} {
		t.Run("typescript "+row.flavour, func(t *testing.T) {
			checkClient(t, node, row.flavour, row.protocol, s.MCP, o)
			t.Run("401", func(t *testing.T) { checkDeadKeys(t, node, row.flavour, s.MCP, o) })
		})
	}
	// Not with a wrong key: the bridge answers a 401 with a sign-in in the browser, header or not.
	t.Run("mcp-remote", func(t *testing.T) { checkClient(t, node, "mcp-remote", "", s.MCP, o) })
	t.Run("inspector", func(t *testing.T) { checkInspector(t, node, s.MCP, o) })
}

// checkClient lets one client list and call everything, with each of the connections.
func checkClient(t *testing.T, node *kit.Interpreter, flavour, protocol, url string, o *kit.Odoo) {
	names := []string{"full", "looker", "partners"}
	j := job{URL: url}
	for _, name := range names {
		one := session{Key: o.Text(name), Calls: []call{}}
		if name == "full" {
			for _, tool := range everyTool {
				one.Calls = append(one.Calls, tool.call)
			}
		}
		for _, row := range refusedCalls {
			if row.key == name {
				one.Calls = append(one.Calls, row.call)
			}
		}
		j.Sessions = append(j.Sessions, one)
	}
	answers := runClient(t, node, flavour, j)
	for i, a := range answers {
		if a.Failed != nil {
			t.Fatalf("%s: %s: %s", names[i], a.Failed.Name, a.Failed.Message)
		}
		if a.Server != "doorman" || a.Protocol != protocol {
			t.Errorf("%s: connected to %q at %q, want doorman at %q", names[i], a.Server, a.Protocol, protocol)
		}
	}
	for i, want := range [][]string{kit.AllTools, kit.LookerTools, kit.SearcherTools} {
		if !slices.Equal(answers[i].Tools, want) {
			t.Errorf("%s sees the tools %v, want %v", names[i], answers[i].Tools, want)
		}
	}
	for _, tool := range everyTool {
		t.Run(tool.Name, func(t *testing.T) { checkGood(t, next(&answers[0]), tool.has) })
	}
	for _, row := range refusedCalls {
		t.Run("deny "+row.key+" "+row.kind, func(t *testing.T) {
			checkRefused(t, next(&answers[slices.Index(names, row.key)]), row.kind)
		})
	}
}

// next takes the first result of those that are left.
func next(a *answer) (r toolResult) {
	r, a.Results = a.Results[0], a.Results[1:]
	return r
}

// checkGood: the client took the result, so it fits the tool's output schema; the text says the same as the structure.
func checkGood(t *testing.T, r toolResult, has string) {
	if r.Thrown != "" || r.IsError {
		t.Fatalf("failed: %s %v", r.Thrown, r.StructuredContent)
	}
	if _, ok := r.StructuredContent[has]; !ok {
		t.Fatalf("the result has no %s: %v", has, r.StructuredContent)
	}
	var same map[string]any
	if len(r.Content) != 1 || json.Unmarshal([]byte(r.Content[0].Text), &same) != nil || len(same) != len(r.StructuredContent) {
		t.Fatalf("the text is not the structured result: %v", r.Content)
	}
}

func checkRefused(t *testing.T, r toolResult, kind string) {
	if r.Thrown != "" {
		t.Fatalf("the client threw instead of showing the refusal: %s", r.Thrown)
	}
	message, _ := r.StructuredContent["message"].(string)
	if !r.IsError || r.StructuredContent["kind"] != kind {
		t.Fatalf("got isError %v, %v, want kind %s", r.IsError, r.StructuredContent, kind)
	}
	if len(r.Content) != 1 || message == "" || !strings.HasPrefix(r.Content[0].Text, message) {
		t.Fatalf("the refusal cannot be read as text: %v", r.Content)
	}
}

// checkDeadKeys: a key that opens nothing is a 401 that the client shows as one, with our words.
func checkDeadKeys(t *testing.T, node *kit.Interpreter, flavour, url string, o *kit.Odoo) {
	names := []string{"unknown key", "revoked key", "no key of ours"}
	answers := runClient(t, node, flavour, job{URL: url, Sessions: []session{
		{Key: "dmk_" + strings.Repeat("0", 40)}, {Key: o.Text("revoked")}, {Key: "x"},
	}})
	for i, a := range answers {
		switch {
		case a.Failed == nil:
			t.Errorf("%s: let in", names[i])
		case a.Failed.Status != 401 || !strings.Contains(a.Failed.Message+a.Failed.Data, "This key or token is invalid"):
			t.Errorf("%s: %+v", names[i], *a.Failed)
		}
	}
}

func runClient(t *testing.T, node *kit.Interpreter, flavour string, j job) []answer {
	t.Helper()
	stdin, err := json.Marshal(j)
	if err != nil {
		t.Fatal(err)
	}
	out := node.Run(t, nil, string(stdin), "clients.mjs", flavour)
	var answers []answer
	if err := json.Unmarshal([]byte(out.Stdout), &answers); err != nil || out.Code != 0 || len(answers) != len(j.Sessions) {
		t.Fatalf("clients.mjs: exit %d, %v\n%s\n%s", out.Code, err, out.Stdout, out.Stderr)
	}
	for i, a := range answers {
		if a.Failed == nil && len(a.Results) != len(j.Sessions[i].Calls) {
			t.Fatalf("session %d: %d results", i, len(a.Results))
		}
	}
	return answers
}
