package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"doorman/server/observe"
)

// How reads share requests.
const (
	// patience is how long a read waits for a place among Odoo's workers. After it, it is sent all the same: what the
	// places are is Odoo's own word, and a slow report that holds one must not hold up who waits behind it.
	patience = 25 * time.Millisecond
	// gathering is how long a place that came free in a crowd waits for the next reads. The clients
	// whose answers just left are about to ask again, and the first of them would go alone. Meanwhile a worker of Odoo's
	// is idle: measured at 8 at once, 100 and 500 microseconds gave less, and a millisecond a fifth less.
	gathering = 250 * time.Microsecond
	// crowdLasts is how long after a read found no place there still is a crowd.
	crowdLasts = 30 * time.Millisecond
	// batchBody is the largest read, in bytes, that shares a request.
	batchBody = 64 << 10
	// placesOfThreads is how many reads at once suit an Odoo without worker processes, whose threads share one core.
	placesOfThreads = 2
)

// putBack is the addon's word for a read that it did not do, since it would have made the others wait, or failed
// (controllers/gateway_batch.py, ALONE).
const putBack = "doorman.Alone"

var errPutBack = errors.New("to be sent alone")

// shared are the ORM methods that may share a request: short reads, which the service may send again when Odoo puts them
// back.
var shared = map[string]bool{"search_read": true, "search_count": true, "read": true, "formatted_read_group": true}

// mayShare reports whether a call of the gateway may share a request.
func mayShare(method string, params map[string]any) bool {
	if method != "call" {
		return false
	}
	request, _ := params["request"].(map[string]any)
	orm, _ := request["method"].(string)
	return shared[orm]
}

// batcher lets reads that all have to wait for one of Odoo's workers share the next request, as a JSON-RPC 2.0 batch.
// More than half of what a read costs Odoo is the request around it.
//
//	read ─> a worker is free ────────────────────────────────> alone, at once
//	     └> none is ─> gathers with the others that wait ────> one request, an answer each
//	                                                            └> put back by Odoo ─> alone
//
// In Odoo each of them is a transaction of its own, with its own fence and audit row, as if it had come alone.
type batcher struct {
	send    func(ctx context.Context, body []byte) (incoming, error)
	most    int         // reads in one request; below 2 none share
	workers int         // Odoo's, by configuration; 0 = as Odoo says
	told    func(n int) // how many reads each request took

	mu        sync.Mutex
	places    int // requests that Odoo works on at once; 0 = not known, nobody waits
	flying    int
	waiting   []*read
	crowd     time.Time // when a read last found no place
	gathering bool
}

// read is one that waits, or shares a request.
type read struct {
	ctx   context.Context
	id    int64
	body  []byte
	batch *batch // nil while it waits
	done  chan struct{}
	raw   json.RawMessage
	err   error
}

// batch is a request that several share. It ends early when the last of them has gone.
type batch struct {
	readers int
	cancel  context.CancelFunc
}

// learn takes from a hello how many requests Odoo works on at once. An addon that does not say knows no batches.
func (b *batcher) learn(hello json.RawMessage) {
	var w struct {
		Workers *int `json:"workers"`
	}
	if json.Unmarshal(hello, &w) != nil {
		return
	}
	places := 0
	switch {
	case w.Workers == nil:
	case b.workers > 0:
		places = b.workers
	case *w.Workers > 0:
		places = *w.Workers
	default:
		places = placesOfThreads
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.places = places
}

// do sends a read, alone or with others, and returns its own answer. Every error is a *Failure.
func (b *batcher) do(ctx context.Context, id int64, body []byte) (json.RawMessage, error) {
	r := b.enter(ctx, id, body)
	if r == nil {
		defer b.leave()
		return b.alone(ctx, id, body)
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	for {
		select {
		case <-r.done:
			if errors.Is(r.err, errPutBack) {
				return b.again(r)
			}
			return r.raw, r.err
		case <-timer.C:
			b.hurry(r)
		case <-ctx.Done():
			return nil, b.abandon(r)
		}
	}
}

// enter takes a place, or returns what waits for one.
func (b *batcher) enter(ctx context.Context, id int64, body []byte) *read {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	full := b.places > 0 && b.flying >= b.places
	if full {
		b.crowd = now
	}
	if b.most < 2 || len(body) > batchBody || !full && len(b.waiting) == 0 && now.Sub(b.crowd) > crowdLasts {
		b.flying++
		return nil
	}
	r := &read{ctx: ctx, id: id, body: body, done: make(chan struct{})}
	b.waiting = append(b.waiting, r)
	if !full {
		b.gather()
	}
	return r
}

// leave gives a place back. In a crowd the next one is for all who come within a moment.
func (b *batcher) leave() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flying--
	b.gather()
}

// gather sends those who wait a moment later. b.mu is held.
func (b *batcher) gather() {
	if b.gathering || len(b.waiting) == 0 {
		return
	}
	b.gathering = true
	time.AfterFunc(gathering, func() {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.gathering = false
		for b.flying < b.places && len(b.waiting) > 0 {
			b.depart()
		}
	})
}

// hurry sends r, and those who wait with it, though there is no place.
func (b *batcher) hurry(r *read) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for r.batch == nil {
		b.depart()
	}
}

// depart sends those who have waited longest; there is at least one. b.mu is held.
func (b *batcher) depart() {
	n := min(len(b.waiting), b.most)
	readers := slices.Clone(b.waiting[:n])
	b.waiting = slices.Delete(b.waiting, 0, n)
	ctx, cancel := context.WithCancel(context.WithoutCancel(readers[0].ctx))
	one := &batch{readers: n, cancel: cancel}
	for _, r := range readers {
		r.batch = one
	}
	b.flying++
	go func() {
		defer b.leave()
		defer cancel()
		b.carry(ctx, readers)
	}()
}

// abandon is for a reader who went away, or whose deadline passed.
func (b *batcher) abandon(r *read) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	f := &Failure{Class: NoAnswer, Sent: r.batch != nil}
	if r.batch == nil {
		b.waiting = slices.DeleteFunc(b.waiting, func(other *read) bool { return other == r })
	} else if r.batch.readers--; r.batch.readers == 0 {
		r.batch.cancel()
	}
	return orContext(r.ctx, r.ctx.Err(), f)
}

// alone sends a read in a request of its own.
func (b *batcher) alone(ctx context.Context, id int64, body []byte) (json.RawMessage, error) {
	b.told(1)
	in, err := b.send(ctx, body)
	if err != nil {
		return nil, err
	}
	return decodeEnvelope(in, id)
}

// again sends what Odoo put back: nothing of it was done. It has waited enough.
func (b *batcher) again(r *read) (json.RawMessage, error) {
	b.mu.Lock()
	b.flying++
	b.mu.Unlock()
	defer b.leave()
	return b.alone(r.ctx, r.id, r.body)
}

// carry sends readers in one request, and hands each its own answer.
func (b *batcher) carry(ctx context.Context, readers []*read) {
	if len(readers) == 1 {
		r := readers[0]
		r.raw, r.err = b.alone(ctx, r.id, r.body)
		close(r.done)
		return
	}
	answers, err := b.together(ctx, readers)
	if err != nil {
		f := *AsFailure(err)
		f.counted = new(atomic.Bool) // one lost request, however many it carried
		if err = &f; f.refusedWhole() {
			err = errPutBack
		}
	}
	for i, r := range readers {
		if r.err = err; err == nil {
			r.raw, r.err = decodeEnvelope(answers[i], r.id)
		}
		if r.err != nil && AsFailure(r.err).Name == putBack {
			r.err = errPutBack
		}
		close(r.done)
	}
}

// together sends a batch. The answers are in the order of the requests, as the addon writes them; whether each is the
// answer to its request, decodeEnvelope sees by the id.
func (b *batcher) together(ctx context.Context, readers []*read) ([]incoming, error) {
	b.told(len(readers))
	bodies := make([][]byte, len(readers))
	for i, r := range readers {
		bodies[i] = r.body
	}
	in, err := b.send(ctx, slices.Concat([]byte("["), bytes.Join(bodies, []byte(",")), []byte("]")))
	lead := observe.TripOf(readers[0].ctx)
	for _, r := range readers {
		observe.TripOf(r.ctx).Shares(lead, len(readers))
	}
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	if in.status != http.StatusOK || !in.json || json.Unmarshal(in.body, &list) != nil {
		if _, err := decodeEnvelope(in, 0); err != nil { // an error for all
			return nil, err
		}
	}
	if len(list) != len(readers) {
		return nil, &Failure{Class: Garbage, Sent: true, Status: in.status, Reason: "answers to other requests"}
	}
	answers := make([]incoming, len(list))
	for i, body := range list {
		answers[i] = incoming{status: in.status, json: true, body: body}
	}
	return answers, nil
}
