package app

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/labstack/echo/v4"
)

// endConnections lets every connection end with its next answer once the order to stop has come. A proxy that keeps
// connections would otherwise send a request on one at the moment that it is closed, and may not send it again: it cannot
// know whether it was carried out.
func (s *service) endConnections(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		if s.stopping.Load() {
			c.Response().Header().Set("Connection", "close")
		}
		return next(c)
	}
}

// firstRequest is how long a connection that was just made may take to send its request while the service stops.
const firstRequest = time.Second

// connections knows which connections of a server have a request, or may be about to send their first one.
type connections struct {
	mu   sync.Mutex
	busy map[net.Conn]time.Time // since when it is new; the zero time once it has sent a request
}

// note is an http.Server's ConnState.
func (c *connections) note(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch state {
	case http.StateNew:
		if c.busy == nil {
			c.busy = map[net.Conn]time.Time{}
		}
		c.busy[conn] = time.Now()
	case http.StateActive:
		c.busy[conn] = time.Time{}
	case http.StateIdle, http.StateClosed, http.StateHijacked:
		delete(c.busy, conn)
	}
}

// quiet says whether nothing is under way, nor may be about to be.
func (c *connections) quiet(now time.Time) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, since := range c.busy {
		if since.IsZero() || now.Sub(since) < firstRequest {
			return false
		}
	}
	return true
}

// shutdown takes no more connections, finishes what the open ones have sent, and closes them. http.Server.Shutdown
// alone would drop a request that it reads on a new connection at that very moment, without an answer.
func shutdown(server *http.Server, listener net.Listener, open *connections, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	_ = listener.Close()
	tick := time.NewTicker(5 * time.Millisecond) // as Shutdown itself looks
	defer tick.Stop()
	for !open.quiet(time.Now()) && ctx.Err() == nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
		}
	}
	if err := server.Shutdown(ctx); err != nil && !errors.Is(err, net.ErrClosed) {
		_ = server.Close()
		return fmt.Errorf("some requests were cut off after %s: %w", patience, err)
	}
	return nil
}
