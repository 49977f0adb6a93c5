// Package markdown turns the HTML of Odoo's editor into Markdown for AI tools, and their Markdown into HTML for Odoo, which
// sanitizes it as ever.
//
//	HTML field ─> FromHTML ─> a reply        a value ─> ToHTML ─> Odoo ─> sanitized ─> kept
//
// What a reader must not lose is kept: words and numbers, each apart from the next, lines, lists, tables, and where a link
// leads. Colours, sizes and the like have no Markdown, and Loses says so before a text is written over.
package markdown

import (
	"bytes"
	"regexp"
	"strings"

	"github.com/JohannesKaufmann/html-to-markdown/v2/converter"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/base"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/commonmark"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/strikethrough"
	"github.com/JohannesKaufmann/html-to-markdown/v2/plugin/table"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer/html"
	nethtml "golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// mark stands before a letter that would begin the item of a list or the like, until it gets its backslash. It is of the
// private use area: no text has it that means anything.
const mark = "\uE0D1"

// unmark gives each mark its backslash, once.
var unmark = strings.NewReplacer(`\`+mark, `\`, mark+`\`, `\`, mark, `\`)

// start is how a line begins that Markdown would read as the item of a list, or as what makes the line before a heading. The
// converter knows some of these, and not within quotations.
var start = regexp.MustCompile(`^(\s*\d{0,9})([-+*=).]+)(\s|$)`)

var fromHTML = newConverter()

func newConverter() *converter.Converter {
	c := converter.NewConverter(converter.WithPlugins(
		base.NewBasePlugin(),
		commonmark.NewCommonmarkPlugin(),
		strikethrough.NewStrikethroughPlugin(),
		table.NewTablePlugin(),
	))
	c.Register.PreRenderer(func(_ converter.Context, doc *nethtml.Node) { markStarts(doc) }, converter.PriorityEarly)
	return c
}

// markStarts marks what a line must not begin with.
func markStarts(node *nethtml.Node) {
	if node.Type == nethtml.TextNode && !isCode(node) {
		if beginsLine(node) {
			node.Data = start.ReplaceAllString(node.Data, "${1}"+mark+"${2}${3}")
		}
		// Beside the stars of emphasis, one of the text's own would join them.
		node.Data = strings.ReplaceAll(strings.ReplaceAll(node.Data, mark+"*", "*"), "*", mark+"*")
	}
	for child := range node.ChildNodes() {
		markStarts(child)
	}
}

// beginsLine reports whether nothing stands before a text on its line.
func beginsLine(node *nethtml.Node) bool {
	for ; node != nil; node = node.Parent {
		before := node.PrevSibling
		if before != nil {
			return before.Type == nethtml.ElementNode && before.DataAtom == atom.Br
		}
		if node.Parent == nil || !isInline(node.Parent) {
			return true
		}
	}
	return true
}

func isCode(node *nethtml.Node) bool {
	for ; node != nil; node = node.Parent {
		if node.DataAtom == atom.Code || node.DataAtom == atom.Pre {
			return true
		}
	}
	return false
}

func isInline(node *nethtml.Node) bool {
	switch node.DataAtom {
	case atom.A, atom.B, atom.Strong, atom.I, atom.Em, atom.U, atom.Span, atom.Font, atom.S, atom.Del, atom.Code, atom.Small, atom.Sub, atom.Sup:
		return true
	}
	return false
}

// toHTML keeps every line break that was written, and passes HTML on: Odoo's sanitizer decides on it.
var toHTML = goldmark.New(
	goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
	goldmark.WithRendererOptions(html.WithHardWraps(), html.WithUnsafe()),
)

// FromHTML is the Markdown of an HTML text; "" for one that shows nothing.
func FromHTML(markup string) string {
	out, err := fromHTML.ConvertString(markup)
	if err != nil {
		// The parser takes any text: only what is no HTML at all comes here.
		return strings.TrimSpace(markup)
	}
	return strings.TrimSpace(unmark.Replace(out))
}

// ToHTML is the HTML of a Markdown text. HTML in it stays what it is.
func ToHTML(text string) string {
	var b bytes.Buffer
	if err := toHTML.Convert([]byte(text), &b); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return strings.TrimSpace(b.String())
}

// marks are what Odoo's editor writes and Markdown has no form for.
var marks = regexp.MustCompile(`(?i)<(?:font|u|iframe|video|img)\b|\sstyle\s*=|\sclass\s*=\s*"[^"]*\b(?:text-|bg-|alert|btn|o_checklist|media_iframe|fa\b)`)

// Loses reports whether a text has what Markdown cannot say: written back, it would be gone.
func Loses(markup string) bool { return marks.MatchString(markup) }
