package odootest

import (
	"bytes"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// FaultKind says what goes wrong.
type FaultKind int

// The faults. "Before" means that the gateway was not reached; after it, what a call did is done and counted.
const (
	Slow            FaultKind = iota + 1 // answers after Fault.Delay
	Never                                // before: takes the request and says nothing until the client leaves
	Trickle                              // after: announces the answer and sends a byte every Fault.Delay (0 = 20 ms)
	HTML                                 // before: a page with Fault.Status (0 = 200)
	InvalidJSON                          // after: a broken body with status 200 and the right type
	Truncated                            // after: announces more than it sends, then closes
	Huge                                 // after: Fault.Size bytes (0 = 100 MB) without an announced length
	HugeAnnounced                        // after: the same with its length
	Exception                            // before: Odoo raises Fault.Name with Fault.Message
	DropBefore                           // before: closes the connection without an answer
	DropAfterCommit                      // after: closes the connection without an answer
	Redirect                             // before: 302 to Fault.Location
	WrongID                              // after: an answer to another request's id (JSON-RPC only)
	Garbage                              // before: bytes that are not HTTP
)

// Fault goes wrong for the requests it matches. Inject adds it; the oldest that matches counts.
type Fault struct {
	Kind       FaultKind
	Transports []string      // "doorman", "json2", "jsonrpc", "xmlrpc"; empty = all
	Methods    []string      // gateway methods, or "authenticate"; empty = all
	Times      int           // how often; 0 = until ClearFaults
	Delay      time.Duration // Slow, Trickle
	Status     int           // HTML; Exception: the status of the addon's own endpoint (0 = what the addon gives)
	Size       int64         // Huge, HugeAnnounced
	Name       string        // Exception: Python name with module
	Message    string        // Exception
	Location   string        // Redirect
}

// Inject makes f happen from now on.
func (s *Server) Inject(f Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = append(s.faults, &f)
}

// ClearFaults ends all faults, also for requests that hang in one.
func (s *Server) ClearFaults() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults = nil
	close(s.cleared)
	s.cleared = make(chan struct{})
}

// fault returns what goes wrong with this request; nil = nothing. cleared ends a fault that hangs.
func (s *Server) fault(transport, method string) (f *Fault, cleared <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, f := range s.faults {
		if len(f.Transports) > 0 && !slices.Contains(f.Transports, transport) ||
			len(f.Methods) > 0 && !slices.Contains(f.Methods, method) {
			continue
		}
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				s.faults = slices.Delete(slices.Clone(s.faults), i, i+1)
			}
		}
		return f, s.cleared
	}
	return nil, nil
}

// before plays the faults that keep the request from the gateway; true = it is answered, or will not be.
func (s *Server) before(w http.ResponseWriter, r *http.Request, q *query) bool {
	f := q.fault
	if f == nil {
		return false
	}
	switch f.Kind {
	case Slow:
		select {
		case <-time.After(f.Delay):
		case <-r.Context().Done():
			return true
		case <-q.cleared:
		}
		return false
	case Never:
		select {
		case <-r.Context().Done():
		case <-s.stopped():
		case <-q.cleared:
		}
		panic(http.ErrAbortHandler)
	case HTML:
		s.html(w, f.Status)
	case Exception:
		s.raise(w, q, raised{name: f.Name, message: f.Message, status: f.Status})
	case DropBefore:
		panic(http.ErrAbortHandler)
	case Redirect:
		w.Header().Set("Location", f.Location)
		w.WriteHeader(http.StatusFound)
	case Garbage:
		s.garbage(w)
	default:
		return false
	}
	return true
}

// html is what a proxy, or a login page before Odoo, would send.
func (s *Server) html(w http.ResponseWriter, status int) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	if status == 0 {
		status = http.StatusOK
	}
	w.WriteHeader(status)
	fmt.Fprintf(w, "<html><body><h1>%d</h1>%s</body></html>", status, s.opt.Canary)
}

// garbage answers with something that is not HTTP, which net/http would quote in its error.
func (s *Server) garbage(w http.ResponseWriter) {
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	_, _ = buf.WriteString("220 " + s.opt.Canary + " this is not HTTP\r\n\r\n")
	_ = buf.Flush()
	_ = conn.Close()
}

// after plays the faults that spoil the answer; false = none does, send it.
func (s *Server) after(w http.ResponseWriter, r *http.Request, f *Fault, ctype string, body []byte) bool {
	if f == nil {
		return false
	}
	w.Header().Set("Content-Type", ctype)
	switch f.Kind {
	case DropAfterCommit:
		dropNow(w)
	case InvalidJSON:
		_, _ = fmt.Fprintf(w, `{"jsonrpc": "2.0", "result": {"value": %s, `, s.opt.Canary)
	case Truncated:
		w.Header().Set("Content-Length", strconv.Itoa(len(body)+100))
		_, _ = w.Write(body)
		panic(http.ErrAbortHandler)
	case Huge, HugeAnnounced:
		s.huge(w, f)
	case Trickle:
		s.trickle(w, r, f, body)
	default:
		return false
	}
	return true
}

// dropNow closes with a reset where it can: a peer that died does not say goodbye.
func dropNow(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

func (s *Server) huge(w http.ResponseWriter, f *Fault) {
	size := f.Size
	if size == 0 {
		size = 100 << 20
	}
	if f.Kind == HugeAnnounced {
		w.Header().Set("Content-Length", strconv.FormatInt(size, 10))
	}
	chunk := bytes.Repeat([]byte("x"), 64<<10)
	_, _ = w.Write([]byte(`{"value": "` + s.opt.Canary))
	for sent := int64(0); sent < size; sent += int64(len(chunk)) {
		if _, err := w.Write(chunk); err != nil {
			return
		}
	}
}

func (s *Server) trickle(w http.ResponseWriter, r *http.Request, f *Fault, body []byte) {
	pause := f.Delay
	if pause == 0 {
		pause = 20 * time.Millisecond
	}
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	for i := range body {
		_, _ = w.Write(body[i : i+1])
		_ = http.NewResponseController(w).Flush()
		select {
		case <-r.Context().Done():
			return
		case <-s.stopped():
			return
		case <-time.After(pause):
		}
	}
}
