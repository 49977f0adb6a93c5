package app

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"doorman/odoo"
)

// TestKeyFile: a key that is replaced in its file is taken up, whatever the file goes through.
func TestKeyFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "key")
	var log bytes.Buffer
	at := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	put := func(text string) {
		t.Helper()
		at = at.Add(time.Minute)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	put("first\n")
	now := at
	f := newKeyFile(path, "first", zerolog.New(&log))
	f.now = func() time.Time { return now }
	for _, step := range []struct {
		name  string
		do    func()
		after time.Duration
		want  odoo.Key
	}{
		{"as it was", func() {}, 0, "first"},
		{"not looked at yet", func() { put("second") }, lookEvery / 2, "first"},
		{"another key", func() {}, lookEvery, "second"},
		{"empty while it is written", func() { put("") }, lookEvery, "second"},
		{"written", func() { put(" third \n") }, lookEvery, "third"},
		{"more than a key", func() { put("fourth\nfifth") }, lookEvery, "third"},
		{"gone for a moment", func() { _ = os.Remove(path) }, lookEvery, "third"},
		{"there again", func() { put("sixth") }, lookEvery, "sixth"},
		{"a link to another file", func() {
			other := filepath.Join(t.TempDir(), "other")
			if err := os.WriteFile(other, []byte("seventh"), 0o600); err != nil {
				t.Fatal(err)
			}
			_ = os.Remove(path)
			if err := os.Symlink(other, path); err != nil {
				t.Fatal(err)
			}
		}, lookEvery, "seventh"},
	} {
		step.do()
		now = now.Add(step.after)
		if got := f.current(); got != step.want {
			t.Errorf("%s: %q", step.name, string(got))
		}
	}
	for _, key := range []string{"first", "second", "third", "fourth", "sixth", "seventh"} {
		if strings.Contains(log.String(), key) {
			t.Errorf("the log tells %s:\n%s", key, log.String())
		}
	}
	if n := strings.Count(log.String(), "cannot be used"); n != 2 {
		t.Errorf("%d errors in\n%s", n, log.String())
	}
}
