package api

import (
	"net/http"
	"slices"
	"strconv"

	"doorman/server/access"
)

// connect makes an API key connection. The link to its key, or the key, is in this answer and in no other.
func (a *API) connect(w http.ResponseWriter, r *http.Request, _ string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	values, p := readBody(w, r, connectionFields, "name", "user", "scopes")
	if p != nil {
		return asked{}, p
	}
	var made struct {
		Connection Connection `json:"connection"`
		pickup
		Key *string `json:"key"`
	}
	return asked{"api_connect", map[string]any{"values": values}, &made, func(w http.ResponseWriter) {
		w.Header().Set("Location", connectionsPath+"/"+strconv.FormatInt(made.Connection.ID, 10))
		writeJSON(w, http.StatusCreated, connectionCreated{made.pickup, made.Key, made.Connection})
	}}, nil
}

// connections shows those that the caller administers, newest first.
func (a *API) connections(_ http.ResponseWriter, r *http.Request, _ string) (asked, *problem) {
	given, p := query(r, "limit", "offset", "status", "type", "user", "invite")
	if p != nil {
		return asked{}, p
	}
	args, p := page(given, access.MaxConnections)
	if p != nil {
		return asked{}, p
	}
	for name, known := range map[string][]string{"status": statuses, "type": types} {
		if word, there := given[name]; there {
			if !slices.Contains(known, word) {
				return asked{}, invalid("%s must be one of %s.", name, enumerate(known))
			}
			args[name] = word
		}
	}
	if p := filters(given, args, "invite"); p != nil {
		return asked{}, p
	}
	var found connectionsListed
	return asked{"api_connections", args, &found, func(w http.ResponseWriter) { writeJSON(w, http.StatusOK, found) }}, nil
}

// filters reads the parameters by which lists are cut to one user's, and to one record's, whose parameter is named.
func filters(given map[string]string, args map[string]any, record string) *problem {
	if text, there := given[record]; there {
		id, ok := wholeNumber(text, bounds{1, maxID})
		if !ok {
			return invalid("%s must be an id.", record)
		}
		args[record+"_id"] = id
	}
	if login, there := given["user"]; there {
		if !plainText(login, 1, access.MaxPolicyText) {
			return invalid("user must be a login.")
		}
		args["user"] = login
	}
	return nil
}

// connection shows one.
func (a *API) connection(_ http.ResponseWriter, r *http.Request, segment string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	return aboutConnection("api_connection", segment, nil)
}

// narrow makes a policy stricter. Odoo refuses what would widen it. Once more is not an error.
func (a *API) narrow(w http.ResponseWriter, r *http.Request, segment string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	values, p := readBody(w, r, narrowedFields)
	if p != nil {
		return asked{}, p
	}
	return aboutConnection("api_narrow", segment, map[string]any{"values": values})
}

// disconnect ends a connection. Once more is not an error, so that a caller who lost the answer may ask again.
func (a *API) disconnect(_ http.ResponseWriter, r *http.Request, segment string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	return aboutConnection("api_disconnect", segment, nil)
}

// rotate makes a pick-up link to a new key, and sends it where it is asked to. Of several, the last one works.
func (a *API) rotate(w http.ResponseWriter, r *http.Request, segment string) (asked, *problem) {
	if _, p := query(r); p != nil {
		return asked{}, p
	}
	values := map[string]any{}
	if r.ContentLength != 0 { // nothing need be said
		var p *problem
		if values, p = readBody(w, r, rotateFields); p != nil {
			return asked{}, p
		}
	}
	id, p := connectionID(segment)
	if p != nil {
		return asked{}, p
	}
	values["connection_id"] = id
	var made struct {
		Connection Connection `json:"connection"`
		pickup
	}
	return asked{"api_rotate", values, &made, func(w http.ResponseWriter) {
		writeJSON(w, http.StatusOK, connectionRotated{made.pickup, made.Connection})
	}}, nil
}

// aboutConnection is a call whose answer is the connection.
func aboutConnection(method, segment string, args map[string]any) (asked, *problem) {
	id, p := connectionID(segment)
	if p != nil {
		return asked{}, p
	}
	if args == nil {
		args = map[string]any{}
	}
	args["connection_id"] = id
	var found struct {
		Connection Connection `json:"connection"`
	}
	return asked{method, args, &found, func(w http.ResponseWriter) { writeJSON(w, http.StatusOK, found.Connection) }}, nil
}

func connectionID(segment string) (int64, *problem) {
	return pathID(segment, access.SayNoConnection, connectionsPath)
}
