package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"time"
)

// marks are the lines of a page between which a part's tables stand.
func marks(part string) (begin, end string) {
	command := map[string]string{"peers": "make bench-peers", "scale": "make bench-scale"}[part]
	if command == "" {
		command = "make bench"
	}
	return fmt.Sprintf("<!-- bench-%s: written by `%s`, not by hand -->\n", part, command), fmt.Sprintf("<!-- bench-%s: end -->\n", part)
}

// replaceTables puts a part's tables into a page, between its marks.
//
// Errors: a page without both marks, in their order, once.
func replaceTables(file, part, tables string) error {
	begin, end := marks(part)
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	before, rest, begun := strings.Cut(string(text), begin)
	_, after, ended := strings.Cut(rest, end)
	if !begun || !ended || strings.Contains(after, begin) {
		return errors.New(file + ": the marks of the tables are not there: " + begin + end)
	}
	return os.WriteFile(file, []byte(before+begin+tables+end+after), 0o644)
}

// writeDocs puts all that was measured into a page.
func writeDocs(o options, all results) error {
	if o.docs == "" {
		return nil
	}
	tables := map[string]string{}
	if all.Real != nil {
		tables["real"] = all.Real.markdown()
	}
	if all.Fake != nil {
		tables["fake"] = all.Fake.markdown()
	}
	if all.Writes != nil {
		tables["writes"] = all.Writes.markdown()
	}
	if all.Search != nil {
		tables["search"] = all.Search.markdown()
	}
	if all.Scale != nil {
		tables["scale"] = all.Scale.markdown()
	}
	var errs []error
	for part, text := range tables {
		errs = append(errs, replaceTables(o.docs, part, all.underWhat(o)+text))
	}
	return errors.Join(errs...)
}

// underWhat says when, how long and on what a part was measured.
func (r results) underWhat(o options) string {
	text := fmt.Sprintf("\nRun on %s, %d rounds of %g s, on %s.", time.Now().UTC().Format(time.DateOnly), o.rounds, o.seconds, r.Machine)
	if !(r.Load <= quiet*float64(runtime.NumCPU())) { // also where it is not known
		text += fmt.Sprintf(" **The machine had other work** (load average %.1f): trust the ratios, not the times.", r.Load)
	}
	return text + "\n\n"
}

// machine describes this machine as far as a reader needs it to compare.
func machine() string {
	what := fmt.Sprintf("%d cores", runtime.NumCPU())
	if name := procValue("/proc/cpuinfo", "model name"); name != "" {
		what += " of " + name
	}
	if memory := procValue("/proc/meminfo", "MemTotal"); memory != "" {
		var kilobytes int
		if _, err := fmt.Sscan(memory, &kilobytes); err == nil {
			what += fmt.Sprintf(", %d GB", (kilobytes+1<<19)>>20)
		}
	}
	return what + ", " + runtime.GOOS + ", " + runtime.Version()
}

// procValue is the first value of a name in a file of Linux's; "" elsewhere.
func procValue(file, name string) string {
	text, err := os.ReadFile(file)
	if err != nil {
		return ""
	}
	for line := range strings.Lines(string(text)) {
		if key, value, found := strings.Cut(line, ":"); found && strings.TrimSpace(key) == name {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// markdown is a table of the part: a row a way, ratios before what they are of.
func (p *part) markdown() string {
	var b strings.Builder
	b.WriteString("| |")
	var concurrencies []int
	for _, s := range p.Summaries {
		if len(concurrencies) == 0 || concurrencies[len(concurrencies)-1] != s.Concurrency {
			concurrencies = append(concurrencies, s.Concurrency)
			fmt.Fprintf(&b, " %d at once: requests, times | median, times | p95 |", s.Concurrency)
		}
	}
	b.WriteString("\n|" + strings.Repeat(" --- |", 1+3*len(concurrencies)) + "\n")
	for _, way := range p.Summaries[:len(p.Summaries)/len(concurrencies)] {
		fmt.Fprintf(&b, "| %s |", emphasized(way.Way))
		for _, s := range p.Summaries {
			if s.Way == way.Way {
				fmt.Fprintf(&b, " %.2f (%.0f/s) | %.2f (%.1f ms) | %.0f ms |", s.RateRatio, s.Rate, s.P50Ratio, s.P50, s.P95)
			}
		}
		b.WriteString("\n")
	}
	return b.String() + "\n"
}

// emphasized makes Doorman's own row stand out.
func emphasized(way string) string {
	if way == nameDoorman {
		return "**" + way + "**"
	}
	return way
}

// markdown is the tables of the part.
func (w *writesPart) markdown() string {
	var b strings.Builder
	for _, p := range []*part{w.Create, w.Update, w.Floor} {
		fmt.Fprintf(&b, "%s, against %s:\n\n%s", p.Title, p.baseline, p.markdown())
	}
	return b.String()
}

// markdown is the table of the part.
func (p *searchPart) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "| a name among %s contacts | found first or second | p95 | median |\n| --- | --- | --- | --- |\n", thousands(p.Contacts))
	for _, k := range p.Kinds {
		fmt.Fprintf(&b, "| %s | %.0f %% of %d | %.0f ms | %.0f ms |\n", k.Kind, 100*float64(k.Found)/float64(max(k.Searches, 1)), k.Searches, k.P95, k.P50)
	}
	return b.String() + "\n"
}

// markdown is the table of the part.
func (p *scalePart) markdown() string {
	var b strings.Builder
	p.table(&b)
	return b.String() + "\n"
}
