// Package markdown turns the HTML of Odoo's editor into Markdown for AI tools, and their Markdown into HTML for Odoo, which
// sanitizes it as it always does.
//
//	HTML field ─> FromHTML ─> a reply        a value ─> ToHTML ─> Odoo ─> sanitized ─> kept
//
// What a reader must not lose is kept: words and numbers, each apart from the next, lines, lists, tables, and where a link
// leads. Markdown has no colours, sizes and the like: the addon tells what is lost of them when a text is
// written over (tools/text_losses.py).
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
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/util"
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
var toHTML = newWriter(html.WithUnsafe())

// toMessage is for what is posted: HTML in it is shown as it was typed.
var toMessage = newWriter(renderer.WithNodeRenderers(util.Prioritized(typed{}, 100)))

func newWriter(options ...renderer.Option) goldmark.Markdown {
	return goldmark.New(
		goldmark.WithExtensions(extension.Table, extension.Strikethrough, extension.Linkify),
		goldmark.WithRendererOptions(append(options, html.WithHardWraps())...),
	)
}

// typed shows HTML as the text that it is.
type typed struct{}

func (typed) RegisterFuncs(r renderer.NodeRendererFuncRegisterer) {
	r.Register(ast.KindRawHTML, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		raw, ok := n.(*ast.RawHTML)
		if !entering || !ok {
			return ast.WalkSkipChildren, nil
		}
		_, err := w.WriteString(nethtml.EscapeString(string(raw.Segments.Value(source))))
		return ast.WalkSkipChildren, err
	})
	r.Register(ast.KindHTMLBlock, func(w util.BufWriter, source []byte, n ast.Node, entering bool) (ast.WalkStatus, error) {
		block, ok := n.(*ast.HTMLBlock)
		if !entering || !ok {
			return ast.WalkContinue, nil
		}
		text := string(block.Lines().Value(source))
		if block.HasClosure() {
			text += string(block.ClosureLine.Value(source))
		}
		text = strings.ReplaceAll(nethtml.EscapeString(strings.TrimRight(text, "\n")), "\n", "<br>\n")
		_, err := w.WriteString("<p>" + text + "</p>\n")
		return ast.WalkContinue, err
	})
}

// FromHTML is the Markdown of an HTML text; "" for one that shows nothing.
func FromHTML(markup string) string {
	out, err := fromHTML.ConvertString(markup)
	if err != nil {
		// The parser takes any text: an error means that it was not HTML at all.
		return strings.TrimSpace(markup)
	}
	// A line break is one, as ToHTML reads it, without the blanks that CommonMark wants before it.
	return strings.TrimSpace(strings.ReplaceAll(unmark.Replace(out), "  \n", "\n"))
}

// ToHTML is the HTML of a Markdown text for an HTML field. HTML within it stays what it is.
func ToHTML(text string) string { return write(toHTML, text) }

// ToMessage is the HTML of a Markdown text that is posted. HTML within it is shown as it was typed.
func ToMessage(text string) string { return write(toMessage, text) }

func write(writer goldmark.Markdown, text string) string {
	if !strings.Contains(text, "`") {
		text = product.ReplaceAllString(text, `${1}\*`)
	}
	var b bytes.Buffer
	if err := writer.Convert([]byte(text), &b); err != nil {
		panic(err) // a bytes.Buffer takes everything
	}
	return strings.TrimSpace(b.String())
}

// product is a star between two numbers: 5*3*2 does not emphasize the 3.
var product = regexp.MustCompile(`(\d)\*\b`)

// IsHTML reports whether a text is a piece of HTML from its beginning to its end, and not Markdown with HTML in it.
func IsHTML(text string) bool { return document.MatchString(text) }

var document = regexp.MustCompile(`(?s)^\s*<(?:[a-zA-Z][^<>]*|!--.*?--)>.*>\s*$`)

// HasMarkup reports whether a text may say something in Markdown that its letters alone do not. Lines count: two of them are
// two in HTML.
func HasMarkup(text string) bool { return markup.MatchString(text) }

var markup = regexp.MustCompile("[*_`\\[\\]|~\\\\\n]|://|www\\.|@|^\\s*(?:[-+#>]|\\d+[.)]\\s)")
