package wire

import (
	"encoding/json"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"doorman/server/access"
)

// snapshotWire is a snapshot as the addon writes it. What a decision rests on is a pointer: a field that is missing has
// to be seen as missing, since its zero value (not read only, no restriction) would allow more.
type snapshotWire struct {
	Connection *struct {
		ID        int64   `json:"id"`
		Version   *int64  `json:"version"`
		Name      string  `json:"name"`
		Type      string  `json:"type"`
		Status    string  `json:"status"`
		ExpiresAt *string `json:"expires_at"`
	} `json:"connection"`
	Policy *struct {
		Scopes        *[]access.Scope `json:"scopes"`
		LackingScopes []access.Scope  `json:"lacking_scopes"`
		ReadOnly      *bool           `json:"read_only"`
		ResearchTools bool            `json:"research_tools"` // missing is off
		AllowedTools  list[string]    `json:"allowed_tools"`
		AllowedModels list[string]    `json:"allowed_models"`
		Companies     list[int64]     `json:"companies"`
		AllowedIPs    list[string]    `json:"allowed_ips"`
		BlockedIPs    list[string]    `json:"blocked_ips"`
		RateMinute    *int            `json:"rate_limit_minute"`
		RateDay       *int            `json:"rate_limit_day"`
		RowsDay       int             `json:"rows_day"` // missing means no limit
		Approval      *bool           `json:"approval"`
		Rules         bool            `json:"rules"` // missing is none
	} `json:"policy"`
	User *struct {
		ID     int64  `json:"id"`
		Login  string `json:"login"`
		Name   string `json:"name"`
		Lang   string `json:"lang"`
		Groups string `json:"groups"`
	} `json:"user"`
	Settings *struct {
		Enabled        *bool        `json:"enabled"`
		Version        *int64       `json:"version"`
		ReadOnlyBy     string       `json:"read_only_by"` // missing is nobody; Odoo decides it again, by what it is then
		DisabledTools  list[string] `json:"disabled_tools"`
		MissingModules list[string] `json:"missing_modules"`
		Floor          list[string] `json:"floor"`
	} `json:"settings"`
	OwnTools []ownWire `json:"own_tools"`
	Registry string    `json:"registry"`
	// Of an access token only.
	Auth      string             `json:"auth"`
	ClientID  string             `json:"client_id"`
	Resource  string             `json:"resource"`
	TokenEnds *string            `json:"token_expires_at"`
	Grantable list[access.Scope] `json:"grantable_scopes"`
}

// list is nil when it is absent ("no restriction") and not nil when it is there, even empty ("nothing allowed"). A null
// is neither, and an error: read as absent it would turn a fault of the addon into "everything".
type list[T any] []T

// UnmarshalJSON refuses null.
func (l *list[T]) UnmarshalJSON(b []byte) error {
	if isNull(b) {
		return Unusable("a list is null")
	}
	items := []T{}
	err := json.Unmarshal(b, &items)
	*l = items
	return err
}

// snapshot checks and converts w. One thing that cannot be read makes all of it unusable.
func (w *snapshotWire) snapshot() (*access.Snapshot, error) {
	if what := w.missing(); what != "" {
		return nil, Unusable("snapshot without " + what)
	}
	expires, ok := parseTime(w.Connection.ExpiresAt)
	if !ok {
		return nil, Unusable("connection.expires_at")
	}
	allowed, err := prefixes(w.Policy.AllowedIPs)
	if err != nil {
		return nil, err
	}
	blocked, err := prefixes(w.Policy.BlockedIPs)
	if err != nil {
		return nil, err
	}
	own, err := ownTools(w.OwnTools)
	if err != nil {
		return nil, err
	}
	grant, err := w.grant()
	if err != nil {
		return nil, err
	}
	return &access.Snapshot{
		OwnTools: own, Grant: grant,
		Connection: access.Connection{
			ID: w.Connection.ID, Version: *w.Connection.Version, Name: personText(w.Connection.Name), Type: w.Connection.Type,
			Status: access.Status(w.Connection.Status), ExpiresAt: expires,
			Policy: access.Policy{
				Scopes: *w.Policy.Scopes, Lacking: w.Policy.LackingScopes, ReadOnly: *w.Policy.ReadOnly, ResearchTools: w.Policy.ResearchTools,
				AllowedTools: w.Policy.AllowedTools, AllowedModels: w.Policy.AllowedModels, Companies: w.Policy.Companies,
				AllowedIPs: allowed, BlockedIPs: blocked,
				RateMinute: *w.Policy.RateMinute, RateDay: *w.Policy.RateDay, RowsDay: w.Policy.RowsDay,
				Approvals: *w.Policy.Approval, Rules: w.Policy.Rules,
			},
		},
		User: access.User{
			ID: w.User.ID, Login: w.User.Login, Name: w.User.Name, Lang: w.User.Lang, Groups: w.User.Groups,
		},
		Settings: access.Settings{
			Enabled: *w.Settings.Enabled, Version: *w.Settings.Version, ReadOnlyBy: w.Settings.ReadOnlyBy,
			DisabledTools: w.Settings.DisabledTools, MissingModules: w.Settings.MissingModules, Floor: w.Settings.Floor,
		},
		Registry: w.Registry,
	}, nil
}

// grant reads what is said of an access token; nil for a key.
func (w *snapshotWire) grant() (*access.Grant, error) {
	if w.Auth != "oauth" {
		return nil, nil
	}
	ends, ok := parseTime(w.TokenEnds)
	if !ok {
		return nil, Unusable("token_expires_at")
	}
	return &access.Grant{ClientID: w.ClientID, ExpiresAt: ends, Resource: w.Resource, Grantable: w.Grantable}, nil
}

// missing names the first part that a decision needs and that is not there.
func (w *snapshotWire) missing() string {
	switch {
	case w.Connection == nil || w.Connection.ID <= 0:
		return "connection.id"
	case w.Connection.Version == nil:
		return "connection.version"
	case w.Connection.Status == "":
		return "connection.status"
	case w.Policy == nil || w.Policy.Scopes == nil:
		return "policy.scopes"
	case w.Policy.ReadOnly == nil:
		return "policy.read_only"
	case w.Policy.RateMinute == nil || *w.Policy.RateMinute < 1:
		return "policy.rate_limit_minute"
	case w.Policy.RateDay == nil || *w.Policy.RateDay < 1:
		return "policy.rate_limit_day"
	case w.Policy.RowsDay < 0:
		return "policy.rows_day"
	case w.Policy.Approval == nil:
		return "policy.approval"
	case w.User == nil || w.User.ID <= 0 || w.User.Groups == "":
		return "user.id or user.groups"
	case w.Settings == nil || w.Settings.Enabled == nil || w.Settings.Version == nil:
		return "settings.enabled or settings.version"
	case w.Settings.MissingModules == nil:
		return "settings.missing_modules"
	case len(w.Settings.Floor) == 0 || slices.Contains(w.Settings.Floor, ""):
		return "settings.floor"
	case w.Registry == "":
		return "registry"
	}
	return ""
}

// prefixes parses addresses and networks; nil stays nil. The error names the first that is neither.
func prefixes(entries []string) ([]netip.Prefix, error) {
	if entries == nil {
		return nil, nil
	}
	out := make([]netip.Prefix, 0, len(entries))
	for _, s := range entries {
		p, ok := prefix(s)
		if !ok {
			return nil, Unusable("not an IP address or network: " + strconv.Quote(Printable(s)))
		}
		out = append(out, p)
	}
	return out, nil
}

// prefix reads one address or network. An IPv4 network written as IPv6 (::ffff:10.0.0.0/104) is made IPv4, or it would
// match nothing: callers' addresses are unmapped before they are compared.
func prefix(s string) (netip.Prefix, bool) {
	if !strings.Contains(s, "/") {
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return netip.Prefix{}, false
		}
		a = a.Unmap()
		return netip.PrefixFrom(a, a.BitLen()), true
	}
	p, err := netip.ParsePrefix(s)
	if err != nil {
		return netip.Prefix{}, false
	}
	if p.Addr().Is4In6() {
		if p.Bits() < 96 {
			return netip.Prefix{}, false
		}
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	return p.Masked(), true
}
