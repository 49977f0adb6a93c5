package localodoo

import (
	"context"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"
)

// UseAddons puts other addon folders in place of those that the Host was started
// with, as an administrator does who unpacks a newer version. Whatever starts from
// now on runs their code: Shell, Update, Serve, a Restart of a server that runs.
// What is installed in the databases stays as it is until Update. Not to be called
// while something of this Host starts.
func (h *Host) UseAddons(folders ...string) error {
	o, err := Options{Addons: folders}.normalize()
	if err != nil {
		return err
	}
	h.mu.Lock()
	h.changes++
	dest := filepath.Join(h.work.dir, "addons-"+strconv.Itoa(h.changes))
	h.mu.Unlock()
	tree, err := snapshot(o.Addons, dest)
	if err != nil {
		return err
	}
	h.opts.Addons = o.Addons
	h.addons, err = h.readableAddons(tree)
	return err
}

// Update runs `odoo -u` for modules in a database, and returns its whole log. An
// update that fails, or that Odoo gives up on with an error in its log, is an error
// with the part of the log that explains it.
func (h *Host) Update(ctx context.Context, db string, modules ...string) (string, error) {
	o := h.odoo()
	args := append([]string{"server"}, o.common()...)
	args = append(args, "-d", db, "-u", strings.Join(modules, ","), "--no-http", "--stop-after-init", "--max-cron-threads", "0")
	log, err := o.runTo(ctx, args, nil)
	if err != nil && ctx.Err() == nil {
		err = fmt.Errorf("odoo -u %s on %s: %w\n%s", strings.Join(modules, ","), db, err, failingPart(log))
	}
	return log, err
}
