package tools

import (
	"context"
	"encoding/json"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(10, toolcall.Tool{
		Tool:  access.Tool{Name: "get_context", Scope: access.ScopeMetadata, Risk: access.RiskLow},
		Title: "Who am I in Odoo", Category: "read", Idempotent: true,
		Description: "The Odoo user you act as, companies, languages, time zone, current time, and what this connection can do. Call it first.",
		Output:      outputSchema("user:object", "company:object", "companies:objects", "now_utc:string", "access:object"),
	}, getContext)
}

type contextArgs struct{}

type contextResult struct {
	User      json.RawMessage `json:"user,omitempty"`
	Company   json.RawMessage `json:"company,omitempty"`
	Companies json.RawMessage `json:"companies,omitempty"`
	// AddedUp are the companies whose records a search or a sum takes together, unless one is named.
	AddedUp json.RawMessage `json:"added_up_by_default,omitempty"`
	// OwnOnly are the models of which Odoo shows this user only their own records.
	OwnOnly   json.RawMessage `json:"own_only,omitempty"`
	Languages json.RawMessage `json:"languages,omitempty"`
	Now       string          `json:"now_utc"`
	Local     string          `json:"now_local,omitempty"` // in the user's time zone, with its offset
	Weekday   string          `json:"weekday,omitempty"`   // there
	Access    accessInfo      `json:"access"`
}

type accessInfo struct {
	Connection string         `json:"connection"`
	Scopes     []access.Scope `json:"scopes"`
	ReadOnly   bool           `json:"read_only"`
	Tools      []string       `json:"tools"`
	Models     []string       `json:"models,omitempty"`
}

func getContext(ctx context.Context, call *toolcall.Call, _ contextArgs) (any, error) {
	if err := call.Begin(ctx, ""); err != nil {
		return nil, err
	}
	reply, err := call.Do(ctx, access.Request{Method: "context"})
	if err != nil {
		return nil, err
	}
	result := contextResult{Now: call.Now().UTC().Format("2006-01-02 15:04:05")}
	if err := json.Unmarshal(reply.Value, &result); err != nil {
		return nil, err
	}
	s := call.Caller().Snapshot()
	result.Access = accessInfo{
		Connection: s.Connection.Name, Scopes: s.Connection.Policy.Scopes, ReadOnly: s.ReadOnly(),
		Models: s.Connection.Policy.AllowedModels,
	}
	for _, t := range append(call.Catalog().Usable(s), call.Catalog().Custom(s)...) {
		result.Access.Tools = append(result.Access.Tools, t.Name)
	}
	return result, nil
}
