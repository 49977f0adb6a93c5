package mcp_test

import (
	"testing"

	"doorman/server/access"
	"doorman/server/mcp"
)

// TestRefusalsAreResults: since 2026-07-28 every result says what it is, also one that admit gives in a tool's place.
func TestRefusalsAreResults(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name, tool, kind string
		change           func(*fakeGateway)
	}{
		{"unknown", "slow_compute", "unknown_tool", func(*fakeGateway) {}},
		{"not allowed", "create_records", "not_allowed", func(*fakeGateway) {}},
		{"too often", "search_records", "rate_limited", nil},
		{"inactive", "search_records", "forbidden", func(f *fakeGateway) { f.snapshot.Connection.Status = access.StatusInactive }},
	} {
		for era, want := range map[string]string{oldEra: "", newEra: "complete"} {
			t.Run(row.name+" "+want, func(t *testing.T) {
				t.Parallel()
				f := newFake()
				limiter := newLimiter()
				if row.change != nil {
					row.change(f)
				} else {
					limiter.after["7"] = 0
				}
				url := endpoint(t, f, func(c *mcp.Config) { c.Limiter = limiter }).URL
				var r struct {
					ResultType        string
					IsError           bool
					StructuredContent struct{ Kind string }
				}
				ask(t, url, era, "tools/call", `{"name":"`+row.tool+`","arguments":{"model":"res.partner"}}`, &r)
				if r.ResultType != want || !r.IsError || r.StructuredContent.Kind != row.kind {
					t.Errorf("%+v, want %q and %s", r, want, row.kind)
				}
			})
		}
	}
}
