package jobs_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"doorman/jobs"
	"doorman/server/access"
)

// odoo counts what it is asked to do. What there is to do is done once, whoever asks.
type odoo struct {
	mu    sync.Mutex
	calls map[string]int
	rows  int           // unfolded rows of the audit, or old ones
	batch int           // rows that one call takes
	slow  time.Duration // what a call takes
	fails int           // calls that fail first
	done  int
	now   int // calls under way
	most  int // at once
}

// Upkeep implements access.Upkeep.
func (o *odoo) Upkeep(ctx context.Context, name string) (access.Progress, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.now++
	o.most = max(o.most, o.now)
	defer func() { o.now-- }()
	if slow := o.slow; slow > 0 {
		o.mu.Unlock()
		select {
		case <-ctx.Done():
			o.mu.Lock()
			return access.Progress{}, &access.Error{Kind: access.OdooTimeout, Message: "Odoo did not answer in time."}
		case <-time.After(slow):
			o.mu.Lock()
		}
	}
	o.calls[name]++
	if o.fails > 0 {
		o.fails--
		return access.Progress{}, errors.New("down")
	}
	n := min(o.rows, o.batch)
	o.rows -= n
	o.done += n
	return access.Progress{Done: n, More: o.rows > 0}, nil
}

// listed is what the addon of 0.1.0 had done, by name.
var listed = map[string]access.Job{
	"fold_use":           {Every: time.Minute, Timeout: 50 * time.Second},
	"expire_approvals":   {Every: time.Minute, Timeout: 50 * time.Second},
	"remind_approvals":   {Every: time.Minute, Timeout: 50 * time.Second},
	"expire_connections": {Every: 5 * time.Minute, Timeout: time.Minute},
	"expire_invites":     {Every: 5 * time.Minute, Timeout: time.Minute},
	"remind_invited":     {Every: time.Hour, Timeout: 5 * time.Minute},
	"purge_oauth":        {Every: time.Hour, Timeout: 5 * time.Minute},
	"purge_audit":        {Every: 24 * time.Hour, Timeout: 30 * time.Minute},
	"remind_expiry":      {Every: 24 * time.Hour, Timeout: 5 * time.Minute},
}

// some are jobs of these names; all of them without a name.
func some(names ...string) (list []access.Job) {
	for name, job := range listed {
		if job.Name = name; len(names) == 0 || slices.Contains(names, name) {
			list = append(list, job)
		}
	}
	return list
}

// for a while on the bubble's clock, so many replicas run these jobs. What was done by then is what counts.
func replicas(t *testing.T, n int, d time.Duration, o *odoo, list ...access.Job) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var runners []*jobs.Runner
		for range n {
			r := jobs.New(zerolog.Nop(), o, nil)
			if err := r.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			r.Follow(list)
			runners = append(runners, r)
		}
		time.Sleep(d)
		synctest.Wait()
		for _, r := range runners {
			r.Stop()
		}
	})
}

func TestUpkeepBySchedule(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}}
	replicas(t, 1, 24*time.Hour+time.Second, o, some()...)
	for name, job := range listed {
		if n := 1 + int(24*time.Hour/job.Every); o.calls[name] != n {
			t.Errorf("%s ran %d times in a day, want %d: once at once, then by its period", name, o.calls[name], n)
		}
	}
}

// TestEverythingThatWaits is done in one run, call after call.
func TestEverythingThatWaits(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name        string
		rows, batch int
		calls       int
	}{
		{"nothing", 0, 100, 1},
		{"one call's worth", 100, 100, 1},
		{"a little more", 101, 100, 2},
		{"much", 10_000, 100, 100},
		{"more of which nothing can be done", 100, 0, 1},
	} {
		for _, name := range []string{"fold_use", "purge_audit", "purge_oauth"} {
			o := &odoo{calls: map[string]int{}, rows: row.rows, batch: row.batch}
			replicas(t, 1, time.Second, o, some(name)...)
			if o.calls[name] != row.calls || o.done != min(row.rows, row.rows*row.batch) {
				t.Errorf("%s, %s: %d calls, want %d; %d done", name, row.name, o.calls[name], row.calls, o.done)
			}
		}
	}
}

// TestDeadlineEndsTheLoop: what is left waits for the next run, and that is not a failure, which would be tried again at once.
func TestDeadlineEndsTheLoop(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 100, batch: 1, slow: 7 * time.Second}
	replicas(t, 1, 59*time.Second, o, some("fold_use")...)
	if o.done != 7 {
		t.Errorf("%d done in 50 s at 7 s each, and none in the 9 s after, want 7", o.done)
	}
	o = &odoo{calls: map[string]int{}, rows: 100, batch: 1, slow: 7 * time.Second}
	replicas(t, 1, 68*time.Second, o, some("fold_use")...)
	if o.done != 8 {
		t.Errorf("%d done, want the eighth in the next run", o.done)
	}
}

// TestARunThatDoesNothingFails, and so the first one is tried again.
func TestARunThatDoesNothingFails(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	o := &odoo{calls: map[string]int{}, rows: 100, batch: 1, slow: time.Hour}
	synctest.Test(t, func(t *testing.T) {
		r := jobs.New(zerolog.New(&log), o, nil)
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		r.Follow(some("fold_use"))
		time.Sleep(55 * time.Second) // one run of 50 s, and 3 s into its next try
		r.Stop()
	})
	if o.done != 0 || strings.Count(log.String(), "Odoo did not answer in time.") != 1 {
		t.Errorf("%d done\n%s", o.done, log.String())
	}
}

// TestFailuresAreTriedAgain: a failure in the middle ends the run, and the next one goes on where it stopped.
func TestFailuresAreTriedAgain(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 10, batch: 4, fails: 2}
	replicas(t, 1, 30*time.Second, o, some("fold_use")...)
	if o.done != 10 || o.calls["fold_use"] != 2+3 {
		t.Fatalf("%d done in %d calls", o.done, o.calls["fold_use"])
	}
}

// TestReplicas: three services do together what one would, and no more.
func TestReplicas(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 50, batch: 4}
	replicas(t, 3, 10*time.Minute+time.Second, o, some()...)
	if o.done != 50 || o.rows != 0 {
		t.Fatalf("%d done", o.done)
	}
	if o.calls["fold_use"] < 3*11 {
		t.Fatalf("%d calls: not every replica ran", o.calls["fold_use"])
	}
}

// TestStopEndsTheLoop: a service that stops does not wait until everything is folded.
func TestStopEndsTheLoop(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 1_000_000, batch: 1, slow: time.Second}
	replicas(t, 1, 10*time.Second, o, some("fold_use")...)
	if o.done > 11 {
		t.Fatalf("%d done in 10 s at 1 s each", o.done)
	}
}
