package odoo

import (
	"context"
	"sync"
	"time"
)

// gate bounds the calls in flight and shares them between connections: each has a queue of its own, and the queues take
// turns. With one queue for all, a connection that sends a thousand calls would make everybody else wait for them.
type gate struct {
	maxWaiting int
	patience   time.Duration // how long a call may wait; then it was overload, and the caller is told

	mu      sync.Mutex
	free    int
	waiting int
	queues  map[int64][]*ticket // by connection; none is empty
	turns   []int64             // the connections with a queue, the next one first
}

// ticket is one waiting call.
type ticket struct{ admitted chan struct{} }

func newGate(size int, patience time.Duration) *gate {
	return &gate{maxWaiting: 64 * size, patience: patience, free: size, queues: map[int64][]*ticket{}}
}

// enter waits for a place for connection key; leave must follow unless there is an error, which is a *failure.
func (g *gate) enter(ctx context.Context, key int64) error {
	g.mu.Lock()
	if g.free > 0 {
		g.free--
		g.mu.Unlock()
		return nil
	}
	if g.waiting >= g.maxWaiting {
		g.mu.Unlock()
		return &failure{class: clsBusy, reason: "queue full"}
	}
	t := &ticket{admitted: make(chan struct{})}
	if len(g.queues[key]) == 0 {
		g.turns = append(g.turns, key)
	}
	g.queues[key] = append(g.queues[key], t)
	g.waiting++
	g.mu.Unlock()

	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	select {
	case <-t.admitted:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if !g.withdraw(key, t) {
		g.leave() // admitted in the same moment: the place goes to the next
	}
	f := &failure{class: clsBusy, reason: "waited too long for a place"}
	if ctx.Err() == context.Canceled {
		f.class, f.reason = clsCancelled, "cancelled while waiting for a place"
	}
	return f
}

// leave gives the place to the next connection in turn.
func (g *gate) leave() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.turns) == 0 {
		g.free++
		return
	}
	key := g.turns[0]
	g.turns = g.turns[1:]
	queue := g.queues[key]
	close(queue[0].admitted)
	g.waiting--
	if queue = queue[1:]; len(queue) == 0 {
		delete(g.queues, key)
		return
	}
	g.queues[key] = queue
	g.turns = append(g.turns, key)
}

// withdraw takes t out of its queue; false if it was admitted already.
func (g *gate) withdraw(key int64, t *ticket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	queue := g.queues[key]
	for i := range queue {
		if queue[i] != t {
			continue
		}
		g.waiting--
		if queue = append(queue[:i:i], queue[i+1:]...); len(queue) > 0 {
			g.queues[key] = queue
			return true
		}
		delete(g.queues, key)
		for j := range g.turns {
			if g.turns[j] == key {
				g.turns = append(g.turns[:j:j], g.turns[j+1:]...)
				break
			}
		}
		return true
	}
	return false
}
