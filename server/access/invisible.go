package access

import (
	"regexp"
	"strings"
	"unicode"
)

// What shows nothing is a hiding place: 51 variation selectors are 51 bytes that a model reads and no person sees. So, of
// every text that a model is told as Doorman's own words, or that a person decides by:
//
//   - a letter of the list below hides, unless it stands where it belongs (EmojiLetters, JoiningLetters, JoinedLetters): a
//     selector after an emoji, a joiner within one or in a word of a script that is written with them. There it takes one
//     letter that shows for each that does not, so that no run of them is left.
//   - tools' titles and descriptions, client names, subjects and the arguments of prompts are refused with one that hides.
//   - names of connections and invites, and Odoo's words to an AI tool, lose it; names of files get a "_" for it.
//   - what an approver reads, and the audit, show it as a mark: \u200b.
//
// An ideograph's variation selector (Japanese names have some) hides too: one letter could carry 240 values.
//
// The list is of Go's version of Unicode. Python's differs, so go generate writes it out for the addon
// (policy/invisible_ranges.py). The addon's policy/invisible.py is this file in Python.
var invisible = []*unicode.RangeTable{
	unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, // controls, marks of direction, tags, separators of lines
	unicode.Cn, unicode.Co, unicode.Cs, // what nobody has a letter for: unassigned, private, halves of characters
	unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector, // with Cf, all of Default_Ignorable_Code_Point
}

// blank are letters and signs by category that show nothing: the empty Braille cell, a note without a head, a filler.
const blank = "\u2800\U0001d159\U00016fe4"

var (
	joiner = regexp.MustCompile("[" + Joiners + "]")
	// belongs finds where joiners may stand. What it finds has them only behind a letter that should show.
	belongs = regexp.MustCompile(belongPattern())
)

func belongPattern() string {
	emoji := "[" + strings.Join(EmojiLetters, "") + "][\ufe0e\ufe0f]?"
	word := "[" + strings.Join(JoiningLetters, "") + "][\u200c\u200d]"
	return strings.Join(append(append([]string{}, JoinedLetters...), word, emoji+"(?:\u200d"+emoji+")*"), "|")
}

// Invisible reports whether a character shows nothing, or turns the text around it.
func Invisible(r rune) bool {
	if ' ' <= r && r <= '~' {
		return false
	}
	return unicode.In(r, invisible...) || strings.ContainsRune(blank, r)
}

// MapHidden returns a text with instead(r) for each invisible character that is not where it belongs; -1 leaves it out.
func MapHidden(s string, instead func(r rune) rune) string {
	if !strings.ContainsFunc(s, Invisible) {
		return s
	}
	hide := func(r rune) rune {
		if Invisible(r) {
			return instead(r)
		}
		return r
	}
	var out strings.Builder
	rest := 0
	for _, at := range belongs.FindAllStringIndex(s, -1) {
		if found := s[at[0]:at[1]]; !strings.ContainsFunc(joiner.ReplaceAllString(found, ""), Invisible) {
			out.WriteString(strings.Map(hide, s[rest:at[0]]))
			out.WriteString(found)
			rest = at[1]
		}
	}
	out.WriteString(strings.Map(hide, s[rest:]))
	return out.String()
}

// WithoutHidden leaves out each invisible character that is not where it belongs.
func WithoutHidden(s string) string { return MapHidden(s, func(rune) rune { return -1 }) }

// FirstHidden returns the first invisible character that is not where it belongs.
func FirstHidden(s string) (first rune, found bool) {
	MapHidden(s, func(r rune) rune {
		if !found {
			first, found = r, true
		}
		return r
	})
	return first, found
}
