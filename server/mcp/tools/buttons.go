package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	// Of the scope that reads: it runs nothing, and tells of a record no more than its form shows to a person
	// who only looks. So a connection that may not act can say what a person could do next.
	add(90, toolcall.Tool{
		Tool:  access.Tool{Name: "get_actions", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "List available actions", Category: "read", Idempotent: true,
		Description: "Buttons of a record's form and menu now, as methods for call_method, and its status. Runs nothing.",
		Output:      outputSchema("name:string", "actions:objects", "menu:objects", "stage:object"),
	}, getActions)
}

type actionsArgs struct {
	Model    string `json:"model"`
	ID       int64  `json:"id"`
	Language string `json:"language,omitempty"`
	Company  int64  `json:"company_id,omitempty"`
}

// actionsResult is what get_actions answers.
type actionsResult struct {
	Model   string          `json:"model"`
	ID      int64           `json:"id"`
	Name    string          `json:"name"`
	Actions json.RawMessage `json:"actions"`
	Menu    json.RawMessage `json:"menu,omitempty"`
	Hidden  []string        `json:"not_now,omitempty"`
	Stage   json.RawMessage `json:"stage,omitempty"`
	Note    string          `json:"note,omitempty"`
}

func getActions(ctx context.Context, call *toolcall.Call, args actionsArgs) (any, error) {
	if bad := checkOne(args.Model, args.ID, args.Language); bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	reply, err := call.Do(ctx, access.Request{
		Model: args.Model, Method: "get_actions", IDs: []int64{args.ID}, Kwargs: map[string]any{},
		Context: where{Language: args.Language, Company: args.Company}.context(),
	})
	if err != nil {
		return nil, err
	}
	var answer struct {
		Name    string          `json:"name"`
		Actions json.RawMessage `json:"actions"`
		Menu    json.RawMessage `json:"menu"`
		Hidden  []string        `json:"hidden"`
		Status  json.RawMessage `json:"status"`
		LeftOut int             `json:"left_out"`
	}
	if err := json.Unmarshal(reply.Value, &answer); err != nil {
		return nil, err
	}
	r := &actionsResult{
		Model: args.Model, ID: args.ID, Name: mcperr.Clip(answer.Name, 200), Actions: answer.Actions, Hidden: answer.Hidden,
		Menu: filled(answer.Menu), Stage: filled(answer.Status),
	}
	if answer.LeftOut > 0 {
		r.Note = fmt.Sprintf("%d more are not shown: Odoo's own form and menu show them.", answer.LeftOut)
	}
	if p := call.Caller().Snapshot(); p.ReadOnly() || !call.Catalog().MayUse(p, "call_method") {
		r.Note = strings.TrimSpace("This connection cannot run them: a person can, in Odoo. " + r.Note)
	}
	return r, nil
}
