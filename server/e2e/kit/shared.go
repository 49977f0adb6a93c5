package kit

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"doorman/odoo/localodoo"
)

// Main wraps testing.M: it ends the Odoos that tests started, after what else is to be ended. Call it from TestMain.
func Main(m *testing.M, ends ...func()) {
	code := m.Run()
	for _, end := range ends {
		end()
	}
	theHosts.close()
	os.Exit(code)
}

// once makes a thing of each name the first time that it is asked for. One that could not be made is not tried again.
type once[T any] struct {
	sync.Mutex
	made map[string]func() (T, error)
}

func (o *once[T]) do(name string, work func() (T, error)) (T, error) {
	o.Lock()
	if o.made == nil {
		o.made = map[string]func() (T, error){}
	}
	if o.made[name] == nil {
		o.made[name] = sync.OnceValues(work)
	}
	made := o.made[name]
	o.Unlock()
	return made()
}

// hosts are one for each set of modules, for the whole test binary: starting one costs seconds.
type hosts struct {
	once[*localodoo.Host]
	templates once[string]
	prepare   string
}

var theHosts hosts

// Prepare gives Python that runs once in the database that all databases of this test binary are then copied from. Call it
// from TestMain, before Main.
func Prepare(python string) { theHosts.prepare = python }

// database makes a database as Prepare wants it.
func (h *hosts) database(ctx context.Context, host *localodoo.Host) (string, error) {
	if h.prepare == "" {
		return host.NewDatabase(ctx)
	}
	template, err := h.templates.do(fmt.Sprintf("%p", host), func() (string, error) {
		db, err := host.NewDatabase(context.Background())
		if err == nil {
			_, err = host.Shell(context.Background(), db, h.prepare)
		}
		return db, err
	})
	if err != nil {
		return "", err
	}
	db, err := host.NewDatabaseFrom(ctx, template)
	if err != nil {
		return "", err
	}
	// Access is open in the template: without this, its copies would let nobody in.
	_, err = host.Psql(ctx, db, "UPDATE doorman_settings SET database_identity = NULL, database_name = NULL")
	return db, err
}

func (h *hosts) get(modules []string) (*localodoo.Host, error) {
	return h.do(fmt.Sprint(modules), func() (*localodoo.Host, error) {
		root, err := rootOf("go.mod")
		if err != nil {
			return nil, err
		}
		return localodoo.Start(context.Background(), localodoo.Options{
			Addons: []string{filepath.Join(root, "addon")}, Modules: append([]string{"doorman"}, modules...), Demo: true, Log: os.Stderr,
		})
	})
}

// close ends them all, and with them their servers.
func (h *hosts) close() {
	for _, made := range h.made {
		if host, err := made(); err == nil {
			_ = host.Close()
		}
	}
}

// server is an Odoo that serves the databases of many tests.
type server struct {
	*localodoo.Server
	host *localodoo.Host

	mu     sync.Mutex
	byText map[string]*sharedOdoo
}

// open gives a database to the server, and lets all its workers load it: a test's first call must not pay for that.
func (s *server) open(t testing.TB, o *Odoo) {
	t.Helper()
	o.Server = s.Server
	if err := s.Open(t.Context(), o.DB); err != nil {
		t.Errorf("opening the database: %v", err)
	}
}

// sharedOdoo is a database that several tests use, one after the other: the one that has the lock.
type sharedOdoo struct {
	sync.Mutex
	odoo *Odoo
}

func (s *server) shared(setup string) *sharedOdoo {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byText[setup] == nil {
		s.byText[setup] = &sharedOdoo{}
	}
	return s.byText[setup]
}

// servers are one for each set of modules and number of workers.
type servers struct{ once[*server] }

var theServers servers

func (s *servers) get(t testing.TB, modules []string, workers int) *server {
	t.Helper()
	found, err := s.do(fmt.Sprint(modules, workers), func() (*server, error) {
		host, err := theHosts.get(modules)
		if err != nil {
			return nil, err
		}
		// Every database that was ever opened stays in memory; that must not make Odoo restart between two tests.
		odoo, err := host.Serve(context.Background(), localodoo.ServeOptions{
			Workers: workers, ExtraArgs: []string{"--limit-memory-soft", "0", "--limit-memory-hard", "0"},
		})
		return &server{Server: odoo, host: host, byText: map[string]*sharedOdoo{}}, err
	})
	if err != nil {
		t.Fatalf("no local Odoo: %v", err)
	}
	return found
}
