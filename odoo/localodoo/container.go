package localodoo

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	odooImage     = "odoo:19"
	postgresImage = "postgres:16"
)

// containers is the toolchain that borrows programs from images. Every command
// is one container that sees the same paths, the same network and runs as the
// same user as a process here would, so data, sockets and ports need no translation.
type containers struct {
	program string // docker or podman
	acc     account
	cache   string
	images  string // identities of both images
}

// nobody is who containers run as when we are root; PostgreSQL refuses root.
const nobodyID = 65534

// newContainers pulls the images that are missing.
func newContainers(ctx context.Context, m machine, engine string, log *progress) (*containers, error) {
	c := &containers{program: engine, acc: self()}
	if m.uid == 0 {
		c.acc = account{uid: nobodyID, gid: nobodyID, name: "nobody", switches: true}
	}
	for _, image := range []string{odooImage, postgresImage} {
		id, err := m.output(ctx, engine, "image", "inspect", "--format", "{{.Id}}", image)
		if err != nil {
			done := log.step("Downloading the container image %s with %s (a minute or more)", image, engine)
			if _, err := m.output(ctx, engine, "pull", qualified(engine, image)); err != nil {
				return nil, fmt.Errorf("pulling the image %s: %w", image, err)
			}
			done()
			if id, err = m.output(ctx, engine, "image", "inspect", "--format", "{{.Id}}", image); err != nil {
				return nil, fmt.Errorf("looking at the image %s: %w", image, err)
			}
		}
		c.images += strings.TrimSpace(id) + " "
	}
	return c, nil
}

// qualified names the image so that podman does not ask which registry is meant.
func qualified(engine, image string) string {
	if engine == "podman" {
		return "docker.io/library/" + image
	}
	return image
}

func (c *containers) name() string          { return "Odoo 19 in containers (" + c.program + ")" }
func (c *containers) key() string           { return "container " + c.images }
func (c *containers) account() account      { return c.acc }
func (c *containers) pycache() string       { return filepath.Join(c.cache, "pycache") }
func (c *containers) hasModule(string) bool { return true }
func (c *containers) engine() string        { return c.program }

// pg runs a program of PostgreSQL's image.
func (c *containers) pg(w *workdir, program string, args ...string) spec {
	return c.command(w, nil, postgresImage, "/usr/lib/postgresql/16/bin/"+program, args)
}

// odoo runs Odoo from its image.
func (c *containers) odoo(w *workdir, addons []string, args ...string) spec {
	if len(addons) > 0 {
		args = append(args, "--addons-path", strings.Join(addons, ","))
	}
	return c.command(w, addons, odooImage, "/usr/bin/python3", append([]string{odooScript}, args...))
}

// command builds the engine's command line.
func (c *containers) command(w *workdir, readOnly []string, image, program string, args []string) spec {
	name := workPrefix + strings.ToLower(rand.Text()[:12])
	line := []string{
		"run", "--rm", "-i", "--init", "--name", name,
		"--network", "host",
		"--user", strconv.Itoa(c.acc.uid) + ":" + strconv.Itoa(c.acc.gid),
		// Enforcing SELinux would hide our folders; relabelling them would change
		// the developer's files.
		"--security-opt", "label=disable",
		"--volume", w.dir + ":" + w.dir,
		"--volume", c.cache + ":" + c.cache,
		// initdb asks for the name of its user, which the image does not know.
		"--volume", filepath.Join(w.dir, "passwd") + ":/etc/passwd:ro",
		"--workdir", w.dir,
	}
	if c.program == "podman" && !c.acc.switches {
		line = append(line, "--userns", "keep-id")
	}
	for _, dir := range readOnly {
		line = append(line, "--volume", dir+":"+dir+":ro")
	}
	for _, e := range odooEnv(w, "PYTHONPYCACHEPREFIX="+c.pycache()) {
		line = append(line, "--env", e)
	}
	line = append(line, "--entrypoint", program, qualified(c.program, image))
	return spec{path: c.program, args: append(line, args...), env: os.Environ(), container: name, engine: c.program, root: true}
}

// prepare writes what containers need in a new work dir.
func (c *containers) prepare(w *workdir) error {
	text := fmt.Sprintf("root:x:0:0:root:/root:/bin/sh\nodoo:x:%d:%d::%s/home:/bin/sh\n", c.acc.uid, c.acc.gid, w.dir)
	return os.WriteFile(filepath.Join(w.dir, "passwd"), []byte(text), 0o644)
}
