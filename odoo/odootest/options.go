package odootest

import (
	"strings"

	"doorman/server/access"
)

// What the fake is unless Options say otherwise.
const (
	DefaultDatabase   = "fake"
	DefaultKey        = "fake-service-key"
	DefaultLogin      = "doorman-service"
	DefaultCredential = "dmk_fake-credential"
	DefaultPersonKey  = "fake-person-key"
	DefaultUserKey    = "fake-user-key"
	PersonLogin       = "admin" // whose key PersonKey is
)

// Options describe the fake. The zero value is a working Odoo with one connection, whose credential is
// DefaultCredential and which may do everything.
type Options struct {
	Database     string // the only database there is; "" = DefaultDatabase
	Key          string // the service's key; "" = DefaultKey
	Login        string // the service user's login; "" = DefaultLogin
	PersonKey    string // an API key of somebody else, who is not the service; "" = DefaultPersonKey
	UserKey      string // an API key of somebody who is not an administrator; "" = DefaultUserKey
	WebURL       string // where people reach it, as hello says; "" = it does not say
	UID          int64  // the service user's id; 0 = 7
	OdooVersion  string // "" = "19.0"
	AddonVersion string // of addon and database; "" = "19.0.1.0.0". Become says otherwise
	Disabled     bool   // the master switch is off
	NoAddon      bool   // Odoo without the module, hence without the service's user: only PersonKey is a key

	// Connections there are at the start; nil = one, see above. Connect adds more.
	Connections []Connection

	// Workers is how many requests it works on at once, as hello says. 0 = so many that no call ever waits for another.
	Workers int

	// Partners is how many res.partner records there are; 0 = 25.
	Partners int

	// Handle answers a call before the fake's own records do, if it returns true. It runs without the fake's lock.
	Handle func(Call) (value any, problem *Problem, ok bool)

	// Canary is put into everything that must not get out of the client: tracebacks, HTML pages, broken answers.
	Canary string

	// Log, if set, is told one line a request: transport, method, fault.
	Log func(format string, args ...any)
}

// Connection is one credential and what holds for it. What Snapshot leaves zero is filled in: ids, version 1, status
// connected, all scopes, rates that no test reaches, user 2 "Mitchell Admin", settings, floor, registry. A module that a
// tool of the catalog needs is missing, unless MissingModules says which are.
type Connection struct {
	Credential string
	Snapshot   access.Snapshot
	UsedToday  int // requests of today that resolve says the audit knows
	Waits      Waits
}

// manyRequests is a limit that neither a test nor the benchmark reaches.
const manyRequests = 1_000_000

// floor is a part of the addon's (policy/closed_models.py, FLOOR_MODELS).
var floor = []string{
	"doorman.", "res.users.apikeys", "res.users.apikeys.", "ir.rule", "ir.model.access", "ir.config_parameter", "mail.mail",
	"change.password.", "bus.",
}

// Call is one ORM call that came through the fence.
type Call struct {
	Model   string
	Method  string
	IDs     []int64 // nil = a call on the model
	Kwargs  map[string]any
	Context map[string]any
	User    access.User
	Audit   map[string]any

	DryRun         bool
	IdempotencyKey string
}

// Problem is the gateway's error object.
type Problem struct {
	Kind    string `json:"kind"`
	Code    string `json:"code,omitempty"` // more precisely: addon/doorman/policy/refusal_codes.py
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

func (o Options) withDefaults() Options {
	def := func(s *string, v string) {
		if *s == "" {
			*s = v
		}
	}
	def(&o.Database, DefaultDatabase)
	def(&o.Key, DefaultKey)
	def(&o.Login, DefaultLogin)
	def(&o.PersonKey, DefaultPersonKey)
	def(&o.UserKey, DefaultUserKey)
	def(&o.OdooVersion, "19.0")
	def(&o.AddonVersion, "19.0.1.0.0")
	if o.Workers == 0 {
		o.Workers = 1000
	}
	if o.UID == 0 {
		o.UID = 7
	}
	if o.Partners == 0 {
		o.Partners = 25
	}
	if o.Connections == nil {
		o.Connections = []Connection{{Credential: DefaultCredential}}
	}
	return o
}

// fill completes a snapshot; id is the connection's, unless it has one.
func fill(s access.Snapshot, id int64, enabled bool, settings int64) access.Snapshot {
	c := &s.Connection
	if c.ID == 0 {
		c.ID = id
	}
	if c.Version == 0 {
		c.Version = 1
	}
	if c.Name == "" {
		c.Name = "Fake connection"
	}
	if c.Type == "" {
		c.Type = "bearer"
	}
	if c.Status == "" {
		c.Status = access.StatusConnected
	}
	if c.Policy.Scopes == nil {
		c.Policy.Scopes = access.Scopes
	}
	if c.Policy.RateMinute == 0 {
		c.Policy.RateMinute = manyRequests
	}
	if c.Policy.RateDay == 0 {
		c.Policy.RateDay = manyRequests
	}
	if s.Settings.Floor == nil {
		s.Settings.Floor = floor
	}
	if s.User.ID == 0 {
		s.User = access.User{ID: 2, Login: "admin", Name: "Mitchell Admin", Lang: "en_US"}
	}
	if s.User.Groups == "" {
		s.User.Groups = strings.Repeat("0", 16)
	}
	s.Settings.Enabled, s.Settings.Version = enabled, settings
	s.Registry = "1"
	return s
}
