package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// requestIDs gives every JSON-RPC request of a run an id of its own, over all sessions and servers: a reply that went to
// the wrong caller, or that a cache gave twice, has another one.
var requestIDs atomic.Int64

// protocol is what sessions ask for; servers may answer with an older one.
const protocol = "2025-11-25"

// session speaks MCP over streamable HTTP with one server, as a client does: it says hello first, and carries along the
// session's id where the server gives one. One request at a time.
type session struct {
	url          string
	header       http.Header
	client       *http.Client
	instructions string
}

// openSession says hello.
//
// Parameters: key is the bearer key, "" for a server that asks for none.
// Errors: no server, or one that does not speak the protocol.
func openSession(ctx context.Context, url, key string) (*session, error) {
	s := &session{url: url, header: http.Header{}, client: localClient()}
	s.header.Set("Content-Type", "application/json")
	s.header.Set("Accept", "application/json, text/event-stream")
	s.header.Set("User-Agent", "doorman-bench/1")
	if key != "" {
		s.header.Set("Authorization", "Bearer "+key)
	}
	raw, err := s.ask(ctx, "initialize", json.RawMessage(`{"protocolVersion":"`+protocol+
		`","capabilities":{},"clientInfo":{"name":"doorman-bench","version":"1"}}`))
	if err != nil {
		return nil, err
	}
	var hello struct{ ProtocolVersion, Instructions string }
	if err := json.Unmarshal(raw, &hello); err != nil {
		return nil, fmt.Errorf("initialize: %w", err)
	}
	if hello.ProtocolVersion == "" {
		return nil, fmt.Errorf("initialize answered %.200s", raw)
	}
	s.instructions = hello.Instructions
	s.header.Set("MCP-Protocol-Version", hello.ProtocolVersion)
	var buffer bytes.Buffer
	_, err = s.post(ctx, []byte(`{"jsonrpc":"2.0","method":"notifications/initialized"}`), &buffer)
	return s, err
}

// localClient never uses a proxy of the environment: everything is on this machine.
func localClient() *http.Client {
	return &http.Client{
		Timeout:       60 * time.Second,
		Transport:     &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 64, IdleConnTimeout: 5 * time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// ask sends a request and returns its result, as the server wrote it.
func (s *session) ask(ctx context.Context, method string, params json.RawMessage) (json.RawMessage, error) {
	var buffer bytes.Buffer
	result, _, err := s.timed(ctx, method, params, &buffer)
	return bytes.Clone(result), err
}

// timed is ask that also says when the reply was there, before it was looked into. The result lives in buffer.
func (s *session) timed(ctx context.Context, method string, params json.RawMessage, buffer *bytes.Buffer) (json.RawMessage, time.Time, error) {
	id := requestIDs.Add(1)
	contentType, err := s.post(ctx, fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%d,"method":%q,"params":%s}`, id, method, params), buffer)
	replied := time.Now()
	if err != nil {
		return nil, replied, fmt.Errorf("%s: %w", method, err)
	}
	result, err := resultOf(contentType, buffer.Bytes(), id)
	if err != nil {
		err = fmt.Errorf("%s: %w in %.300s", method, err, buffer)
	}
	return result, replied, err
}

// post sends one message and reads what comes back, whatever it is, to its end.
func (s *session) post(ctx context.Context, body []byte, buffer *bytes.Buffer) (contentType string, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	r.Header = s.header
	response, err := s.client.Do(r)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	buffer.Reset()
	if _, err := io.Copy(buffer, response.Body); err != nil {
		return "", err
	}
	if response.StatusCode != http.StatusOK && response.StatusCode != http.StatusAccepted {
		return "", fmt.Errorf("%s: %.300s", response.Status, buffer)
	}
	if id := response.Header.Get("Mcp-Session-Id"); id != "" {
		s.header.Set("Mcp-Session-Id", id)
	}
	return response.Header.Get("Content-Type"), nil
}

// close ends the session, where the server keeps one.
func (s *session) close() {
	defer s.client.CloseIdleConnections()
	if s.header.Get("Mcp-Session-Id") == "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodDelete, s.url, nil)
	if err != nil {
		return
	}
	r.Header = s.header
	if response, err := s.client.Do(r); err == nil {
		response.Body.Close()
	}
}

// resultOf takes the result for a request out of a reply, which is one message or a stream of events with one in it.
//
// Errors: an error of the protocol, no answer, more than one, or one to another request.
func resultOf(contentType string, body []byte, id int64) (json.RawMessage, error) {
	kind, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return nil, fmt.Errorf("content type %q: %w", contentType, err)
	}
	messages := [][]byte{body}
	switch kind {
	case "application/json":
	case "text/event-stream":
		messages = events(body)
	default:
		return nil, fmt.Errorf("content type %q", contentType)
	}
	var found json.RawMessage
	for _, message := range messages {
		result, err := answerTo(message, id)
		switch {
		case err != nil:
			return nil, err
		case result != nil && found != nil:
			return nil, errors.New("two answers")
		case result != nil:
			found = result
		}
	}
	if found == nil {
		return nil, errors.New("no answer")
	}
	return found, nil
}

// answerTo reads one message: the result that answers the request, or nil for a notification.
func answerTo(message []byte, id int64) (json.RawMessage, error) {
	var m struct {
		Version string          `json:"jsonrpc"`
		ID      json.RawMessage `json:"id"`
		Method  string          `json:"method"`
		Result  json.RawMessage `json:"result"`
		Error   json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(message, &m); err != nil {
		return nil, err
	}
	switch {
	case m.Version != "2.0":
		return nil, errors.New("not JSON-RPC 2.0")
	case m.Method != "" && m.ID == nil:
		return nil, nil
	case m.Method != "":
		return nil, fmt.Errorf("the server asks for %s", m.Method)
	case string(m.ID) != fmt.Sprint(id):
		return nil, fmt.Errorf("the answer to request %s, not to %d", m.ID, id)
	case m.Error != nil:
		return nil, fmt.Errorf("error %.300s", m.Error)
	case m.Result == nil || string(m.Result) == "null":
		return nil, errors.New("neither result nor error")
	}
	return m.Result, nil
}

// events takes the data out of a stream of server-sent events; those without data (to keep a connection alive) are none.
func events(stream []byte) (list [][]byte) {
	text := strings.NewReplacer("\r\n", "\n", "\r", "\n").Replace(string(stream))
	for block := range strings.SplitSeq(text, "\n\n") {
		var data []string
		for line := range strings.SplitSeq(block, "\n") {
			if value, ok := strings.CutPrefix(line, "data:"); ok {
				data = append(data, strings.TrimPrefix(value, " "))
			}
		}
		if joined := strings.Join(data, "\n"); strings.TrimSpace(joined) != "" {
			list = append(list, []byte(joined))
		}
	}
	return list
}

// toolReply is the result of a tools/call.
type toolReply struct {
	Size    int // bytes of the result as it came
	Text    int // bytes of its text alone, which is what many clients show to the model
	Content string
	// Value is what it says as data: the structured content, or the text if that is JSON.
	Value any
}

// readTool reads the result of a tools/call. A tool that failed is an error, also where it says so in its data only.
func readTool(raw json.RawMessage) (*toolReply, error) {
	var m struct {
		IsError    bool                          `json:"isError"`
		Content    []struct{ Type, Text string } `json:"content"`
		Structured map[string]any                `json:"structuredContent"`
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	r := &toolReply{Size: len(raw)}
	for _, part := range m.Content {
		r.Text += len(part.Text)
		r.Content += part.Text
	}
	switch {
	case m.IsError:
		return nil, fmt.Errorf("the tool failed: %.600s", r.Content)
	case r.Text == 0:
		return nil, errors.New("no text content")
	}
	if m.Structured == nil {
		if err := json.Unmarshal([]byte(r.Content), &m.Structured); err != nil {
			return nil, fmt.Errorf("neither structured content nor JSON: %w", err)
		}
	}
	if inner, ok := m.Structured["result"].(map[string]any); ok && len(m.Structured) == 1 {
		m.Structured = inner // an SDK's envelope around what has no schema
	}
	if ok, said := m.Structured["success"].(bool); said && !ok {
		why, there := m.Structured["error"]
		if !there {
			why = m.Structured
		}
		return nil, fmt.Errorf("the tool failed: %v", why)
	}
	r.Value = m.Structured
	return r, nil
}

// callTool calls a tool and reads its result.
func (s *session) callTool(ctx context.Context, name string, arguments any) (*toolReply, error) {
	params, err := json.Marshal(map[string]any{"name": name, "arguments": arguments})
	if err != nil {
		return nil, err
	}
	raw, err := s.ask(ctx, "tools/call", params)
	if err != nil {
		return nil, err
	}
	return readTool(raw)
}
