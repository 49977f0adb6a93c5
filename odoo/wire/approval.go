package wire

import (
	"encoding/json"

	"doorman/server/access"
)

// pendingWire is a request that waits.
type pendingWire struct {
	RequestID   int64   `json:"request_id"`
	ExpiresAt   *string `json:"expires_at"`
	ApprovalURL string  `json:"approval_url"`
}

// pending checks and converts w. Without its id nobody could ask what became of it, without its address nobody would
// decide.
func (w pendingWire) pending() (access.Pending, error) {
	expires, ok := parseTime(w.ExpiresAt)
	if w.RequestID <= 0 || !ok || expires.IsZero() || !opens(w.ApprovalURL) {
		return access.Pending{}, Unusable("a request for approval without id, address or end")
	}
	return access.Pending{RequestID: w.RequestID, ExpiresAt: expires, URL: w.ApprovalURL}, nil
}

// decodePending reads what call says of a call that waits.
func decodePending(raw json.RawMessage) (*access.Pending, error) {
	var w pendingWire
	if err := unmarshal(raw, &w, "pending"); err != nil {
		return nil, err
	}
	p, err := w.pending()
	return &p, err
}

// decodeApproval reads how a request stands. What does not fit together is unusable: the AI tool would go on as if it
// knew. An executed call without its answer is not among that: that it was done must be told in any case.
func decodeApproval(raw json.RawMessage) (*access.Approval, error) {
	var w struct {
		pendingWire
		State     access.ApprovalState `json:"state"`
		Tool      string               `json:"tool"`
		Model     string               `json:"model"`
		Summary   string               `json:"summary"`
		DecidedAt *string              `json:"decided_at"`
		DecidedBy string               `json:"decided_by"`
		Reason    string               `json:"reason"`
		Error     *problem             `json:"error"`
		Arguments json.RawMessage      `json:"arguments"`
		Value     json.RawMessage      `json:"value"`
	}
	if err := unmarshal(raw, &w, "approval"); err != nil {
		return nil, err
	}
	waits, err := w.pending()
	if err != nil {
		return nil, err
	}
	decided, ok := parseTime(w.DecidedAt)
	switch {
	case !w.State.Known() || w.Tool == "":
		return nil, Unusable("an approval without state or tool")
	case !ok || decided.IsZero() != (w.State == access.ApprovalPending):
		return nil, Unusable("an approval whose decided_at does not fit its state")
	case !errorFits(w.State, w.Error != nil, !isNull(w.Value)):
		return nil, Unusable("an approval whose error does not fit its state")
	}
	a := &access.Approval{
		Pending: waits, State: w.State, Tool: w.Tool, Model: w.Model, Summary: personText(w.Summary),
		DecidedAt: decided, DecidedBy: personText(w.DecidedBy), Reason: personText(w.Reason), Arguments: w.Arguments,
	}
	if w.Error != nil {
		a.Failure = w.Error.toError()
	}
	if a.State == access.ApprovalExecuted && !isNull(w.Value) {
		a.Value = w.Value
	}
	return a, nil
}

// errorFits reports whether a request in this state has an error, or none, as it should: one that failed has one, and one
// that was executed may have one in place of the answer, which is not told any more after the policy was changed.
func errorFits(state access.ApprovalState, hasError, hasValue bool) bool {
	switch state {
	case access.ApprovalFailed:
		return hasError
	case access.ApprovalExecuted:
		return !hasError || !hasValue
	}
	return !hasError
}
