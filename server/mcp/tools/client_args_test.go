package tools

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"doorman/server/access"
)

// given are arguments with these names, besides a model.
func given(names ...string) json.RawMessage {
	all := map[string]any{"model": "res.partner"}
	for _, name := range names {
		all[name] = "x"
	}
	raw, err := json.Marshal(all)
	if err != nil {
		panic(err)
	}
	return raw
}

// TestClientArgs: what clients add is ignored, and everything that only looks like it is an error.
func TestClientArgs(t *testing.T) {
	t.Parallel()
	type args struct {
		Model string `json:"model"`
	}
	for _, name := range clientArgs {
		if got, bad := decodeArgs[args](given(name)); bad != nil || got.Model != "res.partner" {
			t.Errorf("%s is not ignored: %v", name, bad)
		}
		for _, wrong := range []string{strings.ToUpper(name), name + "s", "x" + name, "_" + name} {
			if slices.Contains(clientArgs, wrong) {
				continue
			}
			if _, bad := decodeArgs[args](given(wrong)); bad == nil || bad.Kind != access.InvalidInput {
				t.Errorf("%s is ignored", wrong)
			}
		}
	}
	if _, bad := decodeArgs[args](given(clientArgs...)); bad != nil {
		t.Errorf("all at once: %v", bad)
	}
	for _, name := range []string{"tools", "actions", "session_id", "chat_input", "meta", "id", "context", "args", "kwargs", "feilds"} {
		if _, bad := decodeArgs[args](given(name)); bad == nil {
			t.Errorf("%s is ignored", name)
		}
	}
}

// TestClientArgsNearOwn: where the very tool has a parameter that may have been meant, it is an error as before.
func TestClientArgsNearOwn(t *testing.T) {
	t.Parallel()
	type args struct {
		Model   string `json:"model"`
		Actions string `json:"actions,omitempty"`
		Session string `json:"session_id,omitempty"`
		Tools   string `json:"tools,omitempty"`
	}
	for name, meant := range map[string]string{"action": "actions", "sessionId": "session_id", "_sessionID": "session_id", "tool": "tools"} {
		_, bad := decodeArgs[args](given(name))
		if bad == nil || !strings.Contains(bad.Hint, meant) {
			t.Errorf("%s: %v", name, bad)
		}
	}
	for _, name := range []string{"toolCallId", "chatInput", "_meta"} {
		if _, bad := decodeArgs[args](given(name)); bad != nil {
			t.Errorf("%s: %v", name, bad)
		}
	}
	// What a tool really has is never dropped.
	type own struct {
		Action string `json:"action"`
	}
	if got, bad := decodeArgs[own](json.RawMessage(`{"action":"go"}`)); bad != nil || got.Action != "go" {
		t.Errorf("a tool's own parameter: %+v %v", got, bad)
	}
}

// TestClientArgsOfEveryTool: of every tool that there is, with all of its parameters; of which none is on the list.
func TestClientArgsOfEveryTool(t *testing.T) {
	t.Parallel()
	for _, e := range registered {
		known := slices.Collect(maps.Keys(e.tool.Input.Properties))
		args := map[string]json.RawMessage{}
		for _, name := range slices.Concat(clientArgs, known) {
			args[name] = json.RawMessage("1")
		}
		dropClientArgs(args, known)
		if len(args) != len(known) {
			t.Errorf("%s is left with %v", e.tool.Name, slices.Sorted(maps.Keys(args)))
		}
	}
	custom := access.OwnTool{OnRecords: true, Parameters: []access.OwnParameter{{Name: "actions", Type: "string"}}}
	for name, want := range map[string]bool{"toolCallId": true, "sessionId": true, "action": false, "toolCallIds": false} {
		raw := fmt.Sprintf(`{"ids":[1],%q:"x"}`, name)
		if g, bad := customArguments(custom, json.RawMessage(raw)); (bad == nil) != want || len(g.parameters) != 0 {
			t.Errorf("a custom tool with %s: %v %v", name, g.parameters, bad)
		}
	}
}
