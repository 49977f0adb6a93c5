package files

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"doorman/server/access"
	"doorman/server/clientip"
)

// room lets so many files in at once, so many of them uploads, and so many of one network.
type room struct {
	all, uploads chan struct{}

	mu sync.Mutex
	of map[netip.Prefix]*share
}

// share is what one network has of the room. It is there as long as somebody is in it, or waits.
type share struct {
	places chan struct{}
	people int
}

func newRoom() *room {
	return &room{all: make(chan struct{}, inMemory), uploads: make(chan struct{}, arriving), of: map[netip.Prefix]*share{}}
}

// enter waits for a place, until ctx ends or patience does. A caller that got one calls leave.
func (r *room) enter(ctx context.Context, ip netip.Addr, upload bool) (leave func(), err error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	network := clientip.Network(ip)
	mine := r.join(network)
	doors := []chan struct{}{mine.places, r.all}
	if upload {
		doors = []chan struct{}{mine.places, r.uploads, r.all}
	}
	passed := 0
	leave = func() {
		for _, door := range doors[:passed] {
			<-door
		}
		r.part(network, mine)
	}
	for _, door := range doors {
		select {
		case door <- struct{}{}:
			passed++
		case <-ctx.Done():
			leave()
			return nil, noRoom()
		}
	}
	return leave, nil
}

func (r *room) join(network netip.Prefix) *share {
	r.mu.Lock()
	defer r.mu.Unlock()
	mine := r.of[network]
	if mine == nil {
		mine = &share{places: make(chan struct{}, ofOne)}
		r.of[network] = mine
	}
	mine.people++
	return mine
}

func (r *room) part(network netip.Prefix, mine *share) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if mine.people--; mine.people == 0 {
		delete(r.of, network)
	}
}

func noRoom() error {
	return &access.Error{Kind: access.OdooTimeout, Message: "Too many files are being transferred.", Hint: "Try again later.", RetryAfter: time.Second}
}
