package localodoo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

// TestResult counts what Odoo's own test runner did.
type TestResult struct {
	Tests, Failed, Errors int
}

// RunTests updates modules (comma-separated) in db and runs their tests that
// match tags (Odoo's --test-tags; "" is all tests of those modules). The whole
// log goes to out as it comes; out may be nil. Failed tests are an error with the
// part of the log that explains them, as is a run that found no test at all.
func (h *Host) RunTests(ctx context.Context, db string, modules, tags string, out io.Writer) (TestResult, error) {
	if tags == "" {
		tags = "/" + strings.Join(strings.Split(modules, ","), ",/")
	}
	port, hold, err := FreePort()
	if err != nil {
		return TestResult{}, err
	}
	defer hold.Close()
	o := h.odoo()
	args := append([]string{"server"}, o.common()...)
	args = append(args, "-d", db, "-u", modules, "--test-tags", tags, "--stop-after-init",
		"--http-interface", "127.0.0.1", "--http-port", strconv.Itoa(port), "--workers", "0", "--max-cron-threads", "0")
	log, err := o.runTo(ctx, args, out)
	if ctx.Err() != nil {
		return TestResult{}, ctx.Err()
	}
	return outcome(modules, tags, log, err)
}

// outcome judges a test run by its log and by how Odoo ended.
func outcome(modules, tags, log string, err error) (TestResult, error) {
	result, found := countTests(log)
	switch {
	case result.Failed+result.Errors > 0:
		return result, fmt.Errorf("Odoo's tests of %s: %d failed, %d errors of %d\n%s",
			modules, result.Failed, result.Errors, result.Tests, failingPart(log))
	case err != nil:
		return result, fmt.Errorf("Odoo's tests of %s: %w\n%s", modules, err, failingPart(log))
	case !found || result.Tests == 0:
		return result, errors.New("Odoo's tests of " + modules + ": no test matches " + tags + "\n" + failingPart(log))
	}
	return result, nil
}

var testSummary = regexp.MustCompile(`(\d+) failed, (\d+) error\(s\) of (\d+) tests when loading database`)

// countTests reads the summary line at the end of a test run.
func countTests(log string) (r TestResult, found bool) {
	m := testSummary.FindStringSubmatch(log)
	if m == nil {
		return r, false
	}
	r.Failed, _ = strconv.Atoi(m[1])
	r.Errors, _ = strconv.Atoi(m[2])
	r.Tests, _ = strconv.Atoi(m[3])
	return r, true
}
