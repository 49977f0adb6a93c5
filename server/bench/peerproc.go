package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"time"

	"doorman/server/e2e/venv"
)

const (
	nameIvnvxd = "mcp-server-odoo"
	nameErpipe = "odoo-mcp"
)

// target is the Odoo that all servers ask, and the user as whom they do.
type target struct{ url, db, login, password, apiKey string }

// peer is how one of the other servers is started.
type peer struct {
	name string // of its package, too
	args func(port string) []string
	env  func(t target) []string
	path string // of its MCP endpoint
}

// peers are the other servers, each as it works best for this Odoo: JSON-2 with a key, which both recommend for Odoo 19,
// all tools and writing switched on, no limits, no log of what goes well. What each has to be told stands in its own
// documentation.
var peers = []peer{
	{
		name: nameIvnvxd, path: "/mcp",
		args: func(port string) []string {
			return []string{"-m", "mcp_server_odoo", "--transport", "streamable-http", "--host", "127.0.0.1", "--port", port}
		},
		env: func(t target) []string {
			return []string{
				"ODOO_URL=" + t.url, "ODOO_DB=" + t.db, "ODOO_USER=" + t.login, "ODOO_API_KEY=" + t.apiKey, "ODOO_RPC_TRANSPORT=json2",
				"ODOO_YOLO=true", "ODOO_MCP_ENABLE_METHOD_CALLS=true", "ODOO_MCP_LOG_LEVEL=WARNING",
			}
		},
	},
	{
		name: nameErpipe, path: "/mcp",
		args: func(port string) []string {
			return []string{"-m", "odoo_mcp", "--transport", "streamable-http", "--host", "127.0.0.1", "--port", port, "--path", "/mcp", "--log-level", "WARNING"}
		},
		env: func(t target) []string {
			return []string{
				"ODOO_URL=" + t.url, "ODOO_DB=" + t.db, "ODOO_USERNAME=" + t.login, "ODOO_PASSWORD=" + t.password, "ODOO_API_KEY=" + t.apiKey,
				"ODOO_TRANSPORT=json2", "ODOO_MCP_ENABLE_WRITES=1", "ODOO_MCP_ALLOW_UNKNOWN_METHODS=1", "MCP_CHATTER_DIRECT=1",
				"ODOO_MCP_RATE_LIMIT_MODE=off", "ODOO_MCP_LOG_LEVEL=WARNING",
			}
		},
	},
}

// startPeer runs one of the other servers on a free port of this machine, and returns when it has said hello.
//
// Parameters: venvDir holds it; dir is an empty folder, in which it starts: it reads settings from where it is.
// Errors: a server that ends, or that does not answer within a minute, with the end of its log.
func startPeer(ctx context.Context, p peer, venvDir, dir string, t target) (*child, error) {
	port, err := freePort(ctx)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(venv.Python(venvDir), p.args(port)...)
	cmd.Dir = dir
	// Nothing of the environment: no setting of another Odoo's, no proxy.
	cmd.Env = append(p.env(t), "PATH="+os.Getenv("PATH"), "HOME="+dir, "LANG=C.UTF-8", "PYTHONUNBUFFERED=1")
	c, err := launch(cmd, nil)
	if err != nil {
		return nil, err
	}
	c.url = "http://127.0.0.1:" + port + p.path
	if err := c.awaitHello(ctx, time.Minute); err != nil {
		c.stop()
		return nil, fmt.Errorf("%s: %w\n%s", p.name, err, c.log)
	}
	return c, nil
}

// awaitHello waits until a session can be opened.
func (c *child) awaitHello(ctx context.Context, patience time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		s, err := openSession(ctx, c.url, "")
		if err == nil {
			s.close()
			return nil
		}
		select {
		case <-c.done:
			return fmt.Errorf("it ended at once: %w", errors.Join(c.err, err))
		case <-ctx.Done():
			return fmt.Errorf("it does not answer: %w", errors.Join(ctx.Err(), err))
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// freePort finds a port that nobody uses. It may be taken until the server binds it; then that ends at once.
func freePort(ctx context.Context) (string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	port := l.Addr().(*net.TCPAddr).Port
	return strconv.Itoa(port), l.Close()
}
