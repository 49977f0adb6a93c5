package limit

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"
)

// server is a redis-server of the tests' own, on a socket in a directory of its own: no port, nothing on disk.
type server struct {
	url     string
	command *exec.Cmd
	life    io.Closer // the server ends when this is closed
}

// keepServer runs redis-server for as long as its standard input is open: a test binary that panics, or is killed,
// closes it too and leaves no server behind.
const keepServer = `dir=$1; shift; redis-server "$@" & server=$!; cat; kill -9 $server; wait $server; rm -rf "$dir"`

func startServer(args ...string) (s *server, err error) {
	dir, err := os.MkdirTemp("", "limit") // not t.TempDir: the path of a socket may have 107 bytes only
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(dir, "redis.sock")
	s = &server{url: "unix://" + socket + patient}
	args = append([]string{"-c", keepServer, "sh", dir, "--port", "0", "--save", "", "--unixsocket", socket, "--dir", dir}, args...)
	s.command = exec.Command("sh", args...)
	if s.life, err = s.command.StdinPipe(); err == nil {
		err = s.command.Start()
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	r, err := NewRedis(s.url)
	if err != nil {
		s.stop()
		return nil, err
	}
	defer r.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 3*time.Minute)
	defer cancel()
	for {
		// A server that wants a password answers too.
		if err := r.Ready(ctx); err == nil || strings.Contains(err.Error(), "NOAUTH") {
			return s, nil
		} else if ctx.Err() != nil {
			s.stop()
			return nil, fmt.Errorf("redis-server does not get ready: %w", err)
		}
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// stop returns when the server is gone.
func (s *server) stop() {
	_ = s.life.Close()
	_ = s.command.Wait()
}

// patient has a Redis wait as long as a test may: those of the product would take a machine that is busy with other tests for
// a Redis that is away.
const patient = "?dial_timeout=1m&read_timeout=1m&write_timeout=1m&pool_timeout=1m"

// shared is the one server of all tests that do not stop it.
var shared struct {
	sync.Once
	server *server
	err    error
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.stop()
	}
	os.Exit(code)
}

func needRedis(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("redis-server"); err != nil {
		t.Skip("redis-server is not installed: `make deps` installs it")
	}
}

// newTestRedis returns a Redis with a pool of its own, as a replica has, on the shared server.
func newTestRedis(t testing.TB) *Redis {
	t.Helper()
	needRedis(t)
	shared.Do(func() { shared.server, shared.err = startServer() })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return open(t, shared.server.url)
}

func open(t testing.TB, url string) *Redis {
	t.Helper()
	r, err := NewRedis(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	return r
}

// TestClocksOfReplicasDoNotMatter: two replicas that disagree by an hour, and by a day, share one window.
func TestClocksOfReplicasDoNotMatter(t *testing.T) {
	t.Parallel()
	a, b := newTestRedis(t), newTestRedis(t)
	key := uuid.NewString()
	now := time.Now()
	for _, row := range []struct {
		replica *Redis
		now     time.Time
		allowed bool
	}{
		{a, now, true}, {b, now.Add(-time.Hour), true}, {b, now.Add(time.Hour), true},
		{a, now.Add(time.Hour), false}, {b, now.Add(-time.Hour), false}, {b, now.Add(24 * time.Hour), false},
	} {
		if v := take(t, row.replica, key, limits(3, 1000), row.now); v.Allowed != row.allowed {
			t.Errorf("a request by a clock that is %s ahead: %+v", row.now.Sub(now), v)
		}
	}
}

func TestEveryKeyExpires(t *testing.T) {
	t.Parallel()
	r := newTestRedis(t)
	key := uuid.NewString()
	if err := r.Seed(t.Context(), key, 5, time.Now()); err != nil {
		t.Fatal(err)
	}
	take(t, r, key, limits(2, 1000), time.Now())
	take(t, r, key, limits(1, 1000), time.Now())
	for i, most := range []time.Duration{61 * time.Second, 25 * time.Hour} {
		name := keys(key)[i]
		if ttl := r.client.PTTL(t.Context(), name).Val(); ttl <= 0 || ttl > most {
			t.Errorf("%s expires in %s", name, ttl)
		}
	}
	if ttl := r.client.PTTL(t.Context(), keys(key)[0]).Val(); ttl < 60*time.Second-20*time.Second {
		t.Errorf("the log expires in %s: before its requests have left", ttl)
	}
	found, err := r.client.Keys(t.Context(), "*"+key+"*").Result()
	if err != nil || len(found) != 2 {
		t.Errorf("%v, %v", found, err)
	}
}

// TestBothKeysOnOneNode: a cluster hashes what is between the first braces.
func TestBothKeysOnOneNode(t *testing.T) {
	t.Parallel()
	for _, name := range keys("4711") {
		if !strings.HasPrefix(name, "doorman:rate:{4711}:") {
			t.Error(name)
		}
	}
}

// TestRedisClockSetBack: the key stays refused, but for a minute, not until the clock has caught up.
func TestRedisClockSetBack(t *testing.T) {
	t.Parallel()
	r := newTestRedis(t)
	r.callersClock = true
	key := uuid.NewString()
	take(t, r, key, perMinute(1), noon.Add(time.Hour))
	// So far ahead was its expiry, by the old clock.
	if err := r.client.PExpire(t.Context(), keys(key)[0], time.Hour+time.Minute).Err(); err != nil {
		t.Fatal(err)
	}
	want := Verdict{Limit: PerMinute, Max: 1, RetryAfter: 61 * time.Second}
	for range 2 {
		if v := take(t, r, key, perMinute(1), noon); v != want {
			t.Errorf("%+v", v)
		}
	}
	if ttl := r.client.PTTL(t.Context(), keys(key)[0]).Val(); ttl > 61*time.Second {
		t.Errorf("the log expires in %s", ttl)
	}
}

func TestStoppedRedisIsAnError(t *testing.T) {
	t.Parallel()
	needRedis(t)
	s, err := startServer("--requirepass", canary)
	if err != nil {
		t.Fatal(err)
	}
	r := open(t, withPassword(s.url, canary))
	if err := r.Ready(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !take(t, r, "k", limits(10, 10), time.Now()).Allowed {
		t.Fatal("refused")
	}
	s.stop()
	begin := time.Now()
	for range 3 {
		refusedWithError(t, r)
	}
	if took := time.Since(begin); took > 20*time.Second {
		t.Errorf("six requests took %s to learn that Redis is gone", took)
	}
	if err := r.Ready(t.Context()); err == nil {
		t.Error("a stopped Redis answers a ping")
	}
}

// refusedWithError: Take and Seed must say that nobody knows, allow nothing, and not print the password.
func refusedWithError(t *testing.T, r *Redis) {
	t.Helper()
	v, err := r.Take(t.Context(), "k", limits(10, 10), time.Now())
	if err == nil || v != (Verdict{}) {
		t.Errorf("%+v, %v", v, err)
	}
	seedErr := r.Seed(t.Context(), "k", 1, time.Now())
	if seedErr == nil {
		t.Error("a seed that nobody has is not an error")
	}
	noCanary(t, err)
	noCanary(t, seedErr)
}

// canary is the password in the tests: nothing may print it.
const canary = "c4nary-9Xq"

func noCanary(t *testing.T, err error) {
	t.Helper()
	for ; err != nil; err = errors.Unwrap(err) {
		if s := fmt.Sprintf("%v %+v %#v", err, err, err); strings.Contains(s, canary) {
			t.Errorf("the password is in the error: %s", s)
		}
	}
}

func withPassword(url, password string) string {
	return strings.Replace(url, "unix://", "unix://:"+password+"@", 1)
}

func TestPasswordIsInNoError(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"redis://:" + canary + "@host:notaport/0",
		"redis://:" + canary + "@host:6379/zero",
		"redis://:" + canary + "@host:6379/0/1",
		"redis://:" + canary + "@host:6379/0?what=1",
		"redis://:" + canary + "@host:6379/0?max_retries=many",
		"redis://:" + canary + "@/0",
		"redis://:" + canary + "%@host/0",
		"redis://:" + canary + " \x01@host/0",
		"redis:" + canary + "@host/0",
		"unix://:" + canary + "@",
		"http://:" + canary + "@host/0",
		canary,
		"",
	} {
		r, err := NewRedis(url)
		if err == nil {
			t.Errorf("%q is accepted", url)
			_ = r.Close()
		}
		noCanary(t, err)
	}
	for _, url := range []string{
		"redis://localhost", "redis://user:" + canary + "@10.0.0.1:6380/3", "rediss://[::1]:6379", "unix:///run/redis.sock?db=2",
	} {
		r, err := NewRedis(url)
		if err != nil {
			t.Errorf("%q is refused: %v", url, err)
			continue
		}
		_ = r.Close()
	}
}

func TestWrongPassword(t *testing.T) {
	t.Parallel()
	needRedis(t)
	s, err := startServer("--requirepass", "another")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.stop)
	refusedWithError(t, open(t, withPassword(s.url, canary)))
	refusedWithError(t, open(t, s.url))
}

// TestServerThatQuotesThePassword: an old server, or one whose AUTH was renamed, repeats what it was sent.
func TestServerThatQuotesThePassword(t *testing.T) {
	t.Parallel()
	answering(t, "-ERR unknown command 'AUTH', with args beginning with: '"+canary+"'\r\n", func(r *Redis, _ *atomic.Int64) {
		refusedWithError(t, r)
		noCanary(t, r.Ready(t.Context()))
	})
}

// TestAnswersThatAreNone: what is not one of the script's answers is not a permission.
func TestAnswersThatAreNone(t *testing.T) {
	t.Parallel()
	for _, answer := range []string{
		"*2\r\n:0\r\n:0\r\n", "*2\r\n:4\r\n:0\r\n", "*1\r\n:1\r\n", "*0\r\n", "*3\r\n:1\r\n:0\r\n:0\r\n", "*-1\r\n", "$-1\r\n",
		"+OK\r\n", ":1\r\n", "-READONLY You can't write against a read only replica.\r\n", "-OOM command not allowed\r\n",
		"*2\r\n$1\r\nx\r\n:0\r\n", "HTTP/1.1 200 OK\r\n\r\n",
	} {
		answering(t, answer, func(r *Redis, _ *atomic.Int64) {
			v, err := r.Take(t.Context(), "k", limits(10, 10), time.Now())
			if err == nil || v != (Verdict{}) {
				t.Errorf("%q: %+v, %v", answer, v, err)
			}
			noCanary(t, err)
		})
	}
}

// TestSilentServer: a server that takes the request and never answers costs the read timeout and no more, and does not
// get the request again: it may have counted it.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	answering(t, "", func(r *Redis, sent *atomic.Int64) {
		begin := time.Now()
		refusedWithError(t, r)
		if took := time.Since(begin); took > 10*time.Second {
			t.Errorf("two requests took %s", took)
		}
		if n := sent.Load(); n != 2 {
			t.Errorf("two requests were sent %d times", n)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if v, err := r.Take(ctx, "k", limits(10, 10), time.Now()); !errors.Is(err, context.Canceled) || v.Allowed {
			t.Errorf("%+v, %v", v, err)
		}
	})
}

// answering runs test against a server that says answer to every script (empty: never says anything to one) and counts
// them. Other commands succeed, unless the answer begins with -ERR: then they get it too.
func answering(t *testing.T, answer string, test func(r *Redis, scripts *atomic.Int64)) {
	t.Helper()
	dir, err := os.MkdirTemp("", "limit") //nolint:usetesting // the path of a socket may have 107 bytes only
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	socket := filepath.Join(dir, "s")
	listener, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	var scripts atomic.Int64
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go serve(c, answer, &scripts)
		}
	}()
	r, err := NewRedis(withPassword("unix://"+socket, canary))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	test(r, &scripts)
}

// serve reads commands (arrays of strings) until the client closes.
func serve(c net.Conn, answer string, scripts *atomic.Int64) {
	defer c.Close()
	in := bufio.NewReader(c)
	line := func() string { s, _ := in.ReadString('\n'); return strings.TrimSpace(s) }
	for {
		head := line()
		if head == "" {
			return
		}
		var n int
		_, _ = fmt.Sscanf(head, "*%d", &n)
		var words []string
		for range n {
			line()
			words = append(words, line())
		}
		if len(words) == 0 {
			return
		}
		out := "+OK\r\n"
		switch {
		case strings.HasPrefix(strings.ToUpper(words[0]), "EVAL"):
			scripts.Add(1)
			out = answer
		case strings.HasPrefix(answer, "-ERR"):
			out = answer
		case strings.EqualFold(words[0], "HELLO"):
			out = "*2\r\n$5\r\nproto\r\n:3\r\n"
		}
		if _, err := c.Write([]byte(out)); err != nil {
			return
		}
	}
}

func BenchmarkRedis(b *testing.B) {
	r := newTestRedis(b)
	for b.Loop() {
		if _, err := r.Take(b.Context(), "connection:4711", limits(60, 1<<40), time.Now()); err != nil {
			b.Fatal(err)
		}
	}
}
