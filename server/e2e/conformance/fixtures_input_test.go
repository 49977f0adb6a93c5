//lint:file-ignore SA1019 the suite asks for roots, sampling and logging, deprecated or not

package conformance_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// asking are the tools that answer with what they want to know first (2026-07-28), and go on when it comes.
var asking = map[string]sdk.ToolHandler{
	"test_missing_capability": func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if has := req.ClientCapabilities(); has != nil && has.Sampling != nil {
			return text("The client can do it."), nil
		}
		data, err := json.Marshal(sdk.MissingRequiredClientCapabilityData{
			RequiredCapabilities: &sdk.ClientCapabilities{Sampling: &sdk.SamplingCapabilities{}},
		})
		if err != nil {
			return nil, err
		}
		return nil, &jsonrpc.Error{Code: sdk.CodeMissingRequiredClientCapabilities, Message: "sampling is required", Data: data}
	},
	"test_input_required_result_elicitation": func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if name, ok := accepted(req.Params.InputResponses, "user_name")["name"].(string); ok && name != "" {
			return text("Hello, " + name + "!"), nil
		}
		return want("", sdk.InputRequestMap{"user_name": ask("name", "string")}), nil
	},
	"test_input_required_result_sampling": func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if said, ok := sampled(req.Params.InputResponses, "capital_question"); ok {
			return text("Sampling response: " + said), nil
		}
		return want("", sdk.InputRequestMap{"capital_question": sample("What is the capital of France?")}), nil
	},
	"test_input_required_result_list_roots": func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if roots, ok := req.Params.InputResponses["client_roots"].(*sdk.ListRootsResult); ok && roots != nil {
			return text(fmt.Sprintf("%d roots", len(roots.Roots))), nil
		}
		return want("", sdk.InputRequestMap{"client_roots": &sdk.ListRootsParams{}}), nil
	},
	"test_input_required_result_request_state":  confirmed,
	"test_input_required_result_tampered_state": confirmed,
	"test_input_required_result_multiple_inputs": func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		given := req.Params.InputResponses
		name := accepted(given, "user_name")["name"]
		greeting, sampledIt := sampled(given, "greeting")
		roots, listed := given["client_roots"].(*sdk.ListRootsResult)
		if name != nil && sampledIt && listed {
			return text(fmt.Sprintf("%s %v, %d roots", greeting, name, len(roots.Roots))), nil
		}
		return want("multiple", sdk.InputRequestMap{
			"user_name": ask("name", "string"), "greeting": sample("Generate a greeting"), "client_roots": &sdk.ListRootsParams{},
		}), nil
	},
	"test_input_required_result_multi_round": func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		state, err := opened(req.Params.RequestState)
		name, second := strings.CutPrefix(state, "round 2, ")
		switch {
		case err != nil:
			return nil, err
		case second:
			return text(fmt.Sprintf("%s likes %v", name, accepted(req.Params.InputResponses, "step2")["color"])), nil
		case state == "round 1":
			name := fmt.Sprint(accepted(req.Params.InputResponses, "step1")["name"])
			return want("round 2, "+name, sdk.InputRequestMap{"step2": ask("color", "string")}), nil
		}
		return want("round 1", sdk.InputRequestMap{"step1": ask("name", "string")}), nil
	},
	"test_input_required_result_capabilities": func(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
		if len(req.Params.InputResponses) > 0 {
			return text("There they are."), nil
		}
		can, wanted := req.ClientCapabilities(), sdk.InputRequestMap{}
		if can != nil && can.Elicitation != nil {
			wanted["user_name"] = ask("name", "string")
		}
		if can != nil && can.Sampling != nil {
			wanted["greeting"] = sample("Generate a short greeting")
		}
		if can != nil && can.RootsV2 != nil {
			wanted["client_roots"] = &sdk.ListRootsParams{}
		}
		if len(wanted) == 0 {
			return text("Nothing can be asked of this client."), nil
		}
		return want("", wanted), nil
	},
}

// confirmed asks, and wants its own words back with the answer.
func confirmed(_ context.Context, req *sdk.CallToolRequest) (*sdk.CallToolResult, error) {
	state, err := opened(req.Params.RequestState)
	if err != nil {
		return nil, err
	}
	if state == "confirm" && accepted(req.Params.InputResponses, "confirm") != nil {
		return text("state-ok"), nil
	}
	return want("confirm", sdk.InputRequestMap{"confirm": ask("ok", "boolean")}), nil
}

// want is a result that asks, with a state that comes back signed or not at all.
func want(state string, asked sdk.InputRequestMap) *sdk.CallToolResult {
	result := &sdk.CallToolResult{InputRequests: asked}
	if state != "" {
		result.RequestState = base64.RawURLEncoding.EncodeToString([]byte(state)) + "." + signed(state)
	}
	return result
}

func signed(state string) string {
	sum := hmac.New(sha256.New, []byte("of the fixtures"))
	sum.Write([]byte(state))
	return base64.RawURLEncoding.EncodeToString(sum.Sum(nil))
}

func opened(state string) (string, error) {
	if state == "" {
		return "", nil
	}
	words, signature, _ := strings.Cut(state, ".")
	plain, err := base64.RawURLEncoding.DecodeString(words)
	if err != nil || signature != signed(string(plain)) {
		return "", &jsonrpc.Error{Code: jsonrpc.CodeInvalidParams, Message: "The requestState is not one of ours."}
	}
	return string(plain), nil
}

// ask is one question with one field.
func ask(field, kind string) *sdk.ElicitParams {
	schema := fmt.Sprintf(`{"type":"object","properties":{%q:{"type":%q}},"required":[%q]}`, field, kind, field)
	return &sdk.ElicitParams{Message: "Please tell.", RequestedSchema: json.RawMessage(schema)}
}

func sample(prompt string) *sdk.CreateMessageParams {
	return &sdk.CreateMessageParams{
		MaxTokens: 100, Messages: []*sdk.SamplingMessage{{Role: "user", Content: &sdk.TextContent{Text: prompt}}},
	}
}

// accepted returns what a person answered; nil if they did not.
func accepted(given sdk.InputResponseMap, key string) map[string]any {
	if answer, ok := given[key].(*sdk.ElicitResult); ok && answer != nil && answer.Action == "accept" {
		return answer.Content
	}
	return nil
}

// sampled returns what the client's model said.
func sampled(given sdk.InputResponseMap, key string) (string, bool) {
	answer, ok := given[key].(*sdk.CreateMessageWithToolsResult)
	if !ok || answer == nil {
		return "", false
	}
	for _, c := range answer.Content {
		if t, ok := c.(*sdk.TextContent); ok {
			return t.Text, true
		}
	}
	return "", true
}
