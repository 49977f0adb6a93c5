package files_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/files"
)

var good = "dmf_" + strings.Repeat("a", 43)

// fake is Odoo with one file behind the good token, and room for one.
type fake struct {
	mu    sync.Mutex
	file  access.File
	err   error
	put   []byte
	asked []string
	audit access.Audit
	held  chan struct{} // closed: answers go on
	any   bool          // any link works
	fetch bool          // a file is fetched by each link; else one is sent
}

func (f *fake) ask(ctx context.Context, what string, p access.Proof) error {
	f.mu.Lock()
	f.asked = append(f.asked, what)
	err := f.err
	f.mu.Unlock()
	if f.held != nil && what != "open" {
		select {
		case <-f.held:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	if err == nil && !f.any && p != access.ProofOf(good) {
		err = access.NewError(access.NotFound, "This link is invalid or no longer works.", "")
	}
	return err
}

func (f *fake) note(a access.Audit, content []byte) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.audit, f.put = a, content
}

func (f *fake) FileOpen(ctx context.Context, p access.Proof) (access.Opened, error) {
	return access.Opened{Fetch: f.fetch, Name: f.file.Name, Type: f.file.Type, Size: int64(len(f.file.Content))}, f.ask(ctx, "open", p)
}

func (f *fake) FileTake(ctx context.Context, p access.Proof, a access.Audit) (access.File, error) {
	f.note(a, nil)
	return f.file, f.ask(ctx, "take", p)
}

func (f *fake) FilePut(ctx context.Context, p access.Proof, content []byte, a access.Audit) (access.Attached, error) {
	f.note(a, content)
	return access.Attached{ID: 9, Name: "n.txt", Type: "text/plain", Size: int64(len(content))}, f.ask(ctx, "put", p)
}

// guesses notes how requests ended.
type guesses struct {
	mu      sync.Mutex
	failed  []bool
	refusal *access.Error
}

func (g *guesses) Enter(netip.Addr, time.Time) (func(bool, time.Time), *access.Error) {
	return func(failed bool, _ time.Time) {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.failed = append(g.failed, failed)
	}, g.refusal
}

func handler(f *fake, g *guesses) *files.Handler {
	return files.New(files.Config{
		Files: f, Guesses: g, Now: time.Now,
		Identify: func(*http.Request) (netip.Addr, string) { return netip.MustParseAddr("192.0.2.7"), "r1" },
	})
}

func ask(h http.Handler, method, path, body string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestDownload(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, kind, wantType, wantName string }{
		{"a.pdf", "application/pdf", "application/pdf", `attachment; filename=a.pdf`},
		{"Grüße \"x\".txt", "text/plain", "text/plain", `attachment; filename*=utf-8''Gr%C3%BC%C3%9Fe%20_x_.txt`},
		{"a\r\nSet-Cookie: x=1.txt", "text/plain", "text/plain", `attachment; filename="a__Set-Cookie: x=1.txt"`},
		{"../../etc/passwd", "", "application/octet-stream", `attachment; filename=.._.._etc_passwd`},
		{"evil\u202egnp.exe", "image/png", "image/png", `attachment; filename=evil_gnp.exe`},
		{"a\ufe01\U000e0143\u3164\u2800.txt", "text/plain", "text/plain", `attachment; filename=a____.txt`},
		{"❤\ufe0f.txt", "text/plain", "text/plain", `attachment; filename*=utf-8''%E2%9D%A4%EF%B8%8F.txt`},
		{"x.html", "text/html", "application/octet-stream", `attachment; filename=x.html`},
		{"x.xhtml", "application/xhtml+xml", "application/octet-stream", `attachment; filename=x.xhtml`},
		{"x.svg", "image/svg+xml", "application/octet-stream", `attachment; filename=x.svg`},
		{"x.js", "text/javascript", "application/octet-stream", `attachment; filename=x.js`},
		{"x", "text/plain; charset=x\r\nX-Evil: 1", "application/octet-stream", `attachment; filename=x`},
		{
			"x.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document", `attachment; filename=x.docx`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f, g := &fake{file: access.File{Name: row.name, Type: row.kind, Content: []byte("bytes")}, fetch: true}, &guesses{}
			w := ask(handler(f, g), "GET", "/files/"+good, "")
			if w.Code != 200 || w.Body.String() != "bytes" || w.Header().Get("Content-Length") != "5" {
				t.Fatalf("%d %s", w.Code, w.Body)
			}
			for name, want := range map[string]string{
				"Content-Type": row.wantType, "Content-Disposition": row.wantName, "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
				"Referrer-Policy": "no-referrer", "Content-Security-Policy": "sandbox; default-src 'none'", "X-Evil": "", "Set-Cookie": "",
			} {
				if got := w.Header().Get(name); got != want {
					t.Errorf("%s: %q, want %q", name, got, want)
				}
			}
			head := ask(handler(f, g), "HEAD", "/files/"+good, "")
			if head.Code != 200 || head.Body.Len() != 0 || strings.Join(f.asked, " ") != "take open" {
				t.Errorf("HEAD: %d %q, asked %v", head.Code, head.Body, f.asked)
			}
			for name, has := range w.Header() {
				if got := head.Header()[name]; !slices.Equal(got, has) {
					t.Errorf("%s is %q with GET, %q with HEAD", name, has, got)
				}
			}
			if f.audit.IP != "192.0.2.7" || f.audit.RequestID != "r1" || f.audit.Method != "files/get" || len(g.failed) != 2 || g.failed[0] || g.failed[1] {
				t.Errorf("%+v %v", f.audit, g.failed)
			}
		})
	}
}

func TestUpload(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"PUT", "POST"} {
		f, g := &fake{}, &guesses{}
		w := ask(handler(f, g), method, "/files/"+good, "hello", "Content-Type", "application/x-www-form-urlencoded")
		want := `{"attachment_id":9,"name":"n.txt","size":5,"type":"text/plain"}`
		if w.Code != 201 || strings.TrimSpace(w.Body.String()) != want || string(f.put) != "hello" || f.audit.Method != "files/put" {
			t.Errorf("%s: %d %s", method, w.Code, w.Body)
		}
		if strings.Join(f.asked, " ") != "open put" || g.failed[0] {
			t.Errorf("%v %v", f.asked, g.failed)
		}
	}
}

// broken is a body that ends too early.
type broken struct{ n int }

func (b *broken) Read(p []byte) (int, error) {
	if b.n++; b.n > 1 {
		return 0, io.ErrUnexpectedEOF
	}
	return copy(p, "half"), nil
}

// TestRefused: each with its status, and with what reached Odoo.
func TestRefused(t *testing.T) {
	t.Parallel()
	odoo := func(kind access.Kind) error {
		return &access.Error{Kind: kind, Message: "Odoo's words.", RetryAfter: 1500 * time.Millisecond}
	}
	bad := "dmf_" + strings.Repeat("b", 43)
	large := strings.Repeat("x", access.MaxFile+1)
	for _, row := range []struct {
		name, method, path, body, contentType string
		err                                   error
		status                                int
		asked, says                           string
		guess, fetch                          bool
	}{
		{name: "unknown", method: "GET", path: "/files/" + bad, status: 404, asked: "take", says: "no longer works", guess: true},
		{name: "unknown upload", method: "PUT", path: "/files/" + bad, body: "x", status: 404, asked: "open", says: "no longer works", guess: true},
		{name: "empty", method: "GET", path: "/files/", status: 404, says: "whole link", guess: true},
		{name: "no slash", method: "GET", path: "/files", status: 404, says: "whole link", guess: true},
		{name: "short", method: "GET", path: "/files/" + good[:46], status: 404, guess: true},
		{name: "long", method: "GET", path: "/files/" + good + "a", status: 404, guess: true},
		{name: "below", method: "GET", path: "/files/" + good + "/x", status: 404, guess: true},
		{name: "dots", method: "GET", path: "/files/../files/" + good, status: 404, guess: true},
		{name: "another kind of token", method: "GET", path: "/files/dmk_" + good[4:], status: 404, guess: true},
		{name: "escaped", method: "GET", path: "/files/" + good[:46] + "%2f", status: 404, guess: true},
		{name: "head of an unknown link", method: "HEAD", path: "/files/" + bad, status: 404, asked: "open", guess: true},
		{name: "head of half a link", method: "HEAD", path: "/files/" + good[:46], status: 404, guess: true},
		{name: "head of a link to send by", method: "HEAD", path: "/files/" + good, status: 404, asked: "open", guess: true},
		{name: "head, not allowed", method: "HEAD", path: "/files/" + good, err: odoo(access.NotAllowed), status: 403, asked: "open"},
		{name: "head, down", method: "HEAD", path: "/files/" + good, err: odoo(access.OdooUnavailable), status: 503, asked: "open"},
		{name: "sent by a link to fetch", method: "PUT", path: "/files/" + good, body: "x", fetch: true, status: 404, asked: "open", guess: true},
		{name: "delete", method: "DELETE", path: "/files/" + good, status: 405},
		{name: "a form", method: "POST", path: "/files/" + good, body: "x", contentType: "multipart/form-data; boundary=x", status: 415, says: "curl -T"},
		{name: "announced too large", method: "PUT", path: "/files/" + good, body: large, status: 413, says: "20971520"},
		{name: "credential ended", method: "GET", path: "/files/" + good, err: odoo(access.Unauthenticated), status: 404, asked: "take", says: "no longer works"},
		{name: "forbidden", method: "GET", path: "/files/" + good, err: odoo(access.Forbidden), status: 403, asked: "take", says: "Odoo's words"},
		{name: "not allowed", method: "PUT", path: "/files/" + good, err: odoo(access.NotAllowed), status: 403, asked: "open"},
		{name: "read only", method: "PUT", path: "/files/" + good, err: odoo(access.ReadOnly), status: 403, asked: "open"},
		{name: "not what was announced", method: "PUT", path: "/files/" + good, err: odoo(access.InvalidInput), status: 422, asked: "open"},
		{name: "business", method: "GET", path: "/files/" + good, err: odoo(access.BusinessRule), status: 422, asked: "take"},
		{name: "conflict", method: "GET", path: "/files/" + good, err: odoo(access.Conflict), status: 409, asked: "take"},
		{name: "too large there", method: "GET", path: "/files/" + good, err: odoo(access.TooLarge), status: 413, asked: "take"},
		{name: "down", method: "GET", path: "/files/" + good, err: odoo(access.OdooUnavailable), status: 503, asked: "take"},
		{name: "slow", method: "GET", path: "/files/" + good, err: odoo(access.OdooTimeout), status: 504, asked: "take"},
		{name: "inside", method: "GET", path: "/files/" + good, err: errors.New("dmk_secret in a traceback"), status: 500, asked: "take", says: "inside Doorman"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f, g := &fake{err: row.err, fetch: row.fetch}, &guesses{}
			w := ask(handler(f, g), row.method, row.path, row.body, "Content-Type", row.contentType)
			if w.Code != row.status || strings.Join(f.asked, " ") != row.asked || !strings.Contains(w.Body.String(), row.says) {
				t.Fatalf("%d asked %v: %s", w.Code, f.asked, w.Body)
			}
			if strings.Contains(w.Body.String(), "dmk_secret") || strings.Contains(w.Body.String(), good) {
				t.Errorf("says too much: %s", w.Body)
			}
			if w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Content-Disposition") != "" || w.Header().Get("Referrer-Policy") != "no-referrer" {
				t.Errorf("%v", w.Header())
			}
			if e := new(access.Error); errors.As(row.err, &e) && row.status != 404 && w.Header().Get("Retry-After") != "2" {
				t.Errorf("Retry-After %q", w.Header().Get("Retry-After"))
			}
			if guessed := len(g.failed) == 1 && g.failed[0]; guessed != row.guess && row.name != "credential ended" {
				t.Errorf("counted as a guess: %v", g.failed)
			}
		})
	}
}

// TestBodies: too large without saying so before, and cut off: nothing is attached, and the link is as good as before.
func TestBodies(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		body   io.Reader
		status int
	}{
		"too large": {bytes.NewReader(make([]byte, access.MaxFile+1)), 413},
		"cut off":   {&broken{}, 422},
	} {
		f := &fake{}
		r := httptest.NewRequest(http.MethodPut, "/files/"+good, struct{ io.Reader }{row.body})
		w := httptest.NewRecorder()
		handler(f, &guesses{}).ServeHTTP(w, r)
		if w.Code != row.status || strings.Join(f.asked, " ") != "open" {
			t.Errorf("%s: %d %v %s", name, w.Code, f.asked, w.Body)
		}
	}
	f := &fake{}
	if w := ask(handler(f, &guesses{}), "PUT", "/files/"+good, strings.Repeat("x", access.MaxFile)); w.Code != 201 || len(f.put) != access.MaxFile {
		t.Errorf("the largest: %d %s", w.Code, w.Body)
	}
}

// TestGuessing: who tries too many is told so before Odoo is asked.
func TestGuessing(t *testing.T) {
	t.Parallel()
	f, g := &fake{}, &guesses{refusal: &access.Error{Kind: access.RateLimited, RetryAfter: time.Minute}}
	w := ask(handler(f, g), "GET", "/files/"+good, "")
	if w.Code != 429 || w.Header().Get("Retry-After") != "60" || len(f.asked) != 0 || !strings.Contains(w.Body.String(), "Too many invalid links") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
}

// from is where a test's request comes from.
func from(r *http.Request) (netip.Addr, string) {
	return netip.MustParseAddr(r.Header.Get("From-Address")), "r1"
}

// inside waits until Odoo was asked about so many files.
func (f *fake) inside(t *testing.T, n int) {
	t.Helper()
	for tick := time.NewTicker(time.Millisecond); ; {
		select {
		case <-t.Context().Done():
			t.Fatalf("%d files are not inside", n)
		case <-tick.C:
		}
		f.mu.Lock()
		asked := len(f.asked)
		f.mu.Unlock()
		if asked == n {
			tick.Stop()
			return
		}
	}
}

// TestRoom: a fifth file waits for one of the four places, and the third of a network for one of its two. Whoever gives up
// leaves none taken.
func TestRoom(t *testing.T) {
	t.Parallel()
	f := &fake{held: make(chan struct{})}
	h := files.New(files.Config{Files: f, Guesses: &guesses{}, Now: time.Now, Identify: from})
	var done sync.WaitGroup
	fetch := func(address string) { done.Go(func() { ask(h, "GET", "/files/"+good, "", "From-Address", address) }) }
	gaveUp := func(what, address string) {
		t.Helper()
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		r := httptest.NewRequest(http.MethodGet, "/files/"+good, nil).WithContext(ctx)
		r.Header.Set("From-Address", address)
		w := httptest.NewRecorder()
		if h.ServeHTTP(w, r); w.Code != 504 || !strings.Contains(w.Body.String(), "Too many files") {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
	}
	fetch("2001:db8::1")
	fetch("2001:db8::2")
	f.inside(t, 2)
	gaveUp("a third of a network", "2001:db8::3")
	fetch("192.0.2.7")
	fetch("192.0.2.8")
	f.inside(t, 4)
	gaveUp("a fifth", "192.0.2.9")
	close(f.held)
	done.Wait()
	for range 3 {
		if w := ask(h, "GET", "/files/"+good, "", "From-Address", "2001:db8::1"); w.Code != 200 {
			t.Errorf("afterwards: %d", w.Code)
		}
	}
}
