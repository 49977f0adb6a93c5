package limit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/logging"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// How long Redis may take, where the URL does not say otherwise. Each request waits for it, so this is short.
const (
	dialTimeout = time.Second
	// readyAtOnce is a limit that nobody reaches who only looks whether limits are counted.
	readyAtOnce = 1_000_000
	ioTimeout   = 500 * time.Millisecond
)

// Redis is the Limiter of several processes that share one count. Each request is one round trip: a script checks both
// limits and counts in both, so no two processes can both take the last place. It needs Redis 5 or later. Redis must not
// evict these keys to make room (maxmemory-policy noeviction, the default): with one its count would go.
//
// A request whose answer was lost may have been counted; it is never sent twice.
type Redis struct {
	client   *redis.Client
	password string
	// callersClock lets tests choose the time. Replicas with different clocks must not use it.
	callersClock bool
}

// NewRedis returns a Limiter that counts in Redis. It does not connect yet: see Ping. The URL is
// redis://user:password@host:6379/0, rediss:// for TLS, or unix:///path?db=0. Its error never holds the password.
func NewRedis(rawURL string) (*Redis, error) {
	options, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	if options.DialTimeout == 0 {
		options.DialTimeout = dialTimeout
	}
	if options.ReadTimeout == 0 {
		options.ReadTimeout = ioTimeout
	}
	if options.WriteTimeout == 0 {
		options.WriteTimeout = ioTimeout
	}
	options.MaxRetries = -1   // a script sent twice counts a request twice
	options.DialerRetries = 1 // five dials of a second each are too long to keep a request waiting
	options.ContextTimeoutEnabled = true
	options.DisableIdentity = true
	options.MaintNotificationsConfig = &maintnotifications.Config{Mode: maintnotifications.ModeDisabled}
	logging.Disable() // what it would print to stderr comes back as an error too, and here without the password
	return &Redis{client: redis.NewClient(options), password: options.Password}, nil
}

// parseURL keeps the errors of net/url and go-redis to itself: they quote the URL, password and all.
func parseURL(rawURL string) (*redis.Options, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, errors.New("limit: the Redis URL cannot be read; special characters in its password must be %-encoded")
	}
	tcp := u.Scheme == "redis" || u.Scheme == "rediss"
	switch {
	case !tcp && u.Scheme != "unix":
		return nil, errors.New("limit: the Redis URL must begin with redis://, rediss:// or unix://")
	case tcp && u.Hostname() == "", !tcp && u.Path == "": // go-redis would take localhost
		return nil, errors.New("limit: the Redis URL names no host (or, for unix://, no socket)")
	}
	options, err := redis.ParseURL(rawURL)
	if err != nil {
		return nil, errors.New("limit: the Redis URL has a path that is not a database number, or a parameter that is not known")
	}
	return options, nil
}

// Ready reports whether Redis counts: it answers, and this user may run what counting takes. It counts nothing of anybody's.
func (r *Redis) Ready(ctx context.Context) error {
	_, err := r.Take(ctx, "ready", Limits{Minute: readyAtOnce, Day: readyAtOnce}, time.Now())
	return err
}

// Evicts reports whether Redis drops keys when its memory is full. An error: it does not tell this user.
func (r *Redis) Evicts(ctx context.Context) (bool, error) {
	info, err := r.client.InfoMap(ctx, "memory").Result()
	if err != nil {
		return false, r.safe(err)
	}
	policy, told := info["Memory"]["maxmemory_policy"]
	if !told {
		return false, errors.New("limit: redis does not tell its maxmemory_policy")
	}
	return policy != "noeviction", nil
}

// Close closes the connections to Redis.
func (r *Redis) Close() error { return r.safe(r.client.Close()) }

// Take counts one request, or refuses it; see Limiter. The time is that of the Redis server.
func (r *Redis) Take(ctx context.Context, key string, l Limits, now time.Time) (Verdict, error) {
	if err := check(key, l); err != nil {
		return Verdict{}, err
	}
	answer, err := takeScript.Run(ctx, r.client, keys(key), l.Minute, l.Day, r.clock(now)).Int64Slice()
	if err != nil {
		return Verdict{}, r.safe(err)
	}
	if len(answer) != 2 {
		return Verdict{}, errors.New("limit: redis: the answer cannot be understood")
	}
	wait := time.Duration(answer[1]) * time.Microsecond
	switch answer[0] {
	case passed:
		return Verdict{Allowed: true}, nil
	case minuteFull:
		return Verdict{Limit: PerMinute, Max: l.Minute, RetryAfter: wait}, nil
	case dayFull:
		return Verdict{Limit: PerDay, Max: l.Day, RetryAfter: wait}, nil
	}
	return Verdict{}, errors.New("limit: redis: the answer cannot be understood")
}

// Seed raises the counter of a day to what the audit knows; see Limiter.
func (r *Redis) Seed(ctx context.Context, key string, used int, now time.Time) error {
	if err := check(key, Limits{Minute: 1, Day: used}); err != nil {
		return err
	}
	return r.safe(seedScript.Run(ctx, r.client, keys(key), used, dayOf(now), r.clock(now)).Err())
}

// GiveBack takes one request out of the day again; see Limiter.
func (r *Redis) GiveBack(ctx context.Context, key string, now time.Time) error {
	if key == "" {
		return ErrKey
	}
	return r.safe(giveBackScript.Run(ctx, r.client, keys(key), dayOf(now), r.clock(now)).Err())
}

// Add counts n things in the day; see Limiter.
func (r *Redis) Add(ctx context.Context, key string, n int, now time.Time) (used int, rest time.Duration, err error) {
	if err := checkCount(key, n); err != nil {
		return 0, 0, err
	}
	answer, err := addScript.Run(ctx, r.client, keys(key), n, r.clock(now)).Int64Slice()
	if err != nil {
		return 0, 0, r.safe(err)
	}
	if len(answer) != 2 {
		return 0, 0, errors.New("limit: redis: the answer cannot be understood")
	}
	return int(answer[0]), time.Duration(answer[1]) * time.Microsecond, nil
}

// keys returns the Redis keys of a key. The braces put both on one node of a cluster: a script cannot span two.
func keys(key string) []string {
	return []string{"doorman:rate:{" + key + "}:m", "doorman:rate:{" + key + "}:d"}
}

// clock returns what the scripts take for now: nothing, and then they ask Redis.
func (r *Redis) clock(now time.Time) string {
	if !r.callersClock {
		return ""
	}
	return strconv.FormatInt(now.UnixMicro(), 10)
}

// safe returns err without the password. A server that does not know HELLO or AUTH quotes their arguments in its error.
func (r *Redis) safe(err error) error {
	switch {
	case err == nil:
		return nil
	case r.password != "" && strings.Contains(err.Error(), r.password):
		return errors.New("limit: redis: it refused to let us in; its words are left out because they hold the password")
	}
	return fmt.Errorf("limit: redis: %w", err)
}
