package toolcall

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"time"

	"doorman/server/access"
)

// linkPrefix begins the token of a link to a file, so that scanners for leaked secrets know one when they see it.
const linkPrefix = "dmf_"

// Link is an address that works once, for who has it.
type Link struct {
	URL       string
	ExpiresAt time.Time
}

// OpenLink opens the link to a file that Odoo announced by its ticket. The link's token is thrown here, and Odoo learns no
// more than its hash.
func (c *Call) OpenLink(ctx context.Context, ticket int64) (Link, error) {
	token := newLinkToken()
	reply, err := c.fenced(ctx, func(f access.Fence) (access.Reply, error) {
		reply, err := c.runner.Gateway.FileLink(ctx, f, ticket, access.ProofOf(token))
		c.recorded = true // the call itself has left its row
		return reply, err
	})
	if err != nil {
		return Link{}, err
	}
	var opened struct {
		Seconds int `json:"expires_in"`
	}
	if err := json.Unmarshal(reply.Value, &opened); err != nil {
		return Link{}, err
	}
	return Link{c.runner.FilesURL + token, c.runner.Now().Add(time.Duration(opened.Seconds) * time.Second)}, nil
}

func newLinkToken() string {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails, see crypto/rand
	return linkPrefix + base64.RawURLEncoding.EncodeToString(random)
}
