package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/sony/gobreaker/v2"

	"doorman/odoo/transport"
)

// How fast the breaker gives up and comes back. Open and probe together stay below the 5 s in which the service has to
// be back once Odoo is.
const (
	tripAfter = 5               // calls in a row that found nobody
	openFor   = time.Second     // then everybody is answered at once
	probeFor  = 2 * time.Second // then one hello may try this long
)

// breaker answers for an Odoo that is not there, so that callers do not pile up behind dead connections. It reopens the
// way by a hello, never by somebody's call: a call that is lost "may have been done".
type breaker struct {
	next  transport.Way
	hello map[string]any // what every hello says: without it Odoo would forget which service this is
	cb    *gobreaker.CircuitBreaker[json.RawMessage]
}

func newBreaker(next transport.Way, hello map[string]any) *breaker {
	return &breaker{next: next, hello: hello, cb: gobreaker.NewCircuitBreaker[json.RawMessage](gobreaker.Settings{
		MaxRequests:  1,
		Timeout:      openFor,
		ReadyToTrip:  func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= tripAfter },
		IsSuccessful: func(err error) bool { return err == nil || !transport.AsFailure(err).Down() },
		IsExcluded:   func(err error) bool { return err != nil && transport.AsFailure(err).ProvesNothing() },
	})}
}

// open reports whether a call would be refused right now.
func (b *breaker) open() bool { return b.cb.State() == gobreaker.StateOpen }

// do passes the call on, after a probe if the breaker was open until now.
func (b *breaker) do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	if b.cb.State() == gobreaker.StateHalfOpen {
		if _, err := b.execute(func() (json.RawMessage, error) { return b.probe(ctx) }); err != nil {
			return nil, err
		}
	}
	return b.execute(func() (json.RawMessage, error) { return b.next.Do(ctx, method, params) })
}

// probe asks whether Odoo is there. Its failure is about the probe, so whatever it was, the call was not sent.
func (b *breaker) probe(ctx context.Context) (json.RawMessage, error) {
	ctx, cancel := context.WithTimeout(ctx, probeFor)
	defer cancel()
	raw, err := b.next.Do(ctx, "hello", b.hello)
	if err == nil {
		return raw, nil
	}
	f := *transport.AsFailure(err)
	f.Sent = false
	if f.Class == transport.Timeout {
		f.Class = transport.Unreachable // must count: an Odoo that hangs is not back
	}
	return nil, &f
}

func (b *breaker) execute(req func() (json.RawMessage, error)) (json.RawMessage, error) {
	raw, err := b.cb.Execute(req)
	if errors.Is(err, gobreaker.ErrOpenState) || errors.Is(err, gobreaker.ErrTooManyRequests) {
		return nil, &transport.Failure{Class: transport.Open, Reason: "Odoo was not reachable a moment ago"}
	}
	return raw, err
}
