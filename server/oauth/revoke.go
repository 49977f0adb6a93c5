package oauth

import (
	"net/http"
	"net/netip"

	"github.com/labstack/echo/v4"

	"doorman/server/access"
)

// revokeEndpoint ends a token (RFC 7009). A valid client gets 200 whether there was such a token or not: nobody learns
// here which tokens exist. First it has to be one (section 2.1): Odoo is asked about every token, also one that none of
// ours looks like, or a client with a wrong secret would hear that all is well.
func (s *Server) revokeEndpoint(c echo.Context) error {
	_, err := s.guessing(c.Request(), func(netip.Addr) (access.OAuthTokens, error) {
		return access.OAuthTokens{}, s.revoke(c.Response(), c.Request())
	})
	if err != nil {
		s.refuseDirect(c, "revoke", err)
		return nil
	}
	noStore(c.Response().Header())
	return c.NoContent(http.StatusOK)
}

func (s *Server) revoke(w http.ResponseWriter, r *http.Request) error {
	values, err := form(w, r)
	if err != nil {
		return err
	}
	c, err := shown(r, values)
	if err != nil {
		return err
	}
	secret, err := s.authenticate(r.Context(), c)
	if err != nil {
		return err
	}
	token := values.Get("token") // "" opens nothing either
	revoked, err := s.gateway.OAuthRevoke(r.Context(), access.Revocation{Token: access.ProofOf(token), ClientID: c.id, Secret: secret})
	if err != nil {
		e := asError(err)
		e.Basic = e.Code == invalidClient && c.basic
		return e
	}
	if revoked {
		s.revoked(c.id)
	}
	if token == "" {
		return refuse(invalidRequest, "The parameter token is missing.")
	}
	return nil
}
