package tools

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(150, toolcall.Tool{
		Tool:  access.Tool{Name: "call_method", Scope: access.ScopeORM, Writes: true, Risk: access.RiskHigh},
		Title: "Call a business method", Category: "execute", Destructive: true, OpenWorld: true,
		Description: "Press a button on records: a method (action_confirm, button_cancel, ...) or an action that get_actions names. " +
			"If it answers with a wizard, nothing is done yet: call again with the wizard's model, its handle as wizard, one of its methods, and the values to change. " +
			"changed tells what really changed.",
		Output: outputSchema(writtenSchema("result:string", "result_model:string", "result_ids:integers", "result_values:object", "wizard:object")...),
	}, callMethod)
}

// methodName is the name of a method, or of an action of Odoo's: its XML id, or its number.
var methodName = regexp.MustCompile(`^(?:[a-z][a-z0-9_]{1,63}|[a-z0-9_]{1,64}\.[A-Za-z0-9_.]{1,128}|[1-9][0-9]{0,9})$`)

type methodArgs struct {
	Model    string  `json:"model"`
	IDs      idList  `json:"ids,omitempty" jsonschema:"at most 100"`
	Method   string  `json:"method" jsonschema:"e.g. \"action_confirm\""`
	Button   string  `json:"button,omitempty" jsonschema:"its label, if get_actions gives one to tell buttons apart"`
	Wizard   string  `json:"wizard,omitempty" jsonschema:"handle of an open wizard; then no ids"`
	Values   jsonArg `json:"values,omitempty" jsonschema:"of the wizard: JSON object, field to value; a list of rows: [{\"row\":0,\"quantity\":2}]"`
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
	// ResultValues are what a record would start with that a person would make in the form that opened.
	ResultValues json.RawMessage `json:"result_values,omitempty"`
	// Wizard is what opened and asks for more: its handle, its fields, what they would be, and its methods.
	Wizard json.RawMessage `json:"wizard,omitempty"`
}

func callMethod(ctx context.Context, call *toolcall.Call, args methodArgs) (any, error) {
	kwargs, bad := args.kwargs()
	if bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	h := how{Key: args.Key, Language: args.Language, Company: args.Company}
	reply, err := call.Do(ctx, h.request(args.Model, "call_method", args.IDs, kwargs))
	if err != nil {
		return nil, err
	}
	result := methodResult{written: shapeWritten(reply.Value, &toolcall.ModelInfo{Name: args.Model}, false)}
	var answer struct {
		Result       string          `json:"result"`
		ResultModel  string          `json:"result_model"`
		ResultIDs    []int64         `json:"result_ids"`
		ResultValues json.RawMessage `json:"result_values"`
		Wizard       json.RawMessage `json:"wizard"`
	}
	if json.Unmarshal(reply.Value, &answer) == nil {
		result.Wizard, result.ResultValues = boundedWizard(answer.Wizard), filled(answer.ResultValues)
		result.Result, result.ResultModel, result.ResultIDs = mcperr.Clip(answer.Result, 5_000), answer.ResultModel, answer.ResultIDs
	}
	result.sayIfNothing()
	return result, nil
}

// kwargs checks the arguments, and gives what Odoo is asked.
func (args *methodArgs) kwargs() (map[string]any, *access.Error) {
	if len(args.IDs) > 0 {
		if bad := checkDistinct(args.IDs); bad != nil {
			return nil, bad
		}
	}
	if bad := checkKey(args.Key); bad != nil {
		return nil, bad
	}
	if !methodName.MatchString(args.Method) {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("%q is not the name of a public method.", mcperr.Clip(args.Method, 60)),
			`Specify what a button does, such as "action_confirm"; methods that begin with an underscore are private.`)
	}
	kwargs, bad := object("kwargs", args.Kwargs)
	if bad != nil {
		return nil, bad
	}
	values, bad := object("values", args.Values)
	if bad != nil {
		return nil, bad
	}
	if bad := toolcall.CheckModel(args.Model); bad != nil {
		return nil, bad
	}
	if bad := toolcall.CheckLanguage(args.Language); bad != nil {
		return nil, bad
	}
	asked := map[string]any{"method": args.Method, "kwargs": kwargs}
	if args.Button != "" {
		asked["button"] = args.Button
	}
	if args.Wizard != "" {
		asked["wizard"] = args.Wizard
	}
	if len(values) > 0 {
		asked["values"] = values
	}
	return asked, nil
}

// boundedWizard is what is said about a wizard. Of one that shows too much, what it takes to go on.
func boundedWizard(raw json.RawMessage) json.RawMessage {
	if len(raw) <= maxDescription {
		return filled(raw)
	}
	var wizard map[string]json.RawMessage
	if json.Unmarshal(raw, &wizard) != nil {
		return nil
	}
	short := map[string]any{"note": "It shows more than fits here. Rows that are not shown can be filled in by their number; call describe_model to see its fields."}
	room := maxDescription
	for _, name := range []string{"handle", "model", "title", "methods", "text", "warnings", "fields"} {
		if v := wizard[name]; len(v) > 0 && len(v) < room {
			short[name], room = v, room-len(v)
		}
	}
	// Of its values, those that fit, and of a list the first rows.
	var values map[string]json.RawMessage
	leftOut := map[string]int{}
	_ = json.Unmarshal(wizard["left_out"], &leftOut) // nothing is left out by Odoo
	if json.Unmarshal(wizard["values"], &values) == nil {
		short["values"] = fittingValues(values, room, leftOut)
	}
	if len(leftOut) > 0 {
		short["left_out"] = leftOut
	}
	return encoded(short, nil)
}

// fittingValues are values of a wizard that have this many bytes at most: the short ones first, then rows of its lists.
// leftOut gets how many rows a list has that is cut, unless it says so already.
func fittingValues(values map[string]json.RawMessage, room int, leftOut map[string]int) map[string]json.RawMessage {
	fit := map[string]json.RawMessage{}
	names := slices.SortedFunc(maps.Keys(values), func(a, b string) int {
		return cmp.Or(len(values[a])-len(values[b]), strings.Compare(a, b))
	})
	for _, name := range names {
		v, overhead := values[name], len(name)+4
		if len(v)+overhead > room {
			var rows []json.RawMessage
			if json.Unmarshal(v, &rows) != nil {
				continue
			}
			size, n := overhead+2, 0
			for n < len(rows) && size+len(rows[n])+1 <= room {
				size, n = size+len(rows[n])+1, n+1
			}
			if leftOut[name] == 0 && n < len(rows) {
				leftOut[name] = len(rows)
			}
			if n == 0 {
				continue
			}
			v = encoded(rows[:n], nil)
		}
		fit[name], room = v, room-len(v)-overhead
	}
	return fit
}

// object reads a parameter that is a JSON object; nothing, and null, are an empty one.
func object(name string, raw jsonArg) (map[string]json.RawMessage, *access.Error) {
	found := map[string]json.RawMessage{}
	if len(raw) > 0 && json.Unmarshal(raw, &found) != nil {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("The parameter %s must be a JSON object.", name), "Send each value under its name.")
	}
	if found == nil { // "null"
		found = map[string]json.RawMessage{}
	}
	return found, nil
}

// sayIfNothing tells that a method has done nothing, whatever it has returned: it may have said true.
func (r *methodResult) sayIfNothing() {
	if r.Changed != nil && len(r.Changed) == 0 && r.Result == "" && r.Note == "" {
		r.Note = "Nothing has changed in Odoo. Look at the record with get_actions: its buttons show what it is waiting for."
	}
}
