package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// bareCommand is the hidden subcommand under which this binary is the bare server.
const bareCommand = "bare-server"

// bareOdoo is the Odoo that a bare server asks, and how: as the fake one wants it, or by /jsonrpc with the header that
// names the database.
type bareOdoo struct {
	URL string `json:"url"`
	DB  string `json:"db,omitempty"` // "" for the fake one
	UID int64  `json:"uid,omitempty"`
	Key string `json:"key,omitempty"` // an API key of the user's
}

// bareArgs and bareReply are what a person who knows the SDK would write first.
type bareArgs struct {
	Model  string   `json:"model"`
	Domain string   `json:"domain,omitempty"`
	Fields []string `json:"fields,omitempty"`
	Limit  int      `json:"limit,omitempty"`
}

type bareReply struct {
	Records []bareRecord `json:"records"`
}

type bareRecord struct {
	ID    int64  `json:"id"`
	Name  string `json:"name"`
	Email any    `json:"email"` // false where there is none
}

type bareCreateArgs struct {
	Model   string           `json:"model"`
	Records []map[string]any `json:"records"`
}

type bareUpdateArgs struct {
	Model  string         `json:"model"`
	IDs    []int64        `json:"ids"`
	Values map[string]any `json:"values"`
}

type bareChange struct {
	Count int `json:"count"`
}

// startBare runs the bare server as a process of its own, as doorman is.
func startBare(ctx context.Context, odoo bareOdoo) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	told, err := json.Marshal(odoo)
	if err != nil {
		return nil, err
	}
	return startChild(ctx, exec.Command(self, bareCommand, string(told)))
}

// serveBare is the least an MCP server for Odoo can be: the SDK, stateless, typed tools, one POST a call. No keys from
// the caller, no rules, no metadata, no limits, no audit.
//
// told is a bareOdoo as JSON.
func serveBare(told string) error {
	odoo := bareAsker{client: &http.Client{Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 64}}}
	if err := json.Unmarshal([]byte(told), &odoo.bareOdoo); err != nil {
		return err
	}
	server := sdk.NewServer(&sdk.Implementation{Name: "bare", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "search_records", Description: "Find records."},
		func(ctx context.Context, _ *sdk.CallToolRequest, args bareArgs) (*sdk.CallToolResult, bareReply, error) {
			list, err := odoo.search(ctx, args)
			return nil, bareReply{list}, err
		})
	sdk.AddTool(server, &sdk.Tool{Name: "create_records", Description: "Create records."},
		func(ctx context.Context, _ *sdk.CallToolRequest, args bareCreateArgs) (*sdk.CallToolResult, bareChange, error) {
			var ids []int64
			err := odoo.execute(ctx, args.Model, "create", []any{args.Records}, nil, &ids)
			return nil, bareChange{len(ids)}, err
		})
	sdk.AddTool(server, &sdk.Tool{Name: "update_records", Description: "Change records."},
		func(ctx context.Context, _ *sdk.CallToolRequest, args bareUpdateArgs) (*sdk.CallToolResult, bareChange, error) {
			var done bool
			err := odoo.execute(ctx, args.Model, "write", []any{args.IDs, args.Values}, nil, &done)
			return nil, bareChange{len(args.IDs)}, err
		})
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Fprintf(os.Stderr, "{\"mcp\":\"http://%s/mcp\"}\n", listener.Addr())
	handler := sdk.NewStreamableHTTPHandler(func(*http.Request) *sdk.Server { return server },
		&sdk.StreamableHTTPOptions{Stateless: true, JSONResponse: true})
	return http.Serve(listener, handler)
}

// bareAsker asks Odoo.
type bareAsker struct {
	bareOdoo
	client *http.Client
}

func (b bareAsker) search(ctx context.Context, args bareArgs) (list []bareRecord, err error) {
	kwargs := map[string]any{"domain": json.RawMessage(args.Domain), "fields": args.Fields, "limit": args.Limit}
	if b.DB != "" {
		return list, b.execute(ctx, args.Model, "search_read", []any{}, kwargs, &list)
	}
	// Padded to what Doorman sends: the fence and the audit's columns.
	kwargs["limit"] = args.Limit + 1
	var answer struct {
		Value []bareRecord `json:"value"`
	}
	err = b.post(ctx, "/doorman/jsonrpc", map[string]any{
		"fence": map[string]any{
			"proof":      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			"connection": 1, "version": 1, "settings_version": 1, "groups": "0123456789abcdef",
		},
		"request": map[string]any{"model": args.Model, "method": "search_read", "timeout_ms": 30000, "kwargs": kwargs},
	}, &answer)
	return answer.Value[:min(args.Limit, len(answer.Value))], err
}

// execute calls a method of a model by Odoo's own /jsonrpc.
func (b bareAsker) execute(ctx context.Context, model, method string, args []any, kwargs map[string]any, into any) error {
	if kwargs == nil {
		kwargs = map[string]any{}
	}
	return b.post(ctx, "/jsonrpc", map[string]any{
		"service": "object", "method": "execute_kw", "args": []any{b.DB, b.UID, b.Key, model, method, args, kwargs},
	}, into)
}

// post sends one JSON-RPC call and reads its result.
func (b bareAsker) post(ctx context.Context, path string, params, into any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "call", "params": params})
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, b.URL+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	if b.DB != "" {
		r.Header.Set("X-Odoo-Database", b.DB)
	}
	response, err := b.client.Do(r)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return err
	}
	if answer.Error != nil {
		return fmt.Errorf("Odoo answered an error: %.300s", answer.Error)
	}
	return json.Unmarshal(answer.Result, into)
}
