package mcp

import (
	"context"
	"errors"
	"time"

	"github.com/maypok86/otter/v2"

	"doorman/server/access"
)

const (
	// resolveTTL bounds how long a refusal may rest on an old snapshot. What is allowed never does: the fence checks
	// it again inside Odoo.
	resolveTTL = 30 * time.Second
	// refusedTTL keeps a client that hammers with a dead key from hammering Odoo. Short, so that a key that was just
	// made, or a connection just reactivated, works almost at once.
	refusedTTL = time.Second
	resolveMax = 20_000
)

// resolved is what Odoo said of a credential: a snapshot, or that it opens nothing.
type resolved struct {
	snapshot *access.Snapshot
	refusal  *access.Error
}

// resolver answers "who is this" from memory where it can. It is keyed by the proof, never by the credential.
type resolver struct {
	gateway access.Gateway
	cache   *otter.Cache[access.Proof, resolved]
}

func newResolver(g access.Gateway) *resolver {
	expiry := func(e otter.Entry[access.Proof, resolved]) time.Duration {
		if e.Value.refusal != nil || !e.Value.snapshot.Settings.Enabled || e.Value.snapshot.Connection.Status == access.StatusInactive {
			return refusedTTL
		}
		return resolveTTL
	}
	return &resolver{gateway: g, cache: otter.Must(&otter.Options[access.Proof, resolved]{
		MaximumSize:      resolveMax,
		ExpiryCalculator: otter.ExpiryWritingFunc(expiry),
	})}
}

// resolve returns the snapshot behind a proof. Many requests at once for the same proof ask Odoo once.
func (r *resolver) resolve(ctx context.Context, p access.Proof) (*access.Snapshot, error) {
	got, err := r.cache.Get(ctx, p, otter.LoaderFunc[access.Proof, resolved](r.load))
	if err != nil {
		return nil, err
	}
	if got.refusal != nil {
		return nil, got.refusal
	}
	return got.snapshot, nil
}

func (r *resolver) load(ctx context.Context, p access.Proof) (resolved, error) {
	// One caller going away must not fail the others that wait for the same answer.
	s, err := r.gateway.Resolve(context.WithoutCancel(ctx), p)
	var e *access.Error
	if errors.As(err, &e) && e.Kind == access.Unauthenticated {
		return resolved{refusal: e}, nil
	}
	if err != nil {
		return resolved{}, err // an outage is not an answer: it is not kept
	}
	return resolved{snapshot: s}, nil
}

func (r *resolver) put(p access.Proof, s *access.Snapshot) { r.cache.Set(p, resolved{snapshot: s}) }

func (r *resolver) forget(p access.Proof) { r.cache.Invalidate(p) }
