package odootest

import (
	"fmt"
	"slices"
	"time"

	"doorman/server/access"
)

// Issuer is a trusted issuer, as an administrator has set it up.
type Issuer struct {
	Off     bool     // archived
	Email   bool     // people may be found by their email address
	Clients []string // the only ones; nil = any
}

// Person is a user of this Odoo that an assertion may name.
type Person struct {
	Issuer, Subject string // as their login with auth_oauth says; may be empty
	Email           string
	Gone            bool           // archived, a portal user, or not an MCP User
	Scopes          []access.Scope // their permissions; nil = all
}

// Trust sets up an issuer; the grant is on as long as one is not off.
func (s *Server) Trust(url string, issuer Issuer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.issuers[url] = issuer
}

// Employ makes users.
func (s *Server) Employ(people ...Person) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.oauth.people = append(s.oauth.people, people...)
}

// HolderOf is Holder for the connection that came of assertions about a person, by the email address that they have here.
func (s *Server) HolderOf(clientID, email string) string { return s.Holder(clientID + " of " + email) }

func (s *Server) trusted() []string {
	list := []string{}
	for url, issuer := range s.oauth.issuers {
		if !issuer.Off {
			list = append(list, url)
		}
	}
	slices.Sort(list)
	return list
}

// oauthAssert is models/oauth/assertion.py's _assert.
func (s *Server) oauthAssert(asked map[string]any) any {
	o := s.oauth
	name, _ := asked["issuer"].(string)
	issuer, known := o.issuers[name]
	client, refusal := s.authenticated(asked)
	if refusal != nil {
		return refusal
	}
	if said, _ := asked["refused"].(map[string]any); said != nil {
		detail := said["reason"]
		if detail == "" {
			detail = said["error_description"]
		}
		return map[string]any{"oauth_error": map[string]any{
			"error": said["error"], "error_description": said["error_description"], "reason": fmt.Sprint("The assertion was refused: ", detail),
		}}
	}
	jti, _ := asked["jti"].(string)
	switch {
	case !known || issuer.Off:
		return refusedAssertion("The issuer is not trusted here.")
	case o.clients[client].secret == nil, issuer.Clients != nil && !slices.Contains(issuer.Clients, client):
		return oauthRefusal("unauthorized_client", "This client may not use assertions here.", "The issuer does not allow this client.")
	case o.jtis[name+" "+jti]:
		return refusedAssertion("The assertion was used before.")
	}
	o.jtis[name+" "+jti] = true
	person, found := o.person(name, issuer, asked)
	if !found {
		return refusedAssertion("Nobody has this email address.")
	}
	key := client + " of " + person.Email
	s.hold(key, client, o.settings.Scopes)
	held := s.connections[lookup(access.ProofOf(o.holders[key]))]
	if status := held.Connection.Status; status != access.StatusInactive && !slices.Contains(access.LiveStatuses, status) {
		return refusedAssertion("The connection has ended. Reactivate it in Odoo.")
	}
	scopes := slices.DeleteFunc(slices.Clone(held.Connection.Policy.Scopes), func(scope access.Scope) bool {
		return asked["scopes"] != nil && !slices.Contains(scopesOf(asked["scopes"]), scope) ||
			person.Scopes != nil && !slices.Contains(person.Scopes, scope)
	})
	if len(scopes) == 0 {
		return oauthRefusal("invalid_scope", "None of these scopes can be granted.", "None of the scopes can be granted.")
	}
	resource, _ := asked["resource"].(string)
	opens := access.PrefixAccess + random()
	o.tokens[lookup(access.ProofOf(opens))] = &oauthToken{
		family: &family{client: client, resource: resource, holder: o.holders[key], scopes: scopes, latest: 1},
		kind:   "access", generation: 1, scopes: scopes, ends: o.now().Add(o.settings.AccessLife),
	}
	return map[string]any{"access_token": opens, "expires_in": int(o.settings.AccessLife / time.Second), "scopes": scopes}
}

// person is the user that an assertion names: the one who logs in by this issuer, or the only one with that email address.
func (o *oauthState) person(name string, issuer Issuer, asked map[string]any) (Person, bool) {
	var found []Person
	for _, p := range o.people {
		if p.Issuer == name && p.Subject == asked["subject"] {
			return p, !p.Gone
		}
		if issuer.Email && asked["email"] != nil && p.Email == asked["email"] && !p.Gone {
			found = append(found, p)
		}
	}
	if len(found) != 1 {
		return Person{}, false
	}
	return found[0], true
}

func refusedAssertion(reason string) map[string]any {
	return oauthRefusal("invalid_grant", "The assertion is not accepted here.", reason)
}
