package jobs_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"doorman/jobs"
	"doorman/server/access"
)

func counted(run func(ctx context.Context, n int64) error) (jobs.Job, *atomic.Int64) {
	runs := &atomic.Int64{}
	return jobs.Job{Name: "test", Every: 15 * time.Second, Timeout: time.Minute, Run: func(ctx context.Context) error {
		return run(ctx, runs.Add(1))
	}}, runs
}

// in runs the job for a while on the bubble's clock, and returns how often it ran.
func in(t *testing.T, d time.Duration, run func(ctx context.Context, n int64) error) (runs int64) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		job, n := counted(run)
		r := jobs.New(zerolog.Nop(), nil, nil)
		if err := r.Start(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		time.Sleep(d)
		synctest.Wait()
		runs = n.Load()
		r.Stop()
	})
	return runs
}

func TestRunsAtOnceAndThenOnSchedule(t *testing.T) {
	t.Parallel()
	if n := in(t, 61*time.Second, func(context.Context, int64) error { return nil }); n != 5 {
		t.Fatalf("%d runs in 61 s, want 1 at once and 4 on schedule", n)
	}
}

func TestFirstRunIsTriedAgain(t *testing.T) {
	t.Parallel()
	n := in(t, 9*time.Second, func(_ context.Context, n int64) error {
		if n < 4 {
			return errors.New("Odoo is down")
		}
		return nil
	})
	if n != 4 {
		t.Fatalf("%d runs in 9 s, want tries at 0, 2, 4 and 6 s", n)
	}
}

func TestPanicEndsTheRunOnly(t *testing.T) {
	t.Parallel()
	n := in(t, 31*time.Second, func(_ context.Context, n int64) error {
		if n > 1 {
			panic("boom")
		}
		return nil
	})
	if n != 3 {
		t.Fatalf("%d runs, want 3", n)
	}
}

func TestRunsDoNotPileUp(t *testing.T) {
	t.Parallel()
	var under, most atomic.Int64
	in(t, 3*time.Minute, func(ctx context.Context, n int64) error {
		if n == 1 {
			return nil
		}
		most.Store(max(most.Load(), under.Add(1)))
		defer under.Add(-1)
		<-ctx.Done() // longer than its schedule, until its deadline
		return ctx.Err()
	})
	if most.Load() != 1 {
		t.Fatalf("%d at once", most.Load())
	}
}

func TestStopWaitsForRuns(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var ended atomic.Bool
		job, _ := counted(func(ctx context.Context, _ int64) error {
			<-ctx.Done()
			time.Sleep(time.Second) // what a run still has to do when it is cancelled
			ended.Store(true)
			return ctx.Err()
		})
		r := jobs.New(zerolog.Nop(), nil, nil)
		if err := r.Start(t.Context(), job); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		r.Stop()
		if !ended.Load() {
			t.Fatal("Stop returned before the run had ended")
		}
	})
}

func TestBadScheduleIsAnError(t *testing.T) {
	t.Parallel()
	for _, job := range []jobs.Job{
		{Name: "x", Timeout: time.Second}, {Name: "x", Every: time.Second}, {Name: "Sometimes", Every: time.Second, Timeout: time.Second},
	} {
		if err := jobs.New(zerolog.Nop(), nil, nil).Start(t.Context(), job); err == nil {
			t.Errorf("%+v: no error", job)
		}
	}
}

type watchedKey struct{}

// TestRunsAreTold: each run once, with what came of it, which is nothing where the end of the service has cut it off. A run has
// the context that it was given.
func TestRunsAreTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		told := map[string]int{}
		r := jobs.New(zerolog.Nop(), nil, func(ctx context.Context, job string) (context.Context, func(string)) {
			return context.WithValue(ctx, watchedKey{}, job), func(outcome string) {
				mu.Lock()
				defer mu.Unlock()
				told[job+" "+outcome]++
			}
		})
		err := r.Start(t.Context(),
			jobs.Job{Name: "good", Every: time.Hour, Timeout: time.Second, Run: func(ctx context.Context) error {
				if ctx.Value(watchedKey{}) != "good" {
					return errors.New("another context")
				}
				return nil
			}},
			jobs.Job{Name: "bad", Every: time.Hour, Timeout: time.Second, Run: func(context.Context) error {
				return access.NewError(access.OdooTimeout, "too long", "")
			}},
			jobs.Job{Name: "panics", Every: time.Hour, Timeout: time.Second, Run: func(context.Context) error { panic("broken") }},
			jobs.Job{Name: "late", Every: time.Hour, Timeout: time.Second, Run: func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}},
			jobs.Job{Name: "cut_off", Every: time.Hour, Timeout: time.Hour, Run: func(ctx context.Context) error {
				<-ctx.Done()
				return ctx.Err()
			}},
		)
		if err != nil {
			t.Fatal(err)
		}
		time.Sleep(1500 * time.Millisecond)
		r.Stop()
		mu.Lock()
		defer mu.Unlock()
		want := map[string]int{"good ok": 1, "bad odoo_timeout": 1, "panics internal": 1, "late internal": 1, "cut_off ": 1}
		for name, n := range told {
			if want[name] != n {
				t.Errorf("%s: %d times", name, n)
			}
		}
		if len(told) != len(want) {
			t.Errorf("told %v", told)
		}
	})
}
