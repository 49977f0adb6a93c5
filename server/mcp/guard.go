package mcp

import (
	"context"
	"fmt"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

// guard stands before every method of the SDK. What authenticate let through by the method it read in the body is
// looked at once more by the method that the SDK read: two parsers must not be played against each other.
func (s *Server) guard(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		c, refusal := callerOf(ctx)
		if refusal != nil {
			return nil, refusal
		}
		switch {
		case c.refusal != nil:
			return s.guardUnknown(ctx, c, method, req, next)
		case s.fixtures.asked(req):
			return s.guardFixture(ctx, c, method, req, next)
		case method == "tools/call":
			return s.guardCall(ctx, c, req, next)
		case method == readMethod:
			return s.guardRead(ctx, c, req, next)
		}
		refusal = s.admit(ctx, c)
		if refusal == nil && !c.counted.CompareAndSwap(true, false) {
			refusal = s.limits.other(ctx, c.current())
		}
		if refusal != nil {
			s.refused(c, method, "", "", refusal)
			return nil, mcperr.RPC(refusal)
		}
		result, err := s.handlerOf(c, method, next)(ctx, method, req)
		if err != nil {
			return result, err
		}
		s.cut(c, result)
		s.served(c, method, req)
		return result, nil
	}
}

// guardCall lets a tool call through to its tool, counted, or answers it in a form that the model reads.
func (s *Server) guardCall(ctx context.Context, c *caller, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	var name string
	if params, ok := req.GetParams().(*sdk.CallToolParamsRaw); ok && params != nil {
		name = params.Name
	}
	start := s.now()
	var rate access.Rate
	refusal := s.admit(ctx, c)
	if refusal == nil {
		rate, refusal = s.limits.call(ctx, c.current())
	}
	if refusal == nil {
		refusal = access.Limit(rate).Err()
	}
	switch known := s.toolOf(c, name); {
	case refusal == nil && known == nil:
		refusal = s.unknownTool(c, name)
	case refusal == nil && s.byName[name] == nil:
		return next(withOwn(withRate(ctx, rate), known), "tools/call", toOwnHandler(req))
	case refusal == nil:
		return next(withRate(ctx, rate), "tools/call", req)
	case known != nil:
		s.observe(metricName(s, name), string(refusal.Kind), s.now().Sub(start))
	}
	s.refused(c, "tools/call", mcperr.Clip(name, 60), "", refusal)
	return next(withPrepared(ctx, errorResult(refusal)), "tools/call", toOwnHandler(req))
}

// guardUnknown answers a call of which nobody knows whose it is; anything else was answered before, see unresolved.
func (s *Server) guardUnknown(ctx context.Context, c *caller, method string, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	if method != "tools/call" {
		return nil, c.refusal
	}
	s.refused(c, method, "", "", c.refusal)
	return next(withPrepared(ctx, errorResult(c.refusal)), method, toOwnHandler(req))
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

// admit decides whether the caller may ask for anything at all.
func (s *Server) admit(ctx context.Context, c *caller) *access.Error {
	return s.decide(ctx, c, func(snapshot *access.Snapshot) *access.Error {
		return access.Admit(s.now(), snapshot, c.ip).Err()
	})
}

// decide takes a decision on the snapshot at hand. If that refuses, it is taken once more on what holds now: what an
// administrator has just allowed works at once.
func (s *Server) decide(ctx context.Context, c *caller, on func(*access.Snapshot) *access.Error) *access.Error {
	known := c.current()
	refusal := on(known)
	if refusal == nil || refusal.Kind == access.RateLimited || c.hasAsked() {
		return refusal
	}
	fresh, err := s.resolver.renew(ctx, c.proof)
	if err != nil {
		if e := access.AsError(err); e.Kind == access.Unauthenticated {
			return e
		}
		return refusal // an outage: what is known still refuses
	}
	if fresh == known {
		return refusal
	}
	c.replace(fresh)
	return on(fresh)
}

// unknownTool says that there is no such tool, and which ones are near.
func (s *Server) unknownTool(c *caller, name string) *access.Error {
	names := make([]string, 0, len(s.tools))
	for _, t := range s.tools {
		if access.MayUse(access.Widened(c.current()), t.Tool) {
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
func (s *Server) cutList(c *caller, list *sdk.ListToolsResult) {
	kept := make([]*sdk.Tool, 0, len(list.Tools))
	for _, known := range s.tools {
		i := slices.IndexFunc(list.Tools, func(t *sdk.Tool) bool { return t.Name == known.Name })
		if i >= 0 && access.MayUse(access.Widened(c.current()), known.Tool) {
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

// served notes a request that was answered without Odoo: it shows that the connection is in use. A ping shows only that
// a program is still running, and a notification asks for nothing.
func (s *Server) served(c *caller, method string, req sdk.Request) {
	if method == "ping" || strings.HasPrefix(method, "notifications/") {
		return
	}
	session, _ := req.GetSession().(*sdk.ServerSession)
	s.recorder.add(s.event(c, access.Event{Served: true, Audit: auditOf(c, session, method, "")}))
}
