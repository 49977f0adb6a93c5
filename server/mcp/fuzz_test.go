package mcp_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorman/server/mcp"
)

// FuzzArguments: whatever arguments a tool gets, the answer is a result or an error of a kind that says what is wrong;
// "internal" would be a hole in the checks.
func FuzzArguments(f *testing.F) {
	for _, seed := range []string{
		`{"model":"res.partner","domain":"[[\"name\",\"=\",\"x\"]]"}`, `{"model":"res.partner","domain":["|",["name","=",1],["ref","in",[1]]]}`,
		`{"model":"res.partner","domain":["child_ids","any",[["name","=","x"]]]}`, `{"model":"res.partner","order":"name desc, id","limit":-1,"offset":1e9}`,
		`{"model":"res.partner","fields":["name","parent_id"],"language":"fr_FR","company_id":1}`, `[]`, `null`, `{"model":"\u0000"}`,
	} {
		f.Add(seed)
	}
	gateway := newFake()
	server := mcp.New(mcp.Config{Gateway: gateway, Limiter: newLimiter(), Version: "test", Identify: identify})
	f.Fuzz(func(t *testing.T, args string) {
		if !json.Valid([]byte(args)) {
			t.Skip()
		}
		body := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":` + args + `}}`
		r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		r.Header.Set("Authorization", "Bearer "+goodKey)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		var a answer
		if err := json.Unmarshal(w.Body.Bytes(), &a); err != nil && w.Code == http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
		if a.kind() == "internal" || w.Code >= 500 {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	})
}

// FuzzMessages posts anything at all: the answer is JSON-RPC, or none, and does not mention Go.
func FuzzMessages(f *testing.F) {
	for name := range mcp.Received() {
		for _, params := range []string{`{}`, `[]`, `7`, `null`, `{"name":7,"uri":7,"cursor":7,"ref":7,"level":7}`, `{"name":"get_context","arguments":{"a":1,"a":2},"_meta":{"progressToken":{}}}`} {
			f.Add(`{"jsonrpc":"2.0","id":1,"method":"` + name + `","params":` + params + `}`)
		}
	}
	for _, seed := range []string{``, `{}`, `[]`, `[1]`, `[{"jsonrpc":"2.0","id":1,"method":"ping"},{}]`, `{"jsonrpc":"2.0","id":[],"method":"ping"}`, `{"jsonrpc":"2.0","id":1,"id":2}`, "{\"\xff\":1}", `"\ud800"`} {
		f.Add(seed)
	}
	server := mcp.New(mcp.Config{Gateway: newFake(), Limiter: newLimiter(), Version: "test", Identify: identify})
	f.Fuzz(func(t *testing.T, body string) {
		for _, version := range []string{"2025-03-26", "2025-11-25", "2026-07-28"} {
			r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(body))
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", "application/json")
			r.Header.Set("MCP-Protocol-Version", version)
			r.Header.Set("Authorization", "Bearer "+goodKey)
			w := httptest.NewRecorder()
			server.ServeHTTP(w, r)
			var told struct {
				Error struct{ Message string }
			}
			_ = json.Unmarshal(bytes.Trim(w.Body.Bytes(), "[]"), &told) // a batch of one is good enough
			asJSON := w.Header().Get("Content-Type") == "application/json"
			if w.Code >= 500 || asJSON && !json.Valid(w.Body.Bytes()) || w.Body.Len() == 0 && w.Code != http.StatusAccepted || goWords.MatchString(told.Error.Message) {
				t.Fatalf("%s of %s: %d %s", body, version, w.Code, w.Body)
			}
		}
	})
}
