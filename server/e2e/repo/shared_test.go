package repo_test

import (
	"os/exec"
	"testing"
)

// TestSharedConstants: what the service and the addon both hold is written once, and the addon's copy is made from it.
func TestSharedConstants(t *testing.T) {
	t.Parallel()
	check := exec.CommandContext(t.Context(), "go", "run", "./server/access/generate", "-check")
	check.Dir = repoRoot(t)
	if out, err := check.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}
