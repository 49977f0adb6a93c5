package odoo

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Key is Odoo's key for the service. It prints as [redacted] in every format, so that a config that is logged as a whole
// does not carry it.
type Key string

const redacted = "[redacted]"

// String hides the key.
func (Key) String() string { return redacted }

// GoString hides the key from %#v.
func (Key) GoString() string { return redacted }

// Format hides the key from the verbs that ignore String (%x, %q, %d).
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText hides the key from encoding/json, zerolog and slog.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// The ways to reach the addon.
const (
	TransportAuto    = "auto"    // the first of the others that gets through
	TransportDoorman = "doorman" // the addon's own JSON-RPC endpoint: the fastest, the default
	TransportJSON2   = "json2"   // Odoo's JSON-2 API
	TransportJSONRPC = "jsonrpc" // Odoo's /jsonrpc, deprecated in Odoo 19
	TransportXMLRPC  = "xmlrpc"  // Odoo's XML-RPC, deprecated in Odoo 19
)

// DefaultLogin is the login of the user that the addon makes for the service.
const DefaultLogin = "doorman-service"

// Config says which Odoo, and how to reach it. URL, Database and Key are required.
type Config struct {
	URL       string        // Odoo's base URL, http or https, with or without a path; no user, query or fragment
	Database  string        // sent as X-Odoo-Database with every request
	Key       Key           // the service's own key
	Login     string        // the service user's login, for /jsonrpc and XML-RPC; "" = DefaultLogin
	Transport string        // one of the Transport constants; "" = TransportDoorman
	Version   string        // the service's own version, told to Odoo with every hello; may be empty
	Endpoint  string        // the service's own MCP endpoint as AI tools reach it, told likewise; may be empty
	Timeout   time.Duration // deadline of one call, its time in the queue included; 0 = 30 s

	// Greet makes the first call wait until Odoo has said hello, so that nothing is asked of an addon of another interface.
	// An addon since interface 2 refuses by itself; one before does not.
	Greet bool

	// MaxBody is the largest answer in bytes, unpacked; a larger one is an error of kind too_large. 0 = 32 MiB.
	MaxBody int64

	// MaxInFlight is how many calls may be at Odoo at once; the others wait their turn. 0 = 32.
	MaxInFlight int

	// Workers is how many requests Odoo works on at once, all its servers together; 0 = as Odoo says. Reads beyond that
	// number wait for one another and share a request, over the addon's own endpoint.
	Workers int

	// Batch is how many reads may share a request; 1 = none. 0 = 8.
	Batch int

	// RoundTripper replaces the network, for tests; nil = a transport of the client's own. Proxy variables of the
	// environment are not read: Odoo is a neighbour, and the key must not go by way of somebody else's proxy.
	RoundTripper http.RoundTripper

	// Observe is told of every finished call: the gateway method, "ok" or the error's kind, and how long it took.
	// It must be fast and safe for concurrent use. nil = nobody.
	Observe func(method, outcome string, d time.Duration)

	// InFlight is told +1 when a call goes to Odoo and -1 when it is back; the queue does not count. nil = nobody.
	InFlight func(delta float64)

	// Batched is told how many reads each request with reads took. nil = nobody.
	Batched func(n int)
}

// withDefaults returns c with its gaps filled, or what is wrong with it, all of it, without the key.
func (c Config) withDefaults() (Config, *url.URL, error) {
	base, err := parseBase(c.URL)
	errs := []error{err}
	if c.Database == "" || !headerSafe(c.Database) {
		errs = append(errs, errors.New("odoo: the database name is missing or holds control characters"))
	}
	if c.Key == "" || !headerSafe(string(c.Key)) {
		errs = append(errs, errors.New("odoo: the service key is missing or holds spaces or control characters"))
	}
	if c.Transport == "" {
		c.Transport = TransportDoorman
	}
	if c.Login == "" {
		c.Login = DefaultLogin
	}
	if c.Timeout <= 0 {
		c.Timeout = 30 * time.Second
	}
	if c.MaxBody <= 0 {
		c.MaxBody = 32 << 20
	}
	if c.MaxInFlight <= 0 {
		c.MaxInFlight = 32
	}
	if c.Batch <= 0 {
		c.Batch = 8
	}
	if c.Batched == nil {
		c.Batched = func(int) {}
	}
	if c.Observe == nil {
		c.Observe = func(string, string, time.Duration) {}
	}
	if c.InFlight == nil {
		c.InFlight = func(float64) {}
	}
	return c, base, errors.Join(errs...)
}

// parseBase accepts what can be joined with a path and printed. The error never repeats the URL: a password in it would
// be printed with it.
func parseBase(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https"):
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

// headerSafe reports whether s can be a header value: a key pasted with its line end would otherwise fail on every call,
// far from where the mistake was made.
func headerSafe(s string) bool {
	for _, r := range s {
		if r <= ' ' || r >= 0x7f {
			return false
		}
	}
	return true
}
