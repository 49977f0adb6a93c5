package wire

import (
	"errors"
	"net/url"
	"strconv"
	"strings"
)

// BaseURL accepts what can be joined with a path and printed. The error never repeats the URL: a password in it would
// be printed with it.
func BaseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Hostname() == "" || !portOf(u) || (u.Scheme != "http" && u.Scheme != "https"):
		return nil, errors.New("odoo: the URL of Odoo must look like https://odoo.example.com")
	case u.User != nil:
		return nil, errors.New("odoo: the URL of Odoo must not hold a user or a password")
	case u.RawQuery != "" || u.Fragment != "" || u.ForceQuery:
		return nil, errors.New("odoo: the URL of Odoo must not hold a query or a fragment")
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	return u, nil
}

// portOf reports whether a URL's port is one, or is left to its scheme.
func portOf(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && n > 0
}

// webURL takes what people's browsers may be sent to. Anything else (javascript:, a password, a query that would swallow
// the path) is as if Odoo had said nothing.
func webURL(s string) string {
	base, err := BaseURL(s)
	if err != nil {
		return ""
	}
	return base.String()
}

// opens reports whether an address is one of a web page. Clients open it in their user's browser.
func opens(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && u.User == nil
}
