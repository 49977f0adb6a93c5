package oauth

import (
	"net/http"
	"slices"

	"github.com/labstack/echo/v4"

	"doorman/server/access"
)

// basicScopes are enough to look around, and change nothing. Clients ask for them first.
var basicScopes = []access.Scope{access.ScopeMetadata, access.ScopeSearch}

// serverMetadata is the RFC 8414 document. Its issuer is the configured origin, whatever Host or proxy say: clients compare
// it with what they typed, and refuse a document of somebody else.
func (s *Server) serverMetadata(c echo.Context) error {
	settings, err := s.enabled(c.Request().Context())
	if err != nil {
		return s.discoveryError(c, err)
	}
	document := map[string]any{
		"issuer":                                         s.issuer,
		"authorization_endpoint":                         s.issuer + authorizePath,
		"token_endpoint":                                 s.issuer + tokenPath,
		"revocation_endpoint":                            s.issuer + revokePath,
		"response_types_supported":                       []string{"code"},
		"response_modes_supported":                       []string{"query"},
		"grant_types_supported":                          []string{grantCode, grantRefresh},
		"code_challenge_methods_supported":               []string{challengeS256},
		"token_endpoint_auth_methods_supported":          []string{methodNone, methodBasic, methodPost},
		"revocation_endpoint_auth_methods_supported":     []string{methodNone, methodBasic, methodPost},
		"authorization_response_iss_parameter_supported": true,
		"client_id_metadata_document_supported":          settings.Documents,
		"scopes_supported":                               s.offered(settings),
	}
	if len(settings.Issuers) > 0 { // which they are is nobody's business
		document["grant_types_supported"] = []string{grantCode, grantRefresh, grantAssert}
		document["authorization_grant_profiles_supported"] = []string{profileIDJAG}
	}
	if settings.Registration {
		document["registration_endpoint"] = s.issuer + registerPath
	}
	return s.publish(c, document)
}

// offered are the scopes that a new connection may be granted, and the word for refresh tokens, which all get.
func (s *Server) offered(settings access.OAuthSettings) []string {
	out := []string{}
	for _, scope := range access.Scopes {
		if slices.Contains(defaults(settings), scope) {
			out = append(out, string(scope))
		}
	}
	return append(out, offlineAccess)
}

// defaults are what a request without scopes asks for.
func defaults(settings access.OAuthSettings) []access.Scope {
	var out []access.Scope
	for _, scope := range settings.Scopes {
		if slices.Contains(access.Scopes, scope) {
			out = append(out, scope)
		}
	}
	if len(out) == 0 {
		return basicScopes
	}
	return out
}

// resourceMetadata is the RFC 9728 document. While OAuth is off it names no authorization server: keys come from Odoo
// then. It is there in any case, since every 401 names it; while Odoo is down it says what was so last, or what is so
// unless somebody changes it: a client that reads "no authorization server" would not come back.
func (s *Server) resourceMetadata(c echo.Context) error {
	document := map[string]any{
		"resource":                 s.resource,
		"resource_name":            "Doorman for Odoo",
		"bearer_methods_supported": []string{"header"},
		// The least that makes sense, and never offline_access: clients ask for all that they read here.
		"scopes_supported": basicScopes,
	}
	settings, err := s.current(c.Request().Context())
	if err != nil {
		settings = s.last()
	}
	if settings.Enabled {
		document["authorization_servers"] = []string{s.issuer}
	}
	return s.publish(c, document)
}

// publish writes a document that changes with a setting: caches may keep it for a minute.
func (s *Server) publish(c echo.Context, document map[string]any) error {
	c.Response().Header().Set("Cache-Control", "public, max-age=60")
	return c.JSON(http.StatusOK, document)
}

// discoveryError answers 404 while OAuth is off (there is no authorization server then), and 503 while Odoo is down: a
// client that is told "no such thing" would not come back.
func (s *Server) discoveryError(c echo.Context, err error) error {
	e := asError(err)
	s.logged(c.Request(), "discovery", e, err)
	if e.Status == http.StatusForbidden {
		e.Status = http.StatusNotFound
	}
	writeError(c.Response(), e)
	return nil
}
