package odoo

import (
	"context"
	"encoding/json"
	"time"

	"doorman/odoo/transport"
	"doorman/odoo/wire"
	"doorman/server/access"
)

const auditModel = "doorman.audit"

// AuditExport fetches audit rows behind a number of the chain, at most limit (1 to access.MaxAuditPage), as the auditor or
// administrator whose key it is. Rows of companies that are not theirs come without content.
//
// Errors are *access.Error: Unauthenticated for a key that Odoo does not know, Forbidden for anyone but MCP auditors and
// administrators, OdooUnavailable and OdooTimeout with RetryAfter.
func (c *Client) AuditExport(ctx context.Context, key Key, after int64, limit int) (*access.AuditPage, error) {
	raw, err := c.askAudit(ctx, key, "api_export", map[string]any{"after": after, "limit": limit})
	if err != nil {
		return nil, err
	}
	return wire.DecodeAuditPage(raw)
}

// AuditVerify has Odoo hold its rows against their chain, from one link on (nil: from where it starts) and bounded: More
// says that the next call is to go on from At. If head is not nil, the chain must still go through it. Errors are those of
// AuditExport.
func (c *Client) AuditVerify(ctx context.Context, key Key, from, head *access.AuditLink) (*access.AuditCheck, error) {
	args := map[string]any{}
	if from != nil {
		args["after"], args["digest"] = from.N, from.Digest
	}
	if head != nil {
		args["head"] = map[string]any{"n": head.N, "digest": head.Digest}
	}
	raw, err := c.askAudit(ctx, key, "api_verify", args)
	if err != nil {
		return nil, err
	}
	return wire.DecodeAuditCheck(raw)
}

func (c *Client) askAudit(ctx context.Context, key Key, method string, args map[string]any) (json.RawMessage, error) {
	start := time.Now()
	raw, err := c.askAs(ctx, key, auditModel, method, args)
	if err != nil {
		err = c.auditError(transport.AsFailure(err), method)
	}
	outcome := "ok"
	if err != nil {
		outcome = string(access.AsError(err).Kind)
	}
	c.observe("audit_"+method, outcome, time.Since(start))
	return raw, err
}

func (c *Client) auditError(f *transport.Failure, method string) *access.Error {
	switch f.Class {
	case transport.Missing, transport.Blocked:
		return unavailable("The audit of the Doorman addon does not answer in Odoo.",
			"An administrator has to update the module doorman, and let POST /json/2/ through the proxy, if there is one.", wire.RetrySoon)
	case transport.Fault:
		if e := faultWords(f); e.Kind == access.Forbidden {
			return access.NewError(access.Forbidden, "This key cannot read the audit.",
				"Use the Odoo API key of an MCP auditor or administrator.")
		}
	}
	f.Sent = false // all of it only reads, so "may have been done" would only worry
	return c.adminError(f, method)
}
