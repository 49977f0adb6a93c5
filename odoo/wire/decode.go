package wire

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"time"

	"doorman/server/access"
)

// What more than one package says of an error.
const (
	HintAdmin = "The service's log has the details, for an administrator."
	RetrySoon = time.Second // when it is worth trying again
)

// maxCount is more than a job does in one transaction; beyond it, sums could overflow.
const maxCount = 1 << 30

// Unusable is an answer of the addon that the service cannot act on. Nothing may be allowed on it. what is for the
// operator: fixed words, or words that went through Printable.
func Unusable(what string) *access.Error {
	return &access.Error{
		Kind: access.Internal, Message: "Odoo's answer cannot be used.",
		Hint:   "An administrator has to update the Doorman addon and the service to the same version.",
		Detail: "addon's answer: " + what,
	}
}

// problem is the addon's error object.
type problem struct {
	Kind    string `json:"kind"`
	Code    string `json:"code"`
	Message string `json:"message"`
	Hint    string `json:"hint"`
}

// toError cleans the words once more: the addon may pass on what an ORM call raised.
func (p problem) toError() *access.Error {
	e := &access.Error{Kind: access.ParseKind(p.Kind), Code: codeOf(p.Code), Message: CleanText(p.Message), Hint: CleanText(p.Hint)}
	switch e.Kind {
	case access.Internal:
		e.Message, e.Hint = cmp.Or(e.Message, "Odoo could not do this."), cmp.Or(e.Hint, HintAdmin)
	case access.OdooUnavailable, access.Conflict:
		e.RetryAfter = RetrySoon
	}
	e.Message = cmp.Or(e.Message, "Odoo refused this ("+string(e.Kind)+").")
	return e
}

// codeForm is what a code looks like. Anything else is not one of the addon's.
var codeForm = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

func codeOf(s string) string {
	if codeForm.MatchString(s) {
		return s
	}
	return ""
}

// DecodeHello reads {odoo_version, addon_version, database, enabled, settings_version, registry, company, oauth,
// web_url, jobs, other_mcp, services}.
func DecodeHello(raw json.RawMessage) (access.Hello, error) {
	var w struct {
		OdooVersion     string     `json:"odoo_version"`
		AddonVersion    string     `json:"addon_version"`
		Database        string     `json:"database"`
		Enabled         *bool      `json:"enabled"`
		SettingsVersion *int64     `json:"settings_version"`
		Registry        string     `json:"registry"`
		Company         string     `json:"company"`
		OAuth           *oauthWire `json:"oauth"`
		WebURL          string     `json:"web_url"`
		Jobs            []jobWire  `json:"jobs"`
		OtherMCP        []string   `json:"other_mcp"`
		Services        []string   `json:"services"`
		WebURLFollows   bool       `json:"web_url_follows"`
	}
	if misfit := Misfit(raw); misfit != nil {
		return access.Hello{}, misfit
	}
	if err := unmarshal(raw, &w, "hello"); err != nil {
		return access.Hello{}, err
	}
	if w.Enabled == nil || w.SettingsVersion == nil || w.AddonVersion == "" {
		return access.Hello{}, Unusable("hello without enabled, settings_version or addon_version")
	}
	return access.Hello{
		OdooVersion: w.OdooVersion, AddonVersion: w.AddonVersion, Database: w.Database, Enabled: *w.Enabled,
		Settings: *w.SettingsVersion, Registry: w.Registry, CompanyName: w.Company,
		OAuth:  w.OAuth.settings(),
		WebURL: webURL(w.WebURL), WebURLFollows: w.WebURLFollows,
		Jobs: jobsOf(w.Jobs), OtherMCP: cleanTexts(w.OtherMCP), Services: cleanTexts(w.Services),
	}, nil
}

// cleanTexts makes of texts of Odoo's what may be printed.
func cleanTexts(list []string) (out []string) {
	for _, text := range list {
		out = append(out, CleanText(text))
	}
	return out
}

// jobWire is a job as hello lists it, in seconds.
type jobWire struct {
	Name    string  `json:"name"`
	Every   float64 `json:"every"`
	Timeout float64 `json:"timeout"`
}

// jobsOf converts them. Whether each can be run is for package jobs to say: one that cannot must not hide the others.
func jobsOf(list []jobWire) []access.Job {
	var out []access.Job
	for _, w := range list {
		out = append(out, access.Job{Name: w.Name, Every: seconds(w.Every), Timeout: seconds(w.Timeout)})
	}
	return out
}

// seconds is n seconds, kept within ten years: what is beyond would wrap around to something that looks sensible.
func seconds(n float64) time.Duration {
	const most = 10 * 365 * 24 * 3600
	return time.Duration(max(-most, min(n, most)) * float64(time.Second))
}

// DecodeResolve reads {"snapshot": S, "used_today": n, "rows_today": n} or {"error": E}. Without a count the day limit would start anew
// with every restart of the service.
func DecodeResolve(raw json.RawMessage) (access.Resolution, error) {
	var w struct {
		Snapshot  *snapshotWire `json:"snapshot"`
		UsedToday *int          `json:"used_today"`
		RowsToday int           `json:"rows_today"`
		Error     *problem      `json:"error"`
	}
	if err := unmarshal(raw, &w, "resolve"); err != nil {
		return access.Resolution{}, err
	}
	switch {
	case (w.Snapshot == nil) == (w.Error == nil):
		return access.Resolution{}, Unusable("resolve: not exactly one of snapshot and error")
	case w.Error != nil:
		return access.Resolution{}, w.Error.toError()
	case w.UsedToday == nil || *w.UsedToday < 0 || w.RowsToday < 0:
		return access.Resolution{}, Unusable("resolve without used_today, or with a rows_today that cannot be")
	}
	s, err := w.Snapshot.snapshot()
	if err != nil {
		return access.Resolution{}, err
	}
	return access.Resolution{Snapshot: s, UsedToday: *w.UsedToday, RowsToday: w.RowsToday}, nil
}

// DecodeProgress reads {"counts": {what: n}, "more": bool}, or {"error": E}. At least one thing must be counted: an answer
// of nothing is not that of a job.
func DecodeProgress(raw json.RawMessage) (access.Progress, error) {
	var w struct {
		Counts map[string]int `json:"counts"`
		More   *bool          `json:"more"`
	}
	if err := DecodeObject(raw); err != nil {
		return access.Progress{}, err
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return access.Progress{}, err
	}
	if len(w.Counts) == 0 || w.More == nil {
		return access.Progress{}, Unusable("answer of a job without counts or more")
	}
	p := access.Progress{More: *w.More}
	for _, n := range w.Counts {
		if n < 0 || n > maxCount {
			return access.Progress{}, Unusable("a job counts what cannot be")
		}
		p.Done += n
	}
	return p, nil
}

// DecodeCall reads {"value": any}, {"pending": P}, {"stale": S} or {"error": E}; exactly one of the four.
func DecodeCall(raw json.RawMessage) (access.Reply, error) {
	return decodeOneOf(raw, "value", "pending", "stale", "error")
}

// DecodeReply reads what DecodeCall reads, of a method that nobody is asked about: nothing may be pending.
func DecodeReply(raw json.RawMessage) (access.Reply, error) {
	return decodeOneOf(raw, "value", "stale", "error")
}

// DecodeStatus reads {"approval": A}, {"stale": S} or {"error": E}.
func DecodeStatus(raw json.RawMessage) (access.Reply, error) {
	return decodeOneOf(raw, "approval", "stale", "error")
}

// decodeOneOf reads a reply that has exactly one of these parts. One that the method does not know is not looked at, so
// that it cannot be taken for an answer; two of them could mean two things.
func decodeOneOf(raw json.RawMessage, parts ...string) (reply access.Reply, err error) {
	var w map[string]json.RawMessage
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return reply, err
	}
	parts = slices.DeleteFunc(parts, func(part string) bool { return w[part] == nil })
	if len(parts) != 1 {
		return reply, Unusable("not exactly one part of an answer")
	}
	if reply.Rows, err = rowsIn(w["rows"]); err != nil {
		return reply, err
	}
	part := w[parts[0]]
	switch parts[0] {
	case "value":
		reply.Value = part
		return reply, nil
	case "stale":
		reply.Stale, err = decodeStale(part)
	case "pending":
		reply.Pending, err = decodePending(part)
	case "approval":
		reply.Approval, err = decodeApproval(part)
	default:
		err = decodeProblem(part)
	}
	return reply, err
}

// rowsIn reads how many rows of data an answer gives out; none where it does not say.
func rowsIn(raw json.RawMessage) (n int, err error) {
	if raw == nil {
		return 0, nil
	}
	if json.Unmarshal(raw, &n) != nil || isNull(raw) || n < 0 || n > maxCount {
		return 0, Unusable("rows")
	}
	return n, nil
}

func decodeStale(raw json.RawMessage) (*access.Snapshot, error) {
	var w *snapshotWire
	if err := unmarshal(raw, &w, "stale"); err != nil {
		return nil, err
	}
	if w == nil {
		return nil, Unusable("stale is null")
	}
	return w.snapshot()
}

func decodeProblem(raw json.RawMessage) error {
	var w *problem
	if err := unmarshal(raw, &w, "error"); err != nil {
		return err
	}
	if w == nil {
		return Unusable("error is null")
	}
	return w.toError()
}

// DecodeObject accepts any object without an error in it: record and sync_catalog answer with counts that nobody needs.
func DecodeObject(raw json.RawMessage) error {
	var w struct {
		Error *problem `json:"error"`
	}
	if isNull(raw) {
		return Unusable("not an object")
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return err
	}
	if w.Error != nil {
		return w.Error.toError()
	}
	return nil
}

// unmarshal decodes raw; the error names what was wrong only in words of this package, since encoding/json quotes.
func unmarshal(raw json.RawMessage, v any, what string) error {
	err := json.Unmarshal(raw, v)
	var own *access.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &own):
		return own
	}
	return Unusable(what + " is not of the agreed shape")
}

// parseTime reads RFC 3339; "" is the zero time, which means never.
func parseTime(s *string) (time.Time, bool) {
	if s == nil {
		return time.Time{}, true
	}
	t, err := time.Parse(time.RFC3339, *s)
	return t, err == nil && !t.IsZero()
}

// isNull reports a JSON null, or nothing.
func isNull(raw json.RawMessage) bool {
	raw = bytes.TrimSpace(raw)
	return len(raw) == 0 || string(raw) == "null"
}
