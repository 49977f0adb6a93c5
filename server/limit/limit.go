package limit

import (
	"context"
	"errors"
	"time"
)

// window is how long a request counts against the limit per minute.
const window = time.Minute

// The two limits, as Verdict.Limit names them.
const (
	PerMinute = "minute"
	PerDay    = "day"
)

// Limits of one key, in requests. They are given with each request, so a change holds from the next one on: a lowered
// limit counts what has passed already, a raised one makes room at once.
type Limits struct {
	Minute int // in any 60 seconds; >= 1
	Day    int // in one calendar day of UTC; 0 = no limit, and then nothing is counted in the day either
}

// Verdict says whether one request may go on. The zero value is a refusal, so that a path which forgets to ask refuses.
type Verdict struct {
	Allowed    bool
	Limit      string        // which limit refused: PerMinute or PerDay; of two, the one that takes longer to open
	Max        int           // that limit, in requests
	RetryAfter time.Duration // how long until the same request passes if no other comes first; > 0 in every refusal
}

// Limiter counts requests. It is safe for use by any number of goroutines.
type Limiter interface {
	// Take counts one request of a key against its limits, or refuses it: then it counts in neither. An error (ErrLimits,
	// ErrKey, ErrFull, or Redis not answering) comes with the zero Verdict and is to be treated as a refusal.
	//
	// now is the time of the request, best with Go's monotonic reading. Redis uses its own clock instead: the clocks of
	// replicas differ, and with them what "the last 60 seconds" are.
	Take(ctx context.Context, key string, l Limits, now time.Time) (Verdict, error)

	// Seed tells how many requests the audit knows of for the UTC day of now. The day's counter becomes at least that; it
	// never falls. now is the time before the audit was asked: an answer for a day that has ended is dropped, or the
	// requests of yesterday would be charged to today.
	Seed(ctx context.Context, key string, used int, now time.Time) error

	// GiveBack takes one request out of the day of a key again, if it is still the day of now and anything was counted in it. The
	// limit per minute keeps it: a caller that asks again and again while nothing can be answered is still too fast.
	GiveBack(ctx context.Context, key string, now time.Time) error

	// Add counts n things at once in the day of a key, whatever there are already, and tells how many that makes and how
	// long until the day ends. 0 only asks. A key that is counted so is not for Take.
	Add(ctx context.Context, key string, n int, now time.Time) (used int, rest time.Duration, err error)
}

// Errors that say the caller is wrong, or that there is no room to count.
var (
	ErrLimits = errors.New("limit: the limit per minute must be at least 1, the one per day and a seed at least 0")
	ErrKey    = errors.New("limit: a key must not be empty")
	ErrCount  = errors.New("limit: nothing can be counted less than 0 times")
	ErrFull   = errors.New("limit: more connections are active than this process can count")
)

// check keeps a limit that was never set (0) from being taken for "no limit", and connections without a key from
// sharing one.
func check(key string, l Limits) error {
	switch {
	case key == "":
		return ErrKey
	case l.Minute < 1 || l.Day < 0:
		return ErrLimits
	}
	return nil
}

func checkCount(key string, n int) error {
	switch {
	case key == "":
		return ErrKey
	case n < 0:
		return ErrCount
	}
	return nil
}

const secondsPerDay = 24 * 60 * 60

// dayOf returns the UTC calendar day of t, counted from 1970-01-01.
func dayOf(t time.Time) int64 {
	s := t.Unix()
	day := s / secondsPerDay
	if s%secondsPerDay < 0 {
		day--
	}
	return day
}

// midnight returns when a day begins.
func midnight(day int64) time.Time { return time.Unix(day*secondsPerDay, 0) }
