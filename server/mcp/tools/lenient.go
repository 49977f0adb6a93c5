package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"reflect"
	"strconv"
	"strings"
)

// errShape says that a value does not fit its argument's type, in any form that is taken.
var errShape = errors.New("not of that type")

// UnmarshalJSON takes ids as numbers or as digits in a text, one alone without its list, a list as text, and what a read
// told of a record: {"id":7,"name":"Azure"}.
func (l *idList) UnmarshalJSON(data []byte) error {
	items, err := itemsOf(data)
	if err != nil {
		return err
	}
	ids := make(idList, 0, len(items))
	for _, item := range items {
		id, err := idOf(item)
		if err != nil {
			return err
		}
		ids = append(ids, id)
	}
	*l = ids
	return nil
}

// UnmarshalJSON takes names as a list, one alone without its list, a list as text, or names with commas between them.
func (l *stringList) UnmarshalJSON(data []byte) error {
	var text string
	if json.Unmarshal(data, &text) == nil && !strings.HasPrefix(strings.TrimSpace(text), "[") {
		*l = stringList{}
		for name := range strings.SplitSeq(text, ",") {
			if name = strings.TrimSpace(name); name != "" {
				*l = append(*l, name)
			}
		}
		return nil
	}
	data, err := unescape(data)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, (*[]string)(l))
}

// itemsOf are the items of a list, or the one value that came without it.
func itemsOf(data []byte) ([]json.RawMessage, error) {
	data, err := unescape(data)
	if err != nil || len(data) == 0 || data[0] != '[' {
		return []json.RawMessage{data}, err
	}
	var items []json.RawMessage
	err = json.Unmarshal(data, &items)
	return items, err
}

// idOf reads the id of a record: a whole number, also as text, or an object that has it.
func idOf(data []byte) (int64, error) {
	data, err := unescape(data)
	if err != nil {
		return 0, err
	}
	if bytes.HasPrefix(data, []byte("{")) {
		var told map[string]json.RawMessage // by the exact name: a struct would take "ID" for "id" too
		if json.Unmarshal(data, &told) != nil || told["id"] == nil || bytes.HasPrefix(told["id"], []byte("{")) {
			return 0, errShape
		}
		return idOf(told["id"])
	}
	return wholeNumber(data)
}

// wholeNumber reads 7 and 7.0.
func wholeNumber(data []byte) (int64, error) {
	digits := string(data)
	if whole, part, ok := strings.Cut(digits, "."); ok && part != "" && strings.Trim(part, "0") == "" {
		digits = whole
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, errShape
	}
	return n, nil
}

// readArg reads one argument. Numbers and truth values are taken as text as well: many a client knows texts only.
func readArg(value json.RawMessage, into reflect.Value) error {
	err := json.Unmarshal(value, into.Addr().Interface())
	if err == nil || (into.Kind() != reflect.Bool && into.Kind() != reflect.Int && into.Kind() != reflect.Int64) {
		return err
	}
	value, err = unescape(value)
	if err != nil {
		return err
	}
	if into.Kind() == reflect.Bool {
		return json.Unmarshal(bytes.ToLower(value), into.Addr().Interface())
	}
	n, err := wholeNumber(value)
	if err == nil && into.OverflowInt(n) {
		err = errShape
	}
	if err == nil {
		into.SetInt(n)
	}
	return err
}
