// Package files serves the links by which files go past the model: a download by GET, an upload by PUT, each once. The
// token in the path is the only credential. What it opens, Odoo says, each time anew.
package files

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"time"

	"doorman/server/access"
)

const (
	// inMemory is how many files may be on their way at once. Each takes some four times its size.
	inMemory = 4
	// ofOne is how many of them one network may have: who sends or reads slowly must not keep everybody else out.
	ofOne = 2
	// arriving is how many of them may be uploads: their bytes come as slowly as their sender likes, and what is
	// fetched must not wait for that.
	arriving = inMemory - 1
	// patience is how long a request waits for room.
	patience = 20 * time.Second
	// headStart and slowest, in bytes a second, are what a client has to keep up with. Who does not is cut off: others
	// wait for the room.
	headStart = 20 * time.Second
	slowest   = 64 << 10
	// longest is what else there is to wait for, before an answer: room, and Odoo.
	longest = 10 * time.Minute
)

// timeFor is how long so many bytes may take.
func timeFor(n int64) time.Duration { return headStart + time.Duration(n)*time.Second/slowest }

// tokenForm is how package mcp writes 256 random bits.
var tokenForm = regexp.MustCompile(`^dmf_[A-Za-z0-9_-]{43}$`)

// mediaType is what is passed on of what Odoo says of a type.
var mediaType = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*/[a-z0-9][a-z0-9.+-]*$`)

// Guesses limits how many links that do not work a network may try; limit.Guesses is one.
type Guesses interface {
	Enter(ip netip.Addr, now time.Time) (leave func(failed bool, at time.Time), refusal *access.Error)
}

// Config is what the handler needs; all of it is required.
type Config struct {
	Files   access.Files
	Guesses Guesses
	// Identify tells who sends a request, as the layers in front found it.
	Identify func(*http.Request) (ip netip.Addr, requestID string)
	Now      func() time.Time
}

// Handler serves /files/{token}.
type Handler struct {
	config Config
	room   *room

	mu   sync.Mutex
	busy map[access.Proof]bool // links to which a file is being sent
}

// New returns a handler.
func New(c Config) *Handler {
	return &Handler{config: c, room: newRoom(), busy: map[access.Proof]bool{}}
}

// allowed are the methods of a link.
const allowed = "OPTIONS, GET, HEAD, PUT, POST"

// ServeHTTP implements http.Handler.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// In place of the server's own, which is for answers that are short: room, the bytes, and Odoo.
	_ = http.NewResponseController(w).SetWriteDeadline(h.config.Now().Add(timeFor(access.MaxFile) + longest))
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer") // the path of this page is the secret
	header.Set("X-Robots-Tag", "noindex")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	switch r.Method {
	case http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPost:
	case http.MethodOptions:
		header.Set("Allow", allowed)
		w.WriteHeader(http.StatusNoContent)
		return
	default:
		fail(w, otherMethod())
		return
	}
	ip, id := h.config.Identify(r)
	token := strings.TrimPrefix(r.URL.Path, "/files/")
	done, refusal := h.config.Guesses.Enter(ip, h.config.Now())
	if refusal != nil {
		refusal.Message, refusal.Hint = "Too many invalid links from your network.", "Try again later."
		fail(w, refusal)
		return
	}
	audit := access.Audit{RequestID: id, IP: ip.Unmap().String(), Client: clip(r.UserAgent())}
	err := h.serve(w, r, ip, token, audit)
	done(err != nil && access.AsError(err).Kind == access.NotFound, h.config.Now())
	if err != nil {
		fail(w, err)
	}
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, ip netip.Addr, token string, a access.Audit) error {
	if !tokenForm.MatchString(token) {
		return gone()
	}
	proof := access.ProofOf(token)
	switch r.Method {
	case http.MethodHead:
		return h.look(w, r, ip, proof)
	case http.MethodGet:
		a.Method, a.Tool = "files/get", "get_attachment"
		return h.download(w, r, ip, proof, a)
	}
	a.Method, a.Tool = "files/put", "request_upload"
	return h.upload(w, r, ip, proof, a)
}

// look answers HEAD as GET would be (RFC 9110 section 9.3.2), and leaves the link as it is: programs that show what an
// address is about ask so.
func (h *Handler) look(w http.ResponseWriter, r *http.Request, ip netip.Addr, p access.Proof) error {
	leave, err := h.room.enter(r.Context(), ip, false) // Odoo reads the file for it
	if err != nil {
		return err
	}
	defer leave()
	opened, err := h.config.Files.FileOpen(r.Context(), p)
	if err != nil {
		return err
	}
	if !opened.Fetch {
		return gone()
	}
	about(w.Header(), opened.Name, opened.Type, opened.Size)
	return nil
}

// about says what file it is.
func about(header http.Header, name, kind string, size int64) {
	header.Set("Content-Type", typeOf(kind))
	header.Set("Content-Disposition", disposition(name))
	header.Set("Content-Length", strconv.FormatInt(size, 10))
}

func (h *Handler) download(w http.ResponseWriter, r *http.Request, ip netip.Addr, p access.Proof, a access.Audit) error {
	leave, err := h.room.enter(r.Context(), ip, false)
	if err != nil {
		return err
	}
	defer leave()
	file, err := h.config.Files.FileTake(r.Context(), p, a)
	if err != nil {
		return err
	}
	header := w.Header()
	about(header, file.Name, file.Type, int64(len(file.Content)))
	// The server has no such limit of its own, and a client that asks and reads nothing would keep the room for ever.
	_ = http.NewResponseController(w).SetWriteDeadline(h.config.Now().Add(timeFor(int64(len(file.Content)))))
	_, _ = w.Write(file.Content) // a client that is gone gets no answer
	return nil
}

func (h *Handler) upload(w http.ResponseWriter, r *http.Request, ip netip.Addr, p access.Proof, a access.Audit) error {
	if kind, _, _ := mime.ParseMediaType(r.Header.Get("Content-Type")); strings.HasPrefix(kind, "multipart/") {
		return &statusError{http.StatusUnsupportedMediaType, access.NewError(access.InvalidInput,
			"A form was sent instead of the file itself.", "Send the file's bytes: curl -T FILE LINK.")}
	}
	if r.ContentLength > access.MaxFile {
		return tooLarge()
	}
	// Asked first: nobody without a link makes this process read, and hold, 20 MB.
	opened, err := h.config.Files.FileOpen(r.Context(), p)
	if err != nil {
		return err
	}
	if opened.Fetch {
		return gone()
	}
	if !h.begin(p) {
		return access.NewError(access.Conflict, "A file is already being sent to this link.", "Wait until that is done.")
	}
	defer h.end(p)
	leave, err := h.room.enter(r.Context(), ip, true)
	if err != nil {
		return err
	}
	defer leave()
	content, err := h.receive(w, r)
	if err != nil {
		return err
	}
	file, err := h.config.Files.FilePut(r.Context(), p, content, a)
	if err != nil {
		return err
	}
	told := map[string]any{"name": file.Name, "type": file.Type, "size": file.Size}
	if file.Field != "" {
		told["field"] = file.Field
	} else {
		told["attachment_id"] = file.ID
	}
	writeJSON(w, http.StatusCreated, told)
	return nil
}

// begin reports whether nobody else sends a file to a link: one link is room for one file, not for four that never end.
func (h *Handler) begin(p access.Proof) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.busy[p] {
		return false
	}
	h.busy[p] = true
	return true
}

func (h *Handler) end(p access.Proof) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.busy, p)
}

// receive reads what is sent.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	control, start := http.NewResponseController(w), h.config.Now()
	body := &paced{from: http.MaxBytesReader(w, r.Body, access.MaxFile), until: func(n int64) {
		_ = control.SetReadDeadline(start.Add(timeFor(n)))
	}}
	content, err := io.ReadAll(body)
	// A deadline that has passed stays: the server reads the rest of a body before it answers, and would wait for it for ever.
	if over := new(http.MaxBytesError); errors.As(err, &over) {
		return nil, tooLarge()
	}
	if err != nil {
		return nil, access.NewError(access.InvalidInput, "The file did not arrive completely.", "Send it again; the link still works.")
	}
	_ = control.SetReadDeadline(time.Time{}) // what is left is Odoo's time
	return content, nil
}

// paced reads what has to keep coming: each byte buys time for the next ones.
type paced struct {
	from  io.Reader
	until func(n int64) // sets until when there must be more than n bytes
	n     int64
}

// Read implements io.Reader.
func (p *paced) Read(b []byte) (int, error) {
	p.until(p.n)
	n, err := p.from.Read(b)
	p.n += int64(n)
	return n, err
}

func gone() *access.Error {
	return access.NewError(access.NotFound, access.SayLinkGone, "Copy the whole link, or ask for a new one.")
}

func otherMethod() error {
	return &statusError{http.StatusMethodNotAllowed, access.NewError(access.InvalidInput, "A file is fetched with GET, or sent with PUT.", "")}
}

func tooLarge() error {
	return access.NewError(access.TooLarge, fmt.Sprintf(access.SayLargeFile, access.MaxFile), "A person has to upload it in Odoo.")
}

// typeOf is a type that no browser runs: what is downloaded is saved first, and opened by its user.
func typeOf(said string) string {
	said = strings.ToLower(said)
	if !mediaType.MatchString(said) || strings.Contains(said, "ht") || strings.Contains(said, "xml") && !strings.Contains(said, "openxmlformats") ||
		strings.Contains(said, "script") {
		return "application/octet-stream"
	}
	return said
}

// disposition has a browser save the file, under its name.
func disposition(name string) string {
	name = access.MapHidden(strings.ToValidUTF8(name, "_"), func(rune) rune { return '_' })
	name = strings.NewReplacer("/", "_", `\`, "_", `"`, "_").Replace(name)
	if value := mime.FormatMediaType("attachment", map[string]string{"filename": name}); value != "" {
		return value
	}
	return "attachment"
}

func clip(text string) string {
	if runes := []rune(text); len(runes) > 120 {
		return string(runes[:120])
	}
	return text
}

// statusError is a problem whose status its kind does not tell.
type statusError struct {
	status int
	told   *access.Error
}

// Error implements error.
func (e *statusError) Error() string { return e.told.Message }

// statuses are what HTTP calls the kinds of errors.
var statuses = map[access.Kind]int{
	access.NotFound: http.StatusNotFound, access.Forbidden: http.StatusForbidden,
	access.NotAllowed: http.StatusForbidden, access.ReadOnly: http.StatusForbidden, access.InvalidInput: http.StatusUnprocessableEntity,
	access.UnknownField: http.StatusUnprocessableEntity, access.UnknownModel: http.StatusUnprocessableEntity,
	access.BusinessRule: http.StatusUnprocessableEntity, access.Conflict: http.StatusConflict, access.TooLarge: http.StatusRequestEntityTooLarge,
	access.RateLimited: http.StatusTooManyRequests, access.OdooUnavailable: http.StatusServiceUnavailable, access.OdooTimeout: http.StatusGatewayTimeout,
	access.Updating: http.StatusServiceUnavailable, access.Unavailable: http.StatusServiceUnavailable,
}

func fail(w http.ResponseWriter, err error) {
	if special := new(statusError); errors.As(err, &special) {
		if special.status == http.StatusMethodNotAllowed {
			w.Header().Set("Allow", allowed)
		}
		write(w, special.status, special.told)
		return
	}
	e := access.AsError(err)
	if e.Kind == access.Unauthenticated { // whose link it was has none any more
		e = gone()
	}
	status := statuses[e.Kind]
	if status == 0 {
		status = http.StatusInternalServerError
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
	write(w, status, e)
}

// WriteStatus answers with an HTTP status what never reached the handler, in its form.
func WriteStatus(w http.ResponseWriter, status int, message string) {
	kind := access.InvalidInput
	switch {
	case status == http.StatusForbidden:
		kind = access.Forbidden
	case status >= http.StatusInternalServerError:
		kind = access.Internal
	}
	write(w, status, access.NewError(kind, message, ""))
}

func write(w http.ResponseWriter, status int, e *access.Error) {
	body := map[string]any{"code": e.Kind, "message": e.Message}
	if e.Hint != "" {
		body["hint"] = e.Hint
	}
	writeJSON(w, status, map[string]any{"error": body})
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
