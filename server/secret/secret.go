// Package secret holds the one type for values that must not be printed.
package secret

import "fmt"

const hidden = "[secret]"

// Text is a secret. Whatever prints it (fmt, JSON, zerolog) prints a fixed word; Reveal is the one way to its value, so
// that a search for that word finds every place where a secret leaves this type. A struct, not a string: encoding/json
// writes the keys of a map as they are if they are of a kind of string.
type Text struct{ value string }

// New makes a secret of a value.
func New(value string) Text { return Text{value} }

// Reveal returns the value.
func (t Text) Reveal() string { return t.value }

// Empty reports whether there is no value.
func (t Text) Empty() bool { return t.value == "" }

// UnmarshalText takes the value, from the environment for example.
func (t *Text) UnmarshalText(value []byte) error {
	t.value = string(value)
	return nil
}

// String implements fmt.Stringer.
func (Text) String() string { return hidden }

// GoString keeps %#v from printing the value.
func (Text) GoString() string { return hidden }

// Format covers the verbs that String does not, such as %x.
func (Text) Format(f fmt.State, _ rune) { fmt.Fprint(f, hidden) }

// MarshalText covers JSON and every other encoder.
func (Text) MarshalText() ([]byte, error) { return []byte(hidden), nil }
