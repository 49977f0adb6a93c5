package mcp

import (
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"doorman/server/access"
)

const (
	recordEvery = 2 * time.Second
	// servedEvery is how many flushes of refusals one of served requests waits for: a list of tools must not cost a
	// request of its own.
	servedEvery = 5
	// maxBatch is less than what Odoo takes at once.
	maxBatch = access.MaxEvents
	// maxPending bounds memory while Odoo is down; what is beyond it is counted, not kept.
	maxPending = 2_000
	// maxTold is how many different events of one connection, or of one network that showed no good key, are told apart
	// between two flushes. The rest become one row: else whoever makes up a tool's name for each call, or has a network
	// full of addresses, writes as many rows into Odoo as they send requests, and leaves no room for those of others.
	maxTold = 20
)

// recorder carries requests that never reached Odoo into its audit, in batches. Repeats become one row with a count, so
// that a client in a loop does not fill the table.
type recorder struct {
	gateway access.Gateway
	dropped func(int)

	mu      sync.Mutex
	pending map[eventKey]*access.Event
	told    map[teller]int // since the last flush
}

// teller is who an event is about: the connection; of requests without one, the network.
type teller struct {
	connection int64
	network    netip.Prefix
}

func tellerOf(e access.Event) teller {
	if e.Connection != 0 {
		return teller{connection: e.Connection}
	}
	ip, _ := netip.ParseAddr(e.Audit.IP)
	bits := 24
	if ip.Is6() {
		bits = 48 // what one customer has
	}
	network, _ := ip.Prefix(bits) // of no address: the zero Prefix, a network like any other
	return teller{network: network}
}

// rest is what is kept of an event once its teller has told enough: nothing that the sender can choose freely.
func (t teller) rest(e access.Event) access.Event {
	e.Model, e.Audit.Tool, e.Audit.IP = "", "", ""
	if t.network.IsValid() {
		e.Audit.IP = t.network.String()
	}
	if !slices.Contains(access.ChargedMethods, e.Audit.Method) {
		e.Audit.Method = ""
	}
	return e
}

// eventKey is what makes two events the same.
type eventKey struct {
	served                  bool
	connection              int64
	ip, method, tool, model string
	reason                  access.Kind
}

func keyOf(e access.Event) eventKey {
	return eventKey{e.Served, e.Connection, e.Audit.IP, e.Audit.Method, e.Audit.Tool, e.Model, e.Reason}
}

func newRecorder(g access.Gateway, dropped func(int)) *recorder {
	return &recorder{gateway: g, dropped: dropped, pending: map[eventKey]*access.Event{}, told: map[teller]int{}}
}

// add never blocks and never fails.
func (r *recorder) add(e access.Event) {
	key, from := keyOf(e), tellerOf(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pending[key] == nil && r.told[from] >= maxTold {
		e = from.rest(e)
		key = keyOf(e)
	}
	if known := r.pending[key]; known != nil {
		known.Count++
		return
	}
	if len(r.pending) >= maxPending {
		r.dropped(1)
		return
	}
	r.told[from]++
	e.Count = 1
	r.pending[key] = &e
}

// run sends what came in, until ctx ends; then it sends the rest once more, bounded in time.
func (r *recorder) run(ctx context.Context) {
	ticker := time.NewTicker(recordEvery)
	defer ticker.Stop()
	for turn := 1; ; turn++ {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			r.flush(last, true)
			return
		case <-ticker.C:
			r.flush(ctx, turn%servedEvery == 0)
		}
	}
}

// flush sends what is pending: the refusals, and the served requests too if asked to. What Odoo does not take now is
// kept for the next time.
func (r *recorder) flush(ctx context.Context, served bool) {
	r.mu.Lock()
	due := make([]access.Event, 0, len(r.pending))
	for key, e := range r.pending {
		if served || !e.Served {
			due = append(due, *e)
			delete(r.pending, key)
		}
	}
	clear(r.told)
	r.mu.Unlock()
	for batch := range slices.Chunk(due, maxBatch) {
		if r.gateway.Record(ctx, batch) == nil {
			continue
		}
		for _, e := range batch {
			r.putBack(e)
		}
	}
}

func (r *recorder) putBack(e access.Event) {
	key := keyOf(e)
	r.mu.Lock()
	defer r.mu.Unlock()
	if known := r.pending[key]; known != nil {
		known.Count += e.Count
		known.Time = e.Time
		return
	}
	if len(r.pending) >= maxPending {
		r.dropped(e.Count)
		return
	}
	r.pending[key] = &e
}
