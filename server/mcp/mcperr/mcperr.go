package mcperr

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"unicode/utf8"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"doorman/server/access"
)

// JSON is what a client gets of an error, in a tool result and over HTTP alike.
type JSON struct {
	Kind       access.Kind `json:"kind"`
	Code       string      `json:"code,omitempty"`
	Message    string      `json:"message"`
	Hint       string      `json:"hint,omitempty"`
	RetryAfter int         `json:"retry_after_seconds,omitempty"`
}

// Body is e as a client gets it.
func Body(e *access.Error) JSON {
	return JSON{Kind: e.Kind, Code: e.Code, Message: e.Message, Hint: e.Hint, RetryAfter: RetrySeconds(e)}
}

// RetrySeconds is when to come back after e, in whole seconds, never too early; 0 = it does not say.
func RetrySeconds(e *access.Error) int { return int(e.RetryAfter.Seconds() + 0.999) }

// Sentence is the message with its hint, for clients that show one text.
func Sentence(e *access.Error) string {
	if e.Hint == "" {
		return e.Message
	}
	return e.Message + " " + e.Hint
}

// HTTPStatus is the one place where an error becomes a status.
func HTTPStatus(e *access.Error) int {
	switch e.Kind {
	case access.Unauthenticated:
		return http.StatusUnauthorized
	case access.Forbidden, access.NotAllowed, access.ReadOnly:
		return http.StatusForbidden
	case access.RateLimited:
		return http.StatusTooManyRequests
	case access.TooLarge:
		return http.StatusRequestEntityTooLarge
	case access.InvalidInput:
		return http.StatusBadRequest
	case access.OdooUnavailable, access.Unavailable, access.Updating:
		return http.StatusServiceUnavailable
	case access.OdooTimeout:
		return http.StatusGatewayTimeout
	}
	if e.RetryAfter > 0 {
		return http.StatusServiceUnavailable // it will pass
	}
	return http.StatusInternalServerError
}

// RPC is a failure of a method that has no result to hold it. The code is the HTTP status: -32768 to -32000 belong to the
// protocol.
func RPC(e *access.Error) *jsonrpc.Error {
	return &jsonrpc.Error{Code: int64(HTTPStatus(e)), Message: e.Message, Data: Data(Body(e))}
}

// Data is v as the data of a JSON-RPC error.
func Data(v any) json.RawMessage {
	data, err := json.Marshal(v)
	if err != nil {
		return nil
	}
	return data
}

// InvalidParams is the protocol's error for parameters that cannot be.
func InvalidParams(format string, args ...any) *jsonrpc.Error {
	return &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: fmt.Sprintf(format, args...)}
}

// NoCursor is the error for a cursor that did not come with a page of the list that is asked for.
func NoCursor(cursor string) *jsonrpc.Error {
	return InvalidParams("%q is not a cursor of this list. Start without one.", Clip(cursor, 60))
}

// ID is the id of a request as it may be sent back: a text or a number. It is nil for anything else.
func ID(raw json.RawMessage) json.RawMessage {
	var value any
	if json.Unmarshal(raw, &value) == nil {
		switch value.(type) {
		case string, float64:
			return raw
		}
	}
	return nil
}

// Write writes e as a JSON-RPC error to the request of an id; without one, if the request was refused before its id was
// read, or has none that can be sent back.
func Write(w http.ResponseWriter, status int, id json.RawMessage, e *access.Error) {
	answer := map[string]any{
		"jsonrpc": "2.0", "error": jsonrpc.Error{Code: int64(status), Message: e.Message, Data: Data(Body(e))},
	}
	if id = ID(id); id != nil {
		answer["id"] = id
	}
	body, _ := json.Marshal(answer)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Clip shortens a text from outside, to n letters, before it goes into a message.
func Clip(s string, n int) string {
	s = strings.ToValidUTF8(s, "?")
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "..."
	}
	return s
}

// ClipTelling is Clip that says how long the text is.
func ClipTelling(s string, n int) string {
	clipped := Clip(s, n)
	if clipped == strings.ToValidUTF8(s, "?") {
		return clipped
	}
	return fmt.Sprintf("%s (the first %d of %d letters)", clipped, n, utf8.RuneCountInString(s))
}
