package files_test

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"doorman/server/access"
	"doorman/server/files"
)

// late serves files with a clock that is behind: what has so long to go has been going for that long.
func late(t *testing.T, f *fake, behind time.Duration) string {
	t.Helper()
	return lateBy(t, f, func() time.Duration { return behind })
}

// lateBy is late with a clock that may be put right.
func lateBy(t *testing.T, f *fake, behind func() time.Duration) string {
	t.Helper()
	s := httptest.NewServer(files.New(files.Config{
		Files: f, Guesses: &guesses{}, Now: func() time.Time { return time.Now().Add(-behind()) },
		Identify: from,
	}))
	t.Cleanup(s.Close)
	return s.Listener.Addr().String()
}

// begin sends the beginning of a request and then nothing, not even a sign of reading.
func begin(t *testing.T, address, head string) net.Conn {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if _, err := io.WriteString(conn, head); err != nil {
		t.Fatal(err)
	}
	return conn
}

// patience is how long a test waits for what only a mistake can keep from happening: far beyond what a busy machine needs.
const patience = 3 * time.Minute

// until waits for what other goroutines do.
func until(t *testing.T, what string, so func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}

func (f *fake) count(what string) (n int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, asked := range f.asked {
		if asked == what {
			n++
		}
	}
	return n
}

func try(t *testing.T, method, url, from, body string) (int, int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("From-Address", from)
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, 0
	}
	defer func() { _ = answer.Body.Close() }()
	content, _ := io.ReadAll(answer.Body)
	return answer.StatusCode, len(content)
}

// TestWhoReadsNothing: four clients that ask for a file and do not take it do not keep all others out.
func TestWhoReadsNothing(t *testing.T) {
	t.Parallel()
	f := &fake{file: access.File{Name: "x", Content: make([]byte, access.MaxFile)}}
	var behind atomic.Int64
	behind.Store(int64(340*time.Second - 3*time.Second))
	address := lateBy(t, f, func() time.Duration { return time.Duration(behind.Load()) })
	for i := range 4 {
		conn := begin(t, address, "GET /files/"+good+" HTTP/1.1\r\nHost: x\r\nFrom-Address: 192.0.2."+strconv.Itoa(i)+"\r\n\r\n")
		if _, err := io.ReadFull(conn, make([]byte, 1)); err != nil { // the answer has begun, so that its deadline is set
			t.Fatal(err)
		}
	}
	behind.Store(0) // the reader has all the time in the world
	if status, n := try(t, "GET", "http://"+address+"/files/"+good, "192.0.2.9", ""); status != 200 || n != access.MaxFile {
		t.Errorf("a fifth: %d with %d bytes", status, n)
	}
}

// TestWhoSendsNothing: an upload that stands still is cut off, holds its own link only, and never the room of those who
// fetch.
func TestWhoSendsNothing(t *testing.T) {
	t.Parallel()
	f := &fake{file: access.File{Name: "x", Content: []byte("x")}, any: true}
	address := late(t, f, 0)
	put := func(i int) string {
		token := good[:46] + strconv.Itoa(i)
		return "PUT /files/" + token + " HTTP/1.1\r\nHost: x\r\nFrom-Address: 192.0.2." + strconv.Itoa(i) + "\r\nContent-Length: 9\r\n\r\nx"
	}
	for i := range 6 {
		begin(t, address, put(i))
	}
	until(t, "six asked", func() bool { return f.count("open") == 6 })
	if status, _ := try(t, "GET", "http://"+address+"/files/"+good, "192.0.2.9", ""); status != 200 {
		t.Errorf("who fetches: %d", status)
	}
	if status, _ := try(t, "PUT", "http://"+address+"/files/"+good[:46]+"0", "192.0.2.9", "hello"); status != 409 {
		t.Errorf("the same link: %d", status)
	}

	// What is announced and stands still must not keep its connection either: the server reads on after the answer.
	for name, body := range map[string]string{
		"without a length": "Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n", "with a length": "Content-Length: 9\r\n\r\nx",
	} {
		slow := &fake{}
		conn := begin(t, late(t, slow, 19*time.Second), "PUT /files/"+good+" HTTP/1.1\r\nHost: x\r\nFrom-Address: 192.0.2.1\r\n"+body)
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		said, err := io.ReadAll(conn)
		if err != nil || !strings.Contains(string(said), "422") || slow.count("put") != 0 {
			t.Errorf("stood still, %s: %v %s", name, err, said)
		}
	}
}

// TestSlowOdoo: the time of the bytes is not that of Odoo.
func TestSlowOdoo(t *testing.T) {
	t.Parallel()
	f := &fake{held: make(chan struct{})}
	address := late(t, f, 15*time.Second) // five seconds are left for the bytes, and Odoo takes six
	time.AfterFunc(6*time.Second, func() { close(f.held) })
	if status, _ := try(t, "PUT", "http://"+address+"/files/"+good, "192.0.2.9", "hello"); status != 201 {
		t.Errorf("%d", status)
	}
}
