// Package exact finds what two readers of one JSON text would understand differently: a name that an object has twice, of
// which one reader takes the first value and another the last, and text that is not Unicode, which one reader keeps and
// another replaces. Between Doorman's decision and what Odoo does there must be no such difference (RFC 8259 section 4,
// RFC 7493 sections 2.1 and 2.3).
package exact

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"doorman/server/access"
)

// Flaw is what is ambiguous in a JSON text.
type Flaw struct {
	Err *access.Error
	// Path leads to it: the names and indexes from the top.
	Path []string
}

// Find returns the first flaw of a JSON text; nil if it has none, or is not JSON at all, which its parser explains better.
func Find(raw []byte) *Flaw {
	if jsontext.Value(raw).IsValid() {
		return nil
	}
	d := jsontext.NewDecoder(bytes.NewReader(raw))
	_, err := d.ReadValue()
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return nil // more than one value
	}
	flaw := &Flaw{}
	for name := range syntax.JSONPointer.Tokens() {
		flaw.Path = append(flaw.Path, strings.ToValidUTF8(name, "\ufffd"))
	}
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		last := max(len(flaw.Path)-1, 0)
		name := strings.Join(flaw.Path[last:], "")
		flaw.Err = access.NewError(access.InvalidInput,
			fmt.Sprintf("The name %q is given twice.", clip(name, 60)), "Send each name once, with one value"+in(flaw.Path[:last]))
	case readable(raw, syntax.ByteOffset):
		flaw.Err = access.NewError(access.InvalidInput,
			"A text is not valid Unicode.", `Send UTF-8, and both halves of a pair such as \ud83d\ude00`+in(flaw.Path))
	default:
		return nil
	}
	return flaw
}

// readable reports whether a JSON text can be read beyond an offset once broken letters are let pass.
func readable(raw []byte, offset int64) bool {
	d := jsontext.NewDecoder(bytes.NewReader(raw), jsontext.AllowInvalidUTF8(true), jsontext.AllowDuplicateNames(true))
	_, err := d.ReadValue()
	var syntax *jsontext.SyntacticError
	return !errors.As(err, &syntax) || syntax.ByteOffset > offset
}

// clip shortens a name from outside, to n letters.
func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "..."
	}
	return s
}

// in ends a sentence with where that is.
func in(path []string) string {
	if len(path) == 0 {
		return "."
	}
	return ", in " + clip(strings.Join(path, "."), 120) + "."
}
