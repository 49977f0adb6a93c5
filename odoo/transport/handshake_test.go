package transport

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
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
