package odootest

import (
	"bytes"
	"encoding/json"
	"net/http"
)

// serveBatch answers a JSON-RPC batch (controllers/gateway.py, _batch): each call by itself, one after the other.
func (s *Server) serveBatch(w http.ResponseWriter, r *http.Request, q *query) {
	answers := make([]json.RawMessage, 0, len(q.batch))
	for i, entry := range q.batch {
		one := &query{transport: q.transport, method: entry.Method, id: entry.ID}
		if entry.Method != "call" || !one.readParams(entry.Params) {
			s.raise(w, q, raised{name: "ValueError", message: "Not a JSON-RPC 2.0 request", status: http.StatusBadRequest})
			return
		}
		if q.fault != nil && q.fault.Kind == WrongID {
			one.id = q.batch[(i+1)%len(q.batch)].ID
		}
		value, _ := s.gateway(one.method, one.params) // call raises nothing here
		body, _ := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": one.id, "result": value})
		answers = append(answers, body)
	}
	body, _ := json.Marshal(answers)
	if s.after(w, r, q.fault, jsonType, body) {
		return
	}
	w.Header().Set("Content-Type", jsonType)
	_, _ = w.Write(body)
}

// isBatch reports whether a JSON text is a list.
func isBatch(body []byte) bool { return bytes.HasPrefix(bytes.TrimSpace(body), []byte("[")) }
