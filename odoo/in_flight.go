package odoo

import (
	"context"
	"slices"
	"sync"
	"time"

	"doorman/odoo/transport"
)

// inFlight bounds the calls in flight and shares them between connections. With one queue for all, a connection that sends a
// thousand calls would make everybody else wait for them.
//
//	call ─> a place is free, and the connection has no more than its share ─> in
//	     └> the connection's own queue, bounded ─> the queues take turns ─> in
//
// A call waits for one call of each other waiting connection at most, however many those have queued.
type inFlight struct {
	maxWaiting int           // of all connections
	maxQueue   int           // of one connection: one that floods is told so before it fills the place of the others
	share      int           // places that one connection may hold: the rest is kept for others, also while its calls are slow
	patience   time.Duration // how long a call may wait; then it was overload, and the caller is told

	mu      sync.Mutex
	free    int
	waiting int
	holding map[int64]int       // places by connection; no zeros
	queues  map[int64][]*ticket // by connection; none is empty
	turns   []int64             // the connections with a queue, the next one first
}

// ticket is one waiting call.
type ticket struct{ admitted chan struct{} }

// service is the key of what the service asks for itself and for everybody: who a credential belongs to, its heartbeat.
// It is not a connection, and has no share.
const service int64 = 0

func newInFlight(size int, patience time.Duration) *inFlight {
	return &inFlight{
		maxWaiting: 64 * size, maxQueue: 8 * size, share: size - size/4, patience: patience,
		free: size, holding: map[int64]int{}, queues: map[int64][]*ticket{},
	}
}

// enter waits for a place for connection key; leave must follow unless there is an error, which is a *transport.Failure.
func (g *inFlight) enter(ctx context.Context, key int64) error {
	t, err := g.takeOrQueue(key)
	if t == nil {
		return err
	}
	timer := time.NewTimer(g.patience)
	defer timer.Stop()
	select {
	case <-t.admitted:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	if !g.withdraw(key, t) {
		g.leave(key) // admitted in the same moment: the place goes to the next
	}
	f := &transport.Failure{Class: transport.Busy, Reason: "waited too long for a place"}
	if ctx.Err() == context.Canceled {
		f.Class, f.Reason = transport.Cancelled, "cancelled while waiting for a place"
	}
	return f
}

// takeOrQueue takes a place, or returns the ticket to wait with.
func (g *inFlight) takeOrQueue(key int64) (*ticket, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	// A place is free only while nobody who may take it waits.
	if g.free > 0 && g.withinShare(key) {
		g.take(key)
		return nil, nil
	}
	if key != service && len(g.queues[key]) >= g.maxQueue {
		return nil, &transport.Failure{Class: transport.Flood, Reason: "queue of the connection full"}
	}
	if g.waiting >= g.maxWaiting {
		return nil, &transport.Failure{Class: transport.Busy, Reason: "queue full"}
	}
	t := &ticket{admitted: make(chan struct{})}
	if len(g.queues[key]) == 0 {
		g.turns = append(g.turns, key)
	}
	g.queues[key] = append(g.queues[key], t)
	g.waiting++
	return t, nil
}

func (g *inFlight) withinShare(key int64) bool { return key == service || g.holding[key] < g.share }

func (g *inFlight) take(key int64) {
	g.free--
	g.holding[key]++
}

// leave gives the place of a call of connection key to the next connection in turn.
func (g *inFlight) leave(key int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.free++
	if g.holding[key]--; g.holding[key] == 0 {
		delete(g.holding, key)
	}
	i := slices.IndexFunc(g.turns, g.withinShare)
	if i < 0 {
		return
	}
	next := g.turns[i]
	queue := g.queues[next]
	g.take(next)
	close(queue[0].admitted)
	g.turns = slices.Delete(g.turns, i, i+1)
	if g.setQueue(next, queue[1:]) {
		g.turns = append(g.turns, next)
	}
}

// setQueue puts what is left of a queue in place, and reports whether there is anything.
func (g *inFlight) setQueue(key int64, queue []*ticket) bool {
	g.waiting += len(queue) - len(g.queues[key])
	if len(queue) == 0 {
		delete(g.queues, key)
		return false
	}
	g.queues[key] = queue
	return true
}

// withdraw takes t out of its queue; false if it was admitted already.
func (g *inFlight) withdraw(key int64, t *ticket) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.queues[key], t)
	if i < 0 {
		return false
	}
	// Into a new slice: the admitted ones before it share the array.
	if !g.setQueue(key, slices.Concat(g.queues[key][:i], g.queues[key][i+1:])) {
		g.turns = slices.DeleteFunc(g.turns, func(k int64) bool { return k == key })
	}
	return true
}
