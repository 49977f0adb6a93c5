package kit

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// Text is an answer as JSON.
func Text(t *testing.T, content map[string]any) string {
	t.Helper()
	body, err := json.Marshal(content)
	if err != nil {
		t.Fatal(err)
	}
	return string(body)
}

// Wants checks that a text has all these parts.
func Wants(t *testing.T, got string, parts ...string) {
	t.Helper()
	for _, part := range parts {
		if !strings.Contains(got, part) {
			t.Errorf("no %s in %.1500s", part, got)
		}
	}
}

// Sprint is fmt.Sprint, but for nil, which is an empty list.
func Sprint(v any) string {
	s := fmt.Sprint(v)
	if s == "<nil>" {
		return "[]"
	}
	return s
}

// Args are a tool's arguments.
type Args = map[string]any

// Must calls a tool that must not be refused.
func Must(t *testing.T, s *sdk.ClientSession, tool string, a Args) map[string]any {
	t.Helper()
	content, failed := Call(t, s, tool, a)
	if failed != "" {
		t.Fatalf("%s %v: %v", tool, a, content)
	}
	return content
}

// Only returns the one record that a change answers.
func Only(t *testing.T, content map[string]any) map[string]any {
	t.Helper()
	records, _ := content["records"].([]any)
	if len(records) != 1 {
		t.Fatalf("not one record: %v", content)
	}
	return records[0].(map[string]any)
}
