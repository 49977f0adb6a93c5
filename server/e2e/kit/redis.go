package kit

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Redis starts a Redis of the test's own, on a socket and without files, and returns its URL. Without redis-server on
// this machine the test is skipped.
func Redis(t testing.TB) string {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("needs redis-server: make deps installs it")
	}
	dir, err := os.MkdirTemp("", "redis") //nolint:usetesting // the path of a socket may have 107 bytes only
	if err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(dir, "s")
	server := exec.Command("redis-server", "--port", "0", "--save", "", "--unixsocket", socket, "--dir", dir)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = server.Process.Kill()
		_ = server.Wait()
		_ = os.RemoveAll(dir)
	})
	Await(t, "redis-server takes connections", func() error {
		c, err := net.Dial("unix", socket)
		if err == nil {
			_ = c.Close()
		}
		return err
	})
	// What Redis may take is the service's business, tested in package limit; a busy machine is not the test's.
	return "unix://" + socket + "?dial_timeout=20s&read_timeout=20s&write_timeout=20s"
}
