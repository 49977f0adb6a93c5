package caller

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"strings"

	"doorman/server/access"
	"doorman/server/exact"
)

const (
	// maxDepth is how deep the JSON of a request may nest. A domain of a person's making stays below 10.
	maxDepth = 64
	// progressToken is where a request asks for progress, in its _meta.
	progressToken = "progressToken"
	// maxToken bounds what is sent back with every notice.
	maxToken = 256
	// MaxNumber is the largest whole number that JSON's readers agree on (RFC 8259 section 6).
	MaxNumber = 1<<53 - 1
)

// peeked is what has to be known of a request before the SDK reads it. A batch (protocol 2025-03-26) has none of it.
type peeked struct {
	method  string
	id      string // as JSON; "" = none
	targets string // of notifications/cancelled: the id of the request that it takes back, as JSON
	streams bool   // it asks for progress, which only a stream can carry
	params  map[string]json.RawMessage
	members map[string]json.RawMessage // all of it, by their exact names
	flaw    *exact.Flaw                // nil = every reader understands the same
}

// peek reads the body, bounded, and returns what has to be known of it; the body is put back for the SDK.
func (d *Door) peek(w http.ResponseWriter, r *http.Request) (peeked, error) {
	if r.Method != http.MethodPost {
		return peeked{}, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, d.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return peeked{}, access.NewError(access.TooLarge,
			fmt.Sprintf("The request is larger than %d bytes.", d.maxBody), "Send less at once.")
	case err != nil:
		return peeked{}, access.NewError(access.InvalidInput, "The request was interrupted.", "Send it again.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// By the exact key: a struct would take "Method" for "method" too, and the SDK, which does not, would then run
	// another method than the one that was admitted. What is not a JSON object is the SDK's to answer.
	var m peeked
	if json.Unmarshal(body, &m.members) == nil {
		_ = json.Unmarshal(m.members["method"], &m.method)
		m.id = string(m.members["id"])
	}
	if depth(body) > maxDepth {
		return m, access.NewError(access.InvalidInput,
			fmt.Sprintf("The request is nested deeper than %d levels.", maxDepth), "Flatten it.")
	}
	if m.flaw = exact.Find(body); m.flaw != nil {
		switch strings.Join(m.flaw.Path, "/") {
		case "id", "method": // of two, neither is the right one
			m.id, m.method = "", ""
		}
	}
	m.lookInto(m.members["params"])
	return m, nil
}

// refused is why the request must not be answered at all: it is ambiguous. What is in the arguments of a tool call is left to
// the tool, for the model to mend: its client has made everything else.
func (m *peeked) refused() *access.Error {
	if m.flaw == nil || m.method == MethodCall && len(m.flaw.Path) > 1 && m.flaw.Path[0] == "params" && m.flaw.Path[1] == "arguments" {
		return nil
	}
	return m.flaw.Err
}

// depth returns how deep the brackets of a JSON text nest, without parsing it: a parser that recurses has already lost.
func depth(body []byte) (deepest int) {
	level, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			level++
			deepest = max(deepest, level)
		case b == '}' || b == ']':
			level--
		}
	}
	return deepest
}

// lookInto finds out what the parameters of a request say beyond the method.
func (m *peeked) lookInto(params json.RawMessage) {
	switch m.method {
	case "notifications/cancelled":
		var notice struct {
			RequestID json.RawMessage `json:"requestId"`
		}
		_ = json.Unmarshal(params, &notice)
		m.targets = string(notice.RequestID)
	case MethodCall, MethodRead:
		_ = json.Unmarshal(params, &m.params) // by the exact key, see peek
		if !bytes.Contains(params, []byte(progressToken)) {
			return // spares almost every call a second look
		}
		var asked struct {
			Meta map[string]any `json:"_meta"`
		}
		_ = json.Unmarshal(params, &asked)
		m.streams = goodToken(asked.Meta[progressToken])
	}
}

// goodToken reports whether v is what the protocol takes for a progress token, and the SDK gives back as it came: a text or
// a whole number, below those that a float64 rounds.
func goodToken(v any) bool {
	switch token := v.(type) {
	case string:
		return token != "" && len(token) <= maxToken
	case float64:
		return token == math.Trunc(token) && math.Abs(token) <= MaxNumber
	}
	return false
}
