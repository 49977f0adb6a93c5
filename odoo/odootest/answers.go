package odootest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
)

// raised is an exception on its way out. The zero value is none.
type raised struct {
	name    string // with module, as Python has it
	message string
	status  int // for the addon's endpoint; 0 = what the addon gives for the name
}

// notService is the addon's answer to anybody but the service (gateway/doorman_gateway.py, _check_caller).
var notService = raised{name: "odoo.exceptions.AccessError", message: "Only the Doorman service's own user can call this."}

var denied = raised{name: "odoo.exceptions.AccessDenied", message: "Access Denied", status: http.StatusUnauthorized}

const jsonType = "application/json; charset=utf-8"

// answer writes a result in the way of the transport.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, q *query, value any) {
	id := q.id
	if q.fault != nil && q.fault.Kind == WrongID {
		id = json.RawMessage("999999")
	}
	ctype := jsonType
	var body []byte
	switch q.transport {
	case "json2":
		body, _ = json.Marshal(value)
	case "xmlrpc":
		ctype, body = "text/xml; charset=utf-8", xmlAnswer(value, q.method == "authenticate")
	default:
		body, _ = json.Marshal(map[string]any{"jsonrpc": "2.0", "id": id, "result": value})
	}
	if s.after(w, r, q.fault, ctype, body) {
		return
	}
	w.Header().Set("Content-Type", ctype)
	_, _ = w.Write(body)
}

// noMethod is a gateway method that is not there; each way finds out in a place of its own.
var noMethod = raised{name: "NotFound", message: "No such gateway method"}

// wrongArguments are those of a service of another version.
var wrongArguments = raised{name: "TypeError", message: "Wrong arguments"}

func (e raised) by(q *query) raised {
	if e == wrongArguments {
		return e.wrongArguments(q)
	}
	if e != noMethod {
		return e
	}
	switch q.transport {
	case "json2":
		return raised{name: "werkzeug.exceptions.NotFound", message: "The method 'doorman.gateway." + q.method + "' does not exist"}
	case "jsonrpc":
		return raised{name: "builtins.AttributeError", message: "The method 'doorman.gateway." + q.method + "' does not exist"}
	case "xmlrpc":
		return raised{name: "odoo.exceptions.MissingError", message: "There is no gateway method " + q.method + "."}
	}
	return e
}

func (raised) wrongArguments(q *query) raised {
	switch q.transport {
	case "json2":
		return raised{name: "werkzeug.exceptions.UnprocessableEntity", message: "missing a required argument: 'proof'"}
	case "jsonrpc", "xmlrpc":
		return raised{name: "builtins.TypeError", message: "DoormanGateway.resolve() got an unexpected keyword argument 'nonsense'"}
	}
	return wrongArguments
}

// raise writes an exception in the way of the transport.
func (s *Server) raise(w http.ResponseWriter, q *query, e raised) {
	e = e.by(q)
	switch q.transport {
	case "json2":
		s.raiseJSON2(w, e)
	case "jsonrpc":
		code, text := 0, "Odoo Server Error"
		writeJSON(w, http.StatusOK, map[string]any{"jsonrpc": "2.0", "id": q.id, "error": map[string]any{
			"code": code, "message": text, "data": s.serialized(e),
		}})
	case "xmlrpc":
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		code, text := xmlFault(e, s.traceback(e))
		_, _ = w.Write(xmlFaultAnswer(code, text))
	default:
		s.raiseDoorman(w, q, e)
	}
}

// raiseDoorman is the addon's own endpoint (controllers/gateway.py, _fault): few names, no text that was not meant for us.
func (s *Server) raiseDoorman(w http.ResponseWriter, q *query, e raised) {
	status := e.status
	if status == 0 {
		switch e.name[strings.LastIndexByte(e.name, '.')+1:] {
		case "AccessDenied":
			status = http.StatusUnauthorized
		case "ConcurrencyError", "SerializationFailure", "DeadlockDetected", "LockNotAvailable":
			status = http.StatusServiceUnavailable
			e = raised{name: "odoo.exceptions.ConcurrencyError", message: "Too many at once"}
		case "AccessError":
			status = http.StatusForbidden
		case "TypeError":
			status = http.StatusBadRequest
		case "NotFound":
			status = http.StatusNotFound
		case "UserError":
			status = http.StatusUnprocessableEntity
		default:
			status = http.StatusInternalServerError
		}
	}
	if status == http.StatusUnauthorized {
		q.id = nil // the addon has not read the body yet
	}
	writeJSON(w, status, map[string]any{"jsonrpc": "2.0", "id": q.id, "error": map[string]any{
		"code": status, "message": "Doorman gateway error",
		"data": map[string]any{"name": e.name, "message": e.message},
	}})
}

// raiseJSON2 gives an exception the status that Odoo gives it (http.py, Json2Dispatcher.handle_error; exceptions.py).
func (s *Server) raiseJSON2(w http.ResponseWriter, e raised) {
	status := http.StatusInternalServerError
	switch e.name {
	case "odoo.exceptions.AccessDenied":
		e = raised{name: "werkzeug.exceptions.Unauthorized", message: "Invalid apikey"}
		status = http.StatusUnauthorized
	case "odoo.exceptions.AccessError":
		status = http.StatusForbidden
	case "odoo.exceptions.MissingError", "werkzeug.exceptions.NotFound":
		status = http.StatusNotFound
	case "odoo.exceptions.LockError":
		status = http.StatusConflict
	case "odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "werkzeug.exceptions.UnprocessableEntity":
		status = http.StatusUnprocessableEntity
	}
	writeJSON(w, status, s.serialized(e))
}

// serialized is http.py's serialize_exception.
func (s *Server) serialized(e raised) map[string]any {
	return map[string]any{
		"name": e.name, "message": e.message, "arguments": []any{e.message}, "context": map[string]any{},
		"debug": s.traceback(e),
	}
}

// traceback is what must never get out of the client.
func (s *Server) traceback(e raised) string {
	return "Traceback (most recent call last):\n" +
		"  File \"/usr/lib/python3/dist-packages/odoo/http.py\", line 2165, in _transactioning\n" +
		"    return service_model.retrying(func, env=self.env)  # " + s.opt.Canary + "\n" +
		e.name + ": " + e.message + "\n"
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v)
}

// xmlFault gives an exception its fault (addons/rpc/controllers/xmlrpc.py, xmlrpc_handle_exception_int).
func xmlFault(e raised, traceback string) (code int, text string) {
	switch e.name {
	case "odoo.exceptions.AccessError":
		return 4, e.message
	case "odoo.exceptions.AccessDenied":
		return 3, e.message
	case "odoo.exceptions.UserError", "odoo.exceptions.ValidationError", "odoo.exceptions.MissingError",
		"odoo.exceptions.LockError", "odoo.exceptions.RedirectWarning":
		return 2, e.message
	}
	return 1, traceback
}

// xmlAnswer writes a result: plain for authenticate, JSON text for the gateway.
func xmlAnswer(value any, plain bool) []byte {
	var b bytes.Buffer
	b.WriteString("<?xml version=\"1.0\"?>\n<methodResponse>\n<params>\n<param>\n<value>")
	switch v := value.(type) {
	case int64:
		fmt.Fprintf(&b, "<int>%d</int>", v)
	case bool:
		if plain && !v {
			b.WriteString("<boolean>0</boolean>")
		}
	default:
		text, _ := json.Marshal(value)
		b.WriteString("<string>" + xmlText(string(text)) + "</string>")
	}
	b.WriteString("</value>\n</param>\n</params>\n\n</methodResponse>\n")
	return b.Bytes()
}

func xmlFaultAnswer(code int, text string) []byte {
	return fmt.Appendf(nil, "<?xml version=\"1.0\"?>\n<methodResponse>\n<fault>\n<value><struct>\n<member>\n<name>faultCode</name>\n"+
		"<value><int>%d</int></value>\n</member>\n<member>\n<name>faultString</name>\n<value><string>%s</string></value>\n"+
		"</member>\n</struct></value>\n</fault>\n\n</methodResponse>\n", code, xmlText(text))
}

// xmlText escapes as Python's xmlrpc.client does.
func xmlText(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}
