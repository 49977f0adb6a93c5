package odoo

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"

	"doorman/server/access"
)

const (
	// interfaceHeader tells the addon, with every request, which interface this service speaks: it refuses another before
	// anything is done. No method's arguments change, so that the oldest addon takes it too. Odoo's /jsonrpc and XML-RPC
	// hide the header from what they call: there it is interfaceContext, in Odoo's context.
	interfaceHeader  = "X-Doorman-Interface"
	interfaceContext = "doorman_interface"
	// askAgain is how long after a hello that a call asked for another call asks for the next.
	askAgain = time.Second
	// misfitRetry is what AI tools are told to wait. An update takes about that long.
	misfitRetry = 15 * time.Second
)

// stating adds the interface to the named arguments of a method called by Odoo's own execute_kw.
func stating(params map[string]any) map[string]any {
	args := map[string]any{"context": map[string]any{interfaceContext: access.Interface}}
	maps.Copy(args, params)
	return args
}

// misfitOf says why an addon that answers hello like this is not one that this service can work with; nil if it is, or
// if the answer is none at all, which decodeHello finds out.
func misfitOf(hello json.RawMessage) *access.Error {
	var w struct {
		Interface *int    `json:"interface"`
		Addon     string  `json:"addon_version"`
		Code      *string `json:"code_version"`
	}
	if json.Unmarshal(hello, &w) != nil || isNull(hello) {
		return nil
	}
	speaks := 1 // before there was a number
	if w.Interface != nil {
		speaks = *w.Interface
	}
	switch {
	case speaks < access.Interface:
		return misfit("its addon in Odoo is older than the service", "puts the addon of the service's version into Odoo and runs odoo -u doorman",
			fmt.Sprintf("the service speaks interface %d, addon %s speaks %d", access.Interface, printable(w.Addon), speaks))
	case speaks > access.Interface:
		return misfit("the service is older than its addon in Odoo", "updates the service to the addon's version",
			fmt.Sprintf("the service speaks interface %d, addon %s speaks %d", access.Interface, printable(w.Addon), speaks))
	case w.Code == nil || *w.Code == w.Addon:
		return nil
	case newer(*w.Code, w.Addon):
		return misfit("the addon's code is newer than its database", "runs odoo -u doorman",
			fmt.Sprintf("code %s, database %s", printable(*w.Code), printable(w.Addon)))
	}
	return misfit("the addon's code is older than its database", "puts the newer addon into every Odoo server and restarts them",
		fmt.Sprintf("code %s, database %s", printable(*w.Code), printable(w.Addon)))
}

// misfit is the refusal of every call until service, addon and database are of one version.
func misfit(what, cure, detail string) *access.Error {
	return &access.Error{
		Kind: access.Updating, Message: "Doorman is being updated: " + what + ".",
		Hint:       "Try again in a minute. If it stays like this, an administrator " + cure + ".",
		RetryAfter: misfitRetry, Detail: detail,
	}
}

// newer compares versions like 19.0.0.2.0, number by number.
func newer(a, b string) bool {
	return slices.CompareFunc(strings.Split(a, "."), strings.Split(b, "."), func(x, y string) int {
		m, errM := strconv.Atoi(x)
		n, errN := strconv.Atoi(y)
		if errM != nil || errN != nil {
			return strings.Compare(x, y)
		}
		return cmp.Compare(m, n)
	}) > 0
}

// peer is what the last hello said of the addon on the other side. The zero value has heard none.
type peer struct {
	mu     sync.Mutex
	known  bool
	misfit *access.Error // nil = it fits
	asked  time.Time     // when a call last asked
	asking singleflight.Group
}

// learn takes the answer to a hello.
func (p *peer) learn(hello json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.known, p.misfit = true, misfitOf(hello)
}

// said returns what is known.
func (p *peer) said() (known bool, misfit *access.Error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.known, p.misfit
}

// mayAsk reports whether a call may ask, and notes that it does.
func (p *peer) mayAsk() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.known {
		return true // the first one is no doubt
	}
	if time.Since(p.asked) < askAgain {
		return false
	}
	p.asked = time.Now()
	return true
}

// failure returns the failure of a call that the addon cannot take; nil if it can, or if nothing is known.
func (p *peer) failure() error {
	_, misfit := p.said()
	if misfit == nil {
		return nil
	}
	return &failure{class: clsMisfit, reason: misfit.Detail, misfit: misfit}
}

// handshake keeps calls from an addon that cannot understand them, or would do something else. The service says its
// interface with every request, the addon its own in hello:
//
//	hello ─────────────────────────────────> always; what it says is learnt (at the start, every 15 s, by every probe)
//	call ─> it fits, or is not known ──────> sent (with Config.Greet, the first call waits for a hello)
//	     └> it does not ─> hello, once a second at most ─> fits now: sent; else refused here, nothing was done
//	answer: an exception of the gateway ───> it may have been updated since: hello, then these words instead
//
// So an update shows at the next call, whichever side it was made on, and no call pays for it.
type handshake struct {
	next  transport
	peer  *peer
	hello map[string]any
	greet bool
}

func (h *handshake) do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	if method == "hello" {
		raw, err := h.next.do(ctx, method, params)
		if err == nil {
			h.peer.learn(raw)
		}
		return raw, err
	}
	if err := h.admit(ctx); err != nil {
		return nil, err
	}
	raw, err := h.next.do(ctx, method, params)
	if err != nil && foreign(asFailure(err)) {
		_ = h.ask(ctx) // that it fails too changes nothing
		if misfit := h.peer.failure(); misfit != nil {
			return nil, misfit // an exception ended the transaction, so this too is true: nothing was done
		}
	}
	return raw, err
}

// admit returns why a call may not be sent.
func (h *handshake) admit(ctx context.Context) error {
	switch known, misfit := h.peer.said(); {
	case !known && h.greet:
		if err := h.ask(ctx); err != nil {
			f := *asFailure(err)
			f.sent = false // the hello was, the call was not
			return &f
		}
	case misfit != nil:
		_ = h.ask(ctx)
	}
	return h.peer.failure()
}

// foreign reports a failure that an addon of another version gives: it knows no such method, takes other arguments, or
// says that the two do not fit.
func foreign(f *failure) bool {
	if f.class == clsMissing {
		return !f.proxied
	}
	if f.class != clsFault {
		return false
	}
	switch lastName(f.name) {
	case "TypeError", "UnprocessableEntity", "KeyError", "ValueError", "MissingError", "UserError", "InternalError":
		return true
	}
	return false
}

// ask says hello, unless a call did within askAgain. Many at once ask once; one that goes away does not end it for the
// others.
func (h *handshake) ask(ctx context.Context) error {
	_, err, _ := h.peer.asking.Do("hello", func() (any, error) {
		if !h.peer.mayAsk() {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeFor)
		defer cancel()
		_, err := h.do(ctx, "hello", h.hello)
		return nil, err
	})
	return err
}
