package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestResultOf(t *testing.T) {
	t.Parallel()
	const good = `{"jsonrpc":"2.0","id":7,"result":{"a":1}}`
	const note = `{"jsonrpc":"2.0","method":"notifications/message","params":{}}`
	for _, row := range []struct{ name, kind, body, want, err string }{
		{"JSON", "application/json", good, `{"a":1}`, ""},
		{"JSON with a charset", "application/json; charset=utf-8", good, `{"a":1}`, ""},
		{"an event", "text/event-stream", "event: message\ndata: " + good + "\n\n", `{"a":1}`, ""},
		{"an event with CRLF", "text/event-stream", "event: message\r\ndata: " + good + "\r\n\r\n", `{"a":1}`, ""},
		{"an event without the last blank line", "text/event-stream", "data:" + good, `{"a":1}`, ""},
		{"data in two lines", "text/event-stream", "data: {\"jsonrpc\":\"2.0\",\"id\":7,\ndata: \"result\":{\"a\":1}}\n\n", `{"a":1}`, ""},
		{"notifications and pings first", "text/event-stream", ": ping\n\nid: 1\ndata:\n\ndata: " + note + "\n\ndata: " + good + "\n\n", `{"a":1}`, ""},
		{"another's answer", "application/json", `{"jsonrpc":"2.0","id":8,"result":{}}`, "", "to request 8, not to 7"},
		{"another's answer in a stream", "text/event-stream", "data: " + good + "\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":6,\"result\":{}}\n\n", "", "to request 6"},
		{"an id that is a text", "application/json", `{"jsonrpc":"2.0","id":"7","result":{}}`, "", "not to 7"},
		{"no id", "application/json", `{"jsonrpc":"2.0","result":{}}`, "", "not to 7"},
		{"two answers", "text/event-stream", "data: " + good + "\n\ndata: " + good + "\n\n", "", "two answers"},
		{"a notification alone", "text/event-stream", "data: " + note + "\n\n", "", "no answer"},
		{"an empty stream", "text/event-stream", "", "", "no answer"},
		{"an error", "application/json", `{"jsonrpc":"2.0","id":7,"error":{"code":-32602,"message":"bad"}}`, "", "-32602"},
		{"neither", "application/json", `{"jsonrpc":"2.0","id":7}`, "", "neither"},
		{"a null result", "application/json", `{"jsonrpc":"2.0","id":7,"result":null}`, "", "neither"},
		{"a question of the server's", "text/event-stream", `data: {"jsonrpc":"2.0","id":7,"method":"elicitation/create"}` + "\n\n", "", "elicitation/create"},
		{"another version", "application/json", `{"jsonrpc":"1.0","id":7,"result":{}}`, "", "2.0"},
		{"a page", "text/html", "<html>", "", "text/html"},
		{"no type", "", good, "", "content type"},
		{"half of one", "application/json", good[:20], "", "unexpected end"},
	} {
		got, err := resultOf(row.kind, []byte(row.body), 7)
		switch {
		case row.err == "" && (err != nil || string(got) != row.want):
			t.Errorf("%s: %s, %v", row.name, got, err)
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%s: %s, %v, want an error with %q", row.name, got, err, row.err)
		}
	}
}

func TestReadTool(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, raw, err string }{
		{"structured", `{"content":[{"type":"text","text":"x"}],"structuredContent":{"success":true}}`, ""},
		{"JSON as text", `{"content":[{"type":"text","text":"{\"records\":[]}"}]}`, ""},
		{"a failure", `{"isError":true,"content":[{"type":"text","text":"no rights"}]}`, "no rights"},
		{"a failure in the data alone", `{"content":[{"type":"text","text":"x"}],"structuredContent":{"success":false,"error":"no such field"}}`, "no such field"},
		{"a failure in the text alone", `{"content":[{"type":"text","text":"{\"success\":false,\"error\":\"gone\"}"}]}`, "gone"},
		{"a failure in an envelope", `{"content":[{"type":"text","text":"x"}],"structuredContent":{"result":{"success":false,"error":"denied"}}}`, "denied"},
		{"a failure without an error", `{"content":[{"type":"text","text":"x"}],"structuredContent":{"success":false,"issues":["readonly"]}}`, "readonly"},
		{"no text", `{"content":[],"structuredContent":{"records":[]}}`, "no text"},
		{"words", `{"content":[{"type":"text","text":"Found two."}]}`, "neither structured"},
		{"nothing", `{}`, "no text"},
	} {
		reply, err := readTool(json.RawMessage(row.raw))
		switch {
		case row.err == "" && (err != nil || reply.Size != len(row.raw) || reply.Text == 0):
			t.Errorf("%s: %+v, %v", row.name, reply, err)
		case row.err != "" && (err == nil || !strings.Contains(err.Error(), row.err)):
			t.Errorf("%s: %v, want an error with %q", row.name, err, row.err)
		}
	}
}

// TestReadToolEnvelope: what an SDK has put into an envelope is told without it; a field that is called result stays.
func TestReadToolEnvelope(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]any{
		`{"content":[{"type":"text","text":"x"}],"structuredContent":{"result":{"approval":7}}}`:                nil,
		`{"content":[{"type":"text","text":"x"}],"structuredContent":{"result":{"approval":7},"success":true}}`: map[string]any{"approval": 7.0},
		`{"content":[{"type":"text","text":"{\"result\":{\"approval\":7}}"}]}`:                                  nil,
	} {
		reply, err := readTool(json.RawMessage(raw))
		if err != nil {
			t.Fatal(err)
		}
		if want == nil && at(reply.Value, "approval") != 7.0 || want != nil && at(reply.Value, "result", "approval") != 7.0 {
			t.Errorf("%s gives %v", raw, reply.Value)
		}
	}
}

// mcpDouble is a server with sessions that answers in events, as the other servers do.
type mcpDouble struct {
	mu     sync.Mutex
	seen   map[float64]int // ids of requests
	closed int
	id     func(asked float64) float64 // with which it answers
}

func (d *mcpDouble) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodDelete {
		d.mu.Lock()
		d.closed++
		d.mu.Unlock()
		return
	}
	var m struct {
		ID     *float64
		Method string
	}
	if err := json.NewDecoder(r.Body).Decode(&m); err != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	switch {
	case m.Method == "initialize":
		w.Header().Set("Mcp-Session-Id", "s1")
	case r.Header.Get("Mcp-Session-Id") != "s1" || r.Header.Get("Mcp-Protocol-Version") != "2025-06-18":
		http.Error(w, "no session", http.StatusNotFound)
		return
	}
	if m.ID == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	d.mu.Lock()
	d.seen[*m.ID]++
	d.mu.Unlock()
	w.Header().Set("Content-Type", "text/event-stream")
	answer := `{"protocolVersion":"2025-06-18","instructions":"Be kind.","content":[{"type":"text","text":"x"}],"structuredContent":{"records":[{"id":1,"name":"a"}]}}`
	fmt.Fprintf(w, "event: message\r\ndata: {\"jsonrpc\":\"2.0\",\"id\":%g,\"result\":%s}\r\n\r\n", d.id(*m.ID), answer)
}

func startDouble(t *testing.T, id func(float64) float64) (*mcpDouble, string) {
	t.Helper()
	d := &mcpDouble{seen: map[float64]int{}, id: id}
	server := httptest.NewServer(d)
	t.Cleanup(server.Close)
	return d, server.URL
}

func same(id float64) float64 { return id }

// TestSession: a session carries its id and the version agreed on, and no two requests of a run share an id.
func TestSession(t *testing.T) {
	t.Parallel()
	d, url := startDouble(t, same)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			s, err := openSession(t.Context(), url, "key")
			if err != nil {
				t.Error(err)
				return
			}
			defer s.close()
			if s.instructions != "Be kind." {
				t.Errorf("instructions %q", s.instructions)
			}
			for range 10 {
				if _, err := s.callTool(t.Context(), "search_records", args{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	if len(d.seen) != 4*11 || d.closed != 4 {
		t.Errorf("%d ids for %d requests, %d sessions closed", len(d.seen), 4*11, d.closed)
	}
	for id, n := range d.seen {
		if n != 1 {
			t.Errorf("id %g was used %d times", id, n)
		}
	}
}

// TestSessionWrongAnswer: a server that mixes up its answers is found out.
func TestSessionWrongAnswer(t *testing.T) {
	t.Parallel()
	_, url := startDouble(t, func(id float64) float64 { return id - 1 })
	if _, err := openSession(t.Context(), url, ""); err == nil || !strings.Contains(err.Error(), "the answer to request") {
		t.Fatalf("%v", err)
	}
}

// TestLenientTurn: wrong replies are counted, make no throughput, and are not left out.
func TestLenientTurn(t *testing.T) {
	t.Parallel()
	_, url := startDouble(t, same)
	r := &rival{name: nameDoorman, server: &child{url: url}}
	if err := r.open(t.Context(), 2); err != nil {
		t.Fatal(err)
	}
	seed := realSeed{Rows: map[string][]map[string]any{"search": {{"id": 1.0, "name": "a"}}}}
	right := r.way(questions[0], seed)
	right.server = nil
	s, err := right.turn(context.Background(), 2, 20*time.Millisecond)
	if err != nil || s.wrong != 0 || len(s.latencies) == 0 {
		t.Fatalf("%d right, %d wrong, %v, %v", len(s.latencies), s.wrong, s.firstWrong, err)
	}
	seed.Rows["search"][0]["name"] = "b"
	s, err = right.turn(context.Background(), 2, 20*time.Millisecond)
	if err != nil || s.wrong == 0 || len(s.latencies) != 0 || s.rate() != 0 || s.firstWrong == nil {
		t.Fatalf("%d right, %d wrong, %v", len(s.latencies), s.wrong, err)
	}
	if sum := summarize("x", 2, []slice{s}, []slice{s}); sum.Requests != 0 || sum.Wrong != s.wrong {
		t.Errorf("%+v", sum)
	}
	right.lenient = false
	if _, err := right.turn(context.Background(), 2, 20*time.Millisecond); err == nil {
		t.Error("a way that is not lenient passes")
	}
}
