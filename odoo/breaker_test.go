package odoo

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"doorman/odoo/transport"
	"doorman/server/access"
)

// scripted is a way that answers as told, and counts.
type scripted struct {
	mu     sync.Mutex
	answer func(ctx context.Context, method string) error
	calls  map[string]int
}

func (s *scripted) Do(ctx context.Context, method string, _ map[string]any) (json.RawMessage, error) {
	s.mu.Lock()
	s.calls[method]++
	answer := s.answer
	s.mu.Unlock()
	if err := answer(ctx, method); err != nil {
		return nil, err
	}
	return json.RawMessage(`{}`), nil
}

func (s *scripted) set(answer func(context.Context, string) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = answer
}

func (s *scripted) count(method string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[method]
}

func fails(f transport.Failure) func(context.Context, string) error {
	return func(context.Context, string) error { return &f }
}

func works(context.Context, string) error { return nil }

func hangs(ctx context.Context, _ string) error {
	<-ctx.Done()
	if ctx.Err() == context.Canceled {
		return &transport.Failure{Class: transport.Cancelled, Sent: true}
	}
	return &transport.Failure{Class: transport.Timeout, Sent: true}
}

// TestBreaker: opens after some calls that found nobody, answers at once, and is back as soon as Odoo is, by a hello.
func TestBreaker(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		odoo := &scripted{answer: fails(transport.Failure{Class: transport.Unreachable}), calls: map[string]int{}}
		b := newBreaker(odoo, nil)
		call := func() *transport.Failure {
			_, err := b.do(t.Context(), "call", nil)
			if err == nil {
				return nil
			}
			return transport.AsFailure(err)
		}
		for range tripAfter {
			_ = call()
		}
		if f := call(); f == nil || f.Class != transport.Open || f.Sent || odoo.count("call") != tripAfter || !b.open() {
			t.Fatalf("not open: %+v, %d calls", f, odoo.count("call"))
		}
		time.Sleep(openFor + time.Millisecond)
		if f := call(); f == nil || f.Sent || odoo.count("call") != tripAfter || odoo.count("hello") != 1 {
			t.Errorf("a call was the probe: %+v, %d hellos", f, odoo.count("hello"))
		}
		if !b.open() {
			t.Error("not open after a probe that failed")
		}
		odoo.set(works)
		start := time.Now()
		for call() != nil {
			time.Sleep(10 * time.Millisecond)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("back after %v", d)
		}
	})
}

// TestBreakerProbeThatHangs: an Odoo that takes the probe and says nothing must not hold the door shut for long.
func TestBreakerProbeThatHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		odoo := &scripted{answer: fails(transport.Failure{Class: transport.Gateway, Sent: true}), calls: map[string]int{}}
		b := newBreaker(odoo, nil)
		for range tripAfter {
			_, _ = b.do(t.Context(), "call", nil)
		}
		time.Sleep(openFor + time.Millisecond)
		odoo.set(hangs)
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err := b.do(t.Context(), "call", nil)
			if f := transport.AsFailure(err); f.Sent || odoo.count("call") != tripAfter {
				t.Errorf("%+v", f)
			}
		}()
		synctest.Wait()
		start := time.Now()
		if _, err := b.do(t.Context(), "call", nil); transport.AsFailure(err).Class != transport.Open || time.Since(start) != 0 {
			t.Errorf("others wait for the probe: %v after %v", err, time.Since(start))
		}
		odoo.set(works) // Odoo is back, but the probe still hangs
		for {
			if _, err := b.do(t.Context(), "call", nil); err == nil {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		if d := time.Since(start); d > 5*time.Second {
			t.Errorf("back after %v", d)
		}
		<-done
	})
}

// TestBreakerProbeCancelled: the caller whose probe it was goes away; the next one probes.
func TestBreakerProbeCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		odoo := &scripted{answer: fails(transport.Failure{}), calls: map[string]int{}}
		b := newBreaker(odoo, nil)
		for range tripAfter {
			_, _ = b.do(t.Context(), "call", nil)
		}
		time.Sleep(openFor + time.Millisecond)
		odoo.set(hangs)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(10*time.Millisecond, cancel)
		if _, err := b.do(ctx, "call", nil); transport.AsFailure(err).Class != transport.Cancelled {
			t.Errorf("%v", err)
		}
		odoo.set(works)
		if _, err := b.do(t.Context(), "call", nil); err != nil {
			t.Errorf("not probed anew: %v", err)
		}
	})
}

// TestBreakerStaysClosed for everything that shows that Odoo, or somebody, is there.
func TestBreakerStaysClosed(t *testing.T) {
	t.Parallel()
	for _, cls := range []transport.Class{
		transport.Timeout, transport.Cancelled, transport.KeyRefused, transport.Blocked, transport.Missing, transport.Redirect, transport.Garbage, transport.TooLarge, transport.RefusedSize,
		transport.Throttled, transport.Fault, transport.BadRequest,
	} {
		odoo := &scripted{answer: fails(transport.Failure{Class: cls}), calls: map[string]int{}}
		b := newBreaker(odoo, nil)
		for range 10 * tripAfter {
			_, _ = b.do(t.Context(), "call", nil)
		}
		if b.open() || odoo.count("call") != 10*tripAfter {
			t.Errorf("class %d opens it", cls)
		}
	}
}

// TestCallDeadline: the client's deadline, and a longer one where the request itself asks for it.
func TestCallDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Config{URL: "http://odoo.test", Database: "d", Key: "k", Timeout: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		c.breaker = newBreaker(&scripted{answer: hangs, calls: map[string]int{}}, nil)
		for _, row := range []struct{ ask, want time.Duration }{
			{0, 10 * time.Second},
			{time.Second, 10 * time.Second},
			{60 * time.Second, 62 * time.Second},
		} {
			start := time.Now()
			_, err := c.Call(t.Context(), access.Fence{}, access.Request{Timeout: row.ask})
			if d := time.Since(start); d != row.want || access.AsError(err).Kind != access.OdooTimeout {
				t.Errorf("asked for %v: %v after %v", row.ask, err, d)
			}
		}
	})
}
