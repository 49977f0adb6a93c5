package caller

import (
	"context"
	"net/http"
	"net/netip"
	"slices"
	"sync"

	"doorman/server/access"
)

// A request ends before its answer when its client goes away or takes it back:
//
//	2026-07-28   closing the connection takes the request back; the SDK ends the handler's context then
//	before       notifications/cancelled does, which comes as a request of its own; a closed connection may be no more than
//	             a bad network. Nobody can get the answer any more, so what only reads ends then; what writes is done
//
// Odoo is not waited for any more, and stops at its own deadline, not before: what it had begun, it may finish. What it
// did is in its audit, by the same transaction, whether somebody waits or not. What had still to wait for a place at Odoo
// is not done at all.
//
// The notice must reach the replica that has the request; another one knows nothing of it, and the request goes on.

// maxID is how long the id of a request may be to be taken back: it is kept, and a client of good will counts.
const maxID = 256

// inFlight are the requests under way, so that a notice can find the one it means.
type inFlight struct {
	mu       sync.Mutex
	requests map[requestName][]*flight
}

// requestName is how a client and its request are told from others. Programs that share a key number their requests
// alike, so the address and what the program calls itself are part of it.
type requestName struct {
	proof access.Proof
	ip    netip.Addr
	agent string
	id    string
}

// flight is one request under way.
type flight struct {
	ctx      context.Context // ends when it is taken back
	withdraw context.CancelFunc
}

func newInFlight() *inFlight { return &inFlight{requests: map[requestName][]*flight{}} }

// enter notes a request until leave is called.
func (r *inFlight) enter(name requestName) (f *flight, leave func()) {
	f = &flight{}
	f.ctx, f.withdraw = context.WithCancel(context.Background())
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests[name] = append(r.requests[name], f)
	return f, func() { r.leave(name, f) }
}

func (r *inFlight) leave(name requestName, f *flight) {
	defer f.withdraw() // nobody needs to listen any more
	r.mu.Lock()
	defer r.mu.Unlock()
	var rest []*flight
	for _, other := range r.requests[name] {
		if other != f {
			rest = append(rest, other)
		}
	}
	if rest == nil {
		delete(r.requests, name)
		return
	}
	r.requests[name] = rest
}

// withdraw ends the request of that name. Two of one name may be of two programs: then neither is ended, since half of
// the time it would be the wrong one.
func (r *inFlight) withdraw(name requestName) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if flights := r.requests[name]; len(flights) == 1 {
		flights[0].withdraw()
	}
}

// enter tells the caller what ends their request early, and lets a notice end another one. leave follows.
func (d *Door) enter(c *Caller, r *http.Request, m peeked) (leave func()) {
	name := func(id string) requestName { return requestName{c.Proof, c.IP, c.userAgent, id} }
	c.hungUp, c.Streams = r.Context(), m.streams && Accepted(r.Header).Stream
	switch {
	case m.targets != "":
		d.inFlight.withdraw(name(m.targets))
	case m.id != "" && len(m.id) <= maxID && slices.Contains(access.ChargedMethods, m.method):
		f, leave := d.inFlight.enter(name(m.id))
		c.withdrawn = f.ctx
		return leave
	}
	return func() {}
}

// EndEarly calls cancel when the client does not want the answer of this request any more, until stop is called. What
// writes is not ended because a connection closed: it is done, and its answer may be asked for.
func (c *Caller) EndEarly(cancel context.CancelFunc, writes bool) (stop func()) {
	var ends []func() bool
	if c.withdrawn != nil {
		ends = append(ends, context.AfterFunc(c.withdrawn, cancel))
	}
	if c.hungUp != nil && !writes {
		ends = append(ends, context.AfterFunc(c.hungUp, cancel))
	}
	return func() {
		for _, end := range ends {
			end()
		}
	}
}
