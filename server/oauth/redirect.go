package oauth

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	"doorman/server/access"
)

// target says what kind of place a redirect URI is.
type target int

const (
	targetNone     target = iota // must not be used, whatever is set
	targetWeb                    // https
	targetLoopback               // http on this machine: a program that listens for its user's browser
	targetScheme                 // a program that the system starts for a scheme of its own
)

// classify judges a redirect URI by itself, at registration and before every use. The characters come first: a browser
// may read backslashes, controls and non-ASCII in another way than this parser, and then the host that was judged is not
// the host that people are sent to.
func classify(raw string) target {
	if raw == "" || len(raw) > access.MaxRedirectURI || strings.ContainsAny(raw, "\\\"<>^`{|}# *") ||
		strings.ContainsFunc(raw, func(r rune) bool { return r <= ' ' || r >= 0x7f }) || !escapesPlain(raw) {
		return targetNone
	}
	scheme, authority, path, ok := split(raw)
	u, err := url.Parse(raw)
	if !ok || err != nil || u.User != nil || strings.Contains(authority, "@") || dotSegments(path) {
		return targetNone
	}
	switch scheme {
	case "https":
		if strings.HasPrefix(raw, "https://") && hostAndPort(authority) {
			return targetWeb
		}
	case "http":
		if _, ok := loopbackRest(raw); ok {
			return targetLoopback
		}
	default:
		if schemeName(scheme) && !slices.Contains(access.BrowserSchemes, scheme) {
			return targetScheme
		}
	}
	return targetNone
}

// split takes a URI apart: scheme://authority/path, or scheme:/path, as RFC 8252 section 7.1 has it for a program's own
// scheme. Nobody is sent to anything else that begins with a scheme: javascript:alert(1), mailto:a@b.
func split(raw string) (scheme, authority, path string, ok bool) {
	scheme, rest, found := strings.Cut(raw, ":")
	if !found || !strings.HasPrefix(rest, "/") || rest == "//" {
		return "", "", "", false
	}
	rest, hasAuthority := strings.CutPrefix(rest, "//")
	if !hasAuthority {
		return scheme, "", rest, true
	}
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		return scheme, rest[:i], rest[i:], true
	}
	return scheme, rest, "", true
}

// knownApp reports whether a URI leads to a program of KnownApps, and there to where logins end.
func knownApp(raw string) bool {
	scheme, authority, path, ok := split(raw)
	if !ok {
		return false
	}
	for _, app := range access.KnownApps {
		if part := strings.Split(app, "|"); part[0] == scheme {
			owners := strings.Fields(part[2])
			if slices.Contains(owners, "extensions") {
				owners = append(owners, access.EditorExtensions...)
			}
			path, _, _ = strings.Cut(path, "?")
			return endsLogins(strings.TrimPrefix(strings.ToLower(authority)+path, "/"), owners)
		}
	}
	return false
}

// endsLogins reports whether a place in a program begins with a word for that, or with one of the owners.
func endsLogins(place string, owners []string) bool {
	first, _, _ := strings.Cut(place, "/")
	return slices.Contains(access.CallbackWords, first) || slices.ContainsFunc(owners, func(owner string) bool {
		return place == owner || strings.HasPrefix(place, owner+"/")
	})
}

// escapesPlain refuses escapes that are broken, and those of control characters: a header that is split in two begins so.
func escapesPlain(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			continue
		}
		if i+2 >= len(s) {
			return false
		}
		n, err := strconv.ParseUint(s[i+1:i+3], 16, 8)
		if err != nil || n < ' ' || n == 0x7f {
			return false
		}
		i += 2
	}
	return true
}

// dotSegments reports a path with "." or ".." in it, also escaped: browsers resolve those, and leave the path that was
// registered.
func dotSegments(path string) bool {
	path, _, _ = strings.Cut(path, "?")
	path = strings.ReplaceAll(strings.ToLower(path), "%2e", ".")
	return slices.ContainsFunc(strings.Split(strings.ReplaceAll(path, "%2f", "/"), "/"), func(s string) bool { return s == "." || s == ".." })
}

// hostAndPort takes a name or an IPv4 address, and a port that is a number.
func hostAndPort(authority string) bool {
	host := authority
	if i := strings.LastIndexByte(authority, ':'); i >= 0 {
		host = authority[:i]
		if !portNumber(authority[i+1:]) {
			return false
		}
	}
	return host != "" && !strings.HasPrefix(host, ".") && !strings.Contains(host, "..") &&
		strings.Trim(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") == ""
}

func portNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 16)
	return err == nil && n > 0 && s[0] != '0' && s[0] != '+'
}

func schemeName(s string) bool {
	return len(s) >= 2 && len(s) <= access.MaxScheme && s[0] >= 'a' && s[0] <= 'z' && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789+-.") == ""
}

// loopbackRest returns what follows the authority of an http URI on this machine: http://127.0.0.1:1234/cb -> /cb. The
// three names for this machine are one (RFC 8252 section 7.3, and "localhost", which clients use all the same).
func loopbackRest(raw string) (rest string, ok bool) {
	s, found := strings.CutPrefix(raw, "http://")
	if !found {
		return "", false
	}
	if i := strings.IndexAny(s, "/?"); i >= 0 {
		s, rest = s[:i], s[i:]
	}
	for _, host := range access.LoopbackHosts {
		if strings.Contains(host, ":") {
			host = "[" + host + "]"
		}
		port, isHost := strings.CutPrefix(s, host)
		if isHost && (port == "" || port[0] == ':' && portNumber(port[1:])) {
			return rest, true
		}
	}
	return "", false
}

// matches reports whether a redirect URI is one of a client's: byte for byte (RFC 9700 section 2.1), but for the port and
// the name of this machine in a loopback URI. A program asks the system for a free port each time (RFC 8252 section 7.3).
func matches(registered []string, asked string) bool {
	if slices.Contains(registered, asked) {
		return true
	}
	rest, ok := loopbackRest(asked)
	return ok && slices.ContainsFunc(registered, func(r string) bool {
		other, ok := loopbackRest(r)
		return ok && other == rest
	})
}

// redirectAllowed reports whether the settings let people be sent to such a place. Loopback always is: it is the only way
// for a program on the person's own machine.
func redirectAllowed(settings access.OAuthSettings, raw string) bool {
	switch classify(raw) {
	case targetLoopback:
		return true
	case targetWeb:
		u, err := url.Parse(raw)
		return err == nil && hostListed(settings.RedirectHosts, u.Hostname())
	case targetScheme:
		return settings.CustomSchemes || settings.KnownSchemes && knownApp(raw)
	}
	return false
}

// hostListed reports whether a host is on a list. An empty list names no restriction.
func hostListed(list []string, host string) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(s string) bool { return strings.EqualFold(strings.TrimSpace(s), host) })
}
