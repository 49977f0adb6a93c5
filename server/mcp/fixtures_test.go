package mcp_test

import (
	"context"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/mcp"
)

// withFixtures mounts two of each kind: one that admit is told of, and one that it is not.
func withFixtures(c *mcp.Config) {
	c.Fixtures = mcp.Fixtures{
		Has: func(name string) bool { return strings.Contains(name, "test_known") },
		Complete: func(context.Context, *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
			return &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{Values: []string{"It ran."}}}, nil
		},
		Add: func(server *sdk.Server) {
			for _, name := range []string{"test_known", "test_hidden"} {
				server.AddTool(&sdk.Tool{Name: name, InputSchema: map[string]any{"type": "object"}},
					func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
						return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: "It ran."}}}, nil
					})
				server.AddPrompt(&sdk.Prompt{Name: name}, func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
					return &sdk.GetPromptResult{Description: "It ran."}, nil
				})
				server.AddResource(&sdk.Resource{URI: "test://" + name, Name: name},
					func(_ context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
						return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: req.Params.URI, Text: "It ran."}}}, nil
					})
				server.AddResourceTemplate(&sdk.ResourceTemplate{URITemplate: "test://" + name + "/{id}", Name: name}, nil)
			}
		},
	}
}

// asksFor are the requests for what a fixture is called, without their beginning, and what tells that it was found.
var asksFor = map[string]string{
	`"method":"tools/call","params":{"name":"%"}}`:           "It ran.",
	`"method":"prompts/get","params":{"name":"%"}}`:          "It ran.",
	`"method":"resources/read","params":{"uri":"test://%"}}`: "It ran.",

	`"method":"completion/complete","params":{"argument":{"name":"a","value":""},` +
		`"ref":{"type":"ref/prompt","name":"%"}}}`: "It ran.",
}

// TestFixturesAreGuarded: what the conformance suite calls passes what everything passes.
func TestFixturesAreGuarded(t *testing.T) {
	t.Parallel()
	mounted := func(c *mcp.Config, _ *fakeGateway, _ *fakeLimiter) { withFixtures(c) }
	rows := []struct {
		name   string
		with   func(*mcp.Config, *fakeGateway, *fakeLimiter)
		ask    string
		header []string
		found  bool
	}{
		{"mounted", mounted, "test_known", nil, true},
		{"not mounted", func(*mcp.Config, *fakeGateway, *fakeLimiter) {}, "test_known", nil, false},
		{"mounted without a word", mounted, "test_hidden", nil, false},
		{"without a key", mounted, "test_known", []string{"Authorization", ""}, false},
		{"while the switch is off", func(c *mcp.Config, f *fakeGateway, _ *fakeLimiter) {
			withFixtures(c)
			f.snapshot.Settings.Enabled = false
		}, "test_known", nil, false},
		{"beyond the rate", func(c *mcp.Config, _ *fakeGateway, l *fakeLimiter) {
			withFixtures(c)
			l.after["7"], l.after["7:other"] = 0, 0
		}, "test_known", nil, false},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f, limiter := newFake(), newLimiter()
			url := endpoint(t, f, func(c *mcp.Config) {
				c.Limiter = limiter
				row.with(c, f, limiter)
			}).URL
			for body, sign := range asksFor {
				got := send(t, url, `{"jsonrpc":"2.0","id":1,`+strings.ReplaceAll(body, "%", row.ask), row.header...)
				if found := got.status == http.StatusOK && strings.Contains(got.body, sign); found != row.found {
					t.Errorf("%s: HTTP %d %s", body, got.status, got.body)
				}
			}
			limiter.mu.Lock()
			defer limiter.mu.Unlock()
			if calls, other := limiter.taken["7"], limiter.taken["7:other"]; row.found && (calls != 3 || other < 1) {
				t.Errorf("counted as %d calls and %d other requests", calls, other)
			}
		})
	}
}

// TestFixturesInLists: those that admit is told of are in the lists, behind ours.
func TestFixturesInLists(t *testing.T) {
	t.Parallel()
	for method, ours := range map[string]string{
		"tools/list": `"get_context"`, "prompts/list": `"find_customer"`, "resources/templates/list": `"odoo://{model}/fields"`,
	} {
		body := `{"jsonrpc":"2.0","id":1,"method":"` + method + `"}`
		with := send(t, endpoint(t, newFake(), withFixtures).URL, body).body
		without := send(t, endpoint(t, newFake()).URL, body).body
		for _, row := range []struct {
			list, has string
			want      bool
		}{
			{with, ours, true}, {without, ours, true},
			{with, "test_known", true}, {without, "test_known", false}, {with, "test_hidden", false},
		} {
			if strings.Contains(row.list, row.has) != row.want {
				t.Errorf("%s: has %s is not %v: %s", method, row.has, row.want, row.list)
			}
		}
	}
}
