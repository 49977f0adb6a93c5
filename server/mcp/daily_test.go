package mcp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/mcp/tokens"
)

// answering is a fake that gives one answer to every call.
func answering(value string) *fakeGateway {
	f := newFake()
	f.call = func(access.Fence, access.Request) (access.Reply, error) { return reply(value), nil }
	return f
}

// TestDailyReads: what Odoo is asked, once, and what the client gets.
func TestDailyReads(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, tool, args, answer, method, kwargs, want string }{
		{
			"messages", "read_messages", `{"model":"res.partner","id":1,"limit":900,"before_id":77}`,
			`{"name":"Acme","has_more":true,"messages":[
				{"id":9,"date":"2026-11-01 10:00:00","author_id":[3,"Ann"],"email_from":"a@b","subject":false,"body":"<p>Hi<br>you</p><script>x</script>","message_type":"comment","subtype":"Note","internal":true,"tracking":[],"attachments":[{"id":1,"name":"a.pdf","size":5}]},
				{"id":8,"date":"2026-11-01 09:00:00","author_id":false,"email_from":"a@b","subject":"S","body":"","message_type":"notification","tracking":[{"field":"Stage","old":"New","new":"Won"}],"attachments":[]}]}`,
			"read_messages", `{"before":77,"limit":50}`,
			`{"has_more":true,"id":1,"messages":[{"attachments":[{"id":1,"name":"a.pdf","size":5}],"author":{"id":3,"name":"Ann"},"date_utc":"2026-11-01 10:00:00","id":9,"kind":"note","subtype":"Note","text":"Hi\nyou"},` +
				`{"author":"a@b","changes":[{"field":"Stage","new":"Won","old":"New"}],"date_utc":"2026-11-01 09:00:00","id":8,"kind":"log","subject":"S"}],"model":"res.partner","name":"Acme","next_before_id":8}`,
		},
		{
			"everywhere", "search_everywhere", `{"query":" acme ","models":["res.partner"]}`,
			`{"found":[{"model":"res.partner","label":"Contact","records":[{"id":1,"name":"Acme"}],"has_more":true}],"searched":1,"not_searched":[]}`,
			"search_everywhere", `{"limit":5,"models":["res.partner"],"query":"acme"}`,
			`{"found":[{"has_more":true,"label":"Contact","model":"res.partner","records":[{"id":1,"name":"Acme"}]}],"models_searched":1}`,
		},
		{
			"actions", "get_actions", `{"model":"res.partner","id":1}`,
			`{"name":"Acme","actions":[{"method":"action_confirm","label":"Confirm","callable":true}],"hidden":["action_draft"],"status":{"field":"state","value":"draft"}}`,
			"get_actions", `{}`,
			`{"actions":[{"callable":true,"label":"Confirm","method":"action_confirm"}],"id":1,"model":"res.partner","name":"Acme","not_now":["action_draft"],"note":"This connection cannot run them: a person can, in Odoo.","stage":{"field":"state","value":"draft"}}`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := answering(row.answer)
			a := call(t, endpoint(t, f).URL, row.tool, row.args)
			if a.kind() != "" || f.callCount() != 1 {
				t.Fatalf("%d calls: %s", f.callCount(), a.body)
			}
			kwargs, err := json.Marshal(f.last().Kwargs)
			if err != nil || f.last().Method != row.method || string(kwargs) != row.kwargs {
				t.Errorf("asked %s %s", f.last().Method, kwargs)
			}
			got, err := json.Marshal(a.Result.StructuredContent)
			if err != nil || string(got) != row.want {
				t.Errorf("got  %s\nwant %s", got, row.want)
			}
		})
	}
}

// TestDailyReadsRefused: before Odoo is asked.
func TestDailyReadsRefused(t *testing.T) {
	t.Parallel()
	many := strings.TrimSuffix(strings.Repeat(`"res.partner",`, 21), ",")
	for _, row := range []struct{ tool, args, kind, says string }{
		{"read_messages", `{"model":"res.partner"}`, "invalid_input", "id"},
		{"read_messages", `{"id":1}`, "invalid_input", "model"},
		{"read_messages", `{"model":"res.partner","id":-1}`, "invalid_input", "id"},
		{"read_messages", `{"model":"res.partner","id":1,"before_id":-4}`, "invalid_input", "message"},
		{"read_messages", `{"model":"res.partner","id":1,"language":"x;y"}`, "invalid_input", "language"},
		{"read_messages", `{"model":"ir.rule","id":1}`, "not_allowed", "ir.rule"},
		{"search_everywhere", `{}`, "invalid_input", "query"},
		{"search_everywhere", `{"query":" x "}`, "invalid_input", "query"},
		{"search_everywhere", `{"query":"` + strings.Repeat("x", 101) + `"}`, "invalid_input", "query"},
		{"search_everywhere", `{"query":"acme","models":["x'y"]}`, "invalid_input", "model"},
		{"search_everywhere", `{"query":"acme","models":[` + many + `]}`, "invalid_input", "20"},
		{"search_everywhere", `{"query":"acme","models":["res.partner","ir.rule"]}`, "not_allowed", "ir.rule"},
		{"search_everywhere", `{"query":"acme","domain":"[]"}`, "invalid_input", "parameter"},
		{"get_actions", `{"model":"res.partner"}`, "invalid_input", "id"},
		{"get_actions", `{"model":"res.partner","id":4294967296}`, "invalid_input", "id"},
		{"get_actions", `{"model":"ir.rule","id":1}`, "not_allowed", "ir.rule"},
	} {
		t.Run(row.tool+" "+row.args[:min(60, len(row.args))], func(t *testing.T) {
			t.Parallel()
			f := newFake()
			a := call(t, endpoint(t, f).URL, row.tool, row.args)
			if a.kind() != row.kind || !strings.Contains(a.body, row.says) || f.callCount() != 0 {
				t.Fatalf("got %q after %d calls: %s", a.kind(), f.callCount(), a.body)
			}
		})
	}
}

// TestSearchIsForItsScope: none of these tools comes with the scope of writing or metadata alone.
func TestSearchIsForItsScope(t *testing.T) {
	t.Parallel()
	for tool, args := range map[string]string{
		"read_messages": `{"model":"res.partner","id":1}`, "search_everywhere": `{"query":"acme"}`, "get_actions": `{"model":"res.partner","id":1}`,
	} {
		f := newFake()
		f.snapshot.Connection.Policy.Scopes = []access.Scope{access.ScopeMetadata, access.ScopeORM}
		if a := call(t, endpoint(t, f).URL, tool, args); a.kind() != "not_allowed" || f.callCount() != 0 {
			t.Errorf("%s: %s", tool, a.body)
		}
	}
}

// TestLongRepliesAreCut: at a message or a model, and they say how to go on.
func TestLongRepliesAreCut(t *testing.T) {
	t.Parallel()
	message := `{"id":%d,"date":"2026-11-01 10:00:00","author_id":false,"email_from":false,"subject":false,"body":"` + strings.Repeat("long ", 2_000) + `","message_type":"comment"}`
	var messages, models []string
	for i := range 50 {
		messages = append(messages, fmt.Sprintf(message, 100-i))
		models = append(models, `{"model":"m","label":"M","records":[{"id":1,"name":"`+strings.Repeat("x", 4_000)+`"}]}`)
	}
	a := call(t, endpoint(t, answering(`{"name":"A","messages":[`+strings.Join(messages, ",")+`]}`)).URL, "read_messages", `{"model":"res.partner","id":1,"limit":50}`)
	got := a.Result.StructuredContent
	list, _ := got["messages"].([]any)
	if text := a.Result.Content[0].Text; len(text) > 100_000 || len(list) == 0 || len(list) == 50 || got["has_more"] != true || got["next_before_id"] != float64(101-len(list)) {
		t.Errorf("%d letters, %d messages, next %v", len(text), len(list), got["next_before_id"])
	}
	a = call(t, endpoint(t, answering(`{"found":[`+strings.Join(models, ",")+`],"searched":50}`)).URL, "search_everywhere", `{"query":"acme"}`)
	found, _ := a.Result.StructuredContent["found"].([]any)
	if text := a.Result.Content[0].Text; len(text) > 100_000 || len(found) == 0 || len(found) == 50 || !strings.Contains(text, "cut") {
		t.Errorf("%d letters, %d models", len(text), len(found))
	}
}

// TestRowsAreCut: at a record, and say how to go on; a record that does not fit alone says what does.
func TestRowsAreCut(t *testing.T) {
	t.Parallel()
	row := func(id, texts int) string {
		fields := make([]string, texts)
		for i := range fields {
			fields[i] = fmt.Sprintf(`"text_%d":"%s"`, i, strings.Repeat("word ", 380))
		}
		return fmt.Sprintf(`{"id":%d,%s}`, id, strings.Join(fields, ","))
	}
	names, wide := make([]string, 60), map[string]any{"id": map[string]any{"type": "integer", "string": "ID", "store": true, "sortable": true}}
	for i := range names {
		names[i] = fmt.Sprintf("text_%d", i)
		wide[names[i]] = map[string]any{"type": "text", "string": "Text", "store": true, "readonly": false, "sortable": true}
	}
	asked, _ := json.Marshal(names)
	fields, _ := json.Marshal(wide)
	for _, row := range []struct {
		name, rows, tool, args string
		count                  int
		kind                   string
	}{
		{"search", row(1, 20) + "," + row(2, 20) + "," + row(3, 20), "search_records", `{"model":"res.partner","fields":` + string(asked) + `}`, 2, ""},
		{"read", row(1, 20) + "," + row(2, 20) + "," + row(3, 20), "read_records", `{"model":"res.partner","ids":[1,2,3],"fields":` + string(asked) + `}`, 2, ""},
		{"one", row(1, 60), "search_records", `{"model":"res.partner","fields":` + string(asked) + `}`, 0, "too_large"},
		{"one by id", row(1, 60), "read_records", `{"model":"res.partner","ids":[1],"fields":` + string(asked) + `}`, 0, "too_large"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := answering("[" + row.rows + "]")
			f.fields = func(access.Fence) (access.Reply, error) {
				return reply(`{"label":"Contact","order":"id","fields":` + string(fields) + `}`), nil
			}
			a := call(t, endpoint(t, f).URL, row.tool, row.args)
			got := a.Result.StructuredContent
			list, _ := got["records"].([]any)
			if a.kind() != row.kind || len(list) != row.count || tokens.Estimate(a.Result.Content[0].Text) > tokens.Limit {
				t.Fatalf("%s, %d records, %d letters", a.kind(), len(list), len(a.Result.Content[0].Text))
			}
			if note, _ := got["note"].(string); row.kind == "" && (got["has_more"] != true || !strings.Contains(note, "cut")) {
				t.Errorf("has_more %v, note %q", got["has_more"], note)
			}
			if row.kind != "" && !strings.Contains(a.body, "Name fewer fields.") {
				t.Error(a.body)
			}
		})
	}
}

// TestWizard: what opened is told; of one that shows too much, what it takes to go on.
func TestWizard(t *testing.T) {
	t.Parallel()
	for size, whole := range map[int]bool{10: true, 40_000: false} {
		f := writer()
		f.call = func(access.Fence, access.Request) (access.Reply, error) {
			return reply(`{"ids":[1],"names":["A"],"result":"It opens: X","result_model":"x.wizard","wizard":{"handle":"abc","model":"x.wizard","methods":[{"method":"do"}],"fields":[{"name":"` + strings.Repeat("a", size) + `"}]}}`), nil
		}
		a := call(t, endpoint(t, f).URL, "call_method", `{"model":"res.partner","ids":[1],"method":"do_it"}`)
		wizard, _ := a.Result.StructuredContent["wizard"].(map[string]any)
		_, hasFields := wizard["fields"]
		_, hasMethods := wizard["methods"]
		if wizard["handle"] != "abc" || !hasMethods || hasFields != whole || a.kind() != "" || tokens.Estimate(a.Result.Content[0].Text) > tokens.Limit {
			t.Errorf("%d: %.300s", size, a.body)
		}
	}
}

// TestMethodThatDidNothing: whatever a method has returned, the ledger says what it did.
func TestMethodThatDidNothing(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ answer, note string }{
		{`{"ids":[1],"names":["A"],"changed":[]}`, "Nothing has changed"},
		{`{"ids":[1],"names":["A"],"changed":[],"result":"It opens: X"}`, ""},
		{`{"ids":[1],"names":["A"],"changed":[{"model":"x","action":"updated","count":1}]}`, ""},
		{`{"ids":[1],"names":["A"]}`, ""},
	} {
		f := writer()
		f.call = func(access.Fence, access.Request) (access.Reply, error) { return reply(row.answer), nil }
		a := call(t, endpoint(t, f).URL, "call_method", `{"model":"res.partner","ids":[1],"method":"do_it"}`)
		note, _ := a.Result.StructuredContent["note"].(string)
		if a.kind() != "" || !strings.HasPrefix(note, row.note) || (row.note == "") != (note == "") {
			t.Errorf("%s: note %q", row.answer, note)
		}
	}
}

const moneyFields = `{"label":"Order","order":"id","fields":{
"id":{"type":"integer","string":"ID","store":true},
"name":{"type":"char","string":"Name","store":true,"required":true},
"amount":{"type":"monetary","string":"Total","store":true,"currency_field":"currency_id"},
"other":{"type":"monetary","string":"Other","store":true,"currency_field":"gone_id"},
"currency_id":{"type":"many2one","string":"Currency","relation":"res.currency","store":true},
"file":{"type":"binary","string":"File","store":true},
"line_ids":{"type":"one2many","string":"Lines","relation":"sale.line","store":true}}}`

// TestOddMetadata: what a module of anybody's may have written into its fields.
func TestOddMetadata(t *testing.T) {
	t.Parallel()
	f := answering(`{"label":"Odd","order":"id","fields":{"id":{"type":"integer","string":"ID","store":"True","sortable":1,"searchable":"","required":null,"help":false,"selection":false}}}`)
	a := call(t, endpoint(t, f).URL, "describe_model", `{"model":"x.odd"}`)
	want := `"fields":[{"name":"id","type":"integer","label":"ID","not_searchable":true,"not_groupable":true}]`
	if text := a.Result.Content[0].Text; !strings.Contains(text, want) {
		t.Error(text)
	}
}

// TestRichShape: amounts with their currency, files as size, names of linked records; read along in the same request.
func TestRichShape(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.fields = func(access.Fence) (access.Reply, error) { return reply(moneyFields), nil }
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`{"rows":[{"id":1,"amount":12.5,"other":3,"currency_id":[1,"EUR"],"file":"12.3 Kb","line_ids":[4,5,6,7]},{"id":2,"amount":0,"other":0,"currency_id":false,"file":false,"line_ids":[]}],` +
			`"names":{"line_ids":{"4":"Four","6":"Six","7":"Seven"}}}`), nil
	}
	a := call(t, endpoint(t, f).URL, "read_records", `{"model":"sale.order","ids":[1,2,3],"fields":["amount","other","file","line_ids"]}`)
	want := `"records":[{"id":1,"amount":{"amount":12.5,"currency":"EUR"},"other":3,"file":{"size":"12.3 Kb"},"line_ids":{"ids":[4,5,6,7],"names":["Four","Six"]}},` +
		`{"id":2,"amount":0,"other":0,"file":null,"line_ids":{"ids":[]}}]`
	if text := a.Result.Content[0].Text; !strings.Contains(text, want) || !strings.Contains(text, `"missing_ids":[3]`) {
		t.Errorf("got  %s\nwant %s", text, want)
	}
	if got := fmt.Sprint(f.last().Kwargs["fields"], f.last().Kwargs["names"]); got != "[amount other file line_ids currency_id] 3" || f.callCount() != 1 {
		t.Errorf("asked %s, %d times", got, f.callCount())
	}
	call(t, endpoint(t, f).URL, "read_records", `{"model":"sale.order","ids":[1],"fields":["name"]}`)
	if got := fmt.Sprint(f.last().Kwargs); got != "map[fields:[name]]" {
		t.Errorf("asked %s", got)
	}
}

// TestModelsTellWhatTheConnectionMay: not only what its user may.
func TestModelsTellWhatTheConnectionMay(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*access.Policy)
		want   string
	}{
		"with the scope":    {func(*access.Policy) {}, `"create":true,"write":true,"delete":false`},
		"without the scope": {func(p *access.Policy) { p.Scopes = p.Scopes[:2] }, `"create":false,"write":false,"delete":false`},
		"read only":         {func(p *access.Policy) { p.ReadOnly = true }, `"create":false,"write":false,"delete":false`},
		"one tool":          {func(p *access.Policy) { p.AllowedTools = []string{"list_models", "update_records"} }, `"create":false,"write":true,"delete":false`},
	} {
		f := writer()
		f.call = nil
		row.change(&f.snapshot.Connection.Policy)
		a := call(t, endpoint(t, f).URL, "list_models", `{"query":"partner"}`)
		if !strings.Contains(a.Result.Content[0].Text, `{"model":"res.partner","label":"Contact",`+row.want+`}`) {
			t.Errorf("%s: %s", name, a.body)
		}
	}
}
