package mcp

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"

	"doorman/server/mcp/caller"
)

// WriteStatus answers with an HTTP status what never reached the endpoint, in its form.
func WriteStatus(w http.ResponseWriter, status int, message string) {
	reply(w, status, failure(nil, int64(status), message))
}

// asJSON lets answers of next through, but turns the lines of text by which the SDK refuses a request into JSON-RPC
// errors: a client that reads JSON would show its user that it cannot read the answer, instead of what is wrong.
func asJSON(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		held := &errorHolder{ResponseWriter: w}
		next.ServeHTTP(held, r)
		var id json.RawMessage
		if c, refusal := caller.Of(r.Context()); refusal == nil {
			id = c.Members["id"]
		}
		held.finish(id)
	})
}

// errorHolder keeps back an error that is plain text.
type errorHolder struct {
	http.ResponseWriter
	status int // of what is kept back; 0 = nothing is
	text   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (h *errorHolder) WriteHeader(status int) {
	if status >= http.StatusBadRequest && strings.HasPrefix(h.Header().Get("Content-Type"), "text/plain") {
		h.status = status
		return
	}
	h.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (h *errorHolder) Write(b []byte) (int, error) {
	if h.status != 0 {
		return h.text.Write(b)
	}
	return h.ResponseWriter.Write(b)
}

// Unwrap lets http.ResponseController reach what streams.
func (h *errorHolder) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// finish sends what was kept back, to the request of an id.
func (h *errorHolder) finish(id json.RawMessage) {
	if h.status == 0 {
		return
	}
	h.Header().Del("Content-Length")
	code := int64(h.status) // -32768 to -32000 belong to the protocol
	if h.status == http.StatusBadRequest {
		code = jsonrpc.CodeInvalidRequest
	}
	text := strings.TrimPrefix(strings.TrimSpace(h.text.String()), "Bad Request: ")
	reply(h.ResponseWriter, h.status, failure(id, code, text))
}
