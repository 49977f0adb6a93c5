package transport

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestABatchThatIsRefused: what is refused as a whole was not done, and each is sent alone. It may be only the batch that
// is too large for a proxy, or strange to the addon of a server that was not updated yet.
func TestABatchThatIsRefused(t *testing.T) {
	t.Parallel()
	for name, in := range map[string]incoming{
		"by an addon that knows no batches": {status: 400, json: true, body: fault("ValueError", 400)},
		"by a proxy, for its size":          {status: 413},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				w, b := newWorkers(1, time.Millisecond)
				w.answer = func([]int64, []byte) incoming { return in }
				if err := errors.Join(askAtOnce(t.Context(), b, 5)...); err != nil {
					t.Error(err)
				}
				idle(t, b)
			})
		})
	}
}

// TestPlacesChange: whatever Odoo says about its workers while reads are under way, each is answered and nothing is left.
func TestPlacesChange(t *testing.T) {
	t.Parallel()
	hellos := []string{`{}`, `{"workers":1}`, `{"workers":0}`, `{"workers":-5}`, `{"workers":1000000}`, `{"workers":null}`, `[`, `{"workers":1.5}`}
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 2))
			w, b := newWorkers(2, time.Duration(1+random.IntN(60))*time.Millisecond)
			var reads sync.WaitGroup
			for id := range int64(400) {
				time.Sleep(time.Duration(random.IntN(3)) * time.Millisecond)
				if random.IntN(5) == 0 {
					b.learn([]byte(hellos[random.IntN(len(hellos))]))
				}
				reads.Go(func() {
					if err := ask(t.Context(), b, id+1); err != nil {
						t.Errorf("seed %d, read %d: %v", seed, id+1, err)
					}
				})
			}
			reads.Wait()
			idle(t, b)
			seen := map[int64]bool{}
			for _, ids := range w.requests {
				for _, id := range ids {
					if seen[id] {
						t.Errorf("seed %d: read %d was sent twice", seed, id)
					}
					seen[id] = true
				}
			}
		})
	}
}
