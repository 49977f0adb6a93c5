package odoo_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"doorman/server/e2e/kit"
)

const lagRounds = 20

// TestRealZeroLag: whatever ends an access in Odoo, no call that begins after it was committed succeeds. Each way of
// ending it has a connection of its own, and 20 rounds: call every 20 ms, end it, go on calling, mend it.
func TestRealZeroLag(t *testing.T) {
	o := kit.RealOdoo(t, 2, `
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
			kit.AsAdmin(t, o, "doorman.connection", "action_revoke", one("revoke_id"))
			return key
		}, func(t testing.TB, _ string) string { return kit.NewKey(t, o, "action_reactivate", o.ID("revoke_id")) }},
		{"user", func(t testing.TB, key string) string {
			kit.AsAdmin(t, o, "res.users", "write", one("user_user"), map[string]any{"active": false})
			return key
		}, func(t testing.TB, _ string) string {
			// Who comes back does not find their connection as it was: an administrator lets it in again.
			kit.AsAdmin(t, o, "res.users", "write", one("user_user"), map[string]any{"active": true})
			return kit.NewKey(t, o, "action_reactivate", o.ID("user_id"))
		}},
		{"key", func(t testing.TB, key string) string {
			if _, err := o.Host.Psql(t.Context(), o.DB, fmt.Sprintf("DELETE FROM res_users_apikeys WHERE user_id = %d", o.ID("key_user"))); err != nil {
				t.Fatal(err)
			}
			return key
		}, func(t testing.TB, _ string) string { return kit.NewKey(t, o, "action_rotate_key", o.ID("key_id")) }},
	}
	t.Run("each connection", func(t *testing.T) {
		for _, way := range ways {
			t.Run(way.name, func(t *testing.T) {
				t.Parallel()
				// A service each: together their dead keys would look like somebody who guesses.
				s := kit.Serve(t, o.Environ()...)
				key := o.Text(way.name)
				for range lagRounds {
					key = lagRound(t, s.MCP, key, way.end, way.mend)
				}
			})
		}
	})
	t.Run("in a crowd", func(t *testing.T) {
		// The calls share requests with those of others, which go on.
		s := kit.Serve(t, o.Environ()...)
		keepSearching(t, s.MCP, o.Text("others"), 8)
		key := o.Text("crowd")
		for range lagRounds {
			key = lagRound(t, s.MCP, key, func(t testing.TB, key string) string {
				kit.AsAdmin(t, o, "doorman.connection", "action_revoke", one("crowd_id"))
				return key
			}, func(t testing.TB, _ string) string { return kit.NewKey(t, o, "action_reactivate", o.ID("crowd_id")) })
		}
	})
	t.Run("master switch", func(t *testing.T) {
		toggle := func(method string) func(testing.TB, string) string {
			return func(t testing.TB, key string) string {
				kit.AsAdmin(t, o, "doorman.settings", method, []int64{})
				return key
			}
		}
		s := kit.Serve(t, o.Environ()...)
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
	kit.Await(t, "the key works", func() error { return kit.Search(ctx, mcpURL, key) })

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
					err := kit.Search(ctx, mcpURL, key)
					mu.Lock()
					defer mu.Unlock()
					calls = append(calls, call{began, err == nil})
				})
			}
		}
	})
	has := func(want func(call) bool) func() error {
		return func() error {
			mu.Lock()
			defer mu.Unlock()
			n := 0
			for _, c := range calls {
				if want(c) {
					n++
				}
			}
			return kit.Unless(n >= 3, n, " of ", len(calls), " calls")
		}
	}
	kit.Await(t, "calls succeed before", has(func(c call) bool { return c.ok }))
	end(t, key)
	committed := time.Now()
	kit.Await(t, "calls are made after", has(func(c call) bool { return c.began.After(committed) }))
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
