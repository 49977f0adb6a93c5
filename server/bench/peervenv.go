package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"doorman/server/e2e/venv"
)

// peerPackages are the versions of the other servers, and of all that they need, in pip's words.
//
//go:embed peers.txt
var peerPackages []byte

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
	dir = venv.Dir(cache, "peers", peerPackages)
	if !venv.Ready(dir) {
		say("Installing the other servers into %s ...", dir)
	}
	err = venv.Make(ctx, dir, python, peerPackages, "--timeout", "15", "--retries", "1")
	if errors.Is(err, venv.ErrPrograms) {
		err = fmt.Errorf("%w: %w", errNoPeers, err)
	}
	return dir, err
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

// peerVersions asks the virtual environment what it holds, by the name of the package.
func peerVersions(ctx context.Context, dir string) (versions map[string]string, err error) {
	const script = `import json, importlib.metadata as m; print(json.dumps({n: m.version(n) for n in ("mcp-server-odoo", "odoo-mcp", "mcp")}))`
	out, err := exec.CommandContext(ctx, venv.Python(dir), "-c", script).Output()
	if err != nil {
		return nil, err
	}
	return versions, json.Unmarshal(out, &versions)
}
