package markdown_test

import (
	"fmt"
	"html"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorman/server/markdown"
)

// editor writes random HTML as Odoo's editor does, and keeps the words in it, in their order, and where its links lead.
type editor struct {
	*rand.Rand
	words []string
	links []string
}

var odd = []string{"a_b", "2*3", "<tag>", "R&D", "1.", "-5", "#7", "12.50", "1,234.56", "x|y", "é", "“so”", "[x]", "`c`", "~1~", "3)", "+", "-", "*", "=", "\\"}

func (e *editor) word() string {
	w := fmt.Sprintf("w%d", e.IntN(10_000))
	if e.IntN(4) == 0 {
		w = odd[e.IntN(len(odd))]
	}
	e.words = append(e.words, w)
	return html.EscapeString(w)
}

func (e *editor) text() string {
	var parts []string
	for range 1 + e.IntN(4) {
		parts = append(parts, e.word())
	}
	return strings.Join(parts, " ")
}

func (e *editor) inline() string {
	switch e.IntN(8) {
	case 0:
		return "<strong>" + e.text() + "</strong>"
	case 1:
		return "<em>" + e.text() + "</em>"
	case 2:
		link := fmt.Sprintf("https://example.com/p%d?a=%d&b=x_y", e.IntN(1000), e.IntN(10))
		e.links = append(e.links, link)
		return `<a href="` + html.EscapeString(link) + `">` + e.text() + "</a>"
	case 3:
		return e.text() + "<br>" + e.text()
	case 4:
		return `<span style="color: red;">` + e.text() + "</span>"
	}
	return e.text()
}

func (e *editor) line() string {
	var parts []string
	for range 1 + e.IntN(3) {
		parts = append(parts, e.inline())
	}
	return strings.Join(parts, " ")
}

func (e *editor) block() string {
	switch e.IntN(8) {
	case 0:
		return fmt.Sprintf("<h%[1]d>%[2]s</h%[1]d>", 1+e.IntN(3), e.text())
	case 1:
		tag := []string{"ul", "ol"}[e.IntN(2)]
		var b strings.Builder
		for range 1 + e.IntN(3) {
			b.WriteString("<li>" + e.line() + "</li>")
		}
		return "<" + tag + ">" + b.String() + "</" + tag + ">"
	case 2:
		columns := 1 + e.IntN(3)
		var b strings.Builder
		for range 1 + e.IntN(3) {
			b.WriteString("<tr>")
			for range columns {
				b.WriteString("<td>" + e.text() + "</td>")
			}
			b.WriteString("</tr>")
		}
		return "<table><tbody>" + b.String() + "</tbody></table>"
	case 3:
		return "<blockquote><p>" + e.line() + "</p></blockquote>"
	case 4:
		return "<div>" + e.line() + "</div>"
	}
	return "<p>" + e.line() + "</p>"
}

func (e *editor) document() string {
	var b strings.Builder
	for range 1 + e.IntN(6) {
		b.WriteString(e.block())
	}
	return b.String()
}

var escaped = regexp.MustCompile("\\\\([\\\\`*_{}\\[\\]()#+.!|<>~&-])")

// TestNothingIsLost: no word or number of the source is missing, out of its order or glued to the next, and no link's target.
func TestNothingIsLost(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1_000) {
		e := &editor{Rand: rand.New(rand.NewPCG(seed, 1))}
		source := e.document()
		text := markdown.FromHTML(source)
		plain := escaped.ReplaceAllString(html.UnescapeString(text), "$1")
		rest := plain
		for _, word := range e.words {
			i := strings.Index(rest, word)
			if i < 0 {
				t.Fatalf("seed %d: %q is lost\n%s\n%s", seed, word, source, text)
			}
			rest = rest[i+len(word):]
		}
		for _, link := range e.links {
			if !strings.Contains(plain, link) {
				t.Fatalf("seed %d: %q is lost\n%s\n%s", seed, link, source, text)
			}
		}
		told := strings.FieldsFunc(plain, func(r rune) bool { return strings.ContainsRune(" \n\t|*_[]()<>", r) })
		for _, word := range e.words {
			if strings.HasPrefix(word, "w") && !slices.Contains(told, word) {
				t.Fatalf("seed %d: %q is glued\n%s\n%s", seed, word, source, text)
			}
		}
	}
}

// TestStable: what a read has told can be written back, and reads the same.
func TestStable(t *testing.T) {
	t.Parallel()
	for seed := range uint64(1_000) {
		e := &editor{Rand: rand.New(rand.NewPCG(seed, 2))}
		first := markdown.FromHTML(e.document())
		second := markdown.FromHTML(markdown.ToHTML(first))
		if first != second {
			t.Fatalf("seed %d:\n%s\n----\n%s", seed, first, second)
		}
	}
}
