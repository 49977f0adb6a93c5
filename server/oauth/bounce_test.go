package oauth_test

import (
	"net/http"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/access"
)

// TestNobodyIsSentToStrangers: a link to Doorman leads to an address that somebody registered for themselves only after its
// reader has logged in and decided. A request that is wrong on purpose is no way around that (RFC 9700 section 4.11.2).
func TestNobodyIsSentToStrangers(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	const (
		documentID = "https://docs.example.com/client.json"
		claudeID   = "https://claude.ai/oauth/mcp-oauth-client-metadata"
		claudeURI  = "https://claude.ai/api/mcp/auth_callback"
	)
	s.web.set(documentID, page(document(documentID)))
	s.odoo.MakeClient("dmo_by_hand", "", webURI)
	registered, loop := s.client(webURI), s.client(loopURI)
	_, challenge := pkce()
	for i, row := range []struct {
		name, client, uri string
		sent              bool
	}{
		{"registered itself", registered, webURI, false},
		{"a document on the web", documentID, webURI, false},
		{"made by an administrator", "dmo_by_hand", webURI, true},
		{"a program on this machine", loop, loopURI, true},
		{"a document that we ship with", claudeID, claudeURI, true},
	} {
		t.Run(row.name, func(t *testing.T) {
			for _, broken := range []struct{ name, value, code string }{
				{"scope", "evil", "invalid_scope"}, {"response_type", "x", "unsupported_response_type"}, {"code_challenge", "", "invalid_request"},
			} {
				q := ask(row.client, row.uri, challenge)
				q.Set(broken.name, broken.value)
				a := s.authorize(q, "From", "198.51.100."+string(rune('0'+i)))
				if row.sent {
					a.sentBack(t, row.uri+"?", broken.code, "st-1")
				} else {
					a.shown(t, broken.code)
				}
			}
		})
	}
	t.Run("Odoo refuses", func(t *testing.T) {
		s.odoo.Inject(odootest.Fault{Kind: odootest.HTML, Status: http.StatusServiceUnavailable, Methods: []string{"oauth_begin"}})
		s.authorize(ask(registered, webURI, challenge), "From", "198.51.100.9").shown(t, "temporarily_unavailable")
	})
	t.Run("a host on the list of an administrator", func(t *testing.T) {
		s := newSite(t)
		s.odoo.SetOAuth(func(o *access.OAuthSettings) { o.RedirectHosts = []string{"app.example.com"} })
		q := ask(s.client(webURI), webURI, challenge)
		q.Set("scope", "evil")
		s.authorize(q).sentBack(t, webURI+"?", "invalid_scope", "st-1")
	})
}
