package app

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"doorman/odoo"
)

// lookEvery is how often a key file is looked at, at most.
const lookEvery = time.Second

// keyFile is the service's key in a file, which is read again once it has changed: a key can be rotated without a restart.
// What cannot be used (no file for a moment, an empty one, a line too many) leaves the key as it was.
type keyFile struct {
	path string
	log  zerolog.Logger
	now  func() time.Time

	mu     sync.Mutex
	key    odoo.Key
	looked time.Time
	stamp  fileStamp
}

// fileStamp changes when a file does.
type fileStamp struct {
	changed time.Time
	size    int64
}

func stampOf(info fs.FileInfo) fileStamp { return fileStamp{info.ModTime(), info.Size()} }

// newKeyFile watches a file whose key was read already.
func newKeyFile(path string, key odoo.Key, log zerolog.Logger) *keyFile {
	// No stamp yet: the file may have changed since it was read.
	return &keyFile{path: path, key: key, log: log, now: time.Now}
}

// current is the key as the file has it, at most lookEvery ago.
func (f *keyFile) current() odoo.Key {
	f.mu.Lock()
	defer f.mu.Unlock()
	if now := f.now(); now.Sub(f.looked) >= lookEvery {
		f.looked = now
		f.look()
	}
	return f.key
}

func (f *keyFile) look() {
	info, err := os.Stat(f.path)
	if err != nil || stampOf(info) == f.stamp {
		return
	}
	f.stamp = stampOf(info)
	key, err := readKey(f.path)
	switch {
	case err != nil:
		f.log.Error().Err(err).Msg("the service's key file has changed and cannot be used; the key before it is")
	case key != f.key:
		f.key = key
		f.log.Info().Msg("the service's key file has changed: its new key is in use")
	}
}

// readKey reads a key file. The error does not quote it.
func readKey(path string) (odoo.Key, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the file that the administrator names
	if err != nil {
		return "", err
	}
	key := odoo.Key(strings.TrimSpace(string(text)))
	if key == "" {
		return "", errors.New("the file is empty")
	}
	if !odoo.HeaderSafe(string(key)) {
		return "", errors.New("the file contains more than a key: a space, a line break in between, or a character that no key has")
	}
	return key, nil
}
