package caller

import (
	"context"
	"errors"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/maypok86/otter/v2"
	"github.com/maypok86/otter/v2/stats"
	"golang.org/x/sync/singleflight"

	"doorman/server/access"
	"doorman/server/limit"
)

// SnapshotTTL bounds how long a list of tools may be old. What is allowed never rests on an old snapshot: the fence checks
// it again inside Odoo. Nor does what is refused, see renew.
const SnapshotTTL = 30 * time.Second

const (
	// refusedTTL keeps a client that hammers with a dead key from hammering Odoo. Short, so that a key that was just
	// made, or a connection just reactivated, works almost at once.
	refusedTTL = time.Second
	// refusedMost is how long that becomes for a credential that never was good and is sent again and again: what counts
	// as one guess must not be a question to Odoo every second.
	refusedMost = 16 * time.Second
	// renewAfter is the age at which a refusal asks Odoo once more. A client that is refused over and over costs one
	// question in that time.
	renewAfter = 2 * time.Second
	// editWindow is how long a connection counts as being edited after it was seen to have changed. While somebody tries
	// out its policy, every refusal asks Odoo: "I have just allowed it" must not be two seconds early.
	editWindow = 30 * time.Second
	// renewWithin is how long a refusal waits for an Odoo that hangs.
	renewWithin = 3 * time.Second
	resolveMax  = 20_000
	// seenTTL is how long a credential that was good is known as one, and no guess; also what it opened the last time.
	seenTTL = 24 * time.Hour
	// deadTTL is how long a credential that opens nothing counts as the same guess, made again.
	deadTTL = limit.GuessWindow
)

// resolved is what Odoo said of a credential: a snapshot, or that it opens nothing.
type resolved struct {
	snapshot *access.Snapshot
	refusal  *access.Error
	guessed  int          // how often Odoo has refused it before, if it is a guess
	unseeded bool         // the limiter does not know yet how many requests the day has seen
	asked    atomic.Int64 // when Odoo was last asked, also in vain; nanoseconds
	changed  time.Time    // when it was last seen to differ from what was known before; zero = never
}

func newResolved(s *access.Snapshot, refusal *access.Error, asked time.Time) *resolved {
	r := &resolved{snapshot: s, refusal: refusal}
	r.asked.Store(asked.UnixNano())
	return r
}

// seen is what a snapshot was the last time: it is remembered for longer than the snapshot.
type seen struct {
	connection, settings int64
	registry             string
	changed              time.Time
}

func (r *resolved) answer() (*access.Snapshot, error) {
	if r.refusal != nil {
		return nil, r.refusal
	}
	return r.snapshot, nil
}

// ttl is how long an answer is kept.
func (r *resolved) ttl() time.Duration {
	if r.refusal != nil {
		return min(refusedTTL<<min(r.guessed, 8), refusedMost)
	}
	ttl := SnapshotTTL
	if g := r.snapshot.Grant; g != nil && !g.ExpiresAt.IsZero() {
		// Never longer than the token itself.
		ttl = min(ttl, max(g.ExpiresAt.Sub(time.Unix(0, r.asked.Load())), time.Millisecond))
	}
	if r.unseeded || !r.snapshot.Settings.Enabled || r.snapshot.Connection.Status == access.StatusInactive {
		return min(refusedTTL, ttl)
	}
	return ttl
}

// resolver answers "who is this" from memory where it can. It is keyed by the proof, never by the credential.
type resolver struct {
	gateway access.Gateway
	now     func() time.Time
	rates   *rates
	guesses *limit.Guesses
	cache   *otter.Cache[access.Proof, *resolved]
	seen    *otter.Cache[access.Proof, seen]
	dead    *otter.Cache[access.Proof, int]
	renewal singleflight.Group
}

func newResolver(g access.Gateway, l *rates, now func() time.Time) *resolver {
	return &resolver{
		gateway: g, now: now, rates: l, guesses: limit.NewGuesses(),
		cache: otter.Must(&otter.Options[access.Proof, *resolved]{
			MaximumSize: resolveMax, StatsRecorder: stats.NewCounter(),
			ExpiryCalculator: otter.ExpiryWritingFunc(func(e otter.Entry[access.Proof, *resolved]) time.Duration {
				return e.Value.ttl()
			}),
		}),
		seen: otter.Must(&otter.Options[access.Proof, seen]{
			MaximumSize: resolveMax, ExpiryCalculator: otter.ExpiryWriting[access.Proof, seen](seenTTL),
		}),
		dead: otter.Must(&otter.Options[access.Proof, int]{
			MaximumSize: resolveMax, ExpiryCalculator: otter.ExpiryCreating[access.Proof, int](deadTTL),
		}),
	}
}

// resolve returns the snapshot behind a proof that came from an address. Many requests at once for the same proof ask
// Odoo once.
func (r *resolver) resolve(ctx context.Context, p access.Proof, from netip.Addr) (*access.Snapshot, error) {
	got, err := r.cache.Get(ctx, p, otter.LoaderFunc[access.Proof, *resolved](func(ctx context.Context, p access.Proof) (*resolved, error) {
		// One caller going away must not fail the others that wait for the same answer.
		ctx = context.WithoutCancel(ctx)
		// A key that was good lately is not a guess: otherwise one person who sends wrong ones would lock out the whole office.
		if _, good := r.seen.GetIfPresent(p); good {
			return r.ask(ctx, p)
		}
		times, counted := r.dead.GetIfPresent(p)
		if counted {
			return r.askDead(ctx, p, times)
		}
		leave, refusal := r.guesses.Enter(from, r.now())
		if refusal != nil {
			return nil, refusal
		}
		failed := false
		defer func() { leave(failed, r.now()) }()
		got, err := r.askDead(ctx, p, 0)
		failed = err == nil && got.refusal != nil
		return got, err
	}))
	if err != nil {
		return nil, err
	}
	return got.answer()
}

// askDead asks about a credential that Odoo has refused so many times. It is one guess, however often it is sent: else
// one forgotten client with a revoked key would lock out its whole network.
func (r *resolver) askDead(ctx context.Context, p access.Proof, times int) (*resolved, error) {
	got, err := r.ask(ctx, p)
	if err == nil && got.refusal != nil {
		got.guessed = times
		r.dead.Set(p, times+1)
	}
	return got, err
}

// renew asks Odoo again, so that no refusal rests on what held a while ago; unless what is remembered is younger than
// renewAfter. Many refusals at once ask once.
func (r *resolver) renew(ctx context.Context, p access.Proof) (*access.Snapshot, error) {
	if known := r.young(p); known != nil {
		return known.answer()
	}
	got, err, _ := r.renewal.Do(string(p[:]), func() (any, error) {
		if known := r.young(p); known != nil { // renewed since
			return known, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), renewWithin)
		defer cancel()
		got, err := r.ask(ctx, p)
		if err == nil {
			r.cache.Set(p, got)
		} else if known, ok := r.cache.GetIfPresent(p); ok {
			known.asked.Store(r.now().UnixNano()) // in vain; the next refusal need not wait as well
		}
		return got, err
	})
	if err != nil {
		return nil, err
	}
	return got.(*resolved).answer()
}

// young returns what is remembered of p if it is young enough to refuse on.
func (r *resolver) young(p access.Proof) *resolved {
	known, ok := r.cache.GetIfPresent(p)
	now := r.now()
	if !ok || now.UnixNano()-known.asked.Load() >= int64(renewAfter) || now.Before(known.changed.Add(editWindow)) {
		return nil
	}
	return known
}

// note compares an answer with the former one.
func (r *resolver) note(p access.Proof, got *resolved) *resolved {
	if got.snapshot == nil {
		return got
	}
	is := seen{got.snapshot.Connection.Version, got.snapshot.Settings.Version, got.snapshot.Registry, time.Time{}}
	if was, ok := r.seen.GetIfPresent(p); ok {
		if is.changed = was.changed; was != is {
			is.changed = r.now()
		}
	}
	got.changed = is.changed
	r.seen.Set(p, is)
	return got
}

// ask asks Odoo, and tells the limiter what the audit knows of today.
func (r *resolver) ask(ctx context.Context, p access.Proof) (*resolved, error) {
	start := r.now()
	found, err := r.gateway.Resolve(ctx, p)
	var e *access.Error
	if errors.As(err, &e) && e.Kind == access.Unauthenticated {
		return newResolved(nil, e, start), nil
	}
	if err != nil {
		return nil, err // an outage is not an answer: it is not kept
	}
	got := newResolved(found.Snapshot, nil, start)
	r.note(p, got)
	got.unseeded = !r.rates.seed(ctx, found, start)
	return got, nil
}

// put takes a snapshot that came with an answer of Odoo's.
func (r *resolver) put(p access.Proof, s *access.Snapshot) {
	r.cache.Set(p, r.note(p, newResolved(s, nil, r.now())))
}

// refuse takes a refusal that came with an answer of Odoo's.
func (r *resolver) refuse(p access.Proof, e *access.Error) {
	r.cache.Set(p, newResolved(nil, e, r.now()))
}

// forgetClient drops what is remembered of the tokens of one OAuth client.
func (r *resolver) forgetClient(id string) {
	for p, known := range r.cache.All() {
		if known.snapshot != nil && known.snapshot.Grant != nil && known.snapshot.Grant.ClientID == id {
			r.cache.Invalidate(p)
		}
	}
}

func (r *resolver) forget(p access.Proof) { r.cache.Invalidate(p) }
