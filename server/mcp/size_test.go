package mcp_test

import (
	"strings"
	"testing"

	"doorman/server/access"
)

// TestListSize: every client pays for the list in every conversation, whether it calls one of the tools or not.
func TestListSize(t *testing.T) {
	t.Parallel()
	const everything, readOnly, usual = 25_000, 12_288, 12_000
	for _, row := range []struct {
		name  string
		bytes int
		with  func(*access.Policy)
		has   int // tools
	}{
		{"everything allowed", everything, func(p *access.Policy) { p.ResearchTools = true }, 27},
		{"everything that reads", readOnly, func(p *access.Policy) { p.ResearchTools, p.ReadOnly = true, true }, 16},
		{"reading as a new connection has it", usual, func(p *access.Policy) { p.ReadOnly = true }, 14},
	} {
		f := newFake()
		f.snapshot.Connection.Policy.Scopes = access.Scopes
		row.with(&f.snapshot.Connection.Policy)
		for _, era := range []string{"2025-11-25", newEra} {
			body := send(t, endpoint(t, f).URL, bodyOf(era, "tools/list", "{}"), eraHeaders(era, "tools/list", "{}")...).body
			if n := strings.Count(body, `"inputSchema"`); n != row.has {
				t.Errorf("%s, %s: %d tools, want %d", row.name, era, n, row.has)
			}
			t.Logf("%s, %s: %d bytes", row.name, era, len(body))
			if len(body) > row.bytes {
				t.Errorf("%s, %s: %d bytes are more than %d", row.name, era, len(body), row.bytes)
			}
		}
	}
}
