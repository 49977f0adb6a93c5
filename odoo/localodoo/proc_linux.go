package localodoo

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// supported says whether this operating system is one we can start processes on.
func supported() error { return nil }

// account is who runs Odoo and PostgreSQL.
type account struct {
	uid, gid int
	name     string
	// switches is true when the account is not the one we are: processes then
	// get its credentials, and files made for it must be handed over.
	switches bool
}

// self is the account of this process.
func self() account {
	name := strconv.Itoa(os.Getuid())
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	return account{uid: os.Getuid(), gid: os.Getgid(), name: name}
}

// accountNamed looks up a system user to run as.
func accountNamed(name string) (account, error) {
	u, err := user.Lookup(name)
	if err != nil {
		return account{}, fmt.Errorf("the user %s, which would run PostgreSQL and Odoo, does not exist: %w", name, err)
	}
	uid, err := strconv.Atoi(u.Uid)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", name, err)
	}
	gid, err := strconv.Atoi(u.Gid)
	if err != nil {
		return account{}, fmt.Errorf("user %s: %w", name, err)
	}
	return account{uid: uid, gid: gid, name: name, switches: uid != os.Getuid()}, nil
}

// blockedAt returns the first folder on the way to path (path included) that the
// account may not enter, or "". Folders that do not exist yet block nobody.
func (a account) blockedAt(path string) string {
	if a.uid == 0 {
		return ""
	}
	for dir := filepath.Clean(path); ; dir = filepath.Dir(dir) {
		if info, err := os.Stat(dir); err == nil && !a.may(info, 1) {
			return dir
		}
		if dir == filepath.Dir(dir) {
			return ""
		}
	}
}

// may checks the permission bits (4 read, 2 write, 1 enter) that apply to the account.
func (a account) may(info os.FileInfo, bits os.FileMode) bool {
	mode := info.Mode().Perm()
	if st, ok := info.Sys().(*syscall.Stat_t); ok {
		switch {
		case int(st.Uid) == a.uid:
			mode >>= 6
		case int(st.Gid) == a.gid:
			mode >>= 3
		}
	}
	return mode&bits == bits
}

// canRead reports whether the account can enter and read everything below dir
// that could belong to an addon.
func (a account) canRead(dir string) (bool, error) {
	if a.blockedAt(dir) != "" {
		return false, nil
	}
	readable := true
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if path != dir && ignored(e.Name()) {
			if e.IsDir() {
				return filepath.SkipDir
			}
			return nil
		}
		info, err := os.Stat(path)
		if err != nil {
			return err
		}
		bits := os.FileMode(4)
		if info.IsDir() {
			bits = 5
		}
		if !a.may(info, bits) {
			readable = false
			return filepath.SkipAll
		}
		return nil
	})
	return readable, err
}

// spawner starts every process from one OS thread that never ends. The kernel
// sends a parent-death signal when the *thread* that forked ends: started from
// an ordinary goroutine, a healthy PostgreSQL would be killed whenever the Go
// runtime retires that thread.
var spawner = func() chan<- func() {
	work := make(chan func())
	go func() {
		runtime.LockOSThread()
		for f := range work {
			f()
		}
	}()
	return work
}()

// spawn starts cmd in its own process group, as acc, to be sent death when this
// process dies (0: let it live on). Its own group keeps the terminal's Ctrl-C
// away from it, so that we can stop Odoo before PostgreSQL.
func spawn(cmd *exec.Cmd, acc account, death syscall.Signal) error {
	attr := &syscall.SysProcAttr{Setpgid: true, Pdeathsig: death}
	if acc.switches {
		attr.Credential = &syscall.Credential{Uid: uint32(acc.uid), Gid: uint32(acc.gid)}
	}
	cmd.SysProcAttr = attr
	result := make(chan error)
	spawner <- func() { result <- cmd.Start() }
	return <-result
}

// spawnDetached starts cmd in a session of its own: neither Ctrl-C nor a kill of
// our process group reaches it. Only the watchdog is started like this.
func spawnDetached(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return cmd.Start()
}

// signalProcess signals one process.
func signalProcess(pid int, sig syscall.Signal) error { return syscall.Kill(pid, sig) }

// signalGroup signals a process and everything it started in its group.
func signalGroup(pid int, sig syscall.Signal) error { return syscall.Kill(-pid, sig) }

const (
	sigPause  = syscall.SIGSTOP
	sigResume = syscall.SIGCONT
)

// holdPort binds a TCP port of 127.0.0.1 without listening on it, so that no
// other holdPort gets it until the file is closed. Whoever binds with
// SO_REUSEADDR, as Odoo's servers do, can still listen there.
func holdPort(port int) (*os.File, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socket", err)
	}
	hold := os.NewFile(uintptr(fd), "port "+strconv.Itoa(port))
	err = syscall.Bind(fd, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		// Set after binding: the bind itself must fail where anyone else holds the port.
		err = syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	if err != nil {
		hold.Close()
		return nil, os.NewSyscallError("bind", err)
	}
	return hold, nil
}

// syncDisks makes what was written survive a power cut before it gets its final name.
func syncDisks() { syscall.Sync() }

// flock locks an open file: shared or exclusive, waiting or not. It reports
// false when it did not wait and somebody else holds the lock.
func flock(f *os.File, exclusive, wait bool) (bool, error) {
	how := syscall.LOCK_SH
	if exclusive {
		how = syscall.LOCK_EX
	}
	if !wait {
		how |= syscall.LOCK_NB
	}
	for {
		err := syscall.Flock(int(f.Fd()), how)
		switch err {
		case nil:
			return true, nil
		case syscall.EINTR:
			continue
		case syscall.EWOULDBLOCK:
			return false, nil
		default:
			return false, err
		}
	}
}
