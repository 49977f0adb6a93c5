package localodoo

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// children lists the living children of a process: those that serve websockets, and the others.
func children(t *testing.T, parent int) (gevent, workers []int) {
	t.Helper()
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		t.Fatal(err)
	}
	for _, dir := range dirs {
		stat, _ := os.ReadFile(filepath.Join(dir, "stat"))
		// pid (name) state parent ...; a name may hold blanks and brackets.
		fields := strings.Fields(string(stat[strings.LastIndex(string(stat), ")")+1:]))
		if len(fields) < 2 || fields[0] == "Z" || fields[1] != strconv.Itoa(parent) {
			continue
		}
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			t.Fatal(err)
		}
		cmdline, _ := os.ReadFile(filepath.Join(dir, "cmdline"))
		if slices.Contains(strings.Split(string(cmdline), "\x00"), "gevent") {
			gevent = append(gevent, pid)
		} else {
			workers = append(workers, pid)
		}
	}
	return gevent, workers
}

// websocketChildren counts in a server's log the websocket processes that came up, and those that died of an error.
func websocketChildren(log string) (up, died int) {
	return strings.Count(log, "Evented Service (longpolling) running on"), strings.Count(log, "Traceback (most recent call last)")
}

// preforkServer starts a server with one worker. Where that fails it says how the websocket process fared.
func preforkServer(t *testing.T, h *Host) *Server {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	log := filepath.Join(t.TempDir(), "odoo.log")
	s, err := h.Serve(ctx, ServeOptions{Workers: 1, LogFile: log})
	if err != nil {
		text, _ := os.ReadFile(log)
		up, died := websocketChildren(string(text))
		t.Fatalf("%d websocket processes came up, %d died: %.2000v", up, died, err)
	}
	return s
}

// everyWorker freezes one of two workers, as a busy machine does, until the other one has answered.
func everyWorker(t *testing.T, h *Host, db string) {
	s, err := h.Serve(t.Context(), ServeOptions{Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Stop() })
	var workers []int
	eventually(t, time.Minute, "two workers", func() bool {
		_, workers = children(t, s.proc.pid)
		return len(workers) == 2
	})
	if err := signalProcess(workers[0], syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	opened := make(chan error, 1)
	go func() { opened <- s.Open(t.Context(), db) }()
	eventually(t, time.Minute, "the other worker answers", func() bool { return len(workersOf(s.logSince(0), db)) == 1 })
	if err := signalProcess(workers[0], syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	if err := <-opened; err != nil {
		t.Error(err)
	}
	if found := workersOf(s.logSince(0), db); len(found) != 2 {
		t.Errorf("only %v of the workers %v have opened the database", found, workers)
	}
}

// The master of a prefork server keeps its children going: at every turn of its loop, which the death of a child sets
// off, it starts again what is missing. So the process for websockets must be the same one after many turns.
func websocketProcess(t *testing.T, s *Server, db string) {
	before, workers := children(t, s.proc.pid)
	if len(before) != 1 || len(workers) != 1 {
		t.Fatalf("websocket processes %v, workers %v, want one of each", before, workers)
	}
	for range 5 {
		killed := workers[0]
		if err := signalProcess(killed, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		eventually(t, time.Minute, "another worker", func() bool {
			_, workers = children(t, s.proc.pid)
			return len(workers) == 1 && workers[0] != killed
		})
	}
	if after, _ := children(t, s.proc.pid); !slices.Equal(after, before) {
		t.Errorf("websocket processes %v, before %v", after, before)
	}
	log, err := os.ReadFile(s.LogFile())
	if err != nil {
		t.Fatal(err)
	}
	if up, died := websocketChildren(string(log)); up != 1 || died != 0 {
		t.Errorf("%d websocket processes came up, %d died\n%s", up, died, failingPart(string(log)))
	}
	if code := handshake(t, s, db); code != http.StatusSwitchingProtocols {
		t.Errorf("a websocket is answered with %d", code)
	}
}

// handshake asks for a websocket and returns the status of the answer.
func handshake(t *testing.T, s *Server, db string) int {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.WebsocketURL()+"/websocket", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range map[string]string{
		"X-Odoo-Database": db, "Connection": "Upgrade", "Upgrade": "websocket", "Origin": s.URL(),
		"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
	} {
		req.Header.Set(name, value)
	}
	resp, err := direct.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}
