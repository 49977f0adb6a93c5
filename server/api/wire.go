package api

import (
	_ "embed" // the document
	"encoding/json"
	"errors"
	"reflect"
	"strings"

	"doorman/server/access"
)

// openAPI describes the API; TestOpenAPI holds it against what is really answered.
//
//go:embed openapi.json
var openAPI []byte

var (
	states   = []string{"active", "used_up", "expired", "revoked", "suspended"}
	statuses = []string{"inactive", "awaiting", "connected", "idle", "revoked", "expired"}
	types    = []string{"bearer", "oauth"}
)

// Policy is what invites and connections may say of what an AI tool may do.
type Policy struct {
	Scopes              []string    `json:"scopes"`
	ReadOnly            bool        `json:"read_only"`
	ResearchTools       bool        `json:"research_tools"`
	AllowedTools        []string    `json:"allowed_tools"`
	AllowedModels       []string    `json:"allowed_models"`
	Companies           []int64     `json:"companies"`
	ApprovalTools       []string    `json:"approval_tools"`
	ModelRules          []ModelRule `json:"model_rules"`
	ApprovalRules       []Rule      `json:"approval_rules"`
	ApproveOutward      bool        `json:"approve_outward"`
	Approver            string      `json:"approver"`
	ApproverGroup       string      `json:"approver_group"`
	TwoApprovers        string      `json:"two_approvers"` // the least risk that two people approve; empty = none
	ApprovalExpiryHours int64       `json:"approval_expiry_hours"`
	AllowedIPs          []string    `json:"allowed_ips"`
	BlockedIPs          []string    `json:"blocked_ips"`
	RecipientDomains    []string    `json:"recipient_domains"`
	RateLimitMinute     int64       `json:"rate_limit_minute"`
	RateLimitDay        int64       `json:"rate_limit_day"`
	RowsReply           int64       `json:"rows_reply"`
	RowsDay             int64       `json:"rows_day"`
	Description         string      `json:"description"`
}

// Invite is an invite as the API shows it. Its token is nowhere in it.
type Invite struct {
	ID               int64  `json:"id"`
	State            string `json:"state"`
	MaxUses          int64  `json:"max_uses"`
	CurrentUses      int64  `json:"current_uses"`
	ExpiresAt        string `json:"expires_at"` // RFC 3339, UTC
	KeyNamePreset    string `json:"key_name_preset"`
	KeyLifetimeHours int64  `json:"key_lifetime_hours"` // 0 = the keys have no end
	Policy
	AcceptList    []string `json:"accept_list"`
	NewAccounts   bool     `json:"new_accounts"`
	AccountGroups []string `json:"account_groups"`
	Company       string   `json:"company"`
	CreatedBy     string   `json:"created_by"` // login
	CreatedAt     string   `json:"created_at"` // RFC 3339, UTC
}

// Connection is a connection as the API shows it. No key is in it, nor a link to one. Times are RFC 3339 in UTC.
type Connection struct {
	ID            int64    `json:"id"`
	Name          string   `json:"name"`
	Status        string   `json:"status"`
	StatusSince   string   `json:"status_since"`
	Type          string   `json:"type"`
	Archived      bool     `json:"archived"`
	User          string   `json:"user"` // login
	UserName      string   `json:"user_name"`
	Company       string   `json:"company"`        // of the user
	MissingScopes []string `json:"missing_scopes"` // those that the user has no permission for
	Policy
	ExpiresAt     *string `json:"expires_at"`     // nil = never
	KeyExpiresAt  *string `json:"key_expires_at"` // nil = with the connection, or there is no key
	PickupPending bool    `json:"pickup_pending"` // a link to its key waits for its user
	LastUsed      *string `json:"last_used"`
	Requests      int64   `json:"requests"`
	InviteID      *int64  `json:"invite_id"`  // nil = it came of none, or that was deleted
	CreatedBy     string  `json:"created_by"` // login
	CreatedAt     string  `json:"created_at"`
}

// Usage is how much a connection was used on one UTC day.
type Usage struct {
	Day          string `json:"day"` // 2026-01-31
	ConnectionID int64  `json:"connection_id"`
	Connection   string `json:"connection"` // name
	User         string `json:"user"`       // login
	Requests     int64  `json:"requests"`   // that count against the limit a day
	OK           int64  `json:"ok"`
	Pending      int64  `json:"pending"`
	Error        int64  `json:"error"`
	Refused      int64  `json:"refused"`
	Rows         int64  `json:"rows"` // given out
}

// Server is the state of all of Doorman.
type Server struct {
	Enabled         bool    `json:"enabled"`
	AllReadOnly     bool    `json:"all_read_only"`
	MCPURL          string  `json:"mcp_url"`           // empty = not known
	ServiceVersion  string  `json:"service_version"`   // empty = it was never there
	ServiceLastSeen *string `json:"service_last_seen"` // RFC 3339, UTC
}

// Rule is an approval rule of an invite.
type Rule struct {
	Risk     string `json:"risk"`
	Model    string `json:"model"`
	Tool     string `json:"tool"`
	MoreThan int64  `json:"more_than"`
	PerDay   bool   `json:"per_day"`
	Reads    bool   `json:"reads"`
}

// ModelRule is what an invite grants of one model; of every other one if Model is empty.
type ModelRule struct {
	Model  string   `json:"model"`
	Read   bool     `json:"read"`
	Create bool     `json:"create"`
	Write  bool     `json:"write"`
	Delete bool     `json:"delete"`
	Domain string   `json:"domain"` // in Odoo's form; empty = all records
	Hidden []string `json:"hidden"` // fields
	Masked []string `json:"masked"` // fields
}

// Acceptance is somebody who took an invite.
type Acceptance struct {
	Login           string `json:"login"`
	Name            string `json:"name"`
	AcceptedAt      string `json:"accepted_at"` // RFC 3339, UTC
	IP              string `json:"ip"`
	NewAccount      bool   `json:"new_account"`
	ConnectionID    *int64 `json:"connection_id"` // nil = the connection was deleted
	ConnectionState string `json:"connection_state"`
}

// pickup is a link by which the user of a connection gets their key.
type pickup struct {
	URL   *string `json:"pickup_url"`
	Until *string `json:"pickup_expires_at"`
}

// What the answers are.
type (
	created struct {
		URL string `json:"invite_url"`
		Invite
	}
	listed struct {
		Invites []Invite `json:"invites"`
		Total   int64    `json:"total"`
	}
	detailed struct {
		Invite
		Acceptances []Acceptance `json:"acceptances"`
	}
	revoked struct {
		Invite
		Revoked int64 `json:"revoked_connections"`
	}
	connectionsListed struct {
		Connections []Connection `json:"connections"`
		Total       int64        `json:"total"`
	}
	connectionCreated struct {
		pickup
		Key *string `json:"key"`
		Connection
	}
	connectionRotated struct {
		pickup
		Connection
	}
	usageListed struct {
		Usage []Usage `json:"usage"`
		Total int64   `json:"total"`
		First string  `json:"from"`
		Last  string  `json:"to"`
	}
)

// decode reads Odoo's answer. Every field must be there: an answer of another version would otherwise show an invite that
// restricts something as one that does not.
func decode(raw json.RawMessage, v any) error {
	err := json.Unmarshal(raw, v)
	if err == nil {
		err = complete(raw, reflect.TypeOf(v).Elem())
	}
	if err == nil {
		return nil
	}
	return &access.Error{
		Kind: access.Internal, Message: "Odoo's answer cannot be used.",
		Hint:   "An administrator has to update the Doorman addon and the service to the same version.",
		Detail: "answer of the addon: not of the agreed shape", // never err: it quotes what was answered
	}
}

var errIncomplete = errors.New("a field is missing")

// complete reports whether JSON has every field of a type, and null only where the type says that it may.
func complete(raw json.RawMessage, t reflect.Type) error {
	switch t.Kind() {
	case reflect.Pointer:
		if string(raw) == "null" {
			return nil
		}
		return complete(raw, t.Elem())
	case reflect.Slice:
		var items []json.RawMessage
		if err := json.Unmarshal(raw, &items); err != nil || items == nil {
			return errIncomplete
		}
		for _, item := range items {
			if err := complete(item, t.Elem()); err != nil {
				return err
			}
		}
	case reflect.Struct:
		var fields map[string]json.RawMessage
		if err := json.Unmarshal(raw, &fields); err != nil {
			return err
		}
		for field := range t.Fields() {
			part, there := fields[strings.Split(field.Tag.Get("json"), ",")[0]]
			if field.Anonymous {
				part, there = raw, true
			}
			if !there {
				return errIncomplete
			}
			if err := complete(part, field.Type); err != nil {
				return err
			}
		}
	default:
		if string(raw) == "null" {
			return errIncomplete
		}
	}
	return nil
}
