package odoo

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"doorman/odoo/transport"
	"doorman/odoo/wire"
	"doorman/server/access"
)

// Words that more than one failure uses. "May or may not" is said only of what can change something.
const (
	msgNotDone   = "Odoo is not reachable right now; nothing was done."
	msgMaybeDone = "Odoo did not answer; the request may or may not have been carried out."
	msgNoAnswer  = "Odoo did not answer."
	hintLater    = "Try again in a moment."
	hintLook     = "Look at the records first; try again only if nothing has changed."
	hintSameKey  = "Send it again with the same idempotency_key: what was done is not done twice."
	hintKey      = "An administrator has to create a new service key in Doorman > Configuration > Server Settings and put it in DOORMAN_ODOO_KEY."
)

// errorOf turns a failure of a job into the error that leaves this package. MaxBody is in bytes.
func (c *Client) errorOf(f *transport.Failure, j job) *access.Error {
	e := c.words(f, j)
	e.Detail = c.detail(f, j.method)
	return e
}

// words finds kind, message, hint and retry time.
func (c *Client) words(f *transport.Failure, j job) *access.Error {
	maybe := f.Sent && !transport.Repeatable(j.method) && !j.harmless
	look := hintLook
	if j.keyed {
		look = hintSameKey
	}
	switch f.Class {
	case transport.Misfit:
		told := *access.AsError(f.Misfit)
		told.Message += " Nothing was done."
		return &told
	case transport.Unreachable, transport.Open:
		return unavailable(msgNotDone, hintLater, max(f.Retry, wire.RetrySoon))
	case transport.Busy:
		return unavailable("Odoo is busy: too many calls are waiting; nothing was done.", hintLater, 2*time.Second)
	case transport.Flood:
		return &access.Error{
			Kind: access.RateLimited, Message: "Too many calls of this connection are waiting for Odoo; nothing was done.",
			Hint: "Send fewer at once, and this one again in a moment.", RetryAfter: 2 * time.Second,
		}
	case transport.Throttled:
		return unavailable("Odoo, or a proxy in front of it, asks to slow down.", hintLater, max(f.Retry, 5*time.Second))
	case transport.NoAnswer, transport.Gateway, transport.Garbage:
		if maybe {
			return unavailable(msgMaybeDone, look, max(f.Retry, wire.RetrySoon))
		}
		return unavailable(msgNoAnswer, hintLater, max(f.Retry, wire.RetrySoon))
	case transport.Timeout, transport.Cancelled:
		return timeout(f, maybe, look)
	case transport.TooLarge:
		e := access.NewError(access.TooLarge, fmt.Sprintf("Odoo's answer is larger than %d MiB.", max(c.maxBody>>20, 1)),
			"Ask for fewer records or fewer fields.")
		if maybe {
			e.Hint += " If the call was to change something, it has done so."
		}
		return e
	case transport.RefusedSize:
		return access.NewError(access.TooLarge, "The request is too large for Odoo, or for a proxy in front of it.", "Send less at once.")
	case transport.BadRequest:
		return access.NewError(access.InvalidInput, "The arguments cannot be sent to Odoo.", "Use plain JSON values.")
	case transport.Fault:
		return faultWords(f)
	default:
		return c.setupWords(f)
	}
}

// setupWords is for what only an administrator can fix.
func (c *Client) setupWords(f *transport.Failure) *access.Error {
	switch f.Class {
	case transport.KeyRefused:
		hint := hintKey
		if f.NoAddon {
			hint = "An administrator has to check that the module doorman is installed in the database that DOORMAN_ODOO_DB names. If it is: " + hintKey
		}
		return unavailable("Odoo refused Doorman's own key.", hint, 0)
	case transport.Missing:
		if c.link.Answered() { // Odoo looks for its databases in PostgreSQL, and finds none while that is away
			return unavailable("Odoo does not find its database right now; nothing was done.",
				"Try again in a moment. If this continues, an administrator has to check that PostgreSQL is running and that "+
					"the module doorman is still installed.", wire.RetrySoon)
		}
		return unavailable("The Doorman addon does not answer in Odoo.",
			"An administrator has to check PostgreSQL, DOORMAN_ODOO_URL and DOORMAN_ODOO_DB, install or update the module "+
				"doorman in that database, and let POST /doorman/jsonrpc through the proxy, if there is one.", 0)
	case transport.Redirect:
		return unavailable("Odoo's address redirects elsewhere ("+f.Reason+"); Doorman does not follow, because its key would be sent along.",
			"An administrator has to set DOORMAN_ODOO_URL to the address that answers by itself.", 0)
	case transport.Blocked:
		return unavailable("Something between Doorman and Odoo does not let the request through.",
			"An administrator has to let POST /doorman/jsonrpc through the proxy, or set DOORMAN_ODOO_TRANSPORT to another transport.", 0)
	}
	return access.NewError(access.Internal, "Something went wrong inside Doorman.", wire.HintAdmin)
}

// timeout is for calls that the deadline, or the caller, ended. look is what to do where nobody knows what was done.
func timeout(f *transport.Failure, maybe bool, look string) *access.Error {
	msg, hint := "Odoo did not answer in time", access.SayAskLess
	if f.Class == transport.Cancelled {
		msg = "The request was cancelled before Odoo answered"
	}
	switch {
	case maybe:
		msg, hint = msg+"; the request may or may not have been carried out.", look
	case f.Sent:
		msg += "."
	default:
		msg += "; nothing was done."
	}
	return &access.Error{Kind: access.OdooTimeout, Message: msg, Hint: hint, RetryAfter: 5 * time.Second}
}

func unavailable(msg, hint string, retry time.Duration) *access.Error {
	return &access.Error{Kind: access.OdooUnavailable, Message: msg, Hint: hint, RetryAfter: retry}
}

// faultWords maps an exception of Odoo's. An exception ended the transaction, so nothing was done.
func faultWords(f *transport.Failure) *access.Error {
	own := wire.CleanText(f.Message)
	switch wire.LastName(f.Name) {
	case "AccessError":
		return access.NewError(access.Forbidden, cmp.Or(own, "Odoo does not allow this."), "")
	case "MissingError":
		return access.NewError(access.NotFound, cmp.Or(own, "The record does not exist, or was deleted."), "Search for it again.")
	case "UserError", "ValidationError", "RedirectWarning":
		return access.NewError(access.BusinessRule, cmp.Or(own, "Odoo's own rules refuse this."), "")
	case "LockError", "ConcurrencyError", "SerializationFailure", "DeadlockDetected", "LockNotAvailable",
		"TransactionRollbackError":
		return &access.Error{
			Kind: access.Conflict, Message: "Somebody else is changing the same records; nothing was done.",
			Hint: hintLater, RetryAfter: wire.RetrySoon,
		}
	case "QueryCanceled", "QueryCanceledError":
		return access.NewError(access.OdooTimeout, "PostgreSQL took too long for this; nothing was done.", "Ask for less at once.")
	case "OperationalError", "InterfaceError", "PoolError", "AdminShutdown":
		return unavailable("Odoo's database does not answer; nothing was done.", hintLater, wire.RetrySoon)
	case "ValueError", "KeyError", "TypeError", "UnprocessableEntity":
		return access.NewError(access.InvalidInput, invalid(f.Message), "Check the arguments.")
	}
	return access.NewError(access.Internal, "Odoo could not do this.", wire.HintAdmin)
}

// invalid says what Python found wrong with the arguments.
func invalid(message string) string {
	if s := wire.CleanLine(message); s != "" {
		return "Odoo did not understand the arguments: " + strings.TrimSuffix(s, ".") + "."
	}
	return "Odoo did not understand the arguments."
}

// detail is for the operator: where, what, which exception. The exception's text is not in it, since it may quote what
// the caller sent.
func (c *Client) detail(f *transport.Failure, method string) string {
	s := method + " by " + c.link.Name() + " at " + c.link.Address() + ": " + f.Reason
	if f.Status != 0 {
		s += fmt.Sprintf(", HTTP %d", f.Status)
	}
	if f.Misfit != nil {
		s += ": " + access.AsError(f.Misfit).Detail
	}
	if f.Proxied {
		s += ", not JSON"
	}
	if f.Name != "" {
		s += ", " + wire.Printable(f.Name)
	}
	return s
}
