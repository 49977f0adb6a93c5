package caller

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

// notForCalls are credentials that OAuth clients have and that open no call. They are not even asked about: a refresh token
// that somebody sends here must not travel further.
func notForCalls(credential string) bool {
	for _, prefix := range []string{access.PrefixRefresh, access.PrefixCode, access.PrefixSecret, access.PrefixClient} {
		if strings.HasPrefix(credential, prefix) {
			return true
		}
	}
	return false
}

// stepUp answers 403 to a call that lacks nothing but a scope which its user could grant, with all scopes to ask for
// (RFC 6750 section 3.1, and the authorization part of MCP): the client sends its user to the consent page and comes back.
// It reports whether it answered. Where no consent helps, the tool's own error says so.
//
// It only tells: a call that slips past it, because the body was read in another way, meets the same decision in the tool.
func (d *Door) stepUp(w http.ResponseWriter, r *http.Request, c *Caller, m peeked) bool {
	t := d.toolOf(c, m.method, m.params)
	if t == nil {
		return false
	}
	wanted := access.StepUp(c.Snapshot(), *t)
	if wanted == nil && access.LacksScope(c.Snapshot(), *t) {
		// What its user could grant may have grown a moment ago.
		if fresh, err := d.resolver.renew(r.Context(), c.Proof); err == nil && fresh != c.Snapshot() {
			c.replace(fresh)
			wanted = access.StepUp(fresh, *t)
		}
	}
	if wanted == nil {
		return false
	}
	// Counted: a client that does not understand must not ask for free.
	if refusal := d.AdmitOther(r.Context(), c); refusal != nil {
		if refusal.Kind != access.RateLimited {
			return false // the call itself says it in a form that a model reads
		}
		d.refuseHTTP(w, r, c, m, refusal)
		return true
	}
	words := make([]string, len(wanted))
	for i, scope := range wanted {
		words[i] = string(scope)
	}
	e := access.NewError(access.NotAllowed, fmt.Sprintf("%s needs the scope %s, which your login did not include.", t.Name, t.Scope),
		"Log in again: your client asks for it.")
	d.TurnAway(r.Context(), c, m.method, t.Name, true, e)
	d.observe(t.Name, string(e.Kind), 0)
	w.Header().Set("WWW-Authenticate", `Bearer realm="doorman", error="insufficient_scope", scope=`+strconv.Quote(strings.Join(words, " "))+
		fmt.Sprintf(`, resource_metadata=%q, error_description=%q`, d.resourceMetadata, e.Message))
	mcperr.Write(w, http.StatusForbidden, json.RawMessage(m.id), e)
	return true
}
