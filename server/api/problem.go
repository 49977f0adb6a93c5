package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"doorman/server/access"
)

// problem is an answer that reports a failure. Its code is stable: programs branch on it.
type problem struct {
	status     int
	code       string
	message    string // what is wrong, one sentence
	hint       string // what to do about it; may be empty
	retryAfter time.Duration
}

// Error gives the code and the message.
func (p *problem) Error() string { return p.code + ": " + p.message }

// codes are those of problems that have no other name than their status.
var codes = map[int]*problem{
	http.StatusForbidden: {code: "forbidden"},
	http.StatusNotFound:  {code: "not_found", message: "There is no such path.", hint: "GET /api/openapi.json lists them."},
	http.StatusMethodNotAllowed: {
		code: "method_not_allowed", message: "This path does not support this method.", hint: "The Allow header lists those it supports.",
	},
	http.StatusRequestEntityTooLarge: {
		code: "too_large", message: fmt.Sprintf("The request is larger than %d bytes.", maxBody), hint: "Send less.",
	},
	http.StatusUnsupportedMediaType: {
		code: "unsupported_media_type", message: "The request is not JSON.", hint: "Send the header 'Content-Type: application/json'.",
	},
	http.StatusInternalServerError: {
		code: "internal", message: "Something went wrong inside Doorman.", hint: "Give the X-Request-Id of this answer to your administrator.",
	},
}

func statusProblem(status int) *problem {
	p := codes[status]
	if p == nil {
		status = http.StatusInternalServerError
		p = codes[status]
	}
	told := *p
	told.status = status
	return &told
}

// WriteStatus answers what no handler of this package got to see, in the same form: status is an HTTP status, and one that
// has no words of its own becomes 500. Why a request was not let in is said in the given words.
func WriteStatus(w http.ResponseWriter, status int, message string) {
	p := statusProblem(status)
	if status == http.StatusForbidden || status == http.StatusUnsupportedMediaType {
		p.message, p.hint = message, ""
	}
	writeProblem(w, p)
}

func unauthenticated(message string) *problem {
	return &problem{
		status: http.StatusUnauthorized, code: "unauthenticated", message: message,
		hint: "Create one in Odoo under My Preferences > Security > API Keys (Add API Key), and send it as 'Authorization: Bearer <key>'. " +
			"The key of an MCP connection (dmk_...) does not work here.",
	}
}

// invalid says what is wrong with one field, by name.
func invalid(format string, args ...any) *problem {
	return &problem{
		status: http.StatusBadRequest, code: "invalid_input", message: fmt.Sprintf(format, args...),
		hint: "See GET /api/openapi.json for what each field accepts.",
	}
}

// refusals are the statuses of Odoo's own refusals.
var refusals = map[access.AdminCode]int{
	access.AdminForbidden: http.StatusForbidden, access.AdminScopes: http.StatusForbidden,
	access.AdminGroups: http.StatusForbidden, access.AdminCompanies: http.StatusForbidden,
	access.AdminWidens: http.StatusForbidden, access.AdminKey: http.StatusForbidden,
	access.AdminInput: http.StatusBadRequest, access.AdminNotFound: http.StatusNotFound, access.AdminConflict: http.StatusConflict,
}

// hints are what to do about them.
var hints = map[access.AdminCode]string{
	access.AdminForbidden: "Use the key of " + administrators + ".",
	access.AdminScopes:    "Only ask for scopes that you have yourself: they are on your user's form in Odoo.",
	access.AdminGroups:    "Only use groups that you have yourself; an invite cannot grant an administrator's.",
	access.AdminCompanies: "Only use companies that you can work in yourself.",
	access.AdminWidens:    "A person has to widen access in Odoo.",
	access.AdminKey:       "Leave deliver out: the answer then contains a pick-up link for the user.",
	access.AdminInput:     "See GET /api/openapi.json for what each field accepts.",
	access.AdminNotFound:  "GET " + invitesPath + " and GET " + connectionsPath + " list those there are.",
	access.AdminConflict:  "GET " + connectionsPath + "/{id} tells its type and status.",
}

// problemOf is the one place where an error becomes an answer. What it does not know is internal, in fixed words.
func problemOf(err error) *problem {
	if own, ok := errors.AsType[*problem](err); ok {
		return own
	}
	var refused *access.AdminRefusal
	if errors.As(err, &refused) && refusals[refused.Code] != 0 {
		return &problem{
			status: refusals[refused.Code], code: string(refused.Code), message: refused.Message, hint: hints[refused.Code],
		}
	}
	e := access.AsError(err)
	p := &problem{code: string(e.Kind), message: e.Message, hint: e.Hint, retryAfter: e.RetryAfter}
	switch e.Kind {
	case access.Unauthenticated:
		p.status = http.StatusUnauthorized
	case access.Forbidden:
		p.status = http.StatusForbidden
		return p
	case access.RateLimited:
		p.status = http.StatusTooManyRequests
	case access.OdooUnavailable, access.Unavailable, access.Updating:
		p.status = http.StatusServiceUnavailable
	case access.OdooTimeout:
		p.status = http.StatusGatewayTimeout
	default:
		return statusProblem(http.StatusInternalServerError)
	}
	p.retryAfter = max(p.retryAfter, 0)
	if p.status != http.StatusUnauthorized {
		p.retryAfter = max(p.retryAfter, time.Second)
	}
	return p
}

// writeProblem writes {"error": {...}}. A 401 names no resource metadata (RFC 9728): a key of Odoo's is not to be had by
// OAuth, and a client that tried would end at a consent for something else.
func writeProblem(w http.ResponseWriter, p *problem) {
	if p.status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Bearer realm="doorman"`)
	}
	if p.retryAfter > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(int((p.retryAfter+time.Second-1)/time.Second)))
	}
	writeJSON(w, p.status, errorOf(p))
}

func errorOf(p *problem) map[string]any {
	told := map[string]string{"code": p.code, "message": p.message}
	if p.hint != "" {
		told["hint"] = p.hint
	}
	return map[string]any{"error": told}
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	body, err := json.Marshal(v)
	if err != nil { // what this package writes can be written; if not, nothing half done goes out
		status, body = http.StatusInternalServerError, []byte(`{"error":{"code":"internal","message":"Something went wrong inside Doorman."}}`)
	}
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_, _ = w.Write(body)
}
