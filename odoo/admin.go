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

// peoplesTurn is the queue that administrators' requests wait in: of no connection (those are > 0), and not the service's
// own (0), so that a busy script cannot make the heartbeat wait behind it.
const peoplesTurn = -1

// adminModels are the methods of the REST API, and the models in Odoo that have them.
var adminModels = map[string]string{
	"api_create": "doorman.invite", "api_list": "doorman.invite", "api_get": "doorman.invite", "api_revoke": "doorman.invite",

	"api_connect": connectionModel, "api_connections": connectionModel, "api_connection": connectionModel,
	"api_narrow": connectionModel, "api_rotate": connectionModel, "api_disconnect": connectionModel, "api_usage": connectionModel,

	"api_server": "doorman.settings", "api_switch_off": "doorman.settings",
}

// makes are those that must not be asked again if the answer is lost: the first request may have made something. The
// others read, or leave after two requests what they leave after one: what is ended stays ended, of two links the last one
// works.
var makes = map[string]bool{"api_create": true, "api_connect": true}

// Admin calls a method of the REST API over JSON-2 as the person whose key it is: their rights are those of the key, and
// the service's own key has no part in it. The key is kept nowhere and appears in no error. method is one of those above.
//
// The result is the addon's, as JSON. An error is an *access.AdminRefusal where the addon refused (nothing was done), else
// an *access.Error: Unauthenticated for a key that Odoo does not know, OdooUnavailable and OdooTimeout with RetryAfter.
func (c *Client) Admin(ctx context.Context, key Key, method string, args map[string]any) (json.RawMessage, error) {
	model, known := adminModels[method]
	if !known { // a person's key opens all that they may do: nothing else is ever asked with it
		return nil, &access.Error{Kind: access.Internal, Message: "Something went wrong inside Doorman.", Detail: "no method of the REST API: " + method}
	}
	start := time.Now()
	raw, err := c.askAs(ctx, key, model, method, args)
	if err == nil {
		raw, err = wire.DecodeAdmin(raw)
	} else if f := transport.AsFailure(err); f.Class == transport.Fault && faultWords(f).Kind == access.Forbidden {
		// The user may not call this at all: the service's own may not.
		err = &access.AdminRefusal{Code: access.AdminForbidden, Message: "This key cannot administer MCP access."}
	} else {
		err = c.adminError(f, method)
	}
	c.observe(method, adminOutcome(err), time.Since(start))
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

// adminError finds the words for a failure. What only the person's key is to blame for is not the fault of the installation,
// so errors.go's words about the service's own key would send the reader the wrong way.
func (c *Client) adminError(f *transport.Failure, method string) *access.Error {
	var e *access.Error
	switch f.Class {
	case transport.KeyRefused:
		e = access.NewError(access.Unauthenticated, "This key is invalid or no longer works.",
			"Create one in Odoo under My Preferences > Security > API Keys (Add API Key), and send it as 'Authorization: Bearer <key>'.")
	case transport.Missing, transport.Blocked:
		e = unavailable("The REST API of the Doorman addon does not answer in Odoo.",
			"An administrator has to update the module doorman, and let POST /json/2/ through the proxy, if there is one.", wire.RetrySoon)
	case transport.Fault:
		e = adminFault(f)
	case transport.Redirect:
		e = unavailable("Odoo's address redirects elsewhere; Doorman does not follow, because your key would be sent along.",
			"An administrator has to set DOORMAN_ODOO_URL to the address that answers by itself.", wire.RetrySoon)
	default:
		if !makes[method] {
			f.Sent = false // asking again is harmless, so "may have been done" would only worry
		}
		e = c.words(f, job{method: method})
		if f.Class == transport.NoAnswer || f.Class == transport.Gateway || f.Class == transport.Garbage {
			e = adminNoAnswer(method)
		}
	}
	if e.Kind == access.OdooUnavailable && e.RetryAfter == 0 {
		e.RetryAfter = wire.RetrySoon
	}
	e.Detail = c.detail(f, method)
	return e
}

func adminNoAnswer(method string) *access.Error {
	if !makes[method] {
		return unavailable(msgNoAnswer, hintLater, wire.RetrySoon)
	}
	return unavailable(msgMaybeDone, "List them first; create it again only if it is not there, and revoke it if it is: "+
		"its link was told in the answer that got lost.", wire.RetrySoon)
}

// adminFault is for an exception of Odoo's: the transaction was rolled back. It has fixed words for each kind.
func adminFault(f *transport.Failure) *access.Error {
	switch e := faultWords(f); e.Kind {
	case access.Conflict:
		return unavailable("Somebody else is changing this right now; nothing was done.", hintLater, wire.RetrySoon)
	case access.OdooUnavailable, access.OdooTimeout:
		return e
	}
	return access.NewError(access.Internal, "Odoo could not do this; nothing was done.", wire.HintAdmin)
}

// adminOutcome is the metric's word for how a request ended, of closed lists.
func adminOutcome(err error) string {
	var refused *access.AdminRefusal
	switch {
	case err == nil:
		return "ok"
	case errors.As(err, &refused):
		return string(refused.Code)
	}
	return string(access.AsError(err).Kind)
}
