package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
)

type writer struct {
	buffer *bufio.Writer
	file   *os.File // nil for what has no place on a disk
}

// NewWriter makes a sink of something that lines are written to, such as standard output.
func NewWriter(w io.Writer) Sink { return &writer{buffer: bufio.NewWriterSize(w, 64<<10)} }

// errLocked is the error of a file that another export is writing.
var errLocked = errors.New("another export is writing to this file: run it again when that has ended")

// OpenFile makes a sink that appends to a file, alone. A line that a kill has cut off is taken away first: its row comes
// again. One that another export is about to finish looks the same, so there must be no other.
func OpenFile(path string) (Sink, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600) //nolint:gosec // the file that the auditor names
	if err != nil {
		return nil, err
	}
	if err := takeOver(f); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), f.Close())
	}
	return &writer{buffer: bufio.NewWriterSize(f, 64<<10), file: f}, nil
}

// takeOver locks a file, and goes to its end, behind the last whole line.
func takeOver(f *os.File) error {
	if err := lock(f); err != nil {
		return err
	}
	end, err := endOfLines(f)
	if err != nil {
		return err
	}
	if err := f.Truncate(end); err != nil {
		return err
	}
	_, err = f.Seek(end, io.SeekStart)
	return err
}

// endOfLines is the size of a file up to its last line break.
func endOfLines(f *os.File) (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	const piece = 64 << 10
	for end := info.Size(); end > 0; {
		begin := max(0, end-piece)
		text := make([]byte, end-begin)
		if _, err := f.ReadAt(text, begin); err != nil {
			return 0, err
		}
		if i := bytes.LastIndexByte(text, '\n'); i >= 0 {
			return begin + int64(i) + 1, nil
		}
		end = begin
	}
	return 0, nil
}

func (w *writer) Write(line []byte) error {
	_, err := w.buffer.Write(line)
	return errors.Join(err, w.buffer.WriteByte('\n'))
}

func (w *writer) Flush() error {
	if err := w.buffer.Flush(); err != nil || w.file == nil {
		return err
	}
	return w.file.Sync()
}

func (w *writer) Close() error {
	err := w.buffer.Flush()
	if w.file != nil {
		unlock(w.file)
		err = errors.Join(err, w.file.Close())
	}
	return err
}
