package app

import (
	"net/http"
	"runtime"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"doorman/server/access"
	"doorman/server/observe"
)

// metrics are the service's own, in a registry of its own. Labels come from closed lists only: a name from outside as a
// label would let a client fill the memory.
type metrics struct {
	registry     *prometheus.Registry
	toolCalls    *prometheus.CounterVec
	toolSeconds  prometheus.Histogram
	odooRequests *prometheus.CounterVec
	odooSeconds  prometheus.Histogram
	odooBatch    prometheus.Histogram
	refusals     *prometheus.CounterVec
	inFlight     prometheus.Gauge
	jobRuns      *prometheus.CounterVec
	jobSeconds   *prometheus.HistogramVec
	jobSuccess   *prometheus.GaugeVec
}

func newMetrics() *metrics {
	buckets := []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30}
	m := &metrics{
		registry: prometheus.NewRegistry(),
		toolCalls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorman_tool_calls_total", Help: "Tool calls, by tool and outcome (ok, or the kind of the error).",
		}, []string{"tool", "outcome"}),
		toolSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doorman_tool_call_seconds", Help: "How long tool calls took, Odoo included.", Buckets: buckets,
		}),
		odooRequests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorman_odoo_requests_total", Help: "Calls to Odoo, by gateway method and outcome; reads that shared a request count one each.",
		}, []string{"method", "outcome"}),
		odooSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doorman_odoo_request_seconds", Help: "How long calls to Odoo took, including the wait for a slot.", Buckets: buckets,
		}),
		odooBatch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doorman_odoo_batch_calls", Help: "How many reads shared each request to Odoo that carried reads.",
			Buckets: []float64{1, 2, 4, 8, 16, 32},
		}),
		refusals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorman_refusals_total", Help: "Requests refused without asking Odoo, by kind.",
		}, []string{"kind"}),
		inFlight: prometheus.NewGauge(prometheus.GaugeOpts{
			Name: "doorman_odoo_in_flight", Help: "Calls of Odoo under way.",
		}),
		// Not "job": a label of that name is what Prometheus calls the target that it scrapes.
		jobRuns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "doorman_job_runs_total", Help: "Runs of jobs, by job and outcome (ok, or the kind of the error).",
		}, []string{"job_name", "outcome"}),
		jobSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "doorman_job_seconds", Help: "How long runs of jobs took.", Buckets: []float64{.01, .1, 1, 10, 60, 600},
		}, []string{"job_name"}),
		jobSuccess: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "doorman_job_last_success_timestamp_seconds", Help: "When each job last succeeded in this process, in Unix time.",
		}, []string{"job_name"}),
	}
	info := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "doorman_build_info", Help: "Always 1: which Doorman this is, and which interface it speaks with its addon.",
		ConstLabels: prometheus.Labels{"version": version(), "goversion": runtime.Version(), "interface": strconv.Itoa(access.Interface)},
	}, func() float64 { return 1 })
	m.registry.MustRegister(m.toolCalls, m.toolSeconds, m.odooRequests, m.odooSeconds, m.odooBatch, m.refusals, m.inFlight,
		m.jobRuns, m.jobSeconds, m.jobSuccess, info,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) tool(name, outcome string, d time.Duration) {
	m.toolCalls.WithLabelValues(name, outcome).Inc()
	m.toolSeconds.Observe(d.Seconds())
}

func (m *metrics) odoo(method, outcome string, d time.Duration) {
	m.odooRequests.WithLabelValues(method, outcome).Inc()
	m.odooSeconds.Observe(d.Seconds())
}

func (m *metrics) batched(n int) { m.odooBatch.Observe(float64(n)) }

func (m *metrics) refused(kind access.Kind) { m.refusals.WithLabelValues(string(kind)).Inc() }

// job gets every finished run of a job. Their names are Odoo's, bounded in number and form by package jobs.
func (m *metrics) job(name, outcome string, d time.Duration) {
	m.jobRuns.WithLabelValues(name, outcome).Inc()
	m.jobSeconds.WithLabelValues(name).Observe(d.Seconds())
	if outcome == "ok" {
		m.jobSuccess.WithLabelValues(name).SetToCurrentTime()
	}
}

// watch adds the caches. They count for themselves: it costs nothing until somebody looks.
func (m *metrics) watch(caches []observe.Cache) { m.registry.MustRegister(cacheCollector(caches)) }

// cacheCollector implements prometheus.Collector.
type cacheCollector []observe.Cache

var (
	cacheRequests = prometheus.NewDesc("doorman_cache_requests_total", "Lookups in each cache, by result (hit, miss).", []string{"cache", "result"}, nil)
	cacheEntries  = prometheus.NewDesc("doorman_cache_entries", "How much is in each cache.", []string{"cache"}, nil)
)

// Describe implements prometheus.Collector.
func (c cacheCollector) Describe(to chan<- *prometheus.Desc) { to <- cacheRequests; to <- cacheEntries }

// Collect implements prometheus.Collector.
func (c cacheCollector) Collect(to chan<- prometheus.Metric) {
	for _, cache := range c {
		hits, misses, entries := cache.Look()
		to <- prometheus.MustNewConstMetric(cacheRequests, prometheus.CounterValue, float64(hits), cache.Name, "hit")
		to <- prometheus.MustNewConstMetric(cacheRequests, prometheus.CounterValue, float64(misses), cache.Name, "miss")
		to <- prometheus.MustNewConstMetric(cacheEntries, prometheus.GaugeValue, float64(entries), cache.Name)
	}
}

// page shows all of them.
func (m *metrics) page() http.Handler { return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}) }
