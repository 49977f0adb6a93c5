package tools

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(115, toolcall.Tool{
		// More than a read: thousands of records leave in one call, past the model.
		Tool:  access.Tool{Name: "export_records", Scope: access.ScopeSearch, Risk: access.RiskMedium},
		Title: "Export records", Category: "read", Idempotent: true,
		Description: "Up to 50,000 rows as CSV or XLSX, by a one-time link.",
		Output:      outputSchema("rows:integer", "link:string"),
		Patience:    exportPatience,
	}, exportRecords)
}

// exportPatience is a little longer than Odoo works on an export (tools/exports.py), and shorter than its own limit of a
// request's time, two minutes.
const exportPatience = 110 * time.Second

type exportArgs struct {
	Model   string     `json:"model"`
	Fields  stringList `json:"fields" jsonschema:"also paths: \"partner_id.vat\""`
	Domain  domainArg  `json:"domain,omitempty"`
	Format  string     `json:"format,omitempty"`
	Company int64      `json:"company_id,omitempty"`
}

func exportRecords(ctx context.Context, call *toolcall.Call, args exportArgs) (any, error) {
	format := strings.ToLower(cmp.Or(trimmed(args.Format), "csv"))
	if format != "csv" && format != "xlsx" {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("%q is not a format.", mcperr.Clip(args.Format, 20)), "It is csv or xlsx.")
	}
	if n := len(args.Fields); n == 0 || n > access.MaxExportFields {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("The parameter fields must list 1 to %d fields.", access.MaxExportFields), "describe_model tells which there are.")
	}
	m, err := call.Open(ctx, args.Model, "")
	if err != nil {
		return nil, err
	}
	domain, bad := parseDomain(args.Domain, m)
	if bad != nil {
		return nil, bad
	}
	reply, err := call.Do(ctx, access.Request{
		Model: args.Model, Method: "export_records",
		Kwargs:  map[string]any{"domain": domain, "fields": []string(args.Fields), "format": format},
		Context: where{Company: args.Company}.context(),
	})
	if err != nil {
		return nil, err
	}
	return linked(ctx, call, args.Model, reply.Value)
}
