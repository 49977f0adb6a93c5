package markdown_test

import (
	"html"
	"testing"

	"doorman/server/markdown"
)

func TestFromHTML(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, html, want string }{
		{"nothing", "", ""},
		{"an empty line", "<p><br></p>", ""},
		{"lines", "<p>one<br>two</p><p>three</p>", "one\ntwo\n\nthree"},
		{"bold and a link", `<p>See <strong>this</strong> <a href="https://example.com/a?b=1">page</a></p>`, "See **this** [page](https://example.com/a?b=1)"},
		{"a list", "<ul><li>a</li><li>b</li></ul>", "- a\n- b"},
		{"a table", "<table><tr><td>Qty 1</td><td>12.50</td></tr><tr><td>Qty 2</td><td>7</td></tr></table>", "|       |       |\n|-------|-------|\n| Qty 1 | 12.50 |\n| Qty 2 | 7     |"},
		{"a script", "<p>a</p><script>alert(1)</script><style>p{}</style>", "a"},
		{"stars in a text", "<p>2 * 3 * 4 and a_b_c</p>", `2 \* 3 \* 4 and a\_b\_c`},
	} {
		if got := markdown.FromHTML(row.html); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestToHTML(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"lines", "one\ntwo\n\nthree", "<p>one<br>\ntwo</p>\n<p>three</p>"},
		{"bold and a link", "See **this** [page](https://example.com)", `<p>See <strong>this</strong> <a href="https://example.com">page</a></p>`},
		{"html", "<p>as <b>it</b> is</p>", "<p>as <b>it</b> is</p>"},
		{"a comparison", "a < b & c", "<p>a &lt; b &amp; c</p>"},
		{"a product", "5*3*2 = 30", "<p>5*3*2 = 30</p>"},
		{"a list", "Bring:\n- tea\n- milk", "<p>Bring:</p>\n<ul>\n<li>tea</li>\n<li>milk</li>\n</ul>"},
		{"an address", "https://example.com/a_b_c", `<p><a href="https://example.com/a_b_c">https://example.com/a_b_c</a></p>`},
		{"a table", "| a | b |\n|---|---|\n| 1 | 2 |", "<table>\n<thead>\n<tr>\n<th>a</th>\n<th>b</th>\n</tr>\n</thead>\n<tbody>\n<tr>\n<td>1</td>\n<td>2</td>\n</tr>\n</tbody>\n</table>"},
	} {
		if got := markdown.ToHTML(row.text); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

// TestToMessage: what somebody types is what others see, HTML too.
func TestToMessage(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, text, want string }{
		{"bold", "**now**", "<p><strong>now</strong></p>"},
		{"inline HTML", "use <b>this</b>", "<p>use &lt;b&gt;this&lt;/b&gt;</p>"},
		{"a block of HTML", "<div>\na\n</div>\n\nb", "<p>&lt;div&gt;<br>\na<br>\n&lt;/div&gt;</p>\n<p>b</p>"},
		{"a script", "<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>"},
		{"a script as an address", "[x](javascript:alert(1))", `<p><a href="">x</a></p>`},
	} {
		if got := markdown.ToMessage(row.text); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}

func TestIsHTML(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"<p>a</p>": true, " <div>a\n\n    b</div>\n": true, "<!-- a --><p>b</p>": true,
		"": false, "a": false, "a <b>b</b>": false, "<p>a</p> and more": false, "< 5 and > 3": false, "<3>": false,
	} {
		if got := markdown.IsHTML(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// TestHasMarkup: where it says no, the letters are all there is.
func TestHasMarkup(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]bool{
		"Acme": false, "Acme-Corp & Co.": false, "12.50": false, "a < b": false, "2026-11-28": false,
		"*a*": true, "a\nb": true, "- a": true, "1. a": true, "# a": true, "http://a.example": true, "a|b": true,
	} {
		if got := markdown.HasMarkup(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
		if plain := "<p>" + html.EscapeString(text) + "</p>"; !want && markdown.ToHTML(text) != plain {
			t.Errorf("%q says more: %q", text, markdown.ToHTML(text))
		}
	}
}
