package transport

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"

	"doorman/odoo/wire"
)

// doormanWay is the addon's own endpoint.
type doormanWay struct {
	poster *poster
	key    KeySource
	ids    atomic.Int64
	reads  *batcher
}

func newDoormanWay(o Options, p *poster) *doormanWay {
	t := &doormanWay{poster: p, key: o.Key}
	t.reads = &batcher{
		most: o.Batch, workers: o.Workers, told: o.Batched,
		send: func(ctx context.Context, body []byte) (incoming, error) {
			return p.post(ctx, outgoing{path: doormanPath, bearer: o.Key(), ctype: mimeJSON, body: body})
		},
	}
	return t
}

const doormanPath = "/doorman/jsonrpc"

func (t *doormanWay) Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	id := t.ids.Add(1)
	if mayShare(method, params) {
		body, err := encodeRequest(id, method, params)
		if err != nil {
			return nil, err
		}
		return t.reads.do(ctx, id, body)
	}
	raw, err := envelope(ctx, t.poster, outgoing{path: doormanPath, bearer: t.key(), repeat: repeatable[method]},
		id, method, wire.Object(params))
	if err == nil && method == "hello" {
		t.reads.learn(raw)
	}
	return raw, err
}

// jsonrpcWay is Odoo's /jsonrpc (addons/rpc/controllers/jsonrpc.py): database, user id and key go in the body.
type jsonrpcWay struct {
	poster  *poster
	key     KeySource
	session *session
	ids     atomic.Int64
}

func (t *jsonrpcWay) Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	return t.session.do(ctx, func(uid int64) (json.RawMessage, error) {
		args := []any{t.poster.db, uid, string(t.key()), gatewayModel, method, []any{}, t.poster.stating(params)}
		return t.service(ctx, "object", "execute_kw", args, repeatable[method])
	})
}

// authenticate asks for the user id behind the login and the key (service/common.py, exp_authenticate).
func (t *jsonrpcWay) authenticate(ctx context.Context, login string) (int64, error) {
	args := []any{t.poster.db, login, string(t.key()), map[string]any{}}
	raw, err := t.service(ctx, "common", "authenticate", args, true)
	if err != nil {
		return 0, err
	}
	var uid int64
	if json.Unmarshal(raw, &uid) != nil { // a wrong key answers false
		return 0, &Failure{Class: KeyRefused, Sent: true, Reason: "login or key refused"}
	}
	return uid, nil
}

func (t *jsonrpcWay) service(ctx context.Context, service, method string, args []any, repeat bool) (json.RawMessage, error) {
	return envelope(ctx, t.poster, outgoing{path: "/jsonrpc", repeat: repeat}, t.ids.Add(1), "call",
		map[string]any{"service": service, "method": method, "args": args})
}

// envelope sends one JSON-RPC 2.0 request.
func envelope(ctx context.Context, p *poster, o outgoing, id int64, method string, params any) (json.RawMessage, error) {
	body, err := encodeRequest(id, method, params)
	if err != nil {
		return nil, err
	}
	o.ctype, o.body = mimeJSON, body
	in, err := p.post(ctx, o)
	if err != nil {
		return nil, err
	}
	return decodeEnvelope(in, id)
}

func encodeRequest(id int64, method string, params any) ([]byte, error) {
	return encode(map[string]any{"jsonrpc": "2.0", "id": id, "method": method, "params": params})
}

// decodeEnvelope takes the result out of a JSON-RPC answer. An error envelope counts whatever the status, since Odoo
// sends it with 200 and the addon with the status that fits; a result counts with 200 only.
func decodeEnvelope(in incoming, id int64) (json.RawMessage, error) {
	if !in.json || in.status == http.StatusUnauthorized {
		return nil, statusFailure(in)
	}
	var env struct {
		ID     json.RawMessage `json:"id"`
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Code    json.RawMessage `json:"code"`
			Message string          `json:"message"`
			Data    exception       `json:"data"`
		} `json:"error"`
	}
	if json.Unmarshal(in.body, &env) != nil {
		return nil, statusFailure(in)
	}
	switch {
	case env.Error != nil && env.Result == nil && env.Error.Data.Name != "":
		return nil, env.Error.Data.fault(in.status)
	case env.Error != nil || in.status != http.StatusOK || env.Result == nil:
		return nil, statusFailure(in)
	case string(env.ID) != strconv.FormatInt(id, 10):
		// The answer to somebody else's question, from a connection that got out of step: it must reach nobody.
		return nil, &Failure{Class: Garbage, Sent: true, Status: in.status, Reason: "answer to another request"}
	}
	return env.Result, nil
}
