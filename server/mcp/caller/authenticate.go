package caller

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/observe"
)

// MethodCall and MethodRead are the methods of the protocol that are calls of a tool, see access.ChargedMethods.
const (
	MethodCall = "tools/call"
	MethodRead = "resources/read"
)

// maxCredential is longer than any key or token of ours; what is longer is not hashed at all.
const maxCredential = 512

// Authenticate lets a request through to next with its caller, or answers it.
//
// A refusal of tools/call is left to the tool, whose result the model reads; of anything else it is the HTTP status
// (RFC 6750 section 3). A credential that turns out to be dead is 401 for whatever was asked: it is the client that has to
// do something about it, and not the model.
func (d *Door) Authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip, requestID := d.identify(r)
		credential, present := bearer(r)
		if credential == "" || notForCalls(credential) {
			if present {
				observe.Refused(r.Context(), observe.Line{Client: mcperr.Clip(r.UserAgent(), 120), Outcome: string(access.Unauthenticated)})
			}
			d.challenge(w, present, access.Invalid())
			return
		}
		c := &Caller{Proof: access.ProofOf(credential), IP: ip, RequestID: requestID, userAgent: r.UserAgent()}
		snapshot, err := d.resolver.resolve(r.Context(), c.Proof, ip)
		if err != nil {
			d.unresolved(w, r, c, next, err)
			return
		}
		if g := snapshot.Grant; g != nil && g.Resource != d.resource {
			// Of another service of the same Odoo: who is tricked into using that one must not open this one too.
			d.refuseHTTP(w, r, c, peeked{}, access.Invalid())
			return
		}
		c.snapshot = snapshot
		m, err := d.peek(w, r)
		if err != nil {
			d.refuseHTTP(w, r, c, m, err)
			return
		}
		if ambiguous := m.refused(); ambiguous != nil {
			if refusal := d.AdmitOther(r.Context(), c); refusal != nil {
				ambiguous = refusal
			}
			d.refuseHTTP(w, r, c, m, ambiguous)
			return
		}
		if d.stepUp(w, r, c, m) {
			return
		}
		if refusal := d.admitEarly(r.Context(), c, m.method); refusal != nil {
			d.refuseHTTP(w, r, c, m, refusal)
			return
		}
		c.Members = m.members
		if m.flaw != nil {
			c.Flaw = m.flaw.Err
		}
		defer d.enter(c, r, m)()
		next.ServeHTTP(&deadEnd{ResponseWriter: w, door: d, caller: c}, r.WithContext(withCaller(r.Context(), c)))
	})
}

// admitEarly decides on what is not a tool call, so that its refusal is an HTTP status, and counts it; a read is counted as the
// call that it is.
func (d *Door) admitEarly(ctx context.Context, c *Caller, method string) *access.Error {
	switch method {
	case MethodCall:
		return nil
	case MethodRead:
		return d.admit(ctx, c)
	}
	refusal := d.AdmitOther(ctx, c)
	c.counted.Store(refusal == nil)
	return refusal
}

// unresolved answers a request of which Odoo does not say whose it is. A tool call gets a result that the model reads,
// where Doorman is being updated: it tells nothing but that, and anybody may know.
func (d *Door) unresolved(w http.ResponseWriter, r *http.Request, c *Caller, next http.Handler, err error) {
	e := access.AsError(err)
	var m peeked
	if e.Kind == access.Updating {
		var broken error
		m, broken = d.peek(w, r)
		if broken == nil && m.method == MethodCall {
			c.Unknown, c.Members = e, m.members
			next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
			return
		}
	}
	d.refuseHTTP(w, r, c, m, e)
}

// bearer returns the credential of the Authorization header, and whether the request tried to show one. A credential
// in the query is never looked at: it would stand in every log on the way (RFC 6750 section 2.3).
func bearer(r *http.Request) (credential string, present bool) {
	values := r.Header.Values("Authorization")
	if len(values) == 0 {
		return "", false
	}
	// Two headers could mean one thing to a proxy in front and another to us.
	if len(values) > 1 {
		return "", true
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || len(token) > maxCredential || strings.ContainsAny(token, " \t,") {
		return "", true
	}
	return token, true
}

// basicScopes is what a client should ask for first: enough to look around, nothing that changes anything.
const basicScopes = string(access.ScopeMetadata) + " " + string(access.ScopeSearch)

// challenge answers 401. Without credentials there is no error code (RFC 6750 section 3.1).
func (d *Door) challenge(w http.ResponseWriter, present bool, e *access.Error) {
	parts := []string{`Bearer realm="doorman"`}
	if present {
		parts = append(parts, `error="invalid_token"`, fmt.Sprintf("error_description=%q", e.Message))
	}
	parts = append(parts, fmt.Sprintf("scope=%q", basicScopes), fmt.Sprintf("resource_metadata=%q", d.resourceMetadata))
	w.Header().Set("WWW-Authenticate", strings.Join(parts, ", "))
	if !present {
		e = access.NewError(access.Unauthenticated, "A key is required.",
			"Send the header 'Authorization: Bearer <key>'; get a key from your Odoo administrator.")
	}
	mcperr.Write(w, http.StatusUnauthorized, nil, e)
}

// refuseHTTP answers a request that is refused before the SDK reads it, and records it.
func (d *Door) refuseHTTP(w http.ResponseWriter, r *http.Request, c *Caller, m peeked, err error) {
	e := access.AsError(err)
	d.TurnAway(r.Context(), c, m.method, "", true, e)
	if e.Kind == access.Unauthenticated {
		d.challenge(w, true, e)
		return
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(mcperr.RetrySeconds(e)))
	}
	mcperr.Write(w, mcperr.HTTPStatus(e), json.RawMessage(m.id), e)
}
