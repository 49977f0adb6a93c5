package odoo

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"doorman/server/access"
)

var _ access.Files = (*Client)(nil)

// FileLink implements access.Gateway.
func (c *Client) FileLink(ctx context.Context, f access.Fence, ticket int64, p access.Proof) (access.Reply, error) {
	return c.fenced(ctx, "file_link", f, map[string]any{"ticket": ticket, "digest": p.Hex()}, 0, decodeReply)
}

// FileOpen implements access.Files.
func (c *Client) FileOpen(ctx context.Context, p access.Proof) error {
	return c.followed(ctx, "file_open", map[string]any{"proof": p.Hex()}, func(raw json.RawMessage) error {
		_, _, err := decodeFollowed(raw)
		return err
	})
}

// FileTake implements access.Files. It is asked for once: where the answer is lost, so may be the link.
func (c *Client) FileTake(ctx context.Context, p access.Proof, a access.Audit) (f access.File, err error) {
	err = c.followed(ctx, "file_take", map[string]any{"proof": p.Hex(), "audit": auditWire(a)}, func(raw json.RawMessage) (err error) {
		f, err = decodeFile(raw)
		return err
	})
	return f, err
}

// FilePut implements access.Files. It is sent once; where the answer is lost, the error says that it may have been done.
func (c *Client) FilePut(ctx context.Context, p access.Proof, content []byte, a access.Audit) (f access.Attached, err error) {
	params := map[string]any{"proof": p.Hex(), "content": base64.StdEncoding.EncodeToString(content), "audit": auditWire(a)}
	err = c.followed(ctx, "file_put", params, func(raw json.RawMessage) (err error) {
		f, err = decodeAttached(raw)
		return err
	})
	return f, err
}

// followed asks a method that takes a link's proof. It waits in the queue of people's requests: whose connection it is,
// only Odoo knows.
func (c *Client) followed(ctx context.Context, method string, params map[string]any, decode func(json.RawMessage) error) error {
	return c.do(ctx, job{method: method, params: params, connection: peoplesTurn}, decode)
}

// decodeFollowed reads {"value": V}, {"value": V, "content": base64} or {"error": E}.
func decodeFollowed(raw json.RawMessage) (value json.RawMessage, content []byte, err error) {
	var w struct {
		Value   json.RawMessage `json:"value"`
		Content []byte          `json:"content"` // encoding/json reads base64
		Error   *problem        `json:"error"`
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, nil, err
	}
	switch {
	case isNull(w.Value) == (w.Error == nil):
		return nil, nil, unusable("not exactly one part of an answer")
	case w.Error != nil:
		return nil, nil, w.Error.toError()
	}
	return w.Value, w.Content, nil
}

// decodeFile reads {"value": {name, type, size}, "content"}. A file that is not as long as it says is none.
func decodeFile(raw json.RawMessage) (access.File, error) {
	value, content, err := decodeFollowed(raw)
	if err != nil {
		return access.File{}, err
	}
	var told struct {
		Name *string `json:"name"`
		Type string  `json:"type"`
		Size *int64  `json:"size"`
	}
	if err := unmarshal(value, &told, "file"); err != nil {
		return access.File{}, err
	}
	if told.Name == nil || told.Size == nil || *told.Size != int64(len(content)) {
		return access.File{}, unusable("a file without name or size, or of another size")
	}
	return access.File{Name: *told.Name, Type: told.Type, Content: content}, nil
}

// decodeAttached reads {"value": {attachment_id, name, type, size}}.
func decodeAttached(raw json.RawMessage) (access.Attached, error) {
	value, _, err := decodeFollowed(raw)
	if err != nil {
		return access.Attached{}, err
	}
	var told struct {
		ID   int64  `json:"attachment_id"`
		Name string `json:"name"`
		Type string `json:"type"`
		Size int64  `json:"size"`
	}
	if err := unmarshal(value, &told, "file"); err != nil {
		return access.Attached{}, err
	}
	if told.ID <= 0 {
		return access.Attached{}, unusable("a file that was attached, without its id")
	}
	return access.Attached{ID: told.ID, Name: told.Name, Type: told.Type, Size: told.Size}, nil
}
