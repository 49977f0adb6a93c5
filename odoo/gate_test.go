package odoo

import (
	"context"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestGateBoundsCallsInFlight(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(3, time.Minute)
		var mu sync.Mutex
		in, most := 0, 0
		for i := range 50 {
			go func() {
				if err := g.enter(t.Context(), int64(i%7)); err != nil {
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
				g.leave()
			}()
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if most != 3 || g.free != 3 || g.waiting != 0 || len(g.queues) != 0 || len(g.turns) != 0 {
			t.Errorf("at most %d in flight; left %+v", most, g)
		}
	})
}

// TestGateIsFair: one connection queues twenty calls, another one call. The other one is second, not twenty-first.
func TestGateIsFair(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, time.Minute)
		_ = g.enter(t.Context(), 0)
		var order []int64
		wait := func(key int64) {
			go func() {
				if g.enter(t.Context(), key) == nil {
					order = append(order, key) // one at a time: the gate is the lock
					g.leave()
				}
			}()
			synctest.Wait()
		}
		for range 20 {
			wait(1)
		}
		wait(2)
		g.leave()
		synctest.Wait()
		if len(order) != 21 || slices.Index(order, 2) != 1 {
			t.Errorf("order %v", order)
		}
	})
}

func TestGateOverload(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, 10*time.Second)
		_ = g.enter(t.Context(), 0)
		start := time.Now()
		err := g.enter(t.Context(), 1)
		if asFailure(err).class != clsBusy || time.Since(start) != 10*time.Second {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if err := g.enter(ctx, 1); asFailure(err).class != clsBusy {
			t.Errorf("deadline in the queue: %v", err)
		}
		gone, leave := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, leave)
		if err := g.enter(gone, 1); asFailure(err).class != clsCancelled {
			t.Errorf("cancelled in the queue: %v", err)
		}
		for range g.maxWaiting {
			go func() { _ = g.enter(t.Context(), 1) }()
		}
		synctest.Wait()
		if err := g.enter(t.Context(), 2); asFailure(err).class != clsBusy {
			t.Errorf("queue full: %v", err)
		}
		time.Sleep(time.Minute) // all of them give up
		synctest.Wait()
		if g.leave(); g.free != 1 || g.waiting != 0 {
			t.Errorf("left %+v", g)
		}
	})
}
