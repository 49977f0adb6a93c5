package oauth

import "doorman/server/access"

// What the fuzz targets reach.
var (
	Matches       = matches
	LoopbackRest  = loopbackRest
	ParseDocument = parseDocument
	DocumentHost  = documentHost
	ParseBasic    = parseBasic
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
