package main

import (
	"fmt"
	"strings"
)

// markdown is everything that was measured, as a page shows it.
func (p *peersPart) markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\nRun on %s: %s.\nVersions: `%s` %s, `%s` %s (both on the MCP SDK for Python %s).\n\n", p.Date, p.Conditions,
		nameIvnvxd, p.Versions[nameIvnvxd], nameErpipe, p.Versions[nameErpipe], p.Versions["mcp"])
	for _, q := range questions {
		p.rateTable(&b, q)
	}
	p.listTable(&b)
	p.jobTable(&b)
	return b.String()
}

// rateTable is one question: a row a server, the concurrencies side by side.
func (p *peersPart) rateTable(b *strings.Builder, q question) {
	fmt.Fprintf(b, "| %s |", q.words)
	for _, c := range peerConcurrencies {
		fmt.Fprintf(b, " %d at once: req/s | p50, p95 ms |", c)
	}
	b.WriteString(" processor time a call | wrong replies |\n" + strings.Repeat("| --- ", 2*len(peerConcurrencies)+3) + "|\n")
	var notes []string
	for _, server := range serverNames {
		fmt.Fprintf(b, "| %s |", server)
		wrong, asked, cpu := 0, 0, 0.0
		for _, r := range p.Rates {
			if r.Question != q.name || r.Server != server {
				continue
			}
			fmt.Fprintf(b, " %.0f (%.2f) | %.1f, %.1f |", r.Summary.Rate, r.Summary.RateRatio, r.Summary.P50, r.Summary.P95)
			wrong, asked = wrong+r.Summary.Wrong, asked+r.Summary.Requests+r.Summary.Wrong
			cpu += r.Summary.CPU * float64(r.Summary.Requests)
			if r.FirstWrong != "" && len(notes) < 4 {
				notes = append(notes, fmt.Sprintf("%s, %d at once: %.300s", server, r.Summary.Concurrency, r.FirstWrong))
			}
		}
		fmt.Fprintf(b, " %.1f ms | %d of %d |\n", cpu/float64(max(asked-wrong, 1))/1000, wrong, asked)
	}
	b.WriteString("\n")
	for _, note := range notes {
		fmt.Fprintf(b, "- first wrong reply of %s\n", oneLine(note))
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
}

func (p *peersPart) listTable(b *strings.Builder) {
	b.WriteString("| | tools | `tools/list`, bytes | instructions, bytes | requests to Odoo a search | memory after the rates |\n" +
		"| --- | --- | --- | --- | --- | --- |\n")
	for _, l := range p.Lists {
		fmt.Fprintf(b, "| %s | %d | %s | %s | %.1f | %.0f MB |\n", l.Server, l.Tools, thousands(l.Bytes), thousands(l.Instructions), l.OdooCalls, l.Memory)
	}
	b.WriteString("\n")
}

// jobTable is a row a job, the servers side by side, then what did not hold, and the sums over what all three could do.
func (p *peersPart) jobTable(b *strings.Builder) {
	fmt.Fprintf(b, "| job: calls; bytes of replies (of the text in them) | %s |\n%s|\n", strings.Join(serverNames, " | "), strings.Repeat("| --- ", len(serverNames)+1))
	var notes []string
	sums, done := map[string]jobResult{}, 0
	for _, j := range jobs {
		fmt.Fprintf(b, "| %s |", j.name)
		mine, all := map[string]jobResult{}, true
		for _, r := range p.Jobs {
			if r.Job == j.name {
				mine[r.Server] = r
			}
		}
		for _, server := range serverNames {
			r := mine[server]
			all = all && r.Holds
			fmt.Fprintf(b, " %s |", r.cell())
			if !r.Holds {
				notes = append(notes, fmt.Sprintf("%s, %s: %s", j.name, server, r.Why))
			}
		}
		b.WriteString("\n")
		if all {
			done++
			for server, r := range mine {
				s := sums[server]
				sums[server] = jobResult{Calls: s.Calls + r.Calls, Bytes: s.Bytes + r.Bytes, Text: s.Text + r.Text, Holds: true, Tried: true}
			}
		}
	}
	fmt.Fprintf(b, "| all that every server did (%d of %d) |", done, len(jobs))
	for _, server := range serverNames {
		fmt.Fprintf(b, " %s |", sums[server].cell())
	}
	b.WriteString("\n\n")
	for _, note := range notes {
		fmt.Fprintf(b, "- not done: %s\n", oneLine(note))
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
}

// cell is a result in a table.
func (r jobResult) cell() string {
	switch {
	case !r.Tried:
		return "–"
	case !r.Holds:
		return fmt.Sprintf("**not done** (%d calls)", r.Calls)
	}
	return fmt.Sprintf("%d; %s (%s)", r.Calls, thousands(r.Bytes), thousands(r.Text))
}

// oneLine keeps what a server said from breaking a list, and from being read as Markdown.
func oneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.NewReplacer("<", "(", ">", ")", "|", "/", "`", "'", "[", "(", "]", ")").Replace(fmt.Sprintf("%.400s", text))
}

// thousands writes a number as people read it.
func thousands(n int) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}
