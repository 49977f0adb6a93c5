package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/cookiejar"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/server/app/apptest"
)

func sprint(v any) string {
	s := fmt.Sprint(v)
	if s == "<nil>" {
		return "[]"
	}
	return s
}

// sendMCP posts one JSON-RPC message, as a client of protocol 2025-11-25 without a session may, and reads the answer into
// answer.
func sendMCP(ctx context.Context, mcpURL, key, message string, answer any) (status int, err error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, mcpURL, strings.NewReader(message))
	if err != nil {
		return 0, err
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set("MCP-Protocol-Version", "2025-11-25")
	r.Header.Set("Authorization", "Bearer "+key)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	return response.StatusCode, json.NewDecoder(response.Body).Decode(answer)
}

// post searches, and says whether that succeeded.
func post(ctx context.Context, mcpURL, key string) (bool, error) {
	const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"search_records","arguments":{"model":"res.partner","fields":["name"],"limit":1}}}`
	var answer struct {
		Result *struct{ IsError bool }
	}
	status, err := sendMCP(ctx, mcpURL, key, body, &answer)
	return err == nil && status == http.StatusOK && answer.Result != nil && !answer.Result.IsError, err
}

// asAdmin calls a method as the administrator over Odoo's own RPC.
func asAdmin(t testing.TB, o *apptest.Odoo, model, method string, args ...any) json.RawMessage {
	t.Helper()
	result, err := as(t.Context(), o, "admin", model, method, args...)
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
func sessionOf(ctx context.Context, o *apptest.Odoo, login string) (*http.Client, error) {
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
	if _, err := inSession(ctx, session, o.Server.URL()+"/web/session/authenticate",
		map[string]any{"db": o.DB, "login": login, "password": login}); err != nil {
		return nil, err
	}
	if sessions.byName == nil {
		sessions.byName = map[string]*http.Client{}
	}
	sessions.byName[name] = session
	return session, nil
}

// as calls a method in a person's own Odoo session, as their browser does. The person is a user of the set-up script,
// whose password is the login. An error of Odoo's is its words.
func as(ctx context.Context, o *apptest.Odoo, login, model, method string, args ...any) (json.RawMessage, error) {
	session, err := sessionOf(ctx, o, login)
	if err != nil {
		return nil, err
	}
	return inSession(ctx, session, o.Server.URL()+"/web/dataset/call_kw",
		map[string]any{"model": model, "method": method, "args": args, "kwargs": map[string]any{}})
}

func inSession(ctx context.Context, session *http.Client, url string, params map[string]any) (json.RawMessage, error) {
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

// newKey makes a new key for a connection by one of its buttons.
func newKey(t testing.TB, o *apptest.Odoo, method string, id int64) string {
	t.Helper()
	var dialog struct {
		Context struct {
			Key string `json:"default_key"`
		}
	}
	if err := json.Unmarshal(asAdmin(t, o, "doorman.connection", method, []int64{id}), &dialog); err != nil || dialog.Context.Key == "" {
		t.Fatalf("%s gave no key: %v", method, err)
	}
	return dialog.Context.Key
}

const lagRounds = 20

// TestRealZeroLag: whatever ends an access in Odoo, no call that begins after it was committed succeeds. Each way of
// ending it has a connection of its own, and 20 rounds: call every 20 ms, end it, go on calling, mend it.
func TestRealZeroLag(t *testing.T) {
	o := apptest.RealOdoo(t, 2, `
for name in ("revoke", "user", "key", "switch", "crowd", "others"):
    person = user(name, "doorman.group_user")
    out[name + "_user"] = person.id
    connection(name, person, rate_limit_minute=100000)`)
	one := func(name string) []int64 { return []int64{o.ID(name)} }
	ways := []struct {
		name      string
		end, mend func(t testing.TB, key string) string // mend returns the key that works from then on
	}{
		{"revoke", func(t testing.TB, key string) string {
			asAdmin(t, o, "doorman.connection", "action_revoke", one("revoke_id"))
			return key
		}, func(t testing.TB, _ string) string { return newKey(t, o, "action_reactivate", o.ID("revoke_id")) }},
		{"user", func(t testing.TB, key string) string {
			asAdmin(t, o, "res.users", "write", one("user_user"), map[string]any{"active": false})
			return key
		}, func(t testing.TB, _ string) string {
			// Who comes back does not find their connection as it was: an administrator lets it in again.
			asAdmin(t, o, "res.users", "write", one("user_user"), map[string]any{"active": true})
			return newKey(t, o, "action_reactivate", o.ID("user_id"))
		}},
		{"key", func(t testing.TB, key string) string {
			if _, err := o.Host.Psql(t.Context(), o.DB, fmt.Sprintf("DELETE FROM res_users_apikeys WHERE user_id = %d", o.ID("key_user"))); err != nil {
				t.Fatal(err)
			}
			return key
		}, func(t testing.TB, _ string) string { return newKey(t, o, "action_rotate_key", o.ID("key_id")) }},
	}
	t.Run("each connection", func(t *testing.T) {
		for _, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				t.Parallel()
				// A service each: together their dead keys would look like somebody who guesses.
				s := apptest.Serve(t, o.Environ()...)
				key := o.Text(way.name)
				for range lagRounds {
					key = lagRound(t, s.MCP, key, way.end, way.mend)
				}
			})
		}
	})
	t.Run("in a crowd", func(t *testing.T) {
		// The calls share requests with those of others, which go on.
		s := apptest.Serve(t, o.Environ()...)
		keepSearching(t, s.MCP, o.Text("others"), 8)
		key := o.Text("crowd")
		for range lagRounds {
			key = lagRound(t, s.MCP, key, func(t testing.TB, key string) string {
				asAdmin(t, o, "doorman.connection", "action_revoke", one("crowd_id"))
				return key
			}, func(t testing.TB, _ string) string { return newKey(t, o, "action_reactivate", o.ID("crowd_id")) })
		}
	})
	t.Run("master switch", func(t *testing.T) {
		toggle := func(method string) func(testing.TB, string) string {
			return func(t testing.TB, key string) string {
				asAdmin(t, o, "doorman.settings", method, []int64{})
				return key
			}
		}
		s := apptest.Serve(t, o.Environ()...)
		for range lagRounds {
			lagRound(t, s.MCP, o.Text("switch"), toggle("action_disable"), toggle("action_enable"))
		}
	})
}

// lagRound waits until the key works, calls every 20 ms, ends the access, watches, and mends it again.
func lagRound(t testing.TB, mcpURL, key string, end, mend func(testing.TB, string) string) string {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	apptest.Eventually(t, 10*time.Second, "the key works", func() bool { ok, err := post(ctx, mcpURL, key); return ok && err == nil })

	type call struct {
		began time.Time
		ok    bool
	}
	var (
		mu    sync.Mutex
		calls []call
		under sync.WaitGroup
	)
	ticker := time.NewTicker(20 * time.Millisecond)
	stop := make(chan struct{})
	under.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-ticker.C:
				began := time.Now()
				under.Go(func() {
					ok, err := post(ctx, mcpURL, key)
					mu.Lock()
					defer mu.Unlock()
					calls = append(calls, call{began, ok && err == nil})
				})
			}
		}
	})
	has := func(want func(call) bool) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			n := 0
			for _, c := range calls {
				if want(c) {
					n++
				}
			}
			return n >= 3
		}
	}
	apptest.Eventually(t, 10*time.Second, "calls succeed before", has(func(c call) bool { return c.ok }))
	end(t, key)
	committed := time.Now()
	apptest.Eventually(t, 10*time.Second, "calls are made after", has(func(c call) bool { return c.began.After(committed) }))
	close(stop)
	ticker.Stop()
	under.Wait()
	for _, c := range calls {
		if c.ok && c.began.After(committed) {
			t.Errorf("a call succeeded that began %s after the commit", c.began.Sub(committed))
		}
	}
	return mend(t, key)
}
