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

// Usable reports whether a redirect URI is one that people may be sent to, whatever is set.
func Usable(uri string) bool { return classify(uri) != targetNone }

// Pinned are the copies, by client id.
func Pinned() map[string]access.OAuthClient { return pinned }
