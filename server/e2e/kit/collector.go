package kit

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/otlp/common/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// Span is one span as a collector got it.
type Span struct {
	Name, Kind              string // the kind as the protocol calls it: SPAN_KIND_SERVER
	TraceID, ID, Parent     string // in hex
	Attributes              map[string]string
	Failed                  bool
	Links                   []string // ids of spans
	TraceState, Description string
}

// Collector takes spans by OTLP over HTTP, as an OpenTelemetry collector does.
type Collector struct {
	URL string

	mu    sync.Mutex
	spans []Span
	raw   bytes.Buffer
	about map[string]string
}

// NewCollector starts a collector that ends with the test. status is what it answers, 200 for one that works.
func NewCollector(t testing.TB, status int) *Collector {
	t.Helper()
	c := &Collector{about: map[string]string{}}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var batch collector.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &batch) != nil {
			http.Error(w, "not spans", http.StatusBadRequest)
			return
		}
		c.take(body, &batch)
		w.Header().Set("Content-Type", "application/x-protobuf")
		w.WriteHeader(status)
	}))
	t.Cleanup(server.Close)
	c.URL = server.URL
	return c
}

func (c *Collector) take(body []byte, batch *collector.ExportTraceServiceRequest) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.raw.Write(body)
	for _, resource := range batch.GetResourceSpans() {
		maps.Copy(c.about, flat(resource.GetResource().GetAttributes()))
		for _, scope := range resource.GetScopeSpans() {
			for _, s := range scope.GetSpans() {
				c.spans = append(c.spans, spanOf(s))
			}
		}
	}
}

func spanOf(s *tracepb.Span) Span {
	span := Span{
		Name: s.GetName(), Kind: s.GetKind().String(), Attributes: flat(s.GetAttributes()),
		TraceID: hex.EncodeToString(s.GetTraceId()), ID: hex.EncodeToString(s.GetSpanId()), Parent: hex.EncodeToString(s.GetParentSpanId()),
		Failed: s.GetStatus().GetCode() == tracepb.Status_STATUS_CODE_ERROR, TraceState: s.GetTraceState(), Description: s.GetStatus().GetMessage(),
	}
	for _, link := range s.GetLinks() {
		span.Links = append(span.Links, hex.EncodeToString(link.GetSpanId()))
	}
	return span
}

// flat are attributes as texts.
func flat(list []*common.KeyValue) map[string]string {
	out := map[string]string{}
	for _, a := range list {
		switch v := a.GetValue().GetValue().(type) {
		case *common.AnyValue_StringValue:
			out[a.GetKey()] = v.StringValue
		case *common.AnyValue_IntValue:
			out[a.GetKey()] = fmt.Sprint(v.IntValue)
		case *common.AnyValue_DoubleValue:
			out[a.GetKey()] = fmt.Sprint(v.DoubleValue)
		default:
			out[a.GetKey()] = fmt.Sprint(v)
		}
	}
	return out
}

// Served are the spans of requests, without those of the service's own jobs.
func (c *Collector) Served() []Span {
	spans, jobs := c.Spans(), map[string]bool{}
	for _, span := range spans {
		if strings.HasPrefix(span.Name, "job ") {
			jobs[span.TraceID] = true
		}
	}
	return slices.DeleteFunc(spans, func(span Span) bool { return jobs[span.TraceID] })
}

// Spans are those that have arrived. A service sends what it has when it stops.
func (c *Collector) Spans() []Span {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]Span(nil), c.spans...)
}

// Raw is everything that has arrived, as it was sent.
func (c *Collector) Raw() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.raw.String()
}

// About is what the service says of itself: the attributes of the resource.
func (c *Collector) About() map[string]string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.about
}
