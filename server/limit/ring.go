package limit

import "time"

// ring is the log of a key: the times of its last requests, in order. It grows as needed and only then, so that a
// connection with a generous limit that it never uses costs little.
type ring struct {
	at    []time.Duration
	first int // index of the oldest
	n     int
}

// get returns the time number i, the oldest being 0.
func (r *ring) get(i int) time.Duration {
	i += r.first
	if i >= len(r.at) {
		i -= len(r.at)
	}
	return r.at[i]
}

// forget removes the times up to and including until.
func (r *ring) forget(until time.Duration) {
	for r.n > 0 && r.at[r.first] <= until {
		r.n--
		if r.first++; r.first == len(r.at) {
			r.first = 0
		}
	}
}

// add appends a time that is not before the last one. The caller has made sure that there are fewer than most.
func (r *ring) add(t time.Duration, most int) {
	if r.n == len(r.at) {
		grown := make([]time.Duration, min(max(8, 2*r.n), most))
		for i := range r.n {
			grown[i] = r.get(i)
		}
		r.at, r.first = grown, 0
	}
	r.n++
	i := r.first + r.n - 1
	if i >= len(r.at) {
		i -= len(r.at)
	}
	r.at[i] = t
}

// chain is a list of entries, the one asked for latest first. The links are in the entries: moving one allocates nothing.
type chain struct{ first, last *entry }

// moveTo puts an entry first in a chain, out of the one it was in. A nil chain only takes it out.
func (e *entry) moveTo(c *chain) {
	if c != nil && c.first == e {
		return
	}
	if e.chain != nil {
		if e.prev != nil {
			e.prev.next = e.next
		} else {
			e.chain.first = e.next
		}
		if e.next != nil {
			e.next.prev = e.prev
		} else {
			e.chain.last = e.prev
		}
	}
	e.chain, e.prev, e.next = c, nil, nil
	if c == nil {
		return
	}
	if e.next = c.first; c.first != nil {
		c.first.prev = e
	} else {
		c.last = e
	}
	c.first = e
}
