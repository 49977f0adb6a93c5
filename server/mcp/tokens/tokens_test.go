package tokens_test

import (
	"strings"
	"testing"

	"doorman/server/mcp/tokens"
)

// TestEstimate: between once and twice of what the tokenizer o200k_base makes of a text, which counted those here.
func TestEstimate(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		text    string
		counted int
	}{
		{"", 0},
		{"The quick brown fox jumps over the lazy dog.", 10},
		{"Der schnelle braune Fuchs springt über den faulen Hund.", 14},
		{"敏捷的棕色狐狸跳过了懒狗", 13},
		{"Быстрая коричневая лиса прыгает через ленивую собаку", 19},
		{"الثعلب البني السريع يقفز فوق الكلب الكسول", 15},
		{"😀 👍 🎉", 4},
		{`{"id":7,"name":"Acme","amount_total":1234.5,"partner_id":{"id":12,"name":"Azure Interior"}}`, 30},
		{`[{"id":11901,"qty":3.5,"ref":"S00021","date":"2026-11-28 17:02:11"},{"id":11902,"qty":4,"ref":"S00022","date":"2026-11-28 17:05:44"}]`, 65},
	} {
		if got := tokens.Estimate(row.text); got < row.counted || got > 2*row.counted {
			t.Errorf("%q: %d, counted %d", row.text, got, row.counted)
		}
	}
	if one, many := tokens.Estimate("word "), tokens.Estimate(strings.Repeat("word ", 1000)); many < 900*one/2 || many > 1000*one {
		t.Errorf("%d for one, %d for a thousand", one, many)
	}
}
