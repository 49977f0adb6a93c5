package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

// received are the methods that the SDK takes. It refuses a request of any other one before it looks at anything else,
// before 2026-07-28 with a line of text instead of JSON-RPC's error -32601, which clients rely on to learn what a server
// has. A test holds the list against the SDK.
var received = []string{
	"completion/complete", "initialize", "logging/setLevel", "ping", "prompts/get", "prompts/list", "resources/list",
	"resources/read", "resources/subscribe", "resources/templates/list", "resources/unsubscribe", "server/discover",
	"subscriptions/listen", "tools/call", "tools/list",
	"notifications/cancelled", "notifications/initialized", "notifications/progress", "notifications/roots/list_changed",
}

// message is what has to be known of a JSON-RPC message to refuse its method.
type message struct {
	Method *string         `json:"method"`
	ID     json.RawMessage `json:"id"` // nil = none: a notification, which gets no answer
}

func (m message) isUnknown() bool { return m.Method != nil && !slices.Contains(received, *m.Method) }

// notFound is the answer to a call of a method that is not there; nil to a notification.
func (m message) notFound() json.RawMessage {
	if m.ID == nil {
		return nil
	}
	return failure(m.ID, jsonrpc.CodeMethodNotFound, fmt.Sprintf("There is no method %q.", mcperr.Clip(*m.Method, 60)))
}

// failure is a JSON-RPC error for the request of an id, as JSON.
func failure(id json.RawMessage, code int64, text string) json.RawMessage {
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": plainID(id), "error": jsonrpc.Error{Code: code, Message: text},
	})
	if err != nil {
		panic(err) // an id that was JSON before, and texts
	}
	return body
}

// plainID is an id as it may be sent back: a text or a number. It is null for anything else.
func plainID(id json.RawMessage) json.RawMessage {
	var value any
	if json.Unmarshal(id, &value) == nil {
		switch value.(type) {
		case string, float64:
			return id
		}
	}
	return json.RawMessage("null")
}

// answerUnknown lets requests of methods that the SDK takes through to next, and answers the others: with the error of
// JSON-RPC, in every version of the protocol and whatever else is in a batch with them. Who asks was admitted before.
func answerUnknown(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body) // in memory already, and bounded: Authenticate has read it
		if err != nil {
			next.ServeHTTP(w, r)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && trimmed[0] == '[' {
			answerBatch(w, r, trimmed, next)
			return
		}
		m, ok := read(body)
		if !ok || !m.isUnknown() {
			next.ServeHTTP(w, r)
			return
		}
		status := http.StatusOK
		if r.Header.Get("Mcp-Protocol-Version") >= caller.ModernProtocol {
			status = http.StatusNotFound // what that version wants
		}
		reply(w, status, m.notFound())
	})
}

// read looks into one message, by the exact keys: a struct would take "Method" for "method" too, which the SDK does not.
func read(raw json.RawMessage) (m message, ok bool) {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(raw, &envelope) != nil {
		return m, false
	}
	var method string
	if json.Unmarshal(envelope["method"], &method) == nil {
		m.Method = &method
	}
	m.ID = envelope["id"]
	return m, true
}

// answerBatch answers the unknown ones of a batch (protocol 2025-03-26) next to what the SDK answers to the rest.
func answerBatch(w http.ResponseWriter, r *http.Request, body []byte, next http.Handler) {
	var all, rest, answers []json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		next.ServeHTTP(w, r)
		return
	}
	for _, raw := range all {
		if m, ok := read(raw); !ok || !m.isUnknown() {
			rest = append(rest, raw)
		} else if answer := m.notFound(); answer != nil {
			answers = append(answers, answer)
		}
	}
	switch {
	case len(rest) == len(all):
		next.ServeHTTP(w, r)
		return
	case len(rest) > 0:
		known, err := json.Marshal(rest)
		if err != nil {
			panic(err) // it was JSON before
		}
		r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(known)), int64(len(known))
		told := &kept{header: http.Header{}, status: http.StatusOK}
		next.ServeHTTP(told, r)
		var more []json.RawMessage
		if told.status != http.StatusOK && told.status != http.StatusAccepted || told.body.Len() > 0 && json.Unmarshal(told.body.Bytes(), &more) != nil {
			told.sendTo(w) // all of the batch is refused
			return
		}
		answers = append(more, answers...)
	}
	if len(answers) == 0 {
		reply(w, http.StatusAccepted, nil)
		return
	}
	body, err := json.Marshal(answers)
	if err != nil {
		panic(err) // JSON, each of them
	}
	reply(w, http.StatusOK, body)
}

// reply sends one answer; nil means that there is none to send: Accepted.
func reply(w http.ResponseWriter, status int, body json.RawMessage) {
	if body == nil {
		w.WriteHeader(http.StatusAccepted)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// kept is an answer that is not sent yet.
type kept struct {
	header http.Header
	status int
	body   bytes.Buffer
}

// Header implements http.ResponseWriter.
func (k *kept) Header() http.Header { return k.header }

// WriteHeader implements http.ResponseWriter.
func (k *kept) WriteHeader(status int) { k.status = status }

// Write implements http.ResponseWriter.
func (k *kept) Write(b []byte) (int, error) { return k.body.Write(b) }

func (k *kept) sendTo(w http.ResponseWriter) {
	maps.Copy(w.Header(), k.header)
	w.WriteHeader(k.status)
	_, _ = w.Write(k.body.Bytes())
}
