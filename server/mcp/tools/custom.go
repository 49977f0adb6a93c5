package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

// The methods of the addon: one changes something, of the other everything is undone.
const (
	runTool  = "run_tool"
	lookTool = "look_tool"
)

// customTool makes a tool of what Odoo tells of one that an administrator has defined.
func customTool(o access.OwnTool) *toolcall.Tool {
	category := "execute"
	if !o.Writes {
		category = "read"
	}
	return &toolcall.Tool{
		Tool: o.Tool, Title: o.Title, Description: o.Description, Category: category,
		Destructive: o.Writes, Idempotent: !o.Writes, OpenWorld: o.Writes,
		// No schema of the answer: it is the same for all of them, and there may be many.
		Input: customSchema(o),
		Run: func(ctx context.Context, call *toolcall.Call, raw json.RawMessage) (any, error) {
			return runCustom(ctx, call, o, raw)
		},
	}
}

// customSchema builds the flat schema of a custom tool's arguments. Choices are told in words: not every client takes enum.
func customSchema(o access.OwnTool) *jsonschema.Schema {
	s := &jsonschema.Schema{
		Type: "object", Properties: map[string]*jsonschema.Schema{}, AdditionalProperties: &jsonschema.Schema{Not: &jsonschema.Schema{}},
	}
	add := func(name string, p *jsonschema.Schema, required bool) {
		s.Properties[name] = p
		s.PropertyOrder = append(s.PropertyOrder, name)
		if required {
			s.Required = append(s.Required, name)
		}
	}
	if o.OnRecords {
		add("ids", &jsonschema.Schema{
			Type: "array", Items: &jsonschema.Schema{Type: "integer"}, Description: "records of " + o.Model + ", at most 100",
		}, true)
	}
	for _, p := range o.Parameters {
		add(p.Name, customProperty(p), p.Required)
	}
	if o.CanTry {
		add("dry_run", &jsonschema.Schema{Type: "boolean", Description: "only tell what would change"}, false)
	}
	if o.Writes {
		add("idempotency_key", &jsonschema.Schema{Type: "string"}, false)
	}
	return s
}

func customProperty(p access.OwnParameter) *jsonschema.Schema {
	kind, form := "string", ""
	switch p.Type {
	case "integer", "number", "boolean":
		kind = p.Type
	case "record":
		kind, form = "integer", "id of a "+p.Model
	case "date":
		form = "YYYY-MM-DD"
	case "datetime":
		form = "UTC, YYYY-MM-DD HH:MM:SS"
	case "selection":
		form = "one of: " + strings.Join(p.Choices, ", ")
	}
	if p.Description != "" && form != "" {
		form = "; " + form
	}
	return &jsonschema.Schema{Type: kind, Description: p.Description + form}
}

// runCustom calls a custom tool. What its parameters may be, Odoo knows.
func runCustom(ctx context.Context, call *toolcall.Call, o access.OwnTool, raw json.RawMessage) (any, error) {
	given, bad := customArguments(o, raw)
	if bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, o.Model); err != nil {
		return nil, err
	}
	method := runTool
	if !o.Writes {
		method = lookTool
	}
	h := how{DryRun: given.dryRun, Key: given.key}
	reply, err := call.Do(ctx, h.request(o.Model, method, given.ids, map[string]any{
		"tool": o.Name, "revision": o.Revision, "parameters": given.parameters,
	}))
	if err != nil {
		return nil, err
	}
	return customAnswer(o, reply.Value, given.dryRun), nil
}

// customGiven are the arguments of a call of a custom tool.
type customGiven struct {
	ids        []int64
	dryRun     bool
	key        string
	parameters map[string]json.RawMessage
}

func customArguments(o access.OwnTool, raw json.RawMessage) (g customGiven, bad *access.Error) {
	var all map[string]json.RawMessage
	if len(raw) > 0 && string(raw) != "null" {
		if err := json.Unmarshal(raw, &all); err != nil {
			return g, access.NewError(access.InvalidInput, "The arguments are not a JSON object.", "Send an object with the tool's parameters.")
		}
	}
	known := customSchema(o).PropertyOrder
	dropClientArgs(all, known)
	g.parameters = map[string]json.RawMessage{}
	shared := map[string]json.RawMessage{}
	for _, name := range slices.Sorted(maps.Keys(all)) { // so that of several mistakes the same one is told each time
		value := all[name]
		switch {
		case !slices.Contains(known, name):
			return g, access.NewError(access.InvalidInput, fmt.Sprintf(access.SayNoParameter, mcperr.Clip(name, 60)), mcperr.Hint(name, known, "parameters"))
		case string(value) == "null":
		case slices.ContainsFunc(o.Parameters, func(p access.OwnParameter) bool { return p.Name == name }):
			g.parameters[name] = value
		default:
			shared[name] = value
		}
	}
	return g, g.share(o, shared)
}

// share reads the arguments that all custom tools have.
func (g *customGiven) share(o access.OwnTool, shared map[string]json.RawMessage) *access.Error {
	raw, err := json.Marshal(shared)
	if err != nil {
		return access.AsError(err)
	}
	args, bad := decodeArgs[struct {
		IDs    idList `json:"ids,omitempty"`
		DryRun bool   `json:"dry_run,omitempty"`
		Key    string `json:"idempotency_key,omitempty"`
	}](raw)
	if bad == nil && o.OnRecords {
		bad = checkDistinct(args.IDs)
	}
	if bad == nil {
		bad = checkKey(args.Key)
	}
	g.ids, g.dryRun, g.key = args.IDs, args.DryRun, args.Key
	return bad
}

// customAnswer is what a client gets of a custom tool. It is done: what cannot be read must not look like a failure.
func customAnswer(o access.OwnTool, raw json.RawMessage, dryRun bool) methodResult {
	result := methodResult{written: shapeWritten(raw, &toolcall.ModelInfo{Name: o.Model}, dryRun)}
	if !o.Writes && result.Note == "" {
		result.Note = "Nothing was changed."
	}
	var answer struct {
		Result      string  `json:"result"`
		ResultModel string  `json:"result_model"`
		ResultIDs   []int64 `json:"result_ids"`
	}
	if json.Unmarshal(raw, &answer) == nil {
		result.Result, result.ResultModel, result.ResultIDs = mcperr.Clip(answer.Result, 20_100), answer.ResultModel, answer.ResultIDs
	}
	return result
}
