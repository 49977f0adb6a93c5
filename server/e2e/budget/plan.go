package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"time"
)

// Plan is budgets.json.
type Plan struct {
	About     string
	Tolerance float64 // a suite fails above so many times its budget
	Whole     float64 // minutes that all suites together may be given
	Today     float64 // minutes for those that exist
	Suites    []Suite
}

// Suite is a target of the Makefile, or a package in one.
type Suite struct {
	Name    string
	Minutes float64
	Parts   []Suite
	Issue   int // that will make it; 0 = it exists
}

// read reads and checks a plan. An error names what does not add up.
func read(path string) (*Plan, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	p := &Plan{}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(p); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return p, p.check()
}

// check reports budgets that are missing, and more than there is to give.
func (p *Plan) check() error {
	var wrong []error
	if p.Tolerance < 1 || p.Tolerance > 3 {
		wrong = append(wrong, fmt.Errorf("a tolerance of %g: from 1 to 3", p.Tolerance))
	}
	whole, today := 0.0, 0.0
	for _, s := range p.Suites {
		whole += s.Minutes
		if s.Issue == 0 {
			today += s.Minutes
		}
		for _, part := range append([]Suite{s}, s.Parts...) {
			if part.Minutes <= 0 {
				wrong = append(wrong, errors.New(part.Name+" has no budget"))
			}
		}
	}
	if whole > p.Whole || today > p.Today {
		wrong = append(wrong, fmt.Errorf("the suites are given %g minutes, %g of them today; there are %g and %g", whole, today, p.Whole, p.Today))
	}
	return errors.Join(wrong...)
}

// Took is how long suites and packages took.
type Took struct {
	names []string
	of    map[string]time.Duration
}

func (t *Took) add(name string, d time.Duration) {
	if t.of == nil {
		t.of = map[string]time.Duration{}
	}
	if _, known := t.of[name]; !known {
		t.names = append(t.names, name)
	}
	t.of[name] += d
}

// packageLine is how the go command says that a package is done.
var packageLine = regexp.MustCompile(`^(?:ok  |FAIL)\t(\S+)\t([0-9.]+)s`)

// watch passes output on, and notes what it says of packages.
func (t *Took) watch(out io.Writer) io.Writer { return &watcher{took: t, out: out} }

type watcher struct {
	took *Took
	out  io.Writer
	line []byte // as far as it has come
}

// Write implements io.Writer.
func (w *watcher) Write(text []byte) (int, error) {
	w.line = append(w.line, text...)
	for {
		line, rest, whole := bytes.Cut(w.line, []byte("\n"))
		if !whole {
			break
		}
		if m := packageLine.FindSubmatch(line); m != nil {
			if d, err := time.ParseDuration(string(m[2]) + "s"); err == nil {
				w.took.add(string(m[1]), d)
			}
		}
		w.line = rest
	}
	return w.out.Write(text)
}

// table shows what each suite took beside its budget; over names those that took more than is tolerated.
func (p *Plan) table(took Took) (table, over string) {
	var out bytes.Buffer
	var much []string
	_, _ = fmt.Fprintf(&out, "%7s %7s  %s\n", "took", "budget", "suite")
	row := func(s Suite, indent string) time.Duration {
		d, ran := took.of[s.Name]
		said, budget := "-", time.Duration(s.Minutes*float64(time.Minute))
		note := ""
		switch {
		case s.Issue != 0:
			note = fmt.Sprintf("  (issue %d)", s.Issue)
		case ran && d > time.Duration(p.Tolerance*float64(budget)):
			note = "  FAIL: much more than its budget"
			much = append(much, s.Name)
		case ran && d > budget:
			note = "  more than its budget"
		}
		if ran {
			said = clock(d)
		}
		_, _ = fmt.Fprintf(&out, "%7s %7s  %s%s%s\n", said, clock(budget), indent, s.Name, note)
		return d
	}
	var whole time.Duration
	minutes := 0.0
	for _, s := range p.Suites {
		whole += row(s, "")
		minutes += s.Minutes
		for _, part := range s.Parts {
			row(part, "  ")
		}
	}
	_, _ = fmt.Fprintf(&out, "%7s %7s  all, of %g minutes\n", clock(whole), clock(time.Duration(minutes*float64(time.Minute))), p.Whole)
	if len(much) > 0 {
		over = fmt.Sprintf("%s took more than %g times the budget.", strings.Join(much, ", "), p.Tolerance)
	}
	return out.String(), over
}

// clock writes a duration as minutes and seconds.
func clock(d time.Duration) string {
	d = d.Round(time.Second)
	return fmt.Sprintf("%d:%02d", d/time.Minute, d%time.Minute/time.Second)
}
