package mcp

import (
	"context"
	"errors"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
	"doorman/server/observe"
)

// admit stands before every method of the SDK. What Authenticate let through by the method it read in the body is
// looked at once more by the method that the SDK read: two parsers must not be played against each other.
func (s *Server) admit(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		c, refusal := caller.Of(ctx)
		if refusal != nil {
			return nil, refusal
		}
		switch {
		case c.Unknown != nil:
			return s.admitUnknown(ctx, c, method, req, next)
		case s.fixtures.asked(req):
			return s.admitFixture(ctx, c, method, req, next)
		case method == caller.MethodCall:
			return s.admitCall(ctx, c, req, next)
		case method == caller.MethodRead:
			return s.admitRead(ctx, c, req, next)
		}
		session, _ := req.GetSession().(*sdk.ServerSession)
		if refusal := s.door.AdmitOther(ctx, c); refusal != nil {
			s.door.TurnAway(ctx, c, method, "", true, refusal)
			return nil, mcperr.RPC(refusal)
		}
		result, err := s.handlerOf(c, session, method, next)(ctx, method, req)
		if err != nil {
			if cursor := cursorOf(req); cursor != "" && method != "resources/list" { // which says it by itself
				err = mcperr.NoCursor(cursor) // the SDK's lists fail at nothing else, and it says no more than "invalid params"
			}
			return result, err
		}
		s.cut(c, result)
		s.door.Served(c, session, method)
		return result, nil
	}
}

// admitCall lets a tool call through to its tool, counted, or answers it in a form that the model reads.
func (s *Server) admitCall(ctx context.Context, c *caller.Caller, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	var name string
	if params, ok := req.GetParams().(*sdk.CallToolParamsRaw); ok && params != nil {
		name, ctx = params.Name, observe.From(ctx, params.Meta)
	}
	start := s.now()
	rate, refusal := s.door.AdmitCall(ctx, c)
	if refusal == nil {
		refusal = c.Flaw
	}
	known := s.tools.Find(c.Snapshot(), name)
	switch {
	case refusal == nil && known == nil:
		refusal = s.tools.Unknown(c.Snapshot(), name)
	case refusal == nil && s.tools.Tool(name) == nil:
		return next(withCustom(caller.WithRate(ctx, rate), known), caller.MethodCall, toCustomHandler(req))
	case refusal == nil:
		return next(caller.WithRate(ctx, rate), caller.MethodCall, req)
	case known != nil:
		s.observe(name, string(refusal.Kind), s.now().Sub(start))
	}
	s.door.TurnAway(ctx, c, caller.MethodCall, mcperr.Clip(name, 60), known != nil, refusal)
	return next(withPrepared(ctx, toolcall.ErrorResult(refusal)), caller.MethodCall, toCustomHandler(req))
}

// admitRead answers a read of a resource, which is a call too.
func (s *Server) admitRead(ctx context.Context, c *caller.Caller, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	params, ok := req.GetParams().(*sdk.ReadResourceParams)
	if !ok || params == nil {
		return nil, mcperr.InvalidParams("resources/read needs the parameter uri.")
	}
	session, _ := req.GetSession().(*sdk.ServerSession)
	result, err := s.resources.Read(observe.From(ctx, params.Meta), c, session, params)
	if err != nil {
		return nil, err
	}
	return next(withPrepared(ctx, result), caller.MethodRead, req)
}

// admitUnknown answers a call from an unknown caller; Authenticate has answered anything else.
func (s *Server) admitUnknown(ctx context.Context, c *caller.Caller, method string, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	if method != caller.MethodCall {
		return nil, c.Unknown
	}
	s.door.TurnAway(ctx, c, method, "", true, c.Unknown)
	return next(withPrepared(ctx, toolcall.ErrorResult(c.Unknown)), method, toCustomHandler(req))
}

// customHandler is the SDK's name of all custom tools. They differ from connection to connection, and the SDK keeps one
// list: it gets one tool that nobody can see or call by this name, and admitCall, who knows the caller, hands it the real
// one.
const customHandler = toolcall.CustomMetric

type customKey struct{}

// withCustom names the custom tool that a call is of.
func withCustom(ctx context.Context, t *toolcall.Tool) context.Context {
	return context.WithValue(ctx, customKey{}, t)
}

// handleCustom runs the custom tool that admitCall found, or hands on the refusal that it prepared.
func (s *Server) handleCustom(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	if result, ok := ctx.Value(preparedKey{}).(*sdk.CallToolResult); ok {
		return result, nil
	}
	t, ok := ctx.Value(customKey{}).(*toolcall.Tool)
	if !ok {
		return toolcall.ErrorResult(access.NewError(access.UnknownTool, "There is no such tool.", "Call tools/list.")), nil
	}
	return s.calls.Handler(t)(ctx, req)
}

// toCustomHandler is a call as the SDK takes it whatever its name: to the handler of custom tools, which also hands on a
// result that is ready.
func toCustomHandler(req sdk.Request) sdk.Request {
	call, ok := req.(*sdk.CallToolRequest)
	if !ok {
		return req
	}
	again, params := *call, sdk.CallToolParamsRaw{}
	if call.Params != nil {
		params = *call.Params
	}
	params.Name = customHandler
	again.Params = &params
	return &again
}

type preparedKey struct{}

// withPrepared hands a result that is ready to the SDK's own handler, which only it can complete: it marks a result in a
// field that nobody else can write.
func withPrepared(ctx context.Context, result sdk.Result) context.Context {
	return context.WithValue(ctx, preparedKey{}, result)
}

// prepared is what the SDK is told to call: it gives the result that is ready, and nothing where none is.
func prepared[Request any, Result any](ctx context.Context, _ Request) (Result, error) {
	result, ok := ctx.Value(preparedKey{}).(Result)
	if !ok {
		return result, errors.New("the SDK was asked past admit")
	}
	return result, nil
}
