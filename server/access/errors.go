package access

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Kind names what went wrong, in words that a program can act on. The list is closed: clients branch on it.
type Kind string

// The kinds of refusal and failure. docs/errors.md says of each what it means, with an example; a test keeps it complete.
const (
	Unauthenticated Kind = "unauthenticated" // no credential, or one that opens nothing (any more)
	Forbidden       Kind = "forbidden"       // the person or the server says no, whatever the arguments
	NotAllowed      Kind = "not_allowed"     // the connection's policy does not cover this tool, model or field
	ReadOnly        Kind = "read_only"       // the connection may read only
	UnknownTool     Kind = "unknown_tool"
	UnknownModel    Kind = "unknown_model"
	UnknownField    Kind = "unknown_field"
	InvalidInput    Kind = "invalid_input"
	NotFound        Kind = "not_found"
	Conflict        Kind = "conflict"
	BusinessRule    Kind = "business_rule" // Odoo's own rules refuse; its words are kept
	RateLimited     Kind = "rate_limited"
	NeedsModule     Kind = "needs_module"
	PendingApproval Kind = "pending_approval"
	Rejected        Kind = "rejected"
	Expired         Kind = "expired"
	OdooUnavailable Kind = "odoo_unavailable"
	OdooTimeout     Kind = "odoo_timeout"
	Unavailable     Kind = "unavailable" // something that the service itself needs is away: Redis
	Updating        Kind = "updating"    // the service, its addon and its database are not of one version yet
	TooLarge        Kind = "too_large"
	Internal        Kind = "internal"
)

// kinds holds every Kind, so that a word from outside is never taken for one.
var kinds = map[Kind]bool{
	Unauthenticated: true, Forbidden: true, NotAllowed: true, ReadOnly: true, UnknownTool: true, UnknownModel: true,
	UnknownField: true, InvalidInput: true, NotFound: true, Conflict: true, BusinessRule: true, RateLimited: true,
	NeedsModule: true, PendingApproval: true, Rejected: true, Expired: true, OdooUnavailable: true, OdooTimeout: true,
	Unavailable: true, Updating: true, TooLarge: true, Internal: true,
}

// Outage reports a failure that is nobody's fault who called: what is needed is away, or broken.
func (k Kind) Outage() bool {
	switch k {
	case OdooUnavailable, OdooTimeout, Unavailable, Updating, Internal:
		return true
	}
	return false
}

// Kinds returns every Kind, sorted.
func Kinds() []Kind { return slices.Sorted(maps.Keys(kinds)) }

// ParseKind returns s as a Kind; a word that is none becomes Internal.
func ParseKind(s string) Kind {
	if k := Kind(s); kinds[k] {
		return k
	}
	return Internal
}

// Error is the one error type that crosses package borders. Message and Hint are for the person or the model that asked
// and hold nothing that they may not see; Detail is for the operator's log only.
type Error struct {
	Kind       Kind
	Code       string        // what exactly was refused, where Odoo refused it: more precise than the kind; docs/errors.md lists them
	Message    string        // what happened, one sentence
	Hint       string        // what to do about it, one sentence; may be empty
	RetryAfter time.Duration // when a retry makes sense; 0 = not by waiting
	Detail     string        // for the log, never for the client
}

// Error returns the kind, the message and, for the log, the detail.
func (e *Error) Error() string {
	s := string(e.Kind) + ": " + e.Message
	if e.Detail != "" {
		s += " (" + e.Detail + ")"
	}
	return s
}

// Words puts facts into a text of shared.go that names several: pairs of a name and its value. The addon fills in the same
// text by the same names, which are those that its translators see.
func Words(text string, facts ...any) string {
	var pairs []string
	for i := 0; i+1 < len(facts); i += 2 {
		pairs = append(pairs, fmt.Sprintf("%%(%s)s", facts[i]), fmt.Sprint(facts[i+1]))
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

// NewError builds an Error of a kind from a message and a hint.
func NewError(kind Kind, message, hint string) *Error {
	return &Error{Kind: kind, Message: message, Hint: hint}
}

// AsError returns err as an *Error. Anything else becomes Internal with a fixed text: an error that nobody classified
// must not carry its words (a DSN, a path, SQL) to a client.
func AsError(err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	if err == nil {
		err = errors.New("no error was given")
	}
	return &Error{
		Kind:    Internal,
		Message: "Something went wrong inside Doorman.",
		Hint:    "Try again; if it keeps happening, give the request id to your administrator.",
		Detail:  err.Error(),
	}
}
