package oauth

import (
	"net/http"
	"net/netip"
	"regexp"

	"github.com/labstack/echo/v4"

	"doorman/server/access"
)

var tokenForm = regexp.MustCompile(`^dm[ar]_[A-Za-z0-9_-]{43}$`)

// revokeEndpoint ends a token (RFC 7009). A valid client gets 200 whether there was such a token or not: nobody learns
// here which tokens exist.
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
	token := values.Get("token")
	if token == "" {
		return refuse(invalidRequest, "The parameter token is missing.")
	}
	if !tokenForm.MatchString(token) {
		return nil
	}
	revoked, err := s.gateway.OAuthRevoke(r.Context(), access.Revocation{Token: access.ProofOf(token), ClientID: c.id, Secret: secret})
	if err != nil {
		e := asError(err)
		e.Basic = e.Code == invalidClient && c.basic
		return e
	}
	if revoked {
		s.revoked(c.id)
	}
	return nil
}
