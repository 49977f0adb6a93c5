package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestBudgets: the file adds up, its suites are targets of the Makefile, and its parts are packages.
func TestBudgets(t *testing.T) {
	t.Parallel()
	plan, err := read("../budgets.json")
	if err != nil {
		t.Fatal(err)
	}
	makefile, err := os.ReadFile("../../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range plan.Suites {
		if target := regexp.MustCompile(`(?m)^` + s.Name + `:`).Match(makefile); target != (s.Issue == 0) {
			t.Errorf("%s: a target of the Makefile: %t, of an issue to come: %d", s.Name, target, s.Issue)
		}
		for _, part := range s.Parts {
			if _, err := os.Stat(filepath.Join("../../..", strings.TrimPrefix(part.Name, "doorman/"))); err != nil {
				t.Errorf("%s: %v", part.Name, err)
			}
			if !regexp.MustCompile(`\./` + strings.TrimPrefix(part.Name, "doorman/") + `\s`).Match(makefile) {
				t.Errorf("the Makefile does not run %s", part.Name)
			}
		}
	}
	// The three that need no Odoo are in the suite unit.
	packages, err := filepath.Glob("../*/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprint(plan.Suites)
	for _, file := range packages {
		name := filepath.Base(filepath.Dir(file))
		if !slices.Contains([]string{"repo", "budget", "kit"}, name) && !strings.Contains(text, "e2e/"+name+" ") && !strings.Contains(text, "{"+name+" ") {
			t.Errorf("the suite of server/e2e/%s has no budget", name)
		}
	}
}

func small() *Plan {
	return &Plan{Tolerance: 2, Whole: 10, Today: 6, Suites: []Suite{
		{Name: "unit", Minutes: 1},
		{Name: "real", Minutes: 5, Parts: []Suite{{Name: "doorman/a", Minutes: 3}, {Name: "doorman/b", Minutes: 1}}},
		{Name: "soak", Minutes: 4, Issue: 21},
	}}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		change func(*Plan)
		says   string
	}{
		"well":             {func(*Plan) {}, ""},
		"too much today":   {func(p *Plan) { p.Suites[0].Minutes = 1.5 }, "6.5 of them today"},
		"too much in all":  {func(p *Plan) { p.Suites[2].Minutes = 5 }, "given 11 minutes"},
		"no budget":        {func(p *Plan) { p.Suites[1].Parts[1].Minutes = 0 }, "doorman/b has no budget"},
		"anything is fine": {func(p *Plan) { p.Tolerance = 100 }, "a tolerance of 100"},
	} {
		p := small()
		row.change(p)
		if err := p.check(); (err == nil) != (row.says == "") || err != nil && !strings.Contains(err.Error(), row.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRun: suites run in order, what they say is passed on, and the table tells what is over its budget.
func TestRun(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		unit, real time.Duration
		said       string // by the suite real, in pieces
		fails      error
		well       bool
		tells      []string
	}{
		"well": {50 * time.Second, 4 * time.Minute, "ok  \tdoorman/a\t100.5s\nok  \tdoorm|an/b\t3.2s|\nok  \tdoorman/c\t(cached)\n", nil, true,
			[]string{"   0:50    1:00  unit\n", "   1:41    3:00    doorman/a\n", "   0:03    1:00    doorman/b\n", "      -    4:00  soak  (issue 21)\n", "   4:50   10:00  all, of 10 minutes\n", "All tests passed."}},
		"slow":     {61 * time.Second, time.Minute, "", nil, true, []string{"   1:01    1:00  unit  more than its budget\n", "All tests passed."}},
		"too slow": {121 * time.Second, time.Minute, "", nil, false, []string{"unit  FAIL: much more", "Every test passed, but unit took more than 2 times"}},
		"a slow package": {time.Second, time.Minute, "ok  \tdoorman/b\t130s\n", nil, false,
			[]string{"doorman/b  FAIL: much more"}},
		"failed": {time.Second, time.Minute, "FAIL\tdoorman/a\t7s\nFAIL\n", errors.New("exit status 1"), false, []string{"   0:07    3:00    doorman/a\n", "real failed: exit status 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			var ran []string
			well := runAll(small(), &out, func(suite string, out io.Writer) (time.Duration, error) {
				ran = append(ran, suite)
				if suite == "unit" {
					return row.unit, nil
				}
				for piece := range strings.SplitSeq(row.said, "|") {
					_, _ = io.WriteString(out, piece)
				}
				return row.real, row.fails
			})
			if well != row.well || fmt.Sprint(ran) != "[unit real]" || !strings.HasPrefix(out.String(), strings.ReplaceAll(row.said, "|", "")) {
				t.Errorf("well %t, ran %v:\n%s", well, ran, out.String())
			}
			for _, want := range row.tells {
				if !strings.Contains(out.String(), want) {
					t.Errorf("no %q in:\n%s", want, out.String())
				}
			}
		})
	}
}
