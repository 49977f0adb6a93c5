package conformance_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"doorman/odoo/odootest"
	"doorman/server/e2e/kit"
)

// maxList is how long the tool list may be: every client pays for it in every conversation.
const maxList = 25_000

// listed is a tool as clients get it.
type listed struct {
	Name, Title, Description  string
	InputSchema, OutputSchema any
	Annotations               map[string]any
}

func listTools(t *testing.T, url, key, era string) (tools []listed, r reply) {
	t.Helper()
	h, params := headers{"MCP-Protocol-Version": era, "Authorization": "Bearer " + key}, ""
	if era == modernEra {
		h["Mcp-Method"], params = "tools/list", meta(era)
	}
	r = send(t, http.MethodPost, url, rpc("tools/list", params), h)
	body, err := json.Marshal(r.rpc.Result["tools"])
	if err == nil {
		err = json.Unmarshal(body, &tools)
	}
	if err != nil || len(tools) == 0 {
		t.Fatalf("%d %v: %s", r.status, err, r.body)
	}
	return tools, r
}

// TestToolList: the list as a whole.
func TestToolList(t *testing.T) {
	url := fakeDoorman(t)
	for _, era := range []string{modernEra, legacyEra} {
		t.Run(era, func(t *testing.T) {
			tools, first := listTools(t, url, odootest.DefaultCredential, era)
			names := namesOf(tools)
			if !slices.Equal(names, kit.AllTools) {
				t.Errorf("the list holds %v, want %v", names, kit.AllTools)
			}
			t.Logf("%d tools, %d bytes", len(tools), len(first.body))
			if size := len(first.body); size > maxList {
				t.Errorf("the list has %d bytes, more than %d", size, maxList)
			}
			for range 5 {
				if _, again := listTools(t, url, odootest.DefaultCredential, era); !bytes.Equal(again.body, first.body) {
					t.Fatal("the same list asked for again is not the same: clients keep it, and model caches are keyed by it")
				}
			}
			// A shared cache must not show one person's list to another.
			if ttl, _ := first.rpc.Result["ttlMs"].(float64); first.rpc.Result["cacheScope"] != "private" || ttl <= 0 {
				t.Errorf("cache hints: %v %v", first.rpc.Result["cacheScope"], first.rpc.Result["ttlMs"])
			}
			cut, _ := listTools(t, url, lookerKey, era)
			if got := namesOf(cut); !slices.Equal(got, kit.LookerTools) {
				t.Errorf("a connection with the metadata scope alone sees %v", got)
			}
		})
	}
	t.Run("discover", func(t *testing.T) {
		r := send(t, http.MethodPost, url, rpc("server/discover", meta(modernEra)), modernHeaders("server/discover"))
		if _, hasTools := r.rpc.Result["capabilities"].(map[string]any)["tools"]; r.rpc.Result["cacheScope"] != "private" || !hasTools {
			t.Fatalf("%s", r.body)
		}
	})
}

func namesOf(tools []listed) []string {
	names := make([]string, 0, len(tools))
	for _, tool := range tools {
		names = append(names, tool.Name)
	}
	return names
}

var toolName = regexp.MustCompile(`^[a-z0-9_]{1,40}$`)

// TestToolsSuitEveryClient checks what clients are known to choke on.
func TestToolsSuitEveryClient(t *testing.T) {
	tools, _ := listTools(t, fakeDoorman(t), odootest.DefaultCredential, modernEra)
	for _, tool := range tools {
		t.Run(tool.Name, func(t *testing.T) {
			if !toolName.MatchString(tool.Name) {
				t.Error("the name is longer than 40 characters or holds others than a-z, 0-9 and _")
			}
			if tool.Title == "" || tool.Description == "" || len(tool.Description) > 2000 {
				t.Error("title or description is missing, or the description is longer than what clients keep")
			}
			// The protocol's defaults say "destructive" and "open world": leaving one out says something.
			for _, hint := range []string{"readOnlyHint", "destructiveHint", "idempotentHint", "openWorldHint"} {
				if _, ok := tool.Annotations[hint].(bool); !ok {
					t.Errorf("the annotation %s is missing", hint)
				}
			}
			if tool.Annotations["readOnlyHint"] == true && tool.Annotations["destructiveHint"] == true {
				t.Error("read only and destructive")
			}
			for name, schema := range map[string]any{"inputSchema": tool.InputSchema, "outputSchema": tool.OutputSchema} {
				for _, problem := range notFlat(name, schema) {
					t.Error(problem)
				}
				if s, _ := schema.(map[string]any); s["type"] != "object" {
					t.Errorf("%s is not of type object", name)
				}
			}
		})
	}
}

// combining are the keywords that some client's converter refuses or drops.
var combining = []string{
	"anyOf", "oneOf", "allOf", "not", "if", "then", "else", "$ref", "$defs", "definitions", "$dynamicRef", "patternProperties",
	"dependentSchemas", "prefixItems",
}

// notFlat lists what is not flat in a schema, at any depth.
func notFlat(path string, schema any) (problems []string) {
	s, ok := schema.(map[string]any)
	if !ok {
		return []string{path + " is not an object"}
	}
	for _, keyword := range combining {
		if _, has := s[keyword]; has {
			problems = append(problems, path+" has "+keyword)
		}
	}
	if _, isText := s["type"].(string); !isText {
		problems = append(problems, fmt.Sprintf("%s has the type %v, not one word", path, s["type"]))
	}
	properties, _ := s["properties"].(map[string]any) // a property may be called "not"; only its schema is looked at
	for name, sub := range properties {
		problems = append(problems, notFlat(path+"."+name, sub)...)
	}
	if items, has := s["items"]; has {
		problems = append(problems, notFlat(path+"[]", items)...)
	} else if s["type"] == "array" {
		problems = append(problems, path+" is an array of nothing in particular")
	}
	if more, isSchema := s["additionalProperties"].(map[string]any); isSchema && len(more) > 0 {
		problems = append(problems, notFlat(path+".*", more)...)
	}
	return problems
}

// TestNotFlat: the check itself finds what it is there for.
func TestNotFlat(t *testing.T) {
	for schema, want := range map[string]int{
		`{"type":"object","properties":{"not":{"type":"string"}}}`:                                      0,
		`{"type":"object","properties":{"a":{"type":"array","items":{"type":"string"}}}}`:               0,
		`{"type":"object","properties":{"a":{"type":["null","string"]}}}`:                               1,
		`{"type":"object","properties":{"a":{"type":"array"}}}`:                                         1,
		`{"type":"object","properties":{"a":{"type":"array","items":{"$ref":"#/$defs/x"}}},"$defs":{}}`: 3,
		`{"type":"object","properties":{"a":{"type":"object","properties":{"b":{"anyOf":[]}}}}}`:        2,
		`{"type":"object","additionalProperties":{"oneOf":[]}}`:                                         2,
		`true`: 1,
	} {
		var s any
		if err := json.Unmarshal([]byte(schema), &s); err != nil {
			t.Fatal(err)
		}
		if got := notFlat("s", s); len(got) != want {
			t.Errorf("%s: %v, want %d", schema, got, want)
		}
	}
}

// TestUnauthorizedForm: the 401 by which clients find out how to sign in (RFC 6750 section 3, RFC 9728 section 5.1).
func TestUnauthorizedForm(t *testing.T) {
	url := fakeDoorman(t)
	metadata := strings.TrimSuffix(url, "/mcp") + "/.well-known/oauth-protected-resource/mcp"
	for _, row := range []struct {
		name, authorization, url string
		invalid                  bool
	}{
		{"no credential", "", url, false}, // section 3.1: no error code where nothing was shown
		{"unknown key", "Bearer dmk_wrong", url, true},
		{"another scheme", "Basic YTpi", url, true},
		{"two in one", "Bearer a, Bearer b", url, true},
		{"no token", "Bearer ", url, true},
		{"key in the query only", "", url + "?access_token=" + odootest.DefaultCredential, false},
	} {
		for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
			t.Run("deny "+row.name+" "+method, func(t *testing.T) {
				h := modernHeaders("tools/list")
				h["Authorization"] = row.authorization
				r := send(t, method, row.url, rpc("tools/list", meta(modernEra)), h)
				challenge := r.header.Get("WWW-Authenticate")
				if r.status != http.StatusUnauthorized || r.header.Get("Cache-Control") != "no-store" || !strings.HasPrefix(challenge, "Bearer ") {
					t.Fatalf("got %d, %q: %s", r.status, challenge, r.body)
				}
				for _, part := range []string{`resource_metadata="` + metadata + `"`, `scope="mcp:metadata mcp:search"`} {
					if !strings.Contains(challenge, part) {
						t.Errorf("no %s in %s", part, challenge)
					}
				}
				if strings.Contains(challenge, `error="invalid_token"`) != row.invalid {
					t.Errorf("error code: %s", challenge)
				}
				if r.rpc.Error == nil || r.rpc.Error.Message == "" || errorData(r)["kind"] != "unauthenticated" {
					t.Errorf("nothing to read in it: %s", r.body)
				}
			})
		}
	}
	t.Run("the document it names", func(t *testing.T) {
		r := send(t, http.MethodGet, metadata, "", headers{"Authorization": ""})
		var document struct{ Resource string }
		// Clients compare it with the URL that their user typed, character by character.
		if err := json.Unmarshal(r.body, &document); err != nil || document.Resource != url {
			t.Fatalf("resource %q, want %q: %s", document.Resource, url, r.body)
		}
	})
}
