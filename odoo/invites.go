package odoo

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"doorman/server/access"
)

const (
	inviteModel = "doorman.invite"
	// peoplesTurn is the queue that administrators' requests wait in: of no connection (those are > 0), and not the
	// service's own (0), so that a busy script cannot make the heartbeat wait behind it.
	peoplesTurn = -1
	maxKey      = 512 // bytes; Odoo's own keys have 40
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
	raw, err := c.askAs(ctx, key, method, args)
	if err == nil {
		raw, err = inviteAnswer(raw)
	} else {
		err = c.inviteError(asFailure(err), method)
	}
	c.observe(method, inviteOutcome(err), time.Since(start))
	return raw, err
}

// askAs sends one request with a person's key. It asks the breaker but tells it nothing: a proxy that blocks this path
// says nothing about the way that the AI tools' calls take.
func (c *Client) askAs(ctx context.Context, key Key, method string, args map[string]any) (json.RawMessage, error) {
	if len(key) == 0 || len(key) > maxKey || !headerSafe(string(key)) {
		return nil, &failure{class: clsKeyRefused, reason: "key of a form that no key has"}
	}
	body, err := encode(object(args))
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	if c.breaker.open() {
		return nil, &failure{class: clsOpen, reason: "Odoo was not reachable a moment ago"}
	}
	if err := c.peer.failure(); err != nil {
		return nil, err
	}
	if err := c.gate.enter(ctx, peoplesTurn); err != nil {
		return nil, err
	}
	defer c.gate.leave(peoplesTurn)
	c.flying(1)
	defer c.flying(-1)
	in, err := c.poster.post(ctx, outgoing{
		path: "/json/2/" + inviteModel + "/" + method, ctype: mimeJSON, bearer: key, body: body,
	})
	if err != nil {
		return nil, err
	}
	if in.status != http.StatusOK || !in.json || !json.Valid(in.body) {
		return nil, inviteFailure(in)
	}
	return in.body, nil
}

// inviteFailure classifies an answer that is not the addon's. Of an exception only its name is read: its message may quote
// what was sent, and its debug is a traceback.
func inviteFailure(in incoming) *failure {
	f := statusFailure(in)
	var e exception
	if in.json && in.status != http.StatusUnauthorized && json.Unmarshal(in.body, &e) == nil && e.Name != "" {
		f = e.fault(in.status)
		f.message = ""
	}
	return f
}

// inviteAnswer takes the addon's {"error": {code, message}} out of an answer.
func inviteAnswer(raw json.RawMessage) (json.RawMessage, error) {
	var w struct {
		Error *struct {
			Code    access.InviteCode `json:"code"`
			Message string            `json:"message"`
		} `json:"error"`
	}
	if isNull(raw) {
		return nil, unusable("not an object")
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, err
	}
	switch {
	case w.Error == nil:
		return raw, nil
	case !w.Error.Code.Known():
		return nil, unusable("a code that this service does not know")
	}
	return nil, &access.InviteRefusal{
		Code: w.Error.Code, Message: or(cleanText(w.Error.Message), "Odoo refused this ("+string(w.Error.Code)+")."),
	}
}

// inviteError finds the words for a failure. What only the person's key is to blame for is no fault of the installation,
// so errors.go's words about the service's own key would send the reader the wrong way.
func (c *Client) inviteError(f *failure, method string) *access.Error {
	var e *access.Error
	switch f.class {
	case clsKeyRefused:
		e = access.NewError(access.Unauthenticated, "This key is not valid (any more).",
			"Make one in Odoo under Preferences > Security > API Keys (Add API Key), and send it as 'Authorization: Bearer <key>'.")
	case clsMissing, clsBlocked:
		e = unavailable("The invites of the Doorman addon do not answer in Odoo.",
			"An administrator updates the module doorman, and lets POST /json/2/ through the proxy, if there is one.", retrySoon)
	case clsFault:
		e = inviteFault(f)
	case clsRedirect:
		e = unavailable("Odoo's address redirects elsewhere; Doorman does not follow, because your key would go along.",
			"An administrator sets DOORMAN_ODOO_URL to the address that answers by itself.", retrySoon)
	default:
		if inviteReads[method] {
			f.sent = false // asking again is harmless, so "may have been done" would only worry
		}
		e = c.words(f, method)
		if f.class == clsNoAnswer || f.class == clsGateway || f.class == clsGarbage {
			e = inviteNoAnswer(method)
		}
	}
	if e.Kind == access.OdooUnavailable && e.RetryAfter == 0 {
		e.RetryAfter = retrySoon
	}
	e.Detail = c.detail(f, method)
	return e
}

func inviteNoAnswer(method string) *access.Error {
	if inviteReads[method] {
		return unavailable(msgNoAnswer, hintLater, retrySoon)
	}
	return unavailable(msgMaybeDone, "List the invites first; make it again only if it is not there, and revoke it if it is: "+
		"its link was told in the answer that got lost.", retrySoon)
}

// inviteFault is for an exception of Odoo's: the transaction was rolled back. It has fixed words for each kind.
func inviteFault(f *failure) *access.Error {
	switch e := faultWords(f); e.Kind {
	case access.Conflict:
		return unavailable("Somebody else is changing the same invite; nothing was done.", hintLater, retrySoon)
	case access.OdooUnavailable, access.OdooTimeout:
		return e
	}
	return access.NewError(access.Internal, "Odoo could not do this; nothing was done.", hintAdmin)
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
