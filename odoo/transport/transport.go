package transport

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"doorman/odoo/wire"
)

// The ways to reach the addon.
const (
	Auto    = "auto"    // the first of the others that gets through
	Doorman = "doorman" // the addon's own JSON-RPC endpoint: the fastest, the default
	JSON2   = "json2"   // Odoo's JSON-2 API
	JSONRPC = "jsonrpc" // Odoo's /jsonrpc, deprecated in Odoo 19
	XMLRPC  = "xmlrpc"  // Odoo's XML-RPC, deprecated in Odoo 19
)

// Options say which Odoo, and how to reach it. All are required but RoundTripper, Workers, Hello
// and Greet.
type Options struct {
	Base     *url.URL  // Odoo's base URL, without a user, a query and a fragment
	Database string    // sent as X-Odoo-Database with every request
	Key      KeySource // the service's own key
	Login    string    // the service user's login, for /jsonrpc and XML-RPC
	Way      string    // one of the ways above

	// Hello is what every hello says: Auto looks for a way by one.
	Hello map[string]any

	// Interface is the number of the interface that the service speaks, stated with every request.
	Interface int
	// Fits says why an addon that answers hello so cannot take the service's calls. A nil error is that it
	// can, a nil function that every addon can.
	Fits func(hello json.RawMessage) error
	// Greet makes the first call wait for a hello.
	Greet bool

	MaxBody     int64 // the largest answer in bytes, unpacked; a larger one is a failure of class TooLarge
	MaxInFlight int   // how many requests are sent at once at most; that many connections are kept
	Workers     int   // how many requests Odoo works on at once; 0 = as Odoo says
	Batch       int   // how many reads may share a request; 1 = none

	// RoundTripper replaces the network, for tests; nil = a transport of the link's own. Proxy variables of the
	// environment are not read: Odoo is a neighbour, and the key must not go by way of somebody else's proxy.
	RoundTripper http.RoundTripper

	// Batched is told how many reads each request with reads took.
	Batched func(n int)
}

// Way reaches one gateway method by one way. The result is the method's own result as JSON; every error is a *Failure. It
// sends a call at most once, unless not one byte of it had left or the method is Repeatable.
type Way interface {
	Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error)
}

// Link is the connection to one Odoo: a Way for the gateway's methods, and JSON-2 for people's own requests. It is safe
// for concurrent use.
type Link struct {
	poster *poster
	hands  *handshake // before way
	way    Way
	name   string
}

var _ Way = (*Link)(nil)

const (
	gatewayModel = "doorman.gateway"
	mimeJSON     = "application/json"
)

// repeatable are the methods that change nothing, so that asking twice is the same as asking once. call is not among
// them even when it reads: it counts, and it writes the audit.
var repeatable = map[string]bool{"hello": true, "resolve": true, "fields": true, "file_open": true, "oauth_client": true}

// Repeatable reports whether a gateway method changes nothing, so that it may be sent again.
func Repeatable(method string) bool { return repeatable[method] }

// New builds a link. It does not talk to Odoo. The error is about Options.Way.
func New(o Options) (*Link, error) {
	p := newPoster(o)
	way, err := newWay(o, p)
	if err != nil {
		return nil, err
	}
	hands := &handshake{next: way, hello: o.Hello, fits: o.Fits, greet: o.Greet}
	return &Link{poster: p, hands: hands, way: way, name: o.Way}, nil
}

// Do implements Way.
func (l *Link) Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	return l.hands.Do(ctx, method, params)
}

// Answered reports whether the addon has ever said hello.
func (l *Link) Answered() bool {
	known, _ := l.hands.said()
	return known
}

// Misfit is why the addon, as it last said hello, cannot take calls, as a *Failure; nil if it can, or has said nothing.
func (l *Link) Misfit() error { return l.hands.failure() }

// Name is the way in use: for Auto also the one it picked, e.g. "auto/json2".
func (l *Link) Name() string {
	if a, ok := l.way.(*autoWay); ok {
		return a.name()
	}
	return l.name
}

// Address is where Odoo is, fit to be printed: scheme and host.
func (l *Link) Address() string { return l.poster.base.Scheme + "://" + l.poster.base.Host }

// Close drops the idle connections. Calls in flight go on; the link stays usable.
func (l *Link) Close() { l.poster.client.CloseIdleConnections() }

// newWay builds the way that o.Way names.
func newWay(o Options, p *poster) (Way, error) {
	switch o.Way {
	case Auto:
		return newAuto(o, p), nil
	case Doorman:
		return newDoormanWay(o, p), nil
	case JSON2:
		return &json2Way{poster: p, key: o.Key}, nil
	case JSONRPC:
		t := &jsonrpcWay{poster: p, key: o.Key}
		t.session = newSession(o, t.authenticate)
		return t, nil
	case XMLRPC:
		t := &xmlrpcWay{poster: p, key: o.Key}
		t.session = newSession(o, t.authenticate)
		return t, nil
	}
	return nil, errors.New("odoo: unknown transport; use auto, doorman, json2, jsonrpc or xmlrpc")
}

// encode writes v as JSON. What cannot be written was not sent.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &Failure{Class: BadRequest, Reason: "arguments cannot be written as JSON"}
	}
	return b, nil
}

var noDatabase = regexp.MustCompile(`database "[^"\n]*" does not exist`)

// exception is how Odoo's JSON endpoints report one (http.py, serialize_exception). Its debug, a traceback, and its
// arguments are not even decoded.
type exception struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// fault is the failure of an exception.
func (e exception) fault(status int) *Failure {
	f := &Failure{Class: Fault, Sent: true, Reason: "exception", Name: e.Name, Message: e.Message, Status: status}
	switch wire.LastName(e.Name) {
	case "AccessDenied", "Unauthorized", "SessionExpiredException":
		f.Class, f.Reason = KeyRefused, "key refused"
	case "NotFound":
		f.Class, f.Reason = Missing, "no such model, method or path"
	case "UserError":
		if e.Message == "Object "+gatewayModel+" doesn't exist" { // service/model.py, execute_cr
			f.Class, f.Reason = Missing, "no such model"
		}
	case "AttributeError":
		if strings.Contains(e.Message, "'"+gatewayModel+".") { // service/model.py, get_public_method
			f.Class, f.Reason = Missing, "no such method"
		}
	case "OperationalError":
		if noDatabase.MatchString(e.Message) {
			f.Class, f.Reason = Missing, "no such database"
		}
	}
	return f
}
