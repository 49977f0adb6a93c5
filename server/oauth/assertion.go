package oauth

import (
	"context"
	"encoding/json"
	"math"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"doorman/server/access"
)

const (
	// assertionType is the typ of an Identity Assertion JWT Authorization Grant. An ID token, or an access token of the
	// same issuer, has another one.
	assertionType    = "oauth-id-jag+jwt"
	maxAssertion     = 8 << 10 // bytes
	maxAssertionLife = access.MaxAssertionAge * time.Second
	// clockSkew is how far the issuer's clock may be off from ours.
	clockSkew = time.Minute
)

// badAssertion refuses an assertion (draft-ietf-oauth-identity-assertion-authz-grant, section 4.4.1, MCP's
// enterprise-managed authorization, section 7.6.2).
func badAssertion(description, reason string) *Error {
	return &Error{Code: invalidGrant, Description: "The assertion is not valid: " + lowerFirst(description), Reason: reason}
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// assert turns what a trusted issuer says of a person into an access token (RFC 7523 section 2.1).
func (s *Server) assert(ctx context.Context, settings access.OAuthSettings, values url.Values, p party) (access.OAuthTokens, error) {
	if p.secret == nil {
		// The draft says that such clients should not: nothing would tell them from a program that has got
		// hold of an assertion. And Odoo would have nothing but the word of this service that there was one.
		return access.OAuthTokens{}, refuse(unauthorizedClient, "Clients without a secret cannot use assertions.")
	}
	a, err := s.verified(ctx, settings, values, p)
	if err != nil {
		e := asError(err)
		if e.status() >= 500 {
			return access.OAuthTokens{}, e
		}
		// First, Odoo says whether the client has the right secret; it also keeps on record what was refused.
		a = access.Assertion{Refused: &access.OAuthError{Code: e.Code, Description: e.Description, Reason: e.Reason}}
	}
	a.ClientID, a.Secret, a.IP = p.id, *p.secret, p.ip
	return s.gateway.OAuthAssert(ctx, a)
}

// verified checks all of an assertion that can be checked without Odoo.
func (s *Server) verified(ctx context.Context, settings access.OAuthSettings, values url.Values, p party) (a access.Assertion, err error) {
	text := values.Get("assertion")
	if text == "" {
		return a, refuse(invalidRequest, "The parameter assertion is missing.")
	}
	issuer, err := untrusted(text)
	if err != nil {
		return a, err
	}
	if !slices.Contains(settings.Issuers, issuer) {
		return a, badAssertion("Its issuer is not trusted here.", "issuer: "+printable(issuer))
	}
	claims, err := s.issuers.verify(ctx, issuer, text)
	if err != nil {
		return a, err
	}
	m, ok := parseMembers(claims)
	if !ok {
		return a, badAssertion("It is not one JSON object with each name once.", "claims: form")
	}
	if a, err = s.read(m, p); err != nil {
		return a, err
	}
	if a.Scopes, err = grantedScopes(settings, m, values); err != nil {
		return a, err
	}
	a.Issuer = issuer
	return a, nil
}

// untrusted looks at the outside of an assertion, and returns the issuer that it names. Nothing of it is proven.
func untrusted(text string) (issuer string, err error) {
	if len(text) > maxAssertion {
		return "", badAssertion("It is too long.", "too long")
	}
	algorithms := make([]jose.SignatureAlgorithm, len(assertionAlgorithms))
	for i, name := range assertionAlgorithms {
		algorithms[i] = jose.SignatureAlgorithm(name)
	}
	// Of the forms of a signed JWT, the compact one alone; nothing that is encrypted or has two signatures.
	signed, err := jose.ParseSignedCompact(text, algorithms)
	if err != nil || len(signed.Signatures) != 1 {
		return "", badAssertion("It is not a JWT in compact form, signed with a key pair.", "form or algorithm")
	}
	header := signed.Signatures[0].Protected
	if kind, _ := header.ExtraHeaders[jose.HeaderType].(string); !strings.EqualFold(kind, assertionType) {
		return "", badAssertion("Its typ is not "+assertionType+".", "typ")
	}
	for _, name := range []jose.HeaderKey{"jku", "x5u", "crit", "b64", "cty"} {
		if _, there := header.ExtraHeaders[name]; there {
			return "", badAssertion("Its header has "+string(name)+".", "header "+string(name))
		}
	}
	if header.JSONWebKey != nil { // a key that it brings along proves nothing
		return "", badAssertion("Its header has jwk.", "header jwk")
	}
	m, ok := parseMembers(signed.UnsafePayloadWithoutVerification())
	if !ok {
		return "", badAssertion("It is not one JSON object with each name once.", "claims: form")
	}
	return required(m, "iss", access.MaxIssuer)
}

// required returns a claim that has to be there, as a text.
func required(m members, name string, most int) (string, error) {
	text, ok := m.text(name, most)
	if !ok || text == "" || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return "", badAssertion("It needs "+name+", a text that is not too long.", "claim "+name)
	}
	return text, nil
}

// read checks the claims of an assertion whose signature is right.
func (s *Server) read(m members, p party) (a access.Assertion, err error) {
	if a.Subject, err = required(m, "sub", access.MaxIssuerSubject); err != nil {
		return a, err
	}
	if a.ID, err = required(m, "jti", access.MaxAssertionName); err != nil {
		return a, err
	}
	client, err := required(m, "client_id", maxClientID)
	if err != nil {
		return a, err
	}
	// A text, or a list of one (section 4.4.1 of the draft): one that is for others, too, they could use here.
	audience, ok := m.oneOrMore("aud")
	switch {
	case client != p.id:
		return a, badAssertion("It was issued to another client.", "client_id: "+printable(client))
	case !ok || len(audience) != 1 || audience[0] != s.issuer:
		return a, badAssertion("Its aud is not "+s.issuer+" alone.", "aud")
	case m["cnf"] != nil:
		return a, badAssertion("It is bound to a key, and that cannot be verified here.", "cnf")
	}
	resources, ok := m.oneOrMore("resource")
	if !ok || slices.ContainsFunc(resources, func(uri string) bool { return !s.own(uri) }) {
		return a, badAssertion("Its resource is not "+s.resource+".", "resource")
	}
	a.Resource = s.resource
	if a.ExpiresAt, err = s.times(m); err != nil {
		return a, err
	}
	if verified := string(m["email_verified"]) == "true"; verified {
		if email, ok := m.text("email", access.MaxAddress); ok {
			a.Email = email
		}
	}
	return a, nil
}

// times checks when an assertion may be used (RFC 7523 section 3), and returns its end.
func (s *Server) times(m members) (time.Time, error) {
	now := s.now()
	expires, ok := m.time("exp")
	issued, okIssued := m.time("iat")
	switch {
	case !ok || !okIssued:
		return expires, badAssertion("It needs exp and iat, in seconds since 1970.", "exp or iat")
	case !now.Before(expires.Add(clockSkew)):
		return expires, badAssertion("It has expired.", "exp")
	case issued.After(now.Add(clockSkew)):
		return expires, badAssertion("It was issued in the future.", "iat")
	case !expires.After(issued) || expires.Sub(issued) > maxAssertionLife:
		return expires, badAssertion("It has to expire within an hour of being issued.", "lifetime")
	}
	if m["nbf"] == nil {
		return expires, nil
	}
	if start, ok := m.time("nbf"); !ok || start.After(now.Add(clockSkew)) {
		return expires, badAssertion("It is not valid yet.", "nbf")
	}
	return expires, nil
}

// grantedScopes are those that the issuer, and the request, agree on: each of them may name none, which means all.
func grantedScopes(settings access.OAuthSettings, m members, values url.Values) (scopes []access.Scope, err error) {
	if m["scope"] != nil {
		text, ok := m.text("scope", maxScope)
		for word := range strings.FieldsSeq(text) {
			if scope := access.Scope(word); slices.Contains(access.Scopes, scope) && !slices.Contains(scopes, scope) {
				scopes = append(scopes, scope)
			}
		}
		if !ok || len(scopes) == 0 {
			return nil, badAssertion("None of its scopes is known here.", "scope")
		}
	}
	asked := values.Get("scope")
	if countWords(asked) == 0 {
		return scopes, nil
	}
	wanted, err := askedScopes(settings, asked)
	if err != nil || scopes == nil {
		return wanted, err
	}
	both := slices.DeleteFunc(scopes, func(scope access.Scope) bool { return !slices.Contains(wanted, scope) })
	if len(both) == 0 {
		return nil, refuse(invalidScope, "The assertion has none of these scopes.")
	}
	return both, nil
}

// oneOrMore returns a claim that may be a text or a list of texts; nil if it is not there.
func (m members) oneOrMore(name string) (list []string, ok bool) {
	raw := m[name]
	if raw == nil {
		return nil, true
	}
	var text *string
	if json.Unmarshal(raw, &text) == nil {
		if text == nil { // null is neither
			return nil, false
		}
		return []string{*text}, true
	}
	list, ok = m.texts(name)
	return list, ok && len(list) > 0
}

// time returns a claim in seconds since 1970 (RFC 7519 section 2, NumericDate).
func (m members) time(name string) (time.Time, bool) {
	var seconds *float64
	// Beyond that no clock goes, and the number would wrap around.
	if json.Unmarshal(m[name], &seconds) != nil || seconds == nil || *seconds < 0 || *seconds > 1<<40 {
		return time.Time{}, false
	}
	whole, part := math.Modf(*seconds)
	return time.Unix(int64(whole), int64(part*1e9)), true
}

// printable is a stranger's text, fit for a log.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s[:min(len(s), 100)])
}
