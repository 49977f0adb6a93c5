package mcp_test

import (
	"encoding/json"
	"fmt"
	"testing"
)

// TestDescribeByWords: a query finds fields by name or label, by each of several words with commas between them.
func TestDescribeByWords(t *testing.T) {
	t.Parallel()
	url := endpoint(t, answering(moneyFields)).URL
	for query, want := range map[string]string{
		"total":            "[amount]",
		"Total, lines":     "[amount line_ids]",
		" total ,, Cy_ID ": "[amount currency_id]",
		",":                "[amount currency_id file id line_ids name other]",
		"total lines":      "[]",
		"nothing, neither": "[]",
	} {
		a := call(t, url, "describe_model", fmt.Sprintf(`{"model":"sale.order","query":%q}`, query))
		var page struct{ Fields []struct{ Name string } }
		if err := json.Unmarshal([]byte(a.Result.Content[0].Text), &page); err != nil {
			t.Fatal(err)
		}
		names := []string{}
		for _, field := range page.Fields {
			names = append(names, field.Name)
		}
		if got := fmt.Sprint(names); got != want {
			t.Errorf("%q: %s, want %s", query, got, want)
		}
	}
}
