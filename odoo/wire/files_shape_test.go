package wire

import (
	"encoding/json"
	"testing"

	"doorman/server/access"
)

// TestFileShapes: part of an answer counts as no answer.
func TestFileShapes(t *testing.T) {
	t.Parallel()
	const whole, fine = access.Internal, access.Kind("")
	for _, row := range []struct {
		answer         string
		file, attached access.Kind
	}{
		{`{"value": {"name": "a", "type": "text/plain", "size": 5}, "content": "aGVsbG8="}`, fine, whole},
		{`{"value": {"name": "", "type": "", "size": 0}, "content": ""}`, fine, whole},
		{`{"value": {"attachment_id": 7, "name": "a", "type": "text/plain", "size": 5}}`, whole, fine},
		{`{"value": {"field": "image_1920", "name": "a", "type": "image/png", "size": 5}}`, whole, fine},
		{`{"value": {"field": "image_1920", "attachment_id": 7}}`, whole, whole},
		{`{"value": {"field": ""}}`, whole, whole},
		{`{"value": {"field": 7}}`, whole, whole},
		{`{"value": {"attachment_id": -7}}`, whole, whole},
		{`{"error": {"kind": "not_found", "message": "Gone."}}`, access.NotFound, access.NotFound},
		{`{"error": {"kind": "forbidden", "message": "No."}, "content": "aGVsbG8="}`, access.Forbidden, access.Forbidden},
		{`{"value": {"name": "a", "size": 5}, "content": "aGVsbG8"}`, whole, whole},
		{`{"value": {"name": "a", "size": 4}, "content": "aGVsbG8="}`, whole, whole},
		{`{"value": {"name": "a", "size": 5}, "content": 5}`, whole, whole},
		{`{"value": {"name": "a", "size": 5}}`, whole, whole},
		{`{"value": {"size": 5}, "content": "aGVsbG8="}`, whole, whole},
		{`{"value": {"name": "a"}, "content": "aGVsbG8="}`, whole, whole},
		{`{"value": {"name": "a", "size": 5}, "error": {"kind": "not_found"}, "content": "aGVsbG8="}`, whole, whole},
		{`{"value": {"attachment_id": 0}}`, whole, whole},
		{`{"value": {"attachment_id": "7"}}`, whole, whole},
		{`{"value": null}`, whole, whole},
		{`{"content": "aGVsbG8="}`, whole, whole},
		{`{}`, whole, whole},
		{`null`, whole, whole},
		{`[]`, whole, whole},
	} {
		_, err := DecodeFile(json.RawMessage(row.answer))
		if got := kindOf(err); got != row.file {
			t.Errorf("file %s: %q, want %q", row.answer, got, row.file)
		}
		_, err = DecodeAttached(json.RawMessage(row.answer))
		if got := kindOf(err); got != row.attached {
			t.Errorf("attached %s: %q, want %q", row.answer, got, row.attached)
		}
	}
}

func kindOf(err error) access.Kind {
	if err == nil {
		return ""
	}
	return access.AsError(err).Kind
}
