package mcp

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

// tool is one entry of the catalog: what clients see, what a decision needs, and what it does.
type tool struct {
	access.Tool
	title       string
	description string
	category    string // read, write, execute
	destructive bool
	idempotent  bool
	openWorld   bool // it may reach people or systems beyond Odoo: e-mails, what a button does
	input       *jsonschema.Schema
	output      *jsonschema.Schema
	// run decodes the arguments and does the work. It must call begin before anything reaches Odoo.
	run func(ctx context.Context, g *governed, raw json.RawMessage) (any, error)
}

// begin is the gate of every tool: it names the model and takes the decision.
func (g *governed) begin(ctx context.Context, model string) error {
	g.model = model
	if refusal := g.decide(ctx); refusal != nil {
		return refusal
	}
	return nil
}

// definition is the tool as clients see it. All four annotations are always set: clients decide on them whether to ask
// their user, and the protocol's defaults are the wrong way round for a tool that only reads.
func (t *tool) definition() *sdk.Tool {
	d := &sdk.Tool{
		Name: t.Name, Title: t.title, Description: t.description, InputSchema: t.input,
		Annotations: &sdk.ToolAnnotations{
			Title: t.title, ReadOnlyHint: !t.Writes, DestructiveHint: &t.destructive,
			IdempotentHint: t.idempotent, OpenWorldHint: &t.openWorld,
		},
	}
	if t.output != nil { // a nil pointer is no nil interface: it would be sent as null
		d.OutputSchema = t.output
	}
	return d
}

// catalogRow is the tool as Odoo's catalog shows it to administrators.
func (t *tool) catalogRow() access.CatalogTool {
	schema, err := json.Marshal(t.input)
	if err != nil {
		panic(err) // a schema of ours that is no JSON: found by the first test that runs
	}
	return access.CatalogTool{
		Name: t.Name, Title: t.title, Description: t.description, Category: t.category,
		Scope: t.Scope, Risk: t.Risk, NeedsModule: t.NeedsModule, InputSchema: schema,
	}
}

// handle is what the SDK calls for a tool. It never returns a Go error: the SDK would turn it into a protocol error
// that no model reads.
func (s *Server) handle(t *tool) sdk.ToolHandler {
	return func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		start := s.now()
		c, refusal := caller.Of(ctx)
		if refusal != nil {
			return errorResult(refusal), nil
		}
		ctx, end := s.begin(ctx, c, t)
		defer end()
		g := &governed{
			server: s, caller: c, tool: t.Tool, args: req.Params.Arguments, rate: caller.RateOf(ctx),
			audit:    c.Audit(req.Session, caller.MethodCall, t.Name),
			progress: s.progressOf(ctx, c, req.Session, req.Params),
		}
		defer g.progress.stop()
		var value any
		var err error
		if state := req.Params.RequestState; state != "" {
			value, err = g.resume(ctx, state)
		} else {
			value, err = t.run(ctx, g, g.args)
		}
		result, outcome := g.result(req, value, err)
		s.observe(t.Name, outcome, s.now().Sub(start))
		return result, nil
	}
}

// result is how a call ended, as the client gets it, and in one word.
func (g *governed) result(req *sdk.CallToolRequest, value any, err error) (*sdk.CallToolResult, string) {
	if wait, ok := errors.AsType[*waiting](err); ok {
		if req.Params.RequestState == "" && opensURLs(req.Session) {
			return g.elicitResult(g.tool.Name, wait.Pending), string(access.PendingApproval)
		}
		return pendingResult(wait.Pending), string(access.PendingApproval)
	}
	if err == nil {
		var result *sdk.CallToolResult
		if result, err = okResult(value); err == nil {
			return result, "ok"
		}
	}
	s, e := g.server, access.AsError(err)
	s.log.Debug().Str("request_id", g.caller.RequestID).Str("tool", g.tool.Name).Str("kind", string(e.Kind)).Str("detail", e.Detail).Msg("tool failed")
	if !g.done {
		s.door.Refused(g.caller, caller.MethodCall, g.tool.Name, g.model, e)
	}
	return errorResult(e), string(e.Kind)
}

// okResult gives the value twice, as the protocol asks: structured, and as text for clients that read only that.
func okResult(value any) (*sdk.CallToolResult, error) {
	body, err := json.Marshal(value)
	if err != nil {
		return nil, err
	}
	return &sdk.CallToolResult{
		Content:           []sdk.Content{&sdk.TextContent{Text: string(body)}},
		StructuredContent: json.RawMessage(body),
	}, nil
}

// errorResult is a failure that the model can read and act on.
func errorResult(e *access.Error) *sdk.CallToolResult {
	return &sdk.CallToolResult{
		IsError:           true,
		Content:           []sdk.Content{&sdk.TextContent{Text: mcperr.Sentence(e)}},
		StructuredContent: mcperr.Body(e),
	}
}

// begin gives a call its deadline, and ends it early where its client does not want it any more.
func (s *Server) begin(ctx context.Context, c *caller.Caller, t *tool) (_ context.Context, end func()) {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	stop := c.EndEarly(cancel, t.Writes)
	return ctx, func() {
		stop()
		cancel()
	}
}
