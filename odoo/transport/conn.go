package transport

import (
	"errors"
	"net"
	"sync/atomic"
)

// watchedConn counts what is written to it, and can be told to take no more. net/http does not say whether a failed POST
// had left: with the count, one that had not can be sent on a fresh connection, and one that had is never sent twice.
type watchedConn struct {
	net.Conn
	written atomic.Int64
	dead    atomic.Bool
}

func watch(c net.Conn) *watchedConn { return &watchedConn{Conn: c} }

var errDead = errors.New("connection given up")

// Write counts before it writes. Between kill and a write that races with it, at least one sees the other: either the
// bytes are counted, or they do not leave.
func (c *watchedConn) Write(p []byte) (int, error) {
	if c.dead.Load() {
		return 0, errDead
	}
	c.written.Add(int64(len(p)))
	if c.dead.Load() {
		c.written.Add(-int64(len(p)))
		return 0, errDead
	}
	return c.Conn.Write(p)
}

// kill makes every later write fail.
func (c *watchedConn) kill() { c.dead.Store(true) }

// unwrap finds the watched connection under a TLS one; nil if it is not there.
func unwrap(c net.Conn) *watchedConn {
	if t, ok := c.(interface{ NetConn() net.Conn }); ok {
		c = t.NetConn()
	}
	w, _ := c.(*watchedConn)
	return w
}
