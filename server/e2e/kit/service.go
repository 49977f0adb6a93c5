package kit

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/app"
)

// Service is one running Doorman.
type Service struct {
	URL  string // e.g. http://127.0.0.1:40123
	MCP  string // the MCP endpoint
	stop func() error
	log  *Log
}

// Log returns what the service has logged so far.
func (s *Service) Log() string { return s.log.String() }

// Listens is where the service itself takes connections, past any proxy before its public URL.
func (s *Service) Listens(t testing.TB) string {
	t.Helper()
	for line := range strings.Lines(s.Log()) {
		var open struct{ Listen string }
		if json.Unmarshal([]byte(line), &open) == nil && open.Listen != "" {
			return "http://" + open.Listen
		}
	}
	t.Fatal("the service does not say where it listens")
	return ""
}

// Stop ends the service as SIGTERM would, and returns what serve returned. Cleanup calls it too.
func (s *Service) Stop() error { return s.stop() }

// Serve runs `doorman serve` in this process, on a free port, with these DOORMAN_ variables ("NAME=value").
func Serve(t testing.TB, environ ...string) *Service {
	t.Helper()
	return ServeIn(context.Background(), t, environ...)
}

// ServeIn is Serve with what a context carries: app.WithFixtures.
func ServeIn(ctx context.Context, t testing.TB, environ ...string) *Service {
	t.Helper()
	ctx, cancel := context.WithCancel(ctx)
	reader, writer := io.Pipe()
	done := make(chan error, 1)
	environ = append([]string{"DOORMAN_LISTEN=127.0.0.1:0", "DOORMAN_LOG_LEVEL=debug", "DOORMAN_STOP_DELAY=0s"}, environ...)
	go func() {
		err := app.Run(ctx, []string{"serve"}, environ, io.Discard, writer)
		_ = writer.CloseWithError(io.EOF)
		done <- err
	}()
	s := &Service{log: &Log{}}
	s.stop = sync.OnceValue(func() error { cancel(); return <-done })
	t.Cleanup(func() {
		_ = s.Stop()
		if t.Failed() {
			t.Logf("the end of the service's log:\n%s", lastLines(s.Log(), 30))
		}
	})
	open := make(chan string, 1)
	go s.readLog(reader, open)
	select {
	case s.MCP = <-open:
	case err := <-done:
		done <- err
		t.Fatalf("the service did not start: %v", err)
	}
	s.URL = strings.TrimSuffix(s.MCP, "/mcp")
	return s
}

// lastLines is the end of a text: at most n lines.
func lastLines(text string, n int) string {
	lines := slices.Collect(strings.Lines(text))
	return strings.Join(lines[max(0, len(lines)-n):], "")
}

// readLog keeps the log and reports the address of the endpoint from its first line.
func (s *Service) readLog(r io.Reader, open chan<- string) {
	lines := bufio.NewScanner(r)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		_, _ = io.WriteString(s.log, lines.Text()+"\n")
		var line struct{ MCP, Message string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.MCP != "" {
			open <- line.MCP
		}
	}
}

// Connect opens a session of the Go SDK's client with a connection's key.
func Connect(t testing.TB, mcpURL, key string) *sdk.ClientSession {
	t.Helper()
	return ConnectAs(t, mcpURL, key, nil)
}

// ConnectAs is Connect for a client that can do more, such as show its user an address.
func ConnectAs(t testing.TB, mcpURL, key string, options *sdk.ClientOptions) *sdk.ClientSession {
	t.Helper()
	client := sdk.NewClient(&sdk.Implementation{Name: "kit", Version: "1"}, options)
	session, err := client.Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: mcpURL, HTTPClient: &http.Client{Transport: &KeyTransport{Key: key}}, MaxRetries: -1,
	}, nil)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// KeyTransport sends a key with every request.
type KeyTransport struct{ Key string }

// RoundTrip implements http.RoundTripper.
func (k *KeyTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+k.Key)
	return http.DefaultTransport.RoundTrip(r)
}

// Call calls a tool and returns its structured content; failed is the kind of its error, or "".
func Call(t testing.TB, s *sdk.ClientSession, tool string, args map[string]any) (content map[string]any, failed string) {
	t.Helper()
	result, err := s.CallTool(t.Context(), &sdk.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", tool, err)
	}
	body, err := json.Marshal(result.StructuredContent)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(body, &content); err != nil {
		t.Fatalf("%s: no structured content: %s", tool, body)
	}
	if result.IsError {
		failed = fmt.Sprint(content["kind"])
	}
	return content, failed
}
