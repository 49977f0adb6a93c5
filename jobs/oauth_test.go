package jobs_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"doorman/jobs"
	"doorman/server/access"
)

// purger is the one method of OAuth that a job needs.
type purger struct {
	access.OAuth
	left, calls int
}

func (p *purger) PurgeOAuth(context.Context) (access.Progress, error) {
	p.calls++
	n := min(p.left, 4)
	p.left -= n
	return access.Progress{Done: n, More: p.left > 0}, nil
}

// TestOAuthHourly: what is over goes every hour, to the end.
func TestOAuthHourly(t *testing.T) {
	t.Parallel()
	p := &purger{left: 10}
	job := jobs.OAuth(p)
	if job.Schedule != "@hourly" {
		t.Error(job.Schedule)
	}
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := job.Run(ctx); err != nil || p.left != 0 || p.calls != 3 {
			t.Errorf("%v, %d left after %d calls", err, p.left, p.calls)
		}
	})
}
