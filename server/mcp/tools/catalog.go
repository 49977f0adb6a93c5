package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"slices"

	"doorman/server/mcp/toolcall"
)

// registered are all tools, as the files of their families add them.
var registered []entry

// entry is a tool and its place in the list that clients see.
type entry struct {
	place int
	tool  toolcall.Tool
}

// add puts a tool into the catalog. Places are in the order in which clients see the tools, with room between them. T is the
// struct of its arguments: the schema is made from it, and run gets it filled in.
func add[T any](place int, t toolcall.Tool, run func(ctx context.Context, call *toolcall.Call, args T) (any, error)) {
	t.Input = inputSchema[T]()
	t.Run = func(ctx context.Context, call *toolcall.Call, raw json.RawMessage) (any, error) {
		args, bad := decodeArgs[T](raw)
		if bad != nil {
			return nil, bad
		}
		return run(ctx, call, args)
	}
	registered = append(registered, entry{place, t})
}

// Catalog returns every tool, in the order in which clients see them.
func Catalog() *toolcall.Catalog {
	sorted := slices.SortedFunc(slices.Values(registered), func(a, b entry) int { return cmp.Compare(a.place, b.place) })
	list := make([]*toolcall.Tool, len(sorted))
	for i, e := range sorted {
		t := e.tool
		// A copy: serving a schema may resolve it, and write into it.
		t.Input, t.Output = t.Input.CloneSchemas(), t.Output.CloneSchemas()
		list[i] = &t
	}
	return toolcall.NewCatalog(list, customTool)
}
