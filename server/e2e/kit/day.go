package kit

import (
	"testing"
	"time"
)

// SameDay is for a test of what counts by the day, UTC. Call what it returns before a verdict: it skips the test if midnight has
// come since, when the counts begin anew.
func SameDay() func(testing.TB) {
	day := func() string { return time.Now().UTC().Format(time.DateOnly) }
	began := day()
	return func(t testing.TB) {
		t.Helper()
		if day() != began {
			t.Skip("midnight has come since: what counts by the day begins anew")
		}
	}
}
