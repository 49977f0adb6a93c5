package transport

import (
	"context"
	"encoding/json"
	"maps"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"doorman/odoo/wire"
)

const (
	// interfaceHeader tells the addon, with every request, which interface the service speaks: it refuses another before
	// anything is done. No method's arguments change, so that the oldest addon takes it too. Odoo's /jsonrpc and XML-RPC
	// hide the header from what they call: there it is interfaceContext, in Odoo's context.
	interfaceHeader  = "X-Doorman-Interface"
	interfaceContext = "doorman_interface"
	// askAgain is how long after a hello that a call asked for another call asks for the next, and askFor how long it may
	// take. The first hello of all takes as long as the call that waits for it may: an Odoo that is still loading a
	// database needs longer.
	askAgain = time.Second
	askFor   = 2 * time.Second
)

// stating adds the interface to the named arguments of a method that Odoo's own execute_kw calls.
func (p *poster) stating(params map[string]any) map[string]any {
	args := map[string]any{"context": map[string]any{interfaceContext: p.speaks}}
	maps.Copy(args, params)
	return args
}

// handshake keeps calls from an addon that cannot understand them, or would do something else. The service says its
// interface with every request, the addon its own in hello:
//
//	hello ─────────────────────────────────> always; what it says is learnt (at the start, every 15 s, by every probe)
//	call ─> it fits, or is not known ──────> sent (with Options.Greet, the first call waits for a hello)
//	     └> it does not ─> hello, once a second at most ─> fits now: sent; else refused here, nothing was done
//	answer: an exception of the gateway ───> it may have been updated since: hello, then Misfit instead
//
// So an update shows at the next call, whichever side it was made on, and no call pays for it.
type handshake struct {
	next   Way
	hello  map[string]any
	fits   func(hello json.RawMessage) error
	greet  bool
	asking singleflight.Group

	mu     sync.Mutex
	known  bool
	misfit error     // as fits said of the last hello; nil = it fits
	hellos int       // how many were sent
	last   int       // which of them misfit is of
	asked  time.Time // when a call last asked
}

// Do implements Way.
func (h *handshake) Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	if method == "hello" {
		turn := h.turn()
		raw, err := h.next.Do(ctx, method, params)
		if err == nil {
			h.learn(raw, turn)
		}
		return raw, err
	}
	if err := h.admit(ctx); err != nil {
		return nil, err
	}
	raw, err := h.next.Do(ctx, method, params)
	if err != nil && foreign(AsFailure(err)) {
		_ = h.ask(ctx, askFor) // that it fails too changes nothing
		if misfit := h.failure(); misfit != nil {
			return nil, misfit // an exception ended the transaction, so this too is true: nothing was done
		}
	}
	return raw, err
}

// admit returns why a call may not be sent.
func (h *handshake) admit(ctx context.Context) error {
	switch known, misfit := h.said(); {
	case !known && h.greet:
		if err := h.ask(ctx, callTime(ctx)); err != nil {
			f := *AsFailure(err)
			f.Sent = false // the hello was, the call was not
			return &f
		}
	case misfit != nil:
		_ = h.ask(ctx, askFor)
	}
	return h.failure()
}

// callTime is how much time a call has left.
func callTime(ctx context.Context) time.Duration {
	if deadline, ok := ctx.Deadline(); ok {
		return time.Until(deadline)
	}
	return askFor
}

// foreign reports a failure that an addon of another version gives: it knows no such method, takes other arguments, or
// says that the two do not fit.
func foreign(f *Failure) bool {
	if f.Class == Missing {
		return !f.Proxied
	}
	if f.Class != Fault {
		return false
	}
	switch wire.LastName(f.Name) {
	case "TypeError", "UnprocessableEntity", "KeyError", "ValueError", "MissingError", "UserError", "InternalError":
		return true
	}
	return false
}

// ask says hello and waits for the answer as long as within, unless a call did within askAgain. Many at once ask once; one
// that goes away does not end it for the others.
func (h *handshake) ask(ctx context.Context, within time.Duration) error {
	_, err, _ := h.asking.Do("hello", func() (any, error) {
		if !h.mayAsk() {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), within)
		defer cancel()
		_, err := h.Do(ctx, "hello", h.hello)
		return nil, err
	})
	return err
}

// mayAsk reports whether a call may ask, and notes that it does.
func (h *handshake) mayAsk() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.known {
		return true // the first one raises no doubt
	}
	if time.Since(h.asked) < askAgain {
		return false
	}
	h.asked = time.Now()
	return true
}

// turn counts a hello that is about to be sent.
func (h *handshake) turn() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.hellos++
	return h.hellos
}

// learn takes the answer to a hello, unless a later one was answered already.
func (h *handshake) learn(hello json.RawMessage, turn int) {
	var misfit error
	if h.fits != nil {
		misfit = h.fits(hello)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if turn > h.last {
		h.known, h.misfit, h.last = true, misfit, turn
	}
}

// said returns what is known.
func (h *handshake) said() (known bool, misfit error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.known, h.misfit
}

// failure is that of a call which the addon cannot take; nil if it can, or if nothing is known.
func (h *handshake) failure() error {
	_, misfit := h.said()
	if misfit == nil {
		return nil
	}
	return &Failure{Class: Misfit, Reason: "the addon does not fit", Misfit: misfit}
}
