package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"time"

	"doorman/server/access"
	"doorman/server/secret"
)

// Odoo is the Odoo behind this API. Ask calls a method of the addon (access.AdminCode has what it refuses with) with a
// person's own key, which it must not keep. Its errors are those of odoo.Client.Admin: *access.AdminRefusal, or
// *access.Error.
type Odoo interface {
	Ask(ctx context.Context, key secret.Text, method string, args map[string]any) (json.RawMessage, error)
}

// Guesses limits how many wrong keys a network may try; limit.Guesses is one.
type Guesses interface {
	Enter(ip netip.Addr, now time.Time) (leave func(failed bool, at time.Time), refusal *access.Error)
}

// Config is what the API needs; all of it is required.
type Config struct {
	Odoo    Odoo
	Audit   Audit
	Guesses Guesses
	// Identify tells who sends a request, as the layers in front found it.
	Identify func(*http.Request) (ip netip.Addr, requestID string)
	// WebURL is where people's browsers reach Odoo, without a slash at its end. It must answer at once.
	WebURL func() string
	Now    func() time.Time
	// Report gets each failure that the operator of the service should see. Neither key, token nor input is in it.
	Report func(requestID string, err error)
}

// API serves everything under /api/ and /oauth/invite/.
type API struct {
	config Config
	routes []Route
}

// Route is one method on one path. {id} and {token} stand for one segment.
type Route struct {
	Method, Path string
	handle       func(w http.ResponseWriter, r *http.Request, segment string)
}

const (
	invitesPath     = "/api/org/mcp/invites"
	connectionsPath = "/api/org/mcp/connections"
	usagePath       = "/api/org/mcp/usage"
	serverPath      = "/api/org/mcp/server"
	linkPath        = "/oauth/invite/"
)

// New builds the API.
func New(c Config) *API {
	a := &API{config: c}
	a.routes = []Route{
		{http.MethodPost, invitesPath, a.keyed(a.create)},
		{http.MethodGet, invitesPath, a.keyed(a.list)},
		{http.MethodGet, invitesPath + "/{id}", a.keyed(a.get)},
		{http.MethodDelete, invitesPath + "/{id}", a.keyed(a.revoke)},
		{http.MethodPost, connectionsPath, a.keyed(a.connect)},
		{http.MethodGet, connectionsPath, a.keyed(a.connections)},
		{http.MethodGet, connectionsPath + "/{id}", a.keyed(a.connection)},
		{http.MethodPatch, connectionsPath + "/{id}", a.keyed(a.narrow)},
		{http.MethodDelete, connectionsPath + "/{id}", a.keyed(a.disconnect)},
		{http.MethodPost, connectionsPath + "/{id}/rotate", a.keyed(a.rotate)},
		{http.MethodGet, usagePath, a.keyed(a.usage)},
		{http.MethodGet, serverPath, a.keyed(a.server)},
		{http.MethodPatch, serverPath, a.keyed(a.switchOff)},
		{http.MethodGet, auditPath, a.audit},
		{http.MethodGet, "/api/openapi.json", a.document},
		{http.MethodGet, linkPath + "{token}", a.link},
		{http.MethodHead, linkPath + "{token}", a.link},
	}
	return a
}

// Routes is all that there is, for the test that holds the document against it.
func (a *API) Routes() []Route { return a.routes }

// ServeHTTP finds the route. What has none is answered here too, in the API's own words. HEAD may be asked wherever GET may
// be (RFC 9110 section 9.1), and the server keeps the body back.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("Cache-Control", "no-store")
	header.Set("X-Content-Type-Options", "nosniff")
	var allowed []string
	for _, route := range a.routes {
		segment, ok := match(route.Path, r.URL.Path)
		if !ok {
			continue
		}
		if route.Method == r.Method || route.Method == http.MethodGet && r.Method == http.MethodHead {
			route.handle(w, r, segment)
			return
		}
		allowed = append(allowed, route.Method)
	}
	if len(allowed) == 0 {
		writeProblem(w, statusProblem(http.StatusNotFound))
		return
	}
	if slices.Contains(allowed, http.MethodGet) && !slices.Contains(allowed, http.MethodHead) {
		allowed = append(allowed, http.MethodHead)
	}
	header.Set("Allow", strings.Join(append([]string{http.MethodOptions}, allowed...), ", "))
	if r.Method == http.MethodOptions {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	writeProblem(w, statusProblem(http.StatusMethodNotAllowed))
}

// match reports whether a path is a route's, and what stands for its variable. A segment may be empty: an empty id or
// token is wrong, but the caller meant this route.
func match(route, path string) (segment string, ok bool) {
	prefix, rest, variable := strings.Cut(route, "{")
	if !variable {
		return "", path == route
	}
	_, suffix, _ := strings.Cut(rest, "}")
	segment, ok = strings.CutPrefix(path, prefix)
	if ok {
		segment, ok = strings.CutSuffix(segment, suffix)
	}
	return segment, ok && !strings.Contains(segment, "/")
}

// Withhold writes a path for a log: without the token of an invite's link, and without whatever else is long enough to be
// one, for links are pasted wrongly too.
func Withhold(path string) string {
	const shorter = 32 // than any token or key; words and ids of real paths are
	segments := strings.Split(path, "/")
	after := false
	for i, s := range segments {
		if s != "" && after || len(s) >= shorter {
			segments[i] = "[withheld]"
		}
		after = after || strings.EqualFold(s, "invite")
	}
	return strings.Join(segments, "/")
}

// asked is what a request comes to: a call of Odoo, whose answer goes into `into` and is shown by `show`.
type asked struct {
	method string
	args   map[string]any
	into   any
	show   func(w http.ResponseWriter)
}

// keyed lets a request through to what reads it, and what that makes of it to Odoo with the caller's key.
func (a *API) keyed(read func(w http.ResponseWriter, r *http.Request, segment string) (asked, *problem)) func(http.ResponseWriter, *http.Request, string) {
	return func(w http.ResponseWriter, r *http.Request, segment string) {
		key, problem := credential(r, administrators)
		if problem != nil {
			writeProblem(w, problem)
			return
		}
		q, problem := read(w, r, segment)
		if problem != nil {
			writeProblem(w, problem)
			return
		}
		if problem := a.ask(r, key, q); problem != nil {
			writeProblem(w, problem)
			return
		}
		q.show(w)
	}
}

// ask hands a request to Odoo, and reads the answer.
func (a *API) ask(r *http.Request, key secret.Text, q asked) *problem {
	return a.guarded(r, func() error {
		raw, err := a.config.Odoo.Ask(r.Context(), key, q.method, q.args)
		if err != nil {
			return err
		}
		return decode(raw, q.into)
	})
}

// guarded asks Odoo, unless this network has shown too many wrong keys.
func (a *API) guarded(r *http.Request, ask func() error) *problem {
	ip, requestID := a.config.Identify(r)
	leave, refusal := a.config.Guesses.Enter(ip, a.config.Now())
	if refusal != nil {
		return problemOf(refusal)
	}
	wrong := false
	defer func() { leave(wrong, a.config.Now()) }()
	err := ask()
	if err == nil {
		return nil
	}
	p := problemOf(err)
	wrong = p.status == http.StatusUnauthorized
	if p.status >= http.StatusInternalServerError {
		a.config.Report(requestID, err)
	}
	return p
}

// Whose keys open what.
const (
	administrators = "an MCP administrator"
	auditors       = "an MCP auditor or administrator"
)

// credential returns the one key of a request. Of two headers, or two schemes in one, a proxy in front could take the one
// and we the other. The form is checked before Odoo is asked: bytes that no key has must not get into a header to Odoo.
func credential(r *http.Request, of string) (secret.Text, *problem) {
	values := r.Header.Values("Authorization")
	if strings.Join(values, "") == "" {
		return secret.Text{}, unauthenticated("This needs the Odoo API key of " + of + ".")
	}
	if len(values) > 1 {
		return secret.Text{}, unauthenticated("There is more than one Authorization header: send one.")
	}
	scheme, key, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "Bearer") || key == "" || len(key) > maxKey || strings.ContainsFunc(key, notInKeys) {
		return secret.Text{}, unauthenticated("The Authorization header does not contain a single Bearer key.")
	}
	return secret.New(key), nil
}

const maxKey = 512 // bytes; Odoo's keys have 40

// notInKeys holds for what is not in a b64token (RFC 6750 section 2.1).
func notInKeys(r rune) bool {
	letter := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	return !letter && (r < '0' || r > '9') && !strings.ContainsRune("-._~+/=", r)
}
