package odootest

import (
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"doorman/server/access"
)

// TB is the part of testing.TB that New needs.
type TB interface {
	Helper()
	Fatalf(format string, args ...any)
	Cleanup(func())
}

// Server is a running fake. Every method is safe for concurrent use.
type Server struct {
	opt  Options
	addr string
	uid  atomic.Int64 // of the service's user

	mu          sync.RWMutex
	addon       Addon
	enabled     bool
	otherMCP    []string
	services    []string
	webFollows  bool
	settings    int64
	connections map[[32]byte]*access.Snapshot // by SHA-256 of the proof, as in Odoo
	usedToday   map[int64]int                 // by connection
	nextID      int64
	tables      map[string]*table
	answered    map[string]answered // by connection and idempotency key
	waits       map[int64]Waits     // by connection
	approvals   []*Approval         // by id, from 1
	oauth       *oauthState
	invites     []*invite        // by id, from 1
	managed     []map[string]any // made by the REST API, by id, from 1
	audit       []string         // lines of the audit, as they are exported
	undoable    []*undoable      // by change_id, from 1
	files       []*kept          // by ticket, from 1; nil = fetched
	faults      []*Fault
	cleared     chan struct{}
	seen        *log

	deciding sync.Mutex // one decision on a request for approval after the other

	life     sync.Mutex // start, stop, restart
	http     *http.Server
	listener net.Listener
	conns    map[net.Conn]struct{}
	stop     chan struct{}
}

// Start runs a fake on a loopback port. Close ends it.
func Start(o Options) (*Server, error) {
	o = o.withDefaults()
	s := &Server{
		opt: o, addon: Addon{Interface: access.Interface, Code: o.AddonVersion, Database: o.AddonVersion}, enabled: !o.Disabled, settings: 1, cleared: make(chan struct{}),
		connections: map[[32]byte]*access.Snapshot{}, usedToday: map[int64]int{}, nextID: 1, tables: demoTables(o.Partners),
		answered: map[string]answered{}, waits: map[int64]Waits{}, seen: newLog(), oauth: newOAuth(), conns: map[net.Conn]struct{}{},
	}
	s.uid.Store(o.UID)
	for _, c := range o.Connections {
		s.Connect(c)
	}
	if err := s.listen("127.0.0.1:0"); err != nil {
		return nil, err
	}
	return s, nil
}

// New runs a fake for the length of a test. With several Options the last one counts; none is the zero value.
func New(t TB, opts ...Options) *Server {
	t.Helper()
	var o Options
	if len(opts) > 0 {
		o = opts[len(opts)-1]
	}
	s, err := Start(o)
	if err != nil {
		t.Fatalf("odootest: %v", err)
	}
	t.Cleanup(s.Close)
	return s
}

// URL is where it listens. It has a path, as Odoo behind a proxy may: a client that builds absolute paths fails here.
func (s *Server) URL() string { return "http://" + s.addr + base }

// Options are the options in effect.
func (s *Server) Options() Options { return s.opt }

// SetUID gives the service's user another id, as if it had been made anew; its key stays.
func (s *Server) SetUID(uid int64) { s.uid.Store(uid) }

const base = "/odoo"

func (s *Server) listen(addr string) error {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	s.life.Lock()
	defer s.life.Unlock()
	s.addr = l.Addr().String()
	s.stop = make(chan struct{})
	s.http = &http.Server{
		Handler:           s,
		ReadHeaderTimeout: 10 * time.Second,
		ConnState:         s.track,
		ErrorLog:          nil,
	}
	srv := s.http
	s.listener = l
	go func() { _ = srv.Serve(l) }()
	return nil
}

// track knows every open connection, so that they can be cut.
func (s *Server) track(c net.Conn, state http.ConnState) {
	s.life.Lock()
	defer s.life.Unlock()
	switch state {
	case http.StateNew:
		s.conns[c] = struct{}{}
		s.seen.dialled()
	case http.StateHijacked, http.StateClosed:
		delete(s.conns, c)
	}
}

// stopped is closed when the fake stops.
func (s *Server) stopped() <-chan struct{} {
	s.life.Lock()
	defer s.life.Unlock()
	return s.stop
}

// Refuse stops listening and cuts every connection: from then on connections are refused, until Accept.
func (s *Server) Refuse() {
	s.life.Lock()
	srv, listener := s.http, s.listener
	s.http = nil
	if srv != nil {
		close(s.stop)
	}
	s.life.Unlock()
	if srv != nil {
		// By itself too: a server that is closed before it began to serve closes its listener some time later.
		_ = listener.Close()
		_ = srv.Close()
	}
}

// Accept listens again, on the same port.
func (s *Server) Accept() error {
	var err error
	for range 50 { // the port may be held for a moment by what was just closed
		if err = s.listen(s.addr); err == nil {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// Restart is Odoo stopped and started again: connections are cut, what it stored is still there.
func (s *Server) Restart() error {
	s.Refuse()
	return s.Accept()
}

// CloseConnections closes the idle keep-alive connections from this side, as a server does that has grown tired of
// them.
func (s *Server) CloseConnections() {
	s.life.Lock()
	defer s.life.Unlock()
	for c := range s.conns {
		_ = c.Close()
	}
}

// Close stops it for good.
func (s *Server) Close() { s.Refuse() }
