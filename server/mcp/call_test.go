package mcp_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"doorman/server/access"
	"doorman/server/mcp"
)

// deadGateway is an Odoo that cannot be reached.
type deadGateway struct{ *fakeGateway }

func (deadGateway) Resolve(context.Context, access.Proof) (access.Resolution, error) {
	return access.Resolution{}, &access.Error{Kind: access.OdooUnavailable, Message: "Odoo cannot be reached.", RetryAfter: 2 * time.Second}
}

const searchPartners = `{"model":"res.partner"}`

// changed is the snapshot after an administrator changed the connection.
func changed(f *fakeGateway, change func(*access.Policy)) *access.Snapshot {
	s := *f.snapshot
	s.Connection.Version++
	change(&s.Connection.Policy)
	return &s
}

func TestStaleDecisionIsTakenAnew(t *testing.T) {
	t.Parallel()
	staleOnce := func(f *fakeGateway, fresh *access.Snapshot) {
		f.call = func(fence access.Fence, _ access.Request) (access.Reply, error) {
			if fence.Version != fresh.Connection.Version {
				return access.Reply{Stale: fresh}, nil
			}
			return reply(`[{"id":1,"name":"Acme"}]`), nil
		}
	}
	t.Run("still allowed: done once, on the new version", func(t *testing.T) {
		t.Parallel()
		f := newFake()
		staleOnce(f, changed(f, func(*access.Policy) {}))
		server := endpoint(t, f)
		if a := call(t, server.URL, "search_records", searchPartners); a.kind() != "" {
			t.Fatal(a.body)
		}
		if len(f.fences) != 2 || f.fences[0].Version != 1 || f.fences[1].Version != 2 {
			t.Fatalf("fences %+v", f.fences)
		}
		// The new snapshot is kept: the next call needs one question again.
		call(t, server.URL, "search_records", searchPartners)
		if len(f.fences) != 3 || f.resolves != 1 {
			t.Fatalf("%d calls, %d resolves", len(f.fences), f.resolves)
		}
	})
	for name, change := range map[string]func(*access.Policy){
		"the scope was taken": func(p *access.Policy) { p.Scopes = nil },
		"the tool was taken":  func(p *access.Policy) { p.AllowedTools = []string{"read_records"} },
		"the model was taken": func(p *access.Policy) { p.AllowedModels = []string{"sale.order"} },
	} {
		t.Run("refused: "+name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			staleOnce(f, changed(f, change))
			if a := call(t, endpoint(t, f).URL, "search_records", searchPartners); a.kind() != "not_allowed" {
				t.Fatal(a.body)
			}
			if len(f.fences) != 1 {
				t.Fatalf("asked %d times", len(f.fences))
			}
		})
	}
	t.Run("stale for ever: given up, said so", func(t *testing.T) {
		t.Parallel()
		f := newFake()
		f.call = func(access.Fence, access.Request) (access.Reply, error) {
			return access.Reply{Stale: changed(f, func(*access.Policy) {})}, nil
		}
		if a := call(t, endpoint(t, f).URL, "search_records", searchPartners); a.kind() != "conflict" || a.Result.StructuredContent["retry_after_seconds"] != 1.0 {
			t.Fatal(a.body)
		}
		if len(f.fences) != 2 {
			t.Fatalf("asked %d times", len(f.fences))
		}
	})
}

// TestDecidedOnce: a call goes on by the one decision that it began with, and its fence names what that rests on. What has
// ended since, Odoo refuses.
func TestDecidedOnce(t *testing.T) {
	t.Parallel()
	f, at := newFake(), newClock()
	f.snapshot.Connection.ExpiresAt = at.now().Add(time.Minute)
	f.fields = func(access.Fence) (access.Reply, error) { // between the decision and the call
		at.move(time.Hour)
		return reply(partnerFields), nil
	}
	url := endpoint(t, f, func(c *mcp.Config) { c.Now = at.now }).URL
	if a := call(t, url, "search_records", searchPartners); a.kind() != "" || f.callCount() != 1 || f.fences[0].Version != 1 {
		t.Errorf("%d calls: %s", f.callCount(), a.body)
	}
	if a := call(t, url, "search_records", searchPartners); a.kind() != "unauthenticated" || f.callCount() != 1 {
		t.Errorf("after its end: %d calls: %s", f.callCount(), a.body)
	}
}

// TestDecidedAnewWhereItChanged: where Odoo tells on the way that the connection has changed, the call goes on by a decision
// on that, or not at all.
func TestDecidedAnewWhereItChanged(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name   string
		change func(*access.Policy)
		kind   string
		calls  int
	}{
		{"allow what is still allowed", func(*access.Policy) {}, "", 1},
		{"deny a tool that was taken", func(p *access.Policy) { p.AllowedTools = []string{"read_records"} }, "not_allowed", 0},
		{"deny a model that was taken", func(p *access.Policy) { p.AllowedModels = []string{"sale.order"} }, "not_allowed", 0},
	} {
		f := newFake()
		fresh := changed(f, row.change)
		f.fields = func(fence access.Fence) (access.Reply, error) {
			if fence.Version != fresh.Connection.Version {
				return access.Reply{Stale: fresh}, nil
			}
			return reply(partnerFields), nil
		}
		a := call(t, endpoint(t, f).URL, "search_records", searchPartners)
		if a.kind() != row.kind || f.callCount() != row.calls || row.calls > 0 && f.fences[len(f.fences)-1].Version != fresh.Connection.Version {
			t.Errorf("%s: %d calls: %s", row.name, f.callCount(), a.body)
		}
	}
}

// TestRevokedIsForgotten: the first refusal by the fence ends what is remembered of the key.
func TestRevokedIsForgotten(t *testing.T) {
	t.Parallel()
	f := newFake()
	server := endpoint(t, f)
	if a := send(t, server.URL, listTools); a.status != 200 {
		t.Fatal(a.body)
	}
	f.mu.Lock()
	f.call = func(access.Fence, access.Request) (access.Reply, error) { return access.Reply{}, access.Invalid() }
	f.snapshot.Connection.Status = access.StatusRevoked
	f.mu.Unlock()
	if a := call(t, server.URL, "search_records", searchPartners); a.kind() != "unauthenticated" {
		t.Fatal(a.body)
	}
	if a := send(t, server.URL, listTools); a.status != 401 {
		t.Fatalf("%d %s", a.status, a.body)
	}
}

// TestErrorsStayInside: what nobody classified reaches nobody.
func TestErrorsStayInside(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return access.Reply{}, errors.New("dial tcp canary-host: password=canary")
	}
	a := call(t, endpoint(t, f).URL, "search_records", searchPartners)
	if a.kind() != "internal" || strings.Contains(a.body, "canary") {
		t.Fatal(a.body)
	}
	f.call = func(access.Fence, access.Request) (access.Reply, error) { return reply(`{"garbage":"canary"}`), nil }
	if a := call(t, endpoint(t, f).URL, "search_records", searchPartners); a.kind() != "internal" || strings.Contains(a.body, "canary") {
		t.Fatal(a.body)
	}
}

// TestRefusalsReachTheAudit: refusals that Odoo does not know of come to it in batches, repeats as one with a count,
// and nothing is lost while Odoo does not take them.
func TestRefusalsReachTheAudit(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.snapshot.Connection.Policy.AllowedModels = []string{"sale.order"}
	refusing := 2
	f.record = func(events []access.Event) error {
		if refusing > 0 {
			refusing--
			return errors.New("Odoo is down")
		}
		f.events = append(f.events, events...)
		return nil
	}
	s := mcp.New(mcp.Config{Gateway: f, Limiter: newLimiter(), Version: "test", Identify: identify})
	server := serve(t, s)
	for range 5 {
		call(t, server, "search_records", searchPartners)
	}
	call(t, server, "search_records", `{"model":"res.partner","limt":1}`)
	send(t, server, listTools, "Authorization", "Bearer dmk_wrong")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { s.Run(ctx); close(done) }()
		time.Sleep(10 * time.Second) // of the bubble's clock
		cancel()
		<-done
	})
	counts := map[access.Kind]int{}
	for _, e := range f.events {
		counts[e.Reason] += e.Count
		if e.Audit.RequestID == "" || e.Audit.IP != "192.0.2.1" || e.Time.IsZero() {
			t.Errorf("incomplete: %+v", e)
		}
		if known := e.Reason != access.Unauthenticated; known != (e.Connection == 7) {
			t.Errorf("connection %d for %s", e.Connection, e.Reason)
		}
	}
	if len(f.events) != 3 || counts[access.NotAllowed] != 5 || counts[access.InvalidInput] != 1 || counts[access.Unauthenticated] != 1 {
		t.Fatalf("%d rows: %v", len(f.events), counts)
	}
}

// TestRefusedWhileLearningFields: a call that ends before it became one, while the model's fields were asked for anew,
// leaves its row as well.
func TestRefusedWhileLearningFields(t *testing.T) {
	t.Parallel()
	f := newFake()
	fresh := changed(f, func(*access.Policy) {})
	f.fields = func(fence access.Fence) (access.Reply, error) {
		if fence.Version != fresh.Connection.Version {
			return access.Reply{Stale: fresh}, nil
		}
		return access.Reply{}, access.NewError(access.NotAllowed, "Not this model.", "Leave it.")
	}
	s := mcp.New(mcp.Config{Gateway: f, Limiter: newLimiter(), Version: "test", Identify: identify})
	if a := call(t, serve(t, s), "search_records", searchPartners); a.kind() != "not_allowed" {
		t.Fatal(a.body)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s.Run(ctx) // sends what is pending, and returns
	if len(f.events) != 1 || f.events[0].Reason != access.NotAllowed || f.callCount() != 0 {
		t.Fatalf("events %+v", f.events)
	}
}
