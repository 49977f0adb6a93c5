package odoo

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"doorman/server/access"
)

// speaking is an addon's answer to hello, with the interface that this service speaks.
func speaking(hello string) string {
	return strings.Replace(hello, "{", fmt.Sprintf(`{"interface":%d,`, access.Interface), 1)
}

// Raw sends one gateway method past the queue, the breaker and the words of errors.
func Raw(ctx context.Context, c *Client, method string, params map[string]any) (json.RawMessage, error) {
	return c.link.Do(ctx, method, params)
}
