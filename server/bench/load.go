package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// maxSlice bounds the requests of one turn, however fast the answers come.
const maxSlice = 200_000

// way is one way to ask for the same rows. Its body is prepared once, so that the load costs little beside what is
// measured.
type way struct {
	name   string
	url    string
	header http.Header
	body   []byte
	// rows takes the rows out of a reply, or says what is wrong with it.
	rows func(reply []byte) (int, error)

	// send sends one request of a worker's and checks the reply, which came at the time returned. newWay's sends body.
	send func(ctx context.Context, worker int, buffer *bytes.Buffer) (time.Time, error)
	// lenient counts wrong replies instead of ending the run. They have no latency and make no throughput.
	lenient bool

	client *http.Client
	server *child                 // that answers, if we have started it
	good   atomic.Pointer[[]byte] // a reply that was checked in full
}

const wantRows = 2

func newWay(name, url string, body []byte, rows func([]byte) (int, error), header map[string]string) *way {
	w := &way{name: name, url: url, header: http.Header{}, body: body, rows: rows}
	for k, v := range header {
		w.header.Set(k, v)
	}
	w.header.Set("Content-Type", "application/json")
	w.send = func(ctx context.Context, _ int, buffer *bytes.Buffer) (time.Time, error) {
		err := w.ask(ctx, buffer)
		return time.Now(), err
	}
	w.client = &http.Client{
		Timeout: 30 * time.Second,
		// No proxy of the environment: everything is on this machine.
		Transport:     &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 64, IdleConnTimeout: 5 * time.Minute},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return w
}

// ask sends one request and checks its reply.
func (w *way) ask(ctx context.Context, buffer *bytes.Buffer) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(w.body))
	if err != nil {
		return err
	}
	r.Header = w.header
	response, err := w.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	buffer.Reset()
	if _, err := io.Copy(buffer, response.Body); err != nil {
		return err
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s: %.300s", w.name, response.Status, buffer)
	}
	return w.verify(buffer.Bytes())
}

// verify checks a reply in full, unless it is the same, byte for byte, as one that was.
func (w *way) verify(reply []byte) error {
	if good := w.good.Load(); good != nil && bytes.Equal(*good, reply) {
		return nil
	}
	n, err := w.rows(reply)
	if err != nil {
		return fmt.Errorf("%s: %w in %.300s", w.name, err, reply)
	}
	if n != wantRows {
		return fmt.Errorf("%s: %d rows instead of %d in %.300s", w.name, n, wantRows, reply)
	}
	kept := bytes.Clone(reply)
	w.good.Store(&kept)
	return nil
}

// turn keeps concurrency requests under way for d. One wrong reply ends the run, or is counted apart where the way is
// lenient: a fast error is not a result.
func (w *way) turn(ctx context.Context, concurrency int, d time.Duration) (slice, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var (
		left    atomic.Int64
		wrong   mistakes
		lists   = make([][]time.Duration, concurrency)
		workers sync.WaitGroup
	)
	left.Store(maxSlice)
	cpu := w.server.cpu()
	start := time.Now()
	for i := range concurrency {
		workers.Go(func() {
			var buffer bytes.Buffer
			mine := make([]time.Duration, 0, 8192)
			for sent := start; sent.Sub(start) < d && left.Add(-1) >= 0; sent = time.Now() {
				replied, err := w.send(ctx, i, &buffer)
				switch {
				case err == nil:
					mine = append(mine, replied.Sub(sent))
				case !w.lenient || ctx.Err() != nil:
					cancel(err)
					return
				default:
					wrong.add(err)
				}
			}
			lists[i] = mine
		})
	}
	workers.Wait()
	took := time.Since(start)
	if err := context.Cause(ctx); err != nil {
		return slice{}, err
	}
	out := slice{took: took, cpu: w.server.cpu() - cpu, wrong: wrong.count, firstWrong: wrong.first}
	for _, list := range lists {
		out.latencies = append(out.latencies, list...)
	}
	if len(out.latencies) == 0 && out.wrong == 0 {
		return slice{}, errors.New(w.name + ": no reply in time")
	}
	return out, nil
}

// mistakes counts wrong replies and keeps the first.
type mistakes struct {
	mu    sync.Mutex
	count int
	first error
}

func (m *mistakes) add(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.count++; m.first == nil {
		m.first = err
	}
}

// race lets the ways take turns at every concurrency, in another order each round. between is called after each round.
func race(ctx context.Context, ways []*way, concurrencies []int, rounds int, d time.Duration, between func(round int) error) (map[string]map[int][]slice, error) {
	out := map[string]map[int][]slice{}
	for _, w := range ways {
		out[w.name] = map[int][]slice{}
	}
	for round := range rounds {
		for _, c := range concurrencies {
			for _, i := range rand.Perm(len(ways)) {
				s, err := ways[i].turn(ctx, c, d)
				if err != nil {
					return nil, err
				}
				out[ways[i].name][c] = append(out[ways[i].name][c], s)
			}
		}
		if err := between(round); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// warmUp lets every way run for a second, unmeasured: connections are opened, caches filled, both of Odoo's workers
// load the registry.
func warmUp(ctx context.Context, ways []*way) error {
	for _, w := range ways {
		if _, err := w.turn(ctx, 8, time.Second); err != nil {
			return err
		}
	}
	return nil
}
