package transport

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"
)

// Class says how a call ended, as far as the breaker, the choice of a way and the words of the error care.
type Class int

// The classes. Gateway code never sees them: the client turns each into words.
const (
	NoAnswer    Class = iota // the connection broke: the zero value trips the breaker rather than passing as success
	Unreachable              // nothing was sent: refused, no route, no name, TLS
	Gateway                  // 502, 503 or 504 from something that is not the addon
	Timeout                  // the deadline came first
	Cancelled                // the caller went away
	KeyRefused               // Odoo does not accept the service's key
	Blocked                  // something on the way does not let this path through
	Missing                  // the addon or the database is not there, or a page says so
	Redirect                 // an answer that sends us elsewhere; never followed
	Garbage                  // an answer that is none
	TooLarge                 // an answer beyond Options.MaxBody
	RefusedSize              // our request is too large for somebody on the way
	Throttled                // 429 from somebody on the way
	Fault                    // an exception of Odoo's
	Busy                     // too many calls in flight; nothing was sent
	Flood                    // too many calls of this connection wait; nothing was sent
	Open                     // the breaker is open; nothing was sent
	BadRequest               // the arguments cannot be written down; nothing was sent
	Misfit                   // the addon is of another version; nothing was done
)

// Failure is how a way reports a call that gave no result. It holds no text from outside but an exception's name and
// message, which package odoo turns into words, cleaned.
type Failure struct {
	Class   Class
	Sent    bool          // Odoo may have seen the request
	Reason  string        // fixed words for the operator
	Name    string        // of Odoo's exception, e.g. "odoo.exceptions.AccessError"
	Message string        // of Odoo's exception; not yet cleaned
	Status  int           // HTTP status; 0 = none came
	Retry   time.Duration // as a Retry-After asked for; 0 = not said
	Misfit  error         // what Options.Fits said, of class Misfit
	NoAddon bool          // the addon did not answer where it should: the key may be unknown for that reason
	Proxied bool          // the answer is HTML or the like: not from the addon
	counted *atomic.Bool  // whether the breaker knows of it; nil = it is one caller's alone
}

// Error gives the operator's words; it exists to satisfy error.
func (f *Failure) Error() string { return f.Reason }

// Down reports whether f means that Odoo is not there: only these trip the breaker. An error that Odoo itself sends is
// proof of life, and a slow report must not lock everybody else out.
func (f *Failure) Down() bool {
	return f.Class == Unreachable || f.Class == NoAnswer || f.Class == Gateway
}

// ProvesNothing reports whether f says neither that Odoo is there nor that it is not: a caller went away, or the lost
// request that they shared is known already. One worker that dies must not look like an Odoo that is gone.
func (f *Failure) ProvesNothing() bool {
	return f.Class == Cancelled || f.counted != nil && f.counted.Swap(true)
}

// refusedWhole reports whether a batch was refused as one, before anything of it was done: by an addon that knows none,
// on a server that is still to be updated, or for its size.
func (f *Failure) refusedWhole() bool {
	return f.Class == RefusedSize || f.Class == Fault && f.Status == http.StatusBadRequest
}

// AsFailure returns err as a *Failure; a way returns nothing else.
func AsFailure(err error) *Failure {
	if f, ok := errors.AsType[*Failure](err); ok {
		return f
	}
	return &Failure{Class: NoAnswer, Sent: true, Reason: "unclassified error"}
}

// networkFailure classifies what net/http returned. The error's own text is dropped: "malformed HTTP response" quotes
// the body.
func networkFailure(ctx context.Context, err error, sent bool) *Failure {
	f := &Failure{Class: NoAnswer, Sent: sent, Reason: netReason(err)}
	var op *net.OpError
	if !sent || (errors.As(err, &op) && op.Op == "dial") {
		f.Class, f.Sent = Unreachable, false
	}
	return orContext(ctx, err, f)
}

// orContext replaces f by what the context says, if the call ended for that reason.
func orContext(ctx context.Context, err error, f *Failure) *Failure {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		f.Class, f.Reason = Cancelled, "cancelled by the caller"
	case ctx.Err() != nil || (f.Sent && errors.Is(err, context.DeadlineExceeded)):
		f.Class, f.Reason = Timeout, "deadline passed"
	}
	return f
}

// netReason names a network error in fixed words.
func netReason(err error) string {
	var (
		dns *net.DNSError
		op  *net.OpError
	)
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.As(err, &dns):
		return "host name not found"
	case isEOF(err):
		return "connection closed before the answer"
	case isTLS(err):
		return "TLS certificate or handshake refused"
	case errors.As(err, &op) && op.Op == "dial":
		return "cannot connect"
	default:
		return "connection broken"
	}
}
