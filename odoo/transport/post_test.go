package transport

import (
	"bytes"
	"errors"
	"io"
	"testing"
	"testing/iotest"
)

func TestReadCapped(t *testing.T) {
	t.Parallel()
	big := bytes.Repeat([]byte("0123456789"), 100_000)
	for name, r := range map[string]io.Reader{
		"at once": bytes.NewReader(big), "by halves": iotest.HalfReader(bytes.NewReader(big)),
		"data with the end": iotest.DataErrReader(bytes.NewReader(big)),
	} {
		got, err := readCapped(r, -1, int64(len(big)))
		if err != nil || !bytes.Equal(got, big) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := readCapped(bytes.NewReader(big), -1, int64(len(big))-1); !errors.Is(err, errTooLarge) {
		t.Errorf("one byte over: %v", err)
	}
	cut := io.MultiReader(bytes.NewReader(big), iotest.ErrReader(io.ErrUnexpectedEOF))
	if _, err := readCapped(cut, -1, 1<<30); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a body that was cut short passes: %v", err)
	}
}
