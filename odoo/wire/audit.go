package wire

import (
	"encoding/hex"
	"encoding/json"
	"strings"

	"doorman/server/access"
)

// DecodeAuditPage reads a piece of the audit.
func DecodeAuditPage(raw json.RawMessage) (*access.AuditPage, error) {
	var w struct {
		Lines []string         `json:"lines"`
		Last  int64            `json:"last"`
		B     access.AuditLink `json:"before"`
		H     access.AuditLink `json:"head"`
		S     access.AuditLink `json:"start"`
	}
	if isNull(raw) {
		return nil, Unusable("not an object")
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, err
	}
	for _, l := range w.Lines {
		// A line break would make two lines of one, the second of which nobody has checked.
		if strings.ContainsAny(l, "\r\n") || !json.Valid([]byte(l)) {
			return nil, Unusable("a line of the audit that is not JSON")
		}
	}
	if err := checkLinks(w.B, w.H, w.S); err != nil {
		return nil, err
	}
	if len(w.Lines) > 0 && w.Last <= w.B.N {
		return nil, Unusable("lines of the audit that lead nowhere")
	}
	return &access.AuditPage{Lines: w.Lines, Last: w.Last, Before: w.B, Head: w.H, Start: w.S}, nil
}

// DecodeAuditCheck reads how far the audit holds.
func DecodeAuditCheck(raw json.RawMessage) (*access.AuditCheck, error) {
	var w struct {
		access.AuditLink
		More    bool                 `json:"more"`
		Problem *access.AuditProblem `json:"problem"`
		Head    access.AuditLink     `json:"head"`
		Start   access.AuditLink     `json:"start"`
	}
	if isNull(raw) {
		return nil, Unusable("not an object")
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, err
	}
	if err := checkLinks(w.AuditLink, w.Head, w.Start); err != nil {
		return nil, err
	}
	if w.Problem != nil {
		w.Problem.What = CleanText(w.Problem.What)
	}
	return &access.AuditCheck{At: w.AuditLink, More: w.More, Problem: w.Problem, Head: w.Head, Start: w.Start}, nil
}

func checkLinks(links ...access.AuditLink) error {
	for _, l := range links {
		if digest, err := hex.DecodeString(l.Digest); err != nil || len(digest) != 32 || l.N < 0 {
			return Unusable("a place in the audit without a SHA-256")
		}
	}
	return nil
}
