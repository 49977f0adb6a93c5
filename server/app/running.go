package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"
)

// Running is a service that is part of another program, as in the demo.
type Running struct {
	service *service
	cancel  context.CancelFunc
	done    chan error
}

// Start starts what `doorman serve` runs, configured by environ as os.Environ gives it. log gets one JSON object a line.
// It does not wait for Odoo, see Ready. The service runs until Stop, also when ctx has ended.
func Start(ctx context.Context, environ []string, log io.Writer) (*Running, error) {
	c, err := loadConfig(environ)
	if err != nil {
		return nil, err
	}
	listener, metricsListener, err := c.listen()
	if err != nil {
		return nil, err
	}
	s, err := newService(ctx, c, newLog(c, log))
	if err != nil {
		return nil, errors.Join(err, listener.Close(), closeIfOpen(metricsListener))
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r := &Running{service: s, cancel: cancel, done: make(chan error, 1)}
	go func() { r.done <- s.serve(serving, listener, metricsListener) }()
	return r, nil
}

// URL is the service's public address, without a path.
func (r *Running) URL() string { return r.service.config.public.String() }

// MCPURL is where AI tools reach it.
func (r *Running) MCPURL() string { return r.URL() + mcpPath }

// readyWithin is how long Ready waits at most.
const readyWithin = 30 * time.Second

// Ready returns when the service reaches Odoo, at the latest after 30 s, then with what is in the way.
func (r *Running) Ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := r.service.health.check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the service does not reach Odoo: %w", err)
		case <-tick.C:
		}
	}
}

// Stop ends the service as SIGTERM ends `doorman serve`, and returns when all of it has ended. It is called once.
func (r *Running) Stop() error {
	r.cancel()
	if err := <-r.done; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
