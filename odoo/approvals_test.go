package odoo_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/odoo"
	"doorman/odoo/odootest"
	"doorman/server/access"
)

// waitingOdoo is a fake in which deletions wait for a person, a client of it, and a fence.
func waitingOdoo(t *testing.T, transport string, change ...func(*odoo.Config)) (*odootest.Server, *odoo.Client, access.Fence) {
	t.Helper()
	s, c, fence := faultyOdoo(t, transport, change...)
	s.SetWaits(canaryCred, odootest.Waits{Tools: []string{"delete_records"}})
	fence.Version++
	return s, c, fence
}

var deletePartners = access.Request{
	Model: "res.partner", Method: "unlink", IDs: []int64{3, 4}, Audit: access.Audit{Tool: "delete_records"},
	Arguments: []byte(`{"ids":[3,4],"model":"res.partner"}`),
}

// TestApprovals by every way: asked, asked again, decided, told.
func TestApprovals(t *testing.T) {
	t.Parallel()
	for _, transport := range append(transports, odoo.TransportAuto) {
		t.Run(transport, func(t *testing.T) {
			t.Parallel()
			s, c, fence := waitingOdoo(t, transport, func(c *odoo.Config) { c.Timeout = 10 * time.Second })
			ctx := t.Context()
			r, err := c.Call(ctx, fence, deletePartners)
			if err != nil || r.Pending == nil || r.Pending.RequestID != 1 || r.Value != nil || r.Stale != nil || s.Effects() != 0 {
				t.Fatalf("%+v, %v", r, err)
			}
			if again, err := c.Call(ctx, fence, deletePartners); err != nil || *again.Pending != *r.Pending || len(s.Approvals()) != 1 {
				t.Fatalf("%+v, %v", again, err)
			}
			if audit := s.Audit(); len(audit) != 2 || audit[0].Outcome != "pending" {
				t.Errorf("%+v", audit)
			}
			told := func(id int64) *access.Approval {
				t.Helper()
				r, err := c.ApprovalStatus(ctx, fence, id, access.Audit{Tool: "approval_status"})
				if err != nil {
					t.Fatal(err)
				}
				return r.Approval
			}
			if a := told(1); a.State != access.ApprovalPending || a.Tool != "delete_records" || string(a.Arguments) != string(deletePartners.Arguments) {
				t.Errorf("%+v", a)
			}
			if state := s.Approve(1); state != access.ApprovalExecuted || s.Approve(1) != state || s.Reject(1, "no") != state || s.Effects() != 1 {
				t.Errorf("%s, %d effects", state, s.Effects())
			}
			if a := told(1); a.State != access.ApprovalExecuted || !strings.Contains(string(a.Value), `"ids"`) || a.DecidedBy != odootest.Approver || a.DecidedAt.IsZero() {
				t.Errorf("%+v", a)
			}
			for _, id := range []int64{0, 2, -1, 1 << 40} {
				_, err := c.ApprovalStatus(ctx, fence, id, access.Audit{})
				_ = wantKind(t, err, access.NotFound)
			}
		})
	}
}

// TestApprovalRefusals: what is not put before a person, and by whom.
func TestApprovalRefusals(t *testing.T) {
	t.Parallel()
	s, c, fence := waitingOdoo(t, odoo.TransportDoorman, func(c *odoo.Config) { c.Timeout = 10 * time.Second })
	ctx := t.Context()
	with := func(change func(*access.Request)) access.Request {
		r := deletePartners
		change(&r)
		return r
	}
	for name, row := range map[string]struct {
		request access.Request
		want    access.Kind
	}{
		"what the service reads":       {with(func(r *access.Request) { r.AskNobody = true }), access.PendingApproval},
		"a record that is not there":   {with(func(r *access.Request) { r.IDs = []int64{999} }), access.NotFound},
		"a model that is not there":    {with(func(r *access.Request) { r.Model = "no.such" }), access.UnknownModel},
		"a model that no policy opens": {with(func(r *access.Request) { r.Model = "ir.rule" }), access.NotAllowed},
	} {
		_, err := c.Call(ctx, fence, row.request)
		if e := access.AsError(err); err == nil || e.Kind != row.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, request := range map[string]access.Request{
		"a dry run":             with(func(r *access.Request) { r.DryRun = true }),
		"what waits for nobody": searchRead(nil, "name"),
	} {
		if r, err := c.Call(ctx, fence, request); err != nil || r.Value == nil || r.Pending != nil {
			t.Errorf("%s: %+v, %v", name, r, err)
		}
	}
	if n := len(s.Approvals()); n != 0 || s.Effects() != 0 {
		t.Fatalf("%d requests, %d effects", n, s.Effects())
	}
	old := fence
	old.Version--
	if r, err := c.Call(ctx, old, deletePartners); err != nil || r.Stale == nil || len(s.Approvals()) != 0 {
		t.Errorf("an old fence: %+v, %v", r, err)
	}
	if r, err := c.ApprovalStatus(ctx, old, 1, access.Audit{}); err != nil || r.Stale == nil {
		t.Errorf("an old fence: %+v, %v", r, err)
	}
	if _, err := c.Call(ctx, fence, deletePartners); err != nil {
		t.Fatal(err)
	}
	s.Connect(odootest.Connection{Credential: "dmk_other"})
	other := access.FenceOf(access.ProofOf("dmk_other"), mustResolve(t, c, access.ProofOf("dmk_other")))
	_, err := c.ApprovalStatus(ctx, other, 1, access.Audit{})
	_, nobody := c.ApprovalStatus(ctx, other, 1000, access.Audit{})
	if a, b := wantKind(t, err, access.NotFound), wantKind(t, nobody, access.NotFound); a.Message != b.Message || a.Hint != b.Hint {
		t.Errorf("%v, but %v", a, b)
	}
	s.Revoke(canaryCred)
	_, err = c.Call(ctx, fence, deletePartners)
	_ = wantKind(t, err, access.Unauthenticated)
	_, err = c.ApprovalStatus(ctx, fence, 1, access.Audit{})
	_ = wantKind(t, err, access.Unauthenticated)
}

// TestApprovalsExpire by the clock, not by the job: that one only counts them.
func TestApprovalsExpire(t *testing.T) {
	t.Parallel()
	s, c, fence := waitingOdoo(t, odoo.TransportDoorman, func(c *odoo.Config) { c.Timeout = 10 * time.Second })
	ask := func() int64 {
		t.Helper()
		r, err := c.Call(t.Context(), fence, deletePartners)
		if err != nil {
			t.Fatal(err)
		}
		return r.Pending.RequestID
	}
	first := ask()
	s.Overdue(first)
	if state := s.Approve(first); state != access.ApprovalExpired || s.Effects() != 0 {
		t.Errorf("%s, %d effects", state, s.Effects())
	}
	second := ask()
	s.Overdue(second)
	for _, want := range []int{1, 0} {
		if p, err := c.Upkeep(t.Context(), "expire_approvals"); err != nil || p.Done != want {
			t.Errorf("%+v, %v, want %d", p, err, want)
		}
	}
	if second == first || ask() == second {
		t.Error("a request that is over is asked for again as a new one")
	}
}

// TestApprovalsAreAskedOnce: a call whose answer is lost is not sent again by the client. Nobody knows then whether it was
// done or waits, and the error says so; asking how a request stands changes nothing, and its error claims nothing.
func TestApprovalsAreAskedOnce(t *testing.T) {
	t.Parallel()
	for _, transport := range transports {
		for _, kind := range []odootest.FaultKind{odootest.DropBefore, odootest.DropAfterCommit, odootest.Truncated, odootest.InvalidJSON, odootest.Trickle} {
			t.Run(fmt.Sprintf("%s/%d", transport, kind), func(t *testing.T) {
				t.Parallel()
				s, c, fence := waitingOdoo(t, transport)
				for method, ask := range map[string]func(context.Context) (access.Reply, error){
					"call": func(ctx context.Context) (access.Reply, error) { return c.Call(ctx, fence, deletePartners) },
					"approval_status": func(ctx context.Context) (access.Reply, error) {
						return c.ApprovalStatus(ctx, fence, 1, access.Audit{})
					},
				} {
					before := s.Count(method)
					s.Inject(odootest.Fault{Kind: kind, Methods: []string{method}, Times: 1})
					_, err := ask(t.Context())
					e := access.AsError(err)
					if err == nil || e.Kind != access.OdooUnavailable && e.Kind != access.OdooTimeout || strings.Contains(e.Message, "may or may not") != (method == "call") {
						t.Errorf("%s: %v", method, err)
					}
					if n := s.Count(method) - before; n != 1 {
						t.Errorf("%s was sent %d times", method, n)
					}
				}
				if n := len(s.Approvals()); n > 1 || s.Effects() != 0 {
					t.Errorf("%d requests, %d effects", n, s.Effects())
				}
			})
		}
	}
}

// TestPendingInABatch: reads that share a request to Odoo have answers of their own, also where one of them waits for a
// person.
func TestPendingInABatch(t *testing.T) {
	t.Parallel()
	s := odootest.New(t, odootest.Options{Workers: 1, Connections: []odootest.Connection{
		{Credential: canaryCred}, {Credential: "dmk_gated", Waits: odootest.Waits{Model: "res.partner", Reads: true}},
	}})
	var mu sync.Mutex
	shared := 0
	c := newClient(t, s, odoo.TransportDoorman, func(c *odoo.Config) {
		c.Batched = func(n int) {
			mu.Lock()
			defer mu.Unlock()
			shared = max(shared, n)
		}
	})
	if _, err := c.Hello(t.Context()); err != nil {
		t.Fatal(err)
	}
	fenceOf := func(credential string) access.Fence {
		p := access.ProofOf(credential)
		return access.FenceOf(p, mustResolve(t, c, p))
	}
	free, gated := fenceOf(canaryCred), fenceOf("dmk_gated")
	// The one worker is busy for a while: who comes meanwhile waits, and then shares.
	s.Inject(odootest.Fault{Kind: odootest.Slow, Delay: 20 * time.Millisecond, Methods: []string{"call"}})
	var wg sync.WaitGroup
	for i := range 24 {
		wg.Go(func() {
			fence, waits := free, i%3 == 0
			if waits {
				fence = gated
			}
			r, err := c.Call(t.Context(), fence, searchRead(nil, "name"))
			if err != nil || (r.Pending != nil) != waits || (r.Value != nil) == waits {
				t.Errorf("waits %v: %+v, %v", waits, r, err)
			}
		})
	}
	wg.Wait()
	if n := len(s.Approvals()); n != 1 || shared < 2 {
		t.Errorf("%d requests, at most %d calls shared one", n, shared)
	}
}
