package mcp_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"doorman/server/mcp"
)

// goWords are those that only a programmer of this service understands.
var goWords = regexp.MustCompile(`(?i)unmarshal|json:|\bGo\b|\b(mcp|jsonrpc2|json)\.\w|struct|RawMessage|handling '|Bad Request: `)

// TestWrongParameters: the error for a parameter of the wrong kind names it in plain words, and carries the id of the request.
func TestWrongParameters(t *testing.T) {
	t.Parallel()
	url := endpoint(t, newFake()).URL
	values := map[string]string{"text": `"x"`, "a number": `7`, "an object": `{}`, "a list": `[]`, "true": `true`}
	for _, row := range []struct{ method, parameter, is string }{
		{"tools/call", "name", "text"},
		{"tools/call", "_meta", "an object"},
		{"tools/call", "requestState", "text"},
		{"tools/list", "cursor", "text"},
		{"prompts/list", "cursor", "text"},
		{"resources/list", "cursor", "text"},
		{"resources/templates/list", "cursor", "text"},
		{"resources/read", "uri", "text"},
		{"prompts/get", "name", "text"},
		{"prompts/get", "arguments", "an object"},
		{"initialize", "protocolVersion", "text"},
		{"initialize", "capabilities", "an object"},
		{"initialize", "clientInfo", "an object"},
		{"completion/complete", "argument", "an object"},
		{"logging/setLevel", "level", "text"},
		{"resources/subscribe", "uri", "text"},
		{"resources/unsubscribe", "uri", "text"},
		{"subscriptions/listen", "notifications", "an object"},
		{"server/discover", "_meta", "an object"},
		{"ping", "_meta", "an object"},
	} {
		for sent, value := range values {
			if sent == row.is {
				continue
			}
			a := send(t, url, `{"jsonrpc":"2.0","id":"x7","method":"`+row.method+`","params":{"`+row.parameter+`":`+value+`}}`)
			want := "The parameter " + row.parameter + " of " + row.method + " must be " + row.is + ", not " + sent + "."
			if a.status != 200 || a.Error.Code != -32602 || a.Error.Message != want || !strings.Contains(a.body, `"id":"x7"`) {
				t.Errorf("%s with %s %s: %d %s, want %q", row.method, row.parameter, sent, a.status, a.body, want)
			}
		}
	}
	for _, row := range []struct{ method, params, says string }{
		{"tools/call", `{}`, "tools/call needs the parameter name."},
		{"tools/call", `null`, "tools/call needs the parameter name."},
		{"tools/call", `[]`, "The params of tools/call must be a JSON object."},
		{"ping", `"x"`, "The params of ping must be a JSON object."},
		{"resources/read", `{}`, "resources/read needs the parameter uri."},
		{"prompts/get", `{"arguments":{"customer":"x"}}`, "prompts/get needs the parameter name."},
		{"prompts/get", `{"name":"find_customer","arguments":{"customer":7}}`, "The parameter arguments.customer of prompts/get must be text, not a number."},
		{"completion/complete", `{"ref":{"type":"ref/nope"},"argument":{"name":"x","value":"y"}}`, "The parameter ref of completion/complete has a value that MCP does not allow."},
		{"completion/complete", `{"ref":{"type":"ref/prompt","name":"find_customer"}}`, "completion/complete needs the parameter argument."},
		{"tools/call", `{"name":"get_context","inputResponses":7}`, "The parameter inputResponses of tools/call has a value that MCP does not allow."},
	} {
		a := send(t, url, `{"jsonrpc":"2.0","id":7,"method":"`+row.method+`","params":`+row.params+`}`)
		if a.status != 200 || a.Error.Code != -32602 || a.Error.Message != row.says || !strings.Contains(a.body, `"id":7`) {
			t.Errorf("%s %s: %d %s", row.method, row.params, a.status, a.body)
		}
	}
}

// TestErrorsOfTheSDK: what the SDK refuses as a whole names the request, if it has an id that can be read, and is plain English.
func TestErrorsOfTheSDK(t *testing.T) {
	t.Parallel()
	url := endpoint(t, newFake(), func(c *mcp.Config) { c.MaxBody = 10_000 }).URL
	const ping = `{"jsonrpc":"2.0","id":7,"method":"ping"}`
	old := []string{"MCP-Protocol-Version", "2025-03-26"}
	for _, row := range []struct {
		name, body string
		headers    []string
		status     int
		code       int
		id         string
		says       string
	}{
		{"a version that never was", ping, []string{"MCP-Protocol-Version", "1999-01-01"}, 400, -32600, `7`, "Unsupported protocol version (supported versions: "},
		{"no type", ping, []string{"Content-Type", ""}, 415, 415, `7`, "application/json"},
		{"another type", ping, []string{"Content-Type", "text/plain"}, 415, 415, `7`, "application/json"},
		{"half a type", ping, []string{"Content-Type", "application/json; charset"}, 415, 415, `7`, "application/json"},
		{"an answer that nobody can give", ping, []string{"Accept", "text/html"}, 406, 406, `7`, "application/json"},
		{"a stream to go on with", ping, []string{"Last-Event-ID", "a_1"}, 400, -32600, `7`, "Last-Event-ID"},
		{"initialize with nothing", `{"jsonrpc":"2.0","id":"a","method":"initialize"}`, nil, 200, -32602, `"a"`, "initialize needs the parameter protocolVersion."},
		{"a batch for a version without", "[" + ping + "]", nil, 400, -32600, `null`, "no batches"},
		{"an empty batch", "[]", old, 400, -32600, `null`, "at least one message"},
		{"half a batch", "[" + ping, old, 400, -32700, `null`, "not one JSON-RPC message"},
		{"a batch of no messages", "[1]", old, 200, 0, `null`, "not one JSON-RPC message"},
		{"a batch with a wrong parameter", `[{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":7}}]`, old, 200, 0, `7`, "The parameter cursor of tools/list must be text"},
		{"too deep", `{"jsonrpc":"2.0","id":7,"method":"ping","params":` + strings.Repeat("[", 80) + strings.Repeat("]", 80) + `}`, nil, 400, 400, `7`, "nested deeper"},
		{"too large", `{"jsonrpc":"2.0","id":7,"method":"` + strings.Repeat("x", 10_000) + `"}`, nil, 413, 413, ``, "larger than"},
		{"two ids", `{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}`, nil, 400, 400, ``, `"id" is given twice`},
		{"two methods", `{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/list"}`, nil, 400, 400, ``, `"method" is given twice`},
		{"two cursors", `{"jsonrpc":"2.0","id":7,"method":"tools/list","params":{"cursor":"a","cursor":"b"}}`, nil, 400, 400, `7`, `"cursor" is given twice`},
		{"two names of a tool", `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"get_context","name":"list_models"}}`, nil, 400, 400, `7`, `"name" is given twice`},
		{"half a letter", `{"jsonrpc":"2.0","id":7,"method":"resources/read","params":{"uri":"odoo://\ud800"}}`, nil, 400, 400, `7`, "not valid Unicode"},
		{"two of one name in a batch", `[{"jsonrpc":"2.0","id":7,"id":8,"method":"ping"}]`, old, 400, 400, ``, `"id" is given twice`},
	} {
		a := send(t, url, row.body, row.headers...)
		var one struct{ ID json.RawMessage }
		_ = json.Unmarshal(bytes.Trim([]byte(a.body), "[]"), &one)
		if a.status != row.status || a.Error.Code != row.code || string(one.ID) != row.id || !strings.Contains(strings.ReplaceAll(a.body, `\"`, `"`), row.says) || goWords.MatchString(a.body) {
			t.Errorf("%s: %d %q %s", row.name, a.status, one.ID, a.body)
		}
		if kind := a.header.Get("Content-Type"); kind != "application/json" {
			t.Errorf("%s: %s", row.name, kind)
		}
	}
	for _, method := range []string{http.MethodGet, http.MethodPut, http.MethodDelete, http.MethodPatch, http.MethodTrace, "FOO"} {
		r, err := http.NewRequestWithContext(t.Context(), method, url, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+goodKey)
		r.Header.Set("Accept", "text/event-stream")
		if a := do(t, r); a.status != 405 || a.header.Get("Allow") != "OPTIONS, POST" || !strings.Contains(a.Error.Message, "takes POST only") {
			t.Errorf("%s: %d %s %s", method, a.status, a.header.Get("Allow"), a.body)
		}
	}
}

// TestAmbiguousArguments: of two values with one name none is taken, wherever they are: a tool says it, so that the model can
// mend it, and Odoo is not asked.
func TestAmbiguousArguments(t *testing.T) {
	t.Parallel()
	f := writer()
	url := endpoint(t, f).URL
	for _, row := range []struct{ name, tool, args, says string }{
		{"a parameter", "search_records", `{"model":"res.partner","model":"ir.rule"}`, `The name "model" is given twice.`},
		{"a parameter, written in another way", "search_records", `{"model":"res.partner","\u006dodel":"ir.rule"}`, `The name "model" is given twice.`},
		{"in values", "update_records", `{"model":"res.partner","ids":[1],"values":{"ref":"a","ref":"b"}}`, `The name "ref" is given twice.`},
		{"in values as text", "update_records", `{"model":"res.partner","ids":[1],"values":"{\"ref\":\"a\",\"ref\":\"b\"}"}`, `The name "ref" is given twice.`},
		{"in lines", "create_records", `{"model":"res.partner","records":[{"name":"x","child_ids":[[0,0,{"ref":"a","ref":"b"}]]}]}`, `The name "ref" is given twice.`},
		{"in a record as text", "create_records", `{"model":"res.partner","records":["{\"name\":\"x\",\"ref\":\"a\",\"ref\":\"b\"}"]}`, `The name "ref" is given twice.`},
		{"in records as text", "update_records", `{"model":"res.partner","records":"[{\"id\":1,\"id\":2,\"ref\":\"a\"}]"}`, `The name "id" is given twice.`},
		{"in an id", "read_records", `{"model":"res.partner","ids":["{\"id\":1,\"id\":2}"]}`, `The name "id" is given twice.`},
		{"in a method's arguments", "call_method", `{"model":"res.partner","method":"do_it","ids":[1],"values":{"a":1,"a":2}}`, `The name "a" is given twice.`},
		{"half a letter", "update_records", `{"model":"res.partner","ids":[1],"values":{"ref":"a\ud83d"}}`, "A text is not valid Unicode."},
		{"half a letter, as text", "update_records", `{"model":"res.partner","ids":[1],"values":"{\"ref\":\"a\\ud83d\"}"}`, "A text is not valid Unicode."},
		{"no UTF-8", "search_records", "{\"model\":\"res.partner\",\"domain\":[[\"name\",\"=\",\"\xff\"]]}", "A text is not valid Unicode."},
		{"half a letter in a domain as text", "search_records", `{"model":"res.partner","domain":"[[\"name\",\"=\",\"\\udc00\"]]"}`, "A text is not valid Unicode."},
	} {
		a := call(t, url, row.tool, row.args)
		message, _ := a.Result.StructuredContent["message"].(string)
		if hint, _ := a.Result.StructuredContent["hint"].(string); a.kind() != "invalid_input" || message != row.says || hint == "" {
			t.Errorf("%s: %s", row.name, a.body)
		}
	}
	if f.callCount() != 0 {
		t.Errorf("Odoo was asked %d times", f.callCount())
	}
	for _, fine := range []string{
		`{"model":"res.partner","ids":[1],"values":{"ref":"\ud83d\ude00"}}`,
		`{"model":"res.partner","ids":[1],"values":{"ref":"{\"a\":1,\"a\":2}"}}`, // a text that only looks like JSON
	} {
		if a := call(t, url, "update_records", fine); a.kind() != "" {
			t.Errorf("%s: %s", fine, a.body)
		}
	}
	if a := call(t, url, "read_records", `{"model":"res.partner","ids":[{"id":1,"ID":2}]}`); f.last().IDs[0] != 1 {
		t.Errorf("ID for id: %v %s", f.last().IDs, a.body)
	}
}

// TestGoneMethods: a method that the modern protocol has dropped is not found there, even with wrong parameters: that is how
// clients learn which versions a server speaks.
func TestGoneMethods(t *testing.T) {
	t.Parallel()
	url := endpoint(t, newFake()).URL
	for _, method := range []string{"initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe"} {
		for _, params := range []string{`{}`, `{"level":7,"uri":7,"protocolVersion":7}`} {
			a := send(t, url, bodyOf(newEra, method, params), eraHeaders(newEra, method, params)...)
			if a.status != 404 || a.Error.Code != -32601 {
				t.Errorf("%s %s: %d %s", method, params, a.status, a.body)
			}
		}
	}
}
