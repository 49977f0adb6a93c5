package caller

import (
	"context"
	"strconv"
	"sync/atomic"
	"time"

	"doorman/server/access"
)

const (
	// ratesRetry is when to come back while the limiter cannot be asked.
	ratesRetry = 3 * time.Second
	// warnEvery keeps a limiter that is down from filling the log: every request would say so.
	warnEvery = time.Minute
	// dayTurn is how far apart two clocks may be. Near midnight Odoo's count may be yesterday's, and a new day that
	// starts with it would be over at once.
	dayTurn = time.Minute
)

// Limiter counts requests. It is exact under concurrency; an error means that nobody knows, and lets nobody in.
type Limiter interface {
	// Take counts one request of key, unless it would be more than minute in the last 60 seconds or more than day in
	// the UTC day of now. A day of 0 means no limit.
	Take(ctx context.Context, key string, minute, day int, now time.Time) (access.Rate, error)

	// Seed tells how many requests of key the UTC day of now has seen at least.
	Seed(ctx context.Context, key string, used int, now time.Time) error

	// GiveBack takes one request of key out of the UTC day of now again.
	GiveBack(ctx context.Context, key string, now time.Time) error

	// Add counts n more in the UTC day of now, and tells how many that makes and how long until the day ends.
	Add(ctx context.Context, key string, n int, now time.Time) (used int, rest time.Duration, err error)
}

// rates asks the limiter about connections.
type rates struct {
	limiter Limiter
	now     func() time.Time
	warn    func(error)
	warned  atomic.Int64 // when it was last said that the limiter does not answer, in nanoseconds
}

func limitKey(s *access.Snapshot) string { return strconv.FormatInt(s.Connection.ID, 10) }

// call counts one tool call.
func (l *rates) call(ctx context.Context, s *access.Snapshot) (access.Rate, *access.Error) {
	p := s.Connection.Policy
	return l.take(ctx, limitKey(s), p.RateMinute, p.RateDay)
}

// giveBack takes a call out of the day that came to nothing for a reason of ours.
func (l *rates) giveBack(ctx context.Context, s *access.Snapshot) {
	if s.Connection.Policy.RateDay == 0 {
		return
	}
	if err := l.limiter.GiveBack(context.WithoutCancel(ctx), limitKey(s), l.now()); err != nil {
		l.complain(ctx, err)
	}
}

// other counts one request that is not a tool call, in a bucket of its own: a client that lists its tools over and over
// must not be free, nor use up what its calls may have.
func (l *rates) other(ctx context.Context, s *access.Snapshot) *access.Error {
	rate, failure := l.take(ctx, limitKey(s)+":other", s.Connection.Policy.RateMinute, 0)
	if failure != nil {
		return failure
	}
	return access.Limit(rate).Err()
}

// take fails closed: without a count nobody passes.
func (l *rates) take(ctx context.Context, key string, minute, day int) (access.Rate, *access.Error) {
	rate, err := l.limiter.Take(ctx, key, minute, day, l.now())
	if err == nil {
		return rate, nil
	}
	l.complain(ctx, err)
	return access.Rate{}, notChecked()
}

func notChecked() *access.Error {
	return &access.Error{
		Kind: access.Unavailable, Message: "The rate limits cannot be checked right now.", Hint: "Try again shortly.",
		RetryAfter: ratesRetry,
	}
}

// rows counts n more rows of data that were given to a connection with a limit for them, and tells what is left of it: less
// than 0 if these were too many. 0 only asks.
func (l *rates) rows(ctx context.Context, s *access.Snapshot, n int) (left int, rest time.Duration, failure *access.Error) {
	used, rest, err := l.limiter.Add(ctx, rowsKey(s), n, l.now())
	if err != nil {
		l.complain(ctx, err)
		return 0, 0, notChecked()
	}
	return s.Connection.Policy.RowsDay - used, rest, nil
}

func rowsKey(s *access.Snapshot) string { return limitKey(s) + ":rows" }

// seed tells the limiter what Odoo's audit knew at the time at, and reports whether that arrived.
func (l *rates) seed(ctx context.Context, found access.Resolution, at time.Time) bool {
	at = at.UTC()
	if at.Sub(at.Truncate(24*time.Hour)) < dayTurn {
		return true
	}
	requests := l.seedOne(ctx, limitKey(found.Snapshot), found.UsedToday, at)
	return l.seedOne(ctx, rowsKey(found.Snapshot), found.RowsToday, at) && requests
}

func (l *rates) seedOne(ctx context.Context, key string, used int, at time.Time) bool {
	if used <= 0 {
		return true
	}
	err := l.limiter.Seed(ctx, key, used, at)
	if err != nil {
		l.complain(ctx, err)
	}
	return err == nil
}

func (l *rates) complain(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return // the client went away; that says nothing of the limiter
	}
	now, last := l.now().UnixNano(), l.warned.Load()
	if (last == 0 || now-last >= int64(warnEvery)) && l.warned.CompareAndSwap(last, now) {
		l.warn(err)
	}
}

type rateKey struct{}

// WithRate hands what the limiter said of a call to the code that decides it. In the context and not in the caller: one HTTP
// request may hold several calls, and each counts.
func WithRate(ctx context.Context, r access.Rate) context.Context {
	return context.WithValue(ctx, rateKey{}, r)
}

// RateOf returns what the limiter said of a call; a call that was not counted has the zero Rate, which refuses.
func RateOf(ctx context.Context) access.Rate {
	r, _ := ctx.Value(rateKey{}).(access.Rate)
	return r
}
