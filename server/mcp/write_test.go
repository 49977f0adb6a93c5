package mcp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
)

// writer is a fake whose connection may write, and that answers changes.
func writer() *fakeGateway {
	f := newFake()
	f.snapshot.Connection.Policy.Scopes = append(f.snapshot.Connection.Policy.Scopes, access.ScopeORM)
	f.call = func(_ access.Fence, r access.Request) (access.Reply, error) {
		if r.DryRun {
			return reply(`{"changes":[{"id":1,"name":"Acme","before":{"comment":"<p>a</p>","parent_id":false},"after":{"comment":"<p>b</p>","parent_id":[3,"Holding"]}}]}`), nil
		}
		switch r.Method {
		case "call_method":
			return reply(`{"ids":[1],"names":["Acme"],"url":"https://odoo.example/odoo/res.partner/","result":"true"}`), nil
		case "activity_schedule":
			return reply(`{"ids":[1],"names":["Acme"],"url":"https://odoo.example/odoo/res.partner/","activity_id":5}`), nil
		case "message_post":
			return reply(`{"ids":[1],"names":["Acme"],"url":"https://odoo.example/odoo/res.partner/","message_id":9}`), nil
		}
		return reply(`{"ids":[1],"names":["Acme"],"url":"https://odoo.example/odoo/res.partner/"}`), nil
	}
	return f
}

// goodWrites is one good call of each tool that changes something, and the request that it becomes.
var goodWrites = []struct{ tool, args, method, kwargs string }{
	{"create_records", `{"model":"res.partner","records":"[{\"name\":\"A\",\"color\":1000000}]"}`, "create", `{"vals_list":[{"name":"A","color":1000000}]}`},
	{"create_records", `{"model":"res.partner","records":[{"name":"A"},{"name":"B"}]}`, "create", `{"vals_list":[{"name":"A"},{"name":"B"}]}`},
	{"create_records", `{"model":"res.partner","records":{"name":"A"}}`, "create", `{"vals_list":[{"name":"A"}]}`},
	{"create_records", `{"model":"res.partner","records":"{\"name\":\"A\"}"}`, "create", `{"vals_list":[{"name":"A"}]}`},
	{"copy_records", `{"model":"res.partner","ids":[1]}`, "copy", `{"default":{}}`},
	{"copy_records", `{"model":"res.partner","ids":[1,2],"values":"{\"name\":\"A\",\"color\":1000000}"}`, "copy", `{"default":{"name":"A","color":1000000}}`},
	{"copy_records", `{"model":"res.partner","ids":[1],"values":{"child_ids":[[5,0,0]]}}`, "copy", `{"default":{"child_ids":[[5,0,0]]}}`},
	{"update_records", `{"model":"res.partner","ids":[1,2],"values":"{\"child_ids\":[[4,7,0]]}"}`, "write", `{"vals":{"child_ids":[[4,7,0]]}}`},
	{"update_records", `{"model":"res.partner","ids":[1],"values":{"ref":null}}`, "write", `{"vals":{"ref":null}}`},
	{"update_records", `{"model":"res.partner","records":[{"id":1,"ref":"A"},{"id":2,"name":"B"}]}`, "write", `{"vals_each":[{"ref":"A"},{"name":"B"}]}`},
	{"update_records", `{"model":"res.partner","records":"[{\"id\":1,\"ref\":\"A\"}]"}`, "write", `{"vals_each":[{"ref":"A"}]}`},
	{"delete_records", `{"model":"res.partner","ids":[1]}`, "unlink", `{}`},
	{"call_method", `{"model":"res.partner","ids":[1],"method":"create_company"}`, "call_method", `{"kwargs":{},"method":"create_company"}`},
	{"call_method", `{"model":"res.partner","method":"do_it","kwargs":{"a":1.0}}`, "call_method", `{"kwargs":{"a":1.0},"method":"do_it"}`},
	{"call_method", `{"model":"res.partner","method":"do_it","kwargs":"{\"a\":[1]}"}`, "call_method", `{"kwargs":{"a":[1]},"method":"do_it"}`},
	{"post_message", `{"model":"res.partner","id":1,"body":"Hi"}`, "message_post", `{"body":"Hi","kind":"note"}`},
	{"post_message", `{"model":"res.partner","id":1,"body":"Hi","kind":"comment","notify_partner_ids":[3]}`, "message_post", `{"body":"Hi","kind":"comment","partner_ids":[3]}`},
	{"schedule_activity", `{"model":"res.partner","id":1}`, "activity_schedule", `{}`},
	{"send_document", `{"model":"res.partner","id":1}`, "send_document", `{}`},
	{"send_document", `{"model":"res.partner","id":1,"template":" Offer ","partner_ids":[3],"emails":["a@b.example"]}`, "send_document",
		`{"emails":["a@b.example"],"partner_ids":[3],"template":"Offer"}`},
	{"send_document", `{"model":"res.partner","id":1,"subject":"Hi","body":"So **much**"}`, "send_document",
		`{"body":"So **much**","html":{"So **much**":"\u003cp\u003eSo \u003cstrong\u003emuch\u003c/strong\u003e\u003c/p\u003e"},"subject":"Hi"}`},
	{"schedule_activity", `{"model":"res.partner","id":1,"activity_type":" Call ","summary":"Ring","user":"ann","date_deadline":"2026-12-31","note":" "}`, "activity_schedule",
		`{"activity_type":"Call","date_deadline":"2026-12-31","summary":"Ring","user":"ann"}`},
}

// TestWritesBecomeOneRequest: what Odoo is asked, once, and what the client gets.
func TestWritesBecomeOneRequest(t *testing.T) {
	f := writer()
	url := endpoint(t, f).URL
	for _, row := range goodWrites {
		t.Run(row.tool+" "+row.args, func(t *testing.T) {
			before := f.callCount()
			a := call(t, url, row.tool, row.args)
			if a.kind() != "" || f.callCount() != before+1 {
				t.Fatalf("%d calls: %s", f.callCount()-before, a.body)
			}
			r := f.last()
			kwargs, err := json.Marshal(r.Kwargs)
			if err != nil || r.Method != row.method || string(kwargs) != row.kwargs {
				t.Errorf("asked %s %s, want %s %s", r.Method, kwargs, row.method, row.kwargs)
			}
			if got := fmt.Sprint(a.Result.StructuredContent["records"]); got != "[map[id:1 name:Acme url:https://odoo.example/odoo/res.partner/1]]" {
				t.Errorf("records: %s", got)
			}
		})
	}
}

func TestWriteParameters(t *testing.T) {
	f := writer()
	url := endpoint(t, f).URL
	call(t, url, "update_records", `{"model":"res.partner","ids":[1],"values":{"name":"x"},"idempotency_key":"k","language":"fr_FR","company_id":3}`)
	r := f.last()
	if r.IdempotencyKey != "k" || r.Context["lang"] != "fr_FR" || fmt.Sprint(r.Context["allowed_company_ids"]) != "[3]" || r.DryRun {
		t.Errorf("asked %+v", r)
	}
	a := call(t, url, "update_records", `{"model":"res.partner","ids":[1],"values":{"name":"x"},"dry_run":true}`)
	if !f.last().DryRun || a.Result.StructuredContent["dry_run"] != true || !strings.Contains(a.body, "Nothing was changed") {
		t.Errorf("%s", a.body)
	}
	changes, err := json.Marshal(a.Result.StructuredContent["changes"])
	want := `[{"after":{"comment":"b","parent_id":{"id":3,"name":"Holding"}},"before":{"comment":"a","parent_id":null},"id":1,"name":"Acme"}]`
	if err != nil || string(changes) != want {
		t.Errorf("changes %s, want %s", changes, want)
	}
}

// TestWritesAreRefusedBeforeOdooIsAsked: what is plainly wrong costs Odoo nothing.
func TestWritesAreRefusedBeforeOdooIsAsked(t *testing.T) {
	f := writer()
	url := endpoint(t, f).URL
	ids := strings.Trim(strings.Join(strings.Fields(fmt.Sprint(make([]int, 101))), ","), "[]")
	many := strings.TrimSuffix(strings.Repeat(`{"name":"x"},`, 101), ",")
	for _, row := range []struct{ tool, args, kind, says string }{
		{"create_records", `{"model":"res.partner"}`, "invalid_input", "records"},
		{"create_records", `{"model":"res.partner","records":[]}`, "invalid_input", "records"},
		{"create_records", `{"model":"res.partner","records":"x"}`, "invalid_input", "records"},
		{"create_records", `{"model":"res.partner","records":[7]}`, "invalid_input", "not a JSON object"},
		{"create_records", `{"model":"res.partner","records":[null]}`, "invalid_input", "not a JSON object"},
		{"create_records", `{"model":"res.partner","records":[` + many + `]}`, "invalid_input", "101 records"},
		{"create_records", `{"model":"res.partner","records":[{"nmae":"x"}]}`, "unknown_field", "Did you mean name"},
		{"create_records", `{"model":"res.partner","records":[{"name":"x"},{"nmae":"x"}]}`, "unknown_field", "Did you mean name"},
		{"create_records", `{"model":"res.partner","records":"[{\"name\":\"x\",\"name\":\"y\"}]"}`, "invalid_input", "twice"},
		{"create_records", `{"model":"res.partner","records":[{"image_1920":"eA=="}]}`, "invalid_input", "file"},
		{"create_records", `{"model":"res.partner","recods":[]}`, "invalid_input", "Did you mean records"},
		{"create_records", `{"records":[{"name":"x"}]}`, "invalid_input", "model"},
		{"create_records", `{"model":"ir.rule","records":[{"name":"x"}]}`, "not_allowed", "ir.rule"},
		{"create_records", `{"model":"res.partner","records":[{"name":"x"}],"idempotency_key":"` + strings.Repeat("k", 65) + `"}`, "invalid_input", "64"},
		{"create_records", `{"model":"res.partner","records":[{"name":"x"}],"dry_run":"yes"}`, "invalid_input", "dry_run"},
		{"create_records", `{"model":"res.partner","records":[{"name":"x"}],"language":"../x"}`, "invalid_input", "language"},
		{"update_records", `{"model":"res.partner","ids":[1]}`, "invalid_input", "values"},
		{"update_records", `{"model":"res.partner","ids":[1],"values":{}}`, "invalid_input", "no values"},
		{"update_records", `{"model":"res.partner","ids":[1],"values":"{ }"}`, "invalid_input", "no values"},
		{"update_records", `{"model":"res.partner","ids":[1],"values":[{"name":"x"}]}`, "invalid_input", "not a JSON object"},
		{"update_records", `{"model":"res.partner","values":{"name":"x"}}`, "invalid_input", "ids"},
		{"update_records", `{"model":"res.partner","ids":[],"values":{"name":"x"}}`, "invalid_input", "ids"},
		{"update_records", `{"model":"res.partner","ids":[0],"values":{"name":"x"}}`, "invalid_input", "record id"},
		{"update_records", `{"model":"res.partner","ids":[1,1],"values":{"name":"x"}}`, "invalid_input", "twice"},
		{"update_records", `{"model":"res.partner","ids":[` + ids + `],"values":{"name":"x"}}`, "invalid_input", "101"},
		{"update_records", `{"model":"res.partner","ids":[1],"records":[{"id":1,"ref":"A"}]}`, "invalid_input", "either"},
		{"update_records", `{"model":"res.partner","values":{"ref":"A"},"records":[{"id":1,"ref":"A"}]}`, "invalid_input", "either"},
		{"update_records", `{"model":"res.partner","records":{"1":{"ref":"A"}}}`, "invalid_input", "records"},
		{"update_records", `{"model":"res.partner","records":[]}`, "invalid_input", "records"},
		{"update_records", `{"model":"res.partner","records":[{"ref":"A"}]}`, "invalid_input", "no id"},
		{"update_records", `{"model":"res.partner","records":[{"id":"one","ref":"A"}]}`, "invalid_input", "no id"},
		{"update_records", `{"model":"res.partner","records":[{"id":1.5,"ref":"A"}]}`, "invalid_input", "no id"},
		{"update_records", `{"model":"res.partner","records":[{"id":0,"ref":"A"}]}`, "invalid_input", "record id"},
		{"update_records", `{"model":"res.partner","records":[{"id":1}]}`, "invalid_input", "no values"},
		{"update_records", `{"model":"res.partner","records":[{"id":1,"ref":"A"},{"id":1,"ref":"B"}]}`, "invalid_input", "twice"},
		{"update_records", `{"model":"res.partner","records":"[{\"id\":1,\"id\":2,\"ref\":\"A\"}]"}`, "invalid_input", "twice"},
		{"update_records", `{"model":"res.partner","records":[{"id":1,"rf":"A"}]}`, "unknown_field", "ref"},
		{"update_records", `{"model":"res.partner","records":[{"id":1,"image_1920":"eA=="}]}`, "invalid_input", "file"},
		{"update_records", `{"model":"ir.rule","records":[{"id":1,"ref":"A"}]}`, "not_allowed", "ir.rule"},
		{"schedule_activity", `{"model":"res.partner"}`, "invalid_input", "id"},
		{"send_document", `{"model":"res.partner"}`, "invalid_input", "id"},
		{"send_document", `{"model":"ir.rule","id":1}`, "not_allowed", "ir.rule"},
		{"send_document", `{"model":"res.partner","id":1,"email_from":"a@b.example"}`, "invalid_input", "parameter"},
		{"send_document", `{"model":"res.partner","id":1,"reply_to":"a@b.example"}`, "invalid_input", "parameter"},
		{"send_document", `{"model":"res.partner","id":1,"subject":"` + strings.Repeat("x", 301) + `"}`, "invalid_input", "301"},
		{"send_document", `{"model":"res.partner","id":1,"body":"` + strings.Repeat("x", 20_001) + `"}`, "invalid_input", "20001"},
		{"send_document", `{"model":"res.partner","id":1,"partner_ids":[3,3]}`, "invalid_input", "twice"},
		{"send_document", `{"model":"res.partner","id":1,"emails":["` + strings.Repeat(`a@b.example","`, 20) + `a@b.example"]}`, "invalid_input", "at most 20"},
		{"send_document", `{"model":"res.partner","id":1,"emails":["` + strings.Repeat("x", 255) + `"]}`, "invalid_input", "email address"},
		{"schedule_activity", `{"model":"ir.rule","id":1}`, "not_allowed", "ir.rule"},
		{"schedule_activity", `{"model":"res.partner","id":1,"date_deadline":"tomorrow"}`, "invalid_input", "not a date"},
		{"schedule_activity", `{"model":"res.partner","id":1,"summary":"` + strings.Repeat("x", 201) + `"}`, "invalid_input", "201"},
		{"schedule_activity", `{"model":"res.partner","id":1,"res_model":"res.users"}`, "invalid_input", "parameter"},
		{"schedule_activity", `{"model":"res.partner","id":1,"idempotency_key":"` + strings.Repeat("k", 65) + `"}`, "invalid_input", "64"},
		{"delete_records", `{"model":"res.partner"}`, "invalid_input", "ids"},
		{"delete_records", `{"model":"res.partner","ids":["x"]}`, "invalid_input", "ids"},
		{"delete_records", `{"model":"res.partner","ids":[4294967296]}`, "invalid_input", "record id"},
		{"call_method", `{"model":"res.partner","ids":[1]}`, "invalid_input", "method"},
		{"call_method", `{"model":"res.partner","ids":[1],"method":"_write"}`, "invalid_input", "private"},
		{"call_method", `{"model":"res.partner","ids":[1],"method":"a.b c"}`, "invalid_input", "method"},
		{"call_method", `{"model":"res.partner","ids":[1],"method":"do_it","kwargs":[1]}`, "invalid_input", "kwargs"},
		{"call_method", `{"model":"res.partner","ids":[1],"method":"do_it","dry_run":true}`, "invalid_input", "dry_run"},
		{"call_method", `{"model":"doorman","ids":[1,1],"method":"do_it"}`, "invalid_input", "twice"},
		{"post_message", `{"model":"res.partner","body":"x"}`, "invalid_input", "id"},
		{"post_message", `{"model":"res.partner","id":1}`, "invalid_input", "body"},
		{"post_message", `{"model":"res.partner","id":1,"body":" \n"}`, "invalid_input", "body"},
		{"post_message", `{"model":"res.partner","id":1,"body":"` + strings.Repeat("x", 20_001) + `"}`, "invalid_input", "20000"},
		{"post_message", `{"model":"res.partner","id":1,"body":"x","kind":"email"}`, "invalid_input", "comment"},
		{"post_message", `{"model":"res.partner","id":1,"body":"x","notify_partner_ids":[0]}`, "invalid_input", "record id"},
		{"post_message", `{"model":"ir.rule","id":1,"body":"x"}`, "not_allowed", "ir.rule"},
	} {
		t.Run(row.tool+" "+row.args[:min(80, len(row.args))], func(t *testing.T) {
			a := call(t, url, row.tool, row.args)
			if a.kind() != row.kind || !strings.Contains(a.body, row.says) {
				t.Errorf("got %q, want %s with %q: %s", a.kind(), row.kind, row.says, a.body)
			}
			if n := f.callCount(); n != 0 {
				t.Fatalf("Odoo was asked %d times", n)
			}
		})
	}
}

// TestWhoMayWrite: the scope, and the read-only switch, for every tool that changes something.
func TestWhoMayWrite(t *testing.T) {
	for _, row := range goodWrites {
		for _, why := range []struct {
			kind, says string
			change     func(*access.Snapshot)
		}{
			{"not_allowed", "scope", func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{access.ScopeSearch} }},
			{"read_only", "This connection is read-only", func(s *access.Snapshot) { s.Connection.Policy.ReadOnly = true }},
			{"read_only", "Ann Admin made all connections read-only", func(s *access.Snapshot) { s.Settings.ReadOnlyBy = "Ann Admin" }},
		} {
			f := writer()
			f.change(why.change)
			a := call(t, endpoint(t, f).URL, row.tool, row.args)
			if a.kind() != why.kind || !strings.Contains(a.body, why.says) || f.callCount() != 0 {
				t.Errorf("%s: got %q, want %s with %q, %d calls: %s", row.tool, a.kind(), why.kind, why.says, f.callCount(), a.body)
			}
		}
	}
}

// TestWritesAreNeverRetried: an answer that got lost is an error, and Odoo is not asked again.
func TestWritesAreNeverRetried(t *testing.T) {
	for _, row := range goodWrites {
		f := writer()
		f.call = func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{}, &access.Error{Kind: access.OdooUnavailable, Message: "lost"}
		}
		a := call(t, endpoint(t, f).URL, row.tool, row.args)
		if a.kind() != "odoo_unavailable" || f.callCount() != 1 {
			t.Errorf("%s: %q after %d calls", row.tool, a.kind(), f.callCount())
		}
	}
}

// TestADoneWriteIsNoError: whatever Odoo says of a change that it has made.
func TestADoneWriteIsNoError(t *testing.T) {
	for answer, want := range map[string]string{
		`{"ids":[1]}`:                         `"records":[{"id":1}]`,
		`{"ids":[1,2],"names":["A"]}`:         `"records":[{"id":1,"name":"A"},{"id":2}]`,
		`true`:                                "could not be read",
		`{"ids":"x"}`:                         "could not be read",
		`{"ids":[1],"replayed":true}`:         "not done again",
		`{"ids":[],"names":null}`:             `"count":0`,
		`{"ids":[1],"names":["A"],"url":"u"}`: `"url":"u1"`,
	} {
		f := writer()
		f.call = func(access.Fence, access.Request) (access.Reply, error) { return reply(answer), nil }
		url := endpoint(t, f).URL
		for _, row := range goodWrites {
			a := call(t, url, row.tool, row.args)
			if body := strings.ReplaceAll(a.body, `\"`, `"`); a.kind() != "" || !strings.Contains(body, want) {
				t.Errorf("%s of %s: no %s in %s", row.tool, answer, want, body)
			}
		}
	}
}

// TestLongDryRunsAreCut: at a record, and it says so.
func TestLongDryRunsAreCut(t *testing.T) {
	f := writer()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		change := `{"id":1,"name":"A","before":{"name":"` + strings.Repeat("x", 1900) + `"}},`
		return reply(`{"changes":[` + strings.TrimSuffix(strings.Repeat(change, 100), ",") + `]}`), nil
	}
	a := call(t, endpoint(t, f).URL, "delete_records", `{"model":"res.partner","ids":[1],"dry_run":true}`)
	changes, _ := a.Result.StructuredContent["changes"].([]any)
	text := a.Result.Content[0].Text
	if len(text) > 100_000 || len(changes) == 0 || len(changes) == 100 || !strings.Contains(text, fmt.Sprintf("%d of 100", len(changes))) {
		t.Errorf("%d letters, %d changes", len(text), len(changes))
	}
}
