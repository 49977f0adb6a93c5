package odoo

import (
	"context"
	"encoding/json"
)

// Raw sends one gateway method past the gate, the breaker and the words of errors.
func Raw(ctx context.Context, c *Client, method string, params map[string]any) (json.RawMessage, error) {
	return c.link.Do(ctx, method, params)
}
