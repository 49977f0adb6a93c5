package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(190, toolcall.Tool{
		Tool:  access.Tool{Name: "run_sql", Scope: access.ScopeSQL, Risk: access.RiskHigh, NeedsModule: codeModule},
		Title: "Query the database", Category: "read", Idempotent: true,
		Description: "Run one SELECT in a read-only transaction, for at most 10 s. It bypasses Odoo's access rights; " +
			"for joins and sums that aggregate_records cannot do.",
		Output: outputSchema("columns:strings", "rows:objects"),
	}, runSQL)
	add(200, toolcall.Tool{
		Tool:  access.Tool{Name: "run_python", Scope: access.ScopeShell, Writes: true, Risk: access.RiskHigh, NeedsModule: codeModule},
		Title: "Run Python", Category: "execute", Destructive: true, OpenWorld: true,
		Description: "Several steps at once, all or none: Python with env, datetime, relativedelta; search, read, create, write, " +
			"unlink, business methods with named arguments. No import, try, sudo or cursor. Each step is allowed as by the other tools.",
		Output: outputSchema("result:string", "steps:objects", "changed:objects", "dry_run:boolean", "changes:objects", "replayed:boolean", "note:string"),
	}, runPython)
}

const (
	defaultSQLRows = 100
	// codeModule is the Odoo addon that brings run_sql and run_python. The base addon does not name it.
	codeModule = "doorman_code"
)

type sqlArgs struct {
	Query string `json:"query" jsonschema:"PostgreSQL; list the columns, * may include withheld ones"`
	Limit int    `json:"limit,omitempty" jsonschema:"1 to 500; default 100"`
}

// sqlResult is what run_sql answers: a row is an object, its columns in their order.
type sqlResult struct {
	Columns []string          `json:"columns"`
	Rows    []json.RawMessage `json:"rows"`
	HasMore bool              `json:"has_more"`
	Note    string            `json:"note,omitempty"`
}

func runSQL(ctx context.Context, call *toolcall.Call, args sqlArgs) (any, error) {
	if bad := checkCode("query", args.Query, "one SELECT"); bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, ""); err != nil {
		return nil, err
	}
	reply, err := call.Do(ctx, access.Request{Method: "run_sql", Kwargs: map[string]any{
		"query": args.Query, "limit": clamp(args.Limit, defaultSQLRows, access.MaxSQLRows),
	}})
	if err != nil {
		return nil, err
	}
	return shapeSQL(reply.Value)
}

// shapeSQL keeps the rows that fit.
func shapeSQL(raw json.RawMessage) (any, error) {
	var answer struct {
		Columns []string            `json:"columns"`
		Rows    [][]json.RawMessage `json:"rows"`
		More    bool                `json:"more"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	r := &sqlResult{Columns: answer.Columns, Rows: []json.RawMessage{}, HasMore: answer.More}
	room := newBudget()
	for _, values := range answer.Rows {
		row, err := sqlRow(answer.Columns, values)
		if err != nil {
			return nil, err
		}
		if !room.take(row) {
			r.HasMore = true
			break
		}
		r.Rows = append(r.Rows, row)
	}
	if r.HasMore {
		r.Note = "There are more rows: ask for fewer columns, or page by a condition such as id > the last one with ORDER BY id."
	}
	return r, nil
}

// sqlRow writes a row as an object, in the order of its columns, which a Go map would lose.
func sqlRow(columns []string, values []json.RawMessage) (json.RawMessage, error) {
	if len(columns) != len(values) {
		return nil, fmt.Errorf("%d values for %d columns", len(values), len(columns))
	}
	row := bytes.NewBufferString("{")
	for i, value := range values {
		name, err := json.Marshal(columns[i])
		if err != nil {
			return nil, err
		}
		if i > 0 {
			row.WriteByte(',')
		}
		row.Write(name)
		row.WriteByte(':')
		row.Write(value)
	}
	row.WriteByte('}')
	return row.Bytes(), nil
}

type pythonArgs struct {
	Code    string `json:"code" jsonschema:"sets result; e.g. result = env[\"res.partner\"].search([(\"active\", \"=\", False)]).mapped(\"name\")"`
	DryRun  bool   `json:"dry_run,omitempty" jsonschema:"run it and undo all of it"`
	Key     string `json:"idempotency_key,omitempty"`
	Company int64  `json:"company_id,omitempty"`
}

// pythonResult is what run_python answers.
type pythonResult struct {
	Result   string            `json:"result"`
	Steps    []json.RawMessage `json:"steps"`
	Changed  changed           `json:"changed,omitzero"`
	DryRun   bool              `json:"dry_run,omitempty"`
	Changes  []recordedChange  `json:"changes,omitempty"`
	Replayed bool              `json:"replayed,omitempty"`
	Note     string            `json:"note,omitempty"`
}

func runPython(ctx context.Context, call *toolcall.Call, args pythonArgs) (any, error) {
	bad := checkCode("code", args.Code, "Python that sets result")
	if bad == nil {
		bad = checkKey(args.Key)
	}
	if bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, ""); err != nil {
		return nil, err
	}
	h := how{DryRun: args.DryRun, Key: args.Key, Company: args.Company}
	reply, err := call.Do(ctx, h.request("", "run_python", nil, map[string]any{"code": args.Code}))
	if err != nil {
		return nil, err
	}
	return shapePython(reply.Value, args.DryRun), nil
}

// shapePython is what a client gets. It is done: what cannot be read must not look like a failure.
func shapePython(raw json.RawMessage, dryRun bool) any {
	r := &pythonResult{}
	if json.Unmarshal(raw, r) != nil {
		r = &pythonResult{Note: "It is done, but the answer could not be read: look at the records."}
	}
	r.DryRun = dryRun
	if r.Steps == nil {
		r.Steps = []json.RawMessage{}
	}
	if dryRun && r.Note == "" {
		var cut string
		r.Changes, cut = fitting(r.Changes, &toolcall.ModelInfo{})
		r.Note = "Nothing was changed: this is what it would do." + cut
	}
	return r
}

func checkCode(name, text, what string) *access.Error {
	if trimmed(text) == "" {
		return access.NewError(access.InvalidInput, fmt.Sprintf(access.SayMissingParameter, name), fmt.Sprintf("It is text: %s.", what))
	}
	if n := utf8.RuneCountInString(text); n > access.MaxCode {
		return access.NewError(access.InvalidInput, fmt.Sprintf("The parameter %s has %d characters, more than %d.", name, n, access.MaxCode), "Do it in several calls.")
	}
	return nil
}
