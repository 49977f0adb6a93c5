package kit

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/google/jsonschema-go/jsonschema"
)

// OpenAPI is /api/openapi.json, as far as the test reads it.
type OpenAPI struct {
	Paths      map[string]map[string]json.RawMessage
	Components struct {
		Responses map[string]apiResponse
		Schemas   map[string]json.RawMessage
	}
}

type apiResponse struct {
	Ref     string `json:"$ref"`
	Headers map[string]struct {
		Ref      string `json:"$ref"`
		Required bool
	}
	Content map[string]struct{ Schema json.RawMessage }
}

// APIOperation is one method of one path.
type APIOperation struct {
	Responses   map[string]apiResponse
	RequestBody struct {
		Content map[string]struct{ Schema json.RawMessage }
	}
}

// Operations are the document's, by "GET /path".
func (d *OpenAPI) Operations(t *testing.T) map[string]APIOperation {
	t.Helper()
	found := map[string]APIOperation{}
	for path, item := range d.Paths {
		for method, raw := range item {
			if method == "parameters" {
				continue
			}
			var op APIOperation
			if err := json.Unmarshal(raw, &op); err != nil {
				t.Fatal(err)
			}
			for status, r := range op.Responses {
				if name, isRef := strings.CutPrefix(r.Ref, "#/components/responses/"); isRef {
					op.Responses[status] = d.Components.Responses[name]
				}
			}
			found[strings.ToUpper(method)+" "+path] = op
		}
	}
	return found
}

// Schema makes a validator of a schema of the document.
func (d *OpenAPI) Schema(t *testing.T, raw json.RawMessage) *jsonschema.Resolved {
	t.Helper()
	var whole map[string]any
	if err := json.Unmarshal(raw, &whole); err != nil {
		t.Fatal(err)
	}
	whole["$defs"] = d.Components.Schemas
	text, err := json.Marshal(whole)
	if err != nil {
		t.Fatal(err)
	}
	var s jsonschema.Schema
	if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), "#/components/schemas/", "#/$defs/")), &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// Check holds one answer against the document.
func (d *OpenAPI) Check(t *testing.T, op APIOperation, status int, header http.Header, body string) {
	t.Helper()
	r, documented := op.Responses[fmt.Sprint(status)]
	if !documented {
		t.Fatalf("%d is not documented: %s", status, body)
	}
	for name, h := range r.Headers {
		if (h.Required || h.Ref != "") && header.Get(name) == "" {
			t.Errorf("%d has no header %s", status, name)
		}
	}
	content, told := r.Content["application/json"]
	if !told {
		return
	}
	var v any
	if err := json.Unmarshal([]byte(body), &v); err != nil || header.Get("Content-Type") != "application/json" {
		t.Fatalf("%d is not JSON: %s", status, body)
	}
	if err := d.Schema(t, content.Schema).Validate(v); err != nil {
		t.Errorf("%d %s: %v", status, body, err)
	}
}

// FetchOpenAPI asks a running service for it.
func FetchOpenAPI(t *testing.T, s *Service) *OpenAPI {
	t.Helper()
	_, _, body := Get(t, http.MethodGet, s.URL+"/api/openapi.json")
	d := &OpenAPI{}
	if err := json.Unmarshal([]byte(body), d); err != nil {
		t.Fatal(err)
	}
	return d
}
