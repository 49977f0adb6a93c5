package oauth

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"doorman/server/access"
	"doorman/server/publicurl"
)

const (
	maxQuery = 8 << 10 // bytes of a request's query
	maxScope = 1024
)

// back is where a refusal may be sent: known only once client and redirect URI are known to belong together.
type back struct {
	redirectURI string
	state       string
	hasState    bool
	vouched     bool // somebody who answers for this Odoo knows the place
}

// authorizeEndpoint verifies a request and hands it to Odoo, where a person decides (RFC 6749 section 4.1.1).
func (s *Server) authorizeEndpoint(c echo.Context) error {
	r := c.Request()
	ip, _ := s.identify(r)
	if wait := s.authorize.take(ip, authorizesAMinute, s.now()); wait > 0 {
		s.page(c.Response(), retryIn(wait))
		return nil
	}
	consent, to, err := s.verify(r)
	if err == nil {
		noStore(c.Response().Header())
		return c.Redirect(http.StatusSeeOther, consent)
	}
	e := asError(err)
	s.logged(r, "authorize", e, err)
	if to == nil || !to.vouched {
		s.page(c.Response(), e)
		return nil
	}
	noStore(c.Response().Header())
	return c.Redirect(http.StatusSeeOther, s.sendBack(*to, e))
}

// verify checks a request, first what decides where a refusal may go. to is nil until that is known.
func (s *Server) verify(r *http.Request) (consent string, to *back, err error) {
	settings, err := s.enabled(r.Context())
	if err != nil {
		return "", nil, err
	}
	query, err := parseQuery(r.URL.RawQuery)
	if err != nil {
		return "", nil, err
	}
	client, err := s.target(r.Context(), settings, query)
	if err != nil {
		return "", nil, err
	}
	to = &back{redirectURI: query.Get("redirect_uri")}
	to.vouched = vouched(client, settings, to.redirectURI)
	request, err := s.request(settings, query, to)
	if err != nil {
		return "", to, err
	}
	ip, _ := s.identify(r)
	request.Client, request.IP = client, ipText(ip)
	consent, err = s.gateway.OAuthBegin(r.Context(), *request)
	var said *access.OAuthError
	if errors.As(err, &said) && slices.Contains([]string{invalidClient, invalidRequest, "unauthorized_client"}, said.Code) {
		to = nil // Odoo does not agree that the client is who it is, or may be sent there
	}
	return consent, to, err
}

// parseQuery reads the parameters. What browsers and proxies might read in another way is refused.
func parseQuery(raw string) (url.Values, error) {
	if len(raw) > maxQuery {
		return nil, refuse(invalidRequest, "The request is too long.")
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, refuse(invalidRequest, "The request cannot be read.")
	}
	return sent(query), nil
}

// sent leaves out parameters without a value: they count as not sent (RFC 6749 sections 3.1 and 3.2). What is there twice
// stays, and is refused: nobody could say which of the two was meant.
func sent(values url.Values) url.Values {
	for name, list := range values {
		if len(list) == 1 && list[0] == "" {
			delete(values, name)
		}
	}
	return values
}

// own reports whether a resource is this endpoint (RFC 8707 section 2). Clients name it by its address or by its origin,
// with a slash at the end or without, in small letters or capitals; there is no other resource on this origin. Another
// scheme, host or port is another server in any spelling.
func (s *Server) own(resource string) bool {
	u, err := publicurl.Parse(resource)
	if err != nil {
		return false
	}
	path := u.EscapedPath()
	return u.Scheme+"://"+u.Host == s.issuer && (path == "" || strings.EqualFold(path, s.path))
}

// named is the resource that a request to the token endpoint names, in the form that tokens are made for; "" if it names
// none.
func (s *Server) named(values url.Values) string {
	if values.Has("resource") {
		return s.resource
	}
	return ""
}

// target finds the client, and checks that people may be sent where the request wants them sent. Every refusal here is
// shown to the person, and sent nowhere (RFC 9700 section 4.11).
func (s *Server) target(ctx context.Context, settings access.OAuthSettings, query url.Values) (access.OAuthClient, error) {
	for _, name := range []string{"client_id", "redirect_uri"} {
		switch values := query[name]; {
		case len(values) == 0 || values[0] == "":
			return access.OAuthClient{}, refuse(invalidRequest, "The parameter "+name+" is missing.")
		case len(values) > 1:
			return access.OAuthClient{}, refuse(invalidRequest, "The parameter "+name+" is there twice.")
		}
	}
	uri := query.Get("redirect_uri")
	if classify(uri) == targetNone {
		return access.OAuthClient{}, refuse(invalidRequest, "The redirect_uri is not one that people can be sent to.")
	}
	client, err := s.client(ctx, settings, query.Get("client_id"), uri)
	switch {
	case err != nil:
		return client, err
	case !matches(client.RedirectURIs, uri):
		return client, refuse(invalidRequest, "The redirect_uri is not one of this client's.")
	case !redirectAllowed(allowedFor(client, settings), uri):
		return client, refuse(invalidRequest, "An administrator does not allow people to be sent to this redirect_uri.")
	}
	return client, nil
}

// allowedFor are the settings as they hold for a client: what an administrator wrote down for one is not measured by the
// list of hosts for those that nobody looked at.
func allowedFor(c access.OAuthClient, settings access.OAuthSettings) access.OAuthSettings {
	if c.Kind == access.ClientCustom {
		settings.RedirectHosts = nil
	}
	return settings
}

// vouched reports whether a browser may be sent to a place before anybody has logged in. Anybody can register an address
// of theirs, and a link to us that leads there would lend it our name (RFC 9700 section 4.11.2): that needs an
// administrator who wrote down the client or the host, a client that we ship with, or a program on the person's own machine.
func vouched(client access.OAuthClient, settings access.OAuthSettings, uri string) bool {
	_, known := pinned[client.ID]
	return known || classify(uri) != targetWeb || client.Kind == access.ClientCustom || len(settings.RedirectHosts) > 0
}

// request reads the rest. Parameters that mean nothing here (prompt, nonce, login_hint) are let be, once each.
func (s *Server) request(settings access.OAuthSettings, query url.Values, to *back) (*access.AuthorizationRequest, error) {
	// First: with two states, nobody knows which one the client waits for.
	if states := query["state"]; len(states) == 1 {
		if len(states[0]) > access.MaxState || strings.ContainsFunc(states[0], func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, refuse(invalidRequest, fmt.Sprintf("The state must be at most %d printable ASCII characters.", access.MaxState))
		}
		to.state, to.hasState = states[0], true
	}
	for name, values := range query {
		if len(values) > 1 {
			return nil, refuse(invalidRequest, "The parameter "+printableName(name)+" is there twice.")
		}
	}
	switch {
	case query.Get("request") != "" || query.Get("request_uri") != "":
		return nil, refuse("request_not_supported", "Requests in a JWT are not supported.")
	case query.Get("response_type") == "":
		return nil, refuse(invalidRequest, "The parameter response_type is missing: it must be code.")
	case query.Get("response_type") != "code":
		return nil, refuse(unsupportedResponse, "The response_type must be code.")
	case query.Get("response_mode") != "" && query.Get("response_mode") != "query":
		return nil, refuse(invalidRequest, "The response_mode must be query.")
	case query.Get("code_challenge") == "":
		return nil, refuse(invalidRequest, "PKCE is required: the parameter code_challenge is missing.")
	case query.Get("code_challenge_method") != challengeS256:
		return nil, refuse(invalidRequest, "The code_challenge_method must be S256.")
	case !challengeForm.MatchString(query.Get("code_challenge")):
		return nil, refuse(invalidRequest, "The code_challenge must be 43 characters of base64url: SHA-256 of the verifier.")
	case query.Has("resource") && !s.own(query.Get("resource")):
		return nil, refuse(invalidTarget, "The resource must be "+s.resource+".")
	}
	scopes, err := askedScopes(settings, query.Get("scope"))
	if err != nil {
		return nil, err
	}
	return &access.AuthorizationRequest{
		RedirectURI: to.redirectURI, Scopes: scopes, State: to.state, HasState: to.hasState,
		Challenge: query.Get("code_challenge"), Resource: s.resource,
	}, nil
}

// askedScopes reads a list of scopes. Words that are not ours are left out (clients ask for what other servers have, too),
// unless nothing else is there. None at all asks for the defaults.
func askedScopes(settings access.OAuthSettings, text string) ([]access.Scope, error) {
	if len(text) > maxScope {
		return nil, refuse(invalidScope, "The list of scopes is too long.")
	}
	var known []access.Scope
	foreign := false
	for word := range strings.FieldsSeq(text) {
		switch scope := access.Scope(word); {
		case word == offlineAccess || slices.Contains(known, scope):
		case slices.Contains(access.Scopes, scope):
			known = append(known, scope)
		default:
			foreign = true
		}
	}
	switch {
	case len(known) > 0:
		return known, nil
	case foreign:
		return nil, refuse(invalidScope, "None of these scopes is known here; available: "+scopeText(access.Scopes)+".")
	}
	return defaults(settings), nil
}

// sendBack is the address that tells the client of a refusal: with its own state, and with our name, so that it does not
// take the answer for another server's (RFC 9207). What its redirect URI has for a query stays.
func (s *Server) sendBack(to back, e *Error) string {
	q := url.Values{"error": {e.Code}, "iss": {s.issuer}}
	if e.Description != "" {
		q.Set("error_description", e.Description)
	}
	if to.hasState {
		q.Set("state", to.state)
	}
	separator := "?"
	switch {
	case strings.HasSuffix(to.redirectURI, "?"), strings.HasSuffix(to.redirectURI, "&"):
		separator = ""
	case strings.Contains(to.redirectURI, "?"):
		separator = "&"
	}
	return to.redirectURI + separator + q.Encode()
}

// noStore keeps a request out of caches, and its parameters out of the next page's referrer.
func noStore(h http.Header) {
	h.Set("Cache-Control", "no-store")
	h.Set("Referrer-Policy", "no-referrer")
}

// printableName is a parameter's name, fit to be repeated.
func printableName(s string) string {
	if len(s) > 40 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") != "" {
		return "of this name"
	}
	return s
}
