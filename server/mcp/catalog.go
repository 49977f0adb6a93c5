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
	}
}

// outputSchema builds a flat schema from "name:type" words. Nothing is required, and what an error result holds is part
// of it: some clients check the structured content of an error against this schema as well, and would throw instead of
// showing the error.
func outputSchema(properties ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}
	for _, p := range append(properties, "kind:string", "message:string", "hint:string", "retry_after_seconds:integer") {
		name, kind, _ := strings.Cut(p, ":")
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
