package odoo

import (
	"context"

	"doorman/odoo/transport"
	"doorman/odoo/wire"
	"doorman/server/access"
)

const connectionModel = "doorman.connection"

// Explain asks Odoo whether a connection may use a tool, on a model and its records, as the administrator whose key it is.
// model may be empty, and so may records. Nothing is done.
//
// Errors are *access.Error: Unauthenticated for a key that Odoo does not know, Forbidden for anyone but MCP administrators.
func (c *Client) Explain(ctx context.Context, key Key, connection int64, tool, model string, records []int64) (*access.Explained, error) {
	if records == nil {
		records = []int64{}
	}
	raw, err := c.askAs(ctx, key, connectionModel, "explain", map[string]any{
		"ids": []int64{connection}, "tool": tool, "model": model, "records": records,
	})
	if err != nil {
		return nil, c.explainError(transport.AsFailure(err))
	}
	return wire.DecodeExplained(raw)
}

func (c *Client) explainError(f *transport.Failure) *access.Error {
	switch f.Class {
	case transport.Missing, transport.Blocked:
		return access.NewError(access.OdooUnavailable, "The Doorman addon does not answer at Odoo's JSON-2 API.",
			"Update the module doorman, and let POST /json/2/ through the proxy, if there is one.")
	case transport.Fault:
		return explainFault(f)
	}
	return c.adminError(f, "explain")
}

func explainFault(f *transport.Failure) *access.Error {
	switch e := faultWords(f); e.Kind {
	case access.Forbidden:
		return access.NewError(access.Forbidden, "Only MCP administrators can see this, and only for records that they can read.",
			"Use the API key of one.")
	case access.NotFound:
		return access.NewError(access.NotFound, "There is no such connection.", "Its number is at the end of its address in Odoo.")
	default:
		return e
	}
}
