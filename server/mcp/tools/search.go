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
	add(40, toolcall.Tool{
		Tool:  access.Tool{Name: "search_records", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Search records", Category: "read", Idempotent: true,
		Description: "Find records by a domain and read them. Relations come as {id, name}, lists of them as ids and the first names, amounts with currency, files as size, HTML as Markdown; nothing as null; times in UTC.",
		Output:      outputSchema("records:objects", "total:integer", "has_more:boolean", "next_offset:integer"),
	}, searchRecords)
	add(50, toolcall.Tool{
		Tool:  access.Tool{Name: "read_records", Scope: access.ScopeSearch, Risk: access.RiskLow},
		Title: "Read records", Category: "read", Idempotent: true,
		Description: "Read records by id, in the form of search_records. missing_ids are those that do not exist.",
		Output:      outputSchema("records:objects", "has_more:boolean", "missing_ids:integers"),
	}, readRecords)
}

const (
	defaultRows = 10
	maxRows     = 100
	// maxCounted is how far matching records are counted: a number beyond it changes no answer, and may cost seconds.
	maxCounted = 10_000
)

type searchArgs struct {
	Model           string     `json:"model" jsonschema:"technical name, e.g. \"res.partner\""`
	Domain          domainArg  `json:"domain,omitempty" jsonschema:"Odoo domain as JSON, e.g. [[\"is_company\",\"=\",true],[\"name\",\"ilike\",\"acme\"]]; empty: all records"`
	Fields          stringList `json:"fields,omitempty" jsonschema:"fields to read; default: about 15 that matter"`
	Limit           int        `json:"limit,omitempty" jsonschema:"1 to 100; default 10"`
	Offset          int        `json:"offset,omitempty" jsonschema:"from next_offset, for more"`
	Order           string     `json:"order,omitempty" jsonschema:"e.g. \"create_date desc, name\"; default: the model's own"`
	IncludeArchived bool       `json:"include_archived,omitempty" jsonschema:"also archived records"`
	Language        string     `json:"language,omitempty" jsonschema:"of translated values, e.g. \"fr_FR\""`
	Company         int64      `json:"company_id,omitempty" jsonschema:"work in this company only"`
}

// page is what the tools that read records answer.
type page struct {
	Model   string            `json:"model"`
	Records []json.RawMessage `json:"records"`
	// Total is how many records match in all, where that is known; TotalAtLeast, where they are too many to count.
	Total        *int `json:"total,omitempty"`
	TotalAtLeast int  `json:"total_at_least,omitempty"`
	HasMore      bool `json:"has_more"`
	NextOffset   int  `json:"next_offset,omitempty"`
	// LeftOut is how many fields the model has besides, and AskFor how to find them; said only where the fields were chosen
	// for the caller.
	LeftOut int     `json:"fields_left_out,omitempty"`
	AskFor  string  `json:"other_fields,omitempty"`
	Missing []int64 `json:"missing_ids,omitempty"`
	// Nearest are names near to one in the domain that no record has.
	Nearest []nearName `json:"nearest,omitempty"`
	// Unreadable are fields that are left out because Odoo cannot read them for this user, and why.
	Unreadable map[string]string `json:"unreadable,omitempty"`
	Note       string            `json:"note,omitempty"`
}

// nearName is a name that a domain asks for, and the records whose names are near to it.
type nearName struct {
	Field   string          `json:"field"`
	Asked   string          `json:"asked"`
	Model   string          `json:"model"`
	Records json.RawMessage `json:"records"`
}

// hasArchived reports whether the records have the name, and are archived.
func (n nearName) hasArchived() bool {
	var records []struct {
		Archived bool `json:"archived"`
	}
	return json.Unmarshal(n.Records, &records) == nil && len(records) > 0 && records[0].Archived
}

func (p *page) noteLeftOut(call *toolcall.Call, m *toolcall.ModelInfo, named stringList, fields []string) {
	if len(named) > 0 {
		return
	}
	const describes = "describe_model"
	p.LeftOut = m.LeftOut(fields)
	if p.LeftOut > 0 && call.Catalog().MayUse(call.Caller().Snapshot(), describes) {
		p.AskFor = describes
	}
}

// noteNearest tells which names are near, where the domain found nothing because no record has the name it asks for.
func (p *page) noteNearest(nearest []nearName) {
	if p.Nearest = nearest; len(nearest) > 0 {
		p.Note = "No record has a name that the domain asks for: nearest lists similar names. Ask your user before you change one of those."
		if slices.ContainsFunc(nearest, nearName.hasArchived) {
			p.Note = "Only archived records have a name that the domain asks for: nearest lists them, and include_archived finds them."
		}
	}
}

// Empty reports whether nothing was found.
func (p *page) Empty() bool { return len(p.Records) == 0 }

func searchRecords(ctx context.Context, call *toolcall.Call, args searchArgs) (any, error) {
	m, err := call.Open(ctx, args.Model, args.Language)
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
	reply, err := call.Do(ctx, access.Request{
		Model: args.Model, Method: "search_read",
		// One row more than asked for: it says whether there are more, without a second question.
		Kwargs: withNames(map[string]any{
			"domain": domain, "fields": withCurrencies(m, fields), "limit": limit + 1, "offset": offset, "order": order, "count": maxCounted + 1,
		}, m, fields),
		Context: where{args.Language, args.Company, args.IncludeArchived}.context(), Spare: true,
	})
	if err != nil {
		return nil, err
	}
	shaped, err := shapeRows(reply.Value, m, fields, 0)
	if err != nil {
		return nil, err
	}
	p := &page{Model: args.Model, Records: shaped.list, HasMore: shaped.cut || shaped.more, Unreadable: shaped.unreadable}
	if len(p.Records) > limit {
		p.Records, p.HasMore = p.Records[:limit], true
	}
	p.countAll(shaped.total, offset)
	if p.HasMore {
		p.NextOffset = offset + len(p.Records)
	}
	p.Note = shaped.note("go on with next_offset")
	if args.Limit > maxRows && !shaped.cut {
		p.Note = trimmed(fmt.Sprintf("limit was cut to %d. %s", maxRows, p.Note))
	}
	p.noteNearest(shaped.nearest)
	p.noteLeftOut(call, m, args.Fields, fields)
	return p, nil
}

// countAll tells how many records match in all: those of the last page are known by its place.
func (p *page) countAll(counted *int, offset int) {
	total := offset + len(p.Records)
	switch {
	case p.HasMore && counted == nil, len(p.Records) == 0 && offset > 0:
		return
	case p.HasMore && *counted > maxCounted:
		p.TotalAtLeast = maxCounted
		return
	case p.HasMore:
		total = *counted
	}
	p.Total = &total
}

var orderTerm = regexp.MustCompile(`(?i)^([a-z0-9_]+)((?:\.[a-z0-9_]+)*)(?:\s+(?:asc|desc))?(?:\s+nulls\s+(?:first|last))?$`)

// stableOrder checks an order and makes it total: without the id at its end, two records that compare equal may swap
// places between two pages, and one of them is never seen.
func stableOrder(order string, m *toolcall.ModelInfo) (string, *access.Error) {
	order = strings.TrimSpace(order)
	if order == "" {
		order = m.Order
	} else if len(order) > 200 {
		return "", access.NewError(access.InvalidInput, "The order is too long.", `Name a few fields: "name, create_date desc".`)
	} else {
		for term := range strings.SplitSeq(order, ",") {
			match := orderTerm.FindStringSubmatch(strings.TrimSpace(term))
			if match == nil {
				return "", access.NewError(access.InvalidInput, fmt.Sprintf(access.SayNotOrder, mcperr.Clip(strings.TrimSpace(term), 40)), `Write it like "name, create_date desc".`)
			}
			if err := m.MustHave(match[1]); err != nil {
				return "", err
			}
			if f := m.Fields[match[1]]; match[2] == "" && !f.Sortable {
				return "", access.NewError(access.InvalidInput, fmt.Sprintf("You cannot sort by %s.", f.Name), "Sort by a stored field.")
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
	IDs      idList     `json:"ids" jsonschema:"at most 100"`
	Fields   stringList `json:"fields,omitempty"`
	Offset   int        `json:"text_offset,omitempty"`
	Language string     `json:"language,omitempty"`
	Company  int64      `json:"company_id,omitempty"`
}

// checkOffset refuses an offset that is not one into the only text that is read.
func (args *readArgs) checkOffset(m *toolcall.ModelInfo, fields []string) *access.Error {
	if args.Offset == 0 || (args.Offset > 0 && len(args.IDs) == 1 && len(fields) == 1 && isText(m.Fields[fields[0]])) {
		return nil
	}
	return access.NewError(access.InvalidInput, "text_offset continues a single text.", "Send one id, one text field, and its next_offset.")
}

func readRecords(ctx context.Context, call *toolcall.Call, args readArgs) (any, error) {
	if bad := checkReadIDs(args.IDs); bad != nil {
		return nil, bad
	}
	m, err := call.Open(ctx, args.Model, args.Language)
	if err != nil {
		return nil, err
	}
	fields, bad := chosen(m, args.Fields)
	if bad != nil {
		return nil, bad
	}
	if bad := args.checkOffset(m, fields); bad != nil {
		return nil, bad
	}
	reply, err := call.Do(ctx, access.Request{
		Model: args.Model, Method: "read", IDs: args.IDs, Kwargs: withNames(map[string]any{"fields": withCurrencies(m, fields)}, m, fields),
		Context: where{Language: args.Language, Company: args.Company}.context(),
	})
	if err != nil {
		return nil, err
	}
	shaped, err := shapeRows(reply.Value, m, fields, args.Offset)
	if err != nil {
		return nil, err
	}
	p := &page{Model: args.Model, Records: shaped.list, HasMore: shaped.cut, Unreadable: shaped.unreadable}
	if p.Missing, err = missing(reply.Value, args.IDs); err != nil {
		return nil, err
	}
	p.Note = shaped.note("read the remaining ids in a second call")
	p.noteLeftOut(call, m, args.Fields, fields)
	return p, nil
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
