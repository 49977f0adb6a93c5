package access

// ExplainOutcome is what a connection's call would come to.
type ExplainOutcome string

// The outcomes, as the addon names them (addon/doorman/gateway/explain.py).
const (
	ExplainMay     ExplainOutcome = "may"
	ExplainWaits   ExplainOutcome = "waits"
	ExplainRefused ExplainOutcome = "refused"
)

// Known reports whether o is one of them.
func (o ExplainOutcome) Known() bool {
	return o == ExplainMay || o == ExplainWaits || o == ExplainRefused
}

// ExplainedStep is one of the decisions that a call takes, in their order.
type ExplainedStep struct {
	Step    string // what was looked at: sign_in, tool, policy, companies, model, rights, approval
	Outcome ExplainOutcome
	Message string
	Hint    string
	Code    string // of a refusal
}

// Explained is what Odoo says of whether a connection may do something. Its last step decides.
type Explained struct {
	Steps []ExplainedStep
	// Snapshot is what the service decides by; nil for a connection without a credential that is valid.
	Snapshot *Snapshot
}
