package api

import (
	"encoding/json"
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/exact"
)

const (
	maxBody = 64 << 10 // bytes
	maxLink = access.MaxInviteLinkSeconds * time.Second
)

// field reads the JSON of one field, and returns what Odoo is told.
type field func(name string, raw json.RawMessage) (any, *problem)

// policyFields are those of every policy.
var policyFields = map[string]field{
	"scopes":                names(1),
	"read_only":             boolean,
	"research_tools":        boolean,
	"allowed_tools":         names(0),
	"approval_tools":        names(0),
	"allowed_models":        names(0),
	"companies":             ids,
	"model_rules":           rules(modelRuleFields),
	"approval_rules":        rules(ruleFields),
	"approver":              text(0, access.MaxPolicyText),
	"approver_group":        text(0, access.MaxPolicyText),
	"approve_outward":       boolean,
	"two_approvers":         oneOf("", "low", "medium", "high"),
	"approval_expiry_hours": number(1, 2160),
	"allowed_ips":           names(0),
	"blocked_ips":           names(0),
	"recipient_domains":     names(0),
	"rate_limit_minute":     number(0, maxID),
	"rate_limit_day":        number(0, maxID),
	"rows_reply":            number(0, maxID),
	"rows_day":              number(0, maxID),
}

// inviteFields is every field that an invite can be made with. The two durations have other names in Odoo.
var inviteFields = with(policyFields, map[string]field{
	"max_uses":        number(1, access.MaxInviteUses),
	"expires_in":      linkSeconds,
	"key_name_preset": text(1, access.MaxInviteName),
	"key_expires_in":  keyHours,
	"accept_list":     names(0),
	"new_accounts":    boolean,
	"account_groups":  names(0),
	"description":     text(0, access.MaxPolicyText),
})

// connectionFields is every field that a connection can be made with.
var connectionFields = with(policyFields, map[string]field{
	"name":        text(1, access.MaxConnectionName),
	"user":        text(1, access.MaxPolicyText),
	"expires_at":  instant,
	"key_days":    number(0, access.MaxKeyDays),
	"deliver":     oneOf("link", "email", "key"),
	"description": text(0, access.MaxPolicyText),
})

// narrowedFields are those of which Odoo takes a stricter value.
var narrowedFields = with(policyFields, map[string]field{"expires_at": instant})

var (
	rotateFields = map[string]field{"key_days": number(0, access.MaxKeyDays), "deliver": oneOf("link", "email")}
	serverFields = map[string]field{"enabled": boolean}
)

// with is a table with more fields.
func with(fields, more map[string]field) map[string]field {
	all := maps.Clone(fields)
	maps.Copy(all, more)
	return all
}

var modelRuleFields = map[string]field{
	"model": text(0, access.MaxPolicyText), "read": boolean, "create": boolean, "write": boolean, "delete": boolean,
	"domain": text(0, access.MaxPolicyText), "hidden": names(0), "masked": names(0),
}

var ruleFields = map[string]field{
	"risk": oneOf("", "low", "medium", "high"), "model": text(0, access.MaxPolicyText), "tool": text(0, access.MaxPolicyText),
	"more_than": number(0, maxID), "per_day": boolean, "reads": boolean,
}

// inOdoo are the names that Odoo knows a field by, where they differ.
var inOdoo = map[string]string{"expires_in": "expires_in_seconds", "key_expires_in": "key_lifetime_hours"}

// readBody reads the body of a request, one JSON object with some of these fields. Nothing of it is ignored: a restriction
// whose name is misspelt must not become an invite without it.
func readBody(w http.ResponseWriter, r *http.Request, fields map[string]field, needed ...string) (map[string]any, *problem) {
	if t, params, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || t != "application/json" ||
		len(r.Header.Values("Content-Type")) > 1 || params["charset"] != "" && !strings.EqualFold(params["charset"], "utf-8") {
		return nil, statusProblem(http.StatusUnsupportedMediaType)
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, statusProblem(http.StatusRequestEntityTooLarge)
	case err != nil:
		return nil, invalid("The request was interrupted.")
	}
	// Of two values with one name, one reader would take the first and another the last.
	if flaw := exact.Find(body); flaw != nil {
		return nil, invalid("%s %s", flaw.Err.Message, flaw.Err.Hint)
	}
	given, p := object("The request", body, fields)
	if p != nil {
		return nil, p
	}
	for _, name := range needed {
		if given[name] == nil {
			return nil, invalid("%s is missing%s.", name, examples[name])
		}
	}
	values := map[string]any{}
	for name, value := range given {
		if odoo := inOdoo[name]; odoo != "" {
			name = odoo
		}
		values[name] = value
	}
	return values, nil
}

// examples are for fields that have to be there.
var examples = map[string]string{
	"scopes": `: name at least one, such as "mcp:search"`, "user": ": the login of the Odoo user that the AI tool acts as",
}

// object reads one JSON object with known fields. Names are compared exactly, which encoding/json's structs would not.
func object(what string, raw []byte, fields map[string]field) (map[string]any, *problem) {
	var members map[string]json.RawMessage
	if json.Unmarshal(raw, &members) != nil || members == nil {
		return nil, invalid("%s must be one JSON object.", what)
	}
	given := map[string]any{}
	for _, name := range slices.Sorted(maps.Keys(members)) { // so that of several mistakes the same one is told each time
		read := fields[name]
		if read == nil {
			return nil, invalid("There is no field %s.", shown(name))
		}
		var p *problem
		if given[name], p = read(name, members[name]); p != nil {
			return nil, p
		}
	}
	return given, nil
}

// shown is a name from outside, fit for an error: quoted, and short.
func shown(name string) string {
	const most = 60
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return strconv.QuoteToGraphic(name)
}

func enumerate(list []string) string {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	return strings.Join(quoted, ", ")
}

// asText reads a text. NUL is the one character that PostgreSQL cannot keep.
func asText(raw json.RawMessage, least, most int) (string, bool) {
	var s *string
	if json.Unmarshal(raw, &s) != nil || s == nil {
		return "", false
	}
	return *s, plainText(*s, least, most)
}

// plainText reports whether PostgreSQL can keep a text, of so many characters.
func plainText(s string, least, most int) bool {
	n := utf8.RuneCountInString(s)
	return n >= least && n <= most && !strings.ContainsRune(s, 0) && utf8.ValidString(s)
}

func text(least, most int) field {
	return func(name string, raw json.RawMessage) (any, *problem) {
		if s, ok := asText(raw, least, most); ok {
			return s, nil
		}
		return nil, invalid("%s must be a text of %d to %d characters.", name, least, most)
	}
}

func oneOf(allowed ...string) field {
	return func(name string, raw json.RawMessage) (any, *problem) {
		if s, ok := asText(raw, 0, access.MaxPolicyText); ok && slices.Contains(allowed, s) {
			return s, nil
		}
		return nil, invalid("%s must be one of %s.", name, enumerate(allowed))
	}
}

// instant takes one way of RFC 3339: in UTC, of whole seconds.
func instant(name string, raw json.RawMessage) (any, *problem) {
	s, ok := asText(raw, len(time.RFC3339)-5, len(time.RFC3339)-5)
	if t, err := time.Parse("2006-01-02T15:04:05Z", s); ok && err == nil && t.Year() > 0 {
		return s, nil
	}
	return nil, invalid(`%s must be a time in UTC such as "2027-01-31T12:00:00Z".`, name)
}

func boolean(name string, raw json.RawMessage) (any, *problem) {
	switch string(raw) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return nil, invalid("%s must be true or false.", name)
}

// number takes digits only: 5.0, 5e0 and "5" are numbers to some readers and not to others.
func number(least, most int64) field {
	return func(name string, raw json.RawMessage) (any, *problem) {
		if n, ok := wholeNumber(string(raw), bounds{least, most}); ok {
			return n, nil
		}
		return nil, invalid("%s must be a whole number from %d to %d.", name, least, most)
	}
}

// items reads a list.
func items(raw json.RawMessage, least int) (list []json.RawMessage, ok bool) {
	ok = json.Unmarshal(raw, &list) == nil && list != nil && len(list) >= least && len(list) <= access.MaxPolicyItems
	return list, ok
}

// names takes a list of texts, each one line that is not blank.
func names(least int) field {
	return func(name string, raw json.RawMessage) (any, *problem) {
		list, ok := items(raw, least)
		read := []string{}
		for _, item := range list {
			s, isText := asText(item, 1, access.MaxPolicyText)
			ok = ok && isText && strings.TrimSpace(s) != "" && !strings.ContainsAny(s, "\r\n")
			read = append(read, s)
		}
		if !ok {
			return nil, invalid("%s must be a list of %d to %d texts of one line each.", name, least, access.MaxPolicyItems)
		}
		return read, nil
	}
}

func ids(name string, raw json.RawMessage) (any, *problem) {
	list, ok := items(raw, 0)
	read := []int64{}
	for _, item := range list {
		n, isID := wholeNumber(string(item), bounds{1, maxID})
		ok = ok && isID
		read = append(read, n)
	}
	if !ok {
		return nil, invalid("%s must be a list of at most %d ids.", name, access.MaxPolicyItems)
	}
	return read, nil
}

func rules(fields map[string]field) field {
	return func(name string, raw json.RawMessage) (any, *problem) {
		list, ok := items(raw, 0)
		if !ok {
			return nil, invalid("%s must be a list of at most %d objects.", name, access.MaxPolicyItems)
		}
		read := []map[string]any{}
		for _, item := range list {
			rule, p := object("Each of "+name, item, fields)
			if p != nil {
				return nil, p
			}
			read = append(read, rule)
		}
		return read, nil
	}
}
