package audit

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"

	"doorman/server/access"
)

// What can be wrong with exported lines; Odoo's own check has these words and more.
const (
	Changed   = "changed"   // a row does not give the digest: it, or its place, was changed
	Removed   = "removed"   // a row is missing, or not in its place
	Malformed = "malformed" // a line that no export writes
	Rewritten = "rewritten" // the chain does not go through a head that was told
	Shortened = "shortened" // it ends before such a head
)

// Problem is the first place where lines do not fit. It is an error.
type Problem struct {
	What string
	N    int64 // number in the chain
	Line int64 // in all that was read, from 1; 0 at the end
}

// Error says what it is, in words.
func (p *Problem) Error() string {
	said := map[string]string{
		Changed:   "row %d of the chain was changed, or is not in its place",
		Removed:   "row %d of the chain is missing, or not in its place",
		Malformed: "the line after row %d of the chain is not a line of an export",
		Rewritten: "the chain was rewritten: at row %d it is not the one that was told",
		Shortened: "the chain ends before row %d, which it had",
	}[p.What]
	text := fmt.Sprintf(said, p.N)
	if p.Line > 0 {
		text += fmt.Sprintf(" (line %d)", p.Line)
	}
	return text
}

// kept is how many digests back a repeated line is known again: an export that was killed repeats at most a page.
const kept = 4 * access.MaxAuditPage

// Verifier follows a chain, line by line. Its zero value begins anywhere.
type Verifier struct {
	Rows     int64 // how many rows were read and fit
	Withheld int64 // how many of them have no content here, so that their digest is taken as told
	First    int64 // the number of the first row, 0 before there is one

	// Heads are places that the chain must go through.
	Heads []access.AuditLink

	lines  int64
	known  bool // whether there is a place to go on from
	n      int64
	digest [sha256.Size]byte
	zero   bool // whether place 0 was one of them
	// recent has the digests of the last places, by n modulo its length.
	recent []place
}

type place struct {
	n      int64
	digest [sha256.Size]byte
}

// Begin sets where the chain goes on from.
func (v *Verifier) Begin(at access.AuditLink) error {
	digest, ok := parseDigest(at.Digest)
	if !ok {
		return fmt.Errorf("%q is not a SHA-256 in hexadecimal", at.Digest)
	}
	v.set(at.N, digest)
	return nil
}

// At is the last place that was reached.
func (v *Verifier) At() access.AuditLink {
	return access.AuditLink{N: v.n, Digest: hex.EncodeToString(v.digest[:])}
}

func (v *Verifier) set(n int64, digest [sha256.Size]byte) {
	if v.recent == nil {
		v.recent = make([]place, kept)
	}
	v.known, v.n, v.digest, v.recent[n%kept] = true, n, digest, place{n, digest}
	v.zero = v.zero || n == 0
}

// had is the digest of a place that was passed not long ago.
func (v *Verifier) had(n int64) (digest [sha256.Size]byte, there bool) {
	if v.recent == nil || n < 0 {
		return digest, false
	}
	p := v.recent[n%kept]
	// An entry that was never set has the number 0, and no digest.
	return p.digest, p.n == n && (n > 0 || v.zero)
}

type line struct {
	N        int64             `json:"n"`
	Digest   string            `json:"digest"`
	Row      json.RawMessage   `json:"row"`
	Withheld bool              `json:"withheld"`
	Before   *access.AuditLink `json:"before"`
	Head     *access.AuditLink `json:"head"`
}

// read takes a line apart. One as Odoo writes it is cut without a JSON parser, which takes most of the time; a row that was
// tampered with does not fit its digest, however it is cut out.
func read(text []byte) (l line, ok bool) {
	number, rest, found := bytes.Cut(bytes.TrimPrefix(text, []byte(`{"n":`)), []byte(`,"digest":"`))
	n, err := strconv.ParseInt(string(number), 10, 64)
	digest, row, complete := bytes.Cut(rest, []byte(`","row":`))
	if found && complete && err == nil && len(row) > 2 && row[0] == '{' && bytes.HasSuffix(row, []byte("}}")) {
		return line{N: n, Digest: string(digest), Row: row[:len(row)-1]}, true
	}
	return l, json.Unmarshal(text, &l) == nil
}

// Line follows one line. The error is a *Problem.
func (v *Verifier) Line(text []byte) error {
	v.lines++
	l, ok := read(text)
	if !ok {
		return v.problem(Malformed, v.n)
	}
	switch {
	case l.Before != nil:
		return v.begin(l.Before)
	case l.Head != nil:
		return v.head(l.Head)
	}
	told, ok := parseDigest(l.Digest)
	if !ok || l.N < 1 {
		return v.problem(Malformed, v.n)
	}
	return v.row(&l, told)
}

func (v *Verifier) row(l *line, told [sha256.Size]byte) error {
	if !v.known && l.N == 1 {
		v.set(0, [sha256.Size]byte{})
	}
	before, checkable := v.digest, v.known
	switch {
	case v.known && l.N <= v.n: // an export that was cut off repeats its last page
		now, there := v.had(l.N)
		if before, checkable = v.had(l.N - 1); !there || now != told {
			return v.problem(Changed, l.N)
		}
	case v.known && l.N != v.n+1:
		return v.problem(Removed, v.n+1)
	}
	if !l.Withheld {
		if l.Row == nil || string(l.Row) == "null" {
			return v.problem(Removed, l.N)
		}
		if checkable && !fits(before, l.Row, told) {
			return v.problem(Changed, l.N)
		}
	}
	if v.known && l.N <= v.n {
		return nil
	}
	v.set(l.N, told)
	v.Rows++
	if v.First == 0 {
		v.First = l.N
	}
	if l.Withheld {
		v.Withheld++
	}
	return v.through()
}

// fits holds a row against its digest: as it stands, else in canonical form, for what stores JSON may write it its own way.
func fits(before [sha256.Size]byte, row []byte, told [sha256.Size]byte) bool {
	if sum(before, row) == told {
		return true
	}
	canonical := jsontext.Value(bytes.Clone(row))
	return canonical.Canonicalize() == nil && sum(before, canonical) == told
}

func sum(before [sha256.Size]byte, row []byte) (digest [sha256.Size]byte) {
	h := sha256.New()
	h.Write(before[:])
	h.Write(row)
	h.Sum(digest[:0])
	return digest
}

// begin is where an export began: where another ended, or further back.
func (v *Verifier) begin(at *access.AuditLink) error {
	digest, ok := parseDigest(at.Digest)
	switch {
	case !ok || at.N < 0:
		return v.problem(Malformed, v.n)
	case !v.known:
		v.set(at.N, digest)
		return nil
	case at.N > v.n:
		return v.problem(Removed, v.n+1)
	}
	return v.same(at.N, digest)
}

func (v *Verifier) head(at *access.AuditLink) error {
	digest, ok := parseDigest(at.Digest)
	switch {
	case !ok || at.N < 0:
		return v.problem(Malformed, v.n)
	case at.N > v.n: // told while there was more to come
		v.Heads = append(v.Heads, *at)
		return nil
	}
	return v.same(at.N, digest)
}

func (v *Verifier) same(n int64, digest [sha256.Size]byte) error {
	if had, there := v.had(n); there && had != digest {
		return v.problem(Rewritten, n)
	}
	return nil
}

// through holds the place that was just reached against the heads.
func (v *Verifier) through() error {
	for _, h := range v.Heads {
		if h.N == v.n && h.Digest != hex.EncodeToString(v.digest[:]) {
			return v.problem(Rewritten, v.n)
		}
	}
	return nil
}

// End says whether the chain has come as far as it should. The error is a *Problem.
func (v *Verifier) End() error {
	for _, h := range v.Heads {
		if h.N > v.n {
			return &Problem{What: Shortened, N: h.N}
		}
	}
	return nil
}

// Read follows all lines of a file, empty ones left out.
func (v *Verifier) Read(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 64<<10), 16<<20)
	for lines.Scan() {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := v.Line(lines.Bytes()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (v *Verifier) problem(what string, n int64) error {
	return &Problem{What: what, N: n, Line: v.lines}
}

func parseDigest(text string) (digest [sha256.Size]byte, ok bool) {
	n, err := hex.Decode(digest[:], []byte(text[:min(len(text), 2*sha256.Size)]))
	return digest, err == nil && n == sha256.Size && len(text) == 2*sha256.Size
}
