package odootest

import (
	"slices"
	"strconv"
)

// Addon is which addon there is: its interface, and the versions of its code and of its database.
type Addon struct {
	Interface int    // 1 = one that says none and asks for none, as 0.1.0
	Code      string // version of the code
	Database  string // version that the database was updated to
	ID        string // of the database; "" = that of one fake
	CopyOf    string // the name of the database that this one is a copy of
	// Renamed are the gateway methods that have an argument of another name than this service knows.
	Renamed []string
}

// Become changes the addon while the server runs, as an update of the module does.
func (s *Server) Become(a Addon) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.addon = a
}

// misfit is the addon's refusal of a call that it cannot take (gateway/interface.py).
func (s *Server) misfit(q *query) raised {
	s.mu.RLock()
	a := s.addon
	s.mu.RUnlock()
	fits := q.speaks == strconv.Itoa(a.Interface) && a.Code == a.Database
	switch {
	case a.Interface > 1 && !fits && (q.method != "hello" || q.speaks == ""):
		return raised{name: "odoo.exceptions.UserError", message: "Doorman is being updated: these do not fit. Nothing was done."}
	case slices.Contains(a.Renamed, q.method):
		return wrongArguments
	}
	return raised{}
}
