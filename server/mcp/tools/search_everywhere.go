package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(70, toolcall.Tool{
		Tool:  access.Tool{Name: "search_everywhere", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Search everywhere", Category: "read", Idempotent: true,
		Description: "Find records by name, number or phone when the model is not known; where none is found, nearest has similar names.",
		Output:      outputSchema("found:objects", "models_not_searched:strings"),
	}, searchEverywhere)
}

const (
	defaultHits = 5
	// maxEverywhere is how many models may be named.
	maxEverywhere = 20
	// maxMissed is how many models that were not searched are named.
	maxMissed = 60
)

type everywhereArgs struct {
	Query    string     `json:"query" jsonschema:"words of a name, or a number, 2 to 100 characters"`
	Models   stringList `json:"models,omitempty" jsonschema:"only these; default: those with a menu"`
	Limit    int        `json:"limit,omitempty" jsonschema:"records a model, 1 to 20; default 5"`
	Language string     `json:"language,omitempty"`
	Company  int64      `json:"company_id,omitempty"`
}

// everywhereResult is what search_everywhere answers.
type everywhereResult struct {
	Found []foundModel `json:"found"`
	// Nearest are records whose names are near to one that nothing has, the nearest first.
	Nearest  []nearRecord `json:"nearest,omitempty"`
	Searched int          `json:"models_searched"`
	Missed   []string     `json:"models_not_searched,omitempty"`
	Note     string       `json:"note,omitempty"`
}

type nearRecord struct {
	Model string `json:"model"`
	Label string `json:"label"`
	ID    int64  `json:"id"`
	Name  string `json:"name"`
}

type foundModel struct {
	Model   string          `json:"model"`
	Label   string          `json:"label"`
	Records json.RawMessage `json:"records"`
	HasMore bool            `json:"has_more,omitempty"`
}

func searchEverywhere(ctx context.Context, call *toolcall.Call, args everywhereArgs) (any, error) {
	if bad := args.check(); bad != nil {
		return nil, bad
	}
	// A model that is named must pass as if it were searched alone; Odoo looks at all of them once more.
	for _, model := range append(args.Models, "") {
		if err := call.Begin(ctx, model); err != nil {
			return nil, err
		}
	}
	kwargs := map[string]any{"query": trimmed(args.Query), "limit": clamp(args.Limit, defaultHits, access.MaxHits)}
	if len(args.Models) > 0 {
		kwargs["models"] = args.Models
	}
	reply, err := call.Do(ctx, access.Request{
		Method: "search_everywhere", Kwargs: kwargs, Context: where{Language: args.Language, Company: args.Company}.context(),
	})
	if err != nil {
		return nil, err
	}
	return shapeEverywhere(reply.Value)
}

func (args *everywhereArgs) check() *access.Error {
	if n := utf8.RuneCountInString(trimmed(args.Query)); n < 2 || n > access.MaxHitsQuery {
		return access.NewError(access.InvalidInput, fmt.Sprintf("The parameter query must be text of 2 to %d characters.", access.MaxHitsQuery), "Send part of a name or number.")
	}
	if len(args.Models) > maxEverywhere {
		return access.NewError(access.InvalidInput, fmt.Sprintf("More than %d models.", maxEverywhere), "Name fewer, or none.")
	}
	for _, model := range args.Models {
		if bad := toolcall.CheckModel(model); bad != nil {
			return bad
		}
	}
	return toolcall.CheckLanguage(args.Language)
}

// shapeEverywhere keeps what fits of what was found: whole models.
func shapeEverywhere(raw json.RawMessage) (any, error) {
	var answer struct {
		Found    []foundModel `json:"found"`
		Nearest  []nearRecord `json:"nearest"`
		Searched int          `json:"searched"`
		Missed   []string     `json:"not_searched"`
		Most     int          `json:"most"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	r := &everywhereResult{
		Found: []foundModel{}, Nearest: answer.Nearest, Searched: answer.Searched,
		Missed: answer.Missed[:min(maxMissed, len(answer.Missed))],
	}
	room := newBudget()
	for _, f := range answer.Found {
		if !room.take(encoded(f, null)) && len(r.Found) > 0 {
			r.Note = "The reply was cut because it is large: specify models, or a smaller limit."
			return r, nil
		}
		r.Found = append(r.Found, f)
	}
	if len(r.Nearest) > 0 {
		r.Note = "Nothing has that name: nearest lists similar names."
	}
	if answer.Most > 0 {
		r.Note = mostNote(answer.Most, "name models, one at a time")
	}
	if len(r.Missed) > 0 {
		r.Note = "Some models were not searched, because it took too long or failed: list those that matter in models."
	}
	return r, nil
}
