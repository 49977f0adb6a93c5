package caller

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

// AuditBatch carries requests that never reached Odoo into its audit, in batches. Repeats become one row with a count, so
// that a client in a loop does not fill the table.
type AuditBatch struct {
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

// NewAuditBatch builds an empty batch. dropped is told how many events were lost because there was no room for them.
func NewAuditBatch(g access.Gateway, dropped func(int)) *AuditBatch {
	return &AuditBatch{gateway: g, dropped: dropped, pending: map[eventKey]*access.Event{}, told: map[teller]int{}}
}

// add never blocks and never fails.
func (b *AuditBatch) add(e access.Event) {
	key, from := keyOf(e), tellerOf(e)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.pending[key] == nil && b.told[from] >= maxTold {
		e = from.rest(e)
		key = keyOf(e)
	}
	if known := b.pending[key]; known != nil {
		known.Count++
		return
	}
	if len(b.pending) >= maxPending {
		b.dropped(1)
		return
	}
	b.told[from]++
	e.Count = 1
	b.pending[key] = &e
}

// Run sends what came in, until ctx ends; then it sends the rest once more, bounded in time.
func (b *AuditBatch) Run(ctx context.Context) {
	ticker := time.NewTicker(recordEvery)
	defer ticker.Stop()
	for turn := 1; ; turn++ {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), 3*time.Second)
			defer cancel()
			b.flush(last, true)
			return
		case <-ticker.C:
			b.flush(ctx, turn%servedEvery == 0)
		}
	}
}

// flush sends what is pending: the refusals, and the served requests too if asked to. What Odoo does not take now is
// kept for the next time.
func (b *AuditBatch) flush(ctx context.Context, served bool) {
	b.mu.Lock()
	due := make([]access.Event, 0, len(b.pending))
	for key, e := range b.pending {
		if served || !e.Served {
			due = append(due, *e)
			delete(b.pending, key)
		}
	}
	clear(b.told)
	b.mu.Unlock()
	for batch := range slices.Chunk(due, maxBatch) {
		if b.gateway.Record(ctx, batch) == nil {
			continue
		}
		for _, e := range batch {
			b.putBack(e)
		}
	}
}

func (b *AuditBatch) putBack(e access.Event) {
	key := keyOf(e)
	b.mu.Lock()
	defer b.mu.Unlock()
	if known := b.pending[key]; known != nil {
		known.Count += e.Count
		known.Time = e.Time
		return
	}
	if len(b.pending) >= maxPending {
		b.dropped(e.Count)
		return
	}
	b.pending[key] = &e
}
