package mcp

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"

	jsonv2 "github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/modelcontextprotocol/go-sdk/jsonrpc"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"doorman/server/mcp/mcperr"
)

// method is what the protocol says of the messages of one method.
type method struct {
	params       func() any // an empty one to read the parameters into
	needs        []string   // parameters that must be there
	notification bool
	old          bool // gone since caller.ModernProtocol
}

// levelParams are those of logging/setLevel, which the SDK has deprecated.
type levelParams struct {
	Level string `json:"level"`
}

// old is a method that modern versions do not have.
func old(m method) method {
	m.old = true
	return m
}

func asks[T any](needs ...string) method {
	return method{params: func() any { return new(T) }, needs: needs}
}

// received are the methods that the SDK takes. It refuses a request of any other one before it looks at anything else,
// before 2026-07-28 with a line of text instead of JSON-RPC's error -32601, which clients rely on to learn what a server
// has; and parameters that it cannot read in the words of Go. A test holds the list against the SDK.
var received = map[string]method{
	"completion/complete":      asks[sdk.CompleteParams]("ref", "argument"),
	"initialize":               old(asks[sdk.InitializeParams]("protocolVersion")),
	"logging/setLevel":         old(asks[levelParams]("level")),
	"ping":                     old(asks[sdk.PingParams]()),
	"prompts/get":              asks[sdk.GetPromptParams]("name"),
	"prompts/list":             asks[sdk.ListPromptsParams](),
	"resources/list":           asks[sdk.ListResourcesParams](),
	"resources/read":           asks[sdk.ReadResourceParams]("uri"),
	"resources/subscribe":      old(asks[sdk.SubscribeParams]("uri")),
	"resources/templates/list": asks[sdk.ListResourceTemplatesParams](),
	"resources/unsubscribe":    old(asks[sdk.UnsubscribeParams]("uri")),
	"server/discover":          asks[sdk.DiscoverParams](),
	"subscriptions/listen":     asks[sdk.SubscriptionsListenParams]("notifications"),
	"tools/call":               asks[sdk.CallToolParamsRaw]("name"),
	"tools/list":               asks[sdk.ListToolsParams](),

	"notifications/cancelled":          {notification: true},
	"notifications/initialized":        {notification: true},
	"notifications/progress":           {notification: true},
	"notifications/roots/list_changed": {notification: true},
}

// check says which of a request's parameters the SDK would not read, and why; nil = it reads all.
func (m method) check(name string, params json.RawMessage) *refusal {
	wrong := func(format string, args ...any) *refusal {
		return &refusal{jsonrpc.CodeInvalidParams, fmt.Sprintf(format, args...)}
	}
	if none := len(params) == 0 || string(params) == "null"; none && len(m.needs) > 0 {
		return wrong("%s needs the parameter %s.", name, m.needs[0])
	} else if none {
		return nil
	}
	if params[0] != '{' {
		return wrong("The params of %s must be a JSON object.", name)
	}
	into := m.params()
	err := jsonv2.Unmarshal(params, into, jsontext.AllowDuplicateNames(true), jsontext.AllowInvalidUTF8(true)) // exact.Find has judged
	if unread, ok := errors.AsType[*jsonv2.SemanticError](err); ok {
		parameter := mcperr.Clip(strings.ReplaceAll(strings.TrimPrefix(string(unread.JSONPointer), "/"), "/", "."), 120)
		if expected := typeWord(unread.GoType); expected != "" && unread.Err == nil {
			return wrong("The parameter %s of %s must be %s, not %s.", parameter, name, expected, kindWord(unread.JSONKind))
		}
		return wrong("The parameter %s of %s has a value that MCP does not allow.", parameter, name)
	}
	for _, parameter := range m.needs {
		if !given(into, parameter) {
			return wrong("%s needs the parameter %s.", name, parameter)
		}
	}
	return nil
}

// given reports whether a parameter has been read, and is not empty.
func given(params any, name string) bool {
	v := reflect.ValueOf(params).Elem()
	for i := range v.NumField() {
		if tag, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ","); tag == name {
			return !v.Field(i).IsZero()
		}
	}
	return false
}

// typeWord is what JSON has for a type of Go; "" = more than one thing.
func typeWord(t reflect.Type) string {
	if t == nil {
		return ""
	}
	switch t.Kind() {
	case reflect.String:
		return "text"
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64, reflect.Float64:
		return "a number"
	case reflect.Struct, reflect.Map:
		return "an object"
	case reflect.Slice:
		return "a list"
	case reflect.Pointer:
		return typeWord(t.Elem())
	}
	return ""
}

func kindWord(k jsontext.Kind) string {
	switch k {
	case '"':
		return "text"
	case '0':
		return "a number"
	case '{':
		return "an object"
	case '[':
		return "a list"
	}
	return k.String() // true, false or null
}
