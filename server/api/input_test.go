package api_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestDurations: how long a link and its keys work, in Go's durations with days.
func TestDurations(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		field, given string
		seconds      int64 // or hours, of a key; -1 = refused
	}{
		{"expires_in", `"72h"`, 259200},
		{"expires_in", `"3d"`, 259200},
		{"expires_in", `"1d12h"`, 129600},
		{"expires_in", `"90m"`, 5400},
		{"expires_in", `"1.5h"`, 5400},
		{"expires_in", `"1s"`, 1},
		{"expires_in", `"365d"`, 31536000},
		{"expires_in", `"8760h"`, 31536000},
		{"key_expires_in", `"0h"`, 0},
		{"key_expires_in", `"0"`, 0},
		{"key_expires_in", `"90d"`, 2160},
		{"key_expires_in", `"1d12h"`, 36},
		{"key_expires_in", `"3650d"`, 87600},
		{"key_expires_in", `"120m"`, 2},

		{"expires_in", `""`, -1},
		{"expires_in", `"0s"`, -1},
		{"expires_in", `"0d"`, -1},
		{"expires_in", `"-3d"`, -1},
		{"expires_in", `"+3d"`, -1},
		{"expires_in", `"3d-1h"`, -1},
		{"expires_in", `"12h1d"`, -1},
		{"expires_in", `"1d1d"`, -1},
		{"expires_in", `"1.5d"`, -1},
		{"expires_in", `"1500ms"`, -1},
		{"expires_in", `"365d1s"`, -1},
		{"expires_in", `"99999d"`, -1},
		{"expires_in", `"99999999999d"`, -1},
		{"expires_in", `"99999d2000000h"`, -1},
		{"expires_in", `"9223372036854775807ns"`, -1},
		{"expires_in", `" 3d"`, -1},
		{"expires_in", `"3 d"`, -1},
		{"expires_in", `"3w"`, -1},
		{"expires_in", `"3"`, -1},
		{"expires_in", `259200`, -1},
		{"expires_in", `null`, -1},
		{"expires_in", `["3d"]`, -1},
		{"key_expires_in", `"90m"`, -1},
		{"key_expires_in", `"3650d1h"`, -1},
		{"key_expires_in", `"-1h"`, -1},
		{"key_expires_in", `90`, -1},
	} {
		w := newWorld("", nil)
		answer, e := w.do("POST", invites, fmt.Sprintf(`{"scopes":["mcp:search"],%q:%s}`, row.field, row.given))
		name := map[string]string{"expires_in": "expires_in_seconds", "key_expires_in": "key_lifetime_hours"}[row.field]
		values, _ := w.odoo.args["values"].(map[string]any)
		switch {
		case row.seconds >= 0:
			if values[name] != row.seconds {
				t.Errorf("%s %s: Odoo is told %v, want %d", row.field, row.given, values, row.seconds)
			}
		case answer.Code != 400 || !strings.HasPrefix(e.Message, row.field+" ") || len(w.odoo.asked) > 0:
			t.Errorf("%s %s: %d %+v, Odoo is told %v", row.field, row.given, answer.Code, e, values)
		}
	}
}

// TestInput: a body is taken as it is written or refused by the name of what is wrong; nothing is ignored.
func TestInput(t *testing.T) {
	t.Parallel()
	with := func(fields string) string { return `{"scopes":["mcp:search"],` + fields + `}` }
	for _, row := range []struct {
		name, body string
		status     int
		says       string // the beginning of the message, or what Odoo is told
	}{
		{"the least", `{"scopes":["mcp:search"]}`, 201, "map[scopes:[mcp:search]]"},
		{"spaces around", " \n{ \"scopes\" : [ \"mcp:search\" ] } \n", 201, "map[scopes:[mcp:search]]"},
		{"numbers at their ends", with(`"max_uses":10000,"rate_limit_day":2147483647,"approval_expiry_hours":1`), 201, "map[approval_expiry_hours:1 max_uses:10000 rate_limit_day:2147483647 scopes:[mcp:search]]"},
		{"lists", with(`"companies":[1,2],"allowed_ips":["10.0.0.0/8"],"allowed_tools":[]`), 201, "map[allowed_ips:[10.0.0.0/8] allowed_tools:[] companies:[1 2] scopes:[mcp:search]]"},
		{"a rule for a model", with(`"model_rules":[{"model":"res.partner","write":true,"hidden":["email"]}]`), 201, "map[model_rules:[map[hidden:[email] model:res.partner write:true]] scopes:[mcp:search]]"},
		{"a rule", with(`"approval_rules":[{"risk":"high","more_than":5,"reads":true}]`), 201, "map[approval_rules:[map[more_than:5 reads:true risk:high]] scopes:[mcp:search]]"},
		{"switches", with(`"read_only":true,"research_tools":true,"approve_outward":false,"new_accounts":false`), 201, "map[approve_outward:false new_accounts:false read_only:true research_tools:true scopes:[mcp:search]]"},
		{"a text with quotes", with(`"description":"\"a\"\n\u00e9"`), 201, "map[description:\"a\"\né scopes:[mcp:search]]"},

		{"nothing", ``, 400, "The request must be one JSON object"},
		{"no object", `[]`, 400, "The request must be one JSON object"},
		{"null", `null`, 400, "The request must be one JSON object"},
		{"half of one", `{"scopes":["mcp:search"]`, 400, "The request must be one JSON object"},
		{"two", `{"scopes":["mcp:search"]}{}`, 400, "The request must be one JSON object"},
		{"something after it", `{"scopes":["mcp:search"]} x`, 400, "The request must be one JSON object"},
		{"no JSON", `scopes=mcp:search`, 400, "The request must be one JSON object"},
		{"not UTF-8", "{\"description\":\"\xff\"}", 400, "A text is not valid Unicode"},
		{"half a letter", `{"description":"a\ud800"}`, 400, "A text is not valid Unicode"},
		{"a field of a rule twice", with(`"model_rules":[{"model":"res.partner","read":false,"read":true}]`), 400, `The name "read" is given twice`},
		{"a comma too many", `{"scopes":["mcp:search"],}`, 400, "The request must be one JSON object"},
		{"deep", `{"scopes":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`, 400, ""},
		{"no scopes", `{}`, 400, "scopes is missing"},
		{"empty scopes", `{"scopes":[]}`, 400, "scopes must be"},
		{"scopes as a text", `{"scopes":"mcp:search"}`, 400, "scopes must be"},
		{"a scope that is not text", `{"scopes":[1]}`, 400, "scopes must be"},
		{"a scope of two lines", `{"scopes":["mcp:search\nmcp:orm"]}`, 400, "scopes must be"},
		{"a blank scope", `{"scopes":[" "]}`, 400, "scopes must be"},
		{"null scopes", `{"scopes":null}`, 400, "scopes must be"},
		{"too many", `{"scopes":[` + strings.Repeat(`"a",`, 1000) + `"a"]}`, 400, "scopes must be"},
		{"a field twice", with(`"max_uses":1,"max_uses":5`), 400, `The name "max_uses" is given twice`},
		{"scopes twice", with(`"scopes":["mcp:orm"]`), 400, `The name "scopes" is given twice`},
		{"another case", with(`"Max_Uses":5`), 400, `There is no field "Max_Uses"`},
		{"a misspelt restriction", with(`"readonly":true`), 400, `There is no field "readonly"`},
		{"Odoo's own name", with(`"expires_in_seconds":5`), 400, `There is no field "expires_in_seconds"`},
		{"Odoo's field", with(`"state":"active"`), 400, `There is no field "state"`},
		{"the creator", with(`"creator_id":2`), 400, `There is no field "creator_id"`},
		{"a name to redraw a terminal", with(`"\u001b[2J":1`), 400, `There is no field "\x1b[2J"`},
		{"zero uses", with(`"max_uses":0`), 400, "max_uses must be"},
		{"fewer", with(`"max_uses":-1`), 400, "max_uses must be"},
		{"too many uses", with(`"max_uses":10001`), 400, "max_uses must be"},
		{"a fraction", with(`"max_uses":5.0`), 400, "max_uses must be"},
		{"a power", with(`"max_uses":5e0`), 400, "max_uses must be"},
		{"a number as a text", with(`"max_uses":"5"`), 400, "max_uses must be"},
		{"a huge number", with(`"rate_limit_day":99999999999999999999`), 400, "rate_limit_day must be"},
		{"beyond 31 bits", with(`"rate_limit_day":2147483648`), 400, "rate_limit_day must be"},
		{"true for a number", with(`"max_uses":true`), 400, "max_uses must be"},
		{"null for a number", with(`"max_uses":null`), 400, "max_uses must be"},
		{"a number for a switch", with(`"read_only":1`), 400, "read_only must be"},
		{"a text for a switch", with(`"read_only":"true"`), 400, "read_only must be"},
		{"null for a switch", with(`"read_only":null`), 400, "read_only must be"},
		{"a NUL", with(`"description":"a\u0000"`), 400, "description must be"},
		{"a long text", with(`"description":"` + strings.Repeat("a", 10_001) + `"`), 400, "description must be"},
		{"a long name", with(`"key_name_preset":"` + strings.Repeat("é", 101) + `"`), 400, "key_name_preset must be"},
		{"no name", with(`"key_name_preset":""`), 400, "key_name_preset must be"},
		{"a company by name", with(`"companies":["1"]`), 400, "companies must be"},
		{"company 0", with(`"companies":[0]`), 400, "companies must be"},
		{"half a company", with(`"companies":[1.5]`), 400, "companies must be"},
		{"a rule for a model that is none", with(`"model_rules":[5]`), 400, "Each of model_rules must be"},
		{"a rule for a model with more", with(`"model_rules":[{"invite_id":1}]`), 400, `There is no field "invite_id"`},
		{"a rule for a model, its switch", with(`"model_rules":[{"read":"yes"}]`), 400, "read must be"},
		{"a rule for a model, its fields", with(`"model_rules":[{"hidden":"email"}]`), 400, "hidden must be"},
		{"a rule that is none", with(`"approval_rules":[5]`), 400, "Each of approval_rules must be"},
		{"a rule with more", with(`"approval_rules":[{"user":1}]`), 400, `There is no field "user"`},
		{"a rule's risk", with(`"approval_rules":[{"risk":"huge"}]`), 400, "risk must be"},
		{"a rule's number", with(`"approval_rules":[{"more_than":-1}]`), 400, "more_than must be"},
		{"too long", with(`"description":"` + strings.Repeat("a", 64<<10) + `"`), 413, "The request is larger"},
	} {
		w := newWorld(`{"invite":`+goodInvite+`,"invite_url":"u"}`, nil)
		answer, e := w.do("POST", invites, row.body)
		if answer.Code != row.status {
			t.Errorf("%s: %d %s", row.name, answer.Code, answer.Body)
			continue
		}
		if row.status == 201 {
			if got := fmt.Sprint(w.odoo.args["values"]); got != row.says || answer.Header().Get("Location") != invites+"/7" {
				t.Errorf("%s: Odoo is told %s", row.name, got)
			}
			continue
		}
		if !strings.HasPrefix(e.Message, row.says) || len(w.odoo.asked) > 0 {
			t.Errorf("%s: %+v, asked %v", row.name, e, w.odoo.asked)
		}
	}
}

// TestContentType: JSON only. A form of another site's page can send neither this type nor a key.
func TestContentType(t *testing.T) {
	t.Parallel()
	for given, status := range map[string]int{
		"application/json":                  201,
		"application/json; charset=utf-8":   201,
		"Application/JSON;charset=UTF-8":    201,
		"":                                  415,
		"text/plain":                        415,
		"application/x-www-form-urlencoded": 415,
		"multipart/form-data; boundary=x":   415,
		"application/json; charset=latin1":  415,
		"application/jsonp":                 415,
		"application/json, text/plain":      415,
		"text/plain; application/json":      415,
	} {
		w := newWorld(`{"invite":`+goodInvite+`,"invite_url":"u"}`, nil)
		answer, e := w.do("POST", invites, `{"scopes":["mcp:search"]}`, "Content-Type", given)
		if answer.Code != status || status == 415 && e.Code != "unsupported_media_type" {
			t.Errorf("%q: %d %s", given, answer.Code, answer.Body)
		}
	}
}
