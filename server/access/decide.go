package access

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Decision says whether a call may go on to Odoo, yes or no. Whether it then waits for a person, Odoo alone decides: it
// knows what the call really changes. The zero value is a refusal, so that a path which forgets to decide refuses.
type Decision struct {
	allow bool
	// Refusal is why not; nil for a Decision that allows, and for the zero value.
	refusal *Error
}

// Allowed reports whether the call may go on.
func (d Decision) Allowed() bool { return d.allow }

// Err returns nil if the call is allowed, and otherwise the refusal, in words for the caller.
func (d Decision) Err() *Error {
	switch {
	case d.allow:
		return nil
	case d.refusal == nil:
		return NewError(Forbidden, "This request was not decided.", "Report this to your administrator.")
	}
	return d.refusal
}

func refuse(kind Kind, message, hint string) *Error { return NewError(kind, message, hint) }

// refuseAs refuses what the addon refuses too, by the same code.
func refuseAs(kind Kind, code, message, hint string) *Error {
	return &Error{Kind: kind, Code: code, Message: message, Hint: hint}
}

// Admit decides whether a connection may ask for anything at all, before it is known for what. It checks, first failure
// wins: master switch, connection status, connection expiry, token expiry, blocked IP, allowed IP.
//
// now is the time of the request; ip the address of the client, as clientip found it.
func Admit(now time.Time, s *Snapshot, ip netip.Addr) Decision {
	checks := [...]func() *Error{
		func() *Error { return checkSwitch(s) },
		func() *Error { return checkStatus(s.Connection.Status) },
		func() *Error { return checkExpiry(now, s.Connection.ExpiresAt) },
		func() *Error { return checkGrant(now, s.Grant) },
		func() *Error { return checkIP(s.Connection.Policy, ip) },
	}
	for _, check := range checks {
		if refusal := check(); refusal != nil {
			return Decision{refusal: refusal}
		}
	}
	return Decision{allow: true}
}

// Limit decides whether a request may go on by what a limiter said of it.
func Limit(r Rate) Decision {
	if refusal := checkRate(r); refusal != nil {
		return Decision{refusal: refusal}
	}
	return Decision{allow: true}
}

// Decide decides one call. It checks what Admit checks, and then, first failure wins: rate, scope, read only, the tool
// being switched on, on the allow list and offered to this connection, the module it needs, the model being on the allow list, the floor.
func Decide(now time.Time, s *Snapshot, c Call) Decision {
	if d := Admit(now, s, c.IP); !d.allow {
		return d
	}
	p := s.Connection.Policy
	checks := [...]func() *Error{
		func() *Error { return checkRate(c.Rate) },
		func() *Error { return checkScope(p, c.Tool) },
		func() *Error { return checkReadOnly(s, c.Tool) },
		func() *Error { return checkTool(s, c.Tool) },
		func() *Error { return checkOffered(p, c.Tool) },
		func() *Error { return checkModule(s, c.Tool) },
		func() *Error { return checkModel(p, c.Model) },
		func() *Error { return checkFloor(s, c.Model) },
	}
	for _, check := range checks {
		if refusal := check(); refusal != nil {
			return Decision{refusal: refusal}
		}
	}
	return Decision{allow: true}
}

// MayUse reports whether a tool belongs in the list that a connection sees: exactly the tools that Decide would let it
// call on some model. An unlisted tool is refused all the same; the list is a courtesy.
func MayUse(s *Snapshot, t Tool) bool {
	p := s.Connection.Policy
	return checkScope(p, t) == nil && checkReadOnly(s, t) == nil && checkTool(s, t) == nil &&
		checkOffered(p, t) == nil && checkModule(s, t) == nil
}

func checkSwitch(s *Snapshot) *Error {
	if s.Settings.Enabled {
		return nil
	}
	return refuseAs(Forbidden, "switched_off", SayOff, SayOffHint)
}

func checkStatus(status Status) *Error {
	if slices.Contains(LiveStatuses, status) {
		return nil
	}
	if status == StatusInactive {
		return refuseAs(Forbidden, "connection_inactive", SayInactive, SayInactiveHint)
	}
	// Revoked, expired, and any word that a later Odoo may send: the same words as for an unknown key.
	return Invalid()
}

// Invalid is the refusal of a credential that opens nothing, whatever the reason: who guesses learns nothing from it.
func Invalid() *Error {
	return refuseAs(Unauthenticated, "credential_invalid", SayInvalid, SayInvalidHint)
}

func checkExpiry(now, expires time.Time) *Error {
	// At the very instant it is over: "valid until" does not include the end.
	if expires.IsZero() || now.Before(expires) {
		return nil
	}
	return Invalid()
}

// checkGrant refuses a token at the instant it is over, however young the snapshot is.
func checkGrant(now time.Time, g *Grant) *Error {
	if g == nil {
		return nil
	}
	return checkExpiry(now, g.ExpiresAt)
}

func checkIP(p Policy, ip netip.Addr) *Error {
	ip = ip.Unmap() // ::ffff:10.0.0.1 must not slip past a rule for 10.0.0.0/8
	within := func(list []netip.Prefix) bool {
		return slices.ContainsFunc(list, func(rule netip.Prefix) bool { return rule.Contains(ip) })
	}
	if within(p.BlockedIPs) || (len(p.AllowedIPs) > 0 && !within(p.AllowedIPs)) {
		return refuse(Forbidden, "This connection cannot be used from your network address.",
			"An MCP administrator sets which addresses are allowed.")
	}
	return nil
}

func checkRate(r Rate) *Error {
	if r.Allowed {
		return nil
	}
	e := refuse(RateLimited, "", "Try again later.")
	e.RetryAfter = r.RetryAfter
	switch r.Limit {
	case LimitMinute:
		e.Message = fmt.Sprintf("This connection has reached its limit of requests a minute: %d.", r.Max)
	case LimitDay:
		e.Message = fmt.Sprintf("This connection has reached its limit of requests a day (UTC): %d.", r.Max)
	default:
		e.Message, e.Hint = "This request was not counted against its connection's limits.", "Report this to your administrator."
	}
	if r.RetryAfter > 0 {
		e.Hint = fmt.Sprintf("Try again in %s.", InWords(r.RetryAfter))
	}
	return e
}

// CodeRowsUsedUp is the code of a refusal because of the rows that a connection may get a day.
const CodeRowsUsedUp = "rows_used_up"

// RowsUsedUp refuses an answer that does not fit into what is left of a day's rows. The day ends after rest.
func RowsUsedUp(day int, rest time.Duration) *Error {
	return &Error{
		Kind: RateLimited, Code: CodeRowsUsedUp, RetryAfter: rest,
		Message: fmt.Sprintf("This connection has reached its limit of rows of data a day (UTC): %d.", day),
		Hint:    fmt.Sprintf("Try again in %s.", InWords(rest)),
	}
}

// InWords writes a waiting time, never shorter than it is: "1 second", "90 minutes".
func InWords(d time.Duration) string {
	seconds := int((d + time.Second - 1) / time.Second)
	switch {
	case seconds == 1:
		return "1 second"
	case seconds <= 120:
		return fmt.Sprintf("%d seconds", seconds)
	case seconds <= 2*60*60:
		return fmt.Sprintf("%d minutes", (seconds+59)/60)
	}
	return fmt.Sprintf("%d hours", (seconds+3599)/3600)
}

func checkScope(p Policy, t Tool) *Error {
	if t.Scope != "" && (slices.Contains(p.Scopes, t.Scope) || t.FollowUp && slices.ContainsFunc(p.Scopes, Scope.known)) {
		return nil
	}
	if t.Scope != "" && slices.Contains(p.Lacking, t.Scope) {
		return refuseAs(NotAllowed, "permission_missing", Words(SayNoPermission, "tool", t.Name, "scope", t.Scope), SayNoPermissionHint)
	}
	return refuseAs(NotAllowed, "scope_missing", Words(SayNoScope, "tool", t.Name, "scope", t.Scope), SayNoScopeHint)
}

func checkReadOnly(s *Snapshot, t Tool) *Error {
	if !s.ReadOnly() || !t.Writes {
		return nil
	}
	if !s.Connection.Policy.ReadOnly {
		return refuseAs(ReadOnly, "all_read_only", Words(SayAllReadOnly, "who", s.Settings.ReadOnlyBy, "tool", t.Name), SayAllReadOnlyHint)
	}
	return refuseAs(ReadOnly, "read_only_connection", fmt.Sprintf(SayReadOnly, t.Name), SayReadOnlyHint)
}

func checkTool(s *Snapshot, t Tool) *Error {
	if slices.Contains(s.Settings.DisabledTools, t.Name) {
		return refuseAs(NotAllowed, "tool_switched_off", fmt.Sprintf(SayToolOff, t.Name), SayToolOffHint)
	}
	if listed := s.Connection.Policy.AllowedTools; listed == nil || t.FollowUp || slices.Contains(listed, t.Name) {
		return nil
	}
	return refuseAs(NotAllowed, "tool_not_allowed", fmt.Sprintf(SayNoTool, t.Name), SayNoToolHint)
}

func checkOffered(p Policy, t Tool) *Error {
	if !t.OnSwitch || p.ResearchTools {
		return nil
	}
	return refuseAs(NotAllowed, "tool_not_offered", fmt.Sprintf(SaySwitchedOff, t.Name), SaySwitchedOffHint)
}

// checkModule comes after what the connection may do at all: a caller who may not use a tool is not told what is installed.
func checkModule(s *Snapshot, t Tool) *Error {
	if t.NeedsModule == "" || !slices.Contains(s.Settings.MissingModules, t.NeedsModule) {
		return nil
	}
	return refuseAs(NeedsModule, "module_missing", Words(SayNeedsModule, "tool", t.Name, "module", t.NeedsModule), SayNeedsModuleHint)
}

func checkModel(p Policy, model string) *Error {
	if model == "" || p.AllowedModels == nil || slices.Contains(p.AllowedModels, model) {
		return nil
	}
	return noModel(model)
}

// checkFloor refuses what no policy opens, in the words for a model that is not on the allow list: Odoo, which has the
// last word (addon/doorman/policy/guard.py), uses the same for both.
func checkFloor(s *Snapshot, model string) *Error {
	closed := func(pattern string) bool {
		return model == pattern || strings.HasSuffix(pattern, ".") && strings.HasPrefix(model, pattern)
	}
	if model == "" || !slices.ContainsFunc(s.Settings.Floor, closed) {
		return nil
	}
	return noModel(model)
}

func noModel(model string) *Error {
	return refuseAs(NotAllowed, "model_not_allowed", fmt.Sprintf(SayNoModel, model), SayNoModelHint)
}
