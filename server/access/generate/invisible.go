package main

import (
	"bytes"
	"fmt"
	"strings"
	"unicode"

	"doorman/server/access"
)

// invisibleRanges is a Python file with all characters that are invisible, as hexadecimal ranges, each to its last.
func invisibleRanges() []byte {
	var ranges []string
	for r := rune(0); r <= unicode.MaxRune; r++ {
		if !access.Invisible(r) {
			continue
		}
		first := r
		for r < unicode.MaxRune && access.Invisible(r+1) {
			r++
		}
		if first == r {
			ranges = append(ranges, fmt.Sprintf("%x", first))
		} else {
			ranges = append(ranges, fmt.Sprintf("%x-%x", first, r))
		}
	}
	var out bytes.Buffer
	fmt.Fprintf(&out, `"""Characters that show nothing, or turn the text around them (Unicode %s).

Made from server/access by `+"``go generate ./server/access``"+`: Python's own version of
Unicode knows others.
"""

RANGES = """
`, unicode.Version)
	for _, line := range wrap(strings.Join(ranges, " "), 86) {
		fmt.Fprintln(&out, line)
	}
	out.WriteString("\"\"\"\n")
	return out.Bytes()
}
