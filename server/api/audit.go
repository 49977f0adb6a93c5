package api

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"doorman/server/access"
	"doorman/server/secret"
)

// Audit is Odoo as the audit's export sees it, with a person's own key, which it must not keep. Its errors are those of
// odoo.Client.AuditExport.
type Audit interface {
	Page(ctx context.Context, key secret.Text, after int64, limit int) (*access.AuditPage, error)
}

const (
	auditPath = "/api/org/mcp/audit"
	// maxAudit is how many rows one answer holds: some 100 MB at most.
	maxAudit     = 100_000
	defaultAudit = 10_000
	pieceWithin  = 2 * time.Minute
	auditPiece   = 1_000 // rows a request to Odoo
)

// audit streams rows of the audit as lines of JSON: {"before"} where they begin, a line for each row, {"head"} last. An
// answer without the last one was cut off.
func (a *API) audit(w http.ResponseWriter, r *http.Request, _ string) {
	key, p := credential(r, auditors)
	var after, limit int64
	if p == nil {
		after, limit, p = auditQuery(r)
	}
	if p != nil {
		writeProblem(w, p)
		return
	}
	page, p := a.auditPage(r, key, after, limit)
	if p != nil {
		writeProblem(w, p)
		return
	}
	w.Header().Set("Content-Type", "application/x-ndjson")
	if r.Method == http.MethodHead {
		return
	}
	lines := json.NewEncoder(w)
	flush := http.NewResponseController(w)
	if lines.Encode(map[string]access.AuditLink{"before": page.Before}) != nil {
		return
	}
	for {
		// The server's own limit is one for a whole answer, which this one outlasts.
		_ = flush.SetWriteDeadline(a.config.Now().Add(pieceWithin))
		for _, line := range page.Lines {
			if _, err := w.Write([]byte(line + "\n")); err != nil {
				return
			}
		}
		_ = flush.Flush() // a writer that cannot, writes at the end
		limit -= int64(len(page.Lines))
		if len(page.Lines) == 0 || limit <= 0 || page.Last >= page.Head.N {
			break
		}
		next, p := a.auditPage(r, key, page.Last, limit)
		if p != nil {
			// The status is out. Without its last line nobody takes this for all there is.
			_ = lines.Encode(errorOf(p))
			return
		}
		page = next
	}
	_ = lines.Encode(map[string]access.AuditLink{"head": page.Head})
}

func auditQuery(r *http.Request) (after, limit int64, p *problem) {
	given, p := query(r, "after", "limit")
	if p != nil {
		return 0, 0, p
	}
	limit = defaultAudit
	for name, into := range map[string]struct {
		value *int64
		bounds
	}{"after": {&after, bounds{0, maxN}}, "limit": {&limit, bounds{1, maxAudit}}} {
		if text, there := given[name]; there {
			n, ok := wholeNumber(text, into.bounds)
			if !ok {
				return 0, 0, invalid("%s must be a whole number from %d to %d.", name, into.least, into.most)
			}
			*into.value = n
		}
	}
	return after, limit, nil
}

const maxN = 9_999_999_999 // as many digits as wholeNumber reads

func (a *API) auditPage(r *http.Request, key secret.Text, after, limit int64) (page *access.AuditPage, p *problem) {
	p = a.guarded(r, func() (err error) {
		page, err = a.config.Audit.Page(r.Context(), key, after, int(min(limit, auditPiece)))
		return err
	})
	return page, p
}
