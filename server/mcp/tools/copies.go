package tools

import (
	"context"
	"encoding/json"
	"fmt"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(125, toolcall.Tool{
		Tool:  access.Tool{Name: "copy_records", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Copy records", Category: "write",
		Description: "Duplicate records as Odoo does, lines included (a quotation, a product, ...): all, or none.",
		Output:      outputSchema(writtenSchema("dry_run:boolean", "changes:objects")...),
	}, copyRecords)
}

type copyArgs struct {
	Model    string  `json:"model"`
	IDs      idList  `json:"ids" jsonschema:"at most 20"`
	Values   jsonArg `json:"values,omitempty" jsonschema:"JSON object, replaces what the records have, e.g. {\"partner_id\":7}"`
	DryRun   bool    `json:"dry_run,omitempty"`
	Key      string  `json:"idempotency_key,omitempty"`
	Language string  `json:"language,omitempty"`
	Company  int64   `json:"company_id,omitempty"`
}

// copyRecords makes a copy of each record. Values stand in place of the record's own, and are checked as those of a
// new record are.
func copyRecords(ctx context.Context, call *toolcall.Call, args copyArgs) (any, error) {
	if bad := checkDistinct(args.IDs); bad != nil {
		return nil, bad
	}
	if len(args.IDs) > access.MaxCopies {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("%d ids exceed the limit of %d.", len(args.IDs), access.MaxCopies), "Copy them in several calls.")
	}
	h := how{args.DryRun, args.Key, args.Language, args.Company}
	return write(ctx, call, args.Model, h, func(m *toolcall.ModelInfo) (access.Request, *access.Error) {
		values := args.Values
		if len(values) == 0 {
			values = jsonArg("{}")
		}
		bad := checkValues(json.RawMessage(values), m)
		return h.request(args.Model, "copy", args.IDs, map[string]any{"default": json.RawMessage(values)}), bad
	})
}
