package mcp_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"doorman/server/mcp"
)

// BenchmarkSearch is one tool call without the network: what the service itself costs.
func BenchmarkSearch(b *testing.B) {
	server := mcp.New(mcp.Config{Gateway: newFake(), Limiter: newLimiter(), Version: "test", Identify: identify})
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner","fields":["name","ref"],"limit":2}}}`
	b.ReportAllocs()
	for b.Loop() {
		r := httptest.NewRequest(http.MethodPost, "/mcp", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept", "application/json, text/event-stream")
		r.Header.Set("MCP-Protocol-Version", "2025-11-25")
		r.Header.Set("Authorization", "Bearer "+goodKey)
		w := httptest.NewRecorder()
		server.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			b.Fatal(w.Body)
		}
	}
}
