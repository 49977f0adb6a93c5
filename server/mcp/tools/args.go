package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/exact"
	"doorman/server/mcp/mcperr"
)

// Named types, so that their schema stays flat: an inferred []string would be the union ["null", "array"], which
// several clients refuse.
type (
	stringList []string
	idList     []int64
	// domainArg is an Odoo domain. The schema says text, the only flat type that can hold one; a list is taken as well,
	// because that is what models like to send.
	domainArg json.RawMessage
	// jsonArg is any other JSON value that has no flat type of its own, as text or as it is.
	jsonArg json.RawMessage
)

// UnmarshalJSON takes a domain as a list, or as text that holds one, also escaped twice (some clients do).
func (d *domainArg) UnmarshalJSON(data []byte) error {
	data, err := unescape(data)
	*d = data
	return err
}

// UnmarshalJSON takes the value as it is, or as text that holds it.
func (j *jsonArg) UnmarshalJSON(data []byte) error {
	data, err := unescape(data)
	*j = data
	return err
}

// unescape returns the JSON value that a text holds; what is not text stays as it is. What is ambiguous in such a text is
// an *access.Error: it could not be seen before.
func unescape(data []byte) ([]byte, error) {
	for range 3 {
		data = bytes.TrimSpace(data)
		if len(data) == 0 || data[0] != '"' {
			break
		}
		var text string
		if err := json.Unmarshal(data, &text); err != nil {
			return nil, err
		}
		data = []byte(text)
		if flaw := exact.Find(data); flaw != nil {
			return nil, flaw.Err
		}
	}
	return bytes.Clone(bytes.TrimSpace(data)), nil
}

// unread is the refusal of a value that cannot be read: what is ambiguous in it, or otherwise what was expected.
func unread(err error, otherwise, hint string) *access.Error {
	if flaw, ok := errors.AsType[*access.Error](err); ok {
		return flaw
	}
	return access.NewError(access.InvalidInput, otherwise, hint)
}

// decodeArgs reads a tool's arguments into T. Unknown arguments are an error that suggests similar ones: a misspelt
// "feilds" that is silently dropped gives the model a wrong answer it trusts. What clients add by themselves is ignored.
func decodeArgs[T any](raw json.RawMessage) (T, *access.Error) {
	var args T
	raw = bytes.TrimSpace(raw)
	if len(raw) == 0 || string(raw) == "null" {
		return args, nil
	}
	var given map[string]json.RawMessage
	if err := json.Unmarshal(raw, &given); err != nil {
		return args, access.NewError(access.InvalidInput, "The arguments are not a JSON object.", "Send an object with the tool's parameters.")
	}
	fields := argFields(reflect.TypeFor[T]())
	known := slices.Sorted(maps.Keys(fields))
	dropClientArgs(given, known)
	v := reflect.ValueOf(&args).Elem()
	for _, name := range slices.Sorted(maps.Keys(given)) { // so that of several mistakes the same one is told each time
		value := given[name]
		i, ok := fields[name]
		if !ok {
			return args, access.NewError(access.InvalidInput, fmt.Sprintf(access.SayNoParameter, mcperr.Clip(name, 60)), mcperr.Hint(name, known, "parameters"))
		}
		if string(value) == "null" {
			continue // as good as left out
		}
		if err := readArg(value, v.Field(i)); err != nil {
			return args, unread(err, access.Words(access.SayWrongParameter, "parameter", name, "expected", typeWord(v.Field(i).Type())), "Look at the tool's input schema.")
		}
	}
	return args, nil
}

// argFields maps the JSON names of a struct's fields, exactly as written: encoding/json alone would take "MODEL" too.
func argFields(t reflect.Type) map[string]int {
	fields := make(map[string]int, t.NumField())
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ",")
		fields[name] = i
	}
	return fields
}

func typeWord(t reflect.Type) string {
	switch t {
	case reflect.TypeFor[stringList]():
		return "a list of texts"
	case reflect.TypeFor[idList]():
		return "a list of record ids (whole numbers)"
	}
	switch t.Kind() {
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Bool:
		return "true or false"
	}
	return "text"
}
