package tools

import (
	"reflect"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
)

// schemaTypes gives the schemas of the named types.
var schemaTypes = map[reflect.Type]*jsonschema.Schema{
	reflect.TypeFor[stringList](): {Type: "array", Items: &jsonschema.Schema{Type: "string"}},
	reflect.TypeFor[idList]():     {Type: "array", Items: &jsonschema.Schema{Type: "integer"}},
	reflect.TypeFor[domainArg]():  {Type: "string"},
	reflect.TypeFor[jsonArg]():    {Type: "string"},
}

// inputSchema builds the schema of a tool's arguments from its struct. It does not say that no others are allowed: every
// client would pay for it, some refuse a schema that has it, and a call with another argument is told which one is meant.
func inputSchema[T any]() *jsonschema.Schema {
	s, err := jsonschema.For[T](&jsonschema.ForOptions{TypeSchemas: schemaTypes})
	if err != nil {
		panic(err) // a struct of ours that has no schema: found by the first test that runs
	}
	s.AdditionalProperties = nil
	return s
}

// outputSchema builds a flat schema from "name:type" words. Nothing is required and nothing else is forbidden: an error
// and a pending answer are structured content too, and some clients check those against this schema as well; they would
// throw instead of showing them. The properties of both are not listed, since every client would pay for them in every
// conversation, once a tool; a test holds both against every schema. Nor is what the arguments said already, nor a note, which
// is for people and models to read.
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
