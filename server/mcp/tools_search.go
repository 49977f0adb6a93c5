package mcp

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
)

const (
	defaultRows = 10
	maxRows     = 100
	maxNamed    = 60 // how many names of fields left out are listed
)

// where are the parameters that say how, rather than what, to read.
type where struct {
	Language        string
	Company         int64
	IncludeArchived bool
}

func (w where) context() map[string]any {
	c := languageContext(w.Language)
	if w.Company > 0 {
		c["allowed_company_ids"] = []int64{w.Company}
	}
	if w.IncludeArchived {
		c["active_test"] = false
	}
	return c
}

func languageContext(lang string) map[string]any {
	if lang == "" {
		return map[string]any{}
	}
	return map[string]any{"lang": lang}
}

func checkLanguage(lang string) *access.Error {
	if lang == "" || langCode.MatchString(lang) {
		return nil
	}
	return access.NewError(access.InvalidInput, fmt.Sprintf("%q is no language code.", mcperr.Clip(lang, 20)), `Use one of get_context's languages, such as "en_US".`)
}

// open does what every tool on a model does first: the form of the arguments, the decision, the model's metadata.
func (g *governed) open(ctx context.Context, model, lang string) (*modelInfo, error) {
	if bad := checkModel(model); bad != nil {
		return nil, bad
	}
	if bad := checkLanguage(lang); bad != nil {
		return nil, bad
	}
	if err := g.begin(ctx, model); err != nil {
		return nil, err
	}
	return g.modelInfo(ctx, lang)
}

// chosen returns the fields to read: those named, all of them checked, or the model's own pick.
func chosen(m *modelInfo, named stringList) ([]string, *access.Error) {
	if len(named) == 0 {
		return m.pick, nil
	}
	if len(named) > maxRows {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("More than %d fields.", maxRows), "Name those you need.")
	}
	out := make([]string, 0, len(named))
	for _, name := range named {
		if strings.Contains(name, ".") {
			return nil, access.NewError(access.InvalidInput, fmt.Sprintf("%q goes through a relation, which fields cannot.", mcperr.Clip(name, 60)),
				"Read the related record by its id, or search its model.")
		}
		if err := m.mustHave(name); err != nil {
			return nil, err
		}
		if !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out, nil
}

type searchArgs struct {
	Model           string     `json:"model" jsonschema:"technical name, e.g. \"res.partner\""`
	Domain          domainArg  `json:"domain,omitempty" jsonschema:"Odoo domain as JSON, e.g. [[\"is_company\",\"=\",true],[\"name\",\"ilike\",\"acme\"]]; empty: all records"`
	Fields          stringList `json:"fields,omitempty" jsonschema:"fields to read; default: about 15 that matter"`
	Limit           int        `json:"limit,omitempty" jsonschema:"how many records, 1 to 100; default 10"`
	Offset          int        `json:"offset,omitempty" jsonschema:"how many to skip, from next_offset"`
	Order           string     `json:"order,omitempty" jsonschema:"e.g. \"create_date desc, name\"; default: the model's own"`
	IncludeArchived bool       `json:"include_archived,omitempty" jsonschema:"also archived records"`
	Language        string     `json:"language,omitempty" jsonschema:"language of translated values, e.g. \"fr_FR\""`
	Company         int64      `json:"company_id,omitempty" jsonschema:"work in this company only"`
}

// page is what the tools that read records answer.
type page struct {
	Model      string            `json:"model"`
	Records    []json.RawMessage `json:"records"`
	Count      int               `json:"count"`
	HasMore    bool              `json:"has_more"`
	NextOffset int               `json:"next_offset,omitempty"`
	// Said only where the fields were chosen for the caller.
	LeftOut      []string `json:"fields_left_out,omitempty"`
	LeftOutCount int      `json:"fields_left_out_count,omitempty"`
	Missing      []int64  `json:"missing_ids,omitempty"`
	Note         string   `json:"note,omitempty"`
}

func (p *page) noteLeftOut(m *modelInfo, named stringList, fields []string) {
	if len(named) > 0 {
		return
	}
	names, all := left(m, fields)
	p.LeftOutCount = all
	p.LeftOut = names[:min(maxNamed, len(names))]
}

func pageSchema() []string {
	return []string{
		"model:string", "records:objects", "count:integer", "has_more:boolean", "next_offset:integer",
		"fields_left_out:strings", "fields_left_out_count:integer", "missing_ids:integers", "note:string",
	}
}

func searchRecords() *tool {
	return &tool{
		Tool:  access.Tool{Name: "search_records", Scope: access.ScopeSearch, Risk: access.RiskLow},
		title: "Search records", category: "read", idempotent: true,
		description: "Find records by a domain and read them. Relations come as {id, name}, lists of them as ids and the first names, amounts with their currency, files as size; empty values as null; dates and times in UTC. More records: repeat with next_offset.",
		input:       inputSchema[searchArgs](),
		output:      outputSchema(pageSchema()...),
		run:         runSearch,
	}
}

func runSearch(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[searchArgs](raw)
	if bad != nil {
		return nil, bad
	}
	m, err := g.open(ctx, args.Model, args.Language)
	if err != nil {
		return nil, err
	}
	fields, bad := chosen(m, args.Fields)
	if bad != nil {
		return nil, bad
	}
	domain, bad := parseDomain(args.Domain, m)
	if bad != nil {
		return nil, bad
	}
	order, bad := stableOrder(args.Order, m)
	if bad != nil {
		return nil, bad
	}
	limit, offset := clamp(args.Limit, defaultRows, maxRows), max(args.Offset, 0)
	reply, err := g.call(ctx, access.Request{
		Model: args.Model, Method: "search_read",
		// One row more than asked for: it says whether there are more, without a second question.
		Kwargs:  withNames(map[string]any{"domain": domain, "fields": withCurrencies(m, fields), "limit": limit + 1, "offset": offset, "order": order}, m, fields),
		Context: where{args.Language, args.Company, args.IncludeArchived}.context(),
	})
	if err != nil {
		return nil, err
	}
	shaped, err := shapeRows(reply.Value, m, fields)
	if err != nil {
		return nil, err
	}
	p := &page{Model: args.Model, Records: shaped.list, HasMore: shaped.cut}
	if len(p.Records) > limit {
		p.Records, p.HasMore = p.Records[:limit], true
	}
	p.Count = len(p.Records)
	if p.HasMore {
		p.NextOffset = offset + p.Count
	}
	if shaped.cut {
		p.Note = "The reply was cut because it is large: go on with next_offset, or name fewer fields."
	} else if args.Limit > maxRows {
		p.Note = fmt.Sprintf("limit was cut to %d.", maxRows)
	}
	p.noteLeftOut(m, args.Fields, fields)
	return p, nil
}

var orderTerm = regexp.MustCompile(`(?i)^([a-z0-9_]+)((?:\.[a-z0-9_]+)*)(?:\s+(?:asc|desc))?(?:\s+nulls\s+(?:first|last))?$`)

// stableOrder checks an order and makes it total: without the id at its end, two records that compare equal may swap
// places between two pages, and one of them is never seen.
func stableOrder(order string, m *modelInfo) (string, *access.Error) {
	order = strings.TrimSpace(order)
	if order == "" {
		order = m.Order
	} else if len(order) > 200 {
		return "", access.NewError(access.InvalidInput, "The order is too long.", `Name a few fields: "name, create_date desc".`)
	} else {
		for term := range strings.SplitSeq(order, ",") {
			match := orderTerm.FindStringSubmatch(strings.TrimSpace(term))
			if match == nil {
				return "", access.NewError(access.InvalidInput, fmt.Sprintf("%q is no order.", mcperr.Clip(strings.TrimSpace(term), 40)), `Write it like "name, create_date desc".`)
			}
			if err := m.mustHave(match[1]); err != nil {
				return "", err
			}
			if f := m.Fields[match[1]]; match[2] == "" && !f.Sortable {
				return "", access.NewError(access.InvalidInput, fmt.Sprintf("%s cannot be sorted by.", f.Name), "Sort by a stored field.")
			}
		}
	}
	for term := range strings.SplitSeq(order, ",") {
		if name, _, _ := strings.Cut(strings.TrimSpace(term), " "); name == "id" {
			return order, nil
		}
	}
	if order == "" {
		return "id", nil
	}
	return order + ", id", nil
}

type readArgs struct {
	Model    string     `json:"model"`
	IDs      idList     `json:"ids" jsonschema:"ids of the records, at most 100"`
	Fields   stringList `json:"fields,omitempty"`
	Language string     `json:"language,omitempty"`
	Company  int64      `json:"company_id,omitempty"`
}

func readRecords() *tool {
	return &tool{
		Tool:  access.Tool{Name: "read_records", Scope: access.ScopeSearch, Risk: access.RiskLow},
		title: "Read records", category: "read", idempotent: true,
		description: "Read records by id, in the form of search_records. Ids that do not exist are listed in missing_ids.",
		input:       inputSchema[readArgs](),
		output:      outputSchema(pageSchema()...),
		run:         runRead,
	}
}

func runRead(ctx context.Context, g *governed, raw json.RawMessage) (any, error) {
	args, bad := decodeArgs[readArgs](raw)
	if bad == nil {
		bad = checkIDs(args.IDs)
	}
	if bad != nil {
		return nil, bad
	}
	m, err := g.open(ctx, args.Model, args.Language)
	if err != nil {
		return nil, err
	}
	fields, bad := chosen(m, args.Fields)
	if bad != nil {
		return nil, bad
	}
	reply, err := g.call(ctx, access.Request{
		Model: args.Model, Method: "read", IDs: args.IDs, Kwargs: withNames(map[string]any{"fields": withCurrencies(m, fields)}, m, fields),
		Context: where{Language: args.Language, Company: args.Company}.context(),
	})
	if err != nil {
		return nil, err
	}
	shaped, err := shapeRows(reply.Value, m, fields)
	if err != nil {
		return nil, err
	}
	p := &page{Model: args.Model, Records: shaped.list, Count: len(shaped.list), HasMore: shaped.cut}
	if p.Missing, err = missing(reply.Value, args.IDs); err != nil {
		return nil, err
	}
	if shaped.cut {
		p.Note = "The reply was cut because it is large: read the remaining ids in a second call, or name fewer fields."
	}
	p.noteLeftOut(m, args.Fields, fields)
	return p, nil
}

func checkIDs(ids idList) *access.Error {
	switch {
	case len(ids) == 0:
		return access.NewError(access.InvalidInput, "The parameter ids is missing.", "Name the ids of the records; search_records finds them.")
	case len(ids) > maxRows:
		return access.NewError(access.InvalidInput, fmt.Sprintf("%d ids are more than %d.", len(ids), maxRows), "Read them in several calls.")
	}
	for _, id := range ids {
		if id <= 0 || id > 1<<31-1 {
			return access.NewError(access.InvalidInput, fmt.Sprintf("%d is no record id.", id), "Ids are whole numbers from 1.")
		}
	}
	return nil
}

// missing returns the ids that Odoo gave no row for.
func missing(raw json.RawMessage, asked idList) ([]int64, error) {
	answer, err := rowsOf(raw)
	if err != nil {
		return nil, err
	}
	have := make(map[int64]bool, len(answer.Rows))
	for _, r := range answer.Rows {
		var id int64
		if err := json.Unmarshal(r["id"], &id); err != nil {
			return nil, err
		}
		have[id] = true
	}
	var out []int64
	for _, id := range asked {
		if !have[id] {
			out = append(out, id)
		}
	}
	return out, nil
}
