package mcperr

import (
	"slices"
	"testing"
	"time"

	"doorman/server/access"
)

func TestSuggest(t *testing.T) {
	t.Parallel()
	fields := []string{"name", "display_name", "partner_id", "partner_ref", "email", "state"}
	for _, row := range []struct {
		name string
		want []string
	}{
		{"nmae", []string{"name"}},
		{"NAME", []string{"name", "display_name"}},
		{"partner", []string{"partner_id", "partner_ref"}},
		{"e_mail", []string{"email"}},
		{"quantity", nil},
	} {
		if got := Suggest(row.name, fields); !slices.Equal(got, row.want) {
			t.Errorf("for %q: %q, want %q", row.name, got, row.want)
		}
	}
}

// TestEveryKindHasAStatus: a refusal must never look like a success, nor like a fault of the service.
func TestEveryKindHasAStatus(t *testing.T) {
	t.Parallel()
	ours := []access.Kind{access.OdooUnavailable, access.Updating, access.OdooTimeout, access.Internal}
	for _, kind := range access.Kinds() {
		if status := HTTPStatus(access.NewError(kind, "", "")); status < 400 || slices.Contains(ours, kind) && status < 500 {
			t.Errorf("%s is %d", kind, status)
		}
	}
}

// TestRetryIsNeverTooEarly: a client that comes back a moment too early is refused again.
func TestRetryIsNeverTooEarly(t *testing.T) {
	t.Parallel()
	for wait, want := range map[time.Duration]int{0: 0, time.Millisecond: 1, time.Second: 1, 1500 * time.Millisecond: 2} {
		if got := Body(&access.Error{RetryAfter: wait}).RetryAfter; got != want {
			t.Errorf("%s is told as %d seconds, want %d", wait, got, want)
		}
	}
}

func TestClip(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ text, want string }{
		{"abc", "abc"}, {"abcd", "abc..."}, {"äöü", "äöü"}, {"äöüß", "äöü..."}, {"a\xffb", "a?b"},
	} {
		if got := Clip(row.text, 3); got != row.want {
			t.Errorf("%q is %q, want %q", row.text, got, row.want)
		}
	}
}
