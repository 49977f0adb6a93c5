package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(120, toolcall.Tool{
		Tool:  access.Tool{Name: "create_records", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Create records", Category: "write",
		Description: "Create up to 100 records of a model: all, or none.",
		Output:      outputSchema(writtenSchema("dry_run:boolean", "changes:objects")...),
	}, createRecords)
	add(130, toolcall.Tool{
		Tool:  access.Tool{Name: "update_records", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		Title: "Update records", Category: "write", Destructive: true, Idempotent: true,
		Description: "Set fields of up to 100 records, the same values on each or different ones: all, or none.",
		Output:      outputSchema(writtenSchema("dry_run:boolean", "changes:objects")...),
	}, updateRecords)
	add(140, toolcall.Tool{
		Tool:  access.Tool{Name: "delete_records", Scope: access.ScopeORM, Writes: true, Risk: access.RiskHigh},
		Title: "Delete records", Category: "write", Destructive: true, Idempotent: true,
		Description: "Delete up to 100 records for good: all, or none. Archiving (update_records, active false) can be undone.",
		Output:      outputSchema(writtenSchema("dry_run:boolean", "changes:objects")...),
	}, deleteRecords)
}

// recordsHint explains the form of values, the most common slip.
const recordsHint = `Values are an object, field to value: {"name":"Acme","country_id":20,"child_ids":[{"name":"Ann"}]}. ` +
	`A many2one takes an id or an exact name; a many2many the ids or names that it is to have; a one2many objects: without id ` +
	`a new line, with id a changed one. Or commands: [0,0,{values}] creates, [1,id,{values}] updates, [2,id,0] deletes, ` +
	`[3,id,0] removes, [4,id,0] adds, [5,0,0] removes all, [6,0,[ids]] sets.`

type createArgs struct {
	Model    string  `json:"model" jsonschema:"technical name, e.g. \"res.partner\""`
	Records  jsonArg `json:"records" jsonschema:"JSON list of at most 100 objects, field to value; relation: id or exact name, several: list of them, lines: objects, e.g. [{\"name\":\"Acme\",\"country_id\":\"France\",\"child_ids\":[{\"name\":\"Ann\"}]}]"`
	DryRun   bool    `json:"dry_run,omitempty" jsonschema:"only tell what would be done"`
	Key      string  `json:"idempotency_key,omitempty" jsonschema:"new for each change; sent again, it is not done twice"`
	Language string  `json:"language,omitempty" jsonschema:"of translated values"`
	Company  int64   `json:"company_id,omitempty"`
}

func createRecords(ctx context.Context, call *toolcall.Call, args createArgs) (any, error) {
	h := how{args.DryRun, args.Key, args.Language, args.Company}
	return write(ctx, call, args.Model, h, func(m *toolcall.ModelInfo) (access.Request, *access.Error) {
		rows, bad := parseRecords(args.Records, m)
		r := h.request(args.Model, "create", nil, map[string]any{"vals_list": rows})
		r.Tell = withCurrencies(m, m.Default)
		return r, bad
	})
}

type updateArgs struct {
	Model    string  `json:"model"`
	IDs      idList  `json:"ids,omitempty" jsonschema:"at most 100"`
	Values   jsonArg `json:"values,omitempty" jsonschema:"JSON object, field to value, as read; lines: new ones, or with their id; [[2,id,0]] deletes one, [[4,id,0]] adds a tag; part of a text: {\"append\":\"...\"} or {\"replace\":\"old\",\"with\":\"new\"}, e.g. {\"phone\":\"123\",\"category_id\":[[4,7,0]]}"`
	Records  jsonArg `json:"records,omitempty" jsonschema:"instead of ids and values, own values for each: [{\"id\":7,\"phone\":\"123\"}]"`
	DryRun   bool    `json:"dry_run,omitempty" jsonschema:"only tell what would change"`
	Key      string  `json:"idempotency_key,omitempty"`
	Language string  `json:"language,omitempty" jsonschema:"of translated values"`
	Company  int64   `json:"company_id,omitempty"`
}

func updateRecords(ctx context.Context, call *toolcall.Call, args updateArgs) (any, error) {
	if len(args.Records) > 0 {
		return updateEach(ctx, call, args)
	}
	if bad := checkDistinct(args.IDs); bad != nil {
		return nil, bad
	}
	h := how{args.DryRun, args.Key, args.Language, args.Company}
	return write(ctx, call, args.Model, h, func(m *toolcall.ModelInfo) (access.Request, *access.Error) {
		vals, bad := parseValues(args.Values, m)
		return h.request(args.Model, "write", args.IDs, map[string]any{"vals": vals}), bad
	})
}

type deleteArgs struct {
	Model   string `json:"model"`
	IDs     idList `json:"ids" jsonschema:"at most 100"`
	DryRun  bool   `json:"dry_run,omitempty" jsonschema:"only tell what would be deleted"`
	Key     string `json:"idempotency_key,omitempty"`
	Company int64  `json:"company_id,omitempty"`
}

func deleteRecords(ctx context.Context, call *toolcall.Call, args deleteArgs) (any, error) {
	if bad := checkDistinct(args.IDs); bad != nil {
		return nil, bad
	}
	h := how{DryRun: args.DryRun, Key: args.Key, Company: args.Company}
	return write(ctx, call, args.Model, h, func(*toolcall.ModelInfo) (access.Request, *access.Error) {
		return h.request(args.Model, "unlink", args.IDs, map[string]any{}), nil
	})
}

// parseRecords reads the values of new records and checks the names of their fields.
func parseRecords(raw jsonArg, m *toolcall.ModelInfo) ([]json.RawMessage, *access.Error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '{' {
		raw = append(append(jsonArg{'['}, raw...), ']') // one record without its list, a common slip
	}
	var rows []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &rows) != nil || len(rows) == 0 {
		return nil, access.NewError(access.InvalidInput, "The parameter records must be a JSON list of objects.", recordsHint)
	}
	if len(rows) > maxRows {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("%d records exceed the limit of %d.", len(rows), maxRows), "Create them in several calls.")
	}
	for i, row := range rows {
		row, err := unescape(row) // a row as text, which some clients send
		if err != nil {
			return nil, unread(err, "The parameter records must be a JSON list of objects.", recordsHint)
		}
		rows[i] = row
		if bad := checkValues(row, m); bad != nil {
			return nil, bad
		}
	}
	return rows, nil
}

// parseValues reads the values for an update.
func parseValues(raw jsonArg, m *toolcall.ModelInfo) (json.RawMessage, *access.Error) {
	if bad := checkValues(json.RawMessage(raw), m); bad != nil {
		return nil, bad
	}
	if string(bytes.Join(bytes.Fields(raw), nil)) == "{}" {
		return nil, access.NewError(access.InvalidInput, "There are no values to set.", recordsHint)
	}
	return json.RawMessage(raw), nil
}

// checkValues checks the names of the fields against what is known of the model. Everything else is Odoo's to judge:
// it knows the other models too.
func checkValues(raw json.RawMessage, m *toolcall.ModelInfo) *access.Error {
	var values map[string]json.RawMessage
	if json.Unmarshal(raw, &values) != nil || values == nil {
		return access.NewError(access.InvalidInput, "The values are not a JSON object.", recordsHint)
	}
	for _, name := range slices.Sorted(maps.Keys(values)) { // so that of several mistakes the same one is told each time
		if err := m.MustHave(name); err != nil {
			return err
		}
		if m.Fields[name].Type == "binary" {
			return access.NewError(access.InvalidInput, fmt.Sprintf(access.SayFileField, name),
				fmt.Sprintf(access.SayFileFieldHint, name))
		}
	}
	return nil
}
