package odootest

import (
	"crypto/rand"
	"encoding/base64"
	"maps"
	"slices"
	"time"

	"doorman/server/access"
)

// What the fake's administrator has (models/invite/doorman_invite.py holds an invite against it).
var (
	ownScopes    = []string{string(access.ScopeMetadata), string(access.ScopeSearch), string(access.ScopeORM)}
	ownCompanies = []float64{1}
	knownTools   = []string{"search_records", "create_records"}
)

// invite is one invite as the API shows it. Its token is not kept: nobody accepts here.
type invite struct {
	shown   map[string]any
	expires time.Time
}

// policyDefaults are what the addon gives a policy of which nothing is said.
func policyDefaults() map[string]any {
	return map[string]any{
		"scopes": []any{}, "read_only": false, "research_tools": false, "approve_outward": true, "allowed_tools": []any{},
		"approval_tools": []any{}, "allowed_models": []any{}, "companies": []any{}, "approval_rules": []any{}, "model_rules": []any{},
		"approver": "", "approver_group": "", "two_approvers": "", "approval_expiry_hours": 24.0, "allowed_ips": []any{},
		"blocked_ips": []any{}, "recipient_domains": []any{}, "rate_limit_minute": 0.0, "rate_limit_day": 0.0, "rows_reply": 0.0,
		"rows_day": 0.0, "description": "",
	}
}

// inviteDefaults are what the addon gives an invite whose creator says nothing.
func inviteDefaults() map[string]any {
	shown := policyDefaults()
	maps.Copy(shown, map[string]any{
		"max_uses": 1.0, "expires_in_seconds": 259200.0, "key_name_preset": "MCP key", "key_lifetime_hours": 2160.0,
		"accept_list": []any{}, "new_accounts": false, "account_groups": []any{},
	})
	return shown
}

func (s *Server) createInvite(given any) any {
	values, _ := given.(map[string]any)
	shown := inviteDefaults()
	for name := range values {
		if _, known := shown[name]; !known {
			return adminRefusal(access.AdminInput, name+" is not valid: ''")
		}
	}
	maps.Copy(shown, values)
	if problem := checkInvite(shown); problem != nil {
		return problem
	}
	now := time.Now().UTC()
	made := &invite{shown: shown, expires: now.Add(time.Duration(number(shown["expires_in_seconds"])) * time.Second)}
	delete(shown, "expires_in_seconds")
	maps.Copy(shown, map[string]any{
		"id": len(s.invites) + 1, "state": "active", "current_uses": 0, "expires_at": made.expires.Format(time.RFC3339),
		"company": "Fake Company", "created_by": PersonLogin, "created_at": now.Format(time.RFC3339),
	})
	s.invites = append(s.invites, made)
	var token [32]byte
	_, _ = rand.Read(token[:])
	url := "https://mcp.example.com/oauth/invite/" + base64.RawURLEncoding.EncodeToString(token[:])
	return map[string]any{"invite": shown, "invite_url": url}
}

// checkInvite holds an invite against what the administrator has, and what there is.
func checkInvite(shown map[string]any) any {
	if refused := checkPolicy(shown); refused != nil {
		return refused
	}
	if slices.Contains(list(shown["account_groups"]), any("base.group_system")) {
		return adminRefusal(access.AdminGroups, "An invite makes nobody an administrator.")
	}
	return nil
}

// checkPolicy is checkInvite for the part that connections have as well. What lines of rules leave out it fills in.
func checkPolicy(shown map[string]any) any {
	if refused := fillRules(shown); refused != nil {
		return refused
	}
	for _, scope := range list(shown["scopes"]) {
		known := slices.ContainsFunc(access.Scopes, func(s access.Scope) bool { return string(s) == scope })
		switch text, _ := scope.(string); {
		case !known:
			return adminRefusal(access.AdminInput, "scopes is not valid: '"+text+"'")
		case !slices.Contains(ownScopes, text):
			return adminRefusal(access.AdminScopes, "requested scopes exceed admin's own permissions")
		}
	}
	for _, tool := range list(shown["allowed_tools"]) {
		if text, _ := tool.(string); !slices.Contains(knownTools, text) {
			return adminRefusal(access.AdminInput, "allowed_tools is not valid: '"+text+"'")
		}
	}
	for _, company := range list(shown["companies"]) {
		if !slices.Contains(ownCompanies, number(company)) {
			return adminRefusal(access.AdminCompanies, "requested companies exceed admin's own companies")
		}
	}
	return nil
}

// fillRules gives the rules of a policy all of their fields, as the addon does. An approval rule says something.
func fillRules(shown map[string]any) any {
	for name, defaults := range map[string]map[string]any{
		"approval_rules": {"risk": "", "model": "", "tool": "", "more_than": 0.0, "per_day": false, "reads": false},
		"model_rules":    {"model": "", "read": true, "create": false, "write": false, "delete": false, "domain": "", "hidden": []any{}, "masked": []any{}},
	} {
		filled := []any{}
		for _, given := range list(shown[name]) {
			rule := maps.Clone(defaults)
			values, _ := given.(map[string]any)
			maps.Copy(rule, values)
			if name == "approval_rules" && rule["risk"] == "" && rule["model"] == "" && rule["tool"] == "" && number(rule["more_than"]) == 0 {
				return adminRefusal(access.AdminInput, "An approval rule needs a condition.")
			}
			filled = append(filled, rule)
		}
		if shown[name] != nil {
			shown[name] = filled
		}
	}
	return nil
}

func (s *Server) listInvites(params map[string]any) any {
	found := []any{}
	for _, i := range slices.Backward(s.invites) {
		if state := params["state"]; state == nil || state == i.shown["state"] {
			found = append(found, i.shown)
		}
	}
	return map[string]any{"invites": pageOf(found, params), "total": len(found)}
}

// pageOf is the part of a list that is asked for.
func pageOf(found []any, params map[string]any) []any {
	limit, offset := int(number(params["limit"])), int(number(params["offset"]))
	rest := found[min(offset, len(found)):]
	return rest[:min(limit, len(rest))]
}

// expireInvites ends those whose time is over. It returns how many.
func (s *Server) expireInvites() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, i := range s.invites {
		if i.shown["state"] == "active" && !time.Now().Before(i.expires) {
			i.shown["state"] = "expired"
			n++
		}
	}
	return n
}

func list(v any) []any { l, _ := v.([]any); return l }
