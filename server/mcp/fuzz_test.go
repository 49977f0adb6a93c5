package mcp_test

import (
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
