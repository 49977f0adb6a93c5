package transport

import (
	"context"
	"encoding/json"
	"sync"
	"testing"
	"testing/synctest"
	"time"
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

func fails(f Failure) func(context.Context, string) error {
	return func(context.Context, string) error { return &f }
}

func works(context.Context, string) error { return nil }

func hangs(ctx context.Context, _ string) error {
	<-ctx.Done()
	return orContext(ctx, ctx.Err(), &Failure{Sent: true})
}

// TestAutoComesBack: after a while on a second choice, a hello tries the better ways again.
func TestAutoComesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		first := &scripted{answer: fails(Failure{Class: Blocked, Sent: true}), calls: map[string]int{}}
		second := &scripted{answer: works, calls: map[string]int{}}
		a := &autoWay{
			names: []string{"a", "b"}, ways: []Way{first, second}, picking: make(chan struct{}, 1), pick: -1,
		}
		hello := func() string {
			if _, err := a.Do(t.Context(), "hello", nil); err != nil {
				t.Fatal(err)
			}
			return a.name()
		}
		if got := hello(); got != "auto/b" {
			t.Fatal(got)
		}
		first.set(works)
		time.Sleep(retryBest - time.Second)
		if got := hello(); got != "auto/b" {
			t.Errorf("looked again too soon: %s", got)
		}
		time.Sleep(2 * time.Second)
		if got := hello(); got != "auto/a" {
			t.Errorf("still on %s", got)
		}
	})
}

// TestAutoChoosingHonoursTheDeadline: who waits for somebody else's choice does not wait longer than its own deadline.
func TestAutoChoosingHonoursTheDeadline(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &autoWay{
			names: []string{"a"}, ways: []Way{&scripted{answer: hangs, calls: map[string]int{}}},
			picking: make(chan struct{}, 1), pick: -1,
		}
		long, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		go func() { _, _ = a.Do(long, "hello", nil) }()
		synctest.Wait()
		short, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		_, err := a.Do(short, "call", nil)
		if f := AsFailure(err); f.Class != Timeout || f.Sent || time.Since(start) != time.Second {
			t.Errorf("%+v after %v", f, time.Since(start))
		}
	})
}
