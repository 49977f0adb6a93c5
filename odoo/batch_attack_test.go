package odoo

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"doorman/server/access"
)

// roundTrip answers in place of the network.
type roundTrip func(body []byte) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	time.Sleep(10 * time.Millisecond)
	return f(body)
}

func reply(status int, body []byte) (*http.Response, error) {
	return &http.Response{
		StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}},
		ContentLength: int64(len(body)), Body: io.NopCloser(bytes.NewReader(body)),
	}, nil
}

// TestOneLostBatchIsOneFailure: one worker that dies takes one request along, however many reads shared it. Odoo is still
// there for everybody else.
func TestOneLostBatchIsOneFailure(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{URL: "http://odoo.test", Database: "d", Key: "k", RoundTripper: roundTrip(func(body []byte) (*http.Response, error) {
			var id int64
			switch {
			case body[0] == '[':
				return nil, io.ErrUnexpectedEOF
			case bytes.Contains(body, []byte(`"hello"`)):
				_, _ = fmt.Sscanf(string(body), `{"id":%d`, &id)
				return reply(200, fmt.Appendf(nil, `{"id":%d,"result":{"workers":1}}`, id))
			default:
				_, _ = fmt.Sscanf(string(body), `{"id":%d`, &id)
				return reply(200, fmt.Appendf(nil, `{"id":%d,"result":{"value":1,"registry":"1"}}`, id))
			}
		})})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Raw(t.Context(), c, "hello", nil); err != nil {
			t.Fatal(err)
		}
		read := func() error {
			_, err := c.Call(t.Context(), access.Fence{Connection: 1}, access.Request{Model: "res.partner", Method: "search_count"})
			return err
		}
		var reads sync.WaitGroup
		var lost atomic.Int64
		for range 9 {
			reads.Go(func() {
				if read() != nil {
					lost.Add(1)
				}
			})
			synctest.Wait()
		}
		reads.Wait()
		if lost.Load() != 8 {
			t.Fatalf("%d reads lost: they did not share a request", lost.Load())
		}
		time.Sleep(crowdLasts + time.Millisecond)
		if err := read(); err != nil {
			t.Errorf("after one lost request: %v", err)
		}
	})
}

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
