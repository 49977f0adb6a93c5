package mcp_test

import (
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
	"doorman/server/mcp"
)

// TestLimitsAreAnnounced: a schema is written as text, so the limits in it can drift from those that are kept.
func TestLimitsAreAnnounced(t *testing.T) {
	t.Parallel()
	schemas := map[string]string{}
	for _, tool := range mcp.New(mcp.Config{Gateway: newFake(), Limiter: newLimiter(), Identify: identify, Version: "test"}).Catalog() {
		schemas[tool.Name] = string(tool.InputSchema)
	}
	for _, row := range []struct {
		tool  string
		words string
		limit int
	}{
		{"create_records", "at most %d objects", access.MaxRecords},
		{"update_records", "at most %d", access.MaxRecords},
		{"delete_records", "at most %d", access.MaxRecords},
		{"copy_records", "at most %d", access.MaxCopies},
		{"call_method", "at most %d", access.MaxRecords},
		{"search_everywhere", "2 to %d characters", access.MaxHitsQuery},
		{"search_everywhere", "1 to %d; default", access.MaxHits},
		{"read_messages", "1 to %d; default", access.MaxMessages},
		{"get_report", "at most %d", access.MaxPrinted},
		{"run_sql", "1 to %d; default", access.MaxSQLRows},
	} {
		if want := fmt.Sprintf(row.words, row.limit); !strings.Contains(schemas[row.tool], want) {
			t.Errorf("%s does not say %q", row.tool, want)
		}
	}
}
