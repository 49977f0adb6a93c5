package transport

import (
	"context"
	"encoding/json"
	"sync"
	"time"
)

// retryBest is how long auto stays on a second choice before a hello tries the better ones again.
const retryBest = 5 * time.Minute

// autoWay uses the first way that gets through. Ways are tried with a hello, never with the call itself, so a call
// is still sent once; and a wrong key or an Odoo that is down ends the search, because by another way it would be no
// better, only harder to see.
type autoWay struct {
	names []string
	ways  []Way
	hello map[string]any // as in Options

	picking chan struct{} // holds one token: who has it may pick

	mu     sync.Mutex
	pick   int // index of the way in use; -1 = none
	picked time.Time
}

func newAuto(o Options, p *poster) *autoWay {
	a := &autoWay{
		hello:   o.Hello,
		names:   []string{Doorman, JSON2, JSONRPC, XMLRPC},
		picking: make(chan struct{}, 1),
		pick:    -1,
	}
	for _, name := range a.names {
		o.Way = name
		way, _ := newWay(o, p) // the four names are known
		a.ways = append(a.ways, way)
	}
	return a
}

func (a *autoWay) Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	i := a.current(method)
	if i < 0 {
		var err error
		if i, err = a.choose(ctx); err != nil {
			return nil, err
		}
	}
	raw, err := a.ways[i].Do(ctx, method, params)
	if err == nil || !blocked(err) {
		return raw, err
	}
	a.drop(i)
	if !repeatable[method] {
		// A filter may hide the answer of a call that went through. The next call finds another way.
		return nil, err
	}
	if i, err = a.choose(ctx); err != nil {
		return nil, err
	}
	return a.ways[i].Do(ctx, method, params)
}

// blocked reports whether another way may get through where this one did not.
func blocked(err error) bool {
	f := AsFailure(err)
	return f.Class == Blocked || f.Class == Missing && f.Proxied
}

// current is the way in use; a hello may ask to look for a better one from time to time.
func (a *autoWay) current(method string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	if method == "hello" && a.pick > 0 && time.Since(a.picked) > retryBest {
		a.pick = -1
	}
	return a.pick
}

// drop forgets way i if it is still the one in use.
func (a *autoWay) drop(i int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.pick == i {
		a.pick = -1
	}
}

// choose tries the ways in order. One caller does it, the others wait for the outcome, or for their own deadline.
func (a *autoWay) choose(ctx context.Context) (int, error) {
	select {
	case a.picking <- struct{}{}:
		defer func() { <-a.picking }()
	case <-ctx.Done():
		return 0, orContext(ctx, ctx.Err(), &Failure{})
	}
	if i := a.current(""); i >= 0 {
		return i, nil
	}
	var first *Failure
	for i, way := range a.ways {
		_, err := way.Do(ctx, "hello", a.hello)
		if err == nil {
			a.mu.Lock()
			a.pick, a.picked = i, time.Now()
			a.mu.Unlock()
			return i, nil
		}
		f := *AsFailure(err)
		f.Sent = false // the hello was, the call was not
		if !blocked(err) {
			f.NoAddon = first != nil && first.Class == Missing
			return 0, &f
		}
		if first == nil {
			first = &f
		}
	}
	return 0, first
}

// name is the way in use, for errors.
func (a *autoWay) name() string {
	if i := a.current(""); i >= 0 {
		return Auto + "/" + a.names[i]
	}
	return Auto
}
