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
	Email string `json:"email"`
}

// startBare runs the bare server as a process of its own, as doorman is.
func startBare(ctx context.Context, odooURL string) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	return startChild(ctx, exec.Command(self, bareCommand, odooURL))
}

// serveBare is the least an MCP server for Odoo can be: the SDK, stateless, one typed tool, one POST. No keys, no rules,
// no metadata, no limits.
func serveBare(odooURL string) error {
	client := &http.Client{Transport: &http.Transport{Proxy: nil, MaxIdleConnsPerHost: 64}}
	server := sdk.NewServer(&sdk.Implementation{Name: "bare", Version: "1"}, nil)
	sdk.AddTool(server, &sdk.Tool{Name: "search_records", Description: "Find records."},
		func(ctx context.Context, _ *sdk.CallToolRequest, args bareArgs) (*sdk.CallToolResult, bareReply, error) {
			list, err := bareSearch(ctx, client, odooURL, args)
			return nil, bareReply{list}, err
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

func bareSearch(ctx context.Context, client *http.Client, odooURL string, args bareArgs) ([]bareRecord, error) {
	// Padded to what Doorman sends: the fence and the audit's columns.
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "call", "params": map[string]any{
		"fence": map[string]any{
			"proof":      "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
			"connection": 1, "version": 1, "settings_version": 1, "groups": "0123456789abcdef",
		},
		"request": map[string]any{
			"model": args.Model, "method": "search_read", "timeout_ms": 30000,
			"kwargs": map[string]any{"domain": json.RawMessage(args.Domain), "fields": args.Fields, "limit": args.Limit + 1},
		},
	}})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, odooURL+"/doorman/jsonrpc", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := client.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	reply, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Result struct {
			Value []bareRecord `json:"value"`
		} `json:"result"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return nil, err
	}
	return answer.Result.Value[:min(args.Limit, len(answer.Result.Value))], nil
}
