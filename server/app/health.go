package app

import (
	"cmp"
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"doorman/server/access"
)

// health knows whether Odoo answers. Many probes at once ask once, and one answer serves for a second.
type health struct {
	gateway access.Gateway
	flight  singleflight.Group

	mu    sync.Mutex
	hello access.Hello
	err   error
	when  time.Time
	web   string // where people reach Odoo, as it said last
	known string // what the configuration says
}

func newHealth(g access.Gateway, odooURL string) *health {
	return &health{gateway: g, known: strings.TrimRight(odooURL, "/")}
}

// webURL is where people's browsers reach Odoo. It asks nobody, and an Odoo that is down right now has not moved.
func (h *health) webURL() string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return cmp.Or(h.web, h.known)
}

// note takes the outcome of a heartbeat.
func (h *health) note(hello access.Hello, err error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hello, h.err, h.when = hello, err, time.Now()
	if err == nil {
		h.web = hello.WebURL
	}
}

// check returns what Odoo said last, or asks anew if that is older than readyFor.
func (h *health) check(ctx context.Context) (access.Hello, error) {
	h.mu.Lock()
	hello, err, fresh := h.hello, h.err, time.Since(h.when) < readyFor
	h.mu.Unlock()
	if fresh {
		return hello, err
	}
	_, err, _ = h.flight.Do("hello", func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Second)
		defer cancel()
		hello, err := h.gateway.Hello(ctx)
		h.note(hello, err)
		return nil, err
	})
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.hello, err
}
