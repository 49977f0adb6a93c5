package mcp

import (
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// catalog returns every tool, in the order in which clients see them.
func catalog() []*tool {
	return []*tool{
		getContext(), listModels(), describeModel(),
		searchRecords(), readRecords(), aggregateRecords(),
		createRecords(), updateRecords(), deleteRecords(), callMethod(), postMessage(),
		approvalStatus(),
	}
}

// outputSchema builds a flat schema from "name:type" words. Nothing is required, and what an error or a pending answer
// holds is part of it: some clients check the structured content of those against this schema as well, and would throw
// instead of showing it.
func outputSchema(properties ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}
	for _, p := range append(properties,
		"kind:string", "message:string", "hint:string", "retry_after_seconds:integer",
		"status:string", "request_id:integer", "expires_at:string", "approval_url:string",
	) {
		name, kind, _ := strings.Cut(p, ":")
		if s.Properties[name] != nil {
			continue // approval_status names them first, in its own order
		}
		s.Properties[name] = typeSchema(kind)
		s.PropertyOrder = append(s.PropertyOrder, name)
	}
	return s
}

func typeSchema(kind string) *jsonschema.Schema {
	switch kind {
	case "objects", "strings", "integers":
		return &jsonschema.Schema{Type: "array", Items: &jsonschema.Schema{Type: strings.TrimSuffix(kind, "s")}}
	}
	return &jsonschema.Schema{Type: kind}
}
