package mcp_test

import (
	"strings"
	"testing"

	"doorman/server/access"
)

// TestClosedFields: what a policy closes is refused with its reason, and what is known of a model for one connection is not
// told to another one with the same groups, nor to itself at another version.
func TestClosedFields(t *testing.T) {
	t.Parallel()
	const (
		open   = `{"label":"Contact","fields":{"id":{"type":"integer"},"name":{"type":"char"},"email":{"type":"char"}}}`
		closed = `{"label":"Contact","fields":{"id":{"type":"integer"},"name":{"type":"char"}},"closed":{"email":"res.partner.email is hidden by a rule."}}`
		ask    = `{"model":"res.partner","fields":["email"]}`
	)
	for name, policy := range map[string]access.Policy{
		"rules": {Rules: true}, "allow list": {AllowedModels: []string{"res.partner"}}, "an empty one": {AllowedModels: []string{}}, "neither": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			f.snapshot.Connection.Policy.Rules = policy.Rules
			f.snapshot.Connection.Policy.AllowedModels = policy.AllowedModels
			asked := 0
			f.fields = func(access.Fence) (access.Reply, error) {
				asked++
				if f.snapshot.Connection.ID == 7 && f.snapshot.Connection.Policy.ClosesFields() {
					return reply(closed), nil
				}
				return reply(open), nil
			}
			url := endpoint(t, f).URL
			answer := call(t, url, "search_records", ask)
			closes := policy.Rules || policy.AllowedModels != nil
			if got := answer.kind() == string(access.NotAllowed); got != closes {
				t.Fatalf("refused %v: %s", got, answer.body)
			}
			if len(policy.AllowedModels) == 0 && policy.AllowedModels != nil {
				return // refused before the fields are asked for
			}
			if closes && !strings.Contains(answer.body, "hidden by a rule") {
				t.Errorf("does not say why: %s", answer.body)
			}
			call(t, url, "search_records", ask)
			if asked != 1 {
				t.Errorf("asked %d times for the fields", asked)
			}
			// Narrowed meanwhile: Odoo says that what was decided on is old, and the fields are learned anew.
			fresh := changed(f, func(*access.Policy) {})
			stale := false
			f.call = func(access.Fence, access.Request) (access.Reply, error) {
				if stale {
					return reply(`[]`), nil
				}
				stale = true
				return access.Reply{Stale: fresh}, nil
			}
			call(t, url, "search_records", `{"model":"res.partner","fields":["name"]}`)
			call(t, url, "search_records", ask)
			if again := asked == 2; again != closes {
				t.Errorf("at the next version: asked %d times in all", asked)
			}
		})
	}
}
