package wire

import (
	"encoding/json"

	"doorman/server/access"
)

// decodeFollowed reads {"value": V}, {"value": V, "content": base64} or {"error": E}.
func decodeFollowed(raw json.RawMessage) (value json.RawMessage, content []byte, err error) {
	var w struct {
		Value   json.RawMessage `json:"value"`
		Content []byte          `json:"content"` // encoding/json reads base64
		Error   *problem        `json:"error"`
	}
	if err := unmarshal(raw, &w, "answer"); err != nil {
		return nil, nil, err
	}
	switch {
	case isNull(w.Value) == (w.Error == nil):
		return nil, nil, Unusable("not exactly one part of an answer")
	case w.Error != nil:
		return nil, nil, w.Error.toError()
	}
	return w.Value, w.Content, nil
}

// DecodeOpened reads {"value": {name}}, of a link by which a file is sent, or {"value": {name, type, size, fetch}}.
func DecodeOpened(raw json.RawMessage) (access.Opened, error) {
	value, _, err := decodeFollowed(raw)
	if err != nil {
		return access.Opened{}, err
	}
	var told struct {
		Name  string `json:"name"`
		Type  string `json:"type"`
		Size  int64  `json:"size"`
		Fetch bool   `json:"fetch"`
	}
	if err := unmarshal(value, &told, "link"); err != nil {
		return access.Opened{}, err
	}
	return access.Opened{Fetch: told.Fetch, Name: told.Name, Type: told.Type, Size: told.Size}, nil
}

// DecodeFile reads {"value": {name, type, size}, "content"}. A file that is not as long as it says is none.
func DecodeFile(raw json.RawMessage) (access.File, error) {
	value, content, err := decodeFollowed(raw)
	if err != nil {
		return access.File{}, err
	}
	var told struct {
		Name *string `json:"name"`
		Type string  `json:"type"`
		Size *int64  `json:"size"`
	}
	if err := unmarshal(value, &told, "file"); err != nil {
		return access.File{}, err
	}
	if told.Name == nil || told.Size == nil || *told.Size != int64(len(content)) {
		return access.File{}, Unusable("a file without name or size, or of another size")
	}
	return access.File{Name: *told.Name, Type: told.Type, Content: content}, nil
}

// DecodeAttached reads {"value": {attachment_id, name, type, size}}, or the same with the field that it was put into.
func DecodeAttached(raw json.RawMessage) (access.Attached, error) {
	value, _, err := decodeFollowed(raw)
	if err != nil {
		return access.Attached{}, err
	}
	var told struct {
		ID    int64  `json:"attachment_id"`
		Field string `json:"field"`
		Name  string `json:"name"`
		Type  string `json:"type"`
		Size  int64  `json:"size"`
	}
	if err := unmarshal(value, &told, "file"); err != nil {
		return access.Attached{}, err
	}
	if told.ID < 0 || (told.ID == 0) == (told.Field == "") {
		return access.Attached{}, Unusable("a file that was sent, without the place where it is")
	}
	return access.Attached{ID: told.ID, Field: told.Field, Name: told.Name, Type: told.Type, Size: told.Size}, nil
}
