package app

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"doorman/server/access"
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
			Name: "doorman_odoo_requests_total", Help: "Calls of Odoo, by gateway method and outcome; reads that shared a request count one each.",
		}, []string{"method", "outcome"}),
		odooSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "doorman_odoo_request_seconds", Help: "How long calls of Odoo took, waiting for a place included.", Buckets: buckets,
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
	}
	m.registry.MustRegister(m.toolCalls, m.toolSeconds, m.odooRequests, m.odooSeconds, m.odooBatch, m.refusals, m.inFlight,
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
