package wire

import (
	"cmp"
	"encoding/json"

	"doorman/server/access"
)

// DecodeAdmin takes the addon's {"error": {code, message}} out of an answer.
func DecodeAdmin(raw json.RawMessage) (json.RawMessage, error) {
	var w struct {
		Error *struct {
			Code    access.AdminCode `json:"code"`
			Message string           `json:"message"`
		} `json:"error"`
	}
	if isNull(raw) {
		return nil, Unusable("not an object")
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, err
	}
	switch {
	case w.Error == nil:
		return raw, nil
	case !w.Error.Code.Known():
		return nil, Unusable("a code that this service does not know")
	}
	return nil, &access.AdminRefusal{
		Code: w.Error.Code, Message: cmp.Or(CleanText(w.Error.Message), "Odoo refused this ("+string(w.Error.Code)+")."),
	}
}
