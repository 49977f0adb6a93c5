package audit_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	logs "go.opentelemetry.io/proto/otlp/collector/logs/v1"
	"google.golang.org/protobuf/proto"

	"doorman/server/audit"
)

// collector is one of OpenTelemetry's that keeps the bodies and times of what it takes, and answers with status.
type collector struct {
	mu     sync.Mutex
	status int
	paths  []string
	bodies []string
	times  []uint64
}

func (c *collector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.paths = append(c.paths, r.URL.Path)
	if c.status != http.StatusOK {
		w.WriteHeader(c.status)
		return
	}
	body, _ := io.ReadAll(r.Body)
	var request logs.ExportLogsServiceRequest
	if err := proto.Unmarshal(body, &request); err != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	for _, of := range request.GetResourceLogs() {
		for _, scope := range of.GetScopeLogs() {
			for _, one := range scope.GetLogRecords() {
				c.bodies = append(c.bodies, one.GetBody().GetStringValue())
				c.times = append(c.times, one.GetTimeUnixNano())
			}
		}
	}
	w.Header().Set("Content-Type", "application/x-protobuf")
}

// TestOTLP: every line arrives as it is, with its row's time, and is taken for exported only when the collector has answered.
func TestOTLP(t *testing.T) {
	t.Parallel()
	c := &collector{status: http.StatusOK}
	server := httptest.NewServer(c)
	t.Cleanup(server.Close)
	s, err := audit.DialOTLP(t.Context(), "otlp+"+server.URL)
	if err != nil {
		t.Fatal(err)
	}
	lines := []string{`{"before":{"n":0}}`, `{"n":1,"digest":"ab","row":{"time":"2026-11-29T10:00:00.123456Z","tool":"<\"]\\"}}`, `{"head":{"n":1}}`}
	for _, line := range lines {
		if err := s.Write([]byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	if len(c.bodies) != 0 {
		t.Error("sent before it was asked for")
	}
	if err := s.Flush(); err != nil {
		t.Fatal(err)
	}
	if strings.Join(c.bodies, "\n") != strings.Join(lines, "\n") || c.paths[0] != "/v1/logs" {
		t.Errorf("%v at %v", c.bodies, c.paths)
	}
	if want := time.Date(2026, 11, 29, 10, 0, 0, 123456000, time.UTC).UnixNano(); c.times[1] != uint64(want) {
		t.Errorf("its time is %d, want %d", c.times[1], want)
	}
	// Refused for good: the error comes up, and nothing of it is forgotten.
	c.status = http.StatusForbidden
	if err := s.Write([]byte("again")); err != nil {
		t.Fatal(err)
	}
	if err := s.Flush(); err == nil {
		t.Error("a collector that refuses rows is taken for one that has them")
	}
	c.status = http.StatusOK
	if err := s.Close(); err != nil || c.bodies[len(c.bodies)-1] != "again" {
		t.Errorf("what was refused is lost: %v %v", err, c.bodies)
	}
}

// TestOTLPAddresses: anything else is refused before anything is exported.
func TestOTLPAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"otlp+", "otlp+https://", "otlp+ftp://host", "otlp+https://user:secret@host", "otlp+https://host?key=secret", "otlp+https://ho st", "otlp+host:4318",
	} {
		if _, err := audit.DialOTLP(t.Context(), address); err == nil {
			t.Errorf("%q is taken", address)
		}
	}
}
