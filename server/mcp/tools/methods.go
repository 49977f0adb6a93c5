package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(150, toolcall.Tool{
		Tool:  access.Tool{Name: "call_method", Scope: access.ScopeORM, Writes: true, Risk: access.RiskHigh},
		Title: "Call a business method", Category: "execute", Destructive: true, OpenWorld: true,
		Description: "Run what a button does (action_confirm, button_cancel, ...) on records. " +
			"If it opens a wizard, that is told: create a record of that model with its values, then call its method.",
		Output: outputSchema(writtenSchema("result:string", "result_model:string", "result_ids:integers", "wizard:object")...),
	}, callMethod)
}

var methodName = regexp.MustCompile(`^[a-z][a-z0-9_]{1,63}$`)

type methodArgs struct {
	Model    string  `json:"model"`
	IDs      idList  `json:"ids,omitempty" jsonschema:"at most 100"`
	Method   string  `json:"method" jsonschema:"public, e.g. \"action_confirm\""`
	Kwargs   jsonArg `json:"kwargs,omitempty" jsonschema:"JSON object, arguments by name"`
	Key      string  `json:"idempotency_key,omitempty"`
	Language string  `json:"language,omitempty"`
	Company  int64   `json:"company_id,omitempty"`
}

// methodResult is what a method's caller gets to see.
type methodResult struct {
	*written
	Result      string  `json:"result,omitempty"`
	ResultModel string  `json:"result_model,omitempty"`
	ResultIDs   []int64 `json:"result_ids,omitempty"`
	// Wizard is what opened and asks for more: its fields, what they would be, and its methods.
	Wizard json.RawMessage `json:"wizard,omitempty"`
}

func callMethod(ctx context.Context, call *toolcall.Call, args methodArgs) (any, error) {
	var bad *access.Error
	if len(args.IDs) > 0 {
		bad = checkDistinct(args.IDs)
	}
	if bad == nil {
		bad = checkKey(args.Key)
	}
	if bad == nil && !methodName.MatchString(args.Method) {
		bad = access.NewError(access.InvalidInput, fmt.Sprintf("%q is not the name of a public method.", mcperr.Clip(args.Method, 60)),
			`Name what a button does, such as "action_confirm"; methods that begin with an underscore are private.`)
	}
	kwargs := map[string]json.RawMessage{}
	if bad == nil && len(args.Kwargs) > 0 && json.Unmarshal(args.Kwargs, &kwargs) != nil {
		bad = access.NewError(access.InvalidInput, "The parameter kwargs is not a JSON object.", "Give the method's arguments by their names.")
	}
	if bad == nil {
		bad = toolcall.CheckModel(args.Model)
	}
	if bad == nil {
		bad = toolcall.CheckLanguage(args.Language)
	}
	if bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	if kwargs == nil { // "null"
		kwargs = map[string]json.RawMessage{}
	}
	h := how{Key: args.Key, Language: args.Language, Company: args.Company}
	reply, err := call.Do(ctx, h.request(args.Model, "call_method", args.IDs, map[string]any{"method": args.Method, "kwargs": kwargs}))
	if err != nil {
		return nil, err
	}
	result := methodResult{written: shapeWritten(reply.Value, &toolcall.ModelInfo{Name: args.Model}, false)}
	var answer struct {
		Result      string  `json:"result"`
		ResultModel string  `json:"result_model"`
		ResultIDs   []int64 `json:"result_ids"`

		Wizard json.RawMessage `json:"wizard"`
	}
	if json.Unmarshal(reply.Value, &answer) == nil {
		if result.Wizard = filled(answer.Wizard); len(result.Wizard) > maxDescription {
			result.Wizard = nil // describe_model tells its fields
		}
		result.Result, result.ResultModel, result.ResultIDs = mcperr.Clip(answer.Result, 5_000), answer.ResultModel, answer.ResultIDs
	}
	return result, nil
}
