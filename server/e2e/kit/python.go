package kit

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var installedPython = sync.OnceValues(installPython)

// NeedPython is NeedNode for the clients that are written in Python. They are asked for together: DOORMAN_TEST_NODE.
func NeedPython(t testing.TB) *Interpreter {
	t.Helper()
	if os.Getenv("DOORMAN_TEST_NODE") == "" {
		t.Skip("needs Python's clients: set DOORMAN_TEST_NODE=1, as make test does")
	}
	SkipWithoutOdoo(t)
	python, err := installedPython()
	if err != nil {
		t.Fatal(err)
	}
	return python
}

// installPython makes a virtual environment of what requirements.txt names, unless it is there. It is of that very list:
// another one has another folder.
func installPython() (*Interpreter, error) {
	dir, err := clientsDir()
	if err != nil {
		return nil, err
	}
	list := filepath.Join(dir, "requirements.txt")
	wanted, err := os.ReadFile(list)
	if err != nil {
		return nil, err
	}
	release, err := lockFile(list) // another test process may be about to do the same
	if err != nil {
		return nil, err
	}
	defer release()
	venv := filepath.Join(dir, "..", "..", "..", ".cache", fmt.Sprintf("clients-%x", sha256.Sum256(wanted))[:len("clients-")+12])
	python := &Interpreter{Dir: dir, Path: filepath.Join(venv, "bin", "python")}
	done := filepath.Join(venv, ".installed")
	if _, err := os.Stat(done); err == nil {
		return python, nil
	}
	if err := os.RemoveAll(venv); err != nil { // of a run that was interrupted
		return nil, err
	}
	for _, args := range [][]string{
		{"python3", "-m", "venv", venv},
		// Wheels only: a test run must not execute what a package's author put into its installation.
		{python.Path, "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--only-binary", ":all:", "-r", list},
	} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			return nil, fmt.Errorf("%v: %w\n%s", args[:3], err, out)
		}
	}
	return python, os.WriteFile(done, nil, 0o600)
}
