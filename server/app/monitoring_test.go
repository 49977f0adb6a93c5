package app_test

import (
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// metricsAddress is where the metrics of a service are, from its log.
func metricsAddress(t *testing.T, s *kit.Service) string {
	t.Helper()
	_, rest, found := strings.Cut(s.Log(), `"metrics":"`)
	address, _, _ := strings.Cut(rest, `"`)
	if !found {
		t.Fatalf("no address in the log: %s", s.Log())
	}
	return address
}

// asked is one request for metrics, and what it gets.
type asked struct {
	name, path string
	headers    []string
	status     int
}

func (a asked) check(t *testing.T, base string) {
	t.Helper()
	status, _, body := kit.Get(t, "GET", base+a.path, a.headers...)
	shown := strings.Contains(body, "doorman_build_info") || strings.Contains(body, "goroutine")
	if status != a.status || shown != (a.status == http.StatusOK) {
		t.Errorf("%s: %d, want %d\n%.300s", a.name, status, a.status, body)
	}
}

// TestMetricsBesideTheEndpoint: for this machine, and for nobody whom a proxy passes on.
func TestMetricsBesideTheEndpoint(t *testing.T) {
	t.Parallel()
	for _, config := range []struct {
		name    string
		environ []string
		rows    []asked
	}{
		{"a proxy that nobody declared", nil, []asked{
			{"this machine", "/metrics", nil, 200},
			{"by its name in the cluster", "/metrics", []string{"Host", "doorman.tools.svc:8090"}, 200},
			{"by another name", "/metrics", []string{"Host", "evil.example.com"}, 403},
			{"by the public name", "/metrics", []string{"Host", "mcp.example.com"}, 404},
			{"passed on", "/metrics", []string{"X-Forwarded-For", "127.0.0.1"}, 404},
			{"passed on, said otherwise", "/metrics", []string{"X-Forwarded-Proto", "https"}, 404},
			{"passed on by RFC 7239", "/metrics", []string{"Forwarded", "for=127.0.0.1"}, 404},
			{"passed on by RFC 9110", "/metrics", []string{"Via", "1.1 proxy"}, 404},
			{"passed on by nginx", "/metrics", []string{"X-Real-IP", "127.0.0.1"}, 404},
			{"no profiles here", "/debug/pprof/goroutine?debug=1", nil, 404},
			{"nor their index", "/debug/pprof/", nil, 404},
		}},
		{"a trusted proxy", []string{"DOORMAN_TRUSTED_PROXIES=127.0.0.1", "DOORMAN_METRICS_ALLOW=192.0.2.1"}, []asked{
			{"the monitoring", "/metrics", []string{"X-Forwarded-For", "192.0.2.1"}, 200},
			{"by the public name", "/metrics", []string{"X-Forwarded-For", "192.0.2.1", "Host", "mcp.example.com"}, 200},
			{"a stranger", "/metrics", []string{"X-Forwarded-For", "192.0.2.2"}, 404},
			{"a stranger who writes it himself", "/metrics", []string{"X-Forwarded-For", "192.0.2.1, 192.0.2.2"}, 404},
			{"this machine, which is not on the list", "/metrics", nil, 404},
		}},
		{"a listener of their own", []string{"DOORMAN_METRICS_LISTEN=127.0.0.1:0"}, []asked{
			{"this machine", "/metrics", nil, 404},
			{"profiles", "/debug/pprof/goroutine?debug=1", nil, 404},
		}},
	} {
		t.Run(config.name, func(t *testing.T) {
			t.Parallel()
			s := before(t, odootest.New(t), append([]string{
				"DOORMAN_PUBLIC_URL=https://mcp.example.com", "DOORMAN_ALLOWED_HOSTS=doorman.tools.svc",
			}, config.environ...)...)
			for _, row := range config.rows {
				row.check(t, listening(t, s))
			}
		})
	}
}

// TestMetricsListener: metrics for everyone who reaches it, profiles for this machine, and nothing else.
func TestMetricsListener(t *testing.T) {
	t.Parallel()
	for _, config := range []struct {
		name    string
		environ []string
		rows    []asked
	}{
		{"for everyone who reaches it", nil, []asked{
			{"by its address", "/metrics", nil, 200},
			{"by localhost", "/metrics", []string{"Host", "localhost:9091"}, 200},
			{"by another address, as in a cluster", "/metrics", []string{"Host", "10.1.2.3:9091"}, 200},
			{"by an IPv6 address", "/metrics", []string{"Host", "[2001:db8::1]:9091"}, 200},
			{"by an allowed name", "/metrics", []string{"Host", "Doorman.tools.svc:9091"}, 200},
			{"by an allowed name with its port", "/metrics", []string{"Host", "doorman:9091"}, 200},
			{"profiles", "/debug/pprof/goroutine?debug=1", nil, 200},
			{"by an allowed name with another port", "/metrics", []string{"Host", "doorman:9092"}, 403},
			{"by another name (rebinding)", "/metrics", []string{"Host", "evil.example.com"}, 403},
			{"by a name that ends like ours", "/metrics", []string{"Host", "evil.doorman.tools.svc"}, 403},
			{"by the public name", "/metrics", []string{"Host", "mcp.example.com"}, 403},
			{"profiles by another name", "/debug/pprof/goroutine?debug=1", []string{"Host", "evil.example.com"}, 403},
			{"passed on", "/metrics", []string{"X-Forwarded-For", "127.0.0.1"}, 404},
			{"profiles, passed on", "/debug/pprof/goroutine?debug=1", []string{"Forwarded", "for=127.0.0.1"}, 404},
			{"the command line", "/debug/pprof/cmdline", nil, 404},
			{"the endpoint", "/mcp", nil, 404},
		}},
		{"for others", []string{"DOORMAN_METRICS_ALLOW=192.0.2.0/24"}, []asked{
			{"metrics", "/metrics", nil, 404},
			{"profiles", "/debug/pprof/goroutine?debug=1", nil, 404},
		}},
		{"for this machine", []string{"DOORMAN_METRICS_ALLOW=127.0.0.1"}, []asked{
			{"metrics", "/metrics", nil, 200},
			{"profiles", "/debug/pprof/goroutine?debug=1", nil, 200},
		}},
	} {
		t.Run(config.name, func(t *testing.T) {
			t.Parallel()
			s := before(t, odootest.New(t), append([]string{
				"DOORMAN_PUBLIC_URL=https://mcp.example.com", "DOORMAN_ALLOWED_HOSTS=doorman.tools.svc, doorman:9091", "DOORMAN_METRICS_LISTEN=127.0.0.1:0",
			}, config.environ...)...)
			address := metricsAddress(t, s)
			for _, row := range config.rows {
				row.check(t, "http://"+address)
			}
			if err := s.Stop(); err != nil {
				t.Fatal(err)
			}
			if conn, err := net.DialTimeout("tcp", address, time.Second); err == nil {
				_ = conn.Close()
				t.Error("it listens when the service has ended")
			}
		})
	}
}

// TestProfilesFromElsewhere: metrics for the network, but profiles for this machine.
func TestProfilesFromElsewhere(t *testing.T) {
	t.Parallel()
	here := outward(t)
	s := before(t, odootest.New(t), "DOORMAN_METRICS_LISTEN="+net.JoinHostPort(here, "0"))
	base := "http://" + metricsAddress(t, s)
	asked{"metrics", "/metrics", nil, 200}.check(t, base)
	asked{"profiles", "/debug/pprof/goroutine?debug=1", nil, 404}.check(t, base)
}

// outward is an address of this machine that is not loopback.
func outward(t *testing.T) string {
	t.Helper()
	list, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range list {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLoopback() && n.IP.To4() != nil {
			return n.IP.String()
		}
	}
	t.Skip("this machine has no address but its own loopback")
	return ""
}

// TestAllowedHosts: names by which neighbours reach the endpoint.
func TestAllowedHosts(t *testing.T) {
	t.Parallel()
	s := before(t, odootest.New(t), "DOORMAN_PUBLIC_URL=https://mcp.example.com", "DOORMAN_ALLOWED_HOSTS=doorman.tools.svc,doorman:8090,[2001:db8::1]")
	base := listening(t, s)
	for host, status := range map[string]int{
		"doorman.tools.svc": 401, "doorman.tools.svc:8090": 401, "DOORMAN.tools.svc": 401, "doorman:8090": 401, "[2001:db8::1]:8090": 401, "mcp.example.com": 401,
		"doorman": 403, "doorman:8091": 403, "tools.svc": 403, "x.doorman.tools.svc": 403, "doorman.tools.svc.evil.com": 403, "doorman.tools.svc.": 403,
		"10.0.0.5": 403, "doorman:8090:8090": 403, "2001:db8::1": 403,
	} {
		if got, _, body := kit.Get(t, "POST", base+"/mcp", "Host", host); got != status {
			t.Errorf("%s: %d, want %d: %s", host, got, status, body)
		}
	}
}

// TestMetricsAreThere: of the build, the jobs and the caches.
func TestMetricsAreThere(t *testing.T) {
	t.Parallel()
	s := before(t, odootest.New(t))
	for range 2 {
		callTool(t, s, odootest.DefaultCredential, "search_records", `{"model":"res.partner"}`)
	}
	// It beats every 15 seconds: how often it has by now is not the test's.
	beaten := regexp.MustCompile(`doorman_job_runs_total\{job_name="heartbeat",outcome="ok"\} [1-9]`)
	timed := regexp.MustCompile(`doorman_job_seconds_count\{job_name="heartbeat"\} [1-9]`)
	var page string
	kit.Await(t, "the heartbeat is counted", func() error {
		_, _, page = kit.Get(t, "GET", s.URL+"/metrics")
		return kit.Unless(beaten.MatchString(page) && timed.MatchString(page), page)
	})
	for _, want := range []string{
		`doorman_build_info{goversion="go`, `doorman_job_last_success_timestamp_seconds{job_name="heartbeat"} 1.`,
		`doorman_cache_requests_total{cache="snapshots",result="hit"} 1`, `doorman_cache_requests_total{cache="snapshots",result="miss"} 1`,
		`doorman_cache_entries{cache="snapshots"} 1`, `doorman_cache_entries{cache="models"}`, `doorman_cache_entries{cache="model_names"}`,
		`doorman_cache_entries{cache="client_documents"}`, `doorman_tool_calls_total{outcome="ok",tool="search_records"} 2`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("%s is not there", want)
		}
	}
}
