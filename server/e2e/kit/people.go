package kit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"doorman/server/access"
)

// KnowsItself tells Odoo where the service is, so that links lead through it from the first on.
func KnowsItself(t testing.TB, o *Odoo, s *Service) {
	t.Helper()
	out, err := o.Host.Psql(t.Context(), o.DB, fmt.Sprintf("UPDATE doorman_settings SET public_url = '%s' RETURNING 'ok'", s.URL))
	if err != nil || !strings.Contains(out, "ok") {
		t.Fatalf("%s %v", out, err)
	}
}

// AsAdmin calls a method as the administrator over Odoo's own RPC.
func AsAdmin(t testing.TB, o *Odoo, model, method string, args ...any) json.RawMessage {
	t.Helper()
	result, err := As(t.Context(), o, "admin", model, method, args...)
	if err != nil {
		t.Fatalf("%s.%s: %v", model, method, err)
	}
	return result
}

// sessions are the logged-in sessions of people, by database and login: Odoo takes its time over a password.
var sessions struct {
	sync.Mutex
	byName map[string]*http.Client
}

// sessionOf logs a person in, once: an administrator's login writes Odoo's address, and two at a time would collide.
func sessionOf(ctx context.Context, o *Odoo, login string) (*http.Client, error) {
	sessions.Lock()
	defer sessions.Unlock()
	name := o.DB + " " + login
	if known := sessions.byName[name]; known != nil {
		return known, nil
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		return nil, err
	}
	session := &http.Client{Jar: jar}
	if _, err := InSession(ctx, session, o.Server.URL()+"/web/session/authenticate",
		map[string]any{"db": o.DB, "login": login, "password": login}); err != nil {
		return nil, err
	}
	if sessions.byName == nil {
		sessions.byName = map[string]*http.Client{}
	}
	sessions.byName[name] = session
	return session, nil
}

// As calls a method in a person's own Odoo session, as their browser does. The person is a user of the set-up script,
// whose password is the login. An error of Odoo's is its words.
func As(ctx context.Context, o *Odoo, login, model, method string, args ...any) (json.RawMessage, error) {
	return AsIn(ctx, o, login, "", model, method, args...)
}

// AsIn is As in a language, such as fr_FR, that the browser would send along.
func AsIn(ctx context.Context, o *Odoo, login, lang, model, method string, args ...any) (json.RawMessage, error) {
	session, err := sessionOf(ctx, o, login)
	if err != nil {
		return nil, err
	}
	kwargs := map[string]any{}
	if lang != "" {
		kwargs["context"] = map[string]any{"lang": lang}
	}
	return InSession(ctx, session, o.Server.URL()+"/web/dataset/call_kw",
		map[string]any{"model": model, "method": method, "args": args, "kwargs": kwargs})
}

// InSession posts a JSON-RPC request to one of Odoo's own addresses, with the cookies of a session.
func InSession(ctx context.Context, session *http.Client, url string, params map[string]any) (json.RawMessage, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": "call", "params": params})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	response, err := session.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct {
		Result json.RawMessage
		Error  *struct{ Data struct{ Message string } }
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	if answer.Error != nil {
		return nil, errors.New(answer.Error.Data.Message)
	}
	return answer.Result, nil
}

// NewKey makes a new key for a connection by one of its buttons.
func NewKey(t testing.TB, o *Odoo, method string, id int64) string {
	t.Helper()
	var dialog struct {
		Context struct {
			Key string `json:"default_key"`
		}
	}
	if err := json.Unmarshal(AsAdmin(t, o, "doorman.connection", method, []int64{id}), &dialog); err != nil || dialog.Context.Key == "" {
		t.Fatalf("%s gave no key: %v", method, err)
	}
	return dialog.Context.Key
}

// RunJob runs a job as the service does.
func RunJob(ctx context.Context, o *Odoo, job string) error {
	var answer struct{ Counts map[string]int }
	raw, err := askGateway(ctx, o, "run_job", map[string]any{"name": job})
	if err != nil {
		return err
	}
	if json.Unmarshal(raw, &answer) != nil || answer.Counts == nil {
		return fmt.Errorf("%s: %s", job, raw)
	}
	return nil
}

// GatewayCall calls a method of the gateway without arguments, as the service does.
func GatewayCall(ctx context.Context, o *Odoo, method string) error {
	_, err := askGateway(ctx, o, method, map[string]any{})
	return err
}

func askGateway(ctx context.Context, o *Odoo, method string, params map[string]any) (json.RawMessage, error) {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, o.Server.URL()+"/doorman/jsonrpc", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-Odoo-Database", o.DB)
	r.Header.Set("X-Doorman-Interface", strconv.Itoa(access.Interface))
	r.Header.Set("Authorization", "Bearer "+o.ServiceKey)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	var answer struct{ Result, Error json.RawMessage }
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return nil, fmt.Errorf("%s: status %d, %w", method, response.StatusCode, err)
	}
	if response.StatusCode != http.StatusOK || answer.Error != nil {
		return nil, fmt.Errorf("%s: status %d, %s", method, response.StatusCode, answer.Error)
	}
	return answer.Result, nil
}

// NoErrors fails if Odoo logged an error about the test's database or about none, or gave up on a transaction.
func NoErrors(t *testing.T, o *Odoo) {
	t.Helper()
	log, err := os.ReadFile(o.Server.LogFile())
	if err != nil || len(log) == 0 {
		t.Fatalf("no log: %v", err)
	}
	lines := slices.Collect(bytes.Lines(log))
	for i, line := range lines {
		for _, level := range []string{"ERROR", "CRITICAL"} {
			if bytes.Contains(line, []byte(" "+level+" "+o.DB+" ")) || bytes.Contains(line, []byte(" "+level+" ? ")) {
				t.Errorf("Odoo logged: %s", bytes.Join(lines[i:min(i+60, len(lines))], nil))
			}
		}
	}
}
