package wire

import (
	"regexp"
	"strings"
	"unicode"

	"doorman/server/access"
)

// maxText is how many bytes of Odoo's words are passed on.
const maxText = 1500

// traceback is how one begins, also where a text was cut within its first line.
const traceback = "Traceback (most"

var (
	// leak matches a line that no person wrote for a user.
	leak = regexp.MustCompile(`^\s*File "|\.py\b["',: ]|\.py$|psycopg2|` +
		`^\s*(LINE \d+:|DETAIL:|CONTEXT:|HINT:|STATEMENT:)|` +
		`\b(SELECT|INSERT INTO|UPDATE|DELETE FROM|ALTER TABLE)\s+"|\bSELECT\b.+\bFROM\b|\bINSERT INTO\b|\bDELETE FROM\b`)

	path = regexp.MustCompile(`(?:[A-Za-z]:\\|/)[\w.@+-]+(?:[/\\][\w.@+-]+)+/?`)
)

// CleanText keeps what Odoo wrote for its user and drops what it did not: control characters, lines of a traceback, SQL.
// "" means that nothing is left to pass on.
func CleanText(s string) string {
	var kept []string
	for line := range strings.SplitSeq(s, "\n") {
		line, _, ended := strings.Cut(plain(line), traceback)
		line = strings.TrimSpace(line)
		if line != "" && !leak.MatchString(line) {
			kept = append(kept, line)
		}
		if ended {
			break // whatever follows is for the log
		}
	}
	return truncate(strings.Join(kept, "\n"), maxText)
}

// personText keeps what a person wrote, or records are called, but for what would redraw a terminal. It is not an error of
// anybody's, so nothing in it is taken for one.
func personText(s string) string {
	lines := strings.Split(strings.TrimSpace(s), "\n")
	for i, line := range lines {
		lines[i] = plain(line)
	}
	return truncate(strings.Join(lines, "\n"), maxText)
}

// CleanLine is the first clean line of s without the paths in it: for the words of Python's own errors, which are about
// the arguments but not written for a user.
func CleanLine(s string) string {
	first, _, _ := strings.Cut(CleanText(s), "\n")
	return truncate(path.ReplaceAllString(first, "…"), 300)
}

// Printable makes a word from outside fit for a log line: a host, an exception's name.
func Printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if r <= ' ' || r >= 0x7f {
			return -1
		}
		return r
	}, s)
	return truncate(s, 100)
}

// plain drops what cannot be seen from a line: a message must not redraw the terminal, reverse the text around it, or tell
// a model what no person reads.
func plain(line string) string {
	line = access.WithoutHidden(strings.ReplaceAll(line, "\t", " "))
	return strings.ReplaceAll(strings.ToValidUTF8(line, ""), string(unicode.ReplacementChar), "")
}

// truncate cuts s to at most n bytes, at a character's border.
func truncate(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n] + "…"
}

// LastName is the part of a dotted name after the last dot.
func LastName(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }
