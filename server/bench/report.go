package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
)

// printPart prints a table per concurrency, and what belongs to the service as a whole.
func printPart(w io.Writer, p *part) {
	fmt.Fprintf(w, "\n%s\n", p.Title)
	concurrency := 0
	for _, s := range p.Summaries {
		if s.Concurrency != concurrency {
			concurrency = s.Concurrency
			fmt.Fprintf(w, "\n  c=%-22d %8s %8s %8s %9s %8s %8s %8s %9s\n",
				concurrency, "p50 ms", "p95 ms", "p99 ms", "req/s", "rate x", "p50 x", "cpu us", "requests")
		}
		fmt.Fprintf(w, "  %-24s %8.2f %8.2f %8.2f %9.1f %8.2f %8.2f %8s %9d\n",
			s.Way, s.P50, s.P95, s.P99, s.Rate, s.RateRatio, s.P50Ratio, orDash(s.CPU), s.Requests)
	}
	fmt.Fprintf(w, "\n  rate x, p50 x: against %q, the median over the rounds. cpu us: of the MCP server, a request.\n", p.baseline)
	if p.CallsPerTool > 0 {
		fmt.Fprintf(w, "  Odoo calls per tool call, by the service's metrics: %.3f\n", p.CallsPerTool)
	}
	fmt.Fprintf(w, "  the service's memory: start %.1f MB, middle %.1f MB, end %.1f MB, peak %.1f MB\n",
		p.Start.RSS, p.Middle.RSS, p.End.RSS, p.End.Peak)
	for _, note := range p.Notes {
		fmt.Fprintf(w, "  %s\n", note)
	}
}

// orDash leaves out what was not measured.
func orDash(v float64) string {
	if v == 0 {
		return "-"
	}
	return fmt.Sprintf("%.0f", v)
}

// printBars prints the verdicts, and reports whether all are good. No bars at all are not good.
func printBars(w io.Writer, list []bar) (passed bool) {
	fmt.Fprint(w, "\nBars\n\n")
	passed = len(list) > 0
	for _, b := range list {
		fmt.Fprintf(w, "  %s\n", b)
		passed = passed && b.Pass
	}
	return passed
}

func writeJSON(path string, r results) error {
	if path == "" {
		return nil
	}
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(body, '\n'), 0o644)
}
