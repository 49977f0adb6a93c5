package odootest

import (
	"encoding/json"
	"fmt"
	"maps"
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

// toolOf names the tool that makes a change, as the addon knows it; of what only reads, the service says it.
var toolOf = map[string]string{
	"create": "create_records", "write": "update_records", "unlink": "delete_records", "call_method": "call_method",
	"message_post": "post_message", "activity_schedule": "schedule_activity",
}

func (c Call) tool() string {
	if name := toolOf[c.Method]; name != "" {
		return name
	}
	name, _ := c.Audit["tool"].(string)
	return name
}

// waits reports whether the policy puts a call before a person. The risk of a tool is what the catalog says, which the
// service has synced, or has not.
func (s *Server) waits(c Call, g access.Gating) bool {
	tool := access.Tool{Name: c.tool(), Writes: !readers[c.Method]}
	for _, row := range s.Catalog() {
		if m, _ := row.(map[string]any); m["name"] == tool.Name {
			risk, _ := m["risk"].(string)
			tool.Risk = access.Risk(risk)
		}
	}
	records := len(c.IDs)
	if rows, ok := c.Kwargs["vals_list"].([]any); ok {
		records = len(rows)
	}
	return g.Asks(access.Call{Tool: tool, Model: c.Model, Records: records, DryRun: c.DryRun})
}

var (
	nobodyAsked = &Problem{Kind: "pending_approval", Message: "This needs the approval of a person, and nobody was asked yet."}
	notNeeded   = &Problem{Kind: "invalid_input", Message: "This needs nobody's approval: call it."}
	notFound    = &Problem{
		"not_found", "There is no such request for approval of this connection.", "Take the request_id of the pending answer.",
	}
)

// askPerson is the two methods that have to do with people.
func (s *Server) askPerson(method string, params map[string]any, snap *access.Snapshot) (any, *Problem) {
	if method == "approval_status" {
		return s.approvalStatus(snap, params["request_id"])
	}
	request, _ := params["request"].(map[string]any)
	arguments, _ := request["arguments"].(json.RawMessage)
	return s.requestApproval(snap, callOf(request, snap.User), arguments)
}

// requestApproval keeps a call for a person, unless the same waits already. It is tried out first, as the addon does.
func (s *Server) requestApproval(snap *access.Snapshot, c Call, arguments json.RawMessage) (any, *Problem) {
	if c.DryRun || !s.waits(c, snap.Connection.Policy.Approval) {
		return nil, notNeeded
	}
	if value, known, p := s.answeredBefore(c, snap.Connection.ID); known {
		return map[string]any{"value": value}, p
	}
	if !readers[c.Method] {
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
	a := &Approval{
		ID: int64(len(s.approvals)) + 1, State: access.ApprovalPending, Connection: snap.Connection.ID, Call: c,
		ExpiresAt: now().Add(approvalTime), tool: c.tool(), digest: string(digest), Arguments: arguments,
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
	return map[string]any{"approval": told}, nil
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
