package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/app"
)

// keyTransport adds a key to every request, as an AI tool with a fixed header does.
type keyTransport struct {
	key  string
	next http.RoundTripper
}

func (t keyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+t.key)
	return t.next.RoundTrip(r)
}

// connect opens a session of a real MCP client with a key.
func connect(ctx context.Context, mcpURL, key string) (*sdk.ClientSession, error) {
	client := sdk.NewClient(&sdk.Implementation{Name: "doorman-demo", Version: cmp.Or(app.Version, "devel")}, nil)
	return client.Connect(ctx, &sdk.StreamableClientTransport{
		Endpoint:   mcpURL,
		HTTPClient: &http.Client{Transport: keyTransport{key, http.DefaultTransport}},
		MaxRetries: -1,
	}, nil)
}

// walk shows what Doorman does, with a real MCP client. Each step checks what it shows: a walk that could not fail
// would show nothing.
func walk(ctx context.Context, say *teller, r *ready) error {
	key := r.walkKey
	if key == "" {
		key = r.Key
	}
	if key == "" {
		say.title("No connection key was given (--key), so there is no walk")
		return nil
	}
	say.title("An AI tool comes in")
	session, err := connect(ctx, r.MCPURL, key)
	if err != nil {
		return err
	}
	defer session.Close()
	for _, step := range []func(context.Context, *teller, *sdk.ClientSession) error{walkTools, walkSearch, walkFloor} {
		if err := step(ctx, say, session); err != nil {
			return err
		}
	}
	if r.walkConnection == 0 {
		return nil
	}
	if err := walkApproval(ctx, say, session, r); err != nil {
		return err
	}
	if err := walkRevoke(ctx, say, session, r); err != nil {
		return err
	}
	return leaveOne(ctx, say, r)
}

func walkTools(ctx context.Context, say *teller, session *sdk.ClientSession) error {
	list, err := session.ListTools(ctx, nil)
	if err != nil {
		return err
	}
	if len(list.Tools) == 0 {
		return errors.New("no tools are listed")
	}
	say.line(fmt.Sprintf("tools/list: it may use %d tools:", len(list.Tools)))
	for _, t := range list.Tools {
		say.detail("- %-18s %s", t.Name, t.Title)
	}
	return nil
}

func walkSearch(ctx context.Context, say *teller, session *sdk.ClientSession) error {
	say.line(`search_records: companies among the partners, as the user behind its key`)
	result, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "search_records", Arguments: map[string]any{
		"model": "res.partner", "domain": `[["is_company","=",true]]`, "fields": []string{"name", "city", "country_id"}, "limit": 3,
	}})
	if err != nil {
		return err
	}
	var page struct {
		Records []struct {
			ID   int    `json:"id"`
			Name string `json:"name"`
			City string `json:"city"`
		} `json:"records"`
	}
	if err := structured(result, &page); err != nil {
		return err
	}
	if len(page.Records) == 0 {
		return errors.New("the search found nothing")
	}
	for _, r := range page.Records {
		say.detail("- %s (%s), id %d", r.Name, r.City, r.ID)
	}
	return nil
}

func walkFloor(ctx context.Context, say *teller, session *sdk.ClientSession) error {
	say.line("It tries a door that no policy opens: Odoo's record rules")
	result, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "search_records", Arguments: map[string]any{"model": "ir.rule"}})
	if err != nil {
		return err
	}
	if !result.IsError {
		return errors.New("ir.rule was readable")
	}
	say.detail("refused: %s", text(result))
	return nil
}

// walkRevoke lets the administrator revoke the connection in Odoo, and shows that the very next call is refused.
func walkRevoke(ctx context.Context, say *teller, session *sdk.ClientSession, r *ready) error {
	say.line("The administrator clicks Revoke in Odoo ...")
	if _, err := inOdoo(ctx, r, r.AdminLogin, r.AdminPassword, "doorman.connection", "action_revoke", []int64{r.walkConnection}); err != nil {
		return err
	}
	say.line("... and its very next call is refused:")
	result, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "search_records", Arguments: map[string]any{"model": "res.partner"}})
	switch {
	case err != nil && strings.Contains(err.Error(), "Unauthorized"):
		say.detail("refused: 401 Unauthorized")
	case err != nil:
		return err
	case !result.IsError:
		return errors.New("the revoked connection could still search")
	default:
		say.detail("refused: %s", text(result))
	}
	return nil
}

func structured(result *sdk.CallToolResult, into any) error {
	if result.IsError {
		return errors.New(text(result))
	}
	body, err := json.Marshal(result.StructuredContent)
	if err != nil {
		return err
	}
	return json.Unmarshal(body, into)
}

func text(result *sdk.CallToolResult) string {
	var parts []string
	for _, c := range result.Content {
		if t, ok := c.(*sdk.TextContent); ok {
			parts = append(parts, t.Text)
		}
	}
	return strings.Join(parts, " ")
}
