package jobs_test

import (
	"context"
	"errors"
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
}

func (o *odoo) step(ctx context.Context, name string) (access.Progress, error) {
	if o.slow > 0 {
		select {
		case <-ctx.Done():
			return access.Progress{}, &access.Error{Kind: access.OdooTimeout, Message: "Odoo did not answer in time."}
		case <-time.After(o.slow):
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
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

func (o *odoo) FoldUse(ctx context.Context) (access.Progress, error) { return o.step(ctx, "use") }
func (o *odoo) ExpireConnections(ctx context.Context) (access.Progress, error) {
	return o.step(ctx, "expiry")
}
func (o *odoo) PurgeAudit(ctx context.Context) (access.Progress, error) { return o.step(ctx, "audit") }
func (o *odoo) RemindExpiry(ctx context.Context) (access.Progress, error) {
	return o.step(ctx, "reminders")
}
func (o *odoo) ExpireApprovals(ctx context.Context) (access.Progress, error) {
	return o.step(ctx, "approvals")
}
func (o *odoo) RemindApprovals(ctx context.Context) (access.Progress, error) {
	return o.step(ctx, "approvers")
}

func (o *odoo) ExpireInvites(ctx context.Context) (access.Progress, error) {
	return o.step(ctx, "invites")
}
func (o *odoo) RemindInvited(ctx context.Context) (access.Progress, error) {
	return o.step(ctx, "invited")
}

// only returns the job of a name.
func only(t *testing.T, u access.Upkeep, name string) jobs.Job {
	t.Helper()
	for _, j := range jobs.Upkeep(u) {
		if j.Name == name {
			return j
		}
	}
	t.Fatalf("no job %s", name)
	return jobs.Job{}
}

// for a while on the bubble's clock, so many replicas run these jobs.
func replicas(t *testing.T, n int, d time.Duration, list func() []jobs.Job) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		var runners []*jobs.Runner
		for range n {
			r, err := jobs.Start(t.Context(), zerolog.Nop(), list()...)
			if err != nil {
				t.Fatal(err)
			}
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
	replicas(t, 1, 24*time.Hour+time.Second, func() []jobs.Job { return jobs.Upkeep(o) })
	want := map[string]int{
		"use": 1 + 24*60, "approvals": 1 + 24*60, "approvers": 1 + 24*60, "expiry": 1 + 24*12, "audit": 2, "reminders": 2,
		"invites": 1 + 24*12, "invited": 1 + 24,
	}
	for name, n := range want {
		if o.calls[name] != n {
			t.Errorf("%s ran %d times in a day, want %d: once at once, then on schedule", name, o.calls[name], n)
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
		for _, name := range []string{"use", "audit"} {
			o := &odoo{calls: map[string]int{}, rows: row.rows, batch: row.batch}
			if err := only(t, o, name).Run(t.Context()); err != nil || o.calls[name] != row.calls || o.done != min(row.rows, row.rows*row.batch) {
				t.Errorf("%s, %s: %d calls, want %d; %d done; %v", name, row.name, o.calls[name], row.calls, o.done, err)
			}
		}
	}
}

// TestDeadlineEndsTheLoop: what is left waits for the next run, and that is no failure.
func TestDeadlineEndsTheLoop(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 100, batch: 1, slow: 7 * time.Second}
	job := only(t, o, "use")
	var err error
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), job.Timeout)
		defer cancel()
		err = job.Run(ctx)
		if took := time.Since(start); took != job.Timeout {
			t.Errorf("it ran for %s", took)
		}
	})
	if err != nil || o.done != 7 {
		t.Fatalf("%d done in 50 s at 7 s each, want 7: %v", o.done, err)
	}
	t.Run("but one that does nothing at all fails", func(t *testing.T) {
		o := &odoo{calls: map[string]int{}, rows: 100, batch: 1, slow: time.Hour}
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), job.Timeout)
			defer cancel()
			err = only(t, o, "use").Run(ctx)
		})
		if access.AsError(err).Kind != access.OdooTimeout {
			t.Fatal(err)
		}
	})
}

// TestFailuresAreTriedAgain: a failure in the middle ends the run, and the next one goes on where it stopped.
func TestFailuresAreTriedAgain(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 10, batch: 4, fails: 2}
	replicas(t, 1, 30*time.Second, func() []jobs.Job { return []jobs.Job{only(t, o, "use")} })
	if o.done != 10 || o.calls["use"] != 2+3 {
		t.Fatalf("%d done in %d calls", o.done, o.calls["use"])
	}
}

// TestReplicas: three services do together what one would, and no more.
func TestReplicas(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 50, batch: 4}
	replicas(t, 3, 10*time.Minute+time.Second, func() []jobs.Job { return jobs.Upkeep(o) })
	if o.done != 50 || o.rows != 0 {
		t.Fatalf("%d done", o.done)
	}
	if o.calls["use"] < 3*11 {
		t.Fatalf("%d calls: not every replica ran", o.calls["use"])
	}
}

// TestStopEndsTheLoop: a service that stops does not wait until everything is folded.
func TestStopEndsTheLoop(t *testing.T) {
	t.Parallel()
	o := &odoo{calls: map[string]int{}, rows: 1_000_000, batch: 1, slow: time.Second}
	replicas(t, 1, 10*time.Second, func() []jobs.Job { return []jobs.Job{only(t, o, "use")} })
	if o.done > 11 {
		t.Fatalf("%d done in 10 s at 1 s each", o.done)
	}
}
