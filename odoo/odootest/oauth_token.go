package odootest

import (
	"slices"
	"time"

	"doorman/server/access"
)

// oauthRefusal is an oauth_error in the addon's words (models/oauth/exchange.py).
func oauthRefusal(code, description, reason string) map[string]any {
	return map[string]any{"oauth_error": map[string]any{"error": code, "error_description": description, "reason": reason}}
}

func refusedGrant(reason string) map[string]any {
	return oauthRefusal("invalid_grant", "The code or token is invalid or no longer works.", reason)
}

// oauthMethod is the addon's oauth_* methods; false if it is none of them.
func (s *Server) oauthMethod(method string, params map[string]any) (any, bool) {
	object := func(name string) map[string]any { m, _ := params[name].(map[string]any); return m }
	s.mu.Lock()
	defer s.mu.Unlock()
	switch method {
	case "oauth_register":
		return s.oauthRegister(object("registration")), true
	case "oauth_client":
		return s.oauthClient(params["client_id"]), true
	case "oauth_begin":
		return s.oauthBegin(object("request")), true
	case "oauth_redeem":
		return s.oauthRedeem(object("grant")), true
	case "oauth_refresh":
		return s.oauthRefresh(object("grant")), true
	case "oauth_assert":
		return s.oauthAssert(object("grant")), true
	case "oauth_revoke":
		return s.oauthRevoke(object("grant")), true
	}
	return nil, false
}

func (s *Server) oauthSettings() map[string]any {
	o := s.oauth.settings
	return map[string]any{
		"enabled": o.Enabled, "registration": o.Registration, "documents": o.Documents,
		"redirect_hosts": append([]string{}, o.RedirectHosts...), "document_hosts": append([]string{}, o.DocumentHosts...),
		"known_schemes": o.KnownSchemes, "custom_schemes": o.CustomSchemes, "registrations_per_hour": o.Registrations, "access_seconds": int(o.AccessLife.Seconds()),
		"refresh_seconds": int(o.RefreshLife.Seconds()), "scopes": o.Scopes, "issuers": s.trusted(),
	}
}

func (s *Server) oauthRegister(said map[string]any) any {
	if o := s.oauth.settings; !o.Enabled || !o.Registration {
		return oauthRefusal("access_denied", "Registration is switched off.", "registration off")
	}
	if len(texts(said["redirect_uris"])) == 0 {
		return oauthRefusal("invalid_redirect_uri", "These redirect URIs are not allowed.", "uris")
	}
	id := access.PrefixClient + random()
	c := &oauthClient{kind: access.ClientDynamic}
	c.name, _ = said["client_name"].(string)
	c.uris = texts(said["redirect_uris"])
	s.oauth.clients[id] = c
	return map[string]any{"client_id": id, "issued_at": time.Now().Unix()}
}

func texts(v any) (out []string) {
	list, _ := v.([]any)
	for _, item := range list {
		text, _ := item.(string)
		out = append(out, text)
	}
	return out
}

func scopesOf(v any) (out []access.Scope) {
	for _, text := range texts(v) {
		out = append(out, access.Scope(text))
	}
	return out
}

func (s *Server) oauthClient(id any) any {
	text, _ := id.(string)
	c := s.oauth.clients[text]
	if c == nil || c.kind == access.ClientDocument {
		return oauthRefusal("invalid_client", "Unknown client.", "unknown client")
	}
	method := "none"
	if c.secret != nil {
		method = "client_secret"
	}
	return map[string]any{
		"client_id": text, "name": c.name, "kind": c.kind, "auth_method": method, "redirect_uris": append([]string{}, c.uris...), "user_id": nil,
	}
}

func (s *Server) oauthBegin(asked map[string]any) any {
	client, _ := asked["client"].(map[string]any)
	r := &oauthRequest{scopes: scopesOf(asked["scopes"]), ends: s.oauth.now().Add(requestLife)}
	r.client, _ = client["client_id"].(string)
	kind, _ := client["kind"].(string)
	r.kind = access.ClientKind(kind)
	r.uri, _ = asked["redirect_uri"].(string)
	r.challenge, _ = asked["challenge"].(string)
	r.resource, _ = asked["resource"].(string)
	if state, ok := asked["state"].(string); ok {
		r.state = &state
	}
	handle := random()
	s.oauth.requests[handle] = r
	return map[string]any{"consent_url": "http://" + s.addr + base + "/doorman/consent?request=" + handle}
}

// authenticated is models/oauth/doorman_oauth_client.py's _authenticated.
func (s *Server) authenticated(asked map[string]any) (id string, refusal any) {
	if !s.oauth.settings.Enabled {
		return "", oauthRefusal("temporarily_unavailable", "Login is switched off.", "oauth off")
	}
	id, _ = asked["client_id"].(string)
	c := s.oauth.clients[id]
	stored, shown := storedOf(asked["secret"])
	switch {
	case c == nil:
		return id, oauthRefusal("invalid_client", "Client authentication failed.", "unknown or removed client")
	case c.secret == nil && asked["secret"] != nil, c.secret != nil && (!shown || stored != *c.secret):
		return id, oauthRefusal("invalid_client", "Client authentication failed.", "wrong secret")
	}
	return id, nil
}

// token finds what was shown.
func (s *Server) token(proof any, kind string) (*oauthToken, any) {
	stored, _ := storedOf(proof)
	t := s.oauth.tokens[stored]
	switch {
	case t == nil || t.kind != kind:
		return nil, refusedGrant("unknown")
	case t.dead:
		return nil, refusedGrant("family dead")
	}
	return t, nil
}

func (s *Server) bound(t *oauthToken, client string, asked map[string]any) any {
	switch {
	case t.client != client:
		return refusedGrant("another client's")
	case !s.oauth.now().Before(t.ends):
		return refusedGrant("expired")
	case asked["resource"] != nil && asked["resource"] != t.resource:
		return oauthRefusal("invalid_target", "The token is for another resource.", "another resource")
	}
	return nil
}

func (s *Server) alive(t *oauthToken) any {
	held := s.connections[lookup(access.ProofOf(t.holder))]
	if status := held.Connection.Status; status == access.StatusInactive || slices.Contains(access.LiveStatuses, status) {
		return nil
	}
	return refusedGrant("connection ended")
}

func (s *Server) oauthRedeem(asked map[string]any) any {
	client, refusal := s.authenticated(asked)
	if refusal != nil {
		return refusal
	}
	t, refusal := s.token(asked["code"], "code")
	if refusal != nil {
		return refusal
	}
	if !t.used.IsZero() {
		t.dead = true
		return refusedGrant("code reused")
	}
	if refusal := s.bound(t, client, asked); refusal != nil {
		return refusal
	}
	if asked["redirect_uri"] != t.uri || asked["challenge"] != t.challenge {
		return refusedGrant("another redirect URI or verifier")
	}
	if refusal := s.alive(t); refusal != nil {
		return refusal
	}
	return s.next(t, asked["code"], t.scopes)
}

func (s *Server) oauthRefresh(asked map[string]any) any {
	client, refusal := s.authenticated(asked)
	if refusal != nil {
		return refusal
	}
	t, refusal := s.token(asked["refresh"], "refresh")
	if refusal != nil {
		return refusal
	}
	inGrace := t.client == client && s.oauth.now().Before(t.used.Add(refreshGrace))
	if !t.used.IsZero() && !inGrace {
		t.dead = true
		return refusedGrant("refresh token reused")
	}
	if refusal := s.bound(t, client, asked); refusal != nil {
		return refusal
	}
	scopes := t.scopes
	if asked["scopes"] != nil {
		scopes = scopesOf(asked["scopes"])
		if len(scopes) == 0 || slices.ContainsFunc(scopes, func(scope access.Scope) bool { return !slices.Contains(t.scopes, scope) }) {
			return oauthRefusal("invalid_scope", "The scope exceeds what was granted.", "wider than before")
		}
	}
	if refusal := s.alive(t); refusal != nil {
		return refusal
	}
	proof, _ := asked["refresh"].(string)
	for t.generation < t.latest-1 { // used within the grace, and its successors were, too: all get the newest
		renews := derive(t.pepper, "refresh", proof)
		proof = access.ProofOf(renews).Hex()
		t = s.oauth.tokens[lookup(access.ProofOf(renews))]
	}
	return s.next(t, proof, scopes)
}

// next is the generation after t, made the first time, and the same again afterwards.
func (s *Server) next(t *oauthToken, proof any, scopes []access.Scope) any {
	text, _ := proof.(string)
	opens, renews := derive(t.pepper, "access", text), derive(t.pepper, "refresh", text)
	if t.used.IsZero() {
		now := s.oauth.now()
		t.used, t.latest = now, t.generation+1
		s.oauth.tokens[lookup(access.ProofOf(opens))] = &oauthToken{
			family: t.family, kind: "access", generation: t.latest, scopes: scopes, ends: now.Add(s.oauth.settings.AccessLife),
		}
		s.oauth.tokens[lookup(access.ProofOf(renews))] = &oauthToken{
			family: t.family, kind: "refresh", generation: t.latest, scopes: t.scopes, ends: now.Add(s.oauth.settings.RefreshLife),
		}
	}
	made := s.oauth.tokens[lookup(access.ProofOf(opens))]
	return map[string]any{
		"access_token": opens, "refresh_token": renews, "scopes": made.scopes,
		"expires_in": max(0, int(made.ends.Sub(s.oauth.now()).Round(time.Second).Seconds())),
	}
}

func (s *Server) oauthRevoke(asked map[string]any) any {
	client, refusal := s.authenticated(asked)
	if refusal != nil {
		return refusal
	}
	stored, _ := storedOf(asked["token"])
	t := s.oauth.tokens[stored]
	if t == nil || t.kind == "code" || t.client != client {
		return map[string]any{"revoked": false}
	}
	t.dead = true
	return map[string]any{"revoked": true}
}
