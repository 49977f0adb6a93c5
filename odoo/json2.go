package odoo

import (
	"context"
	"encoding/json"
	"net/http"
)

// json2Transport is Odoo's JSON-2 API (addons/rpc/controllers/json2.py): the result is the whole body, an exception comes
// with a status of its own.
type json2Transport struct {
	poster *poster
	key    Key
}

func (t *json2Transport) do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	body, err := encode(object(params))
	if err != nil {
		return nil, err
	}
	in, err := t.poster.post(ctx, outgoing{
		path: "/json/2/" + gatewayModel + "/" + method, ctype: mimeJSON, bearer: t.key, repeat: repeatable[method], body: body,
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
