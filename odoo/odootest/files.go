package odootest

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"

	"doorman/server/access"
)

// kept is a file, or room for one, between its call and the end of its link.
type kept struct {
	connection int64
	call       Call
	name       string
	content    []byte
	upload     bool
	link       [32]byte // lookup of the token's proof; zero = none yet
}

var goneLink = &Problem{"not_found", "file_gone", "This link is invalid or no longer works.", "Links work once and only for a few minutes. Ask for a new one."}

// aboutFile answers what is about a file: every record has one, its name; an export has the name of the model.
func (s *Server) aboutFile(t *table, c Call, connection int64) (any, *Problem) {
	if c.Method == "export_records" {
		k := &kept{connection: connection, call: c, name: c.Model + ".csv", content: []byte(c.Model)}
		s.files = append(s.files, k)
		told := map[string]any{"name": k.name, "type": "text/csv", "size": len(k.content), "rows": len(t.rows)}
		return map[string]any{"file": told, "ticket": len(s.files)}, nil
	}
	row := t.rows[c.IDs[0]]
	if row == nil {
		return nil, noRecord(c.Model, c.IDs[0])
	}
	name, _ := row["display_name"].(string)
	k := &kept{connection: connection, call: c, name: name + ".txt", content: []byte("about " + name)}
	told := map[string]any{}
	switch c.Method {
	case "get_attachment":
		if c.Kwargs["attachment"] == nil && c.Kwargs["field"] == nil {
			return map[string]any{"files": []any{map[string]any{"id": c.IDs[0], "name": k.name, "type": "text/plain", "size": len(k.content)}}, "more": false}, nil
		}
		if c.Kwargs["text"] == true {
			told["text"], told["text_more"] = string(k.content), false
		}
	case "request_upload":
		k.upload = true
		k.name, _ = c.Kwargs["name"].(string)
		if raw, ok := c.Kwargs["raw"].(string); ok {
			return map[string]any{"attachment_id": c.IDs[0], "name": k.name, "type": "text/plain", "size": len(raw) * 3 / 4}, nil
		}
	}
	if k.upload {
		told["upload"] = map[string]any{"name": k.name, "size": 0, "sha256": ""}
	} else {
		told["file"] = map[string]any{"name": k.name, "type": "text/plain", "size": len(k.content)}
	}
	s.files = append(s.files, k)
	told["ticket"] = len(s.files)
	return told, nil
}

// linkFile is file_link.
func (s *Server) linkFile(params map[string]any, snap *access.Snapshot) (any, *Problem) {
	s.mu.Lock()
	defer s.mu.Unlock()
	i := int(number(params["ticket"])) - 1
	proof, ok := hashed(params["digest"])
	if !ok {
		return nil, &Problem{Kind: "invalid_input", Code: "malformed_arguments", Message: "The number or the hash is malformed."}
	}
	if i < 0 || i >= len(s.files) || s.files[i] == nil || s.files[i].connection != snap.Connection.ID {
		return nil, goneLink
	}
	s.files[i].link = proof
	return map[string]any{"value": map[string]any{"expires_in": 900}}, nil
}

// followFile is file_open, file_take and file_put.
func (s *Server) followFile(method string, params map[string]any) any {
	s.mu.Lock()
	defer s.mu.Unlock()
	proof, ok := hashed(params["proof"])
	for i, k := range s.files {
		if !ok || k == nil || k.link != proof || method != "file_open" && k.upload != (method == "file_put") {
			continue
		}
		switch method {
		case "file_open":
			told := map[string]any{"name": k.name}
			if !k.upload {
				told["type"], told["size"], told["fetch"] = "text/plain", len(k.content), true
			}
			return map[string]any{"value": told}
		case "file_take":
			s.files[i] = nil
			return map[string]any{
				"value":   map[string]any{"name": k.name, "type": "text/plain", "size": len(k.content)},
				"content": base64.StdEncoding.EncodeToString(k.content), "registry": "1",
			}
		}
		text, _ := params["content"].(string)
		content, err := base64.StdEncoding.DecodeString(text)
		if err != nil || len(content) == 0 {
			return refusal(&Problem{"invalid_input", "file_empty", "The file is empty.", "Send its bytes."})
		}
		s.files[i] = nil
		return map[string]any{
			"value": map[string]any{"attachment_id": i + 1, "name": k.name, "type": "text/plain", "size": len(content)}, "registry": "1",
		}
	}
	return refusal(goneLink)
}

// hashed is how Odoo keeps a proof that came over the wire.
func hashed(v any) (sum [32]byte, ok bool) {
	text, _ := v.(string)
	raw, err := hex.DecodeString(text)
	if err != nil || len(raw) != sha256.Size {
		return sum, false
	}
	return sha256.Sum256(raw), true
}
