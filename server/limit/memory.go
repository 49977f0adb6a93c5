package limit

import (
	"context"
	"hash/maphash"
	"math"
	"sync"
	"time"
)

const (
	shards  = 64      // locks; connections that share one wait for each other some 100 ns
	maxKeys = 1 << 17 // keys that Memory holds at most, about 150 bytes each besides the log of the last minute
)

// Memory is the Limiter of a single process. It has no goroutine of its own: each request tidies up after two keys that
// were not asked for any more. It holds at most 131072 keys. A key that passed nothing for 60 s gives back its log and
// keeps its day's counter until the day ends. When there is no room, the key that was idle longest goes early (its
// counter comes back with the next Seed), but never one asked for in the last 60 s: a new key gets ErrFull instead,
// because dropping that one would open its window.
type Memory struct {
	base   time.Time // what the times in the logs are counted from
	seed   maphash.Seed
	shards [shards]shard
}

// shard is the part of the keys that one lock protects.
type shard struct {
	mu   sync.Mutex
	max  int           // keys
	last time.Duration // the latest time seen
	keys map[string]*entry
	// awake holds the keys of the last 60 s; resting those that only keep their day's counter. Latest first.
	awake, resting chain
}

// entry is what is known of one key.
type entry struct {
	key        string
	chain      *chain
	prev, next *entry
	seen       time.Duration // when it was last asked for
	log        ring          // when each request of the last 60 s passed
	day        int64
	used       int // requests that passed in that day
}

// NewMemory returns a Limiter that counts in this process only: two processes would each allow the full limit.
func NewMemory() *Memory { return newMemory(maxKeys) }

func newMemory(keys int) *Memory {
	m := &Memory{base: time.Now(), seed: maphash.MakeSeed()}
	for i := range m.shards {
		m.shards[i].max = max(1, keys/shards)
		m.shards[i].last = math.MinInt64 // a time before base is a time like any other
		m.shards[i].keys = map[string]*entry{}
	}
	return m
}

// Take counts one request, or refuses it; see Limiter.
func (m *Memory) Take(_ context.Context, key string, l Limits, now time.Time) (Verdict, error) {
	if err := check(key, l); err != nil {
		return Verdict{}, err
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.clock(now.Sub(m.base))
	e, err := s.touch(key, at, dayOf(now))
	if err != nil {
		return Verdict{}, err
	}
	e.log.forget(at - window)
	v := e.refusal(l, at, now)
	if v.Limit != "" {
		return v, nil
	}
	e.log.add(at, l.Minute)
	if l.Day > 0 {
		e.used++
	}
	return Verdict{Allowed: true}, nil
}

// Seed raises the counter of a day to what the audit knows; see Limiter.
func (m *Memory) Seed(_ context.Context, key string, used int, now time.Time) error {
	if err := check(key, Limits{Minute: 1, Day: used}); err != nil {
		return err
	}
	return m.today(key, now, func(counted int) int { return max(counted, used) })
}

// GiveBack takes one request out of the day again; see Limiter.
func (m *Memory) GiveBack(_ context.Context, key string, now time.Time) error {
	if key == "" {
		return ErrKey
	}
	return m.today(key, now, func(counted int) int { return max(counted-1, 0) })
}

// today changes what is counted in the day of now; a day that has ended stays as it is.
func (m *Memory) today(key string, now time.Time, change func(counted int) int) error {
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	today := dayOf(now)
	e, err := s.touch(key, s.clock(now.Sub(m.base)), today)
	if err == nil && e.day == today {
		e.used = change(e.used)
	}
	return err
}

// Add counts n things in the day; see Limiter.
func (m *Memory) Add(_ context.Context, key string, n int, now time.Time) (used int, rest time.Duration, err error) {
	if err := checkCount(key, n); err != nil {
		return 0, 0, err
	}
	s := m.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	e, err := s.touch(key, s.clock(now.Sub(m.base)), dayOf(now))
	if err != nil {
		return 0, 0, err
	}
	e.used += n
	return e.used, midnight(e.day + 1).Sub(now), nil
}

func (m *Memory) shard(key string) *shard { return &m.shards[maphash.String(m.seed, key)%shards] }

// size returns how many keys are held.
func (m *Memory) size() (n int) {
	for i := range m.shards {
		s := &m.shards[i]
		s.mu.Lock()
		n += len(s.keys)
		s.mu.Unlock()
	}
	return n
}

// clock returns the time of a request for the logs. Goroutines read the clock before they get the lock, so a request may
// come with an earlier time than the one before it. A log out of order would name a wrong time, or one that is over, for
// the next try.
func (s *shard) clock(at time.Duration) time.Duration {
	s.last = max(s.last, at)
	return s.last
}

// touch returns the entry of a key, made if need be, as asked for just now, with the counter of today.
func (s *shard) touch(key string, at time.Duration, today int64) (*entry, error) {
	e := s.keys[key]
	if e == nil {
		s.tidy(at, today)
		if len(s.keys) >= s.max && !s.evict(at) {
			return nil, ErrFull
		}
		e = &entry{key: key, day: today}
		s.keys[key] = e
	}
	e.seen = at
	e.moveTo(&s.awake)
	s.tidy(at, today)
	e.turn(today)
	return e, nil
}

// tidy looks at the one key of each chain that was idle longest. Two looks per request clear more than requests add.
func (s *shard) tidy(at time.Duration, today int64) {
	for range 2 {
		if e := s.awake.last; e != nil && at-e.seen >= window {
			e.log = ring{}
			if e.used > 0 {
				e.moveTo(&s.resting)
			} else {
				s.drop(e)
			}
		}
		if e := s.resting.last; e != nil && e.day < today {
			s.drop(e)
		}
	}
}

// evict drops the key that was idle longest, if its window is empty.
func (s *shard) evict(at time.Duration) bool {
	e := s.resting.last
	if e == nil {
		e = s.awake.last
	}
	if e == nil || at-e.seen < window {
		return false
	}
	s.drop(e)
	return true
}

func (s *shard) drop(e *entry) {
	e.moveTo(nil)
	delete(s.keys, e.key)
}

// turn begins a new day. A request from just before midnight that is late to the lock counts in the new day: going back
// would forget what the new day has counted. A clock that was set back by more than that keeps the count.
func (e *entry) turn(today int64) {
	switch {
	case e.day < today:
		e.day, e.used = today, 0
	case e.day > today+1:
		e.day = today
	}
}

// refusal returns the limit that refuses the next request, if any. Of both it is the one that opens later: to be told to
// wait for the other would be to be refused again.
func (e *entry) refusal(l Limits, at time.Duration, now time.Time) (v Verdict) {
	if n := e.log.n; n >= l.Minute {
		// After a limit was lowered there are more than it allows: enough of them must leave, not only the first.
		v = Verdict{Limit: PerMinute, Max: l.Minute, RetryAfter: e.log.get(n-l.Minute) + window - at}
	}
	if l.Day > 0 && e.used >= l.Day {
		if wait := midnight(e.day + 1).Sub(now); wait >= v.RetryAfter {
			v = Verdict{Limit: PerDay, Max: l.Day, RetryAfter: wait}
		}
	}
	return v
}
