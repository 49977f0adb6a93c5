package odoo

import (
	"context"
	"encoding/base64"
	"encoding/json"

	"doorman/odoo/wire"
	"doorman/server/access"
)

var _ access.Files = (*Client)(nil)

// FileLink implements access.Gateway.
func (c *Client) FileLink(ctx context.Context, f access.Fence, ticket int64, p access.Proof) (access.Reply, error) {
	j := job{method: "file_link", params: map[string]any{"ticket": ticket, "digest": p.Hex()}, harmless: true}
	return c.fenced(ctx, f, j, 0, wire.DecodeReply)
}

// FileOpen implements access.Files.
func (c *Client) FileOpen(ctx context.Context, p access.Proof) (opened access.Opened, err error) {
	err = c.followed(ctx, "file_open", map[string]any{"proof": p.Hex()}, func(raw json.RawMessage) (err error) {
		opened, err = wire.DecodeOpened(raw)
		return err
	})
	return opened, err
}

// FileTake implements access.Files. It is asked for once: where the answer is lost, so may be the link.
func (c *Client) FileTake(ctx context.Context, p access.Proof, a access.Audit) (f access.File, err error) {
	err = c.followed(ctx, "file_take", map[string]any{"proof": p.Hex(), "audit": wire.EncodeAudit(a)}, func(raw json.RawMessage) (err error) {
		f, err = wire.DecodeFile(raw)
		return err
	})
	return f, err
}

// FilePut implements access.Files. It is sent once; where the answer is lost, the error says that it may have been done.
func (c *Client) FilePut(ctx context.Context, p access.Proof, content []byte, a access.Audit) (f access.Attached, err error) {
	params := map[string]any{"proof": p.Hex(), "content": base64.StdEncoding.EncodeToString(content), "audit": wire.EncodeAudit(a)}
	err = c.followed(ctx, "file_put", params, func(raw json.RawMessage) (err error) {
		f, err = wire.DecodeAttached(raw)
		return err
	})
	return f, err
}

// followed asks a method that takes a link's proof. It waits in the queue of people's requests: whose connection it is,
// only Odoo knows.
func (c *Client) followed(ctx context.Context, method string, params map[string]any, decode func(json.RawMessage) error) error {
	return c.do(ctx, job{method: method, params: params, connection: peoplesTurn, harmless: method == "file_take"}, decode)
}
