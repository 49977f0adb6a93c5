package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// part is one half of the benchmark, with its results.
type part struct {
	Title        string    `json:"title"`
	Summaries    []summary `json:"ways"`
	CallsPerTool float64   `json:"odoo_calls_per_tool_call"`
	Start        memory    `json:"memory_start"` // of the service, after the warm-up
	Middle       memory    `json:"memory_middle"`
	End          memory    `json:"memory_end"`
	Notes        []string  `json:"notes"`

	baseline string
	slices   map[string]map[int][]slice // by way and concurrency, one a round
}

// results is everything that was measured, as --json writes it.
type results struct {
	Real   *part       `json:"real,omitempty"`
	Fake   *part       `json:"fake,omitempty"`
	Search *searchPart `json:"search,omitempty"`
	Scale  *scalePart  `json:"scale,omitempty"`
	Writes *writesPart `json:"writes,omitempty"`
	Peers  *peersPart  `json:"peers,omitempty"`
	Bars   []bar       `json:"bars,omitempty"`
	// Machine is what it was measured on, Load what else it had to do: the load average of the minute before.
	Machine string  `json:"machine"`
	Load    float64 `json:"load"`
}

// race measures the ways, and the service's memory on the way.
func (p *part) race(ctx context.Context, ways []*way, service *child, concurrencies []int, rounds int, d time.Duration) (err error) {
	if p.Start, err = service.memory(); err != nil {
		return err
	}
	say("Measuring: %d ways x %d concurrencies x %d rounds x %s ...", len(ways), len(concurrencies), rounds, d)
	p.slices, err = race(ctx, ways, concurrencies, rounds, d, func(round int) (err error) {
		if round == (rounds-1)/2 {
			p.Middle, err = service.memory()
		}
		return err
	})
	if err != nil {
		return err
	}
	if p.End, err = service.memory(); err != nil {
		return err
	}
	for _, c := range concurrencies {
		for _, w := range ways {
			p.Summaries = append(p.Summaries, summarize(w.name, c, p.slices[w.name][c], p.slices[p.baseline][c]))
		}
	}
	return nil
}

// requests is how many requests a way was measured with.
func (p *part) requests(way string) (n int) {
	for _, list := range p.slices[way] {
		for _, s := range list {
			n += len(s.latencies)
		}
	}
	return n
}

// compare pairs Doorman with another way at one concurrency.
func (p *part) compare(other string, concurrency int, how func(a, b slice) float64) float64 {
	return paired(p.slices[nameDoorman][concurrency], p.slices[other][concurrency], how)
}

// odooRequests reads from the service's own metrics how often it asked Odoo, heartbeats aside.
func odooRequests(ctx context.Context, service *child) (sum float64, err error) {
	_, text, err := get(ctx, service.base()+"/metrics")
	if err != nil {
		return 0, err
	}
	return sumRequests(text)
}

// readsARequest reads from the service's own metrics how many reads a request to Odoo carried, on the average since the
// service started.
func readsARequest(ctx context.Context, service *child) (float64, error) {
	_, text, err := get(ctx, service.base()+"/metrics")
	if err != nil {
		return 0, err
	}
	return averageBatch(text)
}

// averageBatch is the mean of the histogram doorman_odoo_batch_calls of a page in Prometheus' text format.
func averageBatch(page string) (float64, error) {
	var sum, count float64
	for line := range strings.Lines(page) {
		series, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		switch series {
		case "doorman_odoo_batch_calls_sum":
			sum, _ = strconv.ParseFloat(value, 64)
		case "doorman_odoo_batch_calls_count":
			count, _ = strconv.ParseFloat(value, 64)
		}
	}
	if sum == 0 || count == 0 {
		return 0, errors.New("the service's metrics hold no doorman_odoo_batch_calls")
	}
	return sum / count, nil
}

// onRequest are the gateway methods that the service calls because somebody asked it something. All others it calls by the
// clock, whoever calls it: which jobs there are Odoo says.
var onRequest = []string{"call", "resolve", "fields", "approval_status", "file_link"}

// sumRequests adds up doorman_odoo_requests_total of a page in Prometheus' text format.
func sumRequests(page string) (sum float64, err error) {
	found := false
	lines := bufio.NewScanner(strings.NewReader(page))
	for lines.Scan() {
		series, value, _ := strings.Cut(lines.Text(), " ")
		if !strings.HasPrefix(series, "doorman_odoo_requests_total{") {
			continue
		}
		found = true
		if _, rest, _ := strings.Cut(series, `method="`); !slices.Contains(onRequest, strings.Split(rest, `"`)[0]) {
			continue
		}
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			return 0, fmt.Errorf("metrics: %w", err)
		}
		sum += n
	}
	if !found {
		return 0, fmt.Errorf("the service's metrics hold no doorman_odoo_requests_total")
	}
	return sum, lines.Err()
}
