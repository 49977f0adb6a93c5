package mcp

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

// ownHandler is the SDK's name of all own tools. They differ from connection to connection, and the SDK keeps one list:
// it gets one tool that nobody can see or call by this name, and guardCall, who knows the caller, hands it the real one.
const ownHandler = "own"

// The methods of the addon: one changes something, of the other everything is undone.
const (
	ownRun  = "run_tool"
	ownLook = "look_tool"
)

type ownKey struct{}

// withOwn names the own tool that a call is of.
func withOwn(ctx context.Context, t *tool) context.Context {
	return context.WithValue(ctx, ownKey{}, t)
}

// handleOwn runs the own tool that guardCall found, or hands on the refusal that it prepared.
func (s *Server) handleOwn(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	if result, ok := ctx.Value(preparedKey{}).(*sdk.CallToolResult); ok {
		return result, nil
	}
	t, ok := ctx.Value(ownKey{}).(*tool)
	if !ok {
		return errorResult(access.NewError(access.UnknownTool, "There is no such tool.", "Call tools/list.")), nil
	}
	return s.handle(t)(ctx, req)
}

// toolOf finds a tool of a caller by its name: one of ours, or one of their Odoo's own. Nil if there is none.
func (s *Server) toolOf(c *caller.Caller, name string) *tool {
	if t := s.byName[name]; t != nil {
		return t
	}
	for _, own := range c.Snapshot().OwnTools {
		if own.Name == name {
			return ownTool(own)
		}
	}
	return nil
}

// metricName is what a tool is counted as. Own tools are one: their names are an administrator's, as many as they like.
func (s *Server) metricName(name string) string {
	if s.byName[name] == nil {
		return ownHandler
	}
	return name
}

// ownList is what a caller's list shows of own tools. One that is called like one of ours is not among them: Odoo is about
// to give it another name.
func (s *Server) ownList(c *caller.Caller) []*tool {
	var list []*tool
	for _, own := range c.Snapshot().OwnTools {
		if s.byName[own.Name] == nil && access.MayUse(c.Snapshot(), own.Tool) && allowsModel(c.Snapshot(), own.Model) {
			list = append(list, ownTool(own))
		}
	}
	slices.SortFunc(list, func(a, b *tool) int { return cmp.Compare(a.Name, b.Name) })
	return list
}

// allowsModel reports whether the allow list of models has room for a tool that works on one model only.
func allowsModel(s *access.Snapshot, model string) bool {
	listed := s.Connection.Policy.AllowedModels
	return listed == nil || slices.Contains(listed, model)
}

func ownTool(o access.OwnTool) *tool {
	category := "execute"
	if !o.Writes {
		category = "read"
	}
	return &tool{
		Tool: o.Tool, title: o.Title, description: o.Description, category: category,
		destructive: o.Writes, idempotent: !o.Writes, openWorld: o.Writes,
		// No schema of the answer: it is the same for all of them, and there may be many.
		input: ownSchema(o),
		run:   func(ctx context.Context, g *governed, raw json.RawMessage) (any, error) { return g.runOwn(ctx, o, raw) },
	}
}

// ownSchema builds the flat schema of an own tool's arguments. Choices are told in words: not every client takes enum.
func ownSchema(o access.OwnTool) *jsonschema.Schema {
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
		add(p.Name, ownProperty(p), p.Required)
	}
	if o.CanTry {
		add("dry_run", &jsonschema.Schema{Type: "boolean", Description: "only tell what would change"}, false)
	}
	if o.Writes {
		add("idempotency_key", &jsonschema.Schema{Type: "string"}, false)
	}
	return s
}

func ownProperty(p access.OwnParameter) *jsonschema.Schema {
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

// runOwn calls an own tool. What its parameters may be, Odoo knows.
func (g *governed) runOwn(ctx context.Context, o access.OwnTool, raw json.RawMessage) (any, error) {
	given, bad := ownArguments(o, raw)
	if bad != nil {
		return nil, bad
	}
	if err := g.begin(ctx, o.Model); err != nil {
		return nil, err
	}
	method := ownRun
	if !o.Writes {
		method = ownLook
	}
	h := how{DryRun: given.dryRun, Key: given.key}
	reply, err := g.call(ctx, h.request(o.Model, method, given.ids, map[string]any{
		"tool": o.Name, "revision": o.Revision, "parameters": given.parameters,
	}))
	if err != nil {
		return nil, err
	}
	return ownAnswer(o, reply.Value, given.dryRun), nil
}

// ownGiven are the arguments of a call of an own tool.
type ownGiven struct {
	ids        []int64
	dryRun     bool
	key        string
	parameters map[string]json.RawMessage
}

func ownArguments(o access.OwnTool, raw json.RawMessage) (g ownGiven, bad *access.Error) {
	var all map[string]json.RawMessage
	if len(raw) > 0 && string(raw) != "null" {
		if err := json.Unmarshal(raw, &all); err != nil {
			return g, access.NewError(access.InvalidInput, "The arguments are no JSON object.", "Send an object with the tool's parameters.")
		}
	}
	known := ownSchema(o).PropertyOrder
	g.parameters = map[string]json.RawMessage{}
	shared := map[string]json.RawMessage{}
	for name, value := range all {
		switch {
		case !slices.Contains(known, name):
			return g, access.NewError(access.InvalidInput, fmt.Sprintf("There is no parameter %q.", mcperr.Clip(name, 60)), mcperr.Hint(name, known, "parameters"))
		case string(value) == "null":
		case slices.ContainsFunc(o.Parameters, func(p access.OwnParameter) bool { return p.Name == name }):
			g.parameters[name] = value
		default:
			shared[name] = value
		}
	}
	return g, g.share(o, shared)
}

// share reads the arguments that all own tools have.
func (g *ownGiven) share(o access.OwnTool, shared map[string]json.RawMessage) *access.Error {
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

// ownAnswer is what a client gets of an own tool. It is done: what cannot be read must not look like a failure.
func ownAnswer(o access.OwnTool, raw json.RawMessage, dryRun bool) methodResult {
	result := methodResult{written: shapeWritten(raw, &modelInfo{Name: o.Model}, dryRun)}
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
