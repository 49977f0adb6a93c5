package localodoo

import (
	"context"
	"os"
	"testing"
)

// What a test pays for its Odoo, in time: `DOORMAN_TEST_ODOO=1 go test -run '^$' -bench . ./odoo/localodoo` on a quiet
// machine. The tests themselves never judge by seconds.

// benchmarkHost starts a warm Host, with a database.
func benchmarkHost(b *testing.B) (h *Host, db string) {
	b.Helper()
	if os.Getenv("DOORMAN_TEST_ODOO") != "1" {
		b.Skip("SKIPPED: needs a real Odoo; set DOORMAN_TEST_ODOO=1")
	}
	h, err := Start(context.Background(), Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = h.Close() })
	if db, err = h.NewDatabase(b.Context()); err != nil {
		b.Fatal(err)
	}
	return h, db
}

func BenchmarkStartAndClose(b *testing.B) {
	benchmarkHost(b) // so that the layer is there
	for b.Loop() {
		h, err := Start(context.Background(), Options{})
		if err != nil {
			b.Fatal(err)
		}
		if err := h.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkNewDatabase(b *testing.B) {
	h, _ := benchmarkHost(b)
	for b.Loop() {
		db, err := h.NewDatabase(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := h.DropDatabase(b.Context(), db); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

func BenchmarkShell(b *testing.B) {
	h, db := benchmarkHost(b)
	if _, err := h.Shell(b.Context(), db, "pass"); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := h.Shell(b.Context(), db, "pass"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkServe(b *testing.B) {
	h, db := benchmarkHost(b)
	for _, row := range []struct {
		name    string
		workers int
	}{{"threaded", 0}, {"prefork", 1}} {
		b.Run(row.name, func(b *testing.B) {
			for b.Loop() {
				s, err := h.Serve(b.Context(), ServeOptions{Workers: row.workers, Databases: []string{db}})
				if err != nil {
					b.Fatal(err)
				}
				if err := s.Stop(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
