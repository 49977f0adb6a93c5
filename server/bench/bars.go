package main

import (
	"fmt"
	"math"
)

// bar is one promise and how it was kept.
type bar struct {
	What  string  `json:"what"`
	Value float64 `json:"value"`
	Limit float64 `json:"limit"`
	Least bool    `json:"at_least"` // Limit is a minimum, not a maximum
	Pass  bool    `json:"pass"`
}

// newBar compares so that NaN, which is what nothing measured gives, fails.
func newBar(what string, value, limit float64, least bool) bar {
	pass := value <= limit
	if least {
		pass = value >= limit
	}
	return bar{what, value, limit, least, pass}
}

const (
	atLeast = true
	atMost  = false
)

// The promises.
const (
	minRateUsual  = 2.5   // throughput at c=8, in that of the usual /jsonrpc call
	minRateHeader = 1.0   // the same, in that of /jsonrpc with the database header
	minThrough    = 1.0   // the same, in that of a bare server that passes the call on
	maxThrough    = 1.25  // median at c=1, in that of the bare server
	maxMedian     = 0.65  // median at c=1, in that of the usual /jsonrpc call
	maxRules      = 1.2   // median at c=1 with ten rules per model, in that without any
	minRateBare   = 0.75  // throughput at c=32, in that of the bare server
	maxOverBare   = 0.3   // ms at c=1, median above the bare server's
	maxMemory     = 60.0  // MB, the peak
	maxGrowth     = 6.0   // MB from the middle of the run to its end: flat, but for what the collector leaves lying
	maxSearch     = 300.0 // ms, p95 of a search by a name with a slip among 100,000 contacts
	minFound      = 0.95  // of them, those whose contact comes first or second
	maxScale      = 1.3   // time with the big audit, in that with the small one
	maxScaleNoise = 3.0   // ms: a difference up to this is noise
	maxWrite      = 1.0   // median at c=1 of a change, in that of the same by /jsonrpc with the database header
	maxCalls      = 1.01  // Odoo calls per tool call; a snapshot is fetched anew every 30 s
)

// bars judges what was measured. A part that did not run has no bars.
func bars(r results) (out []bar) {
	if p := r.Real; p != nil {
		out = append(out,
			newBar("c=8 throughput / usual /jsonrpc", p.compare(nameUsual, 8, rateRatio), minRateUsual, atLeast),
			newBar("c=8 throughput / /jsonrpc with the database header", p.compare(nameJSONRPC, 8, rateRatio), minRateHeader, atLeast),
			newBar("c=8 throughput / a bare MCP server that passes the call on", p.compare(nameThrough, 8, rateRatio), minThrough, atLeast),
			newBar("c=1 median / a bare MCP server that passes the call on", p.compare(nameThrough, 1, p50Ratio), maxThrough, atMost),
			newBar("c=1 median / usual /jsonrpc", p.compare(nameUsual, 1, p50Ratio), maxMedian, atMost),
			newBar("c=1 median with ten rules / without", 1/p.compare(nameRules, 1, p50Ratio), maxRules, atMost),
			newBar("Odoo calls per tool call (real)", p.CallsPerTool, maxCalls, atMost))
	}
	if p := r.Fake; p != nil {
		out = append(out,
			newBar("c=32 throughput / bare server", p.compare(nameBare, 32, rateRatio), minRateBare, atLeast),
			newBar("c=1 median above the bare server's (ms)", p.compare(nameBare, 1, p50Difference), maxOverBare, atMost),
			newBar("memory, peak (MB)", p.End.Peak, maxMemory, atMost),
			newBar("memory, growth in the second half (MB)", growth(p), maxGrowth, atMost),
			newBar("Odoo calls per tool call (fake)", p.CallsPerTool, maxCalls, atMost))
	}
	if p := r.Search; p != nil {
		for _, k := range p.Kinds {
			out = append(out,
				newBar("search, "+k.Kind+": p95 (ms)", k.P95, maxSearch, atMost),
				newBar("search, "+k.Kind+": found first or second", float64(k.Found)/float64(k.Searches), minFound, atLeast))
		}
	}
	if w := r.Writes; w != nil {
		out = append(out,
			newBar("create: c=1 median / /jsonrpc with the header", w.Create.compare(nameJSONRPC, 1, p50Ratio), maxWrite, atMost),
			newBar("update: c=1 median / /jsonrpc with the header", w.Update.compare(nameJSONRPC, 1, p50Ratio), maxWrite, atMost))
	}
	if p := r.Scale; p != nil {
		for _, s := range p.Kinds {
			if s.Grows == "" {
				out = append(out, s.bar())
			}
		}
	}
	return out
}

// growth is how much more memory the service holds at the end than in the middle, in MB. What was not measured is no
// growth of 0: it is NaN, which fails.
func growth(p *part) float64 {
	if p.Middle.RSS == 0 || p.End.RSS == 0 {
		return math.NaN()
	}
	return p.End.RSS - p.Middle.RSS
}

// String is the bar on one line.
func (b bar) String() string {
	word, verdict := "<=", "PASS"
	if b.Least {
		word = ">="
	}
	if !b.Pass {
		verdict = "FAIL"
	}
	return fmt.Sprintf("%s  %-52s %8.3f  (%s %g)", verdict, b.What, b.Value, word, b.Limit)
}
