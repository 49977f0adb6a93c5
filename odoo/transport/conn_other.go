//go:build !unix

package transport

// peerClosed cannot be known here; the reader of net/http will find out.
func (c *watchedConn) peerClosed() bool { return false }
