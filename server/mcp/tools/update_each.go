package tools

import (
	"context"
	"encoding/json"
	"fmt"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

// eachHint explains the form of records.
const eachHint = `Send a list of objects, each with its id: [{"id":7,"phone":"123"},{"id":8,"phone":"456"}].`

// updateEach is update_records with values of its own for each record.
func updateEach(ctx context.Context, call *toolcall.Call, args updateArgs) (any, error) {
	if len(args.IDs) > 0 || len(args.Values) > 0 {
		return nil, access.NewError(access.InvalidInput, "Both records and ids or values were sent.", "Send either ids and values, or records.")
	}
	ids, rows, bad := splitRecords(args.Records)
	if bad == nil {
		bad = checkDistinct(ids)
	}
	if bad != nil {
		return nil, bad
	}
	h := how{args.DryRun, args.Key, args.Language, args.Company}
	return write(ctx, call, args.Model, h, func(m *toolcall.ModelInfo) (access.Request, *access.Error) {
		for _, row := range rows {
			if _, bad := parseValues(jsonArg(row), m); bad != nil {
				return access.Request{}, bad
			}
		}
		return h.request(args.Model, "write", ids, map[string]any{"vals_each": rows}), nil
	})
}

// splitRecords takes the ids out of the values.
func splitRecords(raw jsonArg) (idList, []json.RawMessage, *access.Error) {
	var list []json.RawMessage
	if json.Unmarshal(raw, &list) != nil || len(list) == 0 {
		return nil, nil, access.NewError(access.InvalidInput, "The parameter records must be a JSON list of objects.", eachHint)
	}
	if len(list) > maxRows {
		return nil, nil, access.NewError(access.InvalidInput, fmt.Sprintf("%d records exceed the limit of %d.", len(list), maxRows), "Update them in several calls.")
	}
	var ids idList
	var rows []json.RawMessage
	for _, one := range list {
		one, err := unescape(one)
		if err != nil {
			return nil, nil, unread(err, "One of the records is not a JSON object.", eachHint)
		}
		var values map[string]json.RawMessage
		if json.Unmarshal(one, &values) != nil || values == nil {
			return nil, nil, access.NewError(access.InvalidInput, "One of the records is not a JSON object.", eachHint)
		}
		id, err := idOf(values["id"])
		if err != nil {
			return nil, nil, access.NewError(access.InvalidInput, "One of the records has no id.", eachHint)
		}
		delete(values, "id")
		row, err := json.Marshal(values)
		if err != nil {
			return nil, nil, access.NewError(access.InvalidInput, "One of the records is not a JSON object.", eachHint)
		}
		ids, rows = append(ids, id), append(rows, row)
	}
	return ids, rows, nil
}
