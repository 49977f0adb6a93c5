package limit

import (
	"errors"
	"runtime"
	"strconv"
	"testing"
	"time"
)

func TestIdleKeysAreDropped(t *testing.T) {
	t.Parallel()
	m := newMemory(shards * 4096)
	const n = 100_000
	now := noon
	for i := range n {
		take(t, m, strconv.Itoa(i), Limits{Minute: 60}, now)
	}
	if got := m.size(); got != n {
		t.Fatalf("%d keys are held, %d are active", got, n)
	}
	// A minute later others ask: each of them clears away two of the idle ones.
	now = now.Add(time.Minute)
	for i := range n {
		take(t, m, "b"+strconv.Itoa(i), Limits{Minute: 60}, now)
	}
	if got := m.size(); got != n {
		t.Errorf("%d keys are held, %d are active", got, n)
	}
}

func TestMemoryIsBounded(t *testing.T) {
	t.Parallel()
	const most = shards * 64
	m := newMemory(most)
	now := noon
	for i := range 100_000 {
		// 1 ms apart: 60,000 in a minute, far more than there is room for.
		now = now.Add(time.Millisecond)
		v, err := m.Take(t.Context(), strconv.Itoa(i), limits(60, 1000), now)
		if err != nil && !errors.Is(err, ErrFull) {
			t.Fatal(err)
		}
		if v.Allowed == (err != nil) {
			t.Fatalf("%+v, %v", v, err)
		}
	}
	if got := m.size(); got > most {
		t.Errorf("%d keys are held, at most %d may be", got, most)
	}
}

// TestBytesPerKey holds the comment of maxKeys to its number.
func TestBytesPerKey(t *testing.T) { // not parallel: it reads the heap of the whole process
	const n = 100_000
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := newMemory(shards * 4096)
	for i := range n {
		if err := m.Seed(t.Context(), strconv.Itoa(i), 1, noon); err != nil {
			t.Fatal(err)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	perKey := float64(after.HeapAlloc-before.HeapAlloc) / n
	t.Logf("%.0f bytes per key", perKey)
	if perKey > 300 {
		t.Errorf("%.0f bytes per key", perKey)
	}
	runtime.KeepAlive(m)
}

// full returns a Memory of one key per shard, and two keys that share a shard.
func full(t *testing.T) (m *Memory, a, b string) {
	t.Helper()
	m = newMemory(shards)
	a = "a"
	for i := 0; ; i++ {
		if b = strconv.Itoa(i); m.shard(b) == m.shard(a) {
			return m, a, b
		}
	}
}

func TestNoKeyLosesItsWindow(t *testing.T) {
	t.Parallel()
	m, a, b := full(t)
	l := limits(1, 1000)
	take(t, m, a, l, noon)
	if _, err := m.Take(t.Context(), b, l, noon.Add(time.Minute-1)); !errors.Is(err, ErrFull) {
		t.Errorf("there is no room, and the answer is %v", err)
	}
	if err := m.Seed(t.Context(), b, 5, noon.Add(time.Minute-1)); !errors.Is(err, ErrFull) {
		t.Errorf("there is no room to seed, and the answer is %v", err)
	}
	if take(t, m, a, l, noon.Add(time.Minute-1)).Allowed {
		t.Error("a key lost its window to another")
	}
}

func TestLongestIdleGoesFirst(t *testing.T) {
	t.Parallel()
	m, a, b := full(t)
	l := limits(5, 5)
	take(t, m, a, l, noon)
	if !take(t, m, b, l, noon.Add(time.Minute)).Allowed {
		t.Error("an idle key keeps the place of an active one")
	}
	// a is gone, with its day: the audit brings it back.
	later := noon.Add(2 * time.Minute)
	if err := m.Seed(t.Context(), a, 5, later); err != nil {
		t.Fatal(err)
	}
	if take(t, m, a, l, later).Allowed {
		t.Error("a seeded day is open")
	}
}

func TestRestingKeyKeepsItsDayNotItsLog(t *testing.T) {
	t.Parallel()
	m := newMemory(shards * 16)
	l := limits(100, 100)
	for range 100 {
		take(t, m, "a", l, noon)
	}
	s := m.shard("a")
	now := noon.Add(time.Minute)
	for i := 0; s.keys["a"].chain != &s.resting; i++ {
		if i > 10_000 {
			t.Fatal("an idle key is never put to rest")
		}
		if key := strconv.Itoa(i); m.shard(key) == s {
			take(t, m, key, perMinute(1), now)
			now = now.Add(time.Minute)
		}
	}
	if s.keys["a"].log.at != nil {
		t.Error("an idle key keeps its log")
	}
	if v := take(t, m, "a", l, now); v.Limit != PerDay {
		t.Errorf("an idle key lost its day: %+v", v)
	}
	if s.keys["a"].chain != &s.awake {
		t.Error("a key that is asked for still rests")
	}
}

// TestDaysEndForRestingKeys: the day after, the counters of yesterday are dropped as others ask.
func TestDaysEndForRestingKeys(t *testing.T) {
	t.Parallel()
	m := newMemory(shards * 4096)
	for i := range 10_000 {
		take(t, m, strconv.Itoa(i), limits(5, 5), noon)
	}
	for _, after := range []time.Duration{time.Hour, 24 * time.Hour, 25 * time.Hour, 26 * time.Hour} {
		for i := range 1000 {
			take(t, m, "other"+strconv.Itoa(i), perMinute(50), noon.Add(after))
		}
		for i := range 10_000 { // enough requests that every shard sees enough of them
			take(t, m, "other"+strconv.Itoa(i%1000), perMinute(50), noon.Add(after))
		}
	}
	if got := m.size(); got != 1000 {
		t.Errorf("%d keys are held, 1000 are active", got)
	}
}

// TestLateTimes: a goroutine may get the lock after one that read the clock later. Its request counts as of then; in a
// log out of order the time to come back could be over already.
func TestLateTimes(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	take(t, m, "a", perMinute(2), noon.Add(5*msec))
	take(t, m, "a", perMinute(2), noon)
	for _, limits := range []Limits{perMinute(1), perMinute(2)} {
		want := Verdict{Limit: PerMinute, Max: limits.Minute, RetryAfter: 4 * msec}
		if v := take(t, m, "a", limits, noon.Add(time.Minute+msec)); v != want {
			t.Errorf("%+v: %+v", limits, v)
		}
	}
	if !take(t, m, "a", perMinute(1), noon.Add(time.Minute+5*msec)).Allowed {
		t.Error("refused with room")
	}
}

func TestLogGrowsToTheLimitOnly(t *testing.T) {
	t.Parallel()
	m := NewMemory()
	for _, row := range []struct{ requests, limit, most int }{
		{1, 1, 1}, {3, 1000, 8}, {9, 1000, 16}, {100, 100, 100}, {100, 101, 101}, {500, 100, 100},
	} {
		key := strconv.Itoa(row.requests) + "/" + strconv.Itoa(row.limit)
		for range row.requests {
			take(t, m, key, perMinute(row.limit), noon)
		}
		if got := cap(m.shard(key).keys[key].log.at); got > row.most {
			t.Errorf("%s: the log has room for %d requests, want at most %d", key, got, row.most)
		}
	}
}

func TestNothingIsAllocated(t *testing.T) { // not parallel: AllocsPerRun counts the whole process
	m := NewMemory()
	now := noon
	l := limits(60, 1<<40)
	requests := func() { // half of them pass, half are refused
		now = now.Add(500 * time.Millisecond)
		take(t, m, "connection", l, now)
	}
	for range 200 {
		requests()
	}
	if n := testing.AllocsPerRun(1000, requests); n != 0 {
		t.Errorf("%.1f allocations per request", n)
	}
}

func BenchmarkMemory(b *testing.B) {
	b.Run("allowed", func(b *testing.B) {
		m, now, ctx := NewMemory(), noon, b.Context()
		b.ReportAllocs()
		for b.Loop() {
			now = now.Add(time.Second)
			if v, _ := m.Take(ctx, "connection:4711", limits(100, 1<<40), now); !v.Allowed {
				b.Fatal(v)
			}
		}
	})
	b.Run("refused", func(b *testing.B) {
		m, ctx := NewMemory(), b.Context()
		_, _ = m.Take(ctx, "connection:4711", limits(1, 1<<40), noon)
		b.ReportAllocs()
		for b.Loop() {
			if v, _ := m.Take(ctx, "connection:4711", limits(1, 1<<40), noon); v.Allowed {
				b.Fatal(v)
			}
		}
	})
	b.Run("10000 keys, all processors", func(b *testing.B) {
		m, ctx := NewMemory(), b.Context()
		keys := make([]string, 10_000)
		for i := range keys {
			keys[i] = "connection:" + strconv.Itoa(i)
		}
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			for i := 0; pb.Next(); i++ {
				_, _ = m.Take(ctx, keys[i%len(keys)], limits(60, 1<<40), time.Now())
			}
		})
	})
}
