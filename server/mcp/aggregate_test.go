package mcp_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"doorman/server/access"
)

// TestWhatNumbersAreOf: a reply says where its days are, and what is in its sums.
func TestWhatNumbersAreOf(t *testing.T) {
	t.Parallel()
	for name, row := range map[string]struct {
		facts string // of the addon
		note  string
		zone  string
	}{
		"nothing to say":    {``, "", ""},
		"days":              {`,"time_zone":"Pacific/Auckland"`, "", "Pacific/Auckland"},
		"own documents":     {`,"own":["Salesperson"]`, "Only this user's own records (by Salesperson): Odoo shows them no others.", ""},
		"one company":       {`,"companies":["A"],"other_companies":2`, "Of A only; the user has 2 more.", ""},
		"several companies": {`,"companies":["A","B"],"other_companies":0`, "Of 2 companies together: A, B.", ""},
		"converted": {
			`,"converted":{"currency":"USD","date":"2026-11-28"}`,
			"Where there is by_currency, Odoo has converted to USD at its rates of 2026-11-28.", "",
		},
		"no rate":            {`,"no_rate":["XAF"]`, "Odoo has no rate for XAF: what holds it is not added up.", ""},
		"several currencies": {`,"currencies":["EUR","USD"]`, "Not all amounts are in the same currency (EUR, USD): do not add them up.", ""},
		"both": {
			`,"own":["Salesperson"],"no_rate":["XAF"]`,
			"Only this user's own records (by Salesperson): Odoo shows them no others. " +
				"Odoo has no rate for XAF: what holds it is not added up.", "",
		},
	} {
		f := newFake()
		f.call = func(access.Fence, access.Request) (access.Reply, error) {
			return reply(`{"groups":[{"__count":2,"color:sum":{"amount":1.5,"currency":"EUR"}}]` + row.facts + `}`), nil
		}
		content := call(t, endpoint(t, f).URL, "aggregate_records", `{"model":"res.partner","measures":["color:sum"]}`).Result.StructuredContent
		note, _ := content["note"].(string)
		zone, _ := content["time_zone"].(string)
		if note != row.note || zone != row.zone {
			t.Errorf("%s: %q %q", name, note, zone)
		}
		if got := fmt.Sprint(content["groups"]); got != "[map[color:sum:1.5 count:2 currency_of:map[color:sum:EUR]]]" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestAmountsOfGroups: a measure stays a number, and its currency stands beside it.
func TestAmountsOfGroups(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`{"groups":[{"__count":3,"color:sum":{"amount":12.5,"currency":"USD","by_currency":{"EUR":10,"USD":0}},"color:avg":{"amount":2,"currency":"USD"}},` +
			`{"__count":1,"color:sum":{"amount":null,"currency":"USD","by_currency":{"XAF":1,"none":2}},"color:avg":{"amount":1,"currency":null}},` +
			`{"__count":0,"color:sum":null,"color:avg":false}]}`), nil
	}
	a := call(t, endpoint(t, f).URL, "aggregate_records", `{"model":"res.partner","measures":["color:sum","color:avg"]}`)
	want := `[{"by_currency":{"color:sum":{"EUR":10,"USD":0}},"color:avg":2,"color:sum":12.5,"count":3,"currency_of":{"color:avg":"USD","color:sum":"USD"}},` +
		`{"by_currency":{"color:sum":{"XAF":1,"none":2}},"color:avg":1,"color:sum":null,"count":1,"currency_of":{"color:avg":null,"color:sum":"USD"}},` +
		`{"color:avg":null,"color:sum":null,"count":0}]`
	if got, err := json.Marshal(a.Result.StructuredContent["groups"]); err != nil || string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestPeriods: those that Odoo has pass, and no others.
func TestPeriods(t *testing.T) {
	t.Parallel()
	f := newFake()
	url := endpoint(t, f).URL
	for _, period := range []string{"hour", "day", "week", "month", "quarter", "year", "day_of_week", "hour_number", "iso_week_number", "month_number"} {
		a := call(t, url, "aggregate_records", `{"model":"res.partner","group_by":["create_date:`+period+`"]}`)
		if a.kind() != "" || fmt.Sprint(f.last().Kwargs["groupby"]) != "[create_date:"+period+"]" || f.last().Kwargs["facts"] != true {
			t.Errorf("%s: %s %v", period, a.body, f.last().Kwargs)
		}
	}
	for _, period := range []string{"", "decade", "weekday", "day_of_month_number"} {
		a := call(t, url, "aggregate_records", `{"model":"res.partner","group_by":["create_date:`+period+`"]}`)
		if a.kind() != "invalid_input" || !strings.Contains(a.body, "period") && period != "" {
			t.Errorf("%q: %s", period, a.body)
		}
	}
}

// TestGroupsThroughRelations: their values are told as those of the model's own fields are.
func TestGroupsThroughRelations(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`{"groups":[{"parent_id.country_id":[3,"Italy"],"create_date:day_of_week":{"value":0,"label":"Sunday"},"create_date:hour_number":0,"__count":1},` +
			`{"parent_id.country_id":false,"create_date:day_of_week":false,"create_date:hour_number":false,"__count":1}]}`), nil
	}
	a := call(t, endpoint(t, f).URL, "aggregate_records", `{"model":"res.partner","group_by":["parent_id.country_id","create_date:day_of_week","create_date:hour_number"]}`)
	want := `[{"count":1,"create_date:day_of_week":{"label":"Sunday","value":0},"create_date:hour_number":0,"parent_id.country_id":{"id":3,"name":"Italy"}},` +
		`{"count":1,"create_date:day_of_week":null,"create_date:hour_number":null,"parent_id.country_id":null}]`
	if got, err := json.Marshal(a.Result.StructuredContent["groups"]); err != nil || string(got) != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
}

// TestFetchedTimesSayTheirZone: a text is quoted without the description of the tool.
func TestFetchedTimesSayTheirZone(t *testing.T) {
	t.Parallel()
	f := researcher()
	f.fields = func(access.Fence) (access.Reply, error) {
		return reply(strings.Replace(partnerFields, `"default":["id",`, `"default":["id","create_date",`, 1)), nil
	}
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return reply(`{"rows":[{"id":1,"display_name":"Acme","create_date":"2026-11-28 12:00:00","ref":"12:00"}],"names":{},"url":"x"}`), nil
	}
	text, _ := call(t, endpoint(t, f).URL, "fetch", `{"id":"res.partner:1"}`).Result.StructuredContent["text"].(string)
	if !strings.Contains(text, "Created: 2026-11-28 12:00:00 UTC\n") || strings.Count(text, "UTC") != 1 {
		t.Error(text)
	}
}
