package odootest

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"doorman/server/access"
)

// AuditLines are lines of an audit as Odoo exports them: rows 1 to count of a chain.
func AuditLines(count int) []string {
	lines := make([]string, 0, count)
	var digest [sha256.Size]byte
	for n := 1; n <= count; n++ {
		row := fmt.Sprintf(`{"approval_id":null,"change_id":null,"changed":null,"client":"fake \"AI\" ünï",`+
			`"company_id":1,"connection_id":7,"connection_name":"Tool","connection_type":"bearer","content":null,"count":1,`+
			`"duration_ms":12,"id":%d,"ip":"192.0.2.1","method":"tools/call","model":"res.partner",`+
			`"orm_method":"search_read","outcome":"ok","reason":null,"record_ids":null,"request_id":"r-%d","rows":2,"said":null,"seen":["res.partner,%d","res.partner,%d"],"seen_cut":false,`+
			`"time":"2026-11-29T10:00:00.000000Z","tool":"search_records","user_id":2,"user_login":"anna"}`, n+100, n, n, n+1)
		digest = sha256.Sum256(append(digest[:], row...))
		lines = append(lines, fmt.Sprintf(`{"n":%d,"digest":"%s","row":%s}`, n, hex.EncodeToString(digest[:]), row))
	}
	return lines
}

// SetAudit makes these lines the audit, whose chain then ends at the last one.
func (s *Server) SetAudit(lines []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.audit = lines
}

// link is the place of line i, from 1 on; 0 is the place before the first.
func (s *Server) link(i int64) access.AuditLink {
	at := access.AuditLink{Digest: hex.EncodeToString(make([]byte, sha256.Size))}
	if i > 0 {
		_ = json.Unmarshal([]byte(s.audit[i-1]), &at) // it is one of ours
	}
	return at
}

// auditMethod is the public methods of doorman.audit (models/audit/chain.py), as whose key it is. There is no retention
// here, and nobody changes rows.
func (s *Server) auditMethod(q *query) (any, raised) {
	if !q.admin {
		return nil, raised{name: "odoo.exceptions.AccessError", message: "Only an MCP auditor or administrator can do this."}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	size := int64(len(s.audit))
	answer := map[string]any{"head": s.link(size), "start": s.link(0)}
	after := min(int64(number(q.params["after"])), size)
	switch q.method {
	case "api_export":
		last := min(after+int64(number(q.params["limit"])), size)
		answer["lines"], answer["last"], answer["before"] = s.audit[after:last], last, s.link(after)
		return answer, raised{}
	case "api_verify":
		answer["n"], answer["digest"], answer["more"], answer["problem"] = size, s.link(size).Digest, false, s.held(q.params["head"])
		return answer, raised{}
	}
	return nil, raised{name: "werkzeug.exceptions.NotFound", message: "The method 'doorman.audit." + q.method + "' does not exist"}
}

func (s *Server) held(head any) any {
	told, ok := head.(map[string]any)
	if !ok {
		return nil
	}
	n := int64(number(told["n"]))
	switch {
	case n > int64(len(s.audit)):
		return map[string]any{"what": "shortened", "n": n, "id": nil}
	case s.link(n).Digest != told["digest"]:
		return map[string]any{"what": "rewritten", "n": n, "id": n + 100}
	}
	return nil
}
