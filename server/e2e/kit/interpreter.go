package kit

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// ProgramTimeout is far beyond what any of the programs takes: it ends one that waits for a browser or a terminal.
const ProgramTimeout = time.Minute

// Interpreter runs the programs of server/e2e/clients in one language.
type Interpreter struct {
	// Dir is the folder where the scripts are.
	Dir string
	// Path is what runs them.
	Path string
}

// clientsDir is where the scripts are, and the lists of what they need.
func clientsDir() (string, error) {
	dir, err := rootOf("go.mod")
	return filepath.Join(dir, "server", "e2e", "clients"), err
}

// Output is what a program said and how it ended.
type Output struct {
	Stdout, Stderr string
	Code           int
}

// Run runs a script. Its environment is empty but for environ and a home of its own, so that neither this
// machine's proxies nor somebody's saved sign-ins change the outcome.
func (i *Interpreter) Run(t testing.TB, environ []string, stdin, script string, args ...string) Output {
	t.Helper()
	path := filepath.Join(i.Dir, script)
	if _, err := os.Stat(path); err != nil { // also tells go test that the result hangs on this file
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), ProgramTimeout)
	defer cancel()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, i.Path, append([]string{path}, args...)...)
	cmd.Env = append([]string{"HOME=" + t.TempDir(), "PATH=" + filepath.Dir(i.Path), "NO_COLOR=1"}, environ...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &stdout, &stderr
	cmd.WaitDelay = time.Second // a grandchild that keeps the pipes open must not keep the test
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) || ctx.Err() != nil {
		t.Fatalf("%s: %v\n%s", script, err, stderr.String())
	}
	return Output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}
}
