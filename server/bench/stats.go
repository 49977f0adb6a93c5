package main

import (
	"math"
	"slices"
	"time"
)

// slice is one turn of one way: the latencies of all its requests, how long the turn took until its last reply, and the
// processor time of the server that answered, where it is one of ours.
type slice struct {
	latencies []time.Duration
	took      time.Duration
	cpu       time.Duration
	// wrong replies of a way that is lenient, and what was wrong with the first.
	wrong      int
	firstWrong error
}

// rate is the throughput in requests per second.
func (s slice) rate() float64 {
	if s.took <= 0 {
		return 0
	}
	return float64(len(s.latencies)) / s.took.Seconds()
}

// p50 is the median latency in milliseconds.
func (s slice) p50() float64 {
	sorted := slices.Clone(s.latencies)
	slices.Sort(sorted)
	return millis(percentile(sorted, 50))
}

// percentile is the nearest-rank percentile of sorted latencies: the smallest one that at least p percent do not
// exceed. It never invents a value between two measured ones. Of nothing it is 0.
func percentile(sorted []time.Duration, p float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	rank := int(math.Ceil(p / 100 * float64(len(sorted))))
	return sorted[min(max(rank, 1), len(sorted))-1]
}

func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// median of values; of an even number the mean of the two in the middle, of none NaN, so that a bar on nothing fails.
func median(values []float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	sorted := slices.Clone(values)
	slices.Sort(sorted)
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// paired compares two ways round by round, and takes the median: what disturbed one round disturbed both.
func paired(a, b []slice, compare func(a, b slice) float64) float64 {
	var values []float64
	for i := range min(len(a), len(b)) {
		values = append(values, compare(a[i], b[i]))
	}
	return median(values)
}

func rateRatio(a, b slice) float64     { return a.rate() / b.rate() }
func p50Ratio(a, b slice) float64      { return a.p50() / b.p50() }
func p50Difference(a, b slice) float64 { return a.p50() - b.p50() }

// summary is what is printed of one way at one concurrency, over all rounds.
type summary struct {
	Way         string  `json:"way"`
	Concurrency int     `json:"concurrency"`
	Requests    int     `json:"requests"`
	P50         float64 `json:"p50_ms"`
	P95         float64 `json:"p95_ms"`
	P99         float64 `json:"p99_ms"`
	Rate        float64 `json:"req_per_s"`
	// CPU is the server's processor time per request, in microseconds: the figure that a busy machine disturbs least.
	CPU float64 `json:"cpu_us"`
	// Against the part's baseline, the median over the rounds.
	RateRatio float64 `json:"rate_ratio"`
	P50Ratio  float64 `json:"p50_ratio"`
	// Wrong replies are not among the requests.
	Wrong int `json:"wrong,omitempty"`
}

func summarize(way string, concurrency int, own, baseline []slice) summary {
	var all []time.Duration
	var took, cpu time.Duration
	wrong := 0
	for _, s := range own {
		all = append(all, s.latencies...)
		took += s.took
		cpu += s.cpu
		wrong += s.wrong
	}
	slices.Sort(all)
	return summary{
		Way: way, Concurrency: concurrency, Requests: len(all),
		P50: millis(percentile(all, 50)), P95: millis(percentile(all, 95)), P99: millis(percentile(all, 99)),
		Rate: slice{latencies: all, took: took}.rate(), CPU: float64(cpu.Microseconds()) / float64(max(len(all), 1)),
		RateRatio: paired(own, baseline, rateRatio), P50Ratio: paired(own, baseline, p50Ratio),
		Wrong: wrong,
	}
}
