package odootest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strconv"
	"time"

	"doorman/server/access"
)

// The words of the addon (gateway/fence.py).
var (
	notValid = &Problem{"unauthenticated", "credential_invalid", "This key or token is invalid or no longer works.", "An Odoo administrator can create a new one."}
	disabled = &Problem{
		"forbidden", "switched_off", "Access for AI tools is switched off in this Odoo.",
		"An MCP administrator can switch it on in Doorman's settings.",
	}
)

// Connect adds a connection, or replaces the one with the same credential, and returns its snapshot.
func (s *Server) Connect(c Connection) access.Snapshot {
	s.mu.Lock()
	defer s.mu.Unlock()
	snap := fill(c.Snapshot, s.nextID, s.enabled, s.settings)
	if c.Waits.any() {
		snap.Connection.Policy.Approvals = true
	}
	s.waits[snap.Connection.ID] = c.Waits
	s.nextID = max(s.nextID, snap.Connection.ID) + 1
	s.connections[lookup(access.ProofOf(c.Credential))] = &snap
	s.usedToday[snap.Connection.ID] = c.UsedToday
	return snap
}

// Update changes what holds for a credential, and raises the connection's version.
func (s *Server) Update(credential string, change func(*access.Snapshot)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := lookup(access.ProofOf(credential))
	if old := s.connections[key]; old != nil {
		snap := *old
		change(&snap)
		snap.Connection.Version++
		s.connections[key] = &snap
	}
}

// Revoke ends a connection: from now on its credential opens nothing, and what it asked for is withdrawn.
func (s *Server) Revoke(credential string) {
	s.Update(credential, func(snap *access.Snapshot) {
		snap.Connection.Status = access.StatusRevoked
		for _, a := range s.approvals {
			if a.Connection == snap.Connection.ID {
				a.end(access.ApprovalCancel, "The connection was revoked.", nil, nil)
			}
		}
	})
}

// SetWebURLFollows says whether Odoo changes its address when an administrator logs in by another.
func (s *Server) SetWebURLFollows(follows bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.webFollows = follows
}

// SetServices names the addresses of the services that said hello a moment ago.
func (s *Server) SetServices(urls ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services = urls
}

// SetOtherMCP names other modules that answer AI tools on this Odoo.
func (s *Server) SetOtherMCP(names ...string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.otherMCP = names
}

// SetEnabled turns the master switch, and raises the version of the settings.
func (s *Server) SetEnabled(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.enabled = on
	s.settings++
	for key, old := range s.connections {
		snap := *old
		snap.Settings.Enabled, snap.Settings.Version = on, s.settings
		s.connections[key] = &snap
	}
}

// SetRegistry is Odoo after a module came or went: every connection's registry is another, no version is.
func (s *Server) SetRegistry(registry string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, old := range s.connections {
		snap := *old
		snap.Registry = registry
		s.connections[key] = &snap
	}
}

// lookup is how Odoo stores a proof: hashed once more.
func lookup(p access.Proof) [32]byte { return sha256.Sum256(p[:]) }

// find returns the snapshot behind a proof on the wire; nil if it opens nothing.
func (s *Server) find(proof any) *access.Snapshot {
	text, _ := proof.(string)
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	snap := s.connections[sha256.Sum256(raw)]
	if snap == nil || snap.Connection.Type == "oauth" {
		snap = s.findToken(sha256.Sum256(raw))
	}
	if snap == nil {
		return nil
	}
	c := snap.Connection
	switch {
	case slices.Contains(access.LiveStatuses, c.Status):
	case c.Status == access.StatusInactive:
		if snap.Grant == nil {
			return nil
		}
	default:
		return nil
	}
	if !c.ExpiresAt.IsZero() && !time.Now().Before(c.ExpiresAt) {
		return nil
	}
	return snap
}

// gateway is the addon's methods.
func (s *Server) gateway(method string, params map[string]any) (any, raised) {
	switch method {
	case "hello":
		return s.hello(params), raised{}
	case "resolve":
		if _, ok := params["proof"]; !ok {
			return nil, wrongArguments
		}
		snap := s.find(params["proof"])
		if snap == nil {
			return refusal(notValid), raised{}
		}
		s.mu.RLock()
		defer s.mu.RUnlock()
		return map[string]any{"snapshot": s.snapshotJSON(snap), "used_today": s.usedToday[snap.Connection.ID], "rows_today": 0}, raised{}
	case "call":
		request, _ := params["request"].(map[string]any)
		return s.fenced(params["fence"], func(snap *access.Snapshot) (any, *Problem) { return s.call(request, snap) }), raised{}
	case "fields":
		request := map[string]any{
			"model": params["model"], "method": "fields_get", "context": map[string]any{"lang": params["lang"]},
		}
		return s.fenced(params["fence"], func(snap *access.Snapshot) (any, *Problem) {
			value, problem := s.run(callOf(request, snap.User), snap)
			return map[string]any{"value": value}, problem // of no data
		}), raised{}
	case "approval_status":
		return s.fenced(params["fence"], func(snap *access.Snapshot) (any, *Problem) { return s.approvalStatus(snap, params["request_id"]) }), raised{}
	case "file_link":
		return s.fenced(params["fence"], func(snap *access.Snapshot) (any, *Problem) { return s.linkFile(params, snap) }), raised{}
	case "file_open", "file_take", "file_put":
		return s.followFile(method, params), raised{}
	case "record":
		return s.record(params), raised{}
	case "sync_catalog":
		return s.sync(params), raised{}
	}
	if said, known := s.oauthMethod(method, params); known {
		return said, raised{}
	}
	if method == "run_job" {
		name, there := params["name"]
		if !there || len(params) > 1 {
			return nil, wrongArguments
		}
		return s.runJob(name), raised{}
	}
	return nil, noMethod
}

func (s *Server) hello(params map[string]any) any {
	s.seen.mu.Lock()
	s.seen.hello = params
	s.seen.mu.Unlock()
	s.mu.RLock()
	defer s.mu.RUnlock()
	told := map[string]any{
		"odoo_version": s.opt.OdooVersion, "addon_version": s.addon.Database, "database": s.opt.Database,
		"enabled": s.enabled, "settings_version": s.settings, "registry": "1", "company": "Fake Company",
		"oauth":   s.oauthSettings(),
		"web_url": s.opt.WebURL, "web_url_follows": s.webFollows,
		"workers": s.opt.Workers,
		"jobs":    jobList(),

		"other_mcp": append([]string{}, s.otherMCP...), "services": append([]string{}, s.services...),
	}
	if s.addon.Interface > 1 {
		told["database_id"], told["copy_of"] = cmp.Or(s.addon.ID, "fake"), s.addon.CopyOf
		told["interface"], told["code_version"] = s.addon.Interface, s.addon.Code
	}
	return told
}

func (s *Server) record(params map[string]any) any {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	events, _ := params["events"].([]any)
	for _, e := range events {
		m, _ := e.(map[string]any)
		s.seen.events = push(s.seen.events, m)
	}
	return map[string]any{"recorded": len(events)}
}

// needs is the Odoo module of each tool that needs one, as the service's catalog says. The fake has none of them.
func (s *Server) needs() map[string]string {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	found := map[string]string{}
	for _, row := range s.seen.catalog {
		tool, _ := row.(map[string]any)
		name, _ := tool["name"].(string)
		if module, _ := tool["needs_module"].(string); module != "" {
			found[name] = module
		}
	}
	return found
}

func (s *Server) sync(params map[string]any) any {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	old := len(s.seen.catalog)
	tools, _ := params["tools"].([]any)
	s.seen.catalog = tools
	return map[string]any{"created": max(len(tools)-old, 0), "updated": min(len(tools), old), "retired": max(old-len(tools), 0)}
}

// fenced checks the fence, then does the work, whose answer names its own part.
func (s *Server) fenced(rawFence any, work func(*access.Snapshot) (any, *Problem)) any {
	fence, _ := rawFence.(map[string]any)
	snap := s.find(fence["proof"])
	switch {
	case snap == nil:
		return refusal(notValid)
	case !snap.Settings.Enabled:
		return refusal(disabled)
	case number(fence["connection"]) != float64(snap.Connection.ID),
		number(fence["version"]) != float64(snap.Connection.Version),
		number(fence["settings_version"]) != float64(snap.Settings.Version),
		fence["groups"] != snap.User.Groups,
		fence["registry"] != snap.Registry:
		return map[string]any{"stale": s.snapshotJSON(snap)}
	}
	answer, problem := work(snap)
	if problem != nil {
		return refusal(problem)
	}
	told := map[string]any{"registry": snap.Registry}
	maps.Copy(told, answer.(map[string]any))
	return told
}

// call runs a call, or puts it before a person, and leaves its audit row.
func (s *Server) call(request map[string]any, snap *access.Snapshot) (any, *Problem) {
	call := callOf(request, snap.User)
	if s.mustWait(call, snap.Connection.ID) {
		return s.instead(call, request, snap)
	}
	value, problem := s.run(call, snap)
	outcome, effects := "ok", 0
	if problem != nil {
		outcome = problem.Kind
	} else if !methods[call.Method].reads && !call.DryRun && !replayed(value) {
		effects = 1
	}
	s.seen.call(call, outcome, effects)
	return inValue(value, problem)
}

// instead asks a person about a call that waits, unless the service reads it for itself.
func (s *Server) instead(call Call, request map[string]any, snap *access.Snapshot) (any, *Problem) {
	if ask, said := request["ask"].(bool); said && !ask {
		s.seen.call(call, nobodyAsked.Kind, 0)
		return nil, nobodyAsked
	}
	arguments, _ := request["arguments"].(json.RawMessage)
	answer, problem := s.ask(snap, call, arguments)
	outcome := "pending"
	if problem != nil {
		outcome = problem.Kind
	}
	s.seen.call(call, outcome, 0)
	return answer, problem
}

// inValue is an answer with how many rows of data are in it.
func inValue(value any, p *Problem) (any, *Problem) {
	rows := 0
	switch v := value.(type) {
	case []any:
		rows = len(v)
	case []map[string]any:
		rows = len(v)
	}
	return map[string]any{"value": value, "rows": rows}, p
}

func replayed(value any) bool {
	m, _ := value.(map[string]any)
	again, _ := m["replayed"].(bool)
	return again
}

func refusal(p *Problem) any { return map[string]any{"error": p} }

func callOf(request map[string]any, user access.User) Call {
	c := Call{User: user}
	c.Model, _ = request["model"].(string)
	c.Method, _ = request["method"].(string)
	c.Kwargs, _ = request["kwargs"].(map[string]any)
	c.Context, _ = request["context"].(map[string]any)
	c.Audit, _ = request["audit"].(map[string]any)
	c.DryRun, _ = request["dry_run"].(bool)
	c.IdempotencyKey, _ = request["idempotency_key"].(string)
	if ids, ok := request["ids"].([]any); ok {
		c.IDs = []int64{}
		for _, id := range ids {
			c.IDs = append(c.IDs, int64(number(id)))
		}
	}
	return c
}

// snapshotJSON is the snapshot as the addon writes it: what sets no restriction is left out.
func (s *Server) snapshotJSON(snap *access.Snapshot) map[string]any {
	c, p := snap.Connection, snap.Connection.Policy
	conn := map[string]any{"id": c.ID, "version": c.Version, "name": c.Name, "type": c.Type, "status": c.Status}
	if !c.ExpiresAt.IsZero() {
		conn["expires_at"] = c.ExpiresAt.UTC().Format(time.RFC3339)
	}
	policy := map[string]any{
		"scopes": p.Scopes, "read_only": p.ReadOnly, "rate_limit_minute": p.RateMinute, "rate_limit_day": p.RateDay,
		"approval": p.Approvals, "research_tools": p.ResearchTools, "rows_day": p.RowsDay,
		"lacking_scopes": append([]access.Scope{}, p.Lacking...),
	}
	if p.Rules {
		policy["rules"] = true
	}
	if len(p.AllowedIPs) > 0 {
		policy["allowed_ips"] = p.AllowedIPs
	}
	if len(p.BlockedIPs) > 0 {
		policy["blocked_ips"] = p.BlockedIPs
	}
	if p.AllowedTools != nil {
		policy["allowed_tools"] = p.AllowedTools
	}
	if p.AllowedModels != nil {
		policy["allowed_models"] = p.AllowedModels
	}
	if p.Companies != nil {
		policy["companies"] = p.Companies
	}
	off, missing := snap.Settings.DisabledTools, snap.Settings.MissingModules
	needs := s.needs()
	if missing == nil {
		missing = slices.Sorted(maps.Values(needs))
		missing = append([]string{}, slices.Compact(missing)...)
	}
	if off == nil {
		// Until an administrator switches them on; what is not installed, nobody can.
		off = slices.DeleteFunc([]string{"run_python", "run_sql"}, func(tool string) bool { return slices.Contains(missing, needs[tool]) })
	}
	told := map[string]any{
		"connection": conn, "policy": policy,
		"user": map[string]any{
			"id": snap.User.ID, "login": snap.User.Login, "name": snap.User.Name, "lang": snap.User.Lang, "groups": snap.User.Groups,
		},
		"settings": map[string]any{
			"enabled": snap.Settings.Enabled, "version": snap.Settings.Version, "disabled_tools": off,
			"missing_modules": missing, "floor": snap.Settings.Floor,
		},
		"own_tools": []any{},
		"registry":  snap.Registry,
	}
	if by := snap.Settings.ReadOnlyBy; by != "" {
		told["settings"].(map[string]any)["read_only_by"] = by
	}
	if g := snap.Grant; g != nil {
		told["auth"], told["client_id"], told["resource"] = "oauth", g.ClientID, g.Resource
		told["token_expires_at"], told["grantable_scopes"] = g.ExpiresAt.UTC().Format(time.RFC3339Nano), g.Grantable
	}
	return told
}

// number reads a number from decoded JSON; anything else is -1, which no id is.
func number(v any) float64 {
	switch n := v.(type) {
	case float64:
		return n
	case int64:
		return float64(n)
	case int:
		return float64(n)
	case json.Number:
		f, _ := strconv.ParseFloat(n.String(), 64)
		return f
	}
	return -1
}
