package odootest

import (
	"slices"
	"sync"
)

const keep = 2000 // how many requests and audit entries are kept

// Request is one HTTP request as it came in.
type Request struct {
	Transport     string // "doorman", "json2", "jsonrpc", "xmlrpc"; "" = none of them
	Method        string // gateway method, or "authenticate"
	Path          string
	Database      string // X-Odoo-Database
	Authorization string
	Traceparent   string
	Body          []byte
}

// AuditEntry is one call that came through the fence, with its outcome: "ok", "pending" if it waits for a person, or the
// problem's kind.
type AuditEntry struct {
	Call    Call
	Outcome string
}

// log is what happened. It has a lock of its own, so that counting does not wait for the records.
type log struct {
	mu       sync.Mutex
	requests []Request
	counts   map[string]int
	jobs     map[string]int // runs by name
	audit    []AuditEntry
	events   []map[string]any
	catalog  []any
	hello    map[string]any
	effects  int
	dials    int
}

func newLog() *log { return &log{counts: map[string]int{}, jobs: map[string]int{}} }

func (l *log) request(r Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.counts[r.Method]++
	l.requests = push(l.requests, r)
}

func (l *log) dialled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.dials++
}

func (l *log) call(c Call, outcome string, effects int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.effects += effects
	l.audit = push(l.audit, AuditEntry{Call: c, Outcome: outcome})
}

// push appends and forgets the oldest half when it gets long: the benchmark sends millions.
func push[T any](list []T, v T) []T {
	if len(list) >= keep {
		list = slices.Clone(list[keep/2:])
	}
	return append(list, v)
}

// Count is how many requests named a gateway method ("" = those that named none); "authenticate" counts log-ins.
func (s *Server) Count(method string) int {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return s.seen.counts[method]
}

// Total is how many requests came in, of any kind.
func (s *Server) Total() int {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	n := 0
	for _, c := range s.seen.counts {
		n += c
	}
	return n
}

// Dials is how many connections were opened.
func (s *Server) Dials() int {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return s.seen.dials
}

// Requests are the last requests, the newest last.
func (s *Server) Requests() []Request {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return slices.Clone(s.seen.requests)
}

// Effects is how many calls changed something: create, write, unlink, and what Handle answered for a method that is not
// a known reader. A call whose answer was lost counts.
func (s *Server) Effects() int {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return s.seen.effects
}

// Audit is what came through the fence, the newest last.
func (s *Server) Audit() []AuditEntry {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return slices.Clone(s.seen.audit)
}

// Events are the events that record was given, in order.
func (s *Server) Events() []map[string]any {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return slices.Clone(s.seen.events)
}

// LastHello is what the last hello said of the service: "version" and "url".
func (s *Server) LastHello() map[string]any {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return s.seen.hello
}

// Catalog is the tool catalog as the last sync_catalog left it.
func (s *Server) Catalog() []any {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return slices.Clone(s.seen.catalog)
}

// Reset forgets what happened; connections, records and faults stay.
func (s *Server) Reset() {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	clear(s.seen.counts)
	s.seen.requests, s.seen.audit, s.seen.events = nil, nil, nil
	s.seen.effects, s.seen.dials = 0, 0
}
