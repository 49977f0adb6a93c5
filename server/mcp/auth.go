package mcp

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"strconv"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

const (
	// maxDepth is how deep the JSON of a request may nest. A domain of a person's making stays below 10.
	maxDepth = 64
	// maxCredential is longer than any key or token of ours; what is longer is not hashed at all.
	maxCredential = 512
)

// Identify tells who sends a request, as the layers in front found it.
type Identify func(*http.Request) (ip netip.Addr, requestID string)

// authenticate lets a request through to next with its caller, or answers it.
//
// A refusal of tools/call is left to the tool, whose result the model reads; of anything else it is the HTTP status
// (RFC 6750 section 3).
func (s *Server) authenticate(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ip, requestID := s.identify(r)
		credential, present := bearer(r)
		if credential == "" || notForCalls(credential) {
			s.challenge(w, present, access.Invalid())
			return
		}
		c := &caller{proof: access.ProofOf(credential), ip: ip, requestID: requestID, userAgent: r.UserAgent()}
		snapshot, err := s.resolver.resolve(r.Context(), c.proof, ip)
		if err != nil {
			s.unresolved(w, r, c, next, err)
			return
		}
		if g := snapshot.Grant; g != nil && g.Resource != s.resource {
			// Of another service of the same Odoo: who is tricked into using that one must not open this one too.
			s.refuseHTTP(w, c, "", access.Invalid())
			return
		}
		c.snapshot = snapshot
		m, err := s.peek(w, r)
		if err != nil {
			s.refuseHTTP(w, c, m.method, err)
			return
		}
		if m.tool != "" && s.stepUp(w, r, c, m) {
			return
		}
		if m.method != "tools/call" {
			refusal := s.admit(r.Context(), c)
			if refusal == nil && m.method != readMethod {
				refusal = s.limits.other(r.Context(), c.current())
			}
			if refusal != nil {
				s.refuseHTTP(w, c, m.method, refusal)
				return
			}
			c.counted.Store(m.method != readMethod)
		}
		defer s.enter(c, r, m)()
		next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
	})
}

// unresolved answers a request of which Odoo does not say whose it is. A tool call gets a result that the model reads,
// where Doorman is being updated: it tells nothing but that, and anybody may know.
func (s *Server) unresolved(w http.ResponseWriter, r *http.Request, c *caller, next http.Handler, err error) {
	e := access.AsError(err)
	if e.Kind == access.Updating {
		m, broken := s.peek(w, r)
		if broken == nil && m.method == "tools/call" {
			c.refusal = e
			next.ServeHTTP(w, r.WithContext(withCaller(r.Context(), c)))
			return
		}
	}
	s.refuseHTTP(w, c, "", e)
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

// peeked is what has to be known of a request before the SDK reads it. A batch (protocol 2025-03-26) has none of it.
type peeked struct {
	method  string
	id      string // as JSON; "" = none
	targets string // of notifications/cancelled: the id of the request that it takes back, as JSON
	streams bool   // it asks for progress, which only a stream can carry
	tool    string // of tools/call, and of resources/read whose call that is
}

// peek reads the body, bounded, and returns what has to be known of it; the body is put back for the SDK.
func (s *Server) peek(w http.ResponseWriter, r *http.Request) (peeked, error) {
	if r.Method != http.MethodPost {
		return peeked{}, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, s.maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return peeked{}, access.NewError(access.TooLarge,
			fmt.Sprintf("The request is larger than %d bytes.", s.maxBody), "Send less at once.")
	case err != nil:
		return peeked{}, access.NewError(access.InvalidInput, "The request broke off.", "Send it again.")
	}
	if depth(body) > maxDepth {
		return peeked{}, access.NewError(access.InvalidInput,
			fmt.Sprintf("The request nests deeper than %d levels.", maxDepth), "Flatten it.")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	// By the exact key: a struct would take "Method" for "method" too, and the SDK, which does not, would then run
	// another method than the one that was admitted. What is no JSON object is the SDK's to answer.
	var envelope map[string]json.RawMessage
	var m peeked
	if json.Unmarshal(body, &envelope) == nil {
		_ = json.Unmarshal(envelope["method"], &m.method)
		m.id = string(envelope["id"])
		m.lookInto(envelope["params"])
	}
	return m, nil
}

// depth returns how deep the brackets of a JSON text nest, without parsing it: a parser that recurses has already lost.
func depth(body []byte) (deepest int) {
	level, inString := 0, false
	for i := 0; i < len(body); i++ {
		switch b := body[i]; {
		case inString && b == '\\':
			i++
		case b == '"':
			inString = !inString
		case inString:
		case b == '{' || b == '[':
			level++
			deepest = max(deepest, level)
		case b == '}' || b == ']':
			level--
		}
	}
	return deepest
}

// challenge answers 401. Without credentials there is no error code (RFC 6750 section 3.1).
func (s *Server) challenge(w http.ResponseWriter, present bool, e *access.Error) {
	parts := []string{`Bearer realm="doorman"`}
	if present {
		parts = append(parts, `error="invalid_token"`, fmt.Sprintf("error_description=%q", e.Message))
	}
	parts = append(parts, fmt.Sprintf("scope=%q", s.basicScopes()), fmt.Sprintf("resource_metadata=%q", s.resourceMetadata))
	w.Header().Set("WWW-Authenticate", strings.Join(parts, ", "))
	if !present {
		e = access.NewError(access.Unauthenticated, "This needs a key.",
			"Send the header 'Authorization: Bearer <key>'; a key comes from your Odoo administrator.")
	}
	mcperr.Write(w, http.StatusUnauthorized, e)
}

// basicScopes is what a client should ask for first: enough to look around, nothing that changes anything.
func (s *Server) basicScopes() string {
	return string(access.ScopeMetadata) + " " + string(access.ScopeSearch)
}

// refuseHTTP answers a request that is refused before it is known for what, and records it.
func (s *Server) refuseHTTP(w http.ResponseWriter, c *caller, method string, err error) {
	e := access.AsError(err)
	s.refused(c, method, "", "", e)
	if e.Kind == access.Unauthenticated {
		s.challenge(w, true, e)
		return
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(mcperr.RetrySeconds(e)))
	}
	mcperr.Write(w, mcperr.HTTPStatus(e), e)
}
