package markdown_test

import (
	"testing"

	"doorman/server/markdown"
)

func TestFromHTML(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, html, want string }{
		{"nothing", "", ""},
		{"an empty line", "<p><br></p>", ""},
		{"lines", "<p>one<br>two</p><p>three</p>", "one  \ntwo\n\nthree"},
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
	} {
		if got := markdown.ToHTML(row.text); got != row.want {
			t.Errorf("%s: got %q, want %q", row.name, got, row.want)
		}
	}
}
