package mcp_test

import (
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
)

// TestBadInput: what is wrong is said, with what to do, and Odoo is not asked.
func TestBadInput(t *testing.T) {
	t.Parallel()
	deep := strings.Repeat(`["child_ids","any",[`, 25) + `["name","=","x"]` + strings.Repeat(`]]`, 25)
	many := "[" + strings.TrimSuffix(strings.Repeat(`["name","=","x"],`, 201), ",") + "]"
	hundred := "[" + strings.TrimSuffix(strings.Repeat(`["name","=","x"],`, 100), ",") + "]"
	within := "[" + strings.TrimSuffix(strings.Repeat(`["child_ids","any",`+hundred+`],`, 3), ",") + "]"
	rows := []struct {
		name, tool, args string
		kind, says       string
	}{
		{"no model", "search_records", `{}`, "invalid_input", "model is missing"},
		{"a model with a quote in it", "search_records", `{"model":"res.partner'"}`, "invalid_input", "not a model name"},
		{"a model in capitals", "search_records", `{"model":"Res.Partner"}`, "invalid_input", "not a model name"},
		{"a number for a model", "search_records", `{"model":7}`, "invalid_input", "model must be text"},
		{"a misspelt parameter", "search_records", `{"model":"res.partner","feilds":["name"]}`, "invalid_input", "Did you mean fields"},
		{"a parameter in capitals", "search_records", `{"MODEL":"res.partner"}`, "invalid_input", "no parameter"},
		{"a parameter twice, the second in capitals", "search_records", `{"model":"res.partner","Model":"ir.rule"}`, "invalid_input", "no parameter"},
		{"a parameter of a tool without any", "get_context", `{"verbose":true}`, "invalid_input", "There are no parameters."},
		{"arguments that are a list", "search_records", `[]`, "invalid_input", "not a JSON object"},
		{"an unknown field", "search_records", `{"model":"res.partner","fields":["nmae"]}`, "unknown_field", "Did you mean name"},
		{"a field through a relation", "search_records", `{"model":"res.partner","fields":["parent_id.name"]}`, "invalid_input", "through a relation"},
		{"fields that are a number", "search_records", `{"model":"res.partner","fields":7}`, "invalid_input", "list of texts"},
		{"a domain that is not JSON", "search_records", `{"model":"res.partner","domain":"name = x"}`, "invalid_input", "not a JSON list"},
		{"a domain that is an object", "search_records", `{"model":"res.partner","domain":{"name":"x"}}`, "invalid_input", "not a JSON list"},
		{"a condition of two parts", "search_records", `{"model":"res.partner","domain":[["name","="]]}`, "invalid_input", "3 parts, not 2"},
		{"an operator that is a number", "search_records", `{"model":"res.partner","domain":[["name",1,"x"]]}`, "invalid_input", "operator"},
		{"an operator nobody knows", "search_records", `{"model":"res.partner","domain":[["name","contains","x"]]}`, "invalid_input", "not an operator"},
		{"an operator of Odoo's own", "search_records", `{"model":"res.partner","domain":[["child_ids","ANY!",[]]]}`, "invalid_input", "not an operator"},
		{"an operator without its conditions", "search_records", `{"model":"res.partner","domain":["|",["name","=","x"]]}`, "invalid_input", "lacks its conditions"},
		{"a word in a domain", "search_records", `{"model":"res.partner","domain":["and",["name","=","x"]]}`, "invalid_input", "neither a condition"},
		{"an unknown field in a domain", "search_records", `{"model":"res.partner","domain":[["nmae","=","x"]]}`, "unknown_field", "Did you mean name"},
		{"a domain that nests too deeply", "search_records", `{"model":"res.partner","domain":` + "[" + deep + "]" + `}`, "invalid_input", "nested too deeply"},
		{"a domain of 201 conditions", "search_records", `{"model":"res.partner","domain":` + many + `}`, "invalid_input", "more than 200"},
		{"a domain of 3 times 100 conditions within others", "search_records", `{"model":"res.partner","domain":` + within + `}`, "invalid_input", "more than 200"},
		{"an unknown field to sort by", "search_records", `{"model":"res.partner","order":"nmae desc"}`, "unknown_field", "Did you mean name"},
		{"SQL to sort by", "search_records", `{"model":"res.partner","order":"name; drop table x"}`, "invalid_input", "not a sort order"},
		{"a field that cannot be sorted by", "search_records", `{"model":"res.partner","order":"comment"}`, "invalid_input", "cannot sort by"},
		{"not a language code", "search_records", `{"model":"res.partner","language":"fr;x"}`, "invalid_input", "not a language code"},
		{"no ids", "read_records", `{"model":"res.partner"}`, "invalid_input", "ids is missing"},
		{"an id of zero", "read_records", `{"model":"res.partner","ids":[0]}`, "invalid_input", "not a record id"},
		{"an id beyond what JSON can hold", "read_records", `{"model":"res.partner","ids":[9007199254740994]}`, "invalid_input", "not a record id"},
		{"an id that is a word", "read_records", `{"model":"res.partner","ids":["one"]}`, "invalid_input", "list of record ids"},
		{"an id that is a part", "read_records", `{"model":"res.partner","ids":[1.5]}`, "invalid_input", "list of record ids"},
		{"an id that is true", "read_records", `{"model":"res.partner","ids":[true]}`, "invalid_input", "list of record ids"},
		{"an id within an id", "read_records", `{"model":"res.partner","ids":[{"id":{"id":1}}]}`, "invalid_input", "list of record ids"},
		{"a limit that is a word", "search_records", `{"model":"res.partner","limit":"ten"}`, "invalid_input", "whole number"},
		{"a truth that is a word", "search_records", `{"model":"res.partner","include_archived":"yes"}`, "invalid_input", "true or false"},
		{"101 ids", "read_records", `{"model":"res.partner","ids":[` + strings.TrimSuffix(strings.Repeat("1,", 101), ",") + `]}`, "invalid_input", "limit of 100"},
		{"a date without its period", "aggregate_records", `{"model":"res.partner","group_by":["create_date"]}`, "invalid_input", "specify a period"},
		{"a period on what is not a date", "aggregate_records", `{"model":"res.partner","group_by":["name:month"]}`, "invalid_input", "no periods"},
		{"a field that cannot be grouped by", "aggregate_records", `{"model":"res.partner","group_by":["comment"]}`, "invalid_input", "cannot group by"},
		{"a measure without how", "aggregate_records", `{"model":"res.partner","measures":["color"]}`, "invalid_input", "not a measure"},
		{"a measure nobody knows", "aggregate_records", `{"model":"res.partner","measures":["color:array_agg"]}`, "invalid_input", "not an aggregate function"},
		{"an order that is not there", "aggregate_records", `{"model":"res.partner","order":"name"}`, "invalid_input", "not a sort order for these groups"},
		{"an argument for a tool that has none", "get_context", `{"x":1}`, "invalid_input", "no parameter"},
		{"a client's argument, misspelt", "get_context", `{"toolCallID":"x"}`, "invalid_input", "no parameter"},
	}
	f := newFake()
	server := endpoint(t, f)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			a := call(t, server.URL, row.tool, row.args)
			text := fmt.Sprint(a.Result.Content)
			if a.kind() != row.kind || !strings.Contains(text, row.says) {
				t.Fatalf("got %q %s, want %q and %q", a.kind(), a.body, row.kind, row.says)
			}
			if hint, _ := a.Result.StructuredContent["hint"].(string); hint == "" {
				t.Fatal("no hint what to do")
			}
			if n := f.callCount(); n != 0 {
				t.Fatalf("Odoo was asked %d times", n)
			}
		})
	}
}

func TestGoodInput(t *testing.T) {
	t.Parallel()
	rows := []struct {
		name, tool, args string
		key, want        string // a keyword argument that Odoo gets
	}{
		{"a domain as a list", "search_records", `{"model":"res.partner","domain":[["name","=","x"]]}`, "domain", `[[name = x]]`},
		{"a domain as text", "search_records", `{"model":"res.partner","domain":"[[\"name\",\"=\",\"x\"]]"}`, "domain", `[[name = x]]`},
		{"a domain escaped twice", "search_records", `{"model":"res.partner","domain":"\"[[\\\"name\\\",\\\"=\\\",\\\"x\\\"]]\""}`, "domain", `[[name = x]]`},
		{"one bare condition", "search_records", `{"model":"res.partner","domain":["name","=","x"]}`, "domain", `[[name = x]]`},
		{"no domain", "search_records", `{"model":"res.partner"}`, "domain", `[]`},
		{"an empty text for a domain", "search_records", `{"model":"res.partner","domain":""}`, "domain", `[]`},
		{"null is as good as left out", "search_records", `{"model":"res.partner","domain":null,"limit":null}`, "limit", `11`},
		{"always true", "search_records", `{"model":"res.partner","domain":[[1,"=",1]]}`, "domain", `[[1 = 1]]`},
		{"a large id stays a whole number", "search_records", `{"model":"res.partner","domain":[["id","=",10000000]]}`, "domain", `[[id = 10000000]]`},
		{"one row more than asked for", "search_records", `{"model":"res.partner","limit":5}`, "limit", `6`},
		{"at most a hundred", "search_records", `{"model":"res.partner","limit":5000}`, "limit", `101`},
		{"an order becomes total", "search_records", `{"model":"res.partner","order":"name desc"}`, "order", `name desc, id`},
		{"an order that is total stays", "search_records", `{"model":"res.partner","order":"id desc"}`, "order", `id desc`},
		{"the model's own order", "search_records", `{"model":"res.partner"}`, "order", `complete_name ASC, id DESC`},
		{"fields named twice are read once", "search_records", `{"model":"res.partner","fields":["name","name"]}`, "fields", `[name]`},
		{"fields chosen", "search_records", `{"model":"res.partner"}`, "fields", `[id name parent_id ref active]`},
		{"numbers as text", "search_records", `{"model":"res.partner","limit":"5","offset":"3.0"}`, "limit", `6`},
		{"fields with commas", "search_records", `{"model":"res.partner","fields":"name, ref"}`, "fields", `[name ref]`},
		{"fields as text", "search_records", `{"model":"res.partner","fields":"[\"name\"]"}`, "fields", `[name]`},
		{"a measure", "aggregate_records", `{"model":"res.partner","measures":["color:sum"]}`, "aggregates", `[__count color:sum]`},
		{"groups", "aggregate_records", `{"model":"res.partner","group_by":["parent_id","create_date:month"]}`, "groupby", `[parent_id create_date:month]`},
	}
	f := newFake()
	server := endpoint(t, f)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			if a := call(t, server.URL, row.tool, row.args); a.kind() != "" || a.status != 200 {
				t.Fatalf("refused: %d %s", a.status, a.body)
			}
			if got := fmt.Sprint(f.last().Kwargs[row.key]); got != row.want {
				t.Fatalf("%s: got %s, want %s", row.key, got, row.want)
			}
		})
	}
}

func TestShape(t *testing.T) {
	t.Parallel()
	server := endpoint(t, newFake())
	a := call(t, server.URL, "search_records", `{"model":"res.partner","fields":["name","active","comment","parent_id","child_ids","ref"]}`)
	want := `{"id":1,"name":"Acme","active":true,"comment":"Hi\nthere","parent_id":{"id":3,"name":"Holding"},"child_ids":[4,5],"ref":null}`
	if text := a.Result.Content[0].Text; !strings.Contains(text, want) {
		t.Fatalf("got %s\nwant in it %s", text, want)
	}
	a = call(t, server.URL, "aggregate_records", `{"model":"res.partner","group_by":["parent_id","create_date:month"],"measures":["color:sum"]}`)
	want = `{"color:sum":null,"count":2,"create_date:month":{"from":"2026-11-01T00:00:00+13:00","label":"November 2026"},"parent_id":{"id":3,"name":"Holding"}}`
	if text := a.Result.Content[0].Text; !strings.Contains(text, want) || strings.Contains(text, "__") {
		t.Fatalf("got %s\nwant in it %s", text, want)
	}
	a = call(t, server.URL, "read_records", `{"model":"res.partner","ids":[1,2]}`)
	if got := fmt.Sprint(a.Result.StructuredContent["missing_ids"]); got != "[2]" {
		t.Fatalf("missing_ids %s", got)
	}
}

// TestTheSameMistakeIsToldEachTime: of several mistakes the first by name is told, whatever the order in which a map has
// them.
func TestTheSameMistakeIsToldEachTime(t *testing.T) {
	t.Parallel()
	const mistakes = `"zz":1,"mm":1,"bb":1,"yy":1,"aa":1,"qq":1`
	f := writer()
	f.snapshot.OwnTools = []access.OwnTool{noteIt()}
	url := endpoint(t, f).URL
	told := map[string]func() answer{
		`There is no parameter \"aa\".`:  func() answer { return call(t, url, "search_records", `{"model":"res.partner",`+mistakes+`}`) },
		`There is no parameter \"aa\". `: func() answer { return call(t, url, "note_it", `{"ids":[1],`+mistakes+`}`) },
		`res.partner has no field \"aa\"`: func() answer {
			return call(t, url, "create_records", `{"model":"res.partner","records":[{`+mistakes+`}]}`)
		},
		`find_customer has no argument \"aa\".`: func() answer {
			return ask(t, url, oldEra, "prompts/get", fillIn("find_customer", `{"customer":"Acme",`+strings.ReplaceAll(mistakes, ":1", `:"1"`)+`}`), nil)
		},
	}
	for want, mistaken := range told {
		for range 20 {
			if a := mistaken(); !strings.Contains(a.body, strings.TrimSpace(want)) {
				t.Fatalf("no %s in %s", want, a.body)
			}
		}
	}
}

// TestIDsInTheirForms: ids reach Odoo as numbers, in whatever form they came.
func TestIDsInTheirForms(t *testing.T) {
	t.Parallel()
	f := writer()
	server := endpoint(t, f)
	with := func(tool, ids string) string {
		if tool == "call_method" {
			return `{"model":"res.partner","method":"do_it","ids":` + ids + `}`
		}
		return `{"model":"res.partner","ids":` + ids + `}`
	}
	for _, ids := range []string{
		`[1,3]`, `["1","3"]`, `"[1,3]"`, `[1.0,"3"]`, `[{"id":1,"name":"Acme"},{"id":"3"}]`, `["1",{"id":3}]`, `"[\"1\",3]"`,
	} {
		for _, tool := range []string{"call_method", "delete_records"} {
			if a := call(t, server.URL, tool, with(tool, ids)); a.kind() != "" || fmt.Sprint(f.last().IDs) != "[1 3]" {
				t.Errorf("%s %s: %v %s", tool, ids, f.last().IDs, a.body)
			}
		}
	}
	for _, one := range []string{`1`, `"1"`, `{"id":1}`, `"1.0"`} {
		if a := call(t, server.URL, "delete_records", `{"model":"res.partner","ids":`+one+`}`); a.kind() != "" || fmt.Sprint(f.last().IDs) != "[1]" {
			t.Errorf("%s: %v %s", one, f.last().IDs, a.body)
		}
	}
	for _, rows := range []string{`[{"id":"1","ref":"A"}]`, `["{\"id\":1,\"ref\":\"A\"}"]`, `"[{\"id\":1,\"ref\":\"A\"}]"`} {
		if a := call(t, server.URL, "update_records", `{"model":"res.partner","records":`+rows+`}`); a.kind() != "" || fmt.Sprint(f.last().IDs) != "[1]" {
			t.Errorf("%s: %v %s", rows, f.last().IDs, a.body)
		}
	}
}
