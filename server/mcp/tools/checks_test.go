package tools

import (
	"strings"
	"testing"

	"doorman/server/access"
)

// TestTooManyIDs: a hint fits reading and changing alike.
func TestTooManyIDs(t *testing.T) {
	t.Parallel()
	ids := make(idList, maxRows+1)
	for i := range ids {
		ids[i] = int64(i + 1)
	}
	for name, check := range map[string]func(idList) *access.Error{"read": checkReadIDs, "change": checkDistinct} {
		bad := check(ids)
		if bad == nil {
			t.Fatalf("%s: %d ids are taken", name, len(ids))
		}
		if strings.Contains(bad.Hint, "Read") {
			t.Errorf("%s: hint %q", name, bad.Hint)
		}
		if bad := check(ids[:maxRows]); bad != nil {
			t.Errorf("%s: %d ids: %v", name, maxRows, bad)
		}
	}
}
