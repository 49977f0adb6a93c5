//go:build unix

package transport

import "syscall"

// peerClosed looks, without taking anything, whether the other side has closed. net/http notices by itself, but only
// when its reader was scheduled; a call that comes in between would be written into the void and end as "may have been
// done".
func (c *watchedConn) peerClosed() bool {
	sc, ok := c.Conn.(syscall.Conn)
	if !ok {
		return false
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return true
	}
	closed := false
	// Control, not Read: net/http's reader sits in a Read on the same connection, and holds its lock.
	err = raw.Control(func(fd uintptr) {
		var b [1]byte
		n, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
		closed = n == 0 && err == nil || err != nil && err != syscall.EAGAIN && err != syscall.EINTR
	})
	return closed || err != nil
}
