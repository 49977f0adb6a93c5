package kit

import (
	"context"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"doorman/server/e2e/venv"
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

// installPython makes a virtual environment of what requirements.txt names, unless it is there.
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
	environment := venv.Dir(filepath.Join(dir, "..", "..", "..", ".cache"), "clients", wanted)
	python := &Interpreter{Dir: dir, Path: venv.Python(environment)}
	return python, venv.Make(context.Background(), environment, "python3", wanted)
}
