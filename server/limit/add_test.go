package limit

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"
)

// added counts n and fails the test if that cannot be done.
func added(t testing.TB, l Limiter, key string, n int, now time.Time) (int, time.Duration) {
	t.Helper()
	used, rest, err := l.Add(t.Context(), key, n, now)
	if err != nil {
		t.Fatal(err)
	}
	return used, rest
}

// TestGiveBack: what is given back may be taken again that day, and never more than was taken; the minute keeps it.
func TestGiveBack(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		l, key := start(t), uuid.NewString()
		limits := Limits{Minute: 100, Day: 2}
		take := func(at time.Duration) bool {
			t.Helper()
			v, err := l.Take(t.Context(), key, limits, noon.Add(at))
			if err != nil {
				t.Fatal(err)
			}
			return v.Allowed
		}
		giveBack := func(at time.Duration) {
			t.Helper()
			if err := l.GiveBack(t.Context(), key, noon.Add(at)); err != nil {
				t.Fatal(err)
			}
		}
		giveBack(0) // nothing was taken: nothing is given
		for i, want := range []bool{true, true, false} {
			if got := take(0); got != want {
				t.Fatalf("call %d: %v", i, got)
			}
		}
		giveBack(time.Second)
		for i, want := range []bool{true, false} {
			if got := take(time.Second); got != want {
				t.Fatalf("after giving one back, call %d: %v", i, got)
			}
		}
		// What was taken yesterday makes no room today.
		for i, want := range []bool{true, true, false} {
			if got := take(13 * time.Hour); got != want {
				t.Fatalf("tomorrow, call %d: %v", i, got)
			}
		}
		giveBack(12*time.Hour - time.Second)
		if take(13 * time.Hour) {
			t.Error("a call of yesterday made room today")
		}
		limits = Limits{Minute: 2, Day: 100}
		for range 5 {
			giveBack(13 * time.Hour)
		}
		if take(13 * time.Hour) {
			t.Error("the limit per minute was given back, too")
		}
		if err := l.GiveBack(t.Context(), "", noon); !errors.Is(err, ErrKey) {
			t.Errorf("without a key: %v", err)
		}
	})
}

func TestAddCountsTheDay(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		l, key := start(t), uuid.NewString()
		for i, step := range []struct {
			after      time.Duration
			seed, n    int
			used       int
			rest       time.Duration
			anotherKey bool
		}{
			{after: 0, n: 0, used: 0, rest: 12 * time.Hour},
			{after: 0, n: 100, used: 100, rest: 12 * time.Hour},
			{after: time.Hour, n: 0, used: 100, rest: 11 * time.Hour},
			{after: time.Hour, n: 1_000_000, used: 1_000_100, rest: 11 * time.Hour},
			{after: time.Hour, n: 5, used: 5, rest: 11 * time.Hour, anotherKey: true},
			{after: 2 * time.Hour, seed: 5, used: 1_000_100, rest: 10 * time.Hour},
			{after: 2 * time.Hour, seed: 2_000_000, used: 2_000_000, rest: 10 * time.Hour},
			{after: 12*time.Hour - time.Second, n: 1, used: 2_000_001, rest: time.Second},
			{after: 12 * time.Hour, n: 0, used: 0, rest: 24 * time.Hour},
			{after: 12 * time.Hour, n: 3, used: 3, rest: 24 * time.Hour},
			{after: 36 * time.Hour, n: 4, used: 4, rest: 24 * time.Hour},
		} {
			now, key := noon.Add(step.after), key
			if step.anotherKey {
				key += ":other"
			}
			if step.seed > 0 {
				if err := l.Seed(t.Context(), key, step.seed, now); err != nil {
					t.Fatal(err)
				}
			}
			if used, rest := added(t, l, key, step.n, now); used != step.used || rest != step.rest {
				t.Fatalf("step %d: %d used, %s left of the day; want %d, %s", i, used, rest, step.used, step.rest)
			}
		}
	})
}

// TestAddLosesNothing: what many count at once is all there, and each is told a number of its own.
func TestAddLosesNothing(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		l, key := start(t), uuid.NewString()
		var mu sync.Mutex
		told := map[int]bool{}
		var together sync.WaitGroup
		for range 16 {
			together.Go(func() {
				for range 50 {
					used, _, err := l.Add(t.Context(), key, 3, noon)
					if err != nil {
						t.Error(err)
					}
					mu.Lock()
					told[used] = true
					mu.Unlock()
				}
			})
		}
		together.Wait()
		if used, _ := added(t, l, key, 0, noon); used != 2400 || len(told) != 800 {
			t.Errorf("%d are counted, want 2400; %d numbers were told, want 800", used, len(told))
		}
	})
}

func TestAddRefuses(t *testing.T) {
	t.Parallel()
	eachKind(t, func(t *testing.T, start func(t *testing.T) Limiter) {
		l, key := start(t), uuid.NewString()
		added(t, l, key, 7, noon)
		for _, row := range []struct {
			key  string
			n    int
			want error
		}{{"", 1, ErrKey}, {"", 0, ErrKey}, {key, -1, ErrCount}, {key, -7, ErrCount}} {
			if used, rest, err := l.Add(t.Context(), row.key, row.n, noon); !errors.Is(err, row.want) || used != 0 || rest != 0 {
				t.Errorf("%q %d: %d, %s, %v", row.key, row.n, used, rest, err)
			}
		}
		if used, _ := added(t, l, key, 0, noon); used != 7 {
			t.Errorf("%d used, want 7", used)
		}
	})
}
