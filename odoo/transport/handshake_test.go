package transport

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// helloWay answers a hello when the test lets it.
type helloWay struct{ asked chan chan json.RawMessage }

func (w helloWay) Do(context.Context, string, map[string]any) (json.RawMessage, error) {
	answer := make(chan json.RawMessage)
	w.asked <- answer
	return <-answer, nil
}

// TestLateHello: an answer that was long on its way does not undo what Odoo has said to a later question.
func TestLateHello(t *testing.T) {
	t.Parallel()
	const fits, misfit = `"fits"`, `"misfit"`
	for _, row := range []struct {
		name, first, second string // by when they were asked for
		misfit              bool
	}{
		{"updated meanwhile", fits, misfit, true},
		{"updated as a whole meanwhile", misfit, fits, false},
	} {
		way := helloWay{make(chan chan json.RawMessage)}
		h := &handshake{next: way, fits: func(hello json.RawMessage) error {
			if string(hello) == misfit {
				return errors.New("the addon is another one")
			}
			return nil
		}}
		done := make(chan error)
		hello := func() chan json.RawMessage {
			go func() {
				_, err := h.Do(t.Context(), "hello", nil)
				done <- err
			}()
			return <-way.asked
		}
		first := hello()
		second := hello()
		for _, answer := range []struct {
			to  chan json.RawMessage
			say string
		}{{second, row.second}, {first, row.first}} {
			answer.to <- json.RawMessage(answer.say)
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		if got := h.failure() != nil; got != row.misfit {
			t.Errorf("%s: refused is %v", row.name, got)
		}
	}
}

// slowWay is an Odoo that takes its time for a hello: it is loading the database.
type slowWay struct{ hello time.Duration }

func (w slowWay) Do(ctx context.Context, method string, _ map[string]any) (json.RawMessage, error) {
	if method != "hello" {
		return json.RawMessage(`"done"`), nil
	}
	select {
	case <-time.After(w.hello):
		return json.RawMessage(`"fits"`), nil
	case <-ctx.Done():
		return nil, &Failure{Class: Timeout, Sent: true}
	}
}

// TestFirstHello: the first call waits for the first hello as long as the call itself may take, and is not sent without.
func TestFirstHello(t *testing.T) {
	t.Parallel()
	const patience = 30 * time.Second
	for _, row := range []struct {
		name  string
		hello time.Duration
		done  bool
	}{
		{"Odoo is loading the database", 8 * time.Second, true},
		{"Odoo hangs", time.Hour, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := &handshake{next: slowWay{row.hello}, greet: true}
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			start := time.Now()
			raw, err := h.Do(ctx, "call", nil)
			if done := err == nil && string(raw) == `"done"`; done != row.done {
				t.Errorf("%s: %s, %v", row.name, raw, err)
			}
			if err != nil && AsFailure(err).Sent {
				t.Errorf("%s: the call is told as sent", row.name)
			}
			if took := time.Since(start); took != min(row.hello, patience) {
				t.Errorf("%s: took %s", row.name, took)
			}
		})
	}
}
