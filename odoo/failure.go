package odoo

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"time"

	"doorman/server/access"
)

// class says how a call ended, as far as the breaker, the choice of a transport and the words of the error care.
type class int

const (
	clsNoAnswer    class = iota // the connection broke: the zero value trips the breaker rather than passing as success
	clsUnreachable              // nothing was sent: refused, no route, no name, TLS
	clsGateway                  // 502, 503 or 504 from something that is not the addon
	clsTimeout                  // the deadline came first
	clsCancelled                // the caller went away
	clsKeyRefused               // Odoo does not accept the service's key
	clsBlocked                  // something on the way does not let this path through
	clsMissing                  // the addon or the database is not there, or a page says so
	clsRedirect                 // an answer that sends us elsewhere; never followed
	clsGarbage                  // an answer that is none
	clsTooLarge                 // an answer beyond Config.MaxBody
	clsRefusedSize              // our request is too large for somebody on the way
	clsThrottled                // 429 from somebody on the way
	clsFault                    // an exception of Odoo's
	clsBusy                     // too many calls in flight; nothing was sent
	clsFlood                    // too many calls of this connection wait; nothing was sent
	clsOpen                     // the breaker is open; nothing was sent
	clsBadRequest               // the arguments cannot be written down; nothing was sent
	clsMisfit                   // the addon speaks another interface, or its database is not updated; nothing was done
)

// failure is how a transport reports a call that gave no result. It holds no text from outside but an exception's name
// and message, which only errors.go turns into words.
type failure struct {
	class   class
	sent    bool          // Odoo may have seen the request
	reason  string        // fixed words for the operator
	name    string        // of Odoo's exception, e.g. "odoo.exceptions.AccessError"
	message string        // of Odoo's exception; not yet cleaned
	status  int           // HTTP status; 0 = none came
	retry   time.Duration // as a Retry-After asked for; 0 = not said
	misfit  *access.Error // what clsMisfit says
	noAddon bool          // the addon did not answer where it should: the key may be unknown for that reason
	proxied bool          // the answer is HTML or the like: not from the addon
	counted *atomic.Bool  // whether the breaker knows of it; nil = it is one caller's alone
}

// Error gives the operator's words; it exists to satisfy error.
func (f *failure) Error() string { return f.reason }

// down reports whether f means that Odoo is not there: only these trip the breaker. An error that Odoo itself sends is
// proof of life, and a slow report must not lock everybody else out.
func (f *failure) down() bool {
	return f.class == clsUnreachable || f.class == clsNoAnswer || f.class == clsGateway
}

// provesNothing reports whether f says neither that Odoo is there nor that it is not: a caller went away, or the lost
// request that they shared is known already. One worker that dies must not look like an Odoo that is gone.
func (f *failure) provesNothing() bool {
	return f.class == clsCancelled || f.counted != nil && f.counted.Swap(true)
}

// refusedWhole reports whether a batch was refused as one, before anything of it was done: by an addon that knows none,
// on a server that is still to be updated, or for its size.
func (f *failure) refusedWhole() bool {
	return f.class == clsRefusedSize || f.class == clsFault && f.status == http.StatusBadRequest
}

// asFailure returns err as a *failure; a transport returns nothing else.
func asFailure(err error) *failure {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	return &failure{class: clsNoAnswer, sent: true, reason: "unclassified error"}
}

// networkFailure classifies what net/http returned. The error's own text is dropped: "malformed HTTP response" quotes
// the body.
func networkFailure(ctx context.Context, err error, sent bool) *failure {
	f := &failure{class: clsNoAnswer, sent: sent, reason: netReason(err)}
	var op *net.OpError
	if !sent || (errors.As(err, &op) && op.Op == "dial") {
		f.class, f.sent = clsUnreachable, false
	}
	return orContext(ctx, err, f)
}

// orContext replaces f by what the context says, if the call ended for that reason.
func orContext(ctx context.Context, err error, f *failure) *failure {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		f.class, f.reason = clsCancelled, "cancelled by the caller"
	case ctx.Err() != nil || (f.sent && errors.Is(err, context.DeadlineExceeded)):
		f.class, f.reason = clsTimeout, "deadline passed"
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
