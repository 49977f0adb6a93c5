package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
)

// Reply is the answer to one JSON-RPC message.
type Reply struct {
	Status int
	Header http.Header
	Body   string // as it came
	Result json.RawMessage
	Error  *struct {
		Code    int
		Message string
	}
}

// Tool reads the result of a tools/call: its structured content, and the kind of its error, or "".
func (r Reply) Tool() (content map[string]any, failed string) {
	var result struct {
		IsError           bool           `json:"isError"`
		StructuredContent map[string]any `json:"structuredContent"`
	}
	if r.Result == nil || json.Unmarshal(r.Result, &result) != nil || result.StructuredContent == nil {
		return nil, fmt.Sprintf("no tool result: %d %s", r.Status, r.Body)
	}
	if result.IsError {
		failed = fmt.Sprint(result.StructuredContent["kind"])
	}
	return result.StructuredContent, failed
}

// ToolCall is the params of a tools/call. Arguments may be json.RawMessage, to send them as they are written.
func ToolCall(tool string, arguments any) map[string]any {
	return map[string]any{"name": tool, "arguments": arguments}
}

// Post sends one JSON-RPC message to an MCP endpoint with a connection's key, as a client of protocol 2025-11-25 without a
// session may. headers are pairs of name and value, added to the usual ones; a MCP-Protocol-Version among them replaces the
// usual one. An answer that does not come fails the test, which may be called from any goroutine.
func Post(t testing.TB, url, key, method string, params any, headers ...string) Reply {
	t.Helper()
	r, err := TryPost(t.Context(), url, key, method, params, headers...)
	if err != nil {
		t.Errorf("%s: %v", method, err)
	}
	return r
}

// TryPost is Post for tests that expect no answer: the service or its Odoo is about to die. An answer that is not JSON
// is an error too, and still in the Reply.
func TryPost(ctx context.Context, url, key, method string, params any, headers ...string) (Reply, error) {
	var body bytes.Buffer
	write := json.NewEncoder(&body)
	write.SetEscapeHTML(false)
	if err := write.Encode(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}); err != nil {
		return Reply{}, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, &body)
	if err != nil {
		return Reply{}, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("MCP-Protocol-Version", "2025-11-25")
	r.Header.Set("Authorization", "Bearer "+key)
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "MCP-Protocol-Version" {
			r.Header.Del(headers[i])
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return Reply{}, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	answer := Reply{Status: response.StatusCode, Header: response.Header, Body: string(text)}
	return answer, errors.Join(err, json.Unmarshal(text, &answer))
}

// Search makes one search with a connection's key. Its error tells what came in place of the records.
func Search(ctx context.Context, url, key string) error {
	r, err := TryPost(ctx, url, key, "tools/call",
		ToolCall("search_records", Args{"model": "res.partner", "fields": []string{"name"}, "limit": 1}))
	if err != nil {
		return err
	}
	if _, failed := r.Tool(); r.Status != http.StatusOK || failed != "" {
		return fmt.Errorf("the search was answered with %d %s", r.Status, r.Body)
	}
	return nil
}
