package mcp

import (
	"context"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

// Fixtures are tools, prompts and resources that are not Doorman's: the official conformance suite asks every server for
// the same ones, and a product does not carry them. Only a test sets them. They go the way of ours (credentials,
// admission, limits, transport, lists) as far as the catalog, which does not know them.
type Fixtures struct {
	// Add puts them on the SDK's server.
	Add func(*sdk.Server)
	// Has reports whether the name of a tool or prompt, or the address of a resource, is one of them.
	Has func(name string) bool
	// Complete answers completions for them.
	Complete func(context.Context, *sdk.CompleteRequest) (*sdk.CompleteResult, error)
}

// has is Has where there are fixtures.
func (f Fixtures) has(name string) bool { return f.Has != nil && f.Has(name) }

// asked reports whether a request is for one of them.
func (f Fixtures) asked(req sdk.Request) bool {
	if f.Has == nil {
		return false
	}
	switch p := req.GetParams().(type) {
	case *sdk.CallToolParamsRaw:
		return p != nil && f.Has(p.Name)
	case *sdk.GetPromptParams:
		return p != nil && f.Has(p.Name)
	case *sdk.ReadResourceParams:
		return p != nil && f.Has(p.URI)
	}
	return false
}

// admitFixture counts a request for a fixture as a call, and passes it on.
func (s *Server) admitFixture(ctx context.Context, c *caller.Caller, method string, req sdk.Request, next sdk.MethodHandler) (sdk.Result, error) {
	if _, refusal := s.door.AdmitCall(ctx, c); refusal != nil {
		return nil, mcperr.RPC(refusal)
	}
	return next(ctx, method, req)
}
