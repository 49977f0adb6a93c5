package mcp

import (
	"context"
	"slices"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
	"doorman/server/mcp/caller"
	"doorman/server/mcp/mcperr"
)

const (
	// maxCompletions is the protocol's own bound.
	maxCompletions = 100
	// maxTyped is longer than any name of a model.
	maxTyped = 128
)

// complete proposes values for the argument of a template or a prompt: names of models, for arguments that are called
// model. For anything else there is nothing to propose.
func (s *Server) complete(ctx context.Context, req *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
	c, refusal := caller.Of(ctx)
	if refusal != nil {
		return nil, mcperr.RPC(refusal)
	}
	if s.fixtures.has(req.Params.Ref.Name) {
		return s.fixtures.Complete(ctx, req)
	}
	known, err := s.argumentsOf(c, req.Params.Ref)
	if err != nil {
		return nil, err
	}
	name := req.Params.Argument.Name
	if !slices.Contains(known, name) {
		return nil, mcperr.InvalidParams("There is no argument %q here; there is %s.", mcperr.Clip(name, 60), strings.Join(known, ", "))
	}
	result := &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{Values: []string{}}}
	if name != "model" {
		return result, nil
	}
	models, failure := s.modelNames(ctx, c, req.Session, "completion/complete")
	if failure != nil {
		return nil, mcperr.RPC(failure)
	}
	found := matching(models, req.Params.Argument.Value)
	shown := min(maxCompletions, len(found))
	result.Completion = sdk.CompletionResultDetails{Values: found[:shown], Total: len(found), HasMore: shown < len(found)}
	return result, nil
}

// argumentsOf returns the arguments of what a reference stands for.
func (s *Server) argumentsOf(c *caller.Caller, ref *sdk.CompleteReference) ([]string, error) {
	wide := access.Widened(c.Snapshot())
	switch {
	case ref.Type == "ref/resource" && s.templateOf(wide, ref.URI) == recordResource:
		return []string{"model", "id"}, nil
	case ref.Type == "ref/resource" && s.templateOf(wide, ref.URI) == fieldsResource:
		return []string{"model"}, nil
	case ref.Type == "ref/resource":
		return nil, mcperr.InvalidParams("There is no resource template %q; resources/templates/list has those there are.", mcperr.Clip(ref.URI, 60))
	}
	p := s.promptOf(c, ref.Name)
	if p == nil {
		return nil, s.unknownPrompt(c, ref.Name)
	}
	names := make([]string, 0, len(p.arguments))
	for _, a := range p.arguments {
		names = append(names, a.Name)
	}
	return names, nil
}

// matching returns the names that fit what was typed: those that start with it, those that have it in them, those whose
// label does.
func matching(models []openModel, typed string) []string {
	typed = strings.ToLower(strings.TrimSpace(typed))
	found := []string{}
	if len(typed) > maxTyped {
		return found
	}
	fits := []func(openModel) bool{
		func(m openModel) bool { return strings.HasPrefix(m.Model, typed) },
		func(m openModel) bool { return strings.Contains(m.Model, typed) },
		func(m openModel) bool { return strings.Contains(strings.ToLower(m.Label), typed) },
	}
	for i, fit := range fits {
		for _, m := range models {
			if fit(m) && !slices.ContainsFunc(fits[:i], func(before func(openModel) bool) bool { return before(m) }) {
				found = append(found, m.Model)
			}
		}
	}
	return found
}
