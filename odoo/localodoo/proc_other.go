//go:build !linux

package localodoo

import (
	"errors"
	"os"
	"os/exec"
	"syscall"
)

// errNotLinux is what every entry point answers here; the rest of this file only
// lets the program compile, so that the service itself runs on any system.
var errNotLinux = errors.New("a local Odoo needs Linux (Debian packages, or a container engine); " +
	"on this system use `docker compose up`, or point to an Odoo that is there already (--odoo-url)")

func supported() error { return errNotLinux }

type account struct {
	uid, gid int
	name     string
	switches bool
}

func self() account                                  { return account{uid: os.Getuid(), gid: os.Getgid()} }
func accountNamed(string) (account, error)           { return account{}, errNotLinux }
func (account) blockedAt(string) string              { return "" }
func (account) may(os.FileInfo, os.FileMode) bool    { return true }
func (account) canRead(string) (bool, error)         { return false, errNotLinux }
func spawn(*exec.Cmd, account, syscall.Signal) error { return errNotLinux }
func spawnDetached(*exec.Cmd) error                  { return errNotLinux }
func signalProcess(int, syscall.Signal) error        { return errNotLinux }
func signalGroup(int, syscall.Signal) error          { return errNotLinux }
func holdPort(int) (*os.File, error)                 { return nil, errNotLinux }
func syncDisks()                                     {}
func flock(*os.File, bool, bool) (bool, error)       { return false, errNotLinux }

const (
	sigPause  = syscall.SIGTERM
	sigResume = syscall.SIGTERM
)
