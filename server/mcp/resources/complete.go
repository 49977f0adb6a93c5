package resources

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

// Complete proposes values for an argument of a template or a prompt that has the arguments known: names of models, for one
// that is called model. For anything else there is nothing to propose.
func (r *Resources) Complete(ctx context.Context, who *caller.Caller, req *sdk.CompleteRequest, known []string) (*sdk.CompleteResult, error) {
	name := req.Params.Argument.Name
	if !slices.Contains(known, name) {
		return nil, mcperr.InvalidParams("There is no argument %q here, only %s.", mcperr.Clip(name, 60), strings.Join(known, ", "))
	}
	result := &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{Values: []string{}}}
	if name != "model" {
		return result, nil
	}
	models, failure := r.modelNames(ctx, who, req.Session, "completion/complete")
	if failure != nil {
		return nil, mcperr.RPC(failure)
	}
	found := matching(models, req.Params.Argument.Value)
	shown := min(maxCompletions, len(found))
	result.Completion = sdk.CompletionResultDetails{Values: found[:shown], Total: len(found), HasMore: shown < len(found)}
	return result, nil
}

// Arguments returns the arguments of a template.
func (r *Resources) Arguments(who *caller.Caller, template string) ([]string, error) {
	switch r.templateOf(access.Widened(who.Snapshot()), template) {
	case recordResource:
		return []string{"model", "id"}, nil
	case fieldsResource:
		return []string{"model"}, nil
	}
	return nil, mcperr.InvalidParams("There is no resource template %q; resources/templates/list lists the available ones.", mcperr.Clip(template, 60))
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
