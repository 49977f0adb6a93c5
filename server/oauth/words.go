package oauth

import (
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"doorman/server/access"
)

// The error codes (RFC 6749 sections 4.1.2.1 and 5.2, RFC 7591 section 3.2.2, RFC 8707 section 2).
const (
	invalidRequest      = "invalid_request"
	invalidClient       = "invalid_client"
	invalidGrant        = "invalid_grant"
	invalidScope        = "invalid_scope"
	invalidTarget       = "invalid_target"
	invalidRedirectURI  = "invalid_redirect_uri"
	invalidMetadata     = "invalid_client_metadata"
	unauthorizedClient  = "unauthorized_client"
	unsupportedGrant    = "unsupported_grant_type"
	unsupportedResponse = "unsupported_response_type"
	accessDenied        = "access_denied"
	serverError         = "server_error"
	unavailable         = "temporarily_unavailable"
)

// The words for ways to authenticate a client, grants and the rest.
const (
	methodNone  = "none"
	methodBasic = "client_secret_basic"
	methodPost  = "client_secret_post"

	grantCode    = "authorization_code"
	grantRefresh = "refresh_token"
	grantAssert  = "urn:ietf:params:oauth:grant-type:jwt-bearer" // RFC 7523 section 2.1

	// profileIDJAG says which assertions are taken (draft-ietf-oauth-identity-assertion-authz-grant, section 7.2).
	profileIDJAG = "urn:ietf:params:oauth:grant-profile:id-jag"

	challengeS256 = "S256"
	offlineAccess = "offline_access" // refresh tokens are given anyway: it is taken, and means nothing
)

// Error is a refusal in the words of OAuth.
type Error struct {
	Code        string
	Description string        // for the client's developer; printable ASCII without quotes
	Reason      string        // for the operator's log, where Odoo or an issuer gave one
	Status      int           // of a direct answer; 0 = 400, or 401 for invalid_client
	RetryAfter  time.Duration // 0 = not by waiting
	Basic       bool          // the client tried Basic, and is told so (RFC 6749 section 5.2)
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Description }

func refuse(code, description string) *Error { return &Error{Code: code, Description: description} }

// asError turns what the gateway says into a refusal, which is the caller's own to complete. What is wrong inside is the
// operator's to know.
func asError(err error) *Error {
	if own, ok := errors.AsType[*Error](err); ok {
		told := *own // which may be one of those that all requests share, such as errCode
		return &told
	}
	if said, ok := errors.AsType[*access.OAuthError](err); ok {
		e := &Error{Code: said.Code, Description: said.Description, Reason: said.Reason}
		if said.Code == unavailable {
			e.Status, e.RetryAfter = http.StatusServiceUnavailable, time.Minute
		}
		return e
	}
	switch e := access.AsError(err); {
	case e.Kind == access.RateLimited:
		return &Error{Code: unavailable, Description: "Too many attempts from your network.", Status: http.StatusTooManyRequests, RetryAfter: e.RetryAfter}
	case e.Kind == access.OdooUnavailable, e.Kind == access.OdooTimeout, e.RetryAfter > 0:
		return &Error{Code: unavailable, Description: "Odoo does not answer right now.", Status: http.StatusServiceUnavailable, RetryAfter: max(e.RetryAfter, time.Second)}
	}
	return &Error{Code: serverError, Description: "Something went wrong inside Doorman.", Status: http.StatusInternalServerError}
}

func (e *Error) status() int {
	switch {
	case e.Status != 0:
		return e.Status
	case e.Code == invalidClient:
		return http.StatusUnauthorized
	}
	return http.StatusBadRequest
}

// writeError is the one place where a refusal becomes an answer that is neither a redirect nor a page.
func writeError(w http.ResponseWriter, e *Error) {
	if e.Basic && e.status() == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", `Basic realm="doorman"`)
	}
	if e.RetryAfter > 0 {
		w.Header().Set("Retry-After", seconds(e.RetryAfter))
	}
	writeJSON(w, e.status(), map[string]any{"error": e.Code, "error_description": e.Description})
}

// WriteStatus answers with an HTTP status what never reached an endpoint, in the form of RFC 6749 section 5.2.
func WriteStatus(w http.ResponseWriter, status int, message string) {
	code := invalidRequest
	if status >= http.StatusInternalServerError {
		code = serverError
	}
	writeError(w, &Error{Code: code, Description: message, Status: status})
}

// writeJSON writes an answer that nobody may keep: it may hold tokens (RFC 6749 section 5.1).
func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Pragma", "no-cache")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }
