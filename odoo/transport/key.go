package transport

import (
	"fmt"
	"io"
)

// Key is an API key of Odoo's, the service's own or a person's. It prints as [redacted] in every format, so that a config
// that is logged as a whole does not carry it.
type Key string

// KeySource gives the service's own key, at each request anew: it may be another one by then.
type KeySource func() Key

const redacted = "[redacted]"

// String hides the key.
func (Key) String() string { return redacted }

// GoString hides the key from %#v.
func (Key) GoString() string { return redacted }

// Format hides the key from the verbs that ignore String (%x, %q, %d).
func (Key) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, redacted) }

// MarshalText hides the key from encoding/json, zerolog and slog.
func (Key) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// HeaderSafe reports whether s can be a header value: a key pasted with its line end would otherwise fail on every call,
// far from where the mistake was made.
func HeaderSafe(s string) bool {
	for _, r := range s {
		if r <= ' ' || r >= 0x7f {
			return false
		}
	}
	return true
}
