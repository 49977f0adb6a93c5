package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// stage is where the demo talks to; it says when everything stands.
type stage struct {
	mu     sync.Mutex
	text   bytes.Buffer
	stands chan struct{}
	once   sync.Once
}

// Write implements io.Writer.
func (s *stage) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if bytes.Contains(p, []byte("Ctrl-C ends it all")) {
		s.once.Do(func() { close(s.stands) })
	}
	return s.text.Write(p)
}

// String is what it has said.
func (s *stage) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// TestRealDemo: `make demo` goes its whole way; nobody's first look at Doorman is an error. And what its flags promise is
// there: the modules, the worker processes, the ready file.
func TestRealDemo(t *testing.T) {
	if os.Getenv("DOORMAN_TEST_ODOO") != "1" {
		t.Skip("SKIPPED: not proven against a real Odoo 19; set DOORMAN_TEST_ODOO=1 to do so")
	}
	file := filepath.Join(t.TempDir(), "ready.json")
	out := &stage{stands: make(chan struct{})}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	ended := make(chan error, 1)
	go func() {
		ended <- run(ctx, []string{"--modules", "contacts", "--workers", "2", "--ready-file", file}, out, out)
	}()
	select {
	case err := <-ended:
		t.Fatalf("%v\n%s", err, out)
	case <-out.stands:
	}
	checkStory(t, out.String())
	checkReady(t, file)
	interrupt()
	if err := <-ended; err != nil || !strings.Contains(out.String(), "Stopping Odoo") {
		t.Errorf("%v\n%s", err, out)
	}
}

// checkStory: the walk told all of it, in this order.
func checkStory(t *testing.T, told string) {
	t.Helper()
	at := 0
	for _, want := range []string{
		"tools/list", "search_records", "no policy opens", "pending_approval", "executed by Ada Approver", "clicks Revoke", "its very next call is refused", "One more request is left for you",
	} {
		found := strings.Index(told[at:], want)
		if found < 0 {
			t.Fatalf("after %q the demo does not say %q:\n%s", told[:at], want, told)
		}
		at += found
	}
}

// checkReady: with what the ready file says one gets in, as an AI tool and as each person.
func checkReady(t *testing.T, file string) {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var r ready
	if err := json.Unmarshal(body, &r); err != nil {
		t.Fatal(err)
	}
	if r.ServiceKey == "" || len(r.Users) != 3 {
		t.Errorf("%s", body)
	}
	for _, u := range r.Users {
		if _, err := inOdoo(t.Context(), &r, u.Login, u.Password, "res.users", "has_access", []int{}, "read"); err != nil {
			t.Errorf("%s: %v", u.Login, err)
		}
	}
	waits, err := inOdoo(t.Context(), &r, "approver", "approver", "doorman.approval", "search_count", []any{[]any{"state", "=", "pending"}})
	if err != nil || string(waits) != "1" {
		t.Errorf("%s requests wait for the approver: %v", waits, err)
	}
	found, err := inOdoo(t.Context(), &r, r.AdminLogin, r.AdminPassword, "ir.module.module", "search_count",
		[]any{[]any{"name", "=", "contacts"}, []any{"state", "=", "installed"}})
	if err != nil || string(found) != "1" {
		t.Errorf("contacts is not installed: %s, %v", found, err)
	}
	session, err := connect(t.Context(), r.MCPURL, r.Key)
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	if tools, err := session.ListTools(t.Context(), nil); err != nil || len(tools.Tools) == 0 {
		t.Errorf("the key that was told opens nothing: %v", err)
	}
}
