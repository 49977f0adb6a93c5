package odoo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
)

// transport reaches one gateway method by one way. The result is the method's own result as JSON; every error is a
// *failure. It sends a call at most once, see once.
type transport interface {
	do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error)
}

const (
	gatewayModel = "doorman.gateway"
	mimeJSON     = "application/json"
)

// repeatable are the methods that change nothing, so that asking twice is the same as asking once. call is not among
// them even when it reads: it counts, and it writes the audit.
var repeatable = map[string]bool{"hello": true, "resolve": true, "fields": true, "file_open": true, "oauth_client": true}

// harmless are methods that touch no record of anybody's: where the answer is lost, whoever asked may ask again. The
// client itself does not: a request that was decided in between would be made a second time.
var harmless = map[string]bool{"request_approval": true, "approval_status": true, "file_link": true, "file_take": true}

// newTransport builds the way that c.Transport names, with the handshake before it.
func newTransport(c Config, p *poster, peer *peer) (transport, error) {
	way := func(next transport) (transport, error) {
		return &handshake{next: next, peer: peer, hello: helloParams(c), greet: c.Greet}, nil
	}
	switch c.Transport {
	case TransportAuto:
		return newAuto(c, p, peer), nil
	case TransportDoorman:
		return way(newDoormanTransport(c, p))
	case TransportJSON2:
		return way(&json2Transport{poster: p, key: c.Key})
	case TransportJSONRPC:
		t := &jsonrpcTransport{poster: p, key: c.Key}
		t.session = newSession(c, t.authenticate)
		return way(t)
	case TransportXMLRPC:
		t := &xmlrpcTransport{poster: p, key: c.Key}
		t.session = newSession(c, t.authenticate)
		return way(t)
	}
	return nil, errors.New("odoo: unknown transport; use auto, doorman, json2, jsonrpc or xmlrpc")
}

// encode writes v as JSON. What cannot be written was not sent.
func encode(v any) ([]byte, error) {
	b, err := json.Marshal(v)
	if err != nil {
		return nil, &failure{class: clsBadRequest, reason: "arguments cannot be written as JSON"}
	}
	return b, nil
}

// exception is how Odoo's JSON endpoints report one (http.py, serialize_exception). Its debug, a traceback, and its
// arguments are not even decoded.
type exception struct {
	Name    string `json:"name"`
	Message string `json:"message"`
}

// fault is the failure of an exception.
func (e exception) fault(status int) *failure {
	f := &failure{class: clsFault, sent: true, reason: "exception", name: e.Name, message: e.Message, status: status}
	switch lastName(e.Name) {
	case "AccessDenied", "Unauthorized", "SessionExpiredException":
		f.class, f.reason = clsKeyRefused, "key refused"
	case "NotFound":
		f.class, f.reason = clsMissing, "no such model, method or path"
	case "UserError":
		if e.Message == "Object "+gatewayModel+" doesn't exist" { // service/model.py, execute_cr
			f.class, f.reason = clsMissing, "no such model"
		}
	case "AttributeError":
		if strings.Contains(e.Message, "'"+gatewayModel+".") { // service/model.py, get_public_method
			f.class, f.reason = clsMissing, "no such method"
		}
	case "OperationalError":
		if noDatabase.MatchString(e.Message) {
			f.class, f.reason = clsMissing, "no such database"
		}
	}
	return f
}

// isNull reports a JSON null, or nothing.
func isNull(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}
