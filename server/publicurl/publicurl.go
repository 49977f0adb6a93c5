// Package publicurl knows the one form in which an address of ours is kept, told and compared. People type
// HTTPS://MCP.Example.com:443/ and clients send https://mcp.example.com: both mean the same server, and one function says
// so. What makes it another server (scheme, host, port) always counts.
package publicurl

import (
	"errors"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"golang.org/x/net/idna"
)

// ErrNotOne is the error of Parse. It does not repeat the address, which may hold a password.
var ErrNotOne = errors.New("not an http or https address without user, query and fragment")

// names turns the names of hosts into what DNS, browsers and the Host header have (RFC 5891, UTS 46): small letters,
// punycode. A name that browsers would not take is an error. Underscores are taken: inside networks have such names.
var names = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false), idna.BidiRule())

// Parse reads an http or https address and brings it into its one form (RFC 3986 section 6.2): scheme and host in small
// letters, the host in punycode, an IP address as it is usually written, no default port, no slash at the end. The rest of
// the path stays as it is.
func Parse(raw string) (*url.URL, error) {
	u, err := url.Parse(raw)
	if err != nil || strings.Contains(raw, "#") || u.User != nil || u.Opaque != "" || u.RawQuery != "" || u.ForceQuery {
		return nil, ErrNotOne
	}
	scheme := strings.ToLower(u.Scheme)
	if scheme != "http" && scheme != "https" {
		return nil, ErrNotOne
	}
	host, ok := hostOf(scheme, u.Hostname(), u.Port())
	if !ok || strings.HasSuffix(u.Host, ":") {
		return nil, ErrNotOne
	}
	normal := &url.URL{Scheme: scheme, Host: host, Path: strings.TrimRight(u.Path, "/"), RawPath: strings.TrimRight(u.RawPath, "/")}
	return normal, nil
}

// hostOf joins a name and a port in their one form.
func hostOf(scheme, name, port string) (string, bool) {
	if addr, err := netip.ParseAddr(name); err == nil {
		if addr.Zone() != "" {
			return "", false
		}
		if name = addr.String(); addr.Is6() {
			name = "[" + name + "]"
		}
	} else if name, err = names.ToASCII(name); err != nil || !isName(name) {
		return "", false
	}
	if port == "" {
		return name, true
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil || n == 0 {
		return "", false
	}
	if scheme == "http" && n == 80 || scheme == "https" && n == 443 {
		return name, true
	}
	return name + ":" + strconv.FormatUint(n, 10), true
}

// isName holds for what may stand in a Host header and in a policy of a page, and ends neither.
func isName(s string) bool {
	return s != "" && len(s) <= 253 && s[0] != '.' && !strings.Contains(s, "..") &&
		strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789-._") == ""
}

// IsHost reports whether a Host header (RFC 9110 section 7.2) names the host of an address that Parse made.
func IsHost(u *url.URL, header string) bool {
	named, err := Parse(u.Scheme + "://" + header)
	return err == nil && named.Host == u.Host && !strings.Contains(header, "/")
}
