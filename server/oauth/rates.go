package oauth

import (
	"net/netip"
	"sync"
	"time"
)

// maxSources bounds memory. Networks beyond it share one count with their neighbours.
const maxSources = 10_000

// rates counts what networks do, in a sliding window.
type rates struct {
	window time.Duration

	mu      sync.Mutex
	sources map[netip.Prefix][]time.Time // the oldest first
	swept   time.Time
}

func newRates(window time.Duration) *rates {
	return &rates{window: window, sources: map[netip.Prefix][]time.Time{}}
}

// take counts one attempt of an address (an IPv6 /64 is one) if it has made fewer than most in the window, or says how long
// to wait. The zero Addr is everybody.
func (r *rates) take(ip netip.Addr, most int, now time.Time) (wait time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := network(ip, 32, 64)
	if r.sources[key] == nil && len(r.sources) >= maxSources {
		r.sweep(now)
		if len(r.sources) >= maxSources {
			key = network(ip, 8, 16)
		}
	}
	list := r.sources[key]
	for len(list) > 0 && now.Sub(list[0]) >= r.window {
		list = list[1:]
	}
	if len(list) >= most {
		r.sources[key] = list
		// A setting may have become smaller: then it takes more than one to pass.
		return max(list[len(list)-most].Add(r.window).Sub(now), time.Second)
	}
	r.sources[key] = append(list, now)
	return 0
}

// sweep forgets networks that did nothing for a window; once a second, or a flood would pay for a sweep each.
func (r *rates) sweep(now time.Time) {
	if now.Sub(r.swept) < time.Second {
		return
	}
	r.swept = now
	for key, list := range r.sources {
		if len(list) == 0 || now.Sub(list[len(list)-1]) >= r.window {
			delete(r.sources, key)
		}
	}
}

func network(ip netip.Addr, v4, v6 int) netip.Prefix {
	ip = ip.Unmap()
	bits := v4
	if ip.Is6() {
		bits = v6
	}
	p, _ := ip.Prefix(bits) // of no address: the zero Prefix, a source like any other
	return p
}
