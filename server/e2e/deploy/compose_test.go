//go:build linux

package deploy_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"doorman/odoo/localodoo"
	"doorman/server/e2e/kit"
)

// stack is docker-compose.yml without containers: each service's own command, with the paths and addresses of this machine in
// place of the containers'.
type stack struct {
	t       *testing.T
	file    kit.Compose
	host    *localodoo.Host
	paths   *strings.Replacer // containers' paths -> this machine's
	config  string
	keys    string
	env     []string // what differs from the containers
	doorman string   // the public address of the service
	odoo    string
}

// newStack lays out the volumes. Nothing has run yet.
func newStack(t *testing.T) *stack {
	t.Helper()
	kit.SkipWithoutOdoo(t)
	root := filepath.Dir(kit.AddonDir(t))
	host, err := localodoo.Start(context.Background(), localodoo.Options{Log: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = host.Close() })
	dir, err := host.WorkDir("compose")
	if err != nil {
		t.Fatal(err)
	}
	// The checkout may be closed to Odoo's account.
	for from, to := range map[string]string{"addon": "addons", "deploy/compose": "deploy"} {
		if err := os.CopyFS(filepath.Join(dir, to), os.DirFS(filepath.Join(root, from))); err != nil {
			t.Fatal(err)
		}
	}
	ports := freePorts(t, 4)
	s := &stack{
		t: t, host: host, config: filepath.Join(dir, "config"), keys: filepath.Join(dir, "key"),
		doorman: "http://localhost:" + ports[0], odoo: "http://localhost:" + ports[1],
	}
	data, err := host.WorkDir("compose/data")
	if err != nil {
		t.Fatal(err)
	}
	s.paths = strings.NewReplacer("/deploy/", filepath.Join(dir, "deploy")+"/", "/run/doorman/config", s.config, "/run/doorman/key", s.keys)
	socket, port, user := host.Socket()
	s.env = []string{
		"CONFIG_DIR=" + s.config, "KEY_DIR=" + s.keys, "DATA_DIR=" + data, "ADDONS_PATH=" + filepath.Join(dir, "addons"),
		"DB_HOST=" + socket, "DB_PORT=" + port, "DB_USER=" + user,
		"HTTP_INTERFACE=127.0.0.1", "HTTP_PORT=" + ports[2], "GEVENT_PORT=" + ports[3],
	}
	if account := host.Account(); account != "" {
		s.env = append(s.env, "ODOO_USER="+account)
	} else {
		me, group := fmt.Sprint(os.Getuid()), fmt.Sprint(os.Getgid())
		s.env = append(s.env, "ODOO_USER="+me, "DB_GROUP="+group, "SERVICE_GROUP="+group)
	}
	s.file = kit.ReadCompose(t, map[string]string{"ODOO_DB": "from_nothing", "DOORMAN_PUBLIC_URL": s.doorman, "ODOO_PUBLIC_URL": s.odoo})
	return s
}

// freePorts are so many of kit.FreePort.
func freePorts(t *testing.T, n int) (ports []string) {
	t.Helper()
	for range n {
		ports = append(ports, kit.FreePort(t))
	}
	return ports
}

// command is a service's command and environment, on this machine.
func (s *stack) command(service string) (words, env []string) {
	s.t.Helper()
	of, there := s.file.Services[service]
	if !there {
		s.t.Fatalf("docker-compose.yml has no service %s", service)
	}
	for _, word := range slices.Concat(of.Entrypoint, of.Command) {
		words = append(words, s.paths.Replace(word))
	}
	for _, name := range slices.Sorted(maps.Keys(of.Environment)) {
		env = append(env, name+"="+s.paths.Replace(of.Environment[name]))
	}
	return words, append(env, s.env...)
}

// secrets runs the first service: as root in its container, as the user of the tests here.
func (s *stack) secrets() {
	s.t.Helper()
	words, env := s.command("secrets")
	script := exec.CommandContext(s.t.Context(), words[0], words[1:]...)
	script.Env = append(os.Environ(), env...)
	if out, err := script.CombinedOutput(); err != nil {
		s.t.Fatalf("secrets: %v\n%s", err, out)
	}
}

// asOdoo runs a program as Odoo's account with `odoo` at hand, and returns its output.
func (s *stack) asOdoo(in io.Reader, env []string, words ...string) string {
	s.t.Helper()
	var out bytes.Buffer
	err := s.host.RunProgram(s.t.Context(), localodoo.Program{Path: words[0], Args: words[1:], Env: env, In: in, Out: &out})
	if err != nil {
		s.t.Fatalf("%v: %v\n%s", words, err, out.String())
	}
	return out.String()
}

func (s *stack) bootstrap() string {
	s.t.Helper()
	words, env := s.command("bootstrap")
	return s.asOdoo(nil, env, words...)
}

// python runs in the database, with env; what it prints after "OUT " is returned.
func (s *stack) python(code string) string {
	s.t.Helper()
	_, env := s.command("odoo")
	out := s.asOdoo(strings.NewReader(code), env, "/bin/sh", "-c",
		`exec odoo shell --config "$CONFIG_DIR/odoo.conf" --database from_nothing --no-http`)
	_, found, _ := strings.Cut(out, "OUT ")
	found, _, _ = strings.Cut(found, "\n")
	return found
}

// serveOdoo runs the service of that name until the test ends, and waits until its health check would be content.
func (s *stack) serveOdoo() string {
	s.t.Helper()
	words, env := s.command("odoo")
	ctx, stop := context.WithCancel(context.Background())
	var log kit.Log
	ended := make(chan error, 1)
	go func() {
		path, err := s.lookOdoo(words[0])
		if err == nil {
			err = s.host.RunProgram(ctx, localodoo.Program{Path: path[0], Args: append(path[1:], words[1:]...), Env: env, Out: &log})
		}
		ended <- err
	}()
	s.t.Cleanup(func() { stop(); <-ended })
	url := "http://127.0.0.1:" + s.value("HTTP_PORT")
	kit.Await(s.t, "Odoo is healthy", func() error {
		select {
		case err := <-ended:
			ended <- err
			s.t.Fatalf("Odoo ended: %v\n%s", err, log.String())
		default:
		}
		answer, err := http.Get(url + "/web/health")
		if err != nil {
			return err
		}
		_ = answer.Body.Close()
		return kit.Unless(answer.StatusCode == http.StatusOK, answer.Status)
	})
	return url
}

// lookOdoo starts `odoo` by way of a shell, which finds it on the PATH that RunProgram makes.
func (s *stack) lookOdoo(name string) ([]string, error) {
	if name != "odoo" {
		return nil, fmt.Errorf("the service odoo runs %q", name)
	}
	return []string{"/bin/sh", "-c", `exec odoo "$@"`, "sh"}, nil
}

// value is one of the variables that differ from the containers'.
func (s *stack) value(name string) string {
	for _, variable := range s.env {
		if value, found := strings.CutPrefix(variable, name+"="); found {
			return value
		}
	}
	s.t.Fatalf("no %s", name)
	return ""
}

func (s *stack) read(path ...string) string {
	s.t.Helper()
	text, err := os.ReadFile(filepath.Join(path...))
	if err != nil {
		s.t.Fatal(err)
	}
	return string(text)
}

// logIn says whether this password lets the administrator in.
func logIn(t *testing.T, odoo, password string) bool {
	t.Helper()
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "params": map[string]any{"db": "from_nothing", "login": "admin", "password": password}})
	if err != nil {
		t.Fatal(err)
	}
	jar, _ := cookiejar.New(nil)
	answer, err := (&http.Client{Jar: jar}).Post(odoo+"/web/session/authenticate", "application/json", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	var reply struct {
		Result struct {
			UID any `json:"uid"`
		} `json:"result"`
	}
	if err := json.NewDecoder(answer.Body).Decode(&reply); err != nil {
		t.Fatal(err)
	}
	uid, isNumber := reply.Result.UID.(float64)
	return isNumber && uid > 0
}

// TestRealCompose: one command, no click. The services' commands in their order, from no database at all to a governed
// answer; then again, as each start of the stack does.
func TestRealCompose(t *testing.T) {
	t.Parallel()
	s := newStack(t)
	s.secrets()
	s.modes(t)
	secrets := s.read(s.config, "odoo.conf") + s.read(s.config, "db_password") + s.read(s.config, "admin_password")
	s.secrets()
	if again := s.read(s.config, "odoo.conf") + s.read(s.config, "db_password") + s.read(s.config, "admin_password"); again != secrets {
		t.Error("a second start has made other secrets")
	}

	if out := s.bootstrap(); !strings.Contains(out, "doorman: ready") {
		t.Fatalf("bootstrap:\n%s", out)
	}
	key := s.read(s.keys, "service_key")
	s.keyMode(t)
	odoo := s.serveOdoo()
	password := s.read(s.config, "admin_password")
	if logIn(t, odoo, "admin") || !logIn(t, odoo, password) {
		t.Error("the administrator's password is not the one that was made")
	}

	service := s.serveDoorman(odoo)
	credential, addresses, _ := strings.Cut(s.python(`
record = env["doorman.connection"].create({"name": "compose", "user_id": env.ref("base.user_admin").id})
key = record._issue_key()
env.cr.commit()
print("OUT", key, env["doorman.settings"]._get().public_url, env["ir.config_parameter"].sudo().get_param("web.base.url"))
`), " ")
	session := kit.Connect(t, service.MCP, credential)
	if content, failed := kit.Call(t, session, "search_records", map[string]any{"model": "res.users", "fields": []string{"login"}}); failed != "" {
		t.Fatalf("the first call: %s %v", failed, content)
	}
	if addresses != s.doorman+" "+s.odoo {
		t.Errorf("addresses: %q", addresses)
	}

	// What people have changed since stays, and the running service keeps its key.
	s.python(`
env["doorman.settings"]._get().action_disable()
env.ref("base.user_admin").password = "a password of their own"
env.cr.commit()
`)
	s.secrets()
	s.bootstrap()
	if again := s.read(s.keys, "service_key"); again != key {
		t.Error("a second start has made another service key")
	}
	if !logIn(t, odoo, "a password of their own") {
		t.Error("a second start has changed the administrator's password")
	}

	// A key that Odoo does not know any more, as after a restored database, is replaced, and the service takes it by itself.
	enabled := s.python(`
settings = env["doorman.settings"]._get()
print("OUT", settings.enabled)
settings.action_enable()
settings._generate_service_key()
env.cr.execute("UPDATE ir_module_module SET latest_version = '19.0.0.1.0' WHERE name = 'doorman'")
env.cr.commit()
`)
	if enabled != "False" {
		t.Errorf("a second start has switched access on: %s", enabled)
	}
	if out := s.bootstrap(); !strings.Contains(out, "doorman: ready") {
		t.Fatalf("bootstrap:\n%s", out)
	}
	if again := s.read(s.keys, "service_key"); again == key {
		t.Error("a key that opens nothing was left")
	}
	version, err := s.host.Psql(t.Context(), "from_nothing", "SELECT latest_version FROM ir_module_module WHERE name = 'doorman'")
	if err != nil || strings.TrimSpace(version) == "19.0.0.1.0" {
		t.Errorf("an older addon was not updated: %s %v", version, err)
	}
	kit.Await(t, "the service works with its new key", func() error {
		content, failed := kit.Call(t, session, "search_records", map[string]any{"model": "res.users", "fields": []string{"login"}})
		return kit.Unless(failed == "", failed, content)
	})
}

// serveDoorman runs `doorman serve` with the file's settings; only where Odoo is, and what it listens on, is this machine's.
func (s *stack) serveDoorman(odoo string) *kit.Service {
	s.t.Helper()
	var env []string
	for name, value := range s.file.Services["doorman"].Environment {
		value = s.paths.Replace(value)
		if name == "DOORMAN_ODOO_URL" {
			if value != "http://odoo:8069" {
				s.t.Errorf("DOORMAN_ODOO_URL is %s: that is not the service odoo", value)
			}
			value = odoo
		}
		env = append(env, name+"="+value)
	}
	slices.Sort(env)
	// Where its public address leads; the proxy that is there in containers is tested by TestProxies.
	return kit.Serve(s.t, append(env, "DOORMAN_LISTEN="+strings.TrimPrefix(s.doorman, "http://"))...)
}

// modes: each file belongs to the user that reads it, and no other account of the containers can.
func (s *stack) modes(t *testing.T) {
	t.Helper()
	for name, mode := range map[string]fs.FileMode{"db_password": 0o440, "admin_password": 0o400, "odoo.conf": 0o400} {
		info, err := os.Stat(filepath.Join(s.config, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v", name, info.Mode())
		}
	}
}

// keyMode: the service's group may read the key, and nobody else.
func (s *stack) keyMode(t *testing.T) {
	t.Helper()
	info, err := os.Stat(filepath.Join(s.keys, "service_key"))
	if err != nil {
		t.Fatal(err)
	}
	group, want := info.Sys().(*syscall.Stat_t).Gid, uint32(os.Getgid())
	if s.host.Account() != "" {
		want = 65532
	}
	if info.Mode().Perm() != 0o640 || group != want {
		t.Errorf("the service key has mode %v and group %d", info.Mode(), group)
	}
}
