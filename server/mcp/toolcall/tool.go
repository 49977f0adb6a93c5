package toolcall

import (
	"context"
	"encoding/json"
	"time"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/access"
)

// Tool is one row of the catalog: what clients see, what a decision needs, and what it does.
type Tool struct {
	access.Tool
	Title       string
	Description string
	Category    string // read, write, execute
	Destructive bool
	Idempotent  bool
	OpenWorld   bool // it may reach people or systems beyond Odoo: emails, what a button does
	Input       *jsonschema.Schema
	Output      *jsonschema.Schema // nil = it is not told
	Patience    time.Duration      // how long Odoo may take, where that is longer than for other tools
	// Run decodes the arguments and does the work. It must call Begin or Open before anything reaches Odoo.
	Run func(ctx context.Context, c *Call, arguments json.RawMessage) (any, error)
}

// Definition is the tool as clients see it. Its title is told once: every client pays for the list in every conversation.
// All four annotations are always set: clients decide on them whether to ask their user, and the protocol's defaults are
// the wrong way round for a tool that only reads.
func (t *Tool) Definition() *sdk.Tool {
	d := &sdk.Tool{
		Name: t.Name, Title: t.Title, Description: t.Description, InputSchema: t.Input,
		Annotations: &sdk.ToolAnnotations{
			ReadOnlyHint: !t.Writes, DestructiveHint: &t.Destructive,
			IdempotentHint: t.Idempotent, OpenWorldHint: &t.OpenWorld,
		},
	}
	if t.Output != nil { // a nil pointer is not a nil interface: it would be sent as null
		d.OutputSchema = t.Output
	}
	return d
}

// catalogRow is the tool as Odoo's catalog shows it to administrators.
func (t *Tool) catalogRow() access.CatalogTool {
	schema, err := json.Marshal(t.Input)
	if err != nil {
		panic(err) // a schema of ours that is not JSON: found by the first test that runs
	}
	return access.CatalogTool{
		Name: t.Name, Title: t.Title, Description: t.Description, Category: t.Category,
		Scope: t.Scope, Risk: t.Risk, NeedsModule: t.NeedsModule, InputSchema: schema,
	}
}
