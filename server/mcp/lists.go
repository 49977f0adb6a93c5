package mcp

import (
	"context"
	"encoding/json"
	"slices"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/tools"
)

// handlerOf returns what answers a method: the SDK, whose lists are the same for everybody, or one of ours, who know the
// caller.
func (s *Server) handlerOf(c *caller.Caller, session *sdk.ServerSession, method string, next sdk.MethodHandler) sdk.MethodHandler {
	switch method {
	case "resources/list":
		return func(ctx context.Context, _ string, req sdk.Request) (sdk.Result, error) {
			list, err := s.resources.List(ctx, c, session, cursorOf(req))
			if err != nil {
				return nil, err // not the nil list: as a Result it would not be nil
			}
			return list, nil
		}
	case "prompts/get":
		return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
			params, ok := req.GetParams().(*sdk.GetPromptParams)
			if !ok || params == nil {
				return nil, mcperr.InvalidParams("prompts/get needs the parameter name.")
			}
			result, err := s.prompts.Get(c.Snapshot(), params)
			if err != nil {
				return nil, err
			}
			return next(withPrepared(ctx, result), method, req)
		}
	}
	return next
}

// cursorOf is where a request for a list goes on; "" = at the beginning, or it is for no list.
func cursorOf(req sdk.Request) string {
	var p struct {
		Cursor string `json:"cursor"`
	}
	raw, err := json.Marshal(req.GetParams()) // the lists' parameters have no interface in common
	if err == nil {
		_ = json.Unmarshal(raw, &p)
	}
	return p.Cursor
}

// cut takes out of a list what this connection may not use.
func (s *Server) cut(c *caller.Caller, result sdk.Result) {
	switch list := result.(type) {
	case *sdk.ListToolsResult:
		s.cutTools(c, list)
	case *sdk.ListResourceTemplatesResult:
		wide := access.Widened(c.Snapshot())
		list.ResourceTemplates = slices.DeleteFunc(list.ResourceTemplates, func(t *sdk.ResourceTemplate) bool {
			return !s.resources.MayUse(wide, t.URITemplate) && !s.fixtures.has(t.URITemplate)
		})
	case *sdk.ListPromptsResult:
		list.Prompts = slices.DeleteFunc(list.Prompts, func(p *sdk.Prompt) bool {
			return !s.prompts.CanFollow(c.Snapshot(), p.Name) && !s.fixtures.has(p.Name)
		})
	}
}

// cutTools takes the tools that this connection may not use out of tools/list, and puts the rest in the catalog's order.
// What only the token lacks stays: the call's refusal tells the client which scope to ask its user for.
func (s *Server) cutTools(c *caller.Caller, list *sdk.ListToolsResult) {
	kept := make([]*sdk.Tool, 0, len(list.Tools))
	for _, usable := range s.tools.Usable(access.Widened(c.Snapshot())) {
		if i := slices.IndexFunc(list.Tools, func(t *sdk.Tool) bool { return t.Name == usable.Name }); i >= 0 {
			kept = append(kept, list.Tools[i])
		}
	}
	if list.NextCursor == "" {
		for _, t := range s.tools.Custom(c.Snapshot()) {
			kept = append(kept, t.Definition())
		}
	}
	for _, t := range list.Tools {
		if s.fixtures.has(t.Name) {
			kept = append(kept, t)
		}
	}
	list.Tools = kept
}

// complete proposes values for the argument of a template or a prompt.
func (s *Server) complete(ctx context.Context, req *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
	c, refusal := caller.Of(ctx)
	if refusal != nil {
		return nil, mcperr.RPC(refusal)
	}
	ref := req.Params.Ref
	if s.fixtures.has(ref.Name) {
		return s.fixtures.Complete(ctx, req)
	}
	var known []string
	var err error
	if ref.Type == "ref/resource" {
		known, err = s.resources.Arguments(c, ref.URI)
	} else {
		known, err = s.prompts.Arguments(c.Snapshot(), ref.Name)
	}
	if err != nil {
		return nil, err
	}
	return s.resources.Complete(ctx, c, req, known)
}

// FindTool returns what has to be known to decide on a call of a tool: one of ours, or one of the connection's own. The error
// says that there is none of that name, and which ones have a similar one.
func FindTool(s *access.Snapshot, name string) (access.Tool, *access.Error) {
	catalog := tools.Catalog()
	if t := catalog.Find(s, name); t != nil {
		return t.Tool, nil
	}
	return access.Tool{}, catalog.Unknown(s, name)
}
