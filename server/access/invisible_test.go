package access_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
	"unicode"

	"doorman/server/access"
)

// smuggled is a text as variation selectors: each byte is one of 256 characters that show nothing.
func smuggled(text string) string {
	var out strings.Builder
	for _, b := range []byte(text) {
		if b < 16 {
			out.WriteRune(0xfe00 + rune(b))
		} else {
			out.WriteRune(0xe0100 + rune(b) - 16)
		}
	}
	return out.String()
}

// TestHiddenLetters holds Go to the one file that the addon is held to as well.
func TestHiddenLetters(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("../../addon/doorman/tests/policy/hidden_letters.json")
	if err != nil {
		t.Fatal(err)
	}
	var rows []struct{ Why, Text, Shown string }
	if err := json.Unmarshal(raw, &rows); err != nil || len(rows) < 30 {
		t.Fatalf("%d rows: %v", len(rows), err)
	}
	for _, row := range rows {
		if got := access.WithoutHidden(row.Text); got != row.Shown {
			t.Errorf("%s: %+q of %+q, want %+q", row.Why, got, row.Text, row.Shown)
		}
		if first, hides := access.FirstHidden(row.Text); hides != (row.Text != row.Shown) || hides && !access.Invisible(first) {
			t.Errorf("%s: hides %v: %U", row.Why, hides, first)
		}
	}
}

// TestInvisible: what Unicode says may be ignored, and what it does not know, is on the list; letters and spaces are not.
func TestInvisible(t *testing.T) {
	t.Parallel()
	for _, table := range []*unicode.RangeTable{
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, unicode.Bidi_Control, unicode.Join_Control,
		unicode.Noncharacter_Code_Point, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cn,
	} {
		for r := range unicode.MaxRune + 1 {
			if unicode.Is(table, r) && !access.Invisible(r) {
				t.Fatalf("%U is not on the list", r)
			}
		}
	}
	for _, r := range "\u034f\u115f\u1160\u17b4\u17b5\u180b\u180f\u2065\u2800\u3164\uffa0\ufff0\U000e0001\U000e0fff\u0378" {
		if !access.Invisible(r) {
			t.Errorf("%U is not on the list", r)
		}
	}
	for _, r := range "aZ0~ éжあ漢한ا\u00a0\u0301😀❤€" {
		if access.Invisible(r) {
			t.Errorf("%U is on the list", r)
		}
	}
}

// FuzzWithoutHidden: nothing hides in what is left, and for each letter that does not show there is one that does. (A flag
// in tags has six, in one of three ways.)
func FuzzWithoutHidden(f *testing.F) {
	for _, s := range []string{
		"a" + smuggled("pay evil"), "❤\ufe0f\ufe0f", "1\ufe0f\u20e3", "👩\u200d👦\u200d", "\u0645\u200c\u200d", "\u1820\u180b\u180c",
		"🏴\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f", "\xff\ufe0f\xff", "\u061c\u200d", "\U0001faff\ufe0f",
	} {
		f.Add(s)
	}
	flags := strings.NewReplacer(access.JoinedLetters[2], "", access.JoinedLetters[3], "", access.JoinedLetters[4], "")
	f.Fuzz(func(t *testing.T, s string) {
		got := access.WithoutHidden(s)
		if first, hides := access.FirstHidden(got); hides || access.WithoutHidden(got) != got {
			t.Fatalf("%U hides in %+q, of %+q", first, got, s)
		}
		shown, not := 0, 0
		for _, r := range flags.Replace(got) {
			if access.Invisible(r) {
				not++
			} else {
				shown++
			}
		}
		if not > 2*shown { // a selector and a joiner
			t.Fatalf("%d that show and %d that do not, in %+q", shown, not, got)
		}
	})
}
