package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// peerPackages are the versions of the other servers, and of all that they need, in pip's words.
//
//go:embed peers.txt
var peerPackages string

// errNoPeers says that the other servers cannot be had here. Doorman is not to blame: the part is skipped.
var errNoPeers = errors.New("the other MCP servers for Odoo cannot be had here")

// peerVenv returns a virtual environment that holds the other servers, made in the cache at the first run.
//
// Parameters: given is a folder that somebody has prepared, or ""; python is the interpreter to make one with.
// Errors: errNoPeers, with what Python or pip said, if there is no Python 3 with venv, or the packages do not come; or
// ctx.Err().
func peerVenv(ctx context.Context, given, python string) (dir string, err error) {
	if given != "" {
		if _, err := peerVersions(ctx, given); err != nil {
			return "", fmt.Errorf("%s holds no such servers: %w", given, err)
		}
		return filepath.Abs(given)
	}
	cache, err := cacheDir()
	if err != nil {
		return "", err
	}
	dir = filepath.Join(cache, fmt.Sprintf("peers-%x", sha256.Sum256([]byte(peerPackages)))[:len("peers-")+12])
	done := filepath.Join(dir, ".installed")
	if _, err := os.Stat(done); err == nil {
		return dir, nil
	}
	say("Installing the other servers into %s ...", dir)
	if err := os.RemoveAll(dir); err != nil { // of a run that was interrupted
		return "", err
	}
	if err := installPeers(ctx, dir, python); err != nil {
		return "", errors.Join(err, os.RemoveAll(dir))
	}
	return dir, os.WriteFile(done, nil, 0o600)
}

// cacheDir is where the tests keep what is expensive to get, as odoo/localodoo does.
func cacheDir() (string, error) {
	if dir := os.Getenv("DOORMAN_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	home, err := os.UserHomeDir()
	if err != nil {
		return "", fmt.Errorf("no cache directory; set DOORMAN_CACHE: %w", err)
	}
	return filepath.Join(home, ".cache", "doorman"), nil
}

func installPeers(ctx context.Context, dir, python string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	list := filepath.Join(dir, "peers.txt")
	if err := os.WriteFile(list, []byte(peerPackages), 0o600); err != nil {
		return err
	}
	for _, args := range [][]string{
		{python, "-m", "venv", dir},
		// Wheels only: what would have to be compiled runs its authors' code now, and needs a compiler.
		{venvPython(dir), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check", "--timeout", "15", "--retries", "1", "--only-binary", ":all:", "-r", list},
	} {
		out, err := exec.CommandContext(ctx, args[0], args[1:]...).CombinedOutput()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			return fmt.Errorf("%w: %s: %w\n%s", errNoPeers, strings.Join(args[:3], " "), err, lastOf(out, 8))
		}
	}
	return nil
}

func venvPython(dir string) string { return filepath.Join(dir, "bin", "python") }

// lastOf returns the last n lines.
func lastOf(out []byte, n int) string {
	lines := strings.Split(string(bytes.TrimSpace(out)), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}

// peerVersions asks the virtual environment what it holds, by the name of the package.
func peerVersions(ctx context.Context, dir string) (versions map[string]string, err error) {
	const script = `import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in ("mcp-server-odoo", "odoo-mcp", "mcp")}))`
	out, err := exec.CommandContext(ctx, venvPython(dir), "-c", script).Output()
	if err != nil {
		return nil, err
	}
	return versions, json.Unmarshal(out, &versions)
}
