package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"slices"
	"strconv"
	"strings"

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

// What clients alone are told: it reaches no person in Odoo, and need not be translated.
const (
	sayNotOne = "The request is not one JSON-RPC message."
	sayTwice  = "Two requests of the batch have the same id; none was carried out."
)

// message is what has to be known of a JSON-RPC message to refuse it.
type message struct {
	method *string         // nil = none that is a text
	id     json.RawMessage // nil = none: a notification, which gets no answer
	answer bool            // it is an answer: of a client that was asked nothing
}

// refusal says what is wrong with a message that the SDK must not get; ok = nothing is, as far as can be seen here.
func (m message) refusal() (code int64, text string, ok bool) {
	switch {
	case m.id != nil && !comesBack(m.id):
		// The SDK would round it: the answer would be to nobody, or to another request.
		return jsonrpc.CodeInvalidRequest, fmt.Sprintf("The id must be a text, or a whole number of at most %d.", int64(caller.MaxNumber)), false
	case m.method == nil && m.id != nil && !m.answer:
		return jsonrpc.CodeInvalidRequest, "The request has no method.", false
	case m.method != nil && !slices.Contains(received, *m.method):
		return jsonrpc.CodeMethodNotFound, fmt.Sprintf("There is no method %q.", mcperr.Clip(*m.method, 60)), false
	}
	return 0, "", true
}

// refused is the answer to a message with this refusal; nil to a notification.
func (m message) refused(code int64, text string) json.RawMessage {
	if m.id == nil {
		return nil
	}
	return failure(m.id, code, text)
}

// comesBack reports whether the SDK gives an id back as it came. What no id can be is refused by the SDK.
func comesBack(id json.RawMessage) bool {
	if c := id[0]; c != '-' && (c < '0' || c > '9') {
		return true
	}
	number, err := strconv.ParseFloat(string(id), 64)
	return err == nil && number == math.Trunc(number) && math.Abs(number) <= caller.MaxNumber
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

// answerUnknown passes on to next what the SDK can answer, and answers the rest itself with the errors of JSON-RPC, in every
// version of the protocol and next to anything else in a batch: methods that do not exist, and what the SDK would take for
// something else. The caller has been admitted already.
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
		if !ok { // also where more follows: the SDK would read the first message, and drop the others without a word
			reply(w, http.StatusBadRequest, failure(nil, jsonrpc.CodeParseError, sayNotOne))
			return
		}
		code, text, ok := m.refusal()
		if ok {
			next.ServeHTTP(w, r)
			return
		}
		status := http.StatusBadRequest
		if code == jsonrpc.CodeMethodNotFound {
			status = http.StatusOK
			if r.Header.Get("Mcp-Protocol-Version") >= caller.ModernProtocol {
				status = http.StatusNotFound // what that version wants
			}
		}
		reply(w, status, m.refused(code, text))
	})
}

// read looks into one message, by the exact keys: a struct would take "Method" for "method" too, which the SDK does not.
func read(raw json.RawMessage) (m message, ok bool) {
	var envelope map[string]json.RawMessage
	if json.Unmarshal(raw, &envelope) != nil || envelope == nil {
		return m, false
	}
	var method string
	if name := envelope["method"]; string(name) != "null" && json.Unmarshal(name, &method) == nil {
		m.method = &method
	}
	m.id = envelope["id"]
	m.answer = envelope["result"] != nil || envelope["error"] != nil
	return m, true
}

// answerBatch answers the unknown ones of a batch (protocol 2025-03-26) next to what the SDK answers to the rest.
func answerBatch(w http.ResponseWriter, r *http.Request, body []byte, next http.Handler) {
	var all, rest, answers []json.RawMessage
	if json.Unmarshal(body, &all) != nil {
		next.ServeHTTP(w, r)
		return
	}
	ids := map[string]bool{}
	for _, raw := range all {
		m, ok := read(raw)
		if m.id != nil && m.method != nil && ids[string(m.id)] { // the SDK would answer one of them, and do both
			reply(w, http.StatusBadRequest, failure(nil, jsonrpc.CodeInvalidRequest, sayTwice))
			return
		}
		ids[string(m.id)] = true
		if !ok {
			rest = append(rest, raw) // the SDK refuses the whole batch for it
		} else if code, text, ok := m.refusal(); ok {
			rest = append(rest, raw)
		} else if answer := m.refused(code, text); answer != nil {
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
		if strings.HasPrefix(told.header.Get("Content-Type"), "text/event-stream") {
			for _, answer := range answers {
				fmt.Fprintf(&told.body, "event: message\ndata: %s\n\n", answer)
			}
			told.sendTo(w)
			return
		}
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
