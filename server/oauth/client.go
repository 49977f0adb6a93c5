package oauth

import (
	"context"
	"regexp"
	"strings"

	"doorman/server/access"
)

// ownClientID is the id of a client that Odoo keeps.
var ownClientID = regexp.MustCompile("^" + access.PrefixClient + "[A-Za-z0-9_-]{1,64}$")

var errUnknownClient = refuse(invalidClient, "This client does not exist, or no longer exists. Register again, or connect again.")

// client finds who asks, for a redirect URI that it sent; "" if there is none to look for.
func (s *Server) client(ctx context.Context, settings access.OAuthSettings, id, redirectURI string) (access.OAuthClient, error) {
	if ownClientID.MatchString(id) {
		return s.gateway.OAuthClient(ctx, id)
	}
	host, ok := documentHost(id)
	switch {
	case !ok:
		return access.OAuthClient{}, errUnknownClient
	case !settings.Documents:
		return access.OAuthClient{}, refuse(invalidClient, "Clients that are known by a document on the web are switched off in this Odoo.")
	case !hostListed(settings.DocumentHosts, host):
		return access.OAuthClient{}, refuse(invalidClient, "An administrator does not allow clients of this host.")
	}
	copied, known := pinned[id]
	if known && matches(copied.RedirectURIs, redirectURI) {
		return copied, nil
	}
	found, err := s.documents.get(ctx, id, host)
	if err != nil && known {
		return copied, nil // the copy does not have the URI either: that is what there is to say
	}
	return found, err
}

// isDocument reports whether a client id is one of a document, for endpoints that do not need the document itself: what
// was agreed to with it is bound to its id in Odoo.
func isDocument(id string) bool {
	if strings.HasPrefix(id, access.PrefixClient) {
		return false
	}
	_, ok := documentHost(id)
	return ok
}
