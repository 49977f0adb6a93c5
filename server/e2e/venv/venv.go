package venv

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// ErrPrograms says that Python or pip could not do it: there is no Python with venv, or the packages do not come.
var ErrPrograms = errors.New("the virtual environment cannot be made")

// Dir is the folder for a list of packages, below parent. Another list has another folder.
func Dir(parent, name string, packages []byte) string {
	return filepath.Join(parent, fmt.Sprintf("%s-%x", name, sha256.Sum256(packages))[:len(name)+1+12])
}

// Python is the interpreter of a virtual environment.
func Python(dir string) string { return filepath.Join(dir, "bin", "python") }

// Ready reports whether a virtual environment is there, and complete.
func Ready(dir string) bool {
	_, err := os.Stat(mark(dir))
	return err == nil
}

func mark(dir string) string { return filepath.Join(dir, ".installed") }

// Make makes a virtual environment, unless it is ready. One that an interrupted run has left is made anew; one that fails
// leaves nothing behind.
//
// Parameters: python is the interpreter to make it with; packages is the list, as pip reads it; options are pip's, beside ours.
// Errors: ErrPrograms, with the last lines that Python or pip said; ctx.Err(); or what the file system says.
func Make(ctx context.Context, dir, python string, packages []byte, options ...string) error {
	if Ready(dir) {
		return nil
	}
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := install(ctx, dir, python, packages, options); err != nil {
		return errors.Join(err, os.RemoveAll(dir))
	}
	return os.WriteFile(mark(dir), nil, 0o600)
}

func install(ctx context.Context, dir, python string, packages []byte, options []string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	list := filepath.Join(dir, "packages.txt")
	if err := os.WriteFile(list, packages, 0o600); err != nil {
		return err
	}
	// Wheels only: what has to be compiled runs its authors' code now, and needs a compiler.
	pip := []string{Python(dir), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--only-binary", ":all:", "-r", list}
	for _, args := range [][]string{{python, "-m", "venv", dir}, append(pip, options...)} {
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("%w: %s: %w\n%s", ErrPrograms, strings.Join(args[:3], " "), err, lastOf(out, 8))
		}
	}
	return nil
}

// lastOf returns the last n lines.
func lastOf(out []byte, n int) string {
	lines := strings.Split(string(bytes.TrimSpace(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
