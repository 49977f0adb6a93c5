package oauth

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/labstack/echo/v4"

	"doorman/server/access"
	"doorman/server/exact"
)

const (
	maxRegistration = 16 << 10 // bytes
	maxURI          = 512
)

// registerEndpoint is RFC 7591: a client makes itself known. Nothing that it says is proven, and the consent page says so.
func (s *Server) registerEndpoint(c echo.Context) error {
	answer, err := s.register(c.Response(), c.Request())
	if err != nil {
		e := asError(err)
		s.logged(c.Request(), "register", e, err)
		writeError(c.Response(), e)
		return nil
	}
	writeJSON(c.Response(), http.StatusCreated, answer)
	return nil
}

func (s *Server) register(w http.ResponseWriter, r *http.Request) (map[string]any, error) {
	settings, err := s.enabled(r.Context())
	if err != nil {
		return nil, err
	}
	if !settings.Registration {
		return nil, &Error{Code: accessDenied, Description: "Clients cannot register themselves here. " +
			"An administrator can create one in Odoo, under Doorman, Connect a New Tool.", Status: http.StatusForbidden}
	}
	body, err := jsonBody(w, r)
	if err != nil {
		return nil, err
	}
	wanted, err := parseRegistration(body, settings)
	if err != nil {
		return nil, err
	}
	// Counted once it is valid: a client that tries until it is right must not be locked out by that.
	ip, _ := s.identify(r)
	if err := s.takeRegistration(ip, settings.Registrations); err != nil {
		return nil, err
	}
	wanted.IP = ipText(ip)
	made, err := s.gateway.OAuthRegister(r.Context(), wanted)
	if err != nil {
		return nil, err
	}
	answer := map[string]any{
		"client_id": made.ClientID, "client_id_issued_at": made.IssuedAt.Unix(), "client_name": wanted.Name,
		"redirect_uris": wanted.RedirectURIs, "grant_types": []string{grantCode, grantRefresh},
		"response_types": []string{"code"}, "token_endpoint_auth_method": methodNone,
	}
	if wanted.URI != "" {
		answer["client_uri"] = wanted.URI
	}
	return answer, nil
}

// takeRegistration counts a registration, of so many that one address may make in an hour.
func (s *Server) takeRegistration(ip netip.Addr, most int) error {
	whose := "your network may make"
	wait := s.registerA.take(ip, most, s.now())
	if wait == 0 { // who has had theirs must not use up everybody's
		most, whose = registersOfAll*most, "all networks together may make"
		wait = s.registerG.take(netip.Addr{}, most, s.now())
	}
	if wait == 0 {
		return nil
	}
	return &Error{
		Code: unavailable, Status: http.StatusTooManyRequests, RetryAfter: wait,
		Description: fmt.Sprintf("Too many registrations: %s %d in an hour. Try again in %s. An administrator can allow more in Doorman's Server Settings.",
			whose, most, minutes(wait)),
	}
}

// minutes writes a time to wait as people say it.
func minutes(d time.Duration) string {
	if n := int((d + time.Minute - 1) / time.Minute); n > 1 {
		return fmt.Sprintf("%d minutes", n)
	}
	return "1 minute"
}

func jsonBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return nil, refuse(invalidMetadata, "Send the metadata as application/json.")
	}
	return readBody(w, r, maxRegistration)
}

func readBody(w http.ResponseWriter, r *http.Request, most int64) ([]byte, error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, most))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, &Error{Code: invalidRequest, Description: "The request is too large.", Status: http.StatusRequestEntityTooLarge}
	case err != nil:
		return nil, refuse(invalidRequest, "The request was interrupted.")
	}
	return body, nil
}

// members are the fields of a JSON object by their exact names: a struct would take Redirect_URIs for redirect_uris.
type members map[string]json.RawMessage

// parseMembers reads one JSON object. A name that comes twice could mean one thing here and another to its next reader, and so
// could text that is not Unicode.
func parseMembers(body []byte) (members, bool) {
	var out members
	err := json.Unmarshal(body, &out)
	return out, err == nil && out != nil && exact.Find(body) == nil
}

// text returns a field that is a text, or not there (RFC 7591 lets null stand for that).
func (m members) text(name string, most int) (string, bool) {
	raw := m[name]
	if raw == nil || string(raw) == "null" {
		return "", true
	}
	var s string
	err := json.Unmarshal(raw, &s)
	return s, err == nil && len(s) <= most
}

func (m members) texts(name string) (list []string, ok bool) {
	raw := m[name]
	if raw == nil || string(raw) == "null" {
		return nil, true
	}
	var items []*string
	if json.Unmarshal(raw, &items) != nil {
		return nil, false
	}
	list = []string{}
	for _, item := range items {
		if item == nil {
			return nil, false
		}
		list = append(list, *item)
	}
	return list, true
}

// parseRegistration validates what is used, and ignores the rest (RFC 7591 section 2).
func parseRegistration(body []byte, settings access.OAuthSettings) (r access.Registration, err error) {
	m, ok := parseMembers(body)
	if !ok {
		return r, refuse(invalidMetadata, "The metadata must be one JSON object, each name once.")
	}
	uris, ok := m.texts("redirect_uris")
	if !ok || len(uris) == 0 || len(uris) > access.MaxRedirectURIs {
		return r, refuse(invalidRedirectURI, "redirect_uris must be a list of 1 to 10 URIs.")
	}
	if r.RedirectURIs, err = usable(settings, uris); err != nil {
		return r, err
	}
	if err := checkFlow(m); err != nil {
		return r, err
	}
	if _, ok = m.text("token_endpoint_auth_method", 64); !ok {
		return r, refuse(invalidMetadata, "token_endpoint_auth_method must be a text. Clients that register themselves get none.")
	}
	if r.Name, ok = m.text("client_name", 4*access.MaxClientName); !ok || !fitName(r.Name) {
		return r, refuse(invalidMetadata, "client_name must be a plain text of at most 100 characters.")
	}
	if r.Name = strings.TrimSpace(r.Name); r.Name == "" {
		r.Name = "An application without a name"
	}
	if r.URI, ok = m.text("client_uri", maxURI); !ok || r.URI != "" && !webPage(r.URI) {
		return r, refuse(invalidMetadata, "client_uri must be an https address.")
	}
	softwareID, okID := m.text("software_id", 100)
	version, okVersion := m.text("software_version", 100)
	if !okID || !okVersion || !fitName(softwareID) || !fitName(version) {
		return r, refuse(invalidMetadata, "software_id and software_version must be plain texts of at most 100 characters.")
	}
	r.SoftwareID, r.SoftwareVersion = softwareID, version
	return r, nil
}

// usable returns the URIs to register. One that is wrong in itself refuses all. One that only the settings do not let
// through is left out if others stay (RFC 7591 section 3.2.1): Cursor registers cursor:// beside the https and loopback
// URIs that it uses as well.
func usable(settings access.OAuthSettings, uris []string) (kept []string, err error) {
	for _, uri := range uris {
		switch kind := classify(uri); {
		case kind == targetNone:
			return nil, refuse(invalidRedirectURI, "A redirect URI must be https, http on 127.0.0.1, [::1] or localhost, or a program's own scheme in lowercase; "+
				"without a fragment, user, wildcard or dot segment, and at most 512 characters.")
		case redirectAllowed(settings, uri) && !slices.Contains(kept, uri):
			kept = append(kept, uri)
		}
	}
	if len(kept) == 0 {
		return nil, refuse(invalidRedirectURI, "An administrator does not allow any of these redirect URIs.")
	}
	return kept, nil
}

// checkFlow refuses a client that could not use what there is.
func checkFlow(m members) error {
	grants, ok := m.texts("grant_types")
	if !ok || grants != nil && !slices.Contains(grants, grantCode) {
		return refuse(invalidMetadata, "grant_types must have authorization_code.")
	}
	responses, ok := m.texts("response_types")
	if !ok || responses != nil && !slices.Contains(responses, "code") {
		return refuse(invalidMetadata, "response_types must have code.")
	}
	return nil
}

// fitName takes what can stand on the consent page and be read there as what it is: no letters that hide, no marks that
// turn the direction of the text around.
func fitName(s string) bool {
	_, hides := access.FirstHidden(s)
	return len([]rune(s)) <= access.MaxClientName && !hides && !strings.ContainsRune(s, unicode.ReplacementChar)
}

func webPage(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https" && u.Host != "" && u.User == nil && fitName(u.Host)
}

// retryIn makes a refusal for having to wait.
func retryIn(wait time.Duration) *Error {
	return &Error{Code: unavailable, Description: "Too many requests from your network.", Status: http.StatusTooManyRequests, RetryAfter: wait}
}
