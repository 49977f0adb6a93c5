package tools

import (
	"context"
	"encoding/json"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(145, toolcall.Tool{
		Tool:  access.Tool{Name: "undo_change", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Undo a change", Category: "write", Destructive: true,
		Description: "Undo your own change by change_id, if its records are as it left them.",
		Output:      outputSchema("changed:objects", "stays:strings", "changes:objects"),
	}, undoChange)
}

type undoArgs struct {
	ChangeID int64  `json:"change_id"`
	Partly   bool   `json:"partly,omitempty" jsonschema:"even if some of it stays, e.g. emails"`
	DryRun   bool   `json:"dry_run,omitempty"`
	Key      string `json:"idempotency_key,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

// undone is what undo_change answers. An undo is a change itself: it has an id of its own.
type undone struct {
	Undone   int64            `json:"undone,omitempty"`
	Changed  changed          `json:"changed,omitzero"`
	ChangeID int64            `json:"change_id,omitempty"`
	Stays    []string         `json:"stays,omitempty"` // what could not be undone
	DryRun   bool             `json:"dry_run,omitempty"`
	Changes  []recordedChange `json:"changes,omitempty"`
	Warnings []string         `json:"warnings,omitempty"`
	Replayed bool             `json:"replayed,omitempty"`
	Note     string           `json:"note,omitempty"`
}

// undoChange undoes a change of the same connection.
func undoChange(ctx context.Context, call *toolcall.Call, args undoArgs) (any, error) {
	if args.ChangeID <= 0 || args.ChangeID > 1<<31-1 {
		return nil, access.NewError(access.InvalidInput, "The parameter change_id is missing or is not the id of a change.",
			"The reply to a change that can be undone contains it.")
	}
	if bad := checkKey(args.Key); bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, ""); err != nil {
		return nil, err
	}
	kwargs := map[string]any{"change": args.ChangeID}
	if args.Partly {
		kwargs["partly"] = true
	}
	h := how{DryRun: args.DryRun, Key: args.Key, Company: args.Company}
	reply, err := call.Do(ctx, h.request("", "undo_change", nil, kwargs))
	if err != nil {
		return nil, err
	}
	return shapeUndone(reply.Value, args.DryRun), nil
}

// shapeUndone is what a client gets. It is done: what cannot be read must not look like a failure.
func shapeUndone(raw json.RawMessage, dryRun bool) *undone {
	u := &undone{}
	if json.Unmarshal(raw, u) != nil {
		u = &undone{Note: "It is done, but Odoo's answer could not be read: look at the records."}
	}
	u.DryRun = dryRun
	switch {
	case dryRun:
		var cut string
		u.Changes, cut = fitting(u.Changes, &toolcall.ModelInfo{})
		u.Note = "Nothing was changed: this is what undoing it would do." + cut
	case u.Replayed:
		u.Note = "This was already done with the same idempotency_key, and was not done again."
	case len(u.Stays) > 0:
		u.Note = "Not all of it was undone: tell your user what stays."
	}
	return u
}
