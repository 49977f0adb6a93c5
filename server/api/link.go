package api

import (
	"net/http"
	"regexp"
)

// tokenForm is how the addon writes 256 random bits (models/invite/doorman_invite.py, TOKEN).
var tokenForm = regexp.MustCompile(`^[A-Za-z0-9_-]{43}$`)

// link sends a browser to Odoo's page, with the token behind the #. The same for every well-formed token: here nobody
// learns which ones there are. What is not a token goes along nowhere: the page says that the link is not complete.
func (a *API) link(w http.ResponseWriter, _ *http.Request, token string) {
	to := a.config.WebURL() + "/doorman/invite"
	if tokenForm.MatchString(token) {
		to += "#" + token
	}
	header := w.Header()
	header.Set("Location", to)
	header.Set("Referrer-Policy", "no-referrer") // the path of this page is the secret
	header.Set("X-Robots-Tag", "noindex")
	header.Set("X-Frame-Options", "DENY")
	w.WriteHeader(http.StatusSeeOther)
}
