package odoo

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorman/odoo/transport"
)

func TestGateBoundsCallsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newInFlight(3, time.Minute)
		var mu sync.Mutex
		in, most := 0, 0
		for i := range 50 {
			go func() {
				key := int64(i % 7)
				if err := g.enter(t.Context(), key); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				in++
				most = max(most, in)
				mu.Unlock()
				time.Sleep(time.Millisecond)
				mu.Lock()
				in--
				mu.Unlock()
				g.leave(key)
			}()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if most != 3 || g.free != 3 || g.waiting != 0 || len(g.queues) != 0 || len(g.turns) != 0 || len(g.holding) != 0 {
			t.Errorf("at most %d in flight; left %+v", most, g)
		}
	})
}

// TestGateIsFair: connections that have queued 40 calls each, and one that comes last with one call. It gets in after one
// call of each other, not after all of theirs.
func TestGateIsFair(t *testing.T) {
	t.Parallel()
	for name, others := range map[string]int{"one other": 1, "five others": 5, "as many others as there are calls": 40} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newInFlight(1, time.Minute)
				g.maxWaiting, g.maxQueue = 10_000, 10_000
				_ = g.enter(t.Context(), 99)
				var order []int64
				wait := func(key int64) {
					go func() {
						if g.enter(t.Context(), key) == nil {
							order = append(order, key) // one at a time: the queue is the lock
							g.leave(key)
						}
					}()
					synctest.Wait()
				}
				for key := range others {
					for range 40 {
						wait(int64(key + 1))
					}
				}
				wait(77)
				g.leave(99)
				synctest.Wait()
				if len(order) != 40*others+1 || slices.Index(order, 77) != others {
					t.Errorf("order %v", order)
				}
			})
		})
	}
}

// TestGateKeepsPlacesForOthers: a connection whose calls all hang does not hold every place.
func TestGateKeepsPlacesForOthers(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ size, share int }{{1, 1}, {3, 3}, {4, 3}, {16, 12}} {
		synctest.Test(t, func(t *testing.T) {
			g := newInFlight(row.size, time.Minute)
			gone, leave := context.WithCancel(t.Context())
			for range row.size + 2 {
				go func() {
					if g.enter(gone, 1) == nil {
						<-gone.Done()
						g.leave(1)
					}
				}()
			}
			synctest.Wait()
			if g.holding[1] != row.share || g.free != row.size-row.share || g.waiting != row.size+2-row.share {
				t.Errorf("of %d places: %+v", row.size, g)
			}
			if g.free > 0 {
				// Another one, and the service itself, are in at once, and what they give back is not the first one's.
				for _, key := range []int64{2, service} {
					if err := g.enter(t.Context(), key); err != nil || g.holding[1] != row.share {
						t.Errorf("of %d places, connection %d: %v, %+v", row.size, key, err, g)
					}
					g.leave(key)
				}
			}
			leave()
			synctest.Wait()
			if g.free != row.size || g.waiting != 0 || len(g.holding)+len(g.queues)+len(g.turns) != 0 {
				t.Errorf("left %+v", g)
			}
		})
	}
}

// TestGateRefuses: whoever is not let in is told why, and leaves nothing behind.
func TestGateRefuses(t *testing.T) {
	t.Parallel()
	fill := func(t *testing.T, g *inFlight, key int64, n int) {
		for range n {
			go func() {
				if g.enter(t.Context(), key) == nil {
					g.leave(key)
				}
			}()
		}
		synctest.Wait()
	}
	for _, row := range []struct {
		name  string
		try   func(t *testing.T, g *inFlight) error
		want  transport.Class
		after time.Duration
	}{
		{"deny waiting too long", func(t *testing.T, g *inFlight) error { return g.enter(t.Context(), 1) }, transport.Busy, 10 * time.Second},
		{"deny the deadline in the queue", func(t *testing.T, g *inFlight) error {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			return g.enter(ctx, 1)
		}, transport.Busy, time.Second},
		{"deny cancelled in the queue", func(t *testing.T, g *inFlight) error {
			ctx, cancel := context.WithCancel(t.Context())
			time.AfterFunc(2*time.Second, cancel)
			return g.enter(ctx, 1)
		}, transport.Cancelled, 2 * time.Second},
		{"deny the connection's own queue is full", func(t *testing.T, g *inFlight) error {
			fill(t, g, 1, g.maxQueue)
			return g.enter(t.Context(), 1)
		}, transport.Flood, 0},
		{"deny every queue is full", func(t *testing.T, g *inFlight) error {
			for key := int64(1); g.waiting < g.maxWaiting; key++ {
				fill(t, g, key, g.maxQueue)
			}
			return g.enter(t.Context(), 77)
		}, transport.Busy, 0},
		{"allow another, whose own queue is empty", func(t *testing.T, g *inFlight) error {
			fill(t, g, 1, g.maxQueue)
			time.AfterFunc(time.Second, func() { g.leave(service) })
			err := g.enter(t.Context(), 2)
			if err == nil {
				g.leave(2)
			}
			return err
		}, -1, time.Second},
		{"allow the service, which has no bound of its own", func(t *testing.T, g *inFlight) error {
			fill(t, g, service, g.maxQueue)
			time.AfterFunc(time.Second, func() { g.leave(service) })
			fill(t, g, service, 1)
			return nil
		}, -1, 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				g := newInFlight(1, 10*time.Second)
				_ = g.enter(t.Context(), service)
				start := time.Now()
				err := row.try(t, g)
				if row.want == -1 && err != nil || row.want != -1 && (err == nil || transport.AsFailure(err).Class != row.want) {
					t.Errorf("got %v", err)
				}
				if time.Since(start) != row.after {
					t.Errorf("after %v", time.Since(start))
				}
				time.Sleep(time.Minute) // all of them give up
				synctest.Wait()
				if g.waiting != 0 || len(g.queues)+len(g.turns) != 0 {
					t.Errorf("left %+v", g)
				}
			})
		})
	}
}
