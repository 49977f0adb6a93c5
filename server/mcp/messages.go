package mcp

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"net/http"
	"strconv"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

// What clients alone are told: it reaches no person in Odoo, and need not be translated.
const (
	sayNotOne  = "The request is not one JSON-RPC message."
	sayTwice   = "Two requests of the batch have the same id; none was carried out."
	sayEmpty   = "The batch is empty: put at least one message into it."
	sayNoBatch = "MCP has had no batches since version 2025-06-18: send one message per request."
)

// noBatches is the first version of the protocol without batches.
const noBatches = "2025-06-18"

// message is what has to be known of a JSON-RPC message to refuse it.
type message struct {
	members map[string]json.RawMessage
	method  string
	id      json.RawMessage // nil = none: a notification, which gets no answer
}

// refusal is what is wrong with a message that the SDK must not get.
type refusal struct {
	code int64 // of the JSON-RPC error; 0 = it gets no answer
	text string
}

func invalid(format string, args ...any) *refusal {
	return &refusal{jsonrpc.CodeInvalidRequest, fmt.Sprintf(format, args...)}
}

// refusal is nil if nothing is wrong in this version of the protocol, as far as can be seen here.
func (m message) refusal(version string) *refusal {
	expected, known := received[m.method]
	switch {
	case m.members["method"] == nil && (m.members["result"] != nil || m.members["error"] != nil):
		return &refusal{} // of a client that was asked nothing
	case m.id != nil && !comesBack(m.id):
		return invalid("The id must be a text, or a whole number of at most %d.", int64(caller.MaxNumber))
	case string(m.members["jsonrpc"]) != `"2.0"`:
		return invalid(`The request must have "jsonrpc": "2.0".`)
	case !bytes.HasPrefix(m.members["method"], []byte(`"`)):
		return invalid("The request has no method.")
	case !known && m.id == nil:
		return &refusal{}
	case !known:
		return &refusal{jsonrpc.CodeMethodNotFound, fmt.Sprintf("There is no method %q.", mcperr.Clip(m.method, 60))}
	case expected.notification && m.id != nil:
		return invalid("%s is a notification: send it without an id.", m.method)
	case expected.notification:
		return nil // it gets no answer, no matter what is wrong
	case m.id == nil:
		return invalid("%s is a request: send it with an id.", m.method)
	case expected.old && version >= caller.ModernProtocol:
		return nil // the SDK says that there is none: clients take that as the sign to fall back
	}
	return expected.check(m.method, m.members["params"])
}

// refused is the answer to a message with this refusal; nil = it gets none.
func (m message) refused(r *refusal) json.RawMessage {
	if r.code == 0 {
		return nil
	}
	return failure(m.id, r.code, r.text)
}

// comesBack reports whether an id is one, and the SDK gives it back as it came: it would round a number, and the answer
// would be to nobody, or to another request.
func comesBack(id json.RawMessage) bool {
	switch c := id[0]; {
	case c == '"':
		return true
	case c != '-' && (c < '0' || c > '9'):
		return false
	}
	number, err := strconv.ParseFloat(string(id), 64)
	return err == nil && number == math.Trunc(number) && math.Abs(number) <= caller.MaxNumber
}

// failure is a JSON-RPC error for the request of an id, as JSON.
func failure(id json.RawMessage, code int64, text string) json.RawMessage {
	body, err := json.Marshal(map[string]any{
		"jsonrpc": "2.0", "id": mcperr.ID(id), "error": jsonrpc.Error{Code: code, Message: text},
	})
	if err != nil {
		panic(err) // an id that was JSON before, and texts
	}
	return body
}

// answerWrong passes on to next what the SDK can answer, and answers the rest itself with the errors of JSON-RPC, in every
// version of the protocol and next to anything else in a batch: methods that do not exist, and what the SDK would take for
// something else. The caller has been admitted already.
func answerWrong(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c, refused := caller.Of(r.Context())
		if refused != nil || r.Method != http.MethodPost {
			next.ServeHTTP(w, r)
			return
		}
		if c.Members == nil {
			body, err := io.ReadAll(r.Body) // in memory already, and bounded: Authenticate has read it
			r.Body = io.NopCloser(bytes.NewReader(body))
			if trimmed := bytes.TrimSpace(body); err == nil && len(trimmed) > 0 && trimmed[0] == '[' {
				answerBatch(w, r, trimmed, next)
				return
			}
			// Also where more follows: the SDK would read the first message, and drop the others without a word.
			reply(w, http.StatusBadRequest, failure(nil, jsonrpc.CodeParseError, sayNotOne))
			return
		}
		m, version := read(c.Members), r.Header.Get("Mcp-Protocol-Version")
		wrong := m.refusal(version)
		if wrong == nil {
			next.ServeHTTP(w, r)
			return
		}
		status := http.StatusBadRequest
		switch modern := version >= caller.ModernProtocol; {
		case wrong.code == jsonrpc.CodeInvalidParams:
			status = http.StatusOK
		case wrong.code == jsonrpc.CodeMethodNotFound && modern:
			status = http.StatusNotFound // what that version wants
		case wrong.code == jsonrpc.CodeMethodNotFound:
			status = http.StatusOK
		}
		reply(w, status, m.refused(wrong))
	})
}

// read looks into one message, by the exact names of its members: a struct would take "Method" for "method" too, which
// the SDK does not.
func read(members map[string]json.RawMessage) message {
	m := message{members: members, id: members["id"]}
	_ = json.Unmarshal(members["method"], &m.method)
	if string(m.id) == "null" {
		m.id = nil
	}
	return m
}

// answerBatch answers the unknown ones of a batch (protocol 2025-03-26) next to what the SDK answers to the rest.
func answerBatch(w http.ResponseWriter, r *http.Request, body []byte, next http.Handler) {
	var all, rest, answers []json.RawMessage
	version := r.Header.Get("Mcp-Protocol-Version")
	refuse := func(code int64, text string) { reply(w, http.StatusBadRequest, failure(nil, code, text)) }
	switch err := json.Unmarshal(body, &all); {
	case err != nil:
		refuse(jsonrpc.CodeParseError, sayNotOne)
		return
	case version >= noBatches:
		refuse(jsonrpc.CodeInvalidRequest, sayNoBatch)
		return
	case len(all) == 0:
		refuse(jsonrpc.CodeInvalidRequest, sayEmpty)
		return
	}
	ids := map[string]bool{}
	for _, raw := range all {
		var members map[string]json.RawMessage
		if json.Unmarshal(raw, &members) != nil || members == nil {
			answers = append(answers, failure(nil, jsonrpc.CodeInvalidRequest, sayNotOne))
			continue
		}
		m := read(members)
		if m.id != nil && m.members["method"] != nil && ids[string(m.id)] { // the SDK would answer one of them, and do both
			refuse(jsonrpc.CodeInvalidRequest, sayTwice)
			return
		}
		ids[string(m.id)] = true
		if wrong := m.refusal(version); wrong == nil {
			rest = append(rest, raw)
		} else if answer := m.refused(wrong); answer != nil {
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

// reply sends one answer; nil means nothing to send: Accepted.
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
