package transport

import (
	"context"
	"encoding/json"
	"net/http"

	"doorman/odoo/wire"
)

// json2Way is Odoo's JSON-2 API (addons/rpc/controllers/json2.py): the result is the whole body, an exception comes
// with a status of its own.
type json2Way struct {
	poster *poster
	key    KeySource
}

func (t *json2Way) Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	body, err := encode(wire.Object(params))
	if err != nil {
		return nil, err
	}
	in, err := t.poster.post(ctx, outgoing{
		path: "/json/2/" + gatewayModel + "/" + method, ctype: mimeJSON, bearer: t.key(), repeat: repeatable[method], body: body,
	})
	if err != nil {
		return nil, err
	}
	return decodeJSON2(in)
}

// decodeJSON2 takes the result out of a JSON-2 answer.
func decodeJSON2(in incoming) (json.RawMessage, error) {
	switch {
	case in.json && in.status == http.StatusOK && json.Valid(in.body):
		return in.body, nil
	case !in.json || in.status == http.StatusOK || in.status == http.StatusUnauthorized:
		return nil, statusFailure(in)
	}
	var e exception
	if json.Unmarshal(in.body, &e) != nil || e.Name == "" {
		return nil, statusFailure(in)
	}
	return nil, e.fault(in.status)
}

const maxKey = 512 // bytes; Odoo's own keys have 40

// AskAs calls a method of a model over JSON-2 with a person's own key: their rights are those of the key, and the link's
// has no part in it. It is sent once. The result is the method's own as JSON; every error is a *Failure, of an exception
// only by name.
func (l *Link) AskAs(ctx context.Context, key Key, model, method string, args map[string]any) (json.RawMessage, error) {
	body, err := encode(wire.Object(args))
	if err != nil {
		return nil, err
	}
	in, err := l.poster.post(ctx, outgoing{path: "/json/2/" + model + "/" + method, ctype: mimeJSON, bearer: key, body: body})
	if err != nil {
		return nil, err
	}
	if in.status != http.StatusOK || !in.json || !json.Valid(in.body) {
		return nil, personFailure(in)
	}
	return in.body, nil
}

// CheckKey reports a key of a form that no key has. It is asked before anything waits or is sent.
func CheckKey(key Key) error {
	if len(key) == 0 || len(key) > maxKey || !HeaderSafe(string(key)) {
		return &Failure{Class: KeyRefused, Reason: "key of a form that no key has"}
	}
	return nil
}

// personFailure classifies an answer that is not the addon's. Of an exception only its name is read: its message may quote
// what was sent, and its debug is a traceback.
func personFailure(in incoming) *Failure {
	f := statusFailure(in)
	var e exception
	if in.json && in.status != http.StatusUnauthorized && json.Unmarshal(in.body, &e) == nil && e.Name != "" {
		f = e.fault(in.status)
		f.Message = ""
	}
	return f
}
