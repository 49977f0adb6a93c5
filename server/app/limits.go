package app

import (
	"context"
	"time"

	"doorman/server/access"
	"doorman/server/limit"
)

// limiter is package limit as package mcp asks for it. In one process the counts are kept in memory; with Redis several
// processes share them.
type limiter struct {
	limit.Limiter
	database string // two services with an Odoo each may share a Redis: connection 7 of the one is not that of the other
}

func newLimiter(c *Config) limiter {
	if c.redis != nil {
		return limiter{c.redis, c.OdooDB}
	}
	return limiter{limit.NewMemory(), c.OdooDB}
}

// Take implements caller.Limiter.
func (l limiter) Take(ctx context.Context, key string, minute, day int, now time.Time) (access.Rate, error) {
	v, err := l.Limiter.Take(ctx, l.key(key), limit.Limits{Minute: minute, Day: day}, now)
	return access.Rate(v), err
}

// Seed implements caller.Limiter.
func (l limiter) Seed(ctx context.Context, key string, used int, now time.Time) error {
	return l.Limiter.Seed(ctx, l.key(key), used, now)
}

// GiveBack implements caller.Limiter.
func (l limiter) GiveBack(ctx context.Context, key string, now time.Time) error {
	return l.Limiter.GiveBack(ctx, l.key(key), now)
}

// Add implements caller.Limiter.
func (l limiter) Add(ctx context.Context, key string, n int, now time.Time) (int, time.Duration, error) {
	return l.Limiter.Add(ctx, l.key(key), n, now)
}

func (l limiter) key(key string) string { return l.database + ":" + key }

// pingWithin is how long a probe of readiness waits for Redis.
const pingWithin = time.Second

// checkLimits says whether the limits can be counted: without them every request is refused.
func (c *Config) checkLimits(ctx context.Context) error {
	if c.redis == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, pingWithin)
	defer cancel()
	if err := c.redis.Ready(ctx); err != nil {
		return &access.Error{
			Kind: access.Unavailable, Message: "Redis cannot count requests, so none is let in.",
			Hint: "An administrator has to check that Redis is running, that DOORMAN_REDIS_URL points to it, and that its user can read, write and run scripts under doorman:*.", RetryAfter: 3 * time.Second, Detail: err.Error(),
		}
	}
	return nil
}
