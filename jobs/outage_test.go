package jobs

import (
	"testing"
	"time"

	"doorman/server/access"
)

// TestOutage: a long outage is a line a minute, however many jobs fail in it; what is a job's own is always told.
func TestOutage(t *testing.T) {
	t.Parallel()
	var o outage
	start := time.Now()
	fail := func(kind access.Kind, after time.Duration) bool {
		return o.news(access.NewError(kind, "x", ""), start.Add(after))
	}
	lines := 0
	for second := range 300 {
		for range 3 {
			if fail(access.OdooUnavailable, time.Duration(second)*time.Second) {
				lines++
			}
		}
	}
	if lines != 5 {
		t.Errorf("%d lines in five minutes, want 5", lines)
	}
	for _, row := range []struct {
		kind access.Kind
		want bool
	}{
		{access.OdooUnavailable, false}, {access.Updating, true}, {access.Updating, false}, {access.OdooTimeout, true},
		{access.BusinessRule, true}, {access.BusinessRule, true}, {access.Internal, true}, {access.Internal, true}, {access.OdooTimeout, false},
	} {
		if got := fail(row.kind, 299*time.Second); got != row.want {
			t.Errorf("%s: told %v, want %v", row.kind, got, row.want)
		}
	}
	if after := o.over(start.Add(310 * time.Second)); after != 310*time.Second {
		t.Errorf("it went on for %s", after)
	}
	if after := o.over(start.Add(311 * time.Second)); after != 0 {
		t.Errorf("it is over twice, after %s", after)
	}
	if !fail(access.OdooUnavailable, 312*time.Second) {
		t.Error("the next one is not told")
	}
}
