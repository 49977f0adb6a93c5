package oauth

import (
	"time"

	"doorman/server/access"
)

// What the fuzz targets reach.
var (
	Matches       = matches
	LoopbackRest  = loopbackRest
	ParseDocument = parseDocument
	DocumentHost  = documentHost
	ParseBasic    = parseBasic
	Untrusted     = untrusted
)

// CopiedID is the id of a client whose copy is older than its document, which only the web of the tests has.
const CopiedID = "https://copied.example.com/client.json"

func init() {
	pinned[CopiedID] = access.OAuthClient{
		ID: CopiedID, Kind: pinned["https://vscode.dev/oauth/client-metadata.json"].Kind, Name: "Copied",
		RedirectURIs: []string{"https://copied.example.com/old"},
	}
}

// Usable reports whether a redirect URI is one that people may be sent to, whatever is set.
func Usable(uri string) bool { return classify(uri) != targetNone }

// CheckClaims looks at signed claims as an endpoint of this issuer and resource does, for a client, at a time.
func CheckClaims(issuer, resource, client string, now time.Time, claims []byte) (access.Assertion, bool) {
	m, ok := parseMembers(claims)
	if !ok {
		return access.Assertion{}, false
	}
	s := &Server{issuer: issuer, resource: resource, path: "/mcp", now: func() time.Time { return now }}
	a, err := s.read(m, party{id: client})
	return a, err == nil
}
