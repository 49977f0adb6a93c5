package api

import (
	"encoding/json"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"

	"doorman/server/access"
)

// create makes an invite. Its URL is in this answer and in no other: Odoo keeps a hash.
func (a *API) create(w http.ResponseWriter, r *http.Request, _ string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	values, p := readBody(w, r, inviteFields, "scopes")
	if p != nil {
		return asked{}, p
	}
	var made struct {
		Invite Invite `json:"invite"`
		URL    string `json:"invite_url"`
	}
	return asked{"api_create", map[string]any{"values": values}, &made, func(w http.ResponseWriter) {
		w.Header().Set("Location", invitesPath+"/"+strconv.FormatInt(made.Invite.ID, 10))
		writeJSON(w, http.StatusCreated, created{made.URL, made.Invite})
	}}, nil
}

// list shows the invites of the caller's companies, newest first.
func (a *API) list(_ http.ResponseWriter, r *http.Request, _ string) (asked, *problem) {
	given, p := query(r, "limit", "offset", "state")
	if p != nil {
		return asked{}, p
	}
	args, p := page(given, access.MaxInvites)
	if p != nil {
		return asked{}, p
	}
	if state, there := given["state"]; there {
		if !slices.Contains(states, state) {
			return asked{}, invalid("state must be one of %s.", enumerate(states))
		}
		args["state"] = state
	}
	var found listed
	return asked{"api_list", args, &found, func(w http.ResponseWriter) { writeJSON(w, http.StatusOK, found) }}, nil
}

// get shows one invite, and who accepted it.
func (a *API) get(_ http.ResponseWriter, r *http.Request, segment string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	id, p := inviteID(segment)
	if p != nil {
		return asked{}, p
	}
	var found struct {
		Invite detailed `json:"invite"`
	}
	return asked{"api_get", map[string]any{"invite_id": id}, &found, func(w http.ResponseWriter) {
		writeJSON(w, http.StatusOK, found.Invite)
	}}, nil
}

// revoke stops a link; ?connections=revoke also ends what came of it. Revoking twice is not an error, so that a caller who lost the
// answer may ask again.
func (a *API) revoke(_ http.ResponseWriter, r *http.Request, segment string) (asked, *problem) {
	given, p := query(r, "connections")
	if p != nil {
		return asked{}, p
	}
	id, p := inviteID(segment)
	if p != nil {
		return asked{}, p
	}
	what, both := given["connections"]
	// A value that is not understood must not leave keys alive that somebody believes are gone.
	if both && what != "revoke" {
		return asked{}, invalid("connections must be 'revoke', or not be there at all.")
	}
	var ended struct {
		Invite  Invite `json:"invite"`
		Revoked int64  `json:"revoked_connections"`
	}
	return asked{"api_revoke", map[string]any{"invite_id": id, "connections": both}, &ended, func(w http.ResponseWriter) {
		writeJSON(w, http.StatusOK, revoked{ended.Invite, ended.Revoked})
	}}, nil
}

const (
	maxID        = 1<<31 - 1 // Odoo's ids are PostgreSQL's integer
	defaultLimit = 100
)

var digits = regexp.MustCompile(`^(0|[1-9][0-9]{0,9})$`)

type bounds struct{ least, most int64 }

// wholeNumber reads digits, and nothing that is only a way of writing a number.
func wholeNumber(text string, b bounds) (int64, bool) {
	if !digits.MatchString(text) {
		return 0, false
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil && n >= b.least && n <= b.most
}

// page reads which part of a list is wanted.
func page(given map[string]string, most int64) (map[string]any, *problem) {
	args := map[string]any{"limit": int64(defaultLimit), "offset": int64(0)}
	for name, bounds := range map[string]bounds{"limit": {1, most}, "offset": {0, maxID}} {
		if text, there := given[name]; there {
			n, ok := wholeNumber(text, bounds)
			if !ok {
				return nil, invalid("%s must be a whole number from %d to %d.", name, bounds.least, bounds.most)
			}
			args[name] = n
		}
	}
	return args, nil
}

// inviteID reads the id of a path. What cannot be one is as little there as one that nobody has.
func inviteID(segment string) (int64, *problem) {
	return pathID(segment, access.SayNoInvite, invitesPath)
}

func pathID(segment, message, list string) (int64, *problem) {
	if id, ok := wholeNumber(segment, bounds{1, maxID}); ok {
		return id, nil
	}
	p := statusProblem(http.StatusNotFound)
	p.message, p.hint = message, "GET "+list+" lists those there are; an id is a number."
	return 0, p
}

// query returns the parameters of a request, each given once at most; those that are not known are refused, since a
// misspelt one would silently not be done.
func query(r *http.Request, known ...string) (map[string]string, *problem) {
	all, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, invalid("The query of the address is malformed.")
	}
	given := map[string]string{}
	for name, values := range all {
		if !slices.Contains(known, name) {
			return nil, invalid("The parameter %s is not supported here.", shown(name))
		}
		if len(values) > 1 {
			return nil, invalid("%s is in the address more than once.", name)
		}
		given[name] = values[0]
	}
	return given, nil
}

// document is the description of this API, for programs.
func (a *API) document(w http.ResponseWriter, _ *http.Request, _ string) {
	writeJSON(w, http.StatusOK, json.RawMessage(openAPI))
}
