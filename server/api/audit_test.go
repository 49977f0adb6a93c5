package api_test

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/api"
	"doorman/server/secret"
)

// fakeAudit is an audit of lines; the request number fail is refused.
type fakeAudit struct {
	lines []string
	fail  int
	asked []int // the limits
	key   string
}

func (f *fakeAudit) Page(_ context.Context, key secret.Text, after int64, limit int) (*access.AuditPage, error) {
	f.asked, f.key = append(f.asked, limit), key.Reveal()
	if f.fail == len(f.asked) {
		return nil, access.NewError(access.Forbidden, "This key cannot read the audit.", "")
	}
	at := func(n int64) access.AuditLink { return access.AuditLink{N: n, Digest: "d"} }
	size := int64(len(f.lines))
	after = min(after, size)
	last := min(after+int64(limit), size)
	return &access.AuditPage{Before: at(after), Lines: f.lines[after:last], Last: last, Head: at(size)}, nil
}

func TestAuditStream(t *testing.T) {
	t.Parallel()
	all := odootest.AuditLines(2_300)
	for _, row := range []struct {
		name, query string
		fail        int
		headers     []string
		status      int
		first, last string // of the answer's lines
		lines       int    // rows among them
	}{
		{"all", "", 0, nil, 200, `{"before":{"n":0,`, `{"head":{"n":2300,`, 2300},
		{"a piece", "?after=100&limit=1500", 0, nil, 200, `{"before":{"n":100,`, `{"head":{"n":2300,`, 1500},
		{"the end", "?after=2300", 0, nil, 200, `{"before":{"n":2300,`, `{"head":{"n":2300,`, 0},
		{"beyond", "?after=9999999999", 0, nil, 200, `{"before":{"n":2300,`, `{"head":{"n":2300,`, 0},
		{"cut off", "", 2, nil, 200, `{"before":{"n":0,`, `{"error":{"code":"forbidden",`, 1000},

		{"not allowed", "", 1, nil, 403, `{"error":{"code":"forbidden",`, `{"error":`, 0},
		{"no key", "", 0, []string{"Authorization", ""}, 401, `{"error":`, `{"error":`, 0},
		{"an odd number", "?after=-1", 0, nil, 400, `{"error":`, `{"error":`, 0},
		{"too many", "?limit=100001", 0, nil, 400, `{"error":`, `{"error":`, 0},
		{"none", "?limit=0", 0, nil, 400, `{"error":`, `{"error":`, 0},
		{"unknown", "?since=1", 0, nil, 400, `{"error":`, `{"error":`, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			w, odoo := newWorld("", nil), &fakeAudit{lines: all, fail: row.fail}
			w.api = w.with(func(c *api.Config) { c.Audit = odoo })
			answer, _ := w.do("GET", "/api/org/mcp/audit"+row.query, "", row.headers...)
			lines := strings.Split(strings.TrimSpace(answer.Body.String()), "\n")
			rows := 0
			for _, l := range lines {
				var v struct{ Row json.RawMessage }
				if err := json.Unmarshal([]byte(l), &v); err != nil {
					t.Fatalf("%q: %v", l, err)
				}
				if v.Row != nil {
					rows++
				}
			}
			if answer.Code != row.status || rows != row.lines || !strings.HasPrefix(lines[0], row.first) || !strings.HasPrefix(lines[len(lines)-1], row.last) {
				t.Errorf("%d, %d rows: %.200q ... %.200q", answer.Code, rows, lines[0], lines[len(lines)-1])
			}
			if row.status == 200 && (odoo.key != "key" || answer.Header().Get("Content-Type") != "application/x-ndjson") {
				t.Errorf("with key %q: %v", odoo.key, answer.Header())
			}
		})
	}
}
