package limit

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// kinds are the Limiters that everything in this file holds for, with a clock that the test sets. Each test that sets one
// needs a Limiter of its own: Memory's keys share what it knows of the time.
var kinds = map[string]func(t *testing.T) Limiter{
	"memory": func(*testing.T) Limiter { return NewMemory() },
	"redis": func(t *testing.T) Limiter {
		r := newTestRedis(t)
		r.callersClock = true
		return r
	},
}

func eachKind(t *testing.T, test func(t *testing.T, start func(t *testing.T) Limiter)) {
	t.Helper()
	for name, start := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, start)
		})
	}
}

// noon is where the clocks of the tests start, unless the test is about midnight.
var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// step is one thing that happens at a time of the test, and what must come of it.
type step struct {
	after  time.Duration // since the start
	limits Limits
	want   Verdict
	times  int
	seed   bool
	used   int
}

// allow: n requests at this time pass.
func allow(after time.Duration, n int, l Limits) step {
	return step{after: after, times: n, limits: l, want: Verdict{Allowed: true}}
}

// deny: n requests at this time are refused by this limit, and told to come back after retry.
func deny(after time.Duration, n int, l Limits, limit string, retry time.Duration) step {
	most := l.Minute
	if limit == PerDay {
		most = l.Day
	}
	return step{after: after, times: n, limits: l, want: Verdict{Limit: limit, Max: most, RetryAfter: retry}}
}

// seed: the audit says at this time that so many requests of the day are known.
func seed(after time.Duration, used int) step { return step{after: after, seed: true, used: used} }

func perMinute(n int) Limits        { return Limits{Minute: n} }
func limits(minute, day int) Limits { return Limits{Minute: minute, Day: day} }

type scenario struct {
	name  string
	start time.Time
	steps []step
}

const (
	sec  = time.Second
	msec = time.Millisecond
)

var lateEvening = time.Date(2026, 11, 22, 23, 59, 0, 0, time.UTC)

var scenarios = []scenario{
	{"the first requests pass, the one above is refused until the oldest leaves", noon, []step{
		allow(0, 1, perMinute(3)), allow(10*sec, 2, perMinute(3)),
		deny(10*sec, 1, perMinute(3), PerMinute, 50*sec),
		deny(59999*msec, 1, perMinute(3), PerMinute, 1*msec),
		allow(60*sec, 1, perMinute(3)),
		deny(60*sec, 1, perMinute(3), PerMinute, 10*sec),
		allow(70*sec, 2, perMinute(3)),
		deny(70*sec, 1, perMinute(3), PerMinute, 50*sec),
	}},
	{"a limit of one", noon, []step{
		allow(0, 1, perMinute(1)), deny(0, 3, perMinute(1), PerMinute, 60*sec),
		deny(59*sec, 1, perMinute(1), PerMinute, 1*sec), allow(60*sec, 1, perMinute(1)),
		deny(60*sec, 1, perMinute(1), PerMinute, 60*sec),
	}},
	{"no burst around the border of two minutes (a fixed window would pass it)", noon, []step{
		allow(59*sec, 10, perMinute(10)), deny(61*sec, 10, perMinute(10), PerMinute, 58*sec),
		allow(119*sec, 10, perMinute(10)), deny(119*sec, 1, perMinute(10), PerMinute, 60*sec),
	}},
	{"nothing refills during the window (GCRA would refill)", noon, []step{
		allow(0, 10, perMinute(10)), deny(30*sec, 5, perMinute(10), PerMinute, 30*sec),
		deny(59*sec, 5, perMinute(10), PerMinute, 1*sec), allow(60*sec, 10, perMinute(10)),
	}},
	{"each request leaves at its own time", noon, []step{
		allow(0, 1, perMinute(3)), allow(20*sec, 1, perMinute(3)), allow(40*sec, 1, perMinute(3)),
		deny(41*sec, 2, perMinute(3), PerMinute, 19*sec), deny(59999*msec, 1, perMinute(3), PerMinute, 1*msec),
		allow(60*sec, 1, perMinute(3)), deny(60*sec, 2, perMinute(3), PerMinute, 20*sec),
		deny(79999*msec, 1, perMinute(3), PerMinute, 1*msec), allow(80*sec, 1, perMinute(3)),
		deny(80*sec, 1, perMinute(3), PerMinute, 20*sec),
	}},
	{"nobody waits until the limit fits again for less than it takes", noon, []step{
		allow(0, 1, perMinute(5)), allow(1*sec, 1, perMinute(5)), allow(2*sec, 3, perMinute(5)),
		deny(2*sec, 1, perMinute(1), PerMinute, 60*sec), deny(60*sec, 1, perMinute(1), PerMinute, 2*sec),
		deny(61*sec, 1, perMinute(1), PerMinute, 1*sec), deny(61999*msec, 1, perMinute(1), PerMinute, msec),
		allow(62*sec, 1, perMinute(1)), deny(62*sec, 1, perMinute(1), PerMinute, 60*sec),
	}},
	{"a full day stays full, minute after minute", noon, []step{
		allow(0, 2, limits(2, 2)), deny(1*time.Hour, 1, limits(2, 2), PerDay, 11*time.Hour),
		deny(2*time.Hour, 1, limits(2, 2), PerDay, 10*time.Hour), deny(11*time.Hour, 1, limits(2, 2), PerDay, 1*time.Hour),
		deny(12*time.Hour-sec, 1, limits(2, 2), PerDay, sec), allow(12*time.Hour, 2, limits(2, 2)),
	}},
	{"who asks on while refused waits no longer for it", noon, []step{
		allow(0, 2, perMinute(2)), deny(20*sec, 50, perMinute(2), PerMinute, 40*sec),
		deny(40*sec, 50, perMinute(2), PerMinute, 20*sec), allow(60*sec, 2, perMinute(2)),
	}},
	{"a lowered limit counts what has passed", noon, []step{
		allow(0, 3, perMinute(10)), allow(10*sec, 3, perMinute(10)), allow(20*sec, 3, perMinute(10)),
		deny(20*sec, 1, perMinute(2), PerMinute, 60*sec), // nine are there: eight must leave
		deny(20*sec, 1, perMinute(5), PerMinute, 50*sec), // five must leave: the second three are among them
		deny(20*sec, 1, perMinute(9), PerMinute, 40*sec),
		allow(70*sec, 2, perMinute(5)), deny(70*sec, 1, perMinute(5), PerMinute, 10*sec),
	}},
	{"a raised limit makes room at once", noon, []step{
		allow(0, 2, perMinute(2)), deny(1*sec, 1, perMinute(2), PerMinute, 59*sec),
		allow(1*sec, 48, perMinute(50)), deny(1*sec, 1, perMinute(50), PerMinute, 59*sec),
		allow(60*sec, 2, perMinute(50)), deny(60*sec, 1, perMinute(50), PerMinute, 1*sec),
	}},
	{"a full day is refused until midnight in UTC", noon, []step{
		allow(0, 3, limits(10, 3)), deny(0, 1, limits(10, 3), PerDay, 12*time.Hour),
		deny(12*time.Hour-msec, 1, limits(10, 3), PerDay, msec),
		allow(12*time.Hour, 3, limits(10, 3)), deny(12*time.Hour, 1, limits(10, 3), PerDay, 24*time.Hour),
	}},
	{"midnight of the server's own zone is not a new day", time.Date(2026, 11, 22, 23, 30, 0, 0, time.FixedZone("", 2*3600)), []step{
		allow(0, 1, limits(10, 1)), deny(30*time.Minute, 1, limits(10, 1), PerDay, 2*time.Hour),
		allow(2*time.Hour+30*time.Minute, 1, limits(10, 1)),
	}},
	{"a new day does not open the minute", lateEvening, []step{
		allow(50*sec, 2, limits(2, 100)), deny(61*sec, 1, limits(2, 100), PerMinute, 49*sec),
		allow(110*sec, 1, limits(2, 100)),
	}},
	{"of two full limits, the one that opens later is named", lateEvening, []step{
		allow(0, 2, limits(2, 2)), deny(0, 1, limits(2, 2), PerDay, 60*sec),
		allow(90*sec, 2, limits(2, 2)), deny(90*sec, 1, limits(2, 2), PerDay, 24*time.Hour-30*sec),
	}},
	{"of two full limits, the minute may be the later one", lateEvening, []step{
		allow(50*sec, 2, limits(2, 2)), deny(55*sec, 1, limits(2, 2), PerMinute, 55*sec),
		deny(60*sec, 1, limits(2, 2), PerMinute, 50*sec), allow(110*sec, 2, limits(2, 2)),
	}},
	{"what the minute refuses does not use up the day", noon, []step{
		allow(0, 2, limits(2, 4)), deny(1*sec, 100, limits(2, 4), PerMinute, 59*sec),
		allow(60*sec, 2, limits(2, 4)), deny(60*sec, 1, limits(2, 4), PerDay, 12*time.Hour-60*sec),
	}},
	{"what the day refuses does not use up the minute", noon, []step{
		allow(0, 1, limits(5, 1)), deny(1*sec, 100, limits(5, 1), PerDay, 12*time.Hour-sec),
		allow(1*sec, 4, limits(5, 100)), deny(1*sec, 1, limits(5, 100), PerMinute, 59*sec),
	}},
	{"the limit of a day, lowered and raised", noon, []step{
		allow(0, 5, limits(10, 10)), deny(0, 1, limits(10, 5), PerDay, 12*time.Hour),
		deny(0, 1, limits(10, 3), PerDay, 12*time.Hour), allow(0, 1, limits(10, 6)),
		deny(0, 1, limits(10, 6), PerDay, 12*time.Hour),
	}},
	{"a restart forgets nothing of the day", noon, []step{
		seed(0, 8), allow(0, 2, limits(10, 10)), deny(0, 1, limits(10, 10), PerDay, 12*time.Hour),
	}},
	{"a seed above the limit", noon, []step{
		seed(0, 80), deny(0, 1, limits(10, 10), PerDay, 12*time.Hour), allow(12*time.Hour, 1, limits(10, 10)),
	}},
	{"a seed never lowers the count", noon, []step{
		allow(0, 5, limits(10, 6)), seed(1*sec, 2), seed(1*sec, 0), allow(1*sec, 1, limits(10, 6)),
		deny(1*sec, 1, limits(10, 6), PerDay, 12*time.Hour-sec),
	}},
	{"a seed is the count, not more of it", noon, []step{
		allow(0, 3, limits(10, 4)), seed(1*sec, 3), seed(1*sec, 3), allow(1*sec, 1, limits(10, 4)),
		deny(1*sec, 1, limits(10, 4), PerDay, 12*time.Hour-sec),
	}},
	{"a seed counts in its day only", lateEvening, []step{
		seed(0, 10), deny(59*sec, 1, limits(10, 10), PerDay, 1*sec), allow(60*sec, 10, limits(10, 10)),
		deny(60*sec, 1, limits(10, 10), PerDay, 24*time.Hour),
	}},
	{"an answer about yesterday is not charged to today", lateEvening, []step{
		allow(61*sec, 1, limits(10, 3)), seed(59*sec, 3), allow(61*sec, 2, limits(10, 3)),
		deny(61*sec, 1, limits(10, 3), PerDay, 24*time.Hour-sec),
	}},
	{"a request of yesterday that is late does not bring yesterday back", lateEvening, []step{
		allow(60*sec, 3, limits(10, 3)), deny(59999*msec, 1, limits(10, 3), PerDay, 24*time.Hour+msec),
		deny(60*sec, 1, limits(10, 3), PerDay, 24*time.Hour),
	}},
	{"a clock that was days ahead does not close the days until then", noon, []step{
		allow(240*time.Hour, 2, limits(10, 3)), allow(1*sec, 1, limits(10, 3)),
		deny(1*sec, 1, limits(10, 3), PerDay, 12*time.Hour-sec), allow(12*time.Hour, 1, limits(10, 3)),
	}},
	{"without a limit of the day nothing is counted in it", noon, []step{
		allow(0, 500, perMinute(500)), deny(0, 1, perMinute(500), PerMinute, 60*sec), allow(60*sec, 3, limits(500, 3)),
		deny(60*sec, 1, limits(500, 3), PerDay, 12*time.Hour-60*sec),
	}},
}

func TestScenarios(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		for _, s := range scenarios {
			t.Run(s.name, func(t *testing.T) {
				t.Parallel()
				l, key := start(t), uuid.NewString()
				for i, step := range s.steps {
					now := s.start.Add(step.after)
					if step.seed {
						if err := l.Seed(t.Context(), key, step.used, now); err != nil {
							t.Fatal(err)
						}
					}
					for range step.times {
						if got := take(t, l, key, step.limits, now); got != step.want {
							t.Fatalf("step %d, at %s with %+v:\n got %+v\nwant %+v", i+1, step.after, step.limits, got, step.want)
						}
					}
				}
			})
		}
	})
}

func TestMoreIsDeniedThanAllowed(t *testing.T) {
	t.Parallel()
	allowed, denied := 0, 0
	for _, s := range scenarios {
		for _, step := range s.steps {
			switch {
			case step.want.Allowed:
				allowed++
			case !step.seed:
				denied++
			}
		}
	}
	if denied < allowed {
		t.Errorf("%d rows allow, only %d deny", allowed, denied)
	}
}

func take(t testing.TB, l Limiter, key string, limits Limits, now time.Time) Verdict {
	t.Helper()
	v, err := l.Take(t.Context(), key, limits, now)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestKeysDoNotShare(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		l, base := start(t), uuid.NewString()
		for _, key := range []string{base, base + ":other", "{" + base + "}", base + "}:d", base + "}:m", base + " \x00é"} {
			if !take(t, l, key, limits(1, 1), noon).Allowed {
				t.Errorf("%q: refused for what another key did", key)
			}
			if take(t, l, key, limits(1, 1), noon).Allowed {
				t.Errorf("%q: allowed twice", key)
			}
		}
	})
}

func TestForgottenLimitsAreRefused(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		l := start(t)
		for _, row := range []struct {
			key    string
			limits Limits
			want   error
		}{
			{"k", Limits{}, ErrLimits},
			{"k", Limits{Day: 10}, ErrLimits},
			{"k", Limits{Minute: -1, Day: 10}, ErrLimits},
			{"k", Limits{Minute: 10, Day: -1}, ErrLimits},
			{"", Limits{Minute: 10, Day: 10}, ErrKey},
		} {
			v, err := l.Take(t.Context(), row.key, row.limits, noon)
			if v.Allowed || !errors.Is(err, row.want) {
				t.Errorf("%q %+v: %+v, %v", row.key, row.limits, v, err)
			}
		}
		if err := l.Seed(t.Context(), "k", -1, noon); !errors.Is(err, ErrLimits) {
			t.Errorf("a negative seed: %v", err)
		}
		if err := l.Seed(t.Context(), "", 1, noon); !errors.Is(err, ErrKey) {
			t.Errorf("a seed of no key: %v", err)
		}
	})
	if (Verdict{}).Allowed {
		t.Error("the zero verdict allows")
	}
}

// model is the naive Limiter: it remembers everything and looks at all of it.
type model struct {
	passed []time.Time
	days   map[string]int
}

func (m *model) allows(l Limits, now time.Time) bool {
	inWindow := 0
	for _, t := range m.passed {
		if t.After(now.Add(-time.Minute)) {
			inWindow++
		}
	}
	return inWindow < l.Minute && (l.Day == 0 || m.days[now.Format(time.DateOnly)] < l.Day)
}

// opens returns when the next request passes: limits only ever open when a request leaves or a day begins.
func (m *model) opens(l Limits, now time.Time) time.Duration {
	candidates := []time.Time{now, now.Truncate(24 * time.Hour).Add(24 * time.Hour)}
	for _, t := range m.passed {
		if t = t.Add(time.Minute); t.After(now) {
			candidates = append(candidates, t)
		}
	}
	slices.SortFunc(candidates, time.Time.Compare)
	for _, t := range candidates {
		if m.allows(l, t) {
			return t.Sub(now)
		}
	}
	return -1
}

func TestAgreesWithNaiveModel(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		runs := 300
		if _, remote := start(t).(*Redis); remote {
			runs = 20
		}
		for run := range runs {
			seed := uint64(run) + 1
			t.Run(fmt.Sprintf("seed %d", seed), func(t *testing.T) {
				l := start(t)
				agree(t, l, rand.New(rand.NewPCG(seed, 0)))
			})
		}
	})
}

func agree(t *testing.T, l Limiter, random *rand.Rand) {
	key := uuid.NewString()
	m := &model{days: map[string]int{}}
	// Half of the runs cross midnight soon. Gaps are from none at all to longer than the window.
	now := noon.Add(time.Duration(random.IntN(2)) * (12*time.Hour - 2*time.Minute))
	most := 1 + random.IntN(12)
	l0 := Limits{Minute: most, Day: random.IntN(3) * most * 2}
	pace := []time.Duration{20 * msec, time.Second, 6 * time.Second, 30 * time.Second}[random.IntN(4)]
	steady := random.IntN(3) > 0 // or the limits change on the way
	refused := 0
	for i := range 250 {
		now = now.Add(time.Duration(random.Int64N(int64(2*pace)/1000)) * 1000 * time.Duration(random.IntN(2)))
		if random.IntN(60) == 0 {
			now = now.Add(45 * time.Second)
		}
		if !steady && random.IntN(15) == 0 {
			l0.Minute = 1 + random.IntN(12)
		}
		if l0.Day > 0 && random.IntN(40) == 0 {
			today := now.Format(time.DateOnly)
			known := max(0, m.days[today]+random.IntN(5)-3)
			if err := l.Seed(t.Context(), key, known, now); err != nil {
				t.Fatal(err)
			}
			m.days[today] = max(m.days[today], known)
		}
		got := take(t, l, key, l0, now)
		if want := m.allows(l0, now); got.Allowed != want {
			t.Fatalf("request %d at %s with %+v: %+v, the model says %v", i, now, l0, got, want)
		}
		if !got.Allowed {
			refused++
			if want := m.opens(l0, now); got.RetryAfter != want {
				t.Fatalf("request %d at %s with %+v: %+v, the model opens in %s", i, now, l0, got, want)
			}
			continue
		}
		m.passed = append(m.passed, now)
		if l0.Day > 0 {
			m.days[now.Format(time.DateOnly)]++
		}
	}
	if !steady {
		return
	}
	// Once more without the model's help: no 60 s that begin with a request hold more than the limit.
	for i, from := range m.passed {
		within := 0
		for _, t := range m.passed[i:] {
			if t.Before(from.Add(time.Minute)) {
				within++
			}
		}
		if within > most {
			t.Fatalf("%d requests passed in the 60 s from %s, the limit is %d", within, from, most)
		}
	}
}

// race lets 32 goroutines ask at once, each through its limiter, and returns how many requests passed.
func race(t *testing.T, key string, l Limits, each int, limiters ...Limiter) int {
	t.Helper()
	var passed atomic.Int64
	var done sync.WaitGroup
	start := make(chan struct{})
	for i := range 32 {
		done.Go(func() {
			<-start
			for range each {
				v, err := limiters[i%len(limiters)].Take(context.Background(), key, l, time.Now())
				if err != nil {
					t.Error(err)
				}
				if v.Allowed {
					passed.Add(1)
				}
			}
		})
	}
	close(start)
	done.Wait()
	return int(passed.Load())
}

func TestRace(t *testing.T) {
	t.Parallel()
	start := map[string]func(t *testing.T) []Limiter{
		"memory":              func(*testing.T) []Limiter { return []Limiter{NewMemory()} },
		"redis":               func(t *testing.T) []Limiter { return []Limiter{newTestRedis(t)} },
		"redis, two replicas": func(t *testing.T) []Limiter { return []Limiter{newTestRedis(t), newTestRedis(t)} },
	}
	for name, start := range start {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			limiters := start(t)
			for round := range 5 {
				if n := race(t, uuid.NewString(), limits(100, 1000), 20, limiters...); n != 100 {
					t.Errorf("round %d: %d requests passed a limit of 100 per minute", round, n)
				}
				if n := race(t, uuid.NewString(), limits(1000, 100), 20, limiters...); n != 100 {
					t.Errorf("round %d: %d requests passed a limit of 100 per day", round, n)
				}
			}
		})
	}
}

// TestSeedsInTheRace: seeds that come while requests are counted neither add to the count nor take from it.
func TestSeedsInTheRace(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		l, key := start(t), uuid.NewString()
		stop := make(chan struct{})
		var seeding sync.WaitGroup
		seeding.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if err := l.Seed(context.Background(), key, 1, time.Now()); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
		n := race(t, key, limits(1000, 100), 20, l)
		close(stop)
		seeding.Wait()
		if n != 100 && n != 99 { // 99: the first seed came before the first request
			t.Errorf("%d requests passed a limit of 100 per day", n)
		}
	})
}
