package mcp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
)

const (
	createOne   = `{"model":"res.partner","records":[{"name":"A"}]}`
	updateTwo   = `{"model":"res.partner","ids":[1,2],"values":{"ref":"x"}}`
	pressButton = `{"model":"res.partner","ids":[1],"method":"do_it"}`
)

// entry is one model in what Odoo says has changed.
func entry(model, action string, count int, more string) string {
	return fmt.Sprintf(`{"model":%q,"action":%q,"count":%d%s}`, model, action, count, more)
}

// TestChangedIsTold: what really changed is told as Odoo noted it, unless the reply tells just that anyway.
func TestChangedIsTold(t *testing.T) {
	t.Parallel()
	own := func(action, ids string) string {
		return entry("res.partner", action, strings.Count(ids, ",")+1, `,"ids":[`+ids+`],"fields":["ref"]`)
	}
	setOff := `,"ids":[9],"fields":["amount_total"],"set_off":true`
	var twenty []string
	for i := range 20 {
		twenty = append(twenty, entry(fmt.Sprintf("x.model%d", i), "updated", 1, ""))
	}
	for _, row := range []struct {
		name, tool, args, ids, changed string
		want                           string // "" = nothing is said of it
	}{
		{"a record that was created", "create_records", createOne, "1", own("created", "1"), ""},
		{"records that were updated", "update_records", updateTwo, "1,2", own("updated", "1,2"), ""},
		{"a record that was deleted", "delete_records", deletePartner, "1", own("deleted", "1"), ""},
		{"an addon that does not say", "update_records", updateTwo, "1,2", "", ""},
		{"what cannot be read", "update_records", updateTwo, "1,2", `{"model":3}`, ""},
		{"a message, which is not told there", "post_message", `{"model":"res.partner","id":1,"body":"Hi"}`, "1", " ", ""},

		{"nothing is different", "update_records", updateTwo, "1,2", " ", `[]`},
		{"one of two is different", "update_records", updateTwo, "1,2", own("updated", "2"), `[` + own("updated", "2") + `]`},
		{"more than were named", "update_records", updateTwo, "1,2", own("updated", "1,2,3"), `[` + own("updated", "1,2,3") + `]`},
		{"as many, but another", "update_records", updateTwo, "1,2", own("updated", "1,3"), `[` + own("updated", "1,3") + `]`},
		{"another action", "delete_records", deletePartner, "1", own("updated", "1"), `[` + own("updated", "1") + `]`},
		{"another model", "create_records", createOne, "1", entry("res.users", "created", 1, `,"ids":[1]`), `[` + entry("res.users", "created", 1, `,"ids":[1]`) + `]`},
		{"only what Odoo set off", "update_records", `{"model":"res.partner","ids":[9],"values":{"ref":"x"}}`, "9", entry("res.partner", "updated", 1, setOff), `[` + entry("res.partner", "updated", 1, setOff) + `]`},
		{"what went along", "delete_records", deletePartner, "1", own("deleted", "1") + "," + entry("res.bank", "deleted", 3, ""), `[` + own("deleted", "1") + "," + entry("res.bank", "deleted", 3, "") + `]`},
		{"a model that may not be used", "update_records", updateTwo, "1,2", own("updated", "1,2") + "," + entry("account.move", "updated", 2, `,"set_off":true`), `[` + own("updated", "1,2") + "," + entry("account.move", "updated", 2, `,"set_off":true`) + `]`},
		{"a button", "call_method", pressButton, "1", own("updated", "1"), `[` + own("updated", "1") + `]`},
		{"a button that changes nothing", "call_method", pressButton, "1", " ", `[]`},
		{"a message that changes its record", "post_message", `{"model":"res.partner","id":1,"body":"Hi"}`, "1", own("updated", "1"), `[` + own("updated", "1") + `]`},
		{"an activity", "schedule_activity", `{"model":"res.partner","id":1}`, "1", entry("mail.activity", "created", 1, `,"ids":[5]`), `[` + entry("mail.activity", "created", 1, `,"ids":[5]`) + `]`},
		{"at most twelve", "call_method", pressButton, "1", strings.Join(twenty, ","), `[` + strings.Join(twenty[:access.MaxChanged], ",") + `]`},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f := writer()
			value := fmt.Sprintf(`{"ids":[%s],"names":[]`, row.ids)
			if row.changed != "" {
				value += `,"changed":[` + strings.TrimSpace(row.changed) + `]`
			}
			f.call = func(access.Fence, access.Request) (access.Reply, error) { return reply(value + "}"), nil }
			a := call(t, endpoint(t, f).URL, row.tool, row.args)
			checkChanged(t, a, row.want)
			if records, _ := a.Result.StructuredContent["records"].([]any); a.kind() != "" || len(records) == 0 || strings.Contains(a.body, "could not be read") {
				t.Error(a.body)
			}
		})
	}
}

// checkChanged holds what a reply says has changed against what it should.
func checkChanged(t *testing.T, a answer, want string) {
	t.Helper()
	said, there := a.Result.StructuredContent["changed"]
	if want == "" {
		if there {
			t.Errorf("it says %v: %s", said, a.body)
		}
		return
	}
	var wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if fmt.Sprint(said) != fmt.Sprint(wanted) || !there {
		t.Errorf("it says %v, want %v: %s", said, wanted, a.body)
	}
}

// TestPythonSaysWhatChanged, and what it would change.
func TestPythonSaysWhatChanged(t *testing.T) {
	t.Parallel()
	told := entry("res.partner", "updated", 1, `,"ids":[7],"fields":["ref"]`)
	a := call(t, endpoint(t, trusted(`{"result":"1","steps":[],"changed":[`+told+`]}`)).URL, "run_python", `{"code":"x"}`)
	checkChanged(t, a, `[`+told+`]`)
	a = call(t, endpoint(t, trusted(`{"result":"","changes":[{"id":7,"name":"Acme","model":"res.partner","before":{"ref":"a"},"after":{"ref":"b"}}]}`)).URL,
		"run_python", `{"code":"x","dry_run":true}`)
	if got := fmt.Sprint(a.Result.StructuredContent["changes"]); got != "[map[after:map[ref:b] before:map[ref:a] id:7 model:res.partner name:Acme]]" {
		t.Errorf("%s: %s", got, a.body)
	}
}

// TestDryRunTellsAllThatWouldChange: also records of other models, and what Odoo would set off; only what was asked for
// counts.
func TestDryRunTellsAllThatWouldChange(t *testing.T) {
	t.Parallel()
	f := writer()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`{"changes":[
			{"id":1,"name":"Acme","before":{"comment":"<p>a</p>"},"after":{"comment":"<p>b</p>"}},
			{"id":1,"name":"Line","model":"x.line","before":{"partner_id":[3,"Holding"],"tag_ids":[1,2],"note":"<p>` + strings.Repeat("x", 3000) + `</p>","done":false}},
			{"id":2,"name":"Ann","before":{"ref":false},"after":{"ref":"x"},"set_off":true}]}`), nil
	}
	a := call(t, endpoint(t, f).URL, "update_records", `{"model":"res.partner","ids":[1],"values":{"comment":"b"},"dry_run":true}`)
	changes, _ := a.Result.StructuredContent["changes"].([]any)
	if len(changes) != 3 || a.Result.StructuredContent["count"] != 1.0 {
		t.Fatal(a.body)
	}
	line, _ := changes[1].(map[string]any)
	before, _ := line["before"].(map[string]any)
	note, _ := before["note"].(string)
	if line["model"] != "x.line" || line["set_off"] != nil || fmt.Sprint(before["partner_id"]) != "map[id:3 name:Holding]" ||
		fmt.Sprint(before["tag_ids"]) != "[1 2]" || before["done"] != false || len(note) > 2100 {
		t.Errorf("%v", line)
	}
	own, _ := changes[0].(map[string]any)
	ann, _ := changes[2].(map[string]any)
	if own["model"] != nil || own["set_off"] != nil || fmt.Sprint(own["after"]) != "map[comment:b]" || ann["set_off"] != true || ann["model"] != nil {
		t.Errorf("%v\n%v", own, ann)
	}
}

// TestChangedIsInTheSchemas of the tools that change something, and of no other.
func TestChangedIsInTheSchemas(t *testing.T) {
	t.Parallel()
	var list struct {
		Result struct {
			Tools []struct {
				Name         string
				Annotations  struct{ ReadOnlyHint bool }
				OutputSchema struct{ Properties map[string]any }
			}
		}
	}
	if err := json.Unmarshal([]byte(send(t, endpoint(t, trusted(`{}`)).URL, listTools).body), &list); err != nil || len(list.Result.Tools) < 12 {
		t.Fatalf("%v, %d tools", err, len(list.Result.Tools))
	}
	for _, tool := range list.Result.Tools {
		_, says := tool.OutputSchema.Properties["changed"]
		if changes := !tool.Annotations.ReadOnlyHint; says != changes {
			t.Errorf("%s: %v", tool.Name, says)
		}
	}
}
