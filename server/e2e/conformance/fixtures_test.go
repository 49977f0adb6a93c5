//lint:file-ignore SA1019 the suite asks for roots, sampling and logging, deprecated or not

package conformance_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/mcp"
)

// The names, texts and schemas below are the suite's: its scenarios look for exactly these. A pixel and a silence:
var (
	pixel = []byte("\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x01\x00\x00\x00\x01\x08\x06\x00\x00\x00\x1f\x15\xc4\x89" +
		"\x00\x00\x00\rIDATx\x9cc\xf8\xcf\xc0\xf0\x1f\x00\x05\x00\x01\xff\xab\xce6\x89\x00\x00\x00\x00IEND\xaeB`\x82")
	silence = []byte("RIFF&\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00@\x1f\x00\x00\x80>\x00\x00\x02\x00\x10\x00data\x02\x00\x00\x00\x00\x00")
)

// fixtures are what the suite's scenarios ask a server for.
func fixtures() mcp.Fixtures {
	return mcp.Fixtures{
		Add: func(server *sdk.Server) {
			for name, result := range fixedResults {
				addFixture(server, name, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) { return result, nil })
			}
			for name, handler := range toolFixtures {
				addFixture(server, name, handler)
			}
			for name, handler := range asking {
				addFixture(server, name, handler)
			}
			for name, change := range changing {
				addFixture(server, name, func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
					change(server)
					return text("changed"), nil
				})
			}
			addResourceFixtures(server)
			addPromptFixtures(server)
		},
		Has: func(name string) bool {
			return strings.HasPrefix(name, "test_") || strings.HasPrefix(name, "test://") || name == schemaTool
		},
		Complete: func(_ context.Context, req *sdk.CompleteRequest) (*sdk.CompleteResult, error) {
			return &sdk.CompleteResult{Completion: sdk.CompletionResultDetails{Values: []string{req.Params.Argument.Value + "ris"}, Total: 1}}, nil
		},
	}
}

const ofSuite = "A fixture of the conformance suite."

// schemaTool has a schema with all that JSON Schema 2020-12 knows: it has to arrive word for word.
const schemaTool = "json_schema_2020_12_tool"

var fixtureSchemas = map[string]string{
	schemaTool: `{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object",
		"$defs":{"address":{"$anchor":"addressDef","type":"object","properties":{"street":{"type":"string"},"city":{"type":"string"}}}},
		"properties":{"name":{"type":"string"},"address":{"$ref":"#/$defs/address"},
			"contactMethod":{"type":"string","enum":["phone","email"]},"phone":{"type":"string"},"email":{"type":"string"}},
		"allOf":[{"anyOf":[{"required":["phone"]},{"required":["email"]}]}],
		"if":{"properties":{"contactMethod":{"const":"phone"}},"required":["contactMethod"]},
		"then":{"required":["phone"]},"else":{"required":["email"]},"additionalProperties":false}`,
	"test_x_mcp_header": `{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"},"level":{"type":"integer"}}}`,
}

func addFixture(server *sdk.Server, name string, handler sdk.ToolHandler) {
	schema := json.RawMessage(`{"type":"object"}`)
	if own := fixtureSchemas[name]; own != "" {
		schema = json.RawMessage(own)
	}
	server.AddTool(&sdk.Tool{Name: name, Description: ofSuite, InputSchema: schema}, handler)
}

func text(s string) *sdk.CallToolResult {
	return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: s}}}
}

func embedded(uri string) *sdk.EmbeddedResource {
	return &sdk.EmbeddedResource{Resource: &sdk.ResourceContents{URI: uri, MIMEType: "text/plain", Text: "This is an embedded resource"}}
}

var (
	image = &sdk.ImageContent{Data: pixel, MIMEType: "image/png"}

	fixedResults = map[string]*sdk.CallToolResult{
		"test_simple_text":       text("This is a simple text response for testing."),
		"test_image_content":     {Content: []sdk.Content{image}},
		"test_audio_content":     {Content: []sdk.Content{&sdk.AudioContent{Data: silence, MIMEType: "audio/wav"}}},
		"test_embedded_resource": {Content: []sdk.Content{embedded("test://embedded-resource")}},
		"test_multiple_content_types": {Content: []sdk.Content{
			&sdk.TextContent{Text: "This is text content"}, image, embedded("test://embedded-in-multiple"),
		}},
		schemaTool:                   text("taken"),
		"test_x_mcp_header":          text("taken"),
		"test_streaming_elicitation": text("no request of the server's own comes along"),
	}
)

var toolFixtures = map[string]sdk.ToolHandler{
	"test_error_handling": func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		result := text("This tool intentionally returns an error for testing")
		result.IsError = true
		return result, nil
	},
	"test_tool_with_progress": func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		token := req.Params.GetProgressToken()
		for _, done := range []float64{0, 50, 100} {
			if err := req.Session.NotifyProgress(ctx, &sdk.ProgressNotificationParams{ProgressToken: token, Progress: done, Total: 100}); err != nil {
				return nil, err
			}
		}
		return text(fmt.Sprint(token)), nil
	},
	"test_tool_with_logging": logging("Tool execution started", "Tool processing data", "Tool execution completed"),
	"test_logging_tool":      logging("executed"),
	"test_sampling": func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		_, err := req.Session.CreateMessage(ctx, &sdk.CreateMessageParams{MaxTokens: 100, Messages: []*sdk.SamplingMessage{
			{Role: "user", Content: &sdk.TextContent{Text: "Test prompt for sampling"}},
		}})
		return text("sampled"), err
	},
	"test_elicitation":                  elicitation(`{"type":"object","properties":{"username":{"type":"string"}},"required":["username"]}`),
	"test_elicitation_sep1034_defaults": elicitation(`{"type":"object","properties":{"name":{"type":"string","default":"John Doe"}}}`),
	"test_elicitation_sep1330_enums":    elicitation(`{"type":"object","properties":{"one":{"type":"string","enum":["a","b"]}}}`),
}

// logging says something to the client, where it listens.
func logging(lines ...string) sdk.ToolHandler {
	return func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		for _, line := range lines {
			if err := req.Session.Log(ctx, &sdk.LoggingMessageParams{Level: "info", Data: line}); err != nil {
				return nil, err
			}
		}
		return text("said"), nil
	}
}

// elicitation asks in a request of the server's own, as before 2026-07-28.
func elicitation(schema string) sdk.ToolHandler {
	return func(ctx context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		answer, err := req.Session.Elicit(ctx, &sdk.ElicitParams{Message: "Please", RequestedSchema: json.RawMessage(schema)})
		if err != nil {
			return nil, err
		}
		return text(answer.Action), nil
	}
}

// changing are the tools that change a list, for those who listen to that.
var changing = map[string]func(*sdk.Server){
	"test_trigger_tool_change": func(server *sdk.Server) {
		addFixture(server, "test_transient", func(context.Context, *sdk.CallToolRequest) (*sdk.CallToolResult, error) { return text(""), nil })
	},
	"test_trigger_prompt_change": func(server *sdk.Server) {
		server.AddPrompt(&sdk.Prompt{Name: "test_transient"}, func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			return nil, errors.New("not to be got")
		})
	},
}

func addResourceFixtures(server *sdk.Server) {
	read := func(mime string, contents func(uri string) *sdk.ResourceContents) sdk.ResourceHandler {
		return func(_ context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
			found := contents(req.Params.URI)
			found.URI, found.MIMEType = req.Params.URI, mime
			return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{found}}, nil
		}
	}
	for uri, handler := range map[string]sdk.ResourceHandler{
		"test://static-text": read("text/plain", func(string) *sdk.ResourceContents {
			return &sdk.ResourceContents{Text: "This is the content of the static text resource."}
		}),
		"test://static-binary":    read("image/png", func(string) *sdk.ResourceContents { return &sdk.ResourceContents{Blob: pixel} }),
		"test://watched-resource": read("text/plain", func(string) *sdk.ResourceContents { return &sdk.ResourceContents{Text: "Watched"} }),
	} {
		server.AddResource(&sdk.Resource{URI: uri, Name: uri}, handler)
	}
	server.AddResourceTemplate(&sdk.ResourceTemplate{URITemplate: "test://template/{id}/data", Name: "template", MIMEType: "application/json"},
		read("application/json", func(uri string) *sdk.ResourceContents {
			id := strings.TrimSuffix(strings.TrimPrefix(uri, "test://template/"), "/data")
			return &sdk.ResourceContents{Text: fmt.Sprintf(`{"id":%q,"templateTest":true,"data":%q}`, id, "Data for ID: "+id)}
		}))
}

func addPromptFixtures(server *sdk.Server) {
	said := func(contents ...sdk.Content) (*sdk.GetPromptResult, error) {
		result := &sdk.GetPromptResult{}
		for _, c := range contents {
			result.Messages = append(result.Messages, &sdk.PromptMessage{Role: "user", Content: c})
		}
		return result, nil
	}
	server.AddPrompt(&sdk.Prompt{Name: "test_simple_prompt", Description: ofSuite}, func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		return said(&sdk.TextContent{Text: "This is a simple prompt for testing."})
	})
	server.AddPrompt(&sdk.Prompt{Name: "test_prompt_with_arguments", Description: ofSuite, Arguments: []*sdk.PromptArgument{
		{Name: "arg1", Required: true}, {Name: "arg2", Required: true},
	}}, func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		args := req.Params.Arguments
		return said(&sdk.TextContent{Text: fmt.Sprintf("Prompt with arguments: arg1='%s', arg2='%s'", args["arg1"], args["arg2"])})
	})
	server.AddPrompt(&sdk.Prompt{
		Name: "test_prompt_with_embedded_resource", Description: ofSuite, Arguments: []*sdk.PromptArgument{{Name: "resourceUri", Required: true}},
	},
		func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
			return said(embedded(req.Params.Arguments["resourceUri"]), &sdk.TextContent{Text: "Please process the embedded resource above."})
		})
	server.AddPrompt(&sdk.Prompt{Name: "test_prompt_with_image", Description: ofSuite}, func(context.Context, *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		return said(image, &sdk.TextContent{Text: "Please analyze the image above."})
	})
	server.AddPrompt(&sdk.Prompt{Name: "test_input_required_result_prompt", Description: ofSuite}, func(_ context.Context, req *sdk.GetPromptRequest) (*sdk.GetPromptResult, error) {
		if given := accepted(req.Params.InputResponses, "user_context"); given != nil {
			return said(&sdk.TextContent{Text: fmt.Sprintf("Context: %v", given["context"])})
		}
		return &sdk.GetPromptResult{InputRequests: sdk.InputRequestMap{"user_context": ask("context", "string")}}, nil
	})
}
