package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"doorman/server/access"
)

// Source is Odoo as an export sees it: rows behind a number of the chain, limit at most. odoo.Client is one, with a key.
type Source interface {
	Page(ctx context.Context, after int64, limit int) (*access.AuditPage, error)
}

// Sink takes lines. Flush returns when they are where they are to be, as far as that can be known.
type Sink interface {
	Write(line []byte) error
	Flush() error
	Close() error
}

// Exporter copies the audit from a Source to a Sink.
type Exporter struct {
	Source Source
	Sink   Sink
	Cursor string            // path of the file that tells where to go on; "" = none is kept
	Begin  *access.AuditLink // where to begin if there is no cursor; nil = from where the chain starts
	Page   int               // rows a request, 1 to access.MaxAuditPage
}

// Result is what an export did.
type Result struct {
	Rows int64
	Head access.AuditLink
	// Problem is the first place where the audit does not fit its chain or the last export; nil if it does. The rows were
	// exported all the same: they are evidence.
	Problem *Problem
}

// Run exports the whole chain. The cursor is written after each page has been flushed: after a crash at any moment,
// the next run repeats a page at most and leaves nothing out.
func (e *Exporter) Run(ctx context.Context) (*Result, error) {
	at, err := e.begin()
	if err != nil {
		return nil, err
	}
	var follow Verifier
	result, after := &Result{}, int64(0)
	if at != nil {
		after = at.N
		if err := follow.Begin(*at); err != nil {
			return nil, err
		}
	}
	note := func(err error) {
		var p *Problem
		if errors.As(err, &p) && result.Problem == nil {
			result.Problem = &Problem{What: p.What, N: p.N}
		}
	}
	for {
		page, err := e.Source.Page(ctx, after, e.Page)
		if err != nil {
			return result, err
		}
		result.Head = page.Head
		if page.Head.N < after {
			note(&Problem{What: Shortened, N: after})
			return result, nil
		}
		if err := e.write(page, result.Rows == 0, func(line []byte) {
			if result.Problem == nil {
				note(follow.Line(line))
			}
		}); err != nil {
			return result, err
		}
		result.Rows += int64(len(page.Lines))
		if len(page.Lines) == 0 {
			return result, nil
		}
		after = page.Last
		if err := e.keep(page); err != nil {
			return result, err
		}
	}
}

// write hands a page on: where it begins, its rows, and the head that Odoo had then.
func (e *Exporter) write(page *access.AuditPage, first bool, follow func([]byte)) error {
	place := func(name string, at access.AuditLink) ([]byte, error) {
		return json.Marshal(map[string]access.AuditLink{name: at})
	}
	before, err := place("before", page.Before)
	if err != nil {
		return err
	}
	follow(before)
	if len(page.Lines) == 0 {
		if first {
			return nil
		}
		head, err := place("head", page.Head)
		if err != nil {
			return err
		}
		return errors.Join(e.Sink.Write(head), e.Sink.Flush())
	}
	if first {
		if err := e.Sink.Write(before); err != nil {
			return err
		}
	}
	for _, line := range page.Lines {
		follow([]byte(line))
		if err := e.Sink.Write([]byte(line)); err != nil {
			return err
		}
	}
	return e.Sink.Flush()
}

func (e *Exporter) begin() (*access.AuditLink, error) {
	if e.Cursor == "" {
		return e.Begin, nil
	}
	text, err := os.ReadFile(e.Cursor)
	if errors.Is(err, fs.ErrNotExist) {
		return e.Begin, nil
	}
	if err != nil {
		return nil, err
	}
	var at access.AuditLink
	if err := json.Unmarshal(text, &at); err != nil || at.N < 0 {
		return nil, fmt.Errorf("%s is not a cursor of doorman audit export: move it away to begin anew", e.Cursor)
	}
	return &at, nil
}

// keep writes the cursor as a whole or not at all.
func (e *Exporter) keep(page *access.AuditPage) error {
	if e.Cursor == "" {
		return nil
	}
	var last access.AuditLink
	if err := json.Unmarshal([]byte(page.Lines[len(page.Lines)-1]), &last); err != nil {
		return err
	}
	text, err := json.Marshal(last)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(e.Cursor), filepath.Base(e.Cursor)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), e.Cursor)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
