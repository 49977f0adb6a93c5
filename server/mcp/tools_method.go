package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

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

func callMethod() *tool {
	return &tool{
		Tool:  access.Tool{Name: "call_method", Scope: access.ScopeORM, Writes: true, Risk: access.RiskHigh},
		title: "Call a business method", category: "execute", destructive: true, openWorld: true,
		description: "Run what a button does (action_confirm, button_cancel, ...) on records. " +
			"If it opens a wizard, that is told: create a record of that model with its values, then call its method.",
		input:  inputSchema[methodArgs](),
		output: outputSchema(writtenSchema("result:string", "result_model:string", "result_ids:integers", "wizard:object")...),
		run:    runMethod,
	}
}

func runMethod(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[methodArgs](raw)
	if bad == nil && len(args.IDs) > 0 {
		bad = checkDistinct(args.IDs)
	}
	if bad == nil {
		bad = checkKey(args.Key)
	}
	if bad == nil && !methodName.MatchString(args.Method) {
		bad = access.NewError(access.InvalidInput, fmt.Sprintf("%q is no name of a public method.", mcperr.Clip(args.Method, 60)),
			`Name what a button does, such as "action_confirm"; methods that begin with an underscore are private.`)
	}
	kwargs := map[string]json.RawMessage{}
	if bad == nil && len(args.Kwargs) > 0 && json.Unmarshal(args.Kwargs, &kwargs) != nil {
		bad = access.NewError(access.InvalidInput, "The parameter kwargs is no JSON object.", "Give the method's arguments by their names.")
	}
	if bad == nil {
		bad = checkModel(args.Model)
	}
	if bad == nil {
		bad = checkLanguage(args.Language)
	}
	if bad != nil {
		return nil, bad
	}
	if err := g.begin(ctx, args.Model); err != nil {
		return nil, err
	}
	if kwargs == nil { // "null"
		kwargs = map[string]json.RawMessage{}
	}
	h := how{Key: args.Key, Language: args.Language, Company: args.Company}
	reply, err := g.call(ctx, h.request(args.Model, "call_method", args.IDs, map[string]any{"method": args.Method, "kwargs": kwargs}))
	if err != nil {
		return nil, err
	}
	result := methodResult{written: shapeWritten(reply.Value, &modelInfo{Name: args.Model}, false)}
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

type postArgs struct {
	Model    string `json:"model"`
	ID       int64  `json:"id"`
	Body     string `json:"body" jsonschema:"plain text"`
	Kind     string `json:"kind,omitempty" jsonschema:"\"note\" (internal, the default) or \"comment\" (also e-mailed to followers, customers among them)"`
	Partners idList `json:"notify_partner_ids,omitempty" jsonschema:"contacts to notify as well"`
	Key      string `json:"idempotency_key,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

// postResult is where the message is.
type postResult struct {
	*written
	MessageID int64 `json:"message_id,omitempty"`
}

func postMessage() *tool {
	return &tool{
		Tool:  access.Tool{Name: "post_message", Scope: access.ScopeORM, Writes: true, Risk: access.RiskMedium},
		title: "Post a message", category: "write", openWorld: true,
		description: "Post a note or a comment in a record's chatter, in your user's name.",
		input:       inputSchema[postArgs](),
		output:      outputSchema(writtenSchema("message_id:integer")...),
		run:         runPost,
	}
}

func runPost(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[postArgs](raw)
	if bad == nil {
		bad = args.check()
	}
	if bad != nil {
		return nil, bad
	}
	if err := g.begin(ctx, args.Model); err != nil {
		return nil, err
	}
	kwargs := map[string]any{"body": args.Body, "kind": "note"}
	if args.Kind != "" {
		kwargs["kind"] = args.Kind
	}
	if len(args.Partners) > 0 {
		kwargs["partner_ids"] = args.Partners
	}
	h := how{Key: args.Key, Company: args.Company}
	reply, err := g.call(ctx, h.request(args.Model, "message_post", []int64{args.ID}, kwargs))
	if err != nil {
		return nil, err
	}
	result := postResult{written: shapeWritten(reply.Value, &modelInfo{Name: args.Model}, false)}
	var answer struct {
		MessageID int64 `json:"message_id"`
	}
	if json.Unmarshal(reply.Value, &answer) == nil {
		result.MessageID = answer.MessageID
	}
	return result, nil
}

func (args *postArgs) check() *access.Error {
	if bad := checkModel(args.Model); bad != nil {
		return bad
	}
	if bad := checkKey(args.Key); bad != nil {
		return bad
	}
	if args.ID <= 0 || args.ID > 1<<31-1 {
		return access.NewError(access.InvalidInput, "The parameter id is missing, or no record id.", "Name one record; search_records finds it.")
	}
	if len(args.Partners) > 0 {
		if bad := checkDistinct(args.Partners); bad != nil {
			return bad
		}
	}
	switch n := utf8.RuneCountInString(args.Body); {
	case trimmed(args.Body) == "":
		return access.NewError(access.InvalidInput, "The parameter body is missing.", "Say what to post, as plain text.")
	case n > access.MaxMessageBody:
		return access.NewError(access.InvalidInput, fmt.Sprintf("%d letters are more than %d.", n, access.MaxMessageBody), "Post less at once.")
	}
	if args.Kind != "" && args.Kind != "note" && args.Kind != "comment" {
		return access.NewError(access.InvalidInput, fmt.Sprintf("%q is no kind of message.", mcperr.Clip(args.Kind, 20)), `It is "note" or "comment".`)
	}
	return nil
}
