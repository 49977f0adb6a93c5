package odootest

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"doorman/server/access"
)

// The users for whom the fake's administrator may make connections, and whether the administrator may see their keys.
var knownUsers = map[string]bool{PersonLogin: true, "anna": true, "boss": false}

const usersLogin = "user" // the name in the REST API

// aboutConnections is the methods of doorman.connection (models/connection/rest_api.py); nil to what is not about them.
func (s *Server) aboutConnections(method string, params map[string]any) any {
	switch method {
	case "api_connect":
		return s.connect(params["values"])
	case "api_connections":
		return s.listConnections(params)
	case "api_usage":
		return s.usage(params)
	case "api_connection", "api_narrow", "api_rotate", "api_disconnect":
		id := int(number(params["connection_id"]))
		if id < 1 || id > len(s.managed) {
			return adminRefusal(access.AdminNotFound, access.SayNoConnection)
		}
		return s.aboutConnection(method, s.managed[id-1], params)
	}
	return nil
}

func (s *Server) aboutConnection(method string, found, params map[string]any) any {
	switch method {
	case "api_narrow":
		if refused := narrow(found, params["values"]); refused != nil {
			return refused
		}
	case "api_rotate":
		if found["status"] == "revoked" {
			return adminRefusal(access.AdminConflict, "The connection has ended. Reactivate it in Odoo.")
		}
		found["pickup_pending"] = true
		return pickUp(map[string]any{"connection": found}, params["deliver"] == "email")
	case "api_disconnect":
		found["status"], found["pickup_pending"] = "revoked", false
	}
	return map[string]any{"connection": found}
}

func (s *Server) connect(given any) any {
	values, _ := given.(map[string]any)
	shown := policyDefaults()
	maps.Copy(shown, map[string]any{"name": nil, usersLogin: nil, "expires_at": nil, "key_days": 0.0, "deliver": "link"})
	for name := range values {
		if _, known := shown[name]; !known {
			return adminRefusal(access.AdminInput, name+" is not valid: ''")
		}
	}
	maps.Copy(shown, values)
	login, _ := shown[usersLogin].(string)
	seen, known := knownUsers[login]
	name, _ := shown["name"].(string)
	switch {
	case !known:
		return adminRefusal(access.AdminInput, "user is not valid: ''")
	case strings.TrimSpace(name) == "":
		return adminRefusal(access.AdminInput, "name is not valid: ''")
	case passed(shown["expires_at"]):
		return adminRefusal(access.AdminInput, "expires_at is not valid: ''")
	case shown["approve_outward"] == false:
		return widens("approve_outward")
	case shown["deliver"] == "key" && !seen:
		return adminRefusal(access.AdminKey, "Only an Odoo administrator can see a key that acts as one.")
	}
	if refused := checkPolicy(shown); refused != nil {
		return refused
	}
	byLink, sent := shown["deliver"] != "key", shown["deliver"] == "email"
	now := time.Now().UTC().Format(time.RFC3339)
	delete(shown, "key_days")
	delete(shown, "deliver")
	maps.Copy(shown, map[string]any{
		"id": len(s.managed) + 1, "name": strings.TrimSpace(name), "status": "awaiting", "status_since": now, "type": "bearer",
		"archived": false, "user_name": "Fake " + login, "company": "Fake Company", "missing_scopes": []any{}, "key_expires_at": nil,
		"pickup_pending": byLink, "last_used": nil, "requests": 0, "invite_id": nil, "created_by": PersonLogin, "created_at": now,
	})
	s.managed = append(s.managed, shown)
	if byLink {
		return pickUp(map[string]any{"connection": shown, "key": nil}, sent)
	}
	return map[string]any{"connection": shown, "pickup_url": nil, "pickup_expires_at": nil, "key": access.PrefixKey + secretText()}
}

// pickUp adds a link to an answer, unless it was sent by email.
func pickUp(answer map[string]any, sent bool) any {
	answer["pickup_url"] = nil
	if !sent {
		answer["pickup_url"] = "https://odoo.example.com/doorman/pickup#" + secretText()
	}
	answer["pickup_expires_at"] = time.Now().UTC().Add(24 * time.Hour).Format(time.RFC3339)
	return answer
}

func secretText() string {
	var token [32]byte
	_, _ = rand.Read(token[:])
	return base64.RawURLEncoding.EncodeToString(token[:])
}

func passed(at any) bool {
	text, isText := at.(string)
	t, err := time.Parse(time.RFC3339, text)
	return isText && (err != nil || !t.After(time.Now()))
}

func widens(name string) any {
	return adminRefusal(access.AdminWidens, name+": the API can only make access stricter, never wider. Change this in Odoo, on the connection form.")
}

// narrow makes a connection stricter, or says why not, as the addon does (policy/narrowing.py). Of texts that cannot be
// compared without what the addon knows it takes the first alone.
func narrow(found map[string]any, given any) any {
	values, _ := given.(map[string]any)
	if refused := checkPolicy(values); refused != nil {
		return refused
	}
	for name, value := range values {
		before, known := found[name]
		switch {
		case !known || name == "description":
			return adminRefusal(access.AdminInput, name+" is not valid: ''")
		case reflect.DeepEqual(before, value):
		case name == "expires_at" && passed(value):
			return adminRefusal(access.AdminInput, name+" is not valid: ''")
		case !stricter(name, before, value):
			return widens(name)
		}
	}
	maps.Copy(found, values)
	return nil
}

func stricter(name string, before, after any) bool {
	switch name {
	case "read_only", "approve_outward":
		return after == true
	case "research_tools":
		return after == false
	case "scopes":
		return within(after, before)
	case "allowed_tools", "allowed_models", "companies":
		return len(list(after)) > 0 && (len(list(before)) == 0 || within(after, before))
	case "approval_tools", "approval_rules", "blocked_ips":
		return within(before, after)
	case "model_rules", "allowed_ips", "recipient_domains":
		return len(list(before)) == 0
	case "two_approvers":
		order := []any{"", "high", "medium", "low"}
		return slices.Index(order, after) >= slices.Index(order, before)
	case "expires_at":
		was, ends := before.(string)
		is, _ := after.(string)
		return !ends || is <= was
	case "approver", "approver_group":
		return false
	}
	return number(after) > 0 && (number(before) == 0 || number(after) <= number(before))
}

// within reports whether every item of one list is in another.
func within(inner, outer any) bool {
	for _, item := range list(inner) {
		if !slices.ContainsFunc(list(outer), func(o any) bool { return reflect.DeepEqual(o, item) }) {
			return false
		}
	}
	return true
}

func (s *Server) listConnections(params map[string]any) any {
	found := []any{}
	for _, c := range slices.Backward(s.managed) {
		fits := params["invite_id"] == nil
		for _, name := range []string{"status", "type", usersLogin} {
			fits = fits && (params[name] == nil || params[name] == c[name])
		}
		if fits {
			found = append(found, c)
		}
	}
	return map[string]any{"connections": pageOf(found, params), "total": len(found)}
}

// usage tells of each connection that it was used once, on the last of the days.
func (s *Server) usage(params map[string]any) any {
	last, first := params["last"], params["first"]
	if last == nil {
		last = time.Now().UTC().Format(time.DateOnly)
	}
	to, errTo := time.Parse(time.DateOnly, last.(string))
	if first == nil {
		first = to.AddDate(0, 0, -29).Format(time.DateOnly)
	}
	from, errFrom := time.Parse(time.DateOnly, first.(string))
	if errTo != nil || errFrom != nil || to.Before(from) || to.Sub(from) >= access.MaxUsageDays*24*time.Hour {
		return adminRefusal(access.AdminInput, "first, last is not valid: ''")
	}
	if id := params["connection_id"]; id != nil && int(number(id)) > len(s.managed) {
		return adminRefusal(access.AdminNotFound, access.SayNoConnection)
	}
	found := []any{}
	for _, c := range slices.Backward(s.managed) {
		id, login := params["connection_id"], params[usersLogin]
		if (id == nil || number(id) == number(c["id"])) && (login == nil || login == c[usersLogin]) {
			found = append(found, map[string]any{
				"day": last, "connection_id": c["id"], "connection": c["name"], "user": c[usersLogin], "requests": 1, "ok": 1,
				"pending": 0, "error": 0, "refused": 0, "rows": 1,
			})
		}
	}
	return map[string]any{"usage": pageOf(found, params), "total": len(found), "first": first, "last": last}
}
