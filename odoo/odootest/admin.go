package odootest

import (
	"maps"
	"strings"

	"doorman/server/access"
)

// administers reports whether a path is a method of the REST API's.
func administers(path string) bool {
	for _, model := range []string{"invite", "connection", "settings", "audit"} {
		if method, ok := strings.CutPrefix(path, "/json/2/doorman."+model+"/"); ok {
			return strings.HasPrefix(method, "api_")
		}
	}
	return false
}

// adminMethod is the public methods of the REST API (rest_api.py and its kin in the addon), as whose key it is.
func (s *Server) adminMethod(q *query) (any, raised) {
	if !q.admin {
		return adminRefusal(access.AdminForbidden, "Only an MCP administrator can do this."), raised{}
	}
	if q.method == "api_switch_off" {
		return s.switchOff(q.params["values"]), raised{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, answer := range []func(string, map[string]any) any{s.aboutInvites, s.aboutConnections, s.aboutServer} {
		if told := answer(q.method, q.params); told != nil {
			return told, raised{}
		}
	}
	return nil, raised{name: "werkzeug.exceptions.NotFound", message: "The method '" + q.method + "' does not exist"}
}

func adminRefusal(code access.AdminCode, message string) any {
	return map[string]any{"error": map[string]any{"code": code, "message": message}}
}

// aboutInvites answers nil to what is not about them.
func (s *Server) aboutInvites(method string, params map[string]any) any {
	switch method {
	case "api_create":
		return s.createInvite(params["values"])
	case "api_list":
		return s.listInvites(params)
	case "api_get", "api_revoke":
		id := int(number(params["invite_id"]))
		if id < 1 || id > len(s.invites) {
			return adminRefusal(access.AdminNotFound, access.SayNoInvite)
		}
		found := s.invites[id-1]
		if method == "api_get" {
			shown := maps.Clone(found.shown)
			shown["acceptances"] = []any{}
			return map[string]any{"invite": shown}
		}
		if found.shown["state"] == "active" {
			found.shown["state"] = "revoked"
		}
		return map[string]any{"invite": found.shown, "revoked_connections": 0}
	}
	return nil
}

func (s *Server) aboutServer(method string, _ map[string]any) any {
	if method != "api_server" {
		return nil
	}
	return map[string]any{"server": map[string]any{
		"enabled": s.enabled, "all_read_only": false, "mcp_url": "https://mcp.example.com/mcp", "service_version": "",
		"service_last_seen": nil,
	}}
}

func (s *Server) switchOff(values any) any {
	given, _ := values.(map[string]any)
	on, isBool := given["enabled"].(bool)
	switch {
	case !isBool || len(given) != 1:
		return adminRefusal(access.AdminInput, "values is not valid: ''")
	case on:
		return adminRefusal(access.AdminWidens, "enabled: the API can only switch the server off, not on. Switch it on in Odoo, in Server Settings.")
	}
	s.SetEnabled(false)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.aboutServer("api_server", nil)
}
