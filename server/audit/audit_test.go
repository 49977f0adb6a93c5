package audit_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/leodido/go-syslog/v4/rfc5424"

	"doorman/odoo/odootest"
	"doorman/server/access"
	"doorman/server/audit"
)

func follow(lines []string, heads ...access.AuditLink) (*audit.Verifier, error) {
	v := &audit.Verifier{Heads: heads}
	err := v.Read(strings.NewReader(strings.Join(lines, "\n") + "\n"))
	if err == nil {
		err = v.End()
	}
	return v, err
}

// place is where a line stands in the chain.
func place(t testing.TB, line string) (at access.AuditLink) {
	t.Helper()
	if err := json.Unmarshal([]byte(line), &at); err != nil {
		t.Fatal(err)
	}
	return at
}

// chained makes lines of rows, from a place on.
func chained(n int64, digest []byte, rows ...string) (lines []string) {
	for _, row := range rows {
		sum := sha256.Sum256(append(slices.Clone(digest), row...))
		n, digest = n+1, sum[:]
		lines = append(lines, fmt.Sprintf(`{"n":%d,"digest":"%s","row":%s}`, n, hex.EncodeToString(digest), row))
	}
	return lines
}

func TestVerify(t *testing.T) {
	t.Parallel()
	good := odootest.AuditLines(20)
	at := func(i int) access.AuditLink { return place(t, good[i-1]) }
	with := func(change func(l []string) []string) []string { return change(slices.Clone(good)) }
	other := func(n int64) access.AuditLink { return access.AuditLink{N: n, Digest: strings.Repeat("ab", 32)} }
	mark := func(name string, l access.AuditLink) string {
		return fmt.Sprintf(`{"%s":{"n":%d,"digest":"%s"}}`, name, l.N, l.Digest)
	}
	zero := access.AuditLink{Digest: strings.Repeat("00", 32)}
	for _, c := range []struct {
		name  string
		lines []string
		heads []access.AuditLink
		what  string // "" = fits
		n     int64
	}{
		{"all", good, nil, "", 0},
		{"from the middle", good[7:], nil, "", 0},
		{"with its place", append([]string{mark("before", at(7))}, good[7:]...), nil, "", 0},
		{"two exports, one after the other", slices.Concat([]string{mark("before", zero)}, good[:9], []string{mark("head", at(9)), mark("before", at(9))}, good[9:]), nil, "", 0},
		{"a page again, after a kill", slices.Concat(good[:9], good[4:]), nil, "", 0},
		{"a head on the way", good, []access.AuditLink{at(12), at(20)}, "", 0},
		{"a head told before its row comes", slices.Concat(good[:5], []string{mark("head", at(20))}, good[5:]), nil, "", 0},
		{"written another way", with(func(l []string) []string {
			var row any
			_ = json.Unmarshal([]byte(l[3]), &row)
			text, _ := json.MarshalIndent(row, "", "")
			l[3] = strings.ReplaceAll(string(text), "\n", " ")
			return l
		}), nil, "", 0},
		{"withheld", with(func(l []string) []string {
			l[3] = fmt.Sprintf(`{"n":4,"digest":"%s","withheld":true}`, at(4).Digest)
			return l
		}), nil, "", 0},
		{"nothing", nil, nil, "", 0},

		{"a changed value", with(func(l []string) []string {
			l[4] = strings.Replace(l[4], "search_records", "delete_records", 1)
			return l
		}), nil, audit.Changed, 5},
		{"a changed first row", with(func(l []string) []string { l[0] = strings.Replace(l[0], "anna", "bert", 1); return l }), nil, audit.Changed, 1},
		{"a changed last row", with(func(l []string) []string { l[19] = strings.Replace(l[19], "anna", "bert", 1); return l }), nil, audit.Changed, 20},
		{"a changed digest", with(func(l []string) []string {
			l[4] = strings.Replace(l[4], at(5).Digest, strings.Repeat("00", 32), 1)
			return l
		}), nil, audit.Changed, 5},
		{"a removed row", with(func(l []string) []string { return slices.Delete(l, 4, 5) }), nil, audit.Removed, 5},
		{"a row that Odoo has not any more", with(func(l []string) []string {
			l[4] = fmt.Sprintf(`{"n":5,"digest":"%s","row":null}`, at(5).Digest)
			return l
		}), nil, audit.Removed, 5},
		{"the last rows removed", good[:15], []access.AuditLink{at(20)}, audit.Shortened, 20},
		{"a told head that is not reached", append(good[:15:15], mark("head", at(20))), nil, audit.Shortened, 20},
		{"two rows in each other's place", with(func(l []string) []string { l[4], l[5] = l[5], l[4]; return l }), nil, audit.Removed, 5},
		{"two rows that took each other's number", with(func(l []string) []string {
			a, b := l[4][strings.Index(l[4], `"row"`):], l[5][strings.Index(l[5], `"row"`):]
			l[4], l[5] = strings.Replace(l[4], a, b, 1), strings.Replace(l[5], b, a, 1)
			return l
		}), nil, audit.Changed, 5},
		{"an inserted row", with(func(l []string) []string {
			digest, _ := hex.DecodeString(at(5).Digest)
			return slices.Insert(l, 5, chained(5, digest, `{"id":1}`)...)
		}), nil, audit.Changed, 6},
		{"an inserted row without a number", with(func(l []string) []string { return slices.Insert(l, 5, `{"row":{"id":1}}`) }), nil, audit.Malformed, 5},
		{"a line that is not JSON", with(func(l []string) []string { l[4] = l[4][:50]; return l }), nil, audit.Malformed, 4},
		{"a chain that was rewritten", chained(0, make([]byte, 32), `{"id":1}`, `{"id":2}`), []access.AuditLink{at(1), at(2)}, audit.Rewritten, 1},
		{"a head of another chain", good, []access.AuditLink{other(12)}, audit.Rewritten, 12},
		{"a beginning of another chain", append([]string{mark("before", other(7))}, good[7:]...), nil, audit.Changed, 8},
		{"an export of another chain behind it", slices.Concat(good[:9], []string{mark("before", other(9))}, good[9:]), nil, audit.Rewritten, 9},
		{"a gap between two exports", slices.Concat(good[:9], []string{mark("before", at(11))}, good[11:]), nil, audit.Removed, 10},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			v, err := follow(c.lines, c.heads...)
			if c.what == "" {
				if err != nil {
					t.Fatalf("%v at %d", err, v.At().N)
				}
				return
			}
			var p *audit.Problem
			if !errors.As(err, &p) || p.What != c.what || p.N != c.n {
				t.Errorf("%+v: want %s %d", err, c.what, c.n)
			}
		})
	}
}

// source is an audit, and what goes wrong with it.
type source struct {
	lines []string
	fail  int // the page that is not answered, from 1; 0: none
	asked int
}

func (s *source) link(n int64) (at access.AuditLink) {
	if n == 0 {
		return access.AuditLink{Digest: strings.Repeat("00", 32)}
	}
	_ = json.Unmarshal([]byte(s.lines[n-1]), &at)
	return at
}

func (s *source) Page(_ context.Context, after int64, limit int) (*access.AuditPage, error) {
	if s.asked++; s.asked == s.fail {
		return nil, errors.New("Odoo does not answer")
	}
	size := int64(len(s.lines))
	after = min(after, size)
	last := min(after+int64(limit), size)
	return &access.AuditPage{Lines: s.lines[after:last], Before: s.link(after), Last: last, Head: s.link(size), Start: s.link(0)}, nil
}

func export(t *testing.T, s audit.Source, dir string) (*audit.Result, error) {
	t.Helper()
	sink, err := audit.OpenFile(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	e := audit.Exporter{Source: s, Sink: sink, Cursor: filepath.Join(dir, "cursor"), Page: 7}
	result, err := e.Run(t.Context())
	return result, errors.Join(err, sink.Close())
}

func verifyFile(t *testing.T, dir string) (*audit.Verifier, error) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "audit.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	return follow(strings.Split(string(text), "\n"))
}

func TestExportGoesOn(t *testing.T) {
	t.Parallel()
	dir, all := t.TempDir(), odootest.AuditLines(50)
	if r, err := export(t, &source{lines: all[:30], fail: 3}, dir); err == nil || r.Rows != 14 {
		t.Fatalf("%+v %v", r, err)
	}
	for _, count := range []int{30, 30, 50} {
		r, err := export(t, &source{lines: all[:count]}, dir)
		if err != nil || r.Problem != nil || r.Head != place(t, all[count-1]) {
			t.Fatalf("%+v %v", r, err)
		}
	}
	v, err := verifyFile(t, dir)
	if err != nil || v.Rows != 50 || v.At() != place(t, all[49]) {
		t.Errorf("%d rows to %v: %v", v.Rows, v.At(), err)
	}
}

// TestExportFindsWhatWasDone: the audit no longer goes on where the last export ended.
func TestExportFindsWhatWasDone(t *testing.T) {
	t.Parallel()
	all := odootest.AuditLines(30)
	rewritten := slices.Clone(all[:19])
	digest, _ := hex.DecodeString(place(t, all[18]).Digest)
	rewritten = append(rewritten, chained(19, digest, `{"id":1}`, `{"id":2}`)...)
	changed := slices.Clone(all)
	changed[24] = strings.Replace(changed[24], "anna", "bert", 1)
	for _, c := range []struct {
		name  string
		lines []string
		what  string
		n     int64
	}{
		{"nothing", all, "", 0},
		{"made anew", rewritten, audit.Rewritten, 20},
		{"cut", all[:12], audit.Shortened, 20},
		{"changed", changed, audit.Changed, 25},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if _, err := export(t, &source{lines: all[:20]}, dir); err != nil {
				t.Fatal(err)
			}
			r, err := export(t, &source{lines: c.lines}, dir)
			switch {
			case err != nil:
				t.Fatal(err)
			case c.what == "" && r.Problem != nil, c.what != "" && (r.Problem == nil || r.Problem.What != c.what || r.Problem.N != c.n):
				t.Errorf("%+v, want %s %d", r.Problem, c.what, c.n)
			}
		})
	}
}

// slow answers a page whenever a line comes from standard input.
type slow struct {
	source
	turn *bufio.Reader
}

func (s *slow) Page(ctx context.Context, after int64, limit int) (*access.AuditPage, error) {
	if _, err := s.turn.ReadString('\n'); err != nil {
		return nil, err
	}
	fmt.Println("page")
	return s.source.Page(ctx, after, limit)
}

// TestExportSurvivesKill kills a process that exports, at every page, and looks at what is there in the end.
func TestExportSurvivesKill(t *testing.T) {
	const size = 60
	if dir := os.Getenv("AUDIT_TEST_KILLED"); dir != "" { // this is the process that is killed
		_, _ = export(t, &slow{source{lines: odootest.AuditLines(size)}, bufio.NewReader(os.Stdin)}, dir)
		return
	}
	t.Parallel()
	dir := t.TempDir()
	for pages := 1; pages <= 4; pages++ {
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run", "^TestExportSurvivesKill$")
		cmd.Env = append(os.Environ(), "AUDIT_TEST_KILLED="+dir)
		in, err := cmd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		told := bufio.NewReader(out)
		for range pages {
			_, _ = io.WriteString(in, "\n")
			if _, err := told.ReadString('\n'); err != nil {
				t.Fatal(err)
			}
		}
		if err := cmd.Process.Kill(); err != nil { // SIGKILL, while a page is written or its cursor is
			t.Fatal(err)
		}
		_ = cmd.Wait()
	}
	// What a kill in the middle of a write leaves.
	f, err := os.OpenFile(filepath.Join(dir, "audit.jsonl"), os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	_, err = f.WriteString(`{"n":9,"dig`)
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := export(t, &source{lines: odootest.AuditLines(size)}, dir); err != nil {
		t.Fatal(err)
	}
	if v, err := verifyFile(t, dir); err != nil || v.Rows != size || v.First != 1 {
		t.Errorf("%d rows from %d: %v", v.Rows, v.First, err)
	}
}

func TestCursorThatIsNone(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "cursor"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := export(t, &source{lines: odootest.AuditLines(3)}, dir); err == nil || !strings.Contains(err.Error(), "not a cursor") {
		t.Error(err)
	}
}

// TestSyslog reads what a collector gets: by RFC 6587's octet counting over TCP, one datagram each over UDP.
func TestSyslog(t *testing.T) {
	t.Parallel()
	lines := odootest.AuditLines(3)
	lines = append(lines, `{"n":4,"digest":"x","row":{"time":"2026-11-29T10:00:00.000000Z","client":"a ]\" \\ b \u2028 ü"}}`)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	got := make(chan []string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			got <- nil
			return
		}
		var all []string
		r := bufio.NewReader(conn)
		for {
			count, err := r.ReadString(' ')
			if err != nil {
				got <- all
				return
			}
			n, _ := strconv.Atoi(strings.TrimSpace(count))
			text := make([]byte, n)
			_, _ = io.ReadFull(r, text)
			all = append(all, string(text))
		}
	}()
	send(t, "syslog+tcp://"+listener.Addr().String(), lines)
	checkMessages(t, <-got, lines)

	packets, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	send(t, "syslog+udp://"+packets.LocalAddr().String(), lines)
	var all []string
	for range lines {
		text := make([]byte, 70_000)
		_ = packets.SetReadDeadline(time.Now().Add(3 * time.Minute))
		n, _, err := packets.ReadFrom(text)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, string(text[:n]))
	}
	checkMessages(t, all, lines)
}

func send(t *testing.T, address string, lines []string) {
	t.Helper()
	sink, err := audit.DialSyslog(t.Context(), address, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range lines {
		if err := sink.Write([]byte(l)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(sink.Flush(), sink.Close()); err != nil {
		t.Fatal(err)
	}
}

func checkMessages(t *testing.T, got, lines []string) {
	t.Helper()
	if len(got) != len(lines) {
		t.Fatalf("%d messages, want %d", len(got), len(lines))
	}
	for i, text := range got {
		parsed, err := rfc5424.NewParser().Parse([]byte(text))
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		m, ok := parsed.(*rfc5424.SyslogMessage)
		if !ok || *m.Message != lines[i] || *m.Appname != "doorman" || *m.MsgID != "audit" || *m.Priority != 110 ||
			!m.Timestamp.Equal(time.Date(2026, 11, 29, 10, 0, 0, 0, time.UTC)) {
			t.Errorf("%q", text)
		}
	}
}

func TestSyslogAddresses(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"syslog://x", "http://x", "syslog+quic://x", "syslog+tls://", "syslog+tcp://u:p@x", "syslog+udp://x/path", "syslog+udp://x?y",
		"tls://x",
	} {
		if _, err := audit.DialSyslog(t.Context(), address, ""); err == nil {
			t.Errorf("%s is taken", address)
		}
	}
}

// BenchmarkVerify reads 1,000,000 rows: it must take less than a minute.
func BenchmarkVerify(b *testing.B) {
	const rows = 1_000_000
	text := []byte(strings.Join(odootest.AuditLines(rows), "\n"))
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		v := &audit.Verifier{}
		if err := v.Read(bytes.NewReader(text)); err != nil || v.Rows != rows {
			b.Fatal(err, v.Rows)
		}
	}
}

// TestOneExportAtATime: a second export would take the half line of the first for one that was cut off.
func TestOneExportAtATime(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "audit.jsonl")
	first, err := audit.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	long := `"` + strings.Repeat("x", 100_000) + `"` // of which a part is written at once
	if err := first.Write([]byte(long)); err != nil {
		t.Fatal(err)
	}
	if second, err := audit.OpenFile(path); err == nil || !strings.Contains(err.Error(), "another export") {
		t.Errorf("a second export: %v %v", second, err)
	}
	if err := errors.Join(first.Write([]byte(`"y"`)), first.Close()); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != long+"\n\"y\"\n" {
		t.Errorf("%d bytes, %v", len(text), err)
	}
	again, err := audit.OpenFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Close(); err != nil {
		t.Error(err)
	}
}
