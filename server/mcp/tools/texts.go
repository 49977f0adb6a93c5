package tools

import (
	"encoding/json"
	"unicode/utf8"

	"doorman/server/markdown"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/tokens"
	"doorman/server/mcp/toolcall"
)

const (
	// maxText is how many letters of one text are given in a list of records.
	maxText = 2_000
	// maxPage is how many are given where there is only one record.
	maxPage = 16_000
	// maxEdge is how many letters of a page are given up so that it ends with a line, or a word.
	maxEdge = 200
)

// cutNote says what to do about texts that were cut.
const cutNote = "Long texts were cut (text_cut): continue with read_records, one id, one field and text_offset."

// reading is how texts are given: where to begin, and how many letters.
type reading struct {
	offset, most int
}

// textCut says what is missing of a text.
type textCut struct {
	Length int `json:"length"`      // letters of the whole
	Next   int `json:"next_offset"` // where the rest begins
}

// isText reports whether a field holds text, which may be long.
func isText(f *toolcall.FieldInfo) bool {
	return f != nil && (f.Type == "html" || f.Type == "text" || f.Type == "char")
}

// textOf is the text of a value as clients get it: HTML as Markdown.
func textOf(v json.RawMessage, f *toolcall.FieldInfo) (string, bool) {
	var text string
	if json.Unmarshal(v, &text) != nil {
		return "", false
	}
	if f.Type == "html" {
		text = markdown.FromHTML(text)
	}
	return text, true
}

// shape gives a text, or the page of it that is read; cut says what is missing after it, if anything is.
func (r reading) shape(v json.RawMessage, f *toolcall.FieldInfo) (json.RawMessage, *textCut) {
	if f.Type != "html" && r.offset == 0 && len(v) <= r.most {
		return v, nil
	}
	text, ok := textOf(v, f)
	if !ok {
		return v, nil
	}
	part, next := pageOf(text, r.offset, r.most)
	out := encoded(part, v)
	if next == 0 {
		return out, nil
	}
	return out, &textCut{Length: utf8.RuneCountInString(text), Next: next}
}

// pageOf is the part of a text that begins at an offset and has so many letters at most, ending after a line or a word where
// it can; next is where the rest begins, 0 at the end. Page after page is the whole text.
func pageOf(text string, offset, most int) (part string, next int) {
	letters := []rune(text)
	letters = letters[min(max(offset, 0), len(letters)):]
	if len(letters) <= most {
		return string(letters), 0
	}
	for _, edge := range []rune{'\n', ' '} {
		for i := most; i > most-min(maxEdge, most/2); i-- {
			if letters[i-1] == edge {
				return string(letters[:i]), max(offset, 0) + i
			}
		}
	}
	return string(letters[:most]), max(offset, 0) + most
}

// clipped is a text where there is no way on: it says itself how much is missing.
func clipped(v json.RawMessage, f *toolcall.FieldInfo) json.RawMessage {
	if f.Type != "html" && len(v) <= maxText {
		return v
	}
	text, ok := textOf(v, f)
	if !ok {
		return v
	}
	return encoded(mcperr.ClipTelling(text, maxText), v)
}

// budget is what is left of a reply.
type budget int

// newBudget leaves room for what stands around the records of a reply.
func newBudget() budget { return tokens.Limit - 1_000 }

// take reports whether some more JSON fits, and takes its tokens if it does.
func (b *budget) take(parts ...json.RawMessage) bool {
	cost := 1
	for _, part := range parts {
		cost += tokens.Estimate(part)
	}
	if cost > int(*b) {
		return false
	}
	*b -= budget(cost)
	return true
}
