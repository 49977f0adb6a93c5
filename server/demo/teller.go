package main

import (
	"fmt"
	"io"
	"strings"
	"time"
)

// teller prints what happens, for a person who sees this for the first time.
type teller struct {
	out   io.Writer
	start time.Time
}

// Write takes the progress of package localodoo, a line at a time.
func (t *teller) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		t.line(strings.TrimRight(line, "\n"))
	}
	return len(p), nil
}

func (t *teller) title(text string) { fmt.Fprintf(t.out, "\n%s\n", text) }

func (t *teller) line(text string) {
	fmt.Fprintf(t.out, "  %5.1fs  %s\n", time.Since(t.start).Seconds(), text)
}

func (t *teller) detail(format string, args ...any) {
	fmt.Fprintf(t.out, "          "+format+"\n", args...)
}

// summary says what stands, and how to try it.
func (t *teller) summary(r *ready) {
	t.title("Everything stands. Try it yourself")
	t.detail("Odoo      %s/odoo   (menu Doorman)", r.OdooURL)
	for _, u := range r.Users {
		t.detail("          login %-10s password %-10s %s", u.Login, u.Password, u.Role)
	}
	t.detail("MCP       %s", r.MCPURL)
	if r.Key != "" {
		t.detail("Key       %s", r.Key)
		t.detail("")
		t.detail("Claude Code:  claude mcp add --transport http odoo %s --header \"Authorization: Bearer %s\"", r.MCPURL, r.Key)
	}
	t.detail("")
	t.detail("Ctrl-C ends it all; nothing is left running.")
}
