package localodoo

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// ServeOptions say what kind of server is wanted. The zero value is a threaded
// one on a free port, with its log in the temp dir.
type ServeOptions struct {
	// Workers is the number of prefork processes; 0 is one process with threads.
	// Websockets of a prefork server are on another port, as in production.
	Workers int
	// Port on 127.0.0.1; 0 picks a free one, which a Restart keeps.
	Port int
	// LogFile gets Odoo's output, appended. "" is a file in the temp dir, which
	// Close removes.
	LogFile string
	// ExtraArgs are put at the end of Odoo's command line.
	ExtraArgs []string
	// Databases are opened before Serve returns, so that the first request of a
	// test does not pay for loading the registry.
	Databases []string
}

// Server is one Odoo HTTP server. It serves every database of its Host; a
// request says which one by the header X-Odoo-Database.
type Server struct {
	host   *Host
	opts   ServeOptions
	port   int
	gevent int        // of a prefork server's websockets
	holds  []*os.File // keep both ports from other hosts

	mu   sync.Mutex // one start or stop at a time
	proc *child
}

// Serve starts an Odoo server and returns once it answers (and Databases are
// open). ctx bounds the wait only; the server lives until Stop or Close. A
// server that ends at once is an error with the part of its log that explains it.
func (h *Host) Serve(ctx context.Context, o ServeOptions) (*Server, error) {
	s := &Server{host: h, opts: o}
	h.mu.Lock()
	if h.life.Err() != nil {
		h.mu.Unlock()
		return nil, errClosed
	}
	if s.opts.LogFile == "" {
		s.opts.LogFile = filepath.Join(h.work.dir, "log", fmt.Sprintf("odoo-%d.log", len(h.servers)+1))
	}
	h.servers = append(h.servers, s)
	h.mu.Unlock()

	for try := 1; ; try++ {
		err := s.place()
		if err == nil {
			err = s.start(ctx)
		}
		if err == nil {
			return s, nil
		}
		// Between finding a port free and Odoo taking it, anybody may have come.
		if !errors.Is(err, errPortTaken) || o.Port != 0 || try == 5 {
			return nil, err
		}
	}
}

// errPortTaken is a lost race for a port.
var errPortTaken = errors.New("the port is taken")

// place chooses the ports and holds them.
func (s *Server) place() error {
	s.letGo()
	s.mu.Lock()
	defer s.mu.Unlock()
	ports := []*int{&s.gevent}
	if s.port = s.opts.Port; s.port == 0 {
		ports = append(ports, &s.port)
	}
	for _, port := range ports {
		number, hold, err := FreePort()
		if err != nil {
			return err
		}
		*port, s.holds = number, append(s.holds, hold)
	}
	return nil
}

// letGo gives the ports back.
func (s *Server) letGo() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, hold := range s.holds {
		hold.Close()
	}
	s.holds = nil
}

// FreePort finds a TCP port of 127.0.0.1 that nobody uses and keeps other hosts
// from taking it until hold is closed, while a server listens there, or starts
// again. It is below the range that the kernel hands to outgoing connections: a
// port from there could be taken by any client while a server restarts.
func FreePort() (port int, hold *os.File, err error) {
	for range 100 {
		port = 15000 + rand.IntN(15000)
		if hold, err = holdPort(port); err == nil {
			return port, hold, nil
		}
	}
	return 0, nil, fmt.Errorf("no free port on 127.0.0.1: %w", err)
}

// args is the command line of the server.
func (s *Server) args() []string {
	args := append([]string{"server"}, s.host.odoo().common()...)
	args = append(args,
		"--http-interface", "127.0.0.1",
		"--http-port", strconv.Itoa(s.port),
		"--gevent-port", strconv.Itoa(s.gevent),
		"--workers", strconv.Itoa(s.opts.Workers),
		"--max-cron-threads", "0",
		"--db-filter", "",
		// A test that holds a request in a debugger or a load test must not have
		// its worker recycled.
		"--limit-time-real", "3600", "--limit-time-cpu", "3600",
	)
	return append(args, s.opts.ExtraArgs...)
}

// start runs the process and waits for its first answer.
func (s *Server) start(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	h := s.host
	if h.life.Err() != nil {
		return errClosed
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	defer context.AfterFunc(h.life, func() { cancel(errClosed) })()
	log, err := os.OpenFile(s.opts.LogFile, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return fmt.Errorf("log file: %w", err)
	}
	defer log.Close()
	from, err := log.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	s.proc, err = h.work.start(h.tools.odoo(h.work, h.addons, s.args()...), "group", log)
	if err != nil {
		return err
	}
	if err := s.await(ctx, from); err != nil {
		return errors.Join(err, s.proc.kill())
	}
	return nil
}

// await polls until the server answers (both parts of a prefork server), then
// opens the databases.
func (s *Server) await(ctx context.Context, from int64) error {
	urls := []string{s.URL()}
	if s.opts.Workers > 0 {
		urls = append(urls, local(s.gevent))
	}
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for len(urls) > 0 {
		if err := get(ctx, urls[0]+"/web/health", ""); err == nil {
			urls = urls[1:]
			continue
		}
		select {
		case <-s.proc.done:
			text := s.logSince(from)
			if bytes.Contains(text, []byte("Address already in use")) {
				return errPortTaken
			}
			return fmt.Errorf("Odoo ended at once: %v\n%s", s.proc.err, failingPart(string(text))) //nolint:errorlint // there may be no err
		case <-ctx.Done():
			return fmt.Errorf("waiting for Odoo: %w\n%s", context.Cause(ctx), failingPart(string(s.logSince(from))))
		case <-timer.C:
		}
	}
	// Somebody else may have answered on a port that Odoo failed to get.
	if bytes.Contains(s.logSince(from), []byte("Address already in use")) {
		return errPortTaken
	}
	for _, db := range s.opts.Databases {
		if err := s.Open(ctx, db); err != nil {
			return fmt.Errorf("opening the database %s: %w\n%s", db, err, failingPart(string(s.logSince(from))))
		}
	}
	return nil
}

// opening is how often Open asks for a worker that has not answered: it may be at
// work for somebody else for long.
const opening = 400

// Open makes each of the workers load the registry of a database. Which worker
// takes a request is the kernel's choice, so it asks until all have answered.
func (s *Server) Open(ctx context.Context, db string) error {
	var from int64
	if info, err := os.Stat(s.opts.LogFile); err == nil {
		from = info.Size()
	}
	page := s.URL() + "/web/login"
	if err := get(ctx, page, db); err != nil {
		return err
	}
	timer := time.NewTicker(tick)
	defer timer.Stop()
	for range opening {
		if s.opts.Workers == 0 || len(workersOf(s.logSince(from), db)) >= s.opts.Workers {
			break
		}
		var all sync.WaitGroup
		for range 3 * s.opts.Workers {
			all.Go(func() { _ = get(ctx, page, db) })
		}
		all.Wait()
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
		}
	}
	return nil
}

// answered is a request in Odoo's log: date, time, process, level, database.
var answered = regexp.MustCompile(`(?m)^\S+ \S+ (\d+) INFO (\S+) werkzeug: .* "GET /web/login`)

// workersOf are the processes that have answered for a database, by Odoo's log.
func workersOf(log []byte, db string) map[string]bool {
	pids := map[string]bool{}
	for _, found := range answered.FindAllSubmatch(log, -1) {
		if string(found[2]) == db {
			pids[string(found[1])] = true
		}
	}
	return pids
}

// get asks a server for a page.
func get(ctx context.Context, url, db string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	if db != "" {
		req.Header.Set("X-Odoo-Database", db)
	}
	req.Close = true // a kept connection would pin one worker
	resp, err := direct.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, io.LimitReader(resp.Body, 1<<20)); err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answered %s", url, resp.Status)
	}
	return nil
}

// direct never uses a proxy of the environment: the server is on this machine.
var direct = &http.Client{
	Transport:     &http.Transport{Proxy: nil},
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// logSince reads the log from an offset on, at most its last megabyte.
func (s *Server) logSince(from int64) []byte {
	f, err := os.Open(s.opts.LogFile)
	if err != nil {
		return nil
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.Size()-from > 1<<20 {
		from = info.Size() - 1<<20
	}
	text, _ := io.ReadAll(io.NewSectionReader(f, from, 1<<20))
	return text
}

// URL is the server's address, without a slash at the end.
func (s *Server) URL() string { return local(s.port) }

// WebsocketURL is where websockets are served: the port of its own that a
// prefork server has for them, as in production; otherwise URL.
func (s *Server) WebsocketURL() string {
	if s.opts.Workers > 0 {
		return local(s.gevent)
	}
	return s.URL()
}

// local is the address of a port of this machine.
func local(port int) string { return "http://127.0.0.1:" + strconv.Itoa(port) }

// LogFile is the path of the server's log.
func (s *Server) LogFile() string { return s.opts.LogFile }

// Exited is closed when the current process has ended, by itself or by Stop or
// Kill. After a Restart it is another channel.
func (s *Server) Exited() <-chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.done
}

// Stop ends the server in order: requests that run may finish, within ten
// seconds. A paused server is killed. Stopping a stopped server does nothing.
func (s *Server) Stop() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.proc == nil {
		return nil
	}
	return s.proc.stop(syscall.SIGTERM, stopGrace)
}

// Restart stops the server if it runs and starts it on the same port, with the
// addons' code as it is now. It returns once the server answers.
func (s *Server) Restart(ctx context.Context) error {
	if err := s.Stop(); err != nil {
		return err
	}
	return s.start(ctx)
}

// Pause freezes the server and its workers (SIGSTOP): connections are accepted
// by the kernel and never answered, as by an Odoo that hangs.
func (s *Server) Pause() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.freeze(true)
}

// Resume lets a paused server go on.
func (s *Server) Resume() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.freeze(false)
}

// Kill ends the server and its workers at once (SIGKILL), as a crash would.
// Restart brings it back.
func (s *Server) Kill() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.proc.kill()
}
