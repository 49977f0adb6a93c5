package odoo_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealValuesAtTheEdge: what JSON can say and Odoo or PostgreSQL cannot hold is refused by name, or does what it says: never
// a failure "inside", and never another value than the one that was sent.
func TestRealValuesAtTheEdge(t *testing.T) {
	t.Parallel()
	o := kit.SharedOdoo(t, tradeModules, 0, trade)
	s := kit.Serve(t, o.Environ()...)
	key := o.Text("admin")
	texts := []string{
		`"a\u0000b"`, `"a\ud800"`, `"a\uffff"`, `"\ud83e\udd94"`, `""`, `null`, `true`, `7`, `{"a":1}`, `[1,"a",null]`,
		`"` + strings.Repeat("x", 300_000) + `"`, strings.Repeat("[", 40) + strings.Repeat("]", 40),
	}
	numbers := []string{
		`1e400`, `-1e400`, `1e308`, `5e-324`, `-0.0`, `9007199254740993`, `2147483648`, `9223372036854775808`, `123456789012345678901234567890`,
		`1e2`, `1.5`, `"NaN"`, `"Infinity"`, `"-inf"`,
	}
	days := []string{`"2026-02-29"`, `"0000-01-01"`, `"9999-12-31 23:59:59"`, `"2026-01-01T00:00:00+14:00"`, `"2026-06-30T23:59:60Z"`, `"infinity"`, `0`, `1e400`}
	outcomes := map[string]int{}
	look := func(what, tool, args string) {
		reply := kit.Post(t, s.MCP, key, "tools/call", kit.ToolCall(tool, json.RawMessage(args)))
		_, failed := reply.Tool()
		outcomes[failed]++
		if slices.Contains([]string{"internal", "odoo_unavailable", "odoo_timeout", "unavailable"}, failed) || reply.Status != 200 {
			t.Errorf("%s %s: %d %.300s", tool, what, reply.Status, reply.Body)
		}
	}
	away := num(o.ID("away"))
	search := func(field, operator, value string) {
		look(clip(value)+" in "+field, "search_records", `{"model":"res.partner","limit":1,"fields":["name"],"domain":[["`+field+`","`+operator+`",`+value+`]]}`)
	}
	set := func(field, value string) {
		look(clip(value)+" in "+field, "update_records", `{"model":"res.partner","dry_run":true,"ids":[`+away+`],"values":{"`+field+`":`+value+`}}`)
	}
	for _, value := range texts {
		search("name", "=", value)
		search("name", "ilike", value)
		set("name", value)
		set("comment", value)
		look(clip(value), "post_message", `{"model":"res.partner","dry_run":true,"id":`+away+`,"body":`+value+`}`)
	}
	for _, value := range numbers {
		search("color", "=", value)
		search("partner_latitude", ">", value)
		set("color", value)
		set("partner_latitude", value)
		look(clip(value), "read_records", `{"model":"res.partner","ids":[`+value+`]}`)
	}
	for _, value := range days {
		search("create_date", ">", value)
		look(clip(value), "schedule_activity", `{"model":"res.partner","dry_run":true,"id":`+away+`,"summary":"x","date_deadline":`+value+`}`)
	}
	t.Logf("outcomes: %v", outcomes)
	if outcomes[""] == 0 || outcomes["invalid_input"] == 0 {
		t.Errorf("only %v", outcomes)
	}
}

func num(id int64) string {
	raw, _ := json.Marshal(id)
	return string(raw)
}

func clip(value string) string { return value[:min(len(value), 40)] }
