package caller

import (
	"context"
	"net/netip"
	"slices"
	"testing"
	"time"

	"doorman/server/access"
)

// oneKey is an Odoo that knows one credential, until it is revoked.
type oneKey struct {
	access.Gateway
	good access.Proof
}

// Resolve knows the good proof only.
func (o *oneKey) Resolve(_ context.Context, p access.Proof) (access.Resolution, error) {
	if p != o.good {
		return access.Resolution{}, access.Invalid()
	}
	return access.Resolution{Snapshot: &access.Snapshot{
		Connection: access.Connection{ID: 7, Status: access.StatusConnected}, Settings: access.Settings{Enabled: true},
	}}, nil
}

// TestDeadKeysAreAskedAboutLess: a wrong key that is sent again and again is one guess, and so must not be a question a
// second.
func TestDeadKeysAreAskedAboutLess(t *testing.T) {
	t.Parallel()
	odoo := &oneKey{good: access.ProofOf("dmk_good")}
	r := newResolver(odoo, &rates{now: time.Now}, time.Now)
	from := netip.MustParseAddr("192.0.2.1")
	kept := func(key string) (seconds []float64) {
		t.Helper()
		p := access.ProofOf(key)
		for range 7 {
			if _, err := r.resolve(t.Context(), p, from); access.AsError(err).Kind != access.Unauthenticated {
				t.Fatalf("%s is refused with %v", key, err)
			}
			known, ok := r.cache.GetIfPresent(p)
			if !ok {
				t.Fatalf("the answer about %s was not kept", key)
			}
			seconds = append(seconds, known.ttl().Seconds())
			r.forget(p) // as if that time had passed
		}
		return seconds
	}
	if got := kept("dmk_wrong"); !slices.Equal(got, []float64{1, 2, 4, 8, 16, 16, 16}) {
		t.Errorf("a wrong key is refused from memory for %v seconds", got)
	}
	if _, err := r.resolve(t.Context(), odoo.good, from); err != nil {
		t.Fatal(err)
	}
	good := odoo.good
	odoo.good = access.Proof{}
	r.forget(good)
	// Its user may be back any moment, and there are only so many keys that were good.
	if got := kept("dmk_good"); !slices.Equal(got, []float64{1, 1, 1, 1, 1, 1, 1}) {
		t.Errorf("a key that was good is refused from memory for %v seconds", got)
	}
}
