package localodoo

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"
)

// odooRun runs Odoo commands against the cluster of a work dir.
type odooRun struct {
	work   *workdir
	tools  toolchain
	addons []string
}

// common are the options that every command needs.
func (o odooRun) common() []string {
	return []string{
		"--db_host", o.work.socket(), "--db_port", pgPort, "--db_user", pgUser,
		"--data-dir", o.work.dir + "/data",
	}
}

// run runs a command that ends by itself; an error carries the part of the log
// that explains it.
func (o odooRun) run(ctx context.Context, args []string) error {
	var log bytes.Buffer
	err := o.work.runTo(ctx, o.tools.odoo(o.work, o.addons, args...), nil, &log, &log)
	if err != nil && ctx.Err() == nil {
		return fmt.Errorf("%w\n%s", err, failingPart(log.String()))
	}
	return err
}

// runTo is run with the whole log going to out as well.
func (o odooRun) runTo(ctx context.Context, args []string, out io.Writer) (string, error) {
	var log bytes.Buffer
	var both io.Writer = &log
	if out != nil {
		both = io.MultiWriter(&log, out)
	}
	err := o.work.runTo(ctx, o.tools.odoo(o.work, o.addons, args...), nil, both, both)
	return log.String(), err
}

// logLine is how a line of Odoo's log begins; what follows without it (a
// traceback) belongs to the line before.
var logLine = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d+ \d+ ([A-Z]+) `)

// failingPart cuts an Odoo log down to what explains a failure: the errors with
// their tracebacks, at most 60 lines of the first and the last of them. A log
// without errors (a wrong option) is cut to its end.
func failingPart(log string) string {
	const most = 60
	var lines []string
	keep := false
	for line := range strings.SplitSeq(strings.TrimSpace(log), "\n") {
		if m := logLine.FindStringSubmatch(line); m != nil {
			keep = m[1] == "ERROR" || m[1] == "CRITICAL"
		} else if strings.HasPrefix(line, "Traceback ") {
			keep = true
		}
		if keep {
			lines = append(lines, line)
		}
	}
	if len(lines) == 0 {
		return lastLines(log, 20)
	}
	if len(lines) > most {
		cut := fmt.Sprintf("... (%d lines left out)", len(lines)-most)
		lines = slices.Concat(lines[:most/2], []string{cut}, lines[len(lines)-most/2:])
	}
	return strings.Join(lines, "\n")
}
