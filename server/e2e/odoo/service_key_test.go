package odoo_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealServiceKey: the service's key is rotated under load, with two replicas that read it from files, and no call fails;
// a stolen one is ended at once.
func TestRealServiceKey(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"doorman", "jsonrpc"} {
		t.Run(way, func(t *testing.T) {
			o := kit.OwnOdoo(t, 2, `connection("reader", admin)`)
			var paths []string
			var services []*kit.Service
			for range 2 {
				path := filepath.Join(t.TempDir(), "key")
				putKey(t, path, o.Text("service_key"))
				environ := slices.DeleteFunc(o.Environ(), func(e string) bool { return strings.HasPrefix(e, "DOORMAN_ODOO_KEY=") })
				paths = append(paths, path)
				services = append(services, kit.Serve(t, append(environ, "DOORMAN_ODOO_KEY_FILE="+path, "DOORMAN_ODOO_TRANSPORT="+way)...))
			}
			ask := func(s *kit.Service) error { return kit.Search(t.Context(), s.MCP, o.Text("reader")) }

			var made, failed atomic.Int64
			stop := make(chan struct{})
			var workers sync.WaitGroup
			for i := range 4 {
				workers.Go(func() {
					for {
						select {
						case <-stop:
							return
						default:
						}
						made.Add(1)
						if err := ask(services[i%2]); err != nil {
							failed.Add(1)
							t.Errorf("a call failed: %v", err)
						}
					}
				})
			}
			for n := range 3 {
				key := rotate(t, o, 15)
				for _, path := range paths {
					putKey(t, path, key)
				}
				for _, s := range services {
					kit.Await(t, "the new key", func() error { return kit.Unless(strings.Count(s.Log(), "its new key is in use") > n, s.Log()) })
				}
				o.Python(t, overlapIsOver)
				before := made.Load()
				kit.Await(t, "calls by the new key", func() error { return kit.Unless(made.Load() > before+40, made.Load()-before, " calls") })
			}
			close(stop)
			workers.Wait()
			if failed.Load() > 0 || made.Load() < 100 {
				t.Errorf("%d of %d calls failed", failed.Load(), made.Load())
			}

			// Stolen: nothing answers but by the new key.
			old, _ := os.ReadFile(paths[0])
			key := rotate(t, o, 0)
			for _, s := range services {
				if ask(s) == nil {
					t.Error("the stolen key still opens Odoo")
				}
			}
			if string(old) == key {
				t.Error("the same key")
			}
			for _, path := range paths {
				putKey(t, path, key)
			}
			for _, s := range services {
				kit.Await(t, "an answer", func() error { return ask(s) })
			}
		})
	}
}

// overlapIsOver ends the key before the newest one, as its time does.
const overlapIsOver = `
env.cr.execute("UPDATE doorman_service_key SET until = now() at time zone 'utc' - interval '1 second' WHERE until IS NOT NULL")
env["doorman.settings"]._end_old_service_keys()
`

// rotate makes a new key, as a program of an administrator's does.
func rotate(t *testing.T, o *kit.Odoo, overlap int) string {
	t.Helper()
	var made struct{ Key string }
	if err := json.Unmarshal(kit.AsAdmin(t, o, "doorman.settings", "api_rotate_service_key", overlap), &made); err != nil || made.Key == "" {
		t.Fatalf("no key: %v", err)
	}
	return made.Key
}

// putKey replaces a key file at once, as configuration tools do.
func putKey(t *testing.T, path, key string) {
	t.Helper()
	if err := os.WriteFile(path+".new", []byte(key+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}
