package odootest

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"

	"doorman/server/access"
)

// TotalMS and DatabaseMS are what the fake says that every request took, where it is asked.
const (
	TotalMS    = 2.5
	DatabaseMS = 1.25
)

const maxRequest = access.MaxFile*4/3 + 1<<20 // the addon's own limit (controllers/gateway.py, MAX_BODY)

// query is one request on its way through an endpoint.
type query struct {
	transport   string
	method      string          // gateway method, or "authenticate"
	id          json.RawMessage // of a JSON-RPC request
	params      map[string]any  // named arguments of the gateway method
	service     []any           // arguments of "authenticate"
	denied      bool            // the key, or the user id, is wrong
	person      bool            // a key that is right, but not the service's
	administers bool            // a method of the REST API, as whose key it is
	audit       bool            // one of doorman.audit
	admin       bool            // the key of an MCP administrator
	nodb        bool            // the database is not ours
	batch       []envelope      // a JSON-RPC batch; its method is "call"
	speaks      string          // the interface that the caller says it speaks; "" = it says none
	fault       *Fault
	cleared     <-chan struct{}
}

// ServeHTTP answers the four endpoints.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, base)
	if path == "/doorman/consent" {
		s.consentPage(w, r)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	if err != nil {
		w.WriteHeader(http.StatusRequestEntityTooLarge)
		return
	}
	q, ok := s.parse(r, path, body)
	s.seen.request(Request{
		Transport: q.transport, Method: q.method, Path: path, Database: r.Header.Get("X-Odoo-Database"),
		Authorization: r.Header.Get("Authorization"), Traceparent: r.Header.Get("Traceparent"), Body: body,
	})
	q.fault, q.cleared = s.fault(q.transport, q.method)
	if s.opt.Log != nil {
		s.opt.Log("odootest: %s %s", q.transport, q.method)
	}
	if s.before(w, r, q) {
		return
	}
	if !ok || r.Method != http.MethodPost {
		s.html(w, http.StatusNotFound)
		return
	}
	s.serve(w, r, q)
}

// serve runs the query and writes its answer.
func (s *Server) serve(w http.ResponseWriter, r *http.Request, q *query) {
	if s.opt.NoAddon && q.transport == "doorman" || q.nodb && (q.transport == "doorman" || q.transport == "json2") {
		s.html(w, http.StatusNotFound) // no such route
		return
	}
	if q.nodb {
		s.raise(w, q, raised{
			name: "psycopg2.OperationalError", message: `connection to server failed: FATAL:  database "other" does not exist`,
		})
		return
	}
	if q.method == "authenticate" {
		s.answer(w, r, q, s.authenticate(q))
		return
	}
	if q.denied {
		s.raise(w, q, denied)
		return
	}
	if s.opt.NoAddon {
		s.raise(w, q, noAddon(q))
		return
	}
	if q.administers {
		method := s.adminMethod
		if q.audit {
			method = s.auditMethod
		}
		value, err := method(q)
		if err.name != "" {
			s.raise(w, q, err)
			return
		}
		s.answer(w, r, q, value)
		return
	}
	if q.person {
		s.raise(w, q, notService)
		return
	}
	if q.transport == "doorman" && r.Header.Get("X-Doorman-Timing") != "" { // controllers/gateway.py, _timing
		w.Header().Set("Server-Timing", fmt.Sprintf("total;dur=%.2f, db;dur=%.2f", TotalMS, DatabaseMS))
	}
	if err := s.misfit(q); err.name != "" {
		s.raise(w, q, err)
		return
	}
	if q.batch != nil {
		s.serveBatch(w, r, q)
		return
	}
	value, err := s.gateway(q.method, q.params)
	if err.name != "" {
		s.raise(w, q, err)
		return
	}
	s.answer(w, r, q, value)
}

// noAddon is how Odoo says that there is no such model.
func noAddon(q *query) raised {
	if q.transport == "json2" {
		return raised{name: "werkzeug.exceptions.NotFound", message: "the model 'doorman.gateway' does not exist"}
	}
	return raised{name: "odoo.exceptions.UserError", message: "Object doorman.gateway doesn't exist"}
}

func (s *Server) authenticate(q *query) any {
	switch {
	case len(q.service) < 3:
	case s.serviceKey(q.service[2]) && q.service[1] == s.opt.Login:
		return s.uid.Load()
	case q.service[1] == PersonLogin && q.service[2] == s.opt.PersonKey:
		return int64(personUID)
	}
	return false
}

// parse reads a request of any of the four; false = none of them, or not readable.
func (s *Server) parse(r *http.Request, path string, body []byte) (*query, bool) {
	q := &query{speaks: r.Header.Get("X-Doorman-Interface")}
	bearer := r.Header.Get("Authorization")
	key, hasKey := cutPrefixFold(bearer, "Bearer ")
	q.nodb = r.Header.Get("X-Odoo-Database") != s.opt.Database
	switch {
	case path == "/doorman/jsonrpc":
		q.transport = "doorman"
		q.denied = !hasKey || key != s.opt.Key
		var env envelope
		if isBatch(body) {
			q.method = "call"
			return q, json.Unmarshal(body, &q.batch) == nil
		}
		if json.Unmarshal(body, &env) != nil {
			return q, false
		}
		q.method, q.id = env.Method, env.ID
		return q, q.readParams(env.Params)
	case strings.HasPrefix(path, "/json/2/doorman.gateway/"):
		q.transport, q.method = "json2", strings.TrimPrefix(path, "/json/2/doorman.gateway/")
		q.person = key == s.opt.PersonKey
		q.denied = !hasKey || !s.serviceKey(key) && !q.person
		return q, q.readParams(body)
	case administers(path):
		q.transport, q.method, q.administers = "json2", path[strings.LastIndex(path, "/")+1:], true
		q.audit = strings.HasPrefix(path, "/json/2/doorman.audit/")
		q.admin = key == s.opt.PersonKey
		q.denied = !hasKey || !q.admin && key != s.opt.UserKey && !s.serviceKey(key)
		return q, q.readParams(body)
	case path == "/jsonrpc":
		q.transport = "jsonrpc"
		return q, s.parseJSONRPC(q, body)
	case strings.HasPrefix(path, "/xmlrpc/2/"):
		q.transport = "xmlrpc"
		return q, s.parseXMLRPC(q, strings.TrimPrefix(path, "/xmlrpc/2/"), body)
	}
	return q, false
}

// serviceKey reports whether key is the service's, in an Odoo that has the service's user.
func (s *Server) serviceKey(key any) bool { return key == s.opt.Key && !s.opt.NoAddon }

const personUID = 2

type envelope struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
}

func (s *Server) parseJSONRPC(q *query, body []byte) bool {
	var env struct {
		ID     json.RawMessage `json:"id"`
		Params struct {
			Service string `json:"service"`
			Method  string `json:"method"`
			Args    []any  `json:"args"`
		} `json:"params"`
	}
	if json.Unmarshal(body, &env) != nil {
		return false
	}
	q.id = env.ID
	return s.service(q, env.Params.Service, env.Params.Method, env.Params.Args)
}

// service reads the arguments that /jsonrpc and XML-RPC share (http.py, dispatch_rpc).
func (s *Server) service(q *query, service, method string, args []any) bool {
	if len(args) < 3 {
		return false
	}
	q.nodb = q.nodb || args[0] != s.opt.Database
	if service == "common" && method == "authenticate" {
		q.method, q.service = method, args
		return true
	}
	if service != "object" || method != "execute_kw" || len(args) < 6 || args[3] != "doorman.gateway" {
		return false
	}
	q.person = number(args[1]) == personUID && args[2] == s.opt.PersonKey
	q.denied = !q.person && (number(args[1]) != float64(s.uid.Load()) || !s.serviceKey(args[2]))
	q.method, _ = args[4].(string)
	q.speaks = stated(args)
	if q.method != "json_call" {
		if len(args) > 6 {
			raw, _ := json.Marshal(args[6])
			ok := q.readParams(raw)
			delete(q.params, "context")
			return ok
		}
		return true
	}
	positional, _ := args[5].([]any)
	if len(positional) != 2 {
		return false
	}
	q.method, _ = positional[0].(string)
	text, _ := positional[1].(string)
	return q.readParams([]byte(text))
}

// stated is the interface in the context of an execute_kw. The header is not seen there.
func stated(args []any) string {
	if len(args) < 7 {
		return ""
	}
	kwargs, _ := args[6].(map[string]any)
	context, _ := kwargs["context"].(map[string]any)
	if n := number(context["doorman_interface"]); n >= 0 {
		return strconv.FormatFloat(n, 'f', -1, 64)
	}
	return ""
}

// readParams reads the named arguments. Those of a tool are kept as they are written: Odoo's own JSON has whole numbers of
// any size.
func (q *query) readParams(raw []byte) bool {
	if json.Unmarshal(raw, &q.params) != nil {
		return false
	}
	var as struct {
		Request struct {
			Arguments json.RawMessage `json:"arguments"`
		} `json:"request"`
	}
	if request, ok := q.params["request"].(map[string]any); ok && json.Unmarshal(raw, &as) == nil && as.Request.Arguments != nil {
		request["arguments"] = as.Request.Arguments
	}
	return true
}

func cutPrefixFold(s, prefix string) (string, bool) {
	if len(s) < len(prefix) || !strings.EqualFold(s[:len(prefix)], prefix) {
		return "", false
	}
	return s[len(prefix):], true
}
