package localodoo

import (
	"crypto/rand"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// workdir is the temp dir of one run: sockets, data, logs. Its lock file is held
// as long as the run lives, which tells a live directory from one left behind.
type workdir struct {
	dir      string
	acc      account
	lock     *fileLock
	watchdog *watchdog
}

const (
	workPrefix = "doorman-odoo-"
	liveLock   = "live.lock"
	// socketLimit: a unix socket's path may have 107 bytes, and PostgreSQL adds its own name.
	socketLimit = 107 - len("/socket/.s.PGSQL.5432.lock")
)

// newWorkdir makes a temp dir for acc, with a watchdog, and sweeps away what killed
// runs left behind.
func newWorkdir(acc account, engine string) (*workdir, error) {
	root, err := tempRoot(acc)
	if err != nil {
		return nil, err
	}
	// Sweeping and making exclude each other: a directory that is not locked yet
	// would look like a dead one.
	mutex, err := lockTemp(root)
	if err != nil {
		return nil, err
	}
	defer mutex.release()
	sweep(root)
	w := &workdir{dir: filepath.Join(root, workPrefix+strings.ToLower(rand.Text()[:10])), acc: acc}
	if err := os.Mkdir(w.dir, 0o711); err != nil {
		return nil, err
	}
	if w.lock, err = tryLock(filepath.Join(w.dir, liveLock), true); err != nil || w.lock == nil {
		os.RemoveAll(w.dir)
		return nil, fmt.Errorf("locking %s: %w", w.dir, err)
	}
	if w.watchdog, err = newWatchdog(w.dir, engine); err != nil {
		w.lock.release()
		os.RemoveAll(w.dir)
		return nil, err
	}
	for _, sub := range []string{"socket", "home", "data", "data/filestore", "log"} {
		if err := w.mkdir(filepath.Join(w.dir, sub)); err != nil {
			w.close()
			return nil, err
		}
	}
	return w, nil
}

// tempRoot is os.TempDir unless the account cannot enter it or sockets would not fit.
func tempRoot(acc account) (string, error) {
	var tried []string
	for _, root := range []string{os.TempDir(), "/tmp"} {
		blocked := acc.blockedAt(root)
		fits := len(root)+1+len(workPrefix)+10 <= socketLimit
		if blocked == "" && fits {
			return root, nil
		}
		tried = append(tried, root)
	}
	return "", fmt.Errorf("no usable temporary directory (%s is too long, or the user %s cannot enter it)",
		strings.Join(tried, " "), acc.name)
}

// lockTemp takes the lock that makers and sweepers of work dirs share. The name
// holds the user: files of others in /tmp cannot be opened for writing.
func lockTemp(root string) (*fileLock, error) {
	path := filepath.Join(root, workPrefix+strconv.Itoa(os.Getuid())+".lock")
	for begin := time.Now(); ; {
		l, err := tryLock(path, true)
		if l != nil || err != nil {
			return l, err
		}
		if time.Since(begin) > time.Minute {
			return nil, fmt.Errorf("%s is locked by another process for more than a minute", path)
		}
		time.Sleep(tick)
	}
}

// sweep removes work dirs whose owner is gone. Errors are left to the next
// sweep: somebody else's leftovers must not stop this run.
func sweep(root string) {
	entries, err := os.ReadDir(root)
	if err != nil {
		return
	}
	for _, e := range entries {
		if !e.IsDir() || !strings.HasPrefix(e.Name(), workPrefix) {
			continue
		}
		dir := filepath.Join(root, e.Name())
		// Without its lock file it is not ours, or a watchdog is just removing it.
		if _, err := os.Stat(filepath.Join(dir, liveLock)); err != nil {
			continue
		}
		lock, err := tryLock(filepath.Join(dir, liveLock), true)
		if err != nil || lock == nil {
			continue
		}
		os.RemoveAll(dir)
		lock.release()
	}
}

// mkdir makes a folder that belongs to the account that runs Odoo.
func (w *workdir) mkdir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return w.give(dir)
}

// give hands a file or folder (not what is in it) to that account.
func (w *workdir) give(path string) error {
	if !w.acc.switches {
		return nil
	}
	return os.Chown(path, w.acc.uid, w.acc.gid)
}

// accountFor is who runs a command.
func (w *workdir) accountFor(s spec) account {
	if s.root {
		return account{}
	}
	return w.acc
}

// socket is the folder of PostgreSQL's unix socket.
func (w *workdir) socket() string { return filepath.Join(w.dir, "socket") }

// close removes the directory. Everything in it must have been stopped before;
// what was not, the watchdog kills.
func (w *workdir) close() error {
	err := w.watchdog.close()
	if rest := os.RemoveAll(w.dir); rest != nil {
		err = rest
	}
	w.lock.release()
	return err
}
