package odoo_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

// crowd is a fake Odoo that answers one call whenever it is told to.
type crowd struct {
	server  *odootest.Server
	entered chan string // whose call came in
	release chan struct{}
	served  atomic.Int64
}

const crowded, lonely = "dmk_crowded", "dmk_lonely"

func newCrowd(t *testing.T) *crowd {
	c := &crowd{entered: make(chan string, 1000), release: make(chan struct{})}
	c.server = odootest.New(t, odootest.Options{
		Connections: []odootest.Connection{
			{Credential: crowded, Snapshot: access.Snapshot{Connection: access.Connection{ID: 1, Name: crowded}}},
			{Credential: lonely, Snapshot: access.Snapshot{Connection: access.Connection{ID: 2, Name: lonely}}},
		},
		Handle: func(call odootest.Call) (any, *odootest.Problem, bool) {
			who, _ := call.Audit["tool"].(string)
			c.entered <- who
			<-c.release
			c.served.Add(1)
			return []any{}, nil, true
		},
	})
	return c
}

// fenceFor is what a connection shows, learnt before the places are taken.
func fenceFor(t *testing.T, client *odoo.Client, credential string) access.Fence {
	t.Helper()
	proof := access.ProofOf(credential)
	found, err := client.Resolve(t.Context(), proof)
	if err != nil {
		t.Fatal(err)
	}
	return access.FenceOf(proof, found.Snapshot)
}

// search makes one call of a connection.
func search(t *testing.T, client *odoo.Client, f access.Fence, who string) error {
	_, err := client.Call(t.Context(), f, access.Request{Model: "res.partner", Method: "search_read", Audit: access.Audit{Tool: who}})
	return err
}

// TestNobodyStarves: one connection sends 500 calls at once, each of which takes as long as it likes; another sends one.
// It is at Odoo at once, in a place that is kept for others. What is too much is refused with a time to come back.
func TestNobodyStarves(t *testing.T) {
	t.Parallel()
	const places, share, queue = 4, 3, 8 * 4
	c := newCrowd(t)
	client := newClient(t, c.server, odoo.TransportDoorman, func(o *odoo.Config) { o.MaxInFlight, o.Timeout = places, time.Minute })
	many, one := fenceFor(t, client, crowded), fenceFor(t, client, lonely)
	var calls sync.WaitGroup
	refused := make(chan error, 500)
	var failed atomic.Int64
	for range 500 {
		calls.Go(func() {
			if err := search(t, client, many, crowded); err != nil {
				refused <- err
				failed.Add(1)
			}
		})
	}
	for range share {
		<-c.entered
	}
	for range 500 - share - queue {
		e := access.AsError(<-refused)
		if e.Kind != access.RateLimited || e.RetryAfter <= 0 || e.Hint == "" {
			t.Fatalf("refused with %v", e)
		}
	}
	alone := make(chan error, 1)
	go func() { alone <- search(t, client, one, lonely) }()
	if who := <-c.entered; who != lonely || c.served.Load() != 0 {
		t.Errorf("%s came in after %d calls", who, c.served.Load())
	}
	close(c.release)
	if err := <-alone; err != nil {
		t.Error(err)
	}
	calls.Wait()
	if failed.Load() != 500-share-queue || c.served.Load() != share+queue+1 {
		t.Errorf("%d refused, %d served", failed.Load(), c.served.Load())
	}
}

// TestTakenBackInTheQueue: a call that is taken back while it waits is never sent, and its place in the queue is free.
func TestTakenBackInTheQueue(t *testing.T) {
	t.Parallel()
	c := newCrowd(t)
	client := newClient(t, c.server, odoo.TransportDoorman, func(o *odoo.Config) { o.MaxInFlight, o.Timeout = 1, time.Minute })
	holder, fence := fenceFor(t, client, crowded), fenceFor(t, client, lonely)
	first := make(chan error, 1)
	go func() { first <- search(t, client, holder, crowded) }()
	<-c.entered
	for range 100 { // far more than the queue holds
		gone, leave := context.WithCancel(t.Context())
		leave()
		_, err := client.Call(gone, fence, access.Request{Model: "res.partner", Method: "unlink", IDs: []int64{1}})
		if e := access.AsError(err); e.Kind != access.OdooTimeout || e.Message != "The request was cancelled before Odoo answered; nothing was done." {
			t.Fatalf("got %v", err)
		}
	}
	close(c.release)
	if err := <-first; err != nil {
		t.Error(err)
	}
	if err := search(t, client, fence, lonely); err != nil {
		t.Errorf("afterwards: %v", err)
	}
	if c.served.Load() != 2 {
		t.Errorf("%d calls reached Odoo", c.served.Load())
	}
}

// TestTakenBackAtOdoo: a call that is taken back while Odoo works on it is waited for no longer. Nobody knows whether it
// was done, and the error says that and no more; Odoo's own record knows.
func TestTakenBackAtOdoo(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"unlink", "search_read"} {
		c := newCrowd(t)
		client := newClient(t, c.server, odoo.TransportDoorman, func(o *odoo.Config) { o.MaxInFlight, o.Timeout = 1, time.Minute })
		fence := fenceFor(t, client, crowded)
		ctx, leave := context.WithCancel(t.Context())
		got := make(chan error, 1)
		go func() {
			_, err := client.Call(ctx, fence, access.Request{Model: "res.partner", Method: method, IDs: []int64{1}})
			got <- err
		}()
		<-c.entered
		leave()
		e := access.AsError(<-got)
		if e.Kind != access.OdooTimeout || e.Message != "The request was cancelled before Odoo answered; the request may or may not have been carried out." {
			t.Errorf("%s: %v", method, e)
		}
		// The place is free, while Odoo is still at it.
		if _, err := client.Hello(t.Context()); err != nil {
			t.Errorf("%s: %v", method, err)
		}
		close(c.release)
		for start := time.Now(); len(c.server.Audit()) == 0; time.Sleep(time.Millisecond) {
			if time.Since(start) > 3*time.Minute {
				t.Fatalf("%s: Odoo has no row of it", method)
			}
		}
	}
}
