package localodoo

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// toolchain makes the commands of PostgreSQL and Odoo. There are two: programs
// of this machine (packages) and programs in containers. Both see the same
// paths, so nothing else in this package knows which one it is.
type toolchain interface {
	// name is for people: "Odoo 19.0.0+dfsg-1 from packages".
	name() string
	// key changes whenever cached layers made with the toolchain would not fit any more.
	key() string
	account() account
	// hasModule reports whether a module is part of Odoo (true where that cannot be known).
	hasModule(name string) bool
	// pycache is where Python keeps compiled files, by the path of their source.
	pycache() string
	// engine is the container program, "" for packages.
	engine() string
	pg(w *workdir, program string, args ...string) spec
	// odoo makes `odoo <command> ...`, with the addon folders in addons.
	odoo(w *workdir, addons []string, args ...string) spec
}

// machine is what we can find out about this machine; tests replace it.
type machine struct {
	getenv   func(string) string
	lookPath func(string) (string, error)
	readFile func(string) ([]byte, error)
	glob     func(string) ([]string, error)
	// output runs a short command and returns its standard output.
	output func(ctx context.Context, name string, args ...string) (string, error)
	uid    int
}

// thisMachine is the real one.
func thisMachine() machine {
	return machine{
		getenv:   os.Getenv,
		lookPath: exec.LookPath,
		readFile: os.ReadFile,
		glob:     globSorted,
		output: func(ctx context.Context, name string, args ...string) (string, error) {
			cmd := exec.CommandContext(ctx, name, args...)
			cmd.Env = append(os.Environ(), "LC_ALL=C.UTF-8")
			out, err := cmd.Output()
			if exit, ok := errors.AsType[*exec.ExitError](err); ok && len(exit.Stderr) > 0 {
				err = fmt.Errorf("%w: %s", err, lastLines(string(exit.Stderr), 6))
			}
			return string(out), err
		},
		uid: os.Geteuid(),
	}
}

// Available says why no local Odoo can be had here; nil means that it can. It
// looks only: nothing is installed, downloaded or written.
func Available() error {
	if err := supported(); err != nil {
		return err
	}
	_, err := thisMachine().choose(context.Background())
	return err
}

// way is how Odoo gets onto this machine.
type way struct {
	packages bool
	engine   string // docker or podman, when not by packages
}

// choose picks packages where they can work, else a container engine, else says
// in one error what each of them lacks.
func (m machine) choose(ctx context.Context) (way, error) {
	noPackages := m.packagesWork(ctx)
	if noPackages == nil {
		return way{packages: true}, nil
	}
	engine, noContainers := m.findEngine(ctx)
	if noContainers == nil {
		return way{engine: engine}, nil
	}
	return way{}, fmt.Errorf("a local Odoo needs one of two things, and this machine has neither: "+
		"(1) Debian packages: %v; (2) a container engine: %v", noPackages, noContainers)
}

// findEngine returns the first container engine that answers. A client without
// a running service is common (docker installed, its daemon not), so finding
// the program is not enough.
func (m machine) findEngine(ctx context.Context) (string, error) {
	var why []string
	for _, engine := range []string{"docker", "podman"} {
		if _, err := m.lookPath(engine); err != nil {
			why = append(why, engine+" is not installed")
			continue
		}
		// Only an answer of the service counts: the docker client exits 0 in some
		// versions although it reached nobody.
		format := "{{.ServerVersion}}"
		if engine == "podman" {
			format = "{{.Version.Version}}"
		}
		out, err := m.output(ctx, engine, "info", "--format", format)
		if err == nil && strings.TrimSpace(out) != "" {
			return engine, nil
		}
		why = append(why, engine+" is installed but its service does not answer")
	}
	return "", fmt.Errorf("%s", strings.Join(why, ", "))
}

// odooEnv is the whole environment of Odoo and PostgreSQL. Nothing of the
// caller's leaks in: a PGHOST, an ODOO_RC or a PYTHONPATH of the developer would
// change what is tested.
func odooEnv(w *workdir, more ...string) []string {
	return append([]string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		"HOME=" + w.dir + "/home",
		"TMPDIR=" + w.dir + "/home",
		"LANG=C.UTF-8",
		"LC_ALL=C.UTF-8",
		"TZ=UTC",
		"PYTHONNOUSERSITE=1",
		"PYTHONUNBUFFERED=1",
	}, more...)
}
