package mcp_test

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestIDsComeBack: an answer has the id of its request, or there is none that could be taken for the answer to another.
func TestIDsComeBack(t *testing.T) {
	t.Parallel()
	url := endpoint(t, newFake()).URL
	for _, row := range []struct {
		id     string
		status int
		want   string // the id of the answer
	}{
		{`1`, 200, `1`},
		{`0`, 200, `0`},
		{`-1`, 200, `-1`},
		{`""`, 200, `""`},
		{`"a"`, 200, `"a"`},
		{`"12345678901234567890123"`, 200, `"12345678901234567890123"`},
		{`9007199254740991`, 200, `9007199254740991`},
		{`-9007199254740991`, 200, `-9007199254740991`},

		{`9007199254740993`, 400, `9007199254740993`},
		{`12345678901234567890123`, 400, `12345678901234567890123`},
		{`1e30`, 400, `1e30`},
		{`1e999`, 400, `null`}, // no number to most readers of JSON
		{`1.5`, 400, `1.5`},
		{`null`, 400, `null`},
		{`true`, 400, `null`},
		{`[1]`, 400, `null`},
		{`{"a":1}`, 400, `null`},
	} {
		for _, method := range []string{"ping", "tools/list"} {
			a := send(t, url, `{"jsonrpc":"2.0","id":`+row.id+`,"method":"`+method+`"}`)
			var told struct{ ID json.RawMessage }
			if err := json.Unmarshal([]byte(a.body), &told); err != nil {
				t.Fatalf("%s: %s", row.id, a.body)
			}
			if a.status != row.status || string(told.ID) != row.want || (a.Error.Message == "") != (row.status == 200) {
				t.Errorf("%s with the id %s: %d %.200s", method, row.id, a.status, a.body)
			}
		}
	}
}

// TestMessages: what is not one message is refused as a whole, and never half done.
func TestMessages(t *testing.T) {
	t.Parallel()
	const ping = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	search := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner"}}}`
	for _, row := range []struct {
		name, body string
		status     int
		code       int // of the error; 0 = none
	}{
		{"one", ping, 200, 0},
		{"one, with space around it", "\n " + ping + " \n", 200, 0},
		{"a notification", `{"jsonrpc":"2.0","method":"notifications/initialized"}`, 202, 0},
		{"a notification that is not known", `{"jsonrpc":"2.0","method":"notifications/made_up"}`, 202, 0},
		{"an answer to nothing", `{"jsonrpc":"2.0","id":1,"result":{}}`, 202, 0},
		{"an error to nothing", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"x"}}`, 202, 0},
		{"a method that is not known", `{"jsonrpc":"2.0","id":1,"method":"made/up"}`, 200, -32601},

		{"nothing", ``, 400, -32700},
		{"half of one", `{"jsonrpc":"2.0"`, 400, -32700},
		{"two", ping + ping, 400, -32700},
		{"a call with more behind it", search + `{}`, 400, -32700},
		{"a text", `"ping"`, 400, -32700},
		{"null", `null`, 400, -32700},
		{"no method", `{"jsonrpc":"2.0","id":1}`, 400, -32600},
		{"a method that is a number", `{"jsonrpc":"2.0","id":1,"method":5}`, 400, -32600},
		{"an error that is a number, to nothing", `{"jsonrpc":"2.0","id":1,"error":7}`, 202, 0},
		{"a call without parameters", `{"jsonrpc":"2.0","id":1,"method":"tools/call"}`, 200, -32602},
		{"another JSON-RPC", `{"jsonrpc":"1.0","id":1,"method":"ping"}`, 400, -32600},
		{"no JSON-RPC", `{"id":1,"method":"ping"}`, 400, -32600},
		{"a JSON-RPC that is a number", `{"jsonrpc":2.0,"id":1,"method":"ping"}`, 400, -32600},
		{"a request without an id", `{"jsonrpc":"2.0","method":"tools/list"}`, 400, -32600},
		{"a notification with an id", `{"jsonrpc":"2.0","id":1,"method":"notifications/initialized"}`, 400, -32600},
		{"a notification with an id that is null", `{"jsonrpc":"2.0","id":null,"method":"notifications/initialized"}`, 202, 0},
	} {
		f := newFake()
		a := send(t, endpoint(t, f).URL, row.body)
		if a.status != row.status || a.Error.Code != row.code || strings.Contains(a.body, "jsonrpc2.") || f.askedCount() != 0 {
			t.Errorf("%s: %d %s", row.name, a.status, a.body)
		}
	}
}

// TestBatchAnswersAll: every request of a batch (protocol 2025-03-26) has its own answer, or none is carried out.
func TestBatchAnswersAll(t *testing.T) {
	t.Parallel()
	request := func(id, method string) string { return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `"}` }
	search := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner"}}}`
	f := newFake()
	url := endpoint(t, f).URL
	for _, row := range []struct {
		name, batch, accept string
		status              int
		ids                 []string // that are answered, once each
	}{
		{"known and unknown", request(`1`, "ping") + "," + request(`"a"`, "made/up"), "application/json", 200, []string{`"id":1,`, `"id":"a"`}},
		{"for a reader of streams alone", request(`1`, "ping") + "," + request(`"a"`, "made/up"), "text/event-stream", 200, []string{`"id":1,`, `"id":"a"`}},
		{"an id that would be rounded", request(`1`, "ping") + "," + request(`2.5`, "ping"), "application/json", 200, []string{`"id":1,`, `"id":2.5`}},
		{"two with one id", search + "," + search, "application/json", 400, []string{`"id":null`}},
		{"one id, of two kinds", request(`1`, "ping") + "," + request(`"1"`, "ping"), "application/json", 200, []string{`"id":1,`, `"id":"1"`}},
	} {
		a := send(t, url, "["+row.batch+"]", "MCP-Protocol-Version", "2025-03-26", "Accept", row.accept)
		if n := strings.Count(a.body, `"id":`); a.status != row.status || n != len(row.ids) {
			t.Errorf("%s: %d, %d answers: %s", row.name, a.status, n, a.body)
		}
		for _, id := range row.ids {
			if !strings.Contains(a.body, id) {
				t.Errorf("%s: no %s in %s", row.name, id, a.body)
			}
		}
	}
	if f.askedCount() != 0 {
		t.Error("a call of a batch that was refused was carried out")
	}
}

// TestCursorsOfOthers: every list says what is wrong with a cursor that is not its own.
func TestCursorsOfOthers(t *testing.T) {
	t.Parallel()
	url := endpoint(t, newFake()).URL
	for _, list := range []string{"tools/list", "prompts/list", "resources/list", "resources/templates/list"} {
		a := send(t, url, `{"jsonrpc":"2.0","id":1,"method":"`+list+`","params":{"cursor":"made-up"}}`)
		if a.Error.Code != -32602 || !strings.Contains(a.Error.Message, `"made-up" is not a cursor of this list. Start without one.`) {
			t.Errorf("%s: %s", list, a.body)
		}
	}
}
