package odoo

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"sync"
	"time"

	"github.com/google/uuid"

	"doorman/odoo/transport"
	"doorman/odoo/wire"
	"doorman/server/access"
)

// Key is an API key of Odoo's. It prints as [redacted] in every format.
type Key = transport.Key

// The ways to reach the addon, for Config.Transport.
const (
	TransportAuto    = transport.Auto    // the first of the others that gets through
	TransportDoorman = transport.Doorman // the addon's own JSON-RPC endpoint: the fastest, the default
	TransportJSON2   = transport.JSON2   // Odoo's JSON-2 API
	TransportJSONRPC = transport.JSONRPC // Odoo's /jsonrpc, deprecated in Odoo 19
	TransportXMLRPC  = transport.XMLRPC  // Odoo's XML-RPC, deprecated in Odoo 19
)

// DefaultLogin is the login of the user that the addon makes for the service.
const DefaultLogin = "doorman-service"

// Config says which Odoo, and how to reach it. URL, Database and Key are required.
type Config struct {
	URL       string        // Odoo's base URL, http or https, with or without a path; no user, query or fragment
	Database  string        // sent as X-Odoo-Database with every request
	Key       Key           // the service's own key
	KeyFrom   func() Key    // gives it at each request, where it may change; nil = Key
	Login     string        // the service user's login, for /jsonrpc and XML-RPC; "" = DefaultLogin
	Transport string        // one of the Transport constants; "" = TransportDoorman
	Version   string        // the service's own version, told to Odoo with every hello; may be empty
	Endpoint  string        // the service's own MCP endpoint as AI tools reach it, told likewise; may be empty
	Replica   string        // which process this is, told likewise; "" = one drawn for this client
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

	// Observe gets every finished call: the gateway method, "ok" or the error's kind, and how long it took.
	// It must be fast and safe for concurrent use. nil = nobody.
	Observe func(method, outcome string, d time.Duration)

	// InFlight is told +1 when a call goes to Odoo and -1 when it is back; the queue does not count. nil = nobody.
	InFlight func(delta float64)

	// Batched is told how many reads each request with reads took. nil = nobody.
	Batched func(n int)
}

// CheckURL says what is wrong with a URL of Odoo's, without quoting it; nil if it can be Config.URL.
func CheckURL(s string) error {
	_, err := wire.BaseURL(s)
	return err
}

// HeaderSafe reports whether s can be sent in a header, as Config.Key and Config.Database are.
func HeaderSafe(s string) bool { return transport.HeaderSafe(s) }

// withDefaults returns c with its gaps filled, or what is wrong with it, all of it, without the key.
func (c Config) withDefaults() (Config, *url.URL, error) {
	base, err := wire.BaseURL(c.URL)
	errs := []error{err}
	if c.Database == "" || !transport.HeaderSafe(c.Database) {
		errs = append(errs, errors.New("odoo: the database name is missing, or has characters that no header can hold"))
	}
	if c.Key == "" || !transport.HeaderSafe(string(c.Key)) {
		errs = append(errs, errors.New("odoo: the service key is missing, or has characters that no header can hold"))
	}
	if c.KeyFrom == nil {
		c.KeyFrom = func() Key { return c.Key }
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
	if c.Replica == "" {
		c.Replica = uuid.NewString()
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

// transport is the part of c that says how to reach Odoo. c has its defaults.
func (c Config) transport(base *url.URL) transport.Options {
	return transport.Options{
		Base: base, Database: c.Database, Key: c.KeyFrom, Login: c.Login, Way: c.Transport,
		Hello: wire.EncodeHello(c.Version, c.Endpoint, c.Replica), MaxBody: c.MaxBody, MaxInFlight: c.MaxInFlight,
		Workers: c.Workers, Batch: c.Batch, RoundTripper: c.RoundTripper, Batched: c.Batched,
		Interface: access.Interface, Greet: c.Greet,
		Fits: new(origin).fits,
	}
}

// origin remembers which database answered first.
type origin struct {
	mu       sync.Mutex
	id, name string
}

// fits is transport.Options.Fits.
func (o *origin) fits(hello json.RawMessage) error {
	if misfit := wire.Misfit(hello); misfit != nil {
		return misfit
	}
	id, name := wire.Origin(hello)
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case id == "" || id == o.id:
		return nil
	case o.id == "":
		o.id, o.name = id, name
		return nil
	}
	return wire.OtherDatabase(o.name, name)
}
