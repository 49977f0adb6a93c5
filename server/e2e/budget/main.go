// Command budget runs the suites of `make test`, one after the other, and holds each against its minutes in
// server/e2e/budgets.json:
//
//	budgets.json ─> make SUITE, with its output passed on ─> how long it took, and each package in it ─> a table
//
// It stops at the first suite that fails, and fails itself where one took much longer than its budget.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"
)

func main() {
	plan, err := read("server/e2e/budgets.json")
	if err != nil {
		fmt.Fprintln(os.Stderr, "budget:", err)
		os.Exit(2)
	}
	if !runAll(plan, os.Stdout, run) {
		os.Exit(1)
	}
}

// runAll runs every suite that there is, prints the table, and says whether all is well.
func runAll(plan *Plan, out io.Writer, run func(suite string, out io.Writer) (time.Duration, error)) bool {
	var took Took
	var failed error
	for _, s := range plan.Suites {
		if s.Issue != 0 {
			continue
		}
		var d time.Duration
		if d, failed = run(s.Name, took.watch(out)); failed != nil {
			failed = fmt.Errorf("%s failed: %w", s.Name, failed)
			took.add(s.Name, d)
			break
		}
		took.add(s.Name, d)
	}
	table, over := plan.table(took)
	_, _ = io.WriteString(out, "\n"+table)
	switch {
	case failed != nil:
		_, _ = fmt.Fprintln(out, failed)
	case over != "":
		_, _ = fmt.Fprintln(out, "Every test passed, but "+over)
	default:
		_, _ = fmt.Fprintln(out, "All tests passed.")
	}
	return failed == nil && over == ""
}

// run runs one target of the Makefile.
func run(suite string, out io.Writer) (time.Duration, error) {
	program := os.Getenv("MAKE")
	if program == "" {
		program = "make"
	}
	target := exec.Command(program, "--no-print-directory", suite)
	target.Stdout, target.Stderr, target.Stdin = out, os.Stderr, os.Stdin
	start := time.Now()
	err := target.Run()
	return time.Since(start), err
}
