package access

import (
	"encoding/json"
	"slices"
	"time"
)

// Risk is how much harm a tool can do.
type Risk string

// The risks, from the harmless to the grave.
const (
	RiskLow    Risk = "low"
	RiskMedium Risk = "medium"
	RiskHigh   Risk = "high"
)

var risks = []Risk{RiskLow, RiskMedium, RiskHigh}

// Known reports whether r is one of the risks. "" is none.
func (r Risk) Known() bool { return slices.Contains(risks, r) }

// ApprovalState is where a request for approval stands.
type ApprovalState string

// The states. All but pending are final.
const (
	ApprovalPending   ApprovalState = "pending"
	ApprovalExecuted  ApprovalState = "executed"  // a person approved it, and it was done
	ApprovalFailed    ApprovalState = "failed"    // a person approved it, and Odoo refused it
	ApprovalRejected  ApprovalState = "rejected"  // a person said no
	ApprovalExpired   ApprovalState = "expired"   // nobody said anything in time
	ApprovalCancelled ApprovalState = "cancelled" // the requester withdrew it, or may no longer do it
)

// ApprovalEvent is what can happen to a request for approval.
type ApprovalEvent string

// The events.
const (
	ApprovalExecute ApprovalEvent = "execute"
	ApprovalFail    ApprovalEvent = "fail"
	ApprovalReject  ApprovalEvent = "reject"
	ApprovalExpire  ApprovalEvent = "expire"
	ApprovalCancel  ApprovalEvent = "cancel"
)

type approvalStep struct {
	from  ApprovalState
	event ApprovalEvent
}

// approvalSteps is all that can become of a request; the addon (policy/approval_states.py) has the same table, and a test holds
// both against one file.
var approvalSteps = map[approvalStep]ApprovalState{
	{ApprovalPending, ApprovalExecute}: ApprovalExecuted,
	{ApprovalPending, ApprovalFail}:    ApprovalFailed,
	{ApprovalPending, ApprovalReject}:  ApprovalRejected,
	{ApprovalPending, ApprovalExpire}:  ApprovalExpired,
	{ApprovalPending, ApprovalCancel}:  ApprovalCancelled,
}

// After returns the state that an event leads to, and false if it cannot happen in this one.
func (s ApprovalState) After(e ApprovalEvent) (ApprovalState, bool) {
	next, ok := approvalSteps[approvalStep{s, e}]
	return next, ok
}

// Known reports whether s is one of the states.
func (s ApprovalState) Known() bool {
	if s == ApprovalPending {
		return true
	}
	for _, end := range approvalSteps {
		if s == end {
			return true
		}
	}
	return false
}

// Pending is a call that waits for a person. Nothing of it was done.
type Pending struct {
	RequestID int64
	ExpiresAt time.Time
	URL       string // where people decide on it, in Odoo
}

// Approval is a request for approval as it stands.
type Approval struct {
	Pending
	State     ApprovalState
	Tool      string
	Model     string // empty for tools that touch no model
	Summary   string // in plain words
	DecidedAt time.Time
	DecidedBy string // name of the person, if one decided
	Reason    string // of a rejection, or of a cancellation
	Failure   *Error // why it failed; of one that was executed, why its Value is not told any more
	Arguments json.RawMessage
	Value     json.RawMessage // what Call would have answered; set if it was executed
}
