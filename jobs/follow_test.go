package jobs_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"doorman/jobs"
	"doorman/server/access"
)

// page is a log that is read while it is written.
type page struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (p *page) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *page) count(what string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Count(p.text.String(), what)
}

// following runs do with a runner on the bubble's clock.
func following(t *testing.T, do func(r *jobs.Runner, o *odoo, log *page)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o, log := &odoo{calls: map[string]int{}}, &page{}
		r := jobs.New(zerolog.New(log), o, nil)
		if err := r.Start(t.Context()); err != nil {
			t.Fatal(err)
		}
		do(r, o, log)
		r.Stop()
	})
}

// after lets time pass, and returns how often a job ran in it.
func (o *odoo) after(d time.Duration, name string) int {
	synctest.Wait()
	o.mu.Lock()
	before := o.calls[name]
	o.mu.Unlock()
	time.Sleep(d)
	synctest.Wait()
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.calls[name] - before
}

// TestWhatMayBeListed: what is out of bounds is refused with a line in the log, and the others run.
func TestWhatMayBeListed(t *testing.T) {
	t.Parallel()
	job := func(name string, every, timeout time.Duration) access.Job {
		return access.Job{Name: name, Every: every, Timeout: timeout}
	}
	for _, row := range []struct {
		name string
		job  access.Job
		runs bool
	}{
		{"allow the shortest", job("a", time.Second, time.Second), true},
		{"allow the longest", job("a_b_2", 7*24*time.Hour, time.Hour), true},
		{"deny a period of nothing", job("a", 0, time.Minute), false},
		{"deny a period below a second", job("a", time.Second-1, time.Minute), false},
		{"deny a period backwards", job("a", -time.Minute, time.Minute), false},
		{"deny a period of more than a week", job("a", 7*24*time.Hour+1, time.Minute), false},
		{"deny no time", job("a", time.Minute, 0), false},
		{"deny time backwards", job("a", time.Minute, -1), false},
		{"deny more than an hour", job("a", time.Minute, time.Hour+1), false},
		{"deny no name", job("", time.Minute, time.Minute), false},
		{"deny a private name", job("_a", time.Minute, time.Minute), false},
		{"deny capitals", job("A", time.Minute, time.Minute), false},
		{"deny a name of two lines", job("a\nb", time.Minute, time.Minute), false},
		{"deny a long name", job(strings.Repeat("a", 41), time.Minute, time.Minute), false},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			following(t, func(r *jobs.Runner, o *odoo, log *page) {
				for range 10 { // heartbeats
					r.Follow([]access.Job{row.job, job("other", time.Minute, time.Minute)})
				}
				synctest.Wait()
				if ran := o.calls[row.job.Name] == 1; ran != row.runs || o.calls["other"] != 1 {
					t.Errorf("runs: %v", o.calls)
				}
				if n := log.count("is refused"); (n == 0) != row.runs || n > 1 {
					t.Errorf("%d lines in the log", n)
				}
			})
		})
	}
}

// TestListsOfAFault: twice the same name, far too many, or none.
func TestListsOfAFault(t *testing.T) {
	t.Parallel()
	following(t, func(r *jobs.Runner, o *odoo, log *page) {
		r.Follow([]access.Job{{Name: "a", Every: time.Hour, Timeout: time.Second}, {Name: "a", Every: time.Second, Timeout: time.Second}})
		if n := o.after(30*time.Second, "a"); n != 0 || log.count("listed twice") != 1 {
			t.Errorf("the second one ran %d times", n)
		}
		var many []access.Job
		for i := range 1000 {
			many = append(many, access.Job{Name: fmt.Sprintf("job_%d", i), Every: time.Hour, Timeout: time.Second})
		}
		r.Follow(many)
		synctest.Wait()
		if len(o.calls) != 1+50 {
			t.Errorf("%d jobs run", len(o.calls))
		}
		for range 5 {
			r.Follow(nil)
		}
		if n := o.after(3*time.Hour, "job_1"); n != 0 || log.count("lists no jobs") != 1 {
			t.Errorf("%d runs of what is no longer listed", n)
		}
	})
}

// TestAListThatChanges is followed without a start: as after an update of Odoo.
func TestAListThatChanges(t *testing.T) {
	t.Parallel()
	one := func(every, timeout time.Duration) []access.Job {
		return []access.Job{{Name: "a", Every: every, Timeout: timeout}}
	}
	following(t, func(r *jobs.Runner, o *odoo, _ *page) {
		r.Follow(one(time.Minute, time.Second))
		if n := o.after(10*time.Minute+time.Second, "a"); n != 10 {
			t.Errorf("%d runs in 10 minutes", n)
		}
		r.Follow(one(10*time.Second, time.Second))
		if n := o.after(time.Minute, "a"); n != 6 {
			t.Errorf("%d runs in a minute, want every 10 s", n)
		}
		o.mu.Lock()
		o.slow = 30 * time.Second
		o.mu.Unlock()
		r.Follow(one(time.Minute, 40*time.Second)) // 30 s are within its limit now
		if n := o.after(150*time.Second, "a"); n != 2 {
			t.Errorf("%d runs with more time", n)
		}
		r.Follow([]access.Job{{Name: "a", Every: time.Millisecond, Timeout: time.Second}})
		if n := o.after(time.Hour, "a"); n > 1 { // one may be under way
			t.Errorf("%d runs of what is refused", n)
		}
		o.mu.Lock()
		o.slow = 0
		o.mu.Unlock()
		r.Follow(one(time.Minute, time.Second))
		if n := o.after(10*time.Minute, "a"); n != 10 {
			t.Errorf("%d runs in 10 minutes after it came back", n)
		}
	})
}

// TestTwoServersOfTwoVersions answer the heartbeats by turns: a job of every day still runs every day, one that only one of
// them has is not run at every heartbeat.
func TestTwoServersOfTwoVersions(t *testing.T) {
	t.Parallel()
	following(t, func(r *jobs.Runner, o *odoo, _ *page) {
		const day = 24 * time.Hour
		old := []access.Job{{Name: "daily", Every: day, Timeout: time.Minute}}
		now := []access.Job{{Name: "daily", Every: day, Timeout: time.Hour}, {Name: "new", Every: day, Timeout: time.Minute}}
		for range 3 * day / (30 * time.Second) {
			r.Follow(old)
			time.Sleep(15 * time.Second)
			r.Follow(now)
			time.Sleep(15 * time.Second)
		}
		synctest.Wait()
		if n := o.calls["daily"]; n != 1+3 && n != 1+2 { // the end is at the very moment of a run
			t.Errorf("%d runs in three days", n)
		}
		if n := o.calls["new"]; n < 1 || n > 4 {
			t.Errorf("%d runs of the new one", n)
		}
	})
}

// TestOneRunAtATime: also when its period changes while it runs.
func TestOneRunAtATime(t *testing.T) {
	t.Parallel()
	following(t, func(r *jobs.Runner, o *odoo, _ *page) {
		o.slow, o.rows, o.batch = 7*time.Second, 1<<20, 1
		for i := range 100 {
			r.Follow([]access.Job{{Name: "a", Every: time.Duration(1+i%3) * time.Second, Timeout: time.Minute}})
			time.Sleep(time.Second)
			synctest.Wait()
			o.mu.Lock()
			if o.most > 1 {
				t.Fatalf("%d at once", o.most)
			}
			o.mu.Unlock()
		}
		if o.done < 10 {
			t.Errorf("%d done", o.done)
		}
	})
}

// helloGateway is an Odoo that says hello.
type helloGateway struct {
	access.Gateway
	hello func() (access.Hello, error)
}

// Hello implements access.Gateway.
func (h helloGateway) Hello(context.Context) (access.Hello, error) { return h.hello() }

// TestHeartbeatFollows: the list comes with the heartbeat; a hello that fails changes nothing, and Stop is not undone by one.
func TestHeartbeatFollows(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		o := &odoo{calls: map[string]int{}}
		var noted atomic.Int64
		var down atomic.Bool
		gateway := helloGateway{hello: func() (access.Hello, error) {
			if down.Load() {
				return access.Hello{}, errors.New("down")
			}
			return access.Hello{Jobs: []access.Job{{Name: "a", Every: time.Minute, Timeout: time.Second}}}, nil
		}}
		r := jobs.New(zerolog.Nop(), o, nil)
		beat := r.Heartbeat(gateway, func(access.Hello, error) { noted.Add(1) })
		if err := r.Start(t.Context(), beat); err != nil {
			t.Fatal(err)
		}
		if n := o.after(10*time.Minute, "a"); n < 9 {
			t.Errorf("%d runs in 10 minutes", n)
		}
		down.Store(true)
		if n := o.after(10*time.Minute, "a"); n != 10 || noted.Load() < 80 {
			t.Errorf("%d runs while hello failed, %d heartbeats", n, noted.Load())
		}
		r.Stop()
		r.Follow([]access.Job{{Name: "b", Every: time.Minute, Timeout: time.Second}})
		if n := o.after(10*time.Minute, "b"); n != 0 {
			t.Error("runs after Stop")
		}
	})
}
