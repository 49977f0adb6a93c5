package odootest

import (
	"maps"
	"slices"
)

// jobs are what hello lists, by name: period and time limit in seconds.
var jobs = map[string][2]int{
	"fold_use": {60, 50}, "expire_connections": {300, 60}, "purge_audit": {86400, 1800}, "remind_expiry": {86400, 300},
	"expire_approvals": {60, 50}, "remind_approvals": {60, 50}, "expire_invites": {300, 60}, "remind_invited": {3600, 300},
	"purge_oauth": {3600, 300}, "learn_clients": {60, 50}, "chain_audit": {60, 50},
	"send_notices": {10, 50},
}

func jobList() (list []map[string]any) {
	for _, name := range slices.Sorted(maps.Keys(jobs)) {
		list = append(list, map[string]any{"name": name, "every": jobs[name][0], "timeout": jobs[name][1]})
	}
	return list
}

// runJob is what the jobs say. But for invites and requests for approval, nothing is ever due.
func (s *Server) runJob(name any) any {
	text, _ := name.(string)
	if _, known := jobs[text]; !known {
		return refusal(&Problem{Kind: "not_found", Code: "unknown_job", Message: "There is no such job."})
	}
	s.seen.mu.Lock()
	s.seen.jobs[text]++
	s.seen.mu.Unlock()
	counts := map[string]any{"done": 0}
	switch text {
	case "fold_use":
		counts = map[string]any{"folded": 0}
	case "learn_clients":
		counts = map[string]any{"learned": 0}
	case "chain_audit":
		counts = map[string]any{"chained": 0}
	case "send_notices":
		counts = map[string]any{"told": 0, "posted": 0}
	case "purge_audit":
		counts = map[string]any{"deleted": 0}
	case "expire_connections":
		counts = map[string]any{"expired": 0}
	case "expire_invites":
		counts = map[string]any{"expired": s.expireInvites()}
	case "expire_approvals":
		s.mu.Lock()
		counts = map[string]any{"expired": s.expireDue(), "cancelled": 0}
		s.mu.Unlock()
	case "remind_expiry", "remind_approvals", "remind_invited":
		counts = map[string]any{"reminded": 0}
	case "purge_oauth":
		counts = map[string]any{"requests": 0, "codes": 0, "tokens": 0, "clients": 0}
	}
	return map[string]any{"counts": counts, "more": false}
}

// JobRuns is how often a job was run.
func (s *Server) JobRuns(name string) int {
	s.seen.mu.Lock()
	defer s.seen.mu.Unlock()
	return s.seen.jobs[name]
}
