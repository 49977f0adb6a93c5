package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/kolo/xmlrpc"

	"doorman/odoo/wire"
)

// xmlrpcWay is Odoo's XML-RPC (addons/rpc/controllers/xmlrpc.py). Only the encoder and the decoder of kolo/xmlrpc
// are used: its client knows no context and no cap. XML-RPC carries neither null nor an integer beyond 32 bits, so the
// addon's json_call takes and gives JSON text.
type xmlrpcWay struct {
	poster  *poster
	key     KeySource
	session *session
}

func (t *xmlrpcWay) Do(ctx context.Context, method string, params map[string]any) (json.RawMessage, error) {
	payload, err := encode(wire.Object(params))
	if err != nil {
		return nil, err
	}
	text := asciiJSON(payload)
	return t.session.do(ctx, func(uid int64) (json.RawMessage, error) {
		in, err := t.service(ctx, "object", "execute_kw", repeatable[method],
			t.poster.db, uid, string(t.key()), gatewayModel, "json_call", []any{method, text}, t.poster.stating(nil))
		if err != nil {
			return nil, err
		}
		return decodeXMLText(in)
	})
}

func (t *xmlrpcWay) authenticate(ctx context.Context, login string) (int64, error) {
	in, err := t.service(ctx, "common", "authenticate", true, t.poster.db, login, string(t.key()), map[string]any{})
	if err != nil {
		return 0, err
	}
	return decodeXMLUID(in)
}

func (t *xmlrpcWay) service(ctx context.Context, service, method string, repeat bool, args ...any) (incoming, error) {
	body, err := xmlrpc.EncodeMethodCall(method, args...)
	if err != nil {
		return incoming{}, &Failure{Class: BadRequest, Reason: "arguments cannot be written as XML-RPC"}
	}
	return t.poster.post(ctx, outgoing{path: "/xmlrpc/2/" + service, ctype: "text/xml", repeat: repeat, body: body})
}

// decodeXMLText takes the JSON text out of an answer of json_call.
func decodeXMLText(in incoming) (json.RawMessage, error) {
	var text string
	if err := decodeXML(in, &text); err != nil {
		return nil, err
	}
	if !json.Valid([]byte(text)) {
		return nil, &Failure{Class: Garbage, Sent: true, Status: in.status, Reason: "not an answer of the addon"}
	}
	return json.RawMessage(text), nil
}

// decodeXMLUID takes the user id out of an answer of authenticate; false means a wrong login or key.
func decodeXMLUID(in incoming) (int64, error) {
	var uid int64
	err := decodeXML(in, &uid)
	if err == nil && uid > 0 {
		return uid, nil
	}
	var no bool
	if decodeXML(in, &no) == nil && !no {
		return 0, &Failure{Class: KeyRefused, Sent: true, Reason: "login or key refused"}
	}
	if err == nil {
		err = statusFailure(in)
	}
	return 0, err
}

// decodeXML decodes the one value of an answer into v, a pointer to a plain type: into an interface, kolo's decoder
// would recurse as deep as the answer says.
func decodeXML(in incoming, v any) (err error) {
	if in.status != http.StatusOK || !in.xml {
		return statusFailure(in)
	}
	garbage := &Failure{Class: Garbage, Sent: true, Status: in.status, Reason: "not an answer of XML-RPC"}
	defer func() {
		// The decoder works by reflection on whatever came; a panic in it must not be the end of the service.
		if recover() != nil {
			err = garbage
		}
	}()
	switch answerKind(in.body) {
	case "params":
		if xmlrpc.Response(in.body).Unmarshal(v) != nil {
			return garbage
		}
		return nil
	case "fault":
		var fault xmlrpc.FaultError
		if xmlrpc.Response(in.body).Unmarshal(&fault) != nil {
			return garbage
		}
		return faultFailure(fault)
	}
	return garbage
}

// answerKind returns "params" or "fault": the element within methodResponse. kolo's own test is a pattern over the whole
// body, which costs seconds on a large one.
func answerKind(body []byte) string {
	dec := xml.NewDecoder(bytes.NewReader(body))
	for depth := 0; ; {
		tok, err := dec.Token()
		if err != nil {
			return ""
		}
		if start, ok := tok.(xml.StartElement); ok {
			if depth == 1 {
				return start.Name.Local
			}
			if start.Name.Local != "methodResponse" {
				return ""
			}
			depth++
		}
	}
}

// faultFailure maps a fault: its code says what kind of exception it was (xmlrpc_handle_exception_int); code 1 brings a
// traceback, of which only the exception's name is read.
func faultFailure(fault xmlrpc.FaultError) *Failure {
	switch fault.Code {
	case 2:
		return exception{Name: "odoo.exceptions.UserError", Message: fault.String}.fault(http.StatusOK)
	case 3:
		return exception{Name: "odoo.exceptions.AccessDenied"}.fault(http.StatusOK)
	case 4:
		return exception{Name: "odoo.exceptions.AccessError", Message: fault.String}.fault(http.StatusOK)
	}
	return tracebackException(fault.String).fault(http.StatusOK)
}

// exceptionLine is the last line of a traceback: a dotted name, a colon, the text.
var exceptionLine = regexp.MustCompile(`^((?:[a-z_][a-z0-9_]*\.)*[A-Z][A-Za-z0-9_]*)(?:: (.*))?$`)

// tracebackException reads the name and the first line of the text out of a traceback. A text of several lines follows
// the name, so the search goes upwards; lines of the stack itself are indented and never match.
func tracebackException(s string) exception {
	const tail = 8 << 10
	if len(s) > tail {
		s = s[len(s)-tail:]
	}
	for _, line := range slices.Backward(strings.Split(s, "\n")) {
		m := exceptionLine.FindStringSubmatch(strings.TrimRight(line, "\r"))
		if m != nil && (strings.Contains(m[1], ".") || builtinException[m[1]]) {
			return exception{Name: m[1], Message: m[2]}
		}
	}
	return exception{Name: "unknown"}
}

// builtinException are the names without a dot that a traceback may end with; any other capitalized word with a colon is
// part of a text.
var builtinException = map[string]bool{
	"ValueError": true, "KeyError": true, "TypeError": true, "AttributeError": true, "NameError": true, "IndexError": true,
	"RuntimeError": true, "AssertionError": true, "NotImplementedError": true, "OverflowError": true,
	"RecursionError": true, "MemoryError": true, "ZeroDivisionError": true, "OSError": true,
}

// asciiJSON escapes what is not ASCII in JSON text. XML has no place for some characters of Unicode, and the encoder
// would quietly put U+FFFD for them: the same call would then say something else by XML-RPC.
func asciiJSON(b []byte) string {
	var out strings.Builder
	out.Grow(len(b))
	for len(b) > 0 {
		if b[0] < utf8.RuneSelf {
			out.WriteByte(b[0])
			b = b[1:]
			continue
		}
		r, n := utf8.DecodeRune(b)
		writeEscape(&out, r)
		b = b[n:]
	}
	return out.String()
}

// writeEscape writes r as JSON's \u escape, in two halves where UTF-16 needs them.
func writeEscape(out *strings.Builder, r rune) {
	if hi, lo := utf16.EncodeRune(r); hi != unicode.ReplacementChar {
		fmt.Fprintf(out, `\u%04x\u%04x`, hi, lo)
		return
	}
	fmt.Fprintf(out, `\u%04x`, r)
}
