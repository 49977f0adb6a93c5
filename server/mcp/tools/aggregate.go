package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(60, toolcall.Tool{
		Tool:  access.Tool{Name: "aggregate_records", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Count and sum records", Category: "read", Idempotent: true,
		Description: "Count records, sum, average or find extremes, in groups.",
		Output:      outputSchema("groups:objects", "total:integer", "has_more:boolean", "next_offset:integer"),
	}, aggregateRecords)
}

const (
	defaultGroups = 40
	maxGroups     = 200
)

type aggregateArgs struct {
	Model           string     `json:"model"`
	GroupBy         stringList `json:"group_by,omitempty" jsonschema:"fields to group by; dates by period: \"date_order:month\" (hour, day, week, month, quarter, year, day_of_week, hour_number)"`
	Measures        stringList `json:"measures,omitempty" jsonschema:"e.g. \"amount_total:sum\" (sum, avg, min, max, count_distinct); the count always comes along"`
	Domain          domainArg  `json:"domain,omitempty" jsonschema:"Odoo domain as JSON; empty: all records"`
	Limit           int        `json:"limit,omitempty" jsonschema:"1 to 200; default 40"`
	Offset          int        `json:"offset,omitempty" jsonschema:"from next_offset"`
	Order           string     `json:"order,omitempty" jsonschema:"a group or a measure, e.g. \"amount_total:sum desc\""`
	IncludeArchived bool       `json:"include_archived,omitempty"`
	Language        string     `json:"language,omitempty"`
	Company         int64      `json:"company_id,omitempty"`
}

var (
	// periods are those of Odoo: parts of the calendar, and numbers that come again.
	periods = []string{
		"hour", "day", "week", "month", "quarter", "year", "year_number", "quarter_number", "month_number", "iso_week_number",
		"day_of_year", "day_of_month", "day_of_week", "hour_number", "minute_number", "second_number",
	}
	measures = []string{"sum", "avg", "min", "max", "count", "count_distinct", "bool_and", "bool_or", "sum_currency"}
	specForm = regexp.MustCompile(`^([a-z0-9_]+)((?:\.[a-z0-9_]+)*)(?::([a-z_]+))?$`)
)

func aggregateRecords(ctx context.Context, call *toolcall.Call, args aggregateArgs) (any, error) {
	m, err := call.Open(ctx, args.Model, args.Language)
	if err != nil {
		return nil, err
	}
	domain, bad := parseDomain(args.Domain, m)
	if bad == nil {
		bad = checkGroups(args.GroupBy, m)
	}
	aggregates := stringList{"__count"}
	for _, measure := range args.Measures {
		if measure != "__count" {
			aggregates = append(aggregates, measure)
		}
	}
	if bad == nil {
		bad = checkMeasures(aggregates[1:], m)
	}
	order, badOrder := groupOrder(args.Order, args.GroupBy, aggregates)
	if bad == nil {
		bad = badOrder
	}
	if bad != nil {
		return nil, bad
	}
	limit, offset := clamp(args.Limit, defaultGroups, maxGroups), max(args.Offset, 0)
	kwargs := map[string]any{"domain": domain, "aggregates": aggregates, "limit": limit + 1, "offset": offset, "facts": true}
	if len(args.GroupBy) > 0 {
		kwargs["groupby"] = args.GroupBy
	}
	if order != "" {
		kwargs["order"] = order
	}
	reply, err := call.Do(ctx, access.Request{
		Model: args.Model, Method: "formatted_read_group", Kwargs: kwargs,
		Context: where{args.Language, args.Company, args.IncludeArchived}.context(), Spare: true,
	})
	if err != nil {
		return nil, err
	}
	return shapeGroups(reply.Value, args, aggregates, m, limit, offset)
}

func checkGroups(groups stringList, m *toolcall.ModelInfo) *access.Error {
	if len(groups) > 4 {
		return access.NewError(access.InvalidInput, "More than 4 levels of groups.", "Group by fewer fields.")
	}
	for _, spec := range groups {
		match := specForm.FindStringSubmatch(spec)
		if match == nil {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%q cannot be used to group.", mcperr.Clip(spec, 40)), `Write it like "partner_id" or "date_order:month".`)
		}
		if err := m.MustHave(match[1]); err != nil {
			return err
		}
		f := m.Fields[match[1]]
		dated := f.Type == "date" || f.Type == "datetime"
		switch {
		case match[2] == "" && !f.Groupable:
			return access.NewError(access.InvalidInput, fmt.Sprintf("You cannot group by %s.", f.Name), "describe_model marks such fields as not_groupable.")
		case match[2] == "" && dated && !slices.Contains(periods, match[3]):
			return access.NewError(access.InvalidInput, fmt.Sprintf("%s is a date: specify a period.", f.Name), fmt.Sprintf("For example %s:month; periods: %s.", f.Name, strings.Join(periods, ", ")))
		case match[2] == "" && !dated && match[3] != "":
			return access.NewError(access.InvalidInput, fmt.Sprintf("%s has no periods.", f.Name), fmt.Sprintf("Group by %q.", f.Name))
		}
	}
	return nil
}

func checkMeasures(list stringList, m *toolcall.ModelInfo) *access.Error {
	for _, spec := range list {
		match := specForm.FindStringSubmatch(spec)
		if match == nil || match[3] == "" || match[2] != "" {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%q is not a measure.", mcperr.Clip(spec, 40)), `Write it like "amount_total:sum".`)
		}
		if !slices.Contains(measures, match[3]) {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%q is not an aggregate function.", match[3]), "Use "+strings.Join(measures, ", ")+".")
		}
		if err := m.MustHave(match[1]); err != nil {
			return err
		}
	}
	return nil
}

// groupOrder checks that an order names what is there, a group or a measure.
func groupOrder(order string, groups, aggregates stringList) (string, *access.Error) {
	if strings.TrimSpace(order) == "" {
		return "", nil
	}
	var terms []string
	for term := range strings.SplitSeq(order, ",") {
		spec, direction, _ := strings.Cut(strings.TrimSpace(term), " ")
		direction = strings.ToLower(strings.TrimSpace(direction))
		if !slices.Contains(groups, spec) && !slices.Contains(aggregates, spec) || (direction != "" && direction != "asc" && direction != "desc") {
			known := append(slices.Clone(groups), aggregates...)
			return "", access.NewError(access.InvalidInput, fmt.Sprintf("%q is not a sort order for these groups.", mcperr.Clip(strings.TrimSpace(term), 60)),
				"Order by one of "+strings.Join(known, ", ")+", with asc or desc after it.")
		}
		terms = append(terms, strings.TrimSpace(spec+" "+direction))
	}
	return strings.Join(terms, ", "), nil
}

// groupsAnswer is what Odoo gives: groups, and what has to be known to understand their numbers.
type groupsAnswer struct {
	Groups   []map[string]json.RawMessage `json:"groups"`
	More     bool                         `json:"more"`      // there are more that are not here
	Most     int                          `json:"most"`      // that this connection gets, where it gets less than it asked for
	TimeZone string                       `json:"time_zone"` // of the days of groups
	// Own are the labels of the fields by which the records are the user's own: they may see no others.
	Own            []string `json:"own"`
	Companies      []string `json:"companies"`       // those that are added up, where the user has several
	OtherCompanies int      `json:"other_companies"` // how many more the user has
	Converted      struct {
		Currency string `json:"currency"`
		Date     string `json:"date"` // of the rates
	} `json:"converted"`
	NoRate []string `json:"no_rate"` // currencies that could not be converted
	// Currencies are those of the amounts that are told as they are, where there are several.
	Currencies []string `json:"currencies"`
}

// amountAnswer is a measure that is an amount.
type amountAnswer struct {
	Amount     json.RawMessage `json:"amount"`
	Currency   json.RawMessage `json:"currency"`
	ByCurrency json.RawMessage `json:"by_currency"` // of several: Amount is what they are together, converted
}

// note says in words what the numbers are of.
func (a *groupsAnswer) note() string {
	var said []string
	if len(a.Own) > 0 {
		said = append(said, fmt.Sprintf("Only this user's own records (by %s): Odoo shows them no others.", strings.Join(a.Own, ", ")))
	}
	switch {
	case a.OtherCompanies > 0:
		said = append(said, fmt.Sprintf("Of %s only; the user has %d more.", strings.Join(a.Companies, ", "), a.OtherCompanies))
	case len(a.Companies) > 0:
		said = append(said, fmt.Sprintf("Of %d companies together: %s.", len(a.Companies), strings.Join(a.Companies, ", ")))
	}
	if len(a.Currencies) > 1 {
		said = append(said, fmt.Sprintf("Not all amounts are in the same currency (%s): do not add them up.", strings.Join(a.Currencies, ", ")))
	}
	if a.Converted.Currency != "" {
		said = append(said, fmt.Sprintf("Where there is by_currency, Odoo has converted to %s at its rates of %s.", a.Converted.Currency, a.Converted.Date))
	}
	if len(a.NoRate) > 0 {
		said = append(said, fmt.Sprintf("Odoo has no rate for %s: what holds it is not added up.", strings.Join(a.NoRate, ", ")))
	}
	if a.Most > 0 {
		said = append(said, mostNote(a.Most, "go on with next_offset"))
	}
	return strings.Join(said, " ")
}

// shapeGroups names the groups and measures as they were asked for, and drops what Odoo adds for its own web client.
func shapeGroups(raw json.RawMessage, args aggregateArgs, aggregates stringList, m *toolcall.ModelInfo, limit, offset int) (any, error) {
	var answer groupsAnswer
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	groups := answer.Groups
	more := answer.More || len(groups) > limit
	groups = groups[:min(limit, len(groups))]
	rows := make([]map[string]any, 0, len(groups))
	for _, group := range groups {
		row := shapeMeasures(group, aggregates)
		for _, spec := range args.GroupBy {
			row[spec] = groupValue(group[spec], m, spec)
		}
		rows = append(rows, row)
	}
	page := map[string]any{"model": args.Model, "groups": rows, "has_more": more}
	switch {
	case more:
		page["next_offset"] = offset + len(rows)
	case len(rows) > 0 || offset == 0:
		page["total"] = offset + len(rows)
	}
	if answer.TimeZone != "" {
		page["time_zone"] = answer.TimeZone
	}
	if note := answer.note(); note != "" {
		page["note"] = note
	}
	return page, nil
}

// shapeMeasures gives the measures of a group as numbers; beside them, of those that are amounts, the currency, and what
// they are in each currency if there are several.
func shapeMeasures(group map[string]json.RawMessage, aggregates stringList) map[string]any {
	row := make(map[string]any, len(group))
	currencyOf, byCurrency := map[string]json.RawMessage{}, map[string]json.RawMessage{}
	for _, spec := range aggregates {
		name, value := spec, falseToNull(group[spec])
		if spec == "__count" {
			name = "count"
		}
		var amount amountAnswer
		if value[0] == '{' && json.Unmarshal(value, &amount) == nil {
			value, currencyOf[name] = falseToNull(amount.Amount), falseToNull(amount.Currency)
			if len(amount.ByCurrency) > 0 {
				byCurrency[name] = amount.ByCurrency
			}
		}
		row[name] = value
	}
	if len(currencyOf) > 0 {
		row["currency_of"] = currencyOf
	}
	if len(byCurrency) > 0 {
		row["by_currency"] = byCurrency
	}
	return row
}

// groupValue shapes the value of a group; a period comes as {from, label}, and a number that has a name as {value, label}.
func groupValue(v json.RawMessage, m *toolcall.ModelInfo, spec string) json.RawMessage {
	name, _, hasPeriod := strings.Cut(spec, ":")
	f := m.Fields[name]
	switch {
	case f == nil && strings.Contains(name, "."):
		return shapeUnknown(falseToNull(v)) // through a relation
	case f == nil, hasPeriod:
		return falseToNull(v)
	case f.Type == "many2many" || f.Type == "one2many":
		f = &toolcall.FieldInfo{Type: "many2one"} // a group of many2many holds one of them
	}
	return shapeValue(v, f)
}

func falseToNull(v json.RawMessage) json.RawMessage {
	if len(v) == 0 || string(v) == "false" {
		return null
	}
	return v
}
