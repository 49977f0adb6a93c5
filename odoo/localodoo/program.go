package localodoo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Program is a program that is not of this package and calls `odoo`, such as a script that sets up a database.
type Program struct {
	Path string
	Args []string
	// Env are more variables, "NAME=value". The rest is what Odoo itself gets: nothing of the caller's environment.
	Env []string
	In  io.Reader
	Out io.Writer // gets both outputs; nil drops them
}

// RunProgram runs it as the account that runs Odoo, until it ends or ctx does, which kills it and what it started. The
// `odoo` on its PATH is this Host's, without any option: the program says which database server, addons and folders it
// means (Account, Socket, WorkDir). An error is that of exec.Cmd.Run; with Odoo in containers there is no such program.
func (h *Host) RunProgram(ctx context.Context, p Program) error {
	if _, ok := h.tools.(*containers); ok {
		return errors.New("Odoo runs in containers here: no program of this machine can call it")
	}
	odoo := h.tools.odoo(h.work, nil)
	bin, err := os.MkdirTemp(h.work.dir, "bin")
	if err != nil {
		return err
	}
	defer os.RemoveAll(bin)
	script := fmt.Sprintf("#!/bin/sh\nexec %s \"$@\"\n", strings.Join(append([]string{odoo.path}, odoo.args...), " "))
	if err := os.WriteFile(filepath.Join(bin, "odoo"), []byte(script), 0o755); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(bin, 0o755), os.Chmod(filepath.Join(bin, "odoo"), 0o755)); err != nil {
		return err
	}
	env := slices.Clone(odoo.env)
	for i, variable := range env {
		if rest, ok := strings.CutPrefix(variable, "PATH="); ok {
			env[i] = "PATH=" + bin + ":" + rest
		}
	}
	out := p.Out
	if out == nil {
		out = io.Discard
	}
	return h.work.runTo(ctx, spec{path: p.Path, args: p.Args, env: append(env, p.Env...)}, p.In, out, out)
}

// Account is the name of the account that runs Odoo, or "" for that of this process.
func (h *Host) Account() string {
	if !h.work.acc.switches {
		return ""
	}
	return h.work.acc.name
}

// WorkDir makes a folder in the Host's temp dir, which Odoo's account owns.
func (h *Host) WorkDir(name string) (string, error) {
	dir := filepath.Join(h.work.dir, name)
	return dir, h.work.mkdir(dir)
}

// Socket is the folder of PostgreSQL's socket, and the port and user that go with it.
func (h *Host) Socket() (dir, port, user string) { return h.work.socket(), pgPort, pgUser }
