package mcp

import (
	"time"

	"doorman/server/access"
)

// NeedModule makes a tool one that works with a module of Odoo's.
func NeedModule(s *Server, tool, module string) { s.byName[tool].NeedsModule = module }

// ForgetRefusal says how long an answer about a credential is kept, and forgets it as if that time had passed.
func ForgetRefusal(s *Server, p access.Proof) time.Duration {
	known, _ := s.resolver.cache.GetIfPresent(p)
	s.resolver.forget(p)
	return known.ttl()
}
