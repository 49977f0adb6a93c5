package mcp_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"doorman/server/access"
)

// structured is a reply as JSON, by its keys.
func structured(t *testing.T, a answer) map[string]json.RawMessage {
	t.Helper()
	if a.kind() != "" {
		t.Fatal(a.body)
	}
	out := map[string]json.RawMessage{}
	for key, value := range a.Result.StructuredContent {
		raw, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		out[key] = raw
	}
	return out
}

// TestFieldsLeftOut: how many they are, and how to ask for them; never their names.
func TestFieldsLeftOut(t *testing.T) {
	t.Parallel()
	const ids, named = `"ids":[1]`, `"ids":[1],"fields":["name"]`
	for name, row := range map[string]struct {
		args, left, ask string
		change          func(*access.Policy)
	}{
		"fields are chosen":               {ids, "6", `"describe_model"`, nil},
		"fields are named":                {named, "", "", nil},
		"describe_model is not allowed":   {ids, "6", "", func(p *access.Policy) { p.AllowedTools = []string{"read_records", "search_records"} }},
		"describe_model is of no scope":   {ids, "6", "", func(p *access.Policy) { p.Scopes = []access.Scope{access.ScopeSearch} }},
		"describe_model is among allowed": {ids, "6", `"describe_model"`, func(p *access.Policy) { p.AllowedTools = []string{"read_records", "search_records", "describe_model"} }},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newFake()
			if row.change != nil {
				row.change(&f.snapshot.Connection.Policy)
			}
			url := endpoint(t, f).URL
			for tool, args := range map[string]string{"read_records": row.args, "search_records": strings.Replace(row.args, ids, `"limit":5`, 1)} {
				got := structured(t, call(t, url, tool, `{"model":"res.partner",`+args+`}`))
				if string(got["fields_left_out"]) != row.left || string(got["other_fields"]) != row.ask {
					t.Errorf("%s: %s left out, ask %s", tool, got["fields_left_out"], got["other_fields"])
				}
				for key, value := range got {
					if key != "records" && strings.Contains(string(value), "image_1920") {
						t.Errorf("%s names a field left out: %s %s", tool, key, value)
					}
				}
			}
		})
	}
}

// TestNoDefaultFields: an addon that chooses none, or only such as there are not.
func TestNoDefaultFields(t *testing.T) {
	t.Parallel()
	for _, chosen := range []string{`[]`, `["gone"]`, `null`} {
		f := newFake()
		f.fields = func(access.Fence) (access.Reply, error) {
			return reply(`{"label":"Tag","order":"id","default":` + chosen + `,"fields":{"id":{"type":"integer"},"display_name":{"type":"char"},"name":{"type":"char"}}}`), nil
		}
		call(t, endpoint(t, f).URL, "search_records", `{"model":"res.partner"}`)
		if got, _ := f.last().Kwargs["fields"].([]string); !slices.Equal(got, []string{"id", "display_name"}) {
			t.Errorf("%s: read %v", chosen, got)
		}
	}
}

// TestNearestNames: where a name finds nothing, the reply says which are near, and never as if they had been found.
func TestNearestNames(t *testing.T) {
	t.Parallel()
	const near = `[{"field":"partner_id","asked":"azure interor","model":"res.partner","records":[{"id":15,"name":"Azure Interior"}]}]`
	got := structured(t, call(t, endpoint(t, answering(`{"rows":[],"nearest":`+near+`}`)).URL, "search_records", `{"model":"res.partner"}`))
	if string(got["records"]) != "[]" || string(got["total"]) != "0" || !strings.Contains(string(got["nearest"]), `"name":"Azure Interior"`) ||
		!strings.Contains(string(got["note"]), "nearest") {
		t.Errorf("search_records: %s", got)
	}
	const archived = `[{"field":"name","asked":"azure","model":"res.partner","records":[{"id":15,"name":"Azure","archived":true}]}]`
	got = structured(t, call(t, endpoint(t, answering(`{"rows":[],"nearest":`+archived+`}`)).URL, "search_records", `{"model":"res.partner"}`))
	if !strings.Contains(string(got["nearest"]), `"archived":true`) || !strings.Contains(string(got["note"]), "include_archived") {
		t.Errorf("an archived name: %s", got)
	}
	got = structured(t, call(t, endpoint(t, answering(`{"rows":[]}`)).URL, "search_records", `{"model":"res.partner"}`))
	if _, told := got["nearest"]; told || got["note"] != nil {
		t.Errorf("nothing is near: %s", got)
	}
	f := answering(`{"found":[],"searched":3,"not_searched":[],"nearest":[{"model":"res.partner","label":"Contact","id":15,"name":"Azure Interior"}]}`)
	got = structured(t, call(t, endpoint(t, f).URL, "search_everywhere", `{"query":"azure interor"}`))
	if string(got["found"]) != "[]" || !strings.Contains(string(got["nearest"]), `"id":15`) || !strings.Contains(string(got["note"]), "near") {
		t.Errorf("search_everywhere: %s", got)
	}
}

// TestModelsByWords: Odoo finds models by words, and its order stays; without a query they are in the order of their names.
func TestModelsByWords(t *testing.T) {
	t.Parallel()
	const rows = `[{"model":"sale.order","display_name":"Sales Order","create":true,"menu":"Sales / Quotations","domain":[["state","=","draft"]]},` +
		`{"model":"account.move","display_name":"Journal Entry"}]`
	f := answering(rows)
	url := endpoint(t, f).URL
	got := structured(t, call(t, url, "list_models", `{"query":" Angebot "}`))
	want := `[{"create":false,"delete":false,"domain":[["state","=","draft"]],"label":"Sales Order","menu":"Sales / Quotations","model":"sale.order","write":false},` +
		`{"create":false,"delete":false,"label":"Journal Entry","model":"account.move","write":false}]`
	if string(got["models"]) != want || f.last().Kwargs["query"] != "Angebot" {
		t.Errorf("asked %v, got %s", f.last().Kwargs, got["models"])
	}
	got = structured(t, call(t, url, "list_models", `{}`))
	if !strings.HasPrefix(string(got["models"]), `[{"create":false,"delete":false,"label":"Journal Entry"`) || len(f.last().Kwargs) != 0 {
		t.Errorf("asked %v, got %s", f.last().Kwargs, got["models"])
	}
	before := f.callCount()
	if a := call(t, url, "list_models", `{"query":"`+strings.Repeat("ü", 101)+`"}`); a.kind() != "invalid_input" || f.callCount() != before {
		t.Errorf("a long query: %s", a.body)
	}
}
