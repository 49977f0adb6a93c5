package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"doorman/odoo/transport"
	"doorman/odoo/wire"
	"doorman/server/access"
)

const (
	inviteModel = "doorman.invite"
	// peoplesTurn is the queue that administrators' requests wait in: of no connection (those are > 0), and not the
	// service's own (0), so that a busy script cannot make the heartbeat wait behind it.
	peoplesTurn = -1
)

// inviteReads are the methods that may be asked again if the answer is lost; revoking an ended invite ends nothing more.
var inviteReads = map[string]bool{"api_list": true, "api_get": true, "api_revoke": true}

// Invites calls a method of doorman.invite over JSON-2 as the person whose key it is: their rights are those of the key,
// and the service's own key has no part in it. The key is kept nowhere and appears in no error. method is one of api_create,
// api_list, api_get and api_revoke.
//
// The result is the addon's, as JSON. An error is an *access.InviteRefusal where the addon refused (nothing was done), else
// an *access.Error: Unauthenticated for a key that Odoo does not know, OdooUnavailable and OdooTimeout with RetryAfter.
func (c *Client) Invites(ctx context.Context, key Key, method string, args map[string]any) (json.RawMessage, error) {
	start := time.Now()
	raw, err := c.askAs(ctx, key, inviteModel, method, args)
	if err == nil {
		raw, err = wire.DecodeInvites(raw)
	} else if f := transport.AsFailure(err); f.Class == transport.Fault && faultWords(f).Kind == access.Forbidden {
		// The user may not call this at all: the service's own may not.
		err = &access.InviteRefusal{Code: access.InviteForbidden, Message: "This key may not manage invites."}
	} else {
		err = c.inviteError(f, method)
	}
	c.observe(method, inviteOutcome(err), time.Since(start))
	return raw, err
}

// askAs sends one request with a person's key. It asks the breaker but tells it nothing: a proxy that blocks this path
// says nothing about the way that the AI tools' calls take.
func (c *Client) askAs(ctx context.Context, key Key, model, method string, args map[string]any) (json.RawMessage, error) {
	if err := transport.CheckKey(key); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if c.breaker.open() {
		return nil, &transport.Failure{Class: transport.Open, Reason: "Odoo was not reachable a moment ago"}
	}
	if err := c.link.Misfit(); err != nil {
		return nil, err
	}
	if err := c.inFlight.enter(ctx, peoplesTurn); err != nil {
		return nil, err
	}
	defer c.inFlight.leave(peoplesTurn)
	c.flying(1)
	defer c.flying(-1)
	return c.link.AskAs(ctx, key, model, method, args)
}

// inviteError finds the words for a failure. What only the person's key is to blame for is not the fault of the installation,
// so errors.go's words about the service's own key would send the reader the wrong way.
func (c *Client) inviteError(f *transport.Failure, method string) *access.Error {
	var e *access.Error
	switch f.Class {
	case transport.KeyRefused:
		e = access.NewError(access.Unauthenticated, "This key is not valid (any more).",
			"Make one in Odoo under Preferences > Security > API Keys (Add API Key), and send it as 'Authorization: Bearer <key>'.")
	case transport.Missing, transport.Blocked:
		e = unavailable("The invites of the Doorman addon do not answer in Odoo.",
			"An administrator updates the module doorman, and lets POST /json/2/ through the proxy, if there is one.", wire.RetrySoon)
	case transport.Fault:
		e = inviteFault(f)
	case transport.Redirect:
		e = unavailable("Odoo's address redirects elsewhere; Doorman does not follow, because your key would go along.",
			"An administrator sets DOORMAN_ODOO_URL to the address that answers by itself.", wire.RetrySoon)
	default:
		if inviteReads[method] {
			f.Sent = false // asking again is harmless, so "may have been done" would only worry
		}
		e = c.words(f, job{method: method})
		if f.Class == transport.NoAnswer || f.Class == transport.Gateway || f.Class == transport.Garbage {
			e = inviteNoAnswer(method)
		}
	}
	if e.Kind == access.OdooUnavailable && e.RetryAfter == 0 {
		e.RetryAfter = wire.RetrySoon
	}
	e.Detail = c.detail(f, method)
	return e
}

func inviteNoAnswer(method string) *access.Error {
	if inviteReads[method] {
		return unavailable(msgNoAnswer, hintLater, wire.RetrySoon)
	}
	return unavailable(msgMaybeDone, "List the invites first; make it again only if it is not there, and revoke it if it is: "+
		"its link was told in the answer that got lost.", wire.RetrySoon)
}

// inviteFault is for an exception of Odoo's: the transaction was rolled back. It has fixed words for each kind.
func inviteFault(f *transport.Failure) *access.Error {
	switch e := faultWords(f); e.Kind {
	case access.Conflict:
		return unavailable("Somebody else is changing the same invite; nothing was done.", hintLater, wire.RetrySoon)
	case access.OdooUnavailable, access.OdooTimeout:
		return e
	}
	return access.NewError(access.Internal, "Odoo could not do this; nothing was done.", wire.HintAdmin)
}

// inviteOutcome is the metric's word for how a request ended, of closed lists.
func inviteOutcome(err error) string {
	var refused *access.InviteRefusal
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refused):
		return string(refused.Code)
	}
	return string(access.AsError(err).Kind)
}
