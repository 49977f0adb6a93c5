package mcp

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

// recordsHint explains the form of values, the most common slip.
const recordsHint = `Values are an object, field to value: {"name":"Acme","country_id":20,"child_ids":[[0,0,{"name":"Ann"}]]}. ` +
	`A many2one takes an id; a one2many or many2many a list of commands: [0,0,{values}] creates, [1,id,{values}] updates, ` +
	`[2,id,0] deletes, [3,id,0] takes out, [4,id,0] puts in, [5,0,0] empties, [6,0,[ids]] sets.`

// written is what the tools that change something answer.
type written struct {
	Model   string           `json:"model"`
	Records []writtenRecord  `json:"records"`
	Count   int              `json:"count"`
	DryRun  bool             `json:"dry_run,omitempty"`
	Changes []recordedChange `json:"changes,omitempty"`
	// Replayed says that this is the answer to an earlier request with the same idempotency key.
	Replayed bool   `json:"replayed,omitempty"`
	Note     string `json:"note,omitempty"`
}

type writtenRecord struct {
	ID   int64  `json:"id"`
	Name string `json:"name,omitempty"`
	URL  string `json:"url,omitempty"`
}

// recordedChange is one record of a dry run: the fields that would change, or those of the record that would come or go.
type recordedChange struct {
	ID         int64                      `json:"id,omitempty"` // 0 = it would be new
	Name       string                     `json:"name"`
	Before     map[string]json.RawMessage `json:"before,omitempty"`
	After      map[string]json.RawMessage `json:"after,omitempty"`
	MoreFields int                        `json:"more_fields,omitempty"`
}

func writtenSchema(more ...string) []string {
	return append([]string{"model:string", "records:objects", "count:integer", "replayed:boolean", "note:string"}, more...)
}

// how are the parameters that all these tools share.
type how struct {
	DryRun   bool
	Key      string
	Language string
	Company  int64
}

// request builds the call on a model that was opened.
func (h how) request(model, method string, ids []int64, kwargs map[string]any) access.Request {
	return access.Request{
		Model: model, Method: method, IDs: ids, Kwargs: kwargs, DryRun: h.DryRun, IdempotencyKey: h.Key,
		Context: where{Language: h.Language, Company: h.Company}.context(),
	}
}

func checkKey(key string) *access.Error {
	if utf8.RuneCountInString(key) <= access.MaxIdempotencyKey {
		return nil
	}
	return access.NewError(access.InvalidInput, fmt.Sprintf("The idempotency_key is longer than %d letters.", access.MaxIdempotencyKey),
		"Any short text will do that is new for each change, such as a UUID.")
}

type createArgs struct {
	Model    string  `json:"model" jsonschema:"technical name, e.g. \"res.partner\""`
	Records  jsonArg `json:"records" jsonschema:"JSON list of at most 100 objects, field to value; x2many: commands, e.g. [{\"name\":\"Acme\",\"child_ids\":[[0,0,{\"name\":\"Ann\"}]]}]"`
	DryRun   bool    `json:"dry_run,omitempty" jsonschema:"only tell what would be done"`
	Key      string  `json:"idempotency_key,omitempty" jsonschema:"new for each change; sent again, it is not done twice"`
	Language string  `json:"language,omitempty" jsonschema:"of translated values"`
	Company  int64   `json:"company_id,omitempty"`
}

func createRecords() *tool {
	return &tool{
		Tool:  access.Tool{Name: "create_records", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		title: "Create records", category: "write",
		description: "Create up to 100 records of a model: all, or none.",
		input:       inputSchema[createArgs](),
		output:      outputSchema(writtenSchema("dry_run:boolean", "changes:objects")...),
		run: func(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
			args, bad := decodeArgs[createArgs](raw)
			if bad != nil {
				return nil, bad
			}
			h := how{args.DryRun, args.Key, args.Language, args.Company}
			return g.write(ctx, args.Model, h, func(m *modelInfo) (access.Request, *access.Error) {
				rows, bad := parseRecords(args.Records, m)
				return h.request(args.Model, "create", nil, map[string]any{"vals_list": rows}), bad
			})
		},
	}
}

type updateArgs struct {
	Model    string  `json:"model"`
	IDs      idList  `json:"ids,omitempty" jsonschema:"at most 100"`
	Values   jsonArg `json:"values,omitempty" jsonschema:"JSON object, field to value; x2many: commands, e.g. {\"phone\":\"123\",\"category_id\":[[4,7,0]]}"`
	Records  jsonArg `json:"records,omitempty" jsonschema:"instead of ids and values, own values for each: [{\"id\":7,\"phone\":\"123\"}]"`
	DryRun   bool    `json:"dry_run,omitempty" jsonschema:"only tell what would change"`
	Key      string  `json:"idempotency_key,omitempty"`
	Language string  `json:"language,omitempty" jsonschema:"of translated values"`
	Company  int64   `json:"company_id,omitempty"`
}

func updateRecords() *tool {
	return &tool{
		Tool:  access.Tool{Name: "update_records", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		title: "Update records", category: "write", destructive: true, idempotent: true,
		description: "Set fields of up to 100 records, the same values on each or own ones: all, or none.",
		input:       inputSchema[updateArgs](),
		output:      outputSchema(writtenSchema("dry_run:boolean", "changes:objects")...),
		run: func(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
			args, bad := decodeArgs[updateArgs](raw)
			if bad == nil && len(args.Records) > 0 {
				return g.updateEach(ctx, args)
			}
			if bad == nil {
				bad = checkDistinct(args.IDs)
			}
			if bad != nil {
				return nil, bad
			}
			h := how{args.DryRun, args.Key, args.Language, args.Company}
			return g.write(ctx, args.Model, h, func(m *modelInfo) (access.Request, *access.Error) {
				vals, bad := parseValues(args.Values, m)
				return h.request(args.Model, "write", args.IDs, map[string]any{"vals": vals}), bad
			})
		},
	}
}

type deleteArgs struct {
	Model   string `json:"model"`
	IDs     idList `json:"ids" jsonschema:"at most 100"`
	DryRun  bool   `json:"dry_run,omitempty" jsonschema:"only tell what would be deleted"`
	Key     string `json:"idempotency_key,omitempty"`
	Company int64  `json:"company_id,omitempty"`
}

func deleteRecords() *tool {
	return &tool{
		Tool:  access.Tool{Name: "delete_records", Scope: access.ScopeORM, Writes: true, Risk: access.RiskHigh},
		title: "Delete records", category: "write", destructive: true, idempotent: true,
		description: "Delete up to 100 records for good: all, or none. Archiving (update_records, active false) can be undone.",
		input:       inputSchema[deleteArgs](),
		output:      outputSchema(writtenSchema("dry_run:boolean", "changes:objects")...),
		run: func(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
			args, bad := decodeArgs[deleteArgs](raw)
			if bad == nil {
				bad = checkDistinct(args.IDs)
			}
			if bad != nil {
				return nil, bad
			}
			h := how{DryRun: args.DryRun, Key: args.Key, Company: args.Company}
			return g.write(ctx, args.Model, h, func(*modelInfo) (access.Request, *access.Error) {
				return h.request(args.Model, "unlink", args.IDs, map[string]any{}), nil
			})
		},
	}
}

// write opens the model, lets build make the request out of what is known of it, sends it once, and shapes the answer.
func (g *governed) write(ctx context.Context, model string, h how, build func(*modelInfo) (access.Request, *access.Error)) (any, error) {
	if bad := checkKey(h.Key); bad != nil {
		return nil, bad
	}
	m, err := g.open(ctx, model, h.Language)
	if err != nil {
		return nil, err
	}
	request, bad := build(m)
	if bad != nil {
		return nil, bad
	}
	reply, err := g.call(ctx, request)
	if err != nil {
		return nil, err
	}
	return shapeWritten(reply.Value, m, h.DryRun), nil
}

// shapeWritten turns Odoo's answer to a change into ours. The change is done: an answer that cannot be read must not
// look like a failure.
func shapeWritten(raw json.RawMessage, m *modelInfo, dryRun bool) *written {
	var answer struct {
		IDs      []int64          `json:"ids"`
		Names    []string         `json:"names"`
		URL      string           `json:"url"`
		Changes  []recordedChange `json:"changes"`
		Replayed bool             `json:"replayed"`
	}
	w := &written{Model: m.Name, Records: []writtenRecord{}, DryRun: dryRun}
	if err := json.Unmarshal(raw, &answer); err != nil {
		w.Note = "It is done, but Odoo's answer could not be read: look at the records."
		return w
	}
	w.Replayed = answer.Replayed
	for i, id := range answer.IDs {
		r := writtenRecord{ID: id}
		if i < len(answer.Names) {
			r.Name = mcperr.Clip(answer.Names[i], 200)
		}
		if answer.URL != "" {
			r.URL = fmt.Sprint(answer.URL, id)
		}
		w.Records = append(w.Records, r)
	}
	w.Count = len(w.Records)
	if w.Replayed {
		w.Note = "This was done before, with the same idempotency_key; it was not done again."
	}
	if dryRun {
		w.Count = len(answer.Changes)
		w.Note = "Nothing was changed: this is what would be."
		w.addChanges(answer.Changes, m)
	}
	return w
}

// addChanges adds the changes of a dry run, as many as fit.
func (w *written) addChanges(changes []recordedChange, m *modelInfo) {
	size := 0
	for _, c := range changes {
		c.Name = mcperr.Clip(c.Name, 200)
		for _, values := range []map[string]json.RawMessage{c.Before, c.After} {
			for name, value := range values {
				values[name] = shapeValue(value, m.Fields[name])
				size += len(name) + len(values[name]) + 4
			}
		}
		if size += len(c.Name) + 60; size > access.MaxReply && len(w.Changes) > 0 {
			w.Note += fmt.Sprintf(" It would be too long for all records: %d of %d are shown.", len(w.Changes), len(changes))
			return
		}
		w.Changes = append(w.Changes, c)
	}
}

// checkDistinct checks ids, each of which may be named once.
func checkDistinct(ids idList) *access.Error {
	if bad := checkIDs(ids); bad != nil {
		return bad
	}
	seen := make(map[int64]bool, len(ids))
	for _, id := range ids {
		if seen[id] {
			return access.NewError(access.InvalidInput, fmt.Sprintf("The id %d is named twice.", id), "Name each record once.")
		}
		seen[id] = true
	}
	return nil
}

// parseRecords reads the values of new records and checks the names of their fields.
func parseRecords(raw jsonArg, m *modelInfo) ([]json.RawMessage, *access.Error) {
	raw = bytes.TrimSpace(raw)
	if len(raw) > 0 && raw[0] == '{' {
		raw = append(append(jsonArg{'['}, raw...), ']') // one record without its list, a common slip
	}
	var rows []json.RawMessage
	if len(raw) == 0 || json.Unmarshal(raw, &rows) != nil || len(rows) == 0 {
		return nil, access.NewError(access.InvalidInput, "The parameter records is no JSON list of objects.", recordsHint)
	}
	if len(rows) > maxRows {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("%d records are more than %d.", len(rows), maxRows), "Create them in several calls.")
	}
	for _, row := range rows {
		if bad := checkValues(row, m); bad != nil {
			return nil, bad
		}
	}
	return rows, nil
}

// parseValues reads the values for an update.
func parseValues(raw jsonArg, m *modelInfo) (json.RawMessage, *access.Error) {
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
func checkValues(raw json.RawMessage, m *modelInfo) *access.Error {
	var values map[string]json.RawMessage
	if json.Unmarshal(raw, &values) != nil || values == nil {
		return access.NewError(access.InvalidInput, "The values are no JSON object.", recordsHint)
	}
	if twice := repeated(raw); twice != "" {
		return access.NewError(access.InvalidInput, fmt.Sprintf("The field %q is there twice.", mcperr.Clip(twice, 60)), "Name each field once.")
	}
	for name := range values {
		if err := m.mustHave(name); err != nil {
			return err
		}
		if m.Fields[name].Type == "binary" {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%s holds a file; files are not sent in a call.", name), "Leave it out.")
		}
	}
	return nil
}

// repeated returns a key that an object has twice, at its top. Odoo would take the last one: what was meant is not known.
func repeated(raw json.RawMessage) string {
	d := json.NewDecoder(bytes.NewReader(raw))
	if _, err := d.Token(); err != nil {
		return ""
	}
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		key, isText := token.(string)
		if err != nil || !isText {
			return ""
		}
		if seen[key] {
			return key
		}
		seen[key] = true
		var skipped json.RawMessage
		if d.Decode(&skipped) != nil {
			return ""
		}
	}
	return ""
}

// trimmed is a text argument without the blanks around it.
func trimmed(s string) string { return strings.TrimSpace(s) }
