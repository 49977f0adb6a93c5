package app_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// connectAt is kit.Connect for a client of one protocol version that shows progress.
func connectAt(t *testing.T, url, key, version string, told chan<- *sdk.ProgressNotificationParams) *sdk.ClientSession {
	t.Helper()
	options := &sdk.ClientOptions{}
	if told != nil {
		options.ProgressNotificationHandler = func(_ context.Context, r *sdk.ProgressNotificationClientRequest) { told <- r.Params }
	}
	session, err := sdk.NewClient(&sdk.Implementation{Name: "kit", Version: "1"}, options).Connect(t.Context(), &sdk.StreamableClientTransport{
		Endpoint: url, HTTPClient: &http.Client{Transport: &kit.KeyTransport{Key: key}}, MaxRetries: -1,
	}, &sdk.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = session.Close() })
	return session
}

// held is a fake Odoo whose calls of one method wait to be released.
func held(t *testing.T, method string) (s *kit.Service, o *odootest.Server, entered chan odootest.Call, release chan struct{}) {
	t.Helper()
	entered, release = make(chan odootest.Call, 10), make(chan struct{})
	o = odootest.New(t, odootest.Options{Handle: func(c odootest.Call) (any, *odootest.Problem, bool) {
		if c.Method == method {
			entered <- c
			<-release
		}
		return nil, nil, false
	}})
	s = kit.Serve(t, "DOORMAN_ODOO_URL="+o.URL(), "DOORMAN_ODOO_DB="+o.Options().Database, "DOORMAN_ODOO_KEY="+o.Options().Key)
	return s, o, entered, release
}

// TestProgressReachesTheClient: through the whole service, while Odoo is still at work.
func TestProgressReachesTheClient(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s, _, entered, release := held(t, "search_read")
			told := make(chan *sdk.ProgressNotificationParams, 10)
			session := connectAt(t, s.MCP, odootest.DefaultCredential, version, told)
			params := &sdk.CallToolParams{Name: "search_records", Arguments: map[string]any{"model": "res.partner"}}
			params.SetProgressToken("tok")
			done := make(chan error, 1)
			go func() {
				result, err := session.CallTool(t.Context(), params)
				if err == nil && result.IsError {
					err = errors.New("an error")
				}
				done <- err
			}()
			<-entered
			if p := <-told; p.ProgressToken != "tok" || p.Message == "" || p.Progress <= 0 {
				t.Errorf("told %+v", p)
			}
			close(release)
			if err := <-done; err != nil {
				t.Error(err)
			}
		})
	}
}

// TestTheClientGivesUp: an official client whose user stops a call: by a notice of its own, or by hanging up. The service
// waits no longer, and Odoo's own record of what was done is the only one.
func TestTheClientGivesUp(t *testing.T) {
	t.Parallel()
	for _, version := range []string{"2025-11-25", "2026-07-28"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s, o, entered, release := held(t, "unlink")
			session := connectAt(t, s.MCP, odootest.DefaultCredential, version, nil)
			ctx, stop := context.WithCancel(t.Context())
			done := make(chan error, 1)
			go func() {
				_, err := session.CallTool(ctx, &sdk.CallToolParams{Name: "delete_records", Arguments: deletion(3)})
				done <- err
			}()
			<-entered
			stop()
			if err := <-done; !errors.Is(err, context.Canceled) {
				t.Errorf("the client got %v", err)
			}
			kit.Await(t, "the service waits no longer", func() error {
				_, _, metrics := kit.Send(t, http.MethodGet, s.URL+"/metrics", "")
				return kit.Unless(strings.Contains(metrics, "doorman_odoo_in_flight 0") && strings.Contains(metrics, `doorman_tool_calls_total{outcome="odoo_timeout",tool="delete_records"} 1`), metrics)
			})
			close(release)
			kit.Await(t, "Odoo has done it, and says so", func() error {
				rows := o.Audit()
				return kit.Unless(len(rows) == 1 && rows[0].Outcome == "ok", rows)
			})
			if err := s.Stop(); err != nil { // sends what is to be recorded
				t.Fatal(err)
			}
			for _, e := range o.Events() {
				if e["outcome"] != "ok" || strings.Contains(kit.Text(t, e), "delete_records") {
					t.Errorf("made up: %v", e)
				}
			}
			if o.Effects() != 1 {
				t.Errorf("%d effects", o.Effects())
			}
		})
	}
}
