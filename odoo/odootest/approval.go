package odootest

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"doorman/server/access"
)

// approvalTime is how long a request waits.
const approvalTime = 24 * time.Hour

// Approver is who decides in the fake.
const Approver = "Ann Boss"

// Approval is a request for approval in the fake.
type Approval struct {
	ID         int64
	State      access.ApprovalState
	Connection int64
	Call       Call
	ExpiresAt  time.Time
	DecidedAt  time.Time
	Reason     string
	Arguments  json.RawMessage // of the tool, as they came

	tool    string
	digest  string
	value   any
	failure *Problem
}

// Waits says which calls of a connection wait for a person. It stands for the addon's approval rules, of which the fake
// knows no more than tests of the service need. The zero value is none.
type Waits struct {
	Tools    []string // every call of these
	Model    string   // changes of records of this model
	MoreThan int      // with Model: only of more records than this
	Reads    bool     // with Model: reading them too
}

func (w Waits) any() bool { return len(w.Tools) > 0 || w.Model != "" }

// match reports whether a call waits. What is only tried out never does.
func (w Waits) match(c Call) bool {
	if c.DryRun {
		return false
	}
	if slices.Contains(w.Tools, c.Tool()) {
		return true
	}
	records := len(c.IDs)
	if rows, ok := c.Kwargs["vals_list"].([]any); ok {
		records = len(rows)
	}
	return w.Model != "" && w.Model == c.Model && (w.Reads || !methods[c.Method].reads) && (w.MoreThan == 0 || records > w.MoreThan)
}

// SetWaits changes which calls of a credential's connection wait, and raises the connection's version.
func (s *Server) SetWaits(credential string, w Waits) {
	s.Update(credential, func(snap *access.Snapshot) {
		snap.Connection.Policy.Approvals = w.any()
		s.waits[snap.Connection.ID] = w
	})
}

// mustWait reports whether a call of a connection waits for a person.
func (s *Server) mustWait(c Call, connection int64) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.waits[connection].match(c)
}

var (
	nobodyAsked = &Problem{Kind: "pending_approval", Code: "needs_approval", Message: "This needs approval."}
	notFound    = &Problem{
		"not_found", "unknown_approval", "This connection has no such approval request.", "Use the request_id from the pending reply.",
	}
)

// ask keeps a call for a person, unless the same waits already. It is tried out first, as the addon does: what could not be
// done bothers nobody.
func (s *Server) ask(snap *access.Snapshot, c Call, arguments json.RawMessage) (any, *Problem) {
	if value, known, p := s.answeredBefore(c, snap.Connection.ID); known {
		return map[string]any{"value": value}, p
	}
	if !methods[c.Method].reads {
		try := c
		try.DryRun = true
		if _, p := s.run(try, snap); p != nil {
			return nil, p
		}
	}
	digest, _ := json.Marshal([]any{c.Model, c.Method, c.IDs, c.Kwargs, c.Context})
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireDue()
	for _, a := range s.approvals {
		if a.State == access.ApprovalPending && a.Connection == snap.Connection.ID && a.digest == string(digest) {
			return map[string]any{"pending": a.pending()}, nil
		}
	}
	if arguments == nil {
		arguments = json.RawMessage("{}")
	}
	a := &Approval{
		ID: int64(len(s.approvals)) + 1, State: access.ApprovalPending, Connection: snap.Connection.ID, Call: c,
		ExpiresAt: now().Add(approvalTime), tool: c.Tool(), digest: string(digest), Arguments: arguments,
	}
	s.approvals = append(s.approvals, a)
	return map[string]any{"pending": a.pending()}, nil
}

// now is the time as the addon writes it.
func now() time.Time { return time.Now().UTC().Truncate(time.Second) }

func (s *Server) approvalStatus(snap *access.Snapshot, id any) (any, *Problem) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	a := s.approval(int64(number(id)))
	if a == nil || a.Connection != snap.Connection.ID {
		return nil, notFound
	}
	told := a.pending()
	maps.Copy(told, map[string]any{
		"state": a.State, "tool": a.tool, "model": a.Call.Model, "requested_at": a.ExpiresAt.Add(-approvalTime).Format(time.RFC3339),
		"summary": fmt.Sprintf("%s: %s, %d records", a.tool, a.Call.Model, len(a.Call.IDs)), "arguments": a.Arguments,
		"decided_at": nil, "decided_by": "", "reason": a.Reason, "value": a.value, "error": nil,
	})
	if !a.DecidedAt.IsZero() {
		told["decided_at"] = a.DecidedAt.Format(time.RFC3339)
	}
	switch a.State {
	case access.ApprovalExecuted, access.ApprovalFailed, access.ApprovalRejected:
		told["decided_by"] = Approver
	}
	if a.failure != nil {
		told["error"] = a.failure
	}
	return map[string]any{"approval": told, "rows": 0}, nil
}

// pending is a request as the addon writes it.
func (a *Approval) pending() map[string]any {
	return map[string]any{
		"request_id": a.ID, "expires_at": a.ExpiresAt.Format(time.RFC3339),
		"approval_url": fmt.Sprintf("http://odoo.example/odoo/doorman.approval/%d", a.ID),
	}
}

// approval finds a request; the caller holds the lock.
func (s *Server) approval(id int64) *Approval {
	if id < 1 || id > int64(len(s.approvals)) {
		return nil
	}
	return s.approvals[id-1]
}

// Approvals are the requests there are, the oldest first.
func (s *Server) Approvals() []Approval {
	s.mu.RLock()
	defer s.mu.RUnlock()
	out := make([]Approval, len(s.approvals))
	for i, a := range s.approvals {
		out[i] = *a
	}
	return out
}

// Approve is a person who says yes: the call is run as it would have been, and the request is executed or failed. It
// returns where the request stands then, whoever brought it there.
func (s *Server) Approve(id int64) access.ApprovalState {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	c, snap := s.due(id)
	if snap == nil {
		return s.end(id, "", "", nil, nil)
	}
	value, problem := s.run(c, snap)
	if problem != nil {
		s.seen.call(c, problem.Kind, 0)
		return s.end(id, access.ApprovalFail, "", nil, problem)
	}
	s.seen.call(c, "ok", 1)
	return s.end(id, access.ApprovalExecute, "", value, nil)
}

// Reject is a person who says no.
func (s *Server) Reject(id int64, reason string) access.ApprovalState {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	return s.end(id, access.ApprovalReject, reason, nil, nil)
}

// Cancel withdraws a request.
func (s *Server) Cancel(id int64, reason string) access.ApprovalState {
	s.deciding.Lock()
	defer s.deciding.Unlock()
	return s.end(id, access.ApprovalCancel, reason, nil, nil)
}

// Overdue lets the time of a request be over: whatever happens to it next, it has expired.
func (s *Server) Overdue(id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if a := s.approval(id); a != nil {
		a.ExpiresAt = now()
	}
}

// due returns the call of a request that can still be approved, and what holds for its connection.
func (s *Server) due(id int64) (Call, *access.Snapshot) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireDue()
	a := s.approval(id)
	if a == nil || a.State != access.ApprovalPending {
		return Call{}, nil
	}
	for _, snap := range s.connections {
		if snap.Connection.ID == a.Connection {
			return a.Call, snap
		}
	}
	return Call{}, nil
}

// end lets an event happen to a request, if it can, and returns where the request stands then.
func (s *Server) end(id int64, event access.ApprovalEvent, reason string, value any, failure *Problem) access.ApprovalState {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.expireDue()
	a := s.approval(id)
	if a == nil {
		return ""
	}
	a.end(event, reason, value, failure)
	return a.State
}

// end reports whether the event could happen; the caller holds the lock.
func (a *Approval) end(event access.ApprovalEvent, reason string, value any, failure *Problem) bool {
	state, possible := a.State.After(event)
	if possible {
		a.State, a.DecidedAt, a.Reason, a.value, a.failure = state, now(), reason, value, failure
	}
	return possible
}

// expireDue ends what nobody decided in time; the caller holds the lock.
func (s *Server) expireDue() (n int) {
	for _, a := range s.approvals {
		if !time.Now().Before(a.ExpiresAt) && a.end(access.ApprovalExpire, "", nil, nil) {
			n++
		}
	}
	return n
}
