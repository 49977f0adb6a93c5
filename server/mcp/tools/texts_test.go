package tools

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"doorman/server/mcp/toolcall"
)

// TestPages: page after page is the whole text, whatever is in it, and no page is longer than it may be.
func TestPages(t *testing.T) {
	t.Parallel()
	letters := []string{"a", "é", "中", "😀", " ", "\n", "- ", "**b** ", "12.50 "}
	for seed := range uint64(500) {
		random := rand.New(rand.NewPCG(seed, 1))
		var b strings.Builder
		for range random.IntN(3_000) {
			b.WriteString(letters[random.IntN(len(letters))])
		}
		whole, most := b.String(), 1+random.IntN(700)
		var read strings.Builder
		for offset := 0; ; {
			part, next := pageOf(whole, offset, most)
			if n := len([]rune(part)); n > most || (next > 0 && n == 0) {
				t.Fatalf("seed %d: a page of %d letters, at most %d", seed, n, most)
			}
			read.WriteString(part)
			if next == 0 {
				break
			}
			if next <= offset {
				t.Fatalf("seed %d: from %d to %d", seed, offset, next)
			}
			offset = next
		}
		if read.String() != whole {
			t.Fatalf("seed %d: %q is not %q", seed, read.String(), whole)
		}
	}
	for _, row := range []struct {
		text         string
		offset, most int
		part         string
		next         int
	}{
		{"", 0, 10, "", 0},
		{"abc", 5, 10, "", 0},
		{"abc", -1, 2, "ab", 2},
		{"one two three", 0, 9, "one two ", 8},
		{"one\ntwo three", 0, 9, "one\ntwo ", 8},
	} {
		if part, next := pageOf(row.text, row.offset, row.most); part != row.part || next != row.next {
			t.Errorf("%q from %d: %q, %d", row.text, row.offset, part, next)
		}
	}
}

// TestCutTexts: what is cut is told beside it, and the offset told goes on where the text ended.
func TestCutTexts(t *testing.T) {
	t.Parallel()
	m := &toolcall.ModelInfo{Name: "res.partner", Fields: map[string]*toolcall.FieldInfo{
		"id": {Name: "id", Type: "integer"}, "comment": {Name: "comment", Type: "html"}, "note": {Name: "note", Type: "text"},
	}}
	var paragraphs strings.Builder
	for i := range 2_000 {
		fmt.Fprintf(&paragraphs, "<p>Line %d</p>", i)
	}
	row := map[string]any{"id": 7, "comment": paragraphs.String(), "note": "short"}
	read := func(count, offset int) (rows, map[string]any) {
		list := []any{row}
		for range count - 1 {
			list = append(list, map[string]any{"id": 8, "comment": false, "note": false})
		}
		raw, err := json.Marshal(list)
		if err != nil {
			t.Fatal(err)
		}
		shaped, err := shapeRows(raw, m, []string{"comment", "note"}, offset)
		if err != nil {
			t.Fatal(err)
		}
		var first map[string]any
		if err := json.Unmarshal(shaped.list[0], &first); err != nil {
			t.Fatal(err)
		}
		return shaped, first
	}
	for count, most := range map[int]int{1: maxPage, 2: maxText} {
		shaped, first := read(count, 0)
		cut, _ := first["text_cut"].(map[string]any)
		told, _ := cut["comment"].(map[string]any)
		text, _ := first["comment"].(string)
		if !shaped.textCut || len(cut) != 1 || told["next_offset"] != float64(len(text)) || len(text) > most || len(text) < most-maxEdge {
			t.Errorf("%d records: %d letters, %v", count, len(text), cut)
		}
		if !strings.Contains(shaped.note(""), "text_offset") {
			t.Errorf("the note is %q", shaped.note(""))
		}
	}
	var whole strings.Builder
	for offset := 0; ; {
		_, first := read(1, offset)
		text, _ := first["comment"].(string)
		whole.WriteString(text)
		cut, _ := first["text_cut"].(map[string]any)
		told, more := cut["comment"].(map[string]any)
		if !more {
			break
		}
		next, _ := told["next_offset"].(float64)
		offset = int(next)
	}
	if strings.Count(whole.String(), "Line") != 2_000 || !strings.HasSuffix(whole.String(), "Line 1999") {
		t.Errorf("%d lines", strings.Count(whole.String(), "Line"))
	}
}

// TestHTMLOfTexts: at every depth, of what Markdown says anything about, and of HTML nothing.
func TestHTMLOfTexts(t *testing.T) {
	t.Parallel()
	values := json.RawMessage(`{"name":"Acme","comment":"**a**","child_ids":[[0,0,{"comment":"- b"}],{"comment":{"append":"x\ny"}}],"x":"<p>**c**</p>","n":5}`)
	got := withHTML(map[string]any{"vals_list": []json.RawMessage{values}})[htmlKey]
	want := map[string]string{"**a**": "<p><strong>a</strong></p>", "- b": "<ul>\n<li>b</li>\n</ul>", "x\ny": "<p>x<br>\ny</p>"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v", got)
	}
	if _, there := withHTML(map[string]any{"vals": json.RawMessage(`{"name":"Acme"}`)})[htmlKey]; there {
		t.Error("HTML of nothing")
	}
}
