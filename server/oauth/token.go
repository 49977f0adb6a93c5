package oauth

import (
	"context"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"github.com/labstack/echo/v4"

	"doorman/server/access"
)

// The forms of what Odoo hands out: anything else opens nothing. Odoo is asked about it only where a client shows a secret:
// whether that is right comes first (RFC 6749 section 5.2).
var (
	codeForm    = regexp.MustCompile("^" + access.PrefixCode + "[A-Za-z0-9_-]{43}$")
	refreshForm = regexp.MustCompile("^" + access.PrefixRefresh + "[A-Za-z0-9_-]{43}$")
)

// Odoo's own words for a code or token that opens nothing, whatever the reason.
var (
	errCode    = refuse(invalidGrant, "The code is invalid or no longer works.")
	errRefresh = refuse(invalidGrant, "The refresh token is invalid or no longer works. Connect again.")
)

// tokenEndpoint turns a code, a refresh token or an assertion into tokens (RFC 6749 sections 4.1.3 and 6, RFC 7523).
func (s *Server) tokenEndpoint(c echo.Context) error {
	tokens, err := s.guessing(c.Request(), func(ip netip.Addr) (access.OAuthTokens, error) { return s.token(c.Response(), c.Request(), ip) })
	if err != nil {
		s.refuseDirect(c, "token", err)
		return nil
	}
	answer := map[string]any{
		"access_token": tokens.Access, "token_type": "Bearer", "expires_in": int64(tokens.ExpiresIn.Seconds()),
		"scope": scopeText(tokens.Scopes),
	}
	if tokens.Refresh != "" {
		answer["refresh_token"] = tokens.Refresh
	}
	writeJSON(c.Response(), http.StatusOK, answer)
	return nil
}

// refuseDirect answers a refusal to the client itself.
func (s *Server) refuseDirect(c echo.Context, endpoint string, err error) {
	e := asError(err)
	s.logged(c.Request(), endpoint, e, err)
	writeError(c.Response(), e)
}

// guessing keeps a network that shows what opens nothing, over and over, away from Odoo. Failures count alone: the
// services of a vendor refresh the tokens of all their users from a few addresses.
func (s *Server) guessing(r *http.Request, do func(netip.Addr) (access.OAuthTokens, error)) (access.OAuthTokens, error) {
	ip, _ := s.identify(r)
	leave, refusal := s.guesses.Enter(ip, s.now())
	if refusal != nil {
		return access.OAuthTokens{}, refusal
	}
	failed := false
	defer func() { leave(failed, s.now()) }()
	tokens, err := do(ip)
	if err != nil {
		code := asError(err).Code
		failed = code == invalidGrant || code == invalidClient
	}
	return tokens, err
}

func (s *Server) token(w http.ResponseWriter, r *http.Request, ip netip.Addr) (access.OAuthTokens, error) {
	var none access.OAuthTokens
	settings, err := s.enabled(r.Context())
	if err != nil {
		return none, err
	}
	values, err := form(w, r)
	if err != nil {
		return none, err
	}
	grants := map[string]func(context.Context, url.Values, party) (access.OAuthTokens, error){
		grantCode: s.redeem, grantRefresh: s.refresh,
	}
	if len(settings.Issuers) > 0 {
		grants[grantAssert] = func(ctx context.Context, values url.Values, p party) (access.OAuthTokens, error) {
			return s.assert(ctx, settings, values, p)
		}
	}
	grant, known := grants[values.Get("grant_type")]
	switch {
	case values.Get("grant_type") == "":
		return none, refuse(invalidRequest, "The parameter grant_type is missing.")
	case !known:
		return none, refuse(unsupportedGrant, "The grant_type must be authorization_code or refresh_token.")
	case values.Has("resource") && !s.own(values.Get("resource")):
		return none, refuse(invalidTarget, "The resource must be "+s.resource+".")
	}
	c, err := shown(r, values)
	if err != nil {
		return none, err
	}
	secret, err := s.authenticate(r.Context(), c)
	if err != nil {
		return none, err
	}
	tokens, err := grant(r.Context(), values, party{c.id, secret, ipText(ip)})
	if err != nil {
		e := asError(err)
		e.Basic = e.Code == invalidClient && c.basic
		return none, e
	}
	return tokens, nil
}

// party is an authenticated client.
type party struct {
	id     string
	secret *access.Proof
	ip     string
}

func (s *Server) redeem(ctx context.Context, values url.Values, p party) (access.OAuthTokens, error) {
	verifier := values.Get("code_verifier")
	switch {
	case values.Get("code") == "" || values.Get("redirect_uri") == "":
		return access.OAuthTokens{}, refuse(invalidRequest, "The parameters code and redirect_uri are required.")
	case verifier == "":
		return access.OAuthTokens{}, refuse(invalidRequest, "PKCE is required: the parameter code_verifier is missing.")
	case !pkceText(verifier):
		return access.OAuthTokens{}, refuse(invalidRequest, "The code_verifier must be 43 to 128 unreserved characters.")
	case p.secret == nil && !codeForm.MatchString(values.Get("code")):
		return access.OAuthTokens{}, errCode
	}
	return s.gateway.OAuthRedeem(ctx, access.Redemption{
		Code: access.ProofOf(values.Get("code")), ClientID: p.id, Secret: p.secret, RedirectURI: values.Get("redirect_uri"),
		Challenge: challengeOf(verifier), Resource: s.named(values), IP: p.ip,
	})
}

func (s *Server) refresh(ctx context.Context, values url.Values, p party) (access.OAuthTokens, error) {
	token := values.Get("refresh_token")
	switch {
	case token == "":
		return access.OAuthTokens{}, refuse(invalidRequest, "The parameter refresh_token is missing.")
	case p.secret == nil && !refreshForm.MatchString(token):
		return access.OAuthTokens{}, errRefresh
	}
	var scopes []access.Scope
	if text := values.Get("scope"); text != "" {
		var err error
		if scopes, err = narrower(text); err != nil {
			return access.OAuthTokens{}, err
		}
	}
	return s.gateway.OAuthRefresh(ctx, access.Refreshing{
		Refresh: access.ProofOf(token), ClientID: p.id, Secret: p.secret, Scopes: scopes, Resource: s.named(values), IP: p.ip,
	})
}

// narrower reads the scopes of a refresh: here an unknown word is an error, since a list that lost a word would mean
// another one. Only offline_access is nil: the same as before.
func narrower(text string) ([]access.Scope, error) {
	scopes, err := askedScopes(access.OAuthSettings{Scopes: nil}, text)
	if err != nil {
		return nil, err
	}
	if n := countWords(text); n == 0 {
		return nil, nil
	} else if n != len(scopes) {
		return nil, refuse(invalidScope, "Some of these scopes are unknown, or one is listed twice.")
	}
	return scopes, nil
}

// countWords counts scopes, without the word that means nothing.
func countWords(text string) (n int) {
	for word := range strings.FieldsSeq(text) {
		if word != offlineAccess {
			n++
		}
	}
	return n
}
