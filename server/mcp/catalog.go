package mcp

import (
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// catalog returns every tool, in the order in which clients see them.
func catalog() []*tool {
	return []*tool{
		getContext(), listModels(), describeModel(),
		searchRecords(), readRecords(), aggregateRecords(), searchEverywhere(), readMessages(), getActions(),
		getAttachment(), getReport(),
		createRecords(), updateRecords(), deleteRecords(), callMethod(), postMessage(), scheduleActivity(), requestUpload(),
		runSQL(), runPython(),
		approvalStatus(),
	}
}

// outputSchema builds a flat schema from "name:type" words. Nothing is required and nothing else is forbidden: an error
// and a pending answer are structured content too, and some clients check those against this schema as well; they would
// throw instead of showing them. The properties of both are not listed, since every client would pay for them in every
// conversation, once a tool; a test holds both against every schema.
func outputSchema(properties ...string) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "object", Properties: map[string]*jsonschema.Schema{}}
	for _, p := range properties {
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
