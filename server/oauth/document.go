package oauth

import (
	"net/url"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/safefetch"
)

const maxClientID = 512 // bytes

// documentHost returns the host of a client id that is the URL of a document, and false for one that must not be fetched
// (draft-ietf-oauth-client-id-metadata-document, section 3): https on port 443 of a public name, with a path, without
// fragment, user, or dot segments in any spelling.
func documentHost(id string) (host string, ok bool) {
	if len(id) > maxClientID || !strings.HasPrefix(id, "https://") || strings.ContainsAny(id, "\\\"<>^`{|}#@ *") ||
		strings.ContainsFunc(id, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || !escapesPlain(id) {
		return "", false
	}
	u, err := url.Parse(id)
	if err != nil || u.User != nil || u.Fragment != "" || u.Opaque != "" || (u.Port() != "" && u.Port() != "443") ||
		strings.HasSuffix(u.Host, ":") || u.Path == "" || u.Path == "/" || dotSegments(u.EscapedPath()) || dotSegments(u.Path) ||
		!safefetch.PublicName(u.Hostname()) {
		return "", false
	}
	return u.Hostname(), true
}

// sharedSecrets are ways to authenticate that need a secret both sides know. A document is public: it has none.
var sharedSecrets = []string{methodBasic, methodPost, "client_secret_jwt"}

// parseDocument reads a client's document. Its client_id must be the very URL it came from, byte for byte: else anybody who can
// put a file on a host could speak for every other file there.
func parseDocument(id string, body []byte) (access.OAuthClient, error) {
	bad := func(why string) (access.OAuthClient, error) {
		return access.OAuthClient{}, refuse(invalidClient, "The client's metadata document "+why)
	}
	m, ok := parseMembers(body)
	if !ok {
		return bad("is not one JSON object with each name once.")
	}
	if own, ok := m.text("client_id", maxClientID); !ok || own != id {
		return bad("has another client_id than its own address.")
	}
	name, ok := m.text("client_name", 4*access.MaxClientName)
	if name = strings.TrimSpace(name); !ok || name == "" || !fitName(name) {
		return bad("has no client_name that can be shown.")
	}
	if m["client_secret"] != nil || m["client_secret_expires_at"] != nil {
		return bad("has a client_secret, which everybody can read.")
	}
	if !publicMethod(m) {
		return bad("does not let its client do without a secret (token_endpoint_auth_method none).")
	}
	if err := checkFlow(m); err != nil {
		return bad("does not ask for the grant authorization_code.")
	}
	uris, ok := m.texts("redirect_uris")
	if !ok || len(uris) == 0 || len(uris) > 4*access.MaxRedirectURIs {
		return bad("has no list of redirect_uris.")
	}
	// What must not be used is left out: the document was written for other servers, too.
	uris = slices.DeleteFunc(uris, func(uri string) bool { return classify(uri) == targetNone })
	if len(uris) == 0 {
		return bad("has no redirect URI that may be used.")
	}
	c := access.OAuthClient{ID: id, Kind: access.ClientDocument, Name: name, RedirectURIs: uris[:min(len(uris), access.MaxRedirectURIs)]}
	if uri, ok := m.text("client_uri", maxURI); ok && webPage(uri) {
		c.URI = uri
	}
	return c, nil
}

// publicMethod reports whether a document lets its client come without a secret: by the one field, or by the list that
// ChatGPT's has beside it. Without either it does: this is a public client's document.
func publicMethod(m members) bool {
	list, okList := m.texts("token_endpoint_auth_methods_supported")
	one, okOne := m.text("token_endpoint_auth_method", 64)
	switch {
	case !okList || !okOne || slices.Contains(sharedSecrets, one):
		return false
	case slices.Contains(list, methodNone):
		return true
	case list != nil:
		return false
	}
	return one == methodNone || one == ""
}
