package mcp

import (
	"context"
	"fmt"
	"slices"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

// guard stands before every method of the SDK. What authenticate let through by the method it read in the body is
// looked at once more by the method that the SDK read: two parsers must not be played against each other.
func (s *Server) guard(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		c, refusal := caller.Of(ctx)
		if refusal != nil {
			return nil, refusal
		}
		switch {
		case c.Unknown != nil:
			return s.guardUnknown(ctx, c, method, req, next)
		case s.fixtures.asked(req):
			return s.guardFixture(ctx, c, method, req, next)
		case method == caller.MethodCall:
			return s.guardCall(ctx, c, req, next)
		case method == caller.MethodRead:
			return s.guardRead(ctx, c, req, next)
		}
		if refusal := s.door.AdmitOther(ctx, c); refusal != nil {
			s.door.Refused(c, method, "", "", refusal)
			return nil, mcperr.RPC(refusal)
		}
		result, err := s.handlerOf(c, method, next)(ctx, method, req)
		if err != nil {
			return result, err
		}
		s.cut(c, result)
		session, _ := req.GetSession().(*sdk.ServerSession)
		s.door.Served(c, session, method)
		return result, nil
	}
}

// guardCall lets a tool call through to its tool, counted, or answers it in a form that the model reads.
func (s *Server) guardCall(ctx context.Context, c *caller.Caller, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	var name string
	if params, ok := req.GetParams().(*sdk.CallToolParamsRaw); ok && params != nil {
		name = params.Name
	}
	start := s.now()
	rate, refusal := s.door.AdmitCall(ctx, c)
	switch known := s.toolOf(c, name); {
	case refusal == nil && known == nil:
		refusal = s.unknownTool(c, name)
	case refusal == nil && s.byName[name] == nil:
		return next(withOwn(caller.WithRate(ctx, rate), known), caller.MethodCall, toOwnHandler(req))
	case refusal == nil:
		return next(caller.WithRate(ctx, rate), caller.MethodCall, req)
	case known != nil:
		s.observe(name, string(refusal.Kind), s.now().Sub(start))
	}
	s.door.Refused(c, caller.MethodCall, mcperr.Clip(name, 60), "", refusal)
	return next(withPrepared(ctx, errorResult(refusal)), caller.MethodCall, toOwnHandler(req))
}

// guardUnknown answers a call of which nobody knows whose it is; anything else was answered before, see unresolved.
func (s *Server) guardUnknown(ctx context.Context, c *caller.Caller, method string, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	if method != caller.MethodCall {
		return nil, c.Unknown
	}
	s.door.Refused(c, method, "", "", c.Unknown)
	return next(withPrepared(ctx, errorResult(c.Unknown)), method, toOwnHandler(req))
}

// toOwnHandler is a call as the SDK takes it whatever its name: to the handler of own tools, which also hands on a result
// that is ready.
func toOwnHandler(req sdk.Request) sdk.Request {
	call, ok := req.(*sdk.CallToolRequest)
	if !ok {
		return req
	}
	again, params := *call, sdk.CallToolParamsRaw{}
	if call.Params != nil {
		params = *call.Params
	}
	params.Name = ownHandler
	again.Params = &params
	return &again
}

// unknownTool says that there is no such tool, and which ones are near.
func (s *Server) unknownTool(c *caller.Caller, name string) *access.Error {
	names := make([]string, 0, len(s.tools))
	for _, t := range s.tools {
		if access.MayUse(access.Widened(c.Snapshot()), t.Tool) {
			names = append(names, t.Name)
		}
	}
	for _, t := range s.ownList(c) {
		names = append(names, t.Name)
	}
	return access.NewError(access.UnknownTool, fmt.Sprintf("There is no tool %q.", mcperr.Clip(name, 60)), mcperr.Hint(name, names, "tools"))
}

// cutList takes the tools that this connection may not use out of tools/list, and puts the rest in the catalog's order.
// What only the token lacks stays: the call's refusal tells the client which scope to ask its user for.
func (s *Server) cutList(c *caller.Caller, list *sdk.ListToolsResult) {
	kept := make([]*sdk.Tool, 0, len(list.Tools))
	for _, known := range s.tools {
		i := slices.IndexFunc(list.Tools, func(t *sdk.Tool) bool { return t.Name == known.Name })
		if i >= 0 && access.MayUse(access.Widened(c.Snapshot()), known.Tool) {
			kept = append(kept, list.Tools[i])
		}
	}
	if list.NextCursor == "" {
		for _, t := range s.ownList(c) {
			kept = append(kept, t.definition())
		}
	}
	for _, t := range list.Tools {
		if s.fixtures.has(t.Name) {
			kept = append(kept, t)
		}
	}
	list.Tools = kept
}
