package limit

import (
	"fmt"
	"net/netip"
	"sync"
	"time"

	"doorman/server/access"
	"doorman/server/clientip"
)

// GuessWindow is how long a failure counts.
const GuessWindow = time.Minute

const (
	// maxGuesses is how many credentials that open nothing one network may show in GuessWindow before Odoo is not asked
	// about its next ones.
	maxGuesses = 120
	// maxSources bounds memory. Networks beyond it share a count with their neighbours (see around), and beyond twice as
	// many all share one.
	maxSources = 10_000
)

// Guesses protects Odoo from a client that tries credentials. It counts failures only, so that an office with many good
// keys behind one address is never in its way, and questions under way as if they had failed, so that a thousand at once
// are no more than a thousand in a row.
type Guesses struct {
	mu      sync.Mutex
	sources map[netip.Prefix]*guesser
	swept   time.Time
}

// guesser is one network.
type guesser struct {
	failed []time.Time // in the window, the oldest first
	asking int
}

// NewGuesses returns an empty count.
func NewGuesses() *Guesses { return &Guesses{sources: map[netip.Prefix]*guesser{}} }

// around is the network around a network: about what one provider has. Who owns many networks fills the table with
// them; the count that they then share must not be everybody's.
func around(p netip.Prefix) netip.Prefix {
	bits := 16
	if p.Addr().Is6() {
		bits = 32
	}
	p, _ = p.Addr().Prefix(bits)
	return p
}

// Enter asks whether Odoo may be asked about a credential from ip. If so, leave must be called once, with whether the
// credential opened nothing. Otherwise refusal, of kind RateLimited, says when to try again.
func (g *Guesses) Enter(ip netip.Addr, now time.Time) (leave func(failed bool, at time.Time), refusal *access.Error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	s := g.source(clientip.Network(ip), now)
	s.forget(now)
	if len(s.failed)+s.asking >= maxGuesses {
		wait := time.Second // those under way may turn out to be good
		if s.asking < maxGuesses {
			wait = s.failed[0].Add(GuessWindow).Sub(now)
		}
		return nil, &access.Error{
			Kind: access.RateLimited, Message: "Too many invalid keys or tokens from your network.",
			Hint:       fmt.Sprintf("Check the key, and try again in %s.", access.InWords(wait)),
			RetryAfter: wait,
		}
	}
	s.asking++
	return func(failed bool, at time.Time) {
		g.mu.Lock()
		defer g.mu.Unlock()
		s.asking--
		if failed {
			s.failed = append(s.failed, at)
		}
	}, nil
}

// source finds the count of a network.
func (g *Guesses) source(p netip.Prefix, now time.Time) *guesser {
	if s := g.sources[p]; s != nil {
		return s
	}
	if len(g.sources) >= maxSources && now.Sub(g.swept) >= time.Second {
		g.swept = now
		for other, s := range g.sources {
			if s.forget(now); len(s.failed)+s.asking == 0 {
				delete(g.sources, other)
			}
		}
	}
	if len(g.sources) >= maxSources {
		p = around(p)
	}
	if len(g.sources) >= 2*maxSources && g.sources[p] == nil {
		p = netip.Prefix{}
	}
	s := g.sources[p]
	if s == nil {
		s = &guesser{}
		g.sources[p] = s
	}
	return s
}

// forget drops what is no longer in the window.
func (s *guesser) forget(now time.Time) {
	n := 0
	for n < len(s.failed) && now.Sub(s.failed[n]) >= GuessWindow {
		n++
	}
	s.failed = append(s.failed[:0], s.failed[n:]...)
}
