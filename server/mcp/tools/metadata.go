package tools

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

func init() {
	add(20, toolcall.Tool{
		Tool:  access.Tool{Name: "list_models", Scope: access.ScopeMetadata, Risk: access.RiskLow},
		Title: "List models", Category: "read", Idempotent: true,
		Description: "The Odoo models you can read, and whether you can create, write, delete. query finds what people call it; menu and domain: where Odoo shows it.",
		Output:      outputSchema("models:objects", "total:integer", "has_more:boolean", "next_offset:integer"),
	}, listModels)
	add(30, toolcall.Tool{
		Tool:  access.Tool{Name: "describe_model", Scope: access.ScopeMetadata, Risk: access.RiskLow},
		Title: "Describe a model", Category: "read", Idempotent: true,
		Description: "A model's fields: name, type, label, relation, choices, required, read-only. Narrow it with query or fields.",
		Output:      outputSchema("label:string", "fields:objects", "total:integer", "has_more:boolean", "next_offset:integer"),
	}, describeModel)
}

const (
	// maxDescription is how many bytes of fields describe_model gives at once.
	maxDescription = 30_000
	// maxModelQuery is how many letters list_models looks for.
	maxModelQuery = 100
)

type listModelsArgs struct {
	Query  string `json:"query,omitempty" jsonschema:"e.g. \"quotation\""`
	Limit  int    `json:"limit,omitempty" jsonschema:"1 to 200; default 50"`
	Offset int    `json:"offset,omitempty" jsonschema:"from next_offset"`
}

type modelRow struct {
	Model  string `json:"model"`
	Label  string `json:"label"`
	Create bool   `json:"create"`
	Write  bool   `json:"write"`
	Delete bool   `json:"delete"`
	// Menu opens it in Odoo, and Domain is what that menu shows of it: an invoice is a journal entry of a certain type.
	Menu   string          `json:"menu,omitempty"`
	Domain json.RawMessage `json:"domain,omitempty"`
}

func listModels(ctx context.Context, call *toolcall.Call, args listModelsArgs) (any, error) {
	if err := call.Begin(ctx, ""); err != nil {
		return nil, err
	}
	query := trimmed(args.Query)
	if n := utf8.RuneCountInString(query); n > maxModelQuery {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("The parameter query has more than %d characters.", maxModelQuery), "Give a word or two.")
	}
	r := access.Request{Method: "models"}
	if query != "" {
		r.Kwargs = map[string]any{"query": query}
	}
	reply, err := call.Do(ctx, r)
	if err != nil {
		return nil, err
	}
	return cutModels(reply.Value, args, mayChange(call))
}

// mayChange says which of creating, writing and deleting this connection may do at all.
func mayChange(call *toolcall.Call) modelRow {
	s := call.Caller().Snapshot()
	may := func(name string) bool {
		return !s.ReadOnly() && call.Catalog().MayUse(s, name)
	}
	return modelRow{Create: may("create_records"), Write: may("update_records"), Delete: may("delete_records")}
}

// cutModels pages Odoo's list of models: what a query finds is in order already. What the connection may not do, it may do in
// none.
func cutModels(raw json.RawMessage, args listModelsArgs, may modelRow) (any, error) {
	var all []struct {
		Model  string `json:"model"`
		Label  string `json:"display_name"`
		Create bool   `json:"create"`
		Write  bool   `json:"write"`
		Delete bool   `json:"unlink"`

		Menu   string          `json:"menu"`
		Domain json.RawMessage `json:"domain"`
	}
	if err := json.Unmarshal(raw, &all); err != nil {
		return nil, err
	}
	found := make([]modelRow, 0, len(all))
	for _, m := range all {
		row := modelRow(m)
		row.Create, row.Write, row.Delete = row.Create && may.Create, row.Write && may.Write, row.Delete && may.Delete
		found = append(found, row)
	}
	if trimmed(args.Query) == "" {
		slices.SortFunc(found, func(a, b modelRow) int { return strings.Compare(a.Model, b.Model) })
	}
	limit := clamp(args.Limit, 50, 200)
	start := min(max(args.Offset, 0), len(found))
	end := min(start+limit, len(found))
	page := map[string]any{"models": found[start:end], "total": len(found), "has_more": end < len(found)}
	if end < len(found) {
		page["next_offset"] = end
	}
	return page, nil
}

type describeArgs struct {
	Model    string     `json:"model"`
	Fields   stringList `json:"fields,omitempty" jsonschema:"only these fields"`
	Query    string     `json:"query,omitempty" jsonschema:"parts of names or labels, e.g. \"customer, date\""`
	Offset   int        `json:"offset,omitempty" jsonschema:"from next_offset"`
	Language string     `json:"language,omitempty" jsonschema:"of the labels; default: your user's"`
}

type fieldRow struct {
	Name      string `json:"name"`
	Type      string `json:"type"`
	Label     string `json:"label"`
	Help      string `json:"help,omitempty"`
	Required  bool   `json:"required,omitempty"`
	Readonly  bool   `json:"readonly,omitempty"`
	Relation  string `json:"relation,omitempty"`
	Selection []any  `json:"selection,omitempty"`
	// Said only where it is not so: most fields can be searched, sorted and grouped by.
	NoSearch bool `json:"not_searchable,omitempty"`
	NoSort   bool `json:"not_sortable,omitempty"`
	NoGroup  bool `json:"not_groupable,omitempty"`
}

func describeModel(ctx context.Context, call *toolcall.Call, args describeArgs) (any, error) {
	bad := toolcall.CheckModel(args.Model)
	if bad == nil {
		bad = toolcall.CheckLanguage(args.Language)
	}
	if bad != nil {
		return nil, bad
	}
	if err := call.Begin(ctx, args.Model); err != nil {
		return nil, err
	}
	// Asked anew each time, as a call with its audit row: this is what the client wants to know, and it may be
	// newer than what is kept for choosing fields.
	reply, err := call.Do(ctx, access.Request{Model: args.Model, Method: "fields_get", Context: languageContext(args.Language)})
	if err != nil {
		return nil, err
	}
	m, err := toolcall.ParseModel(args.Model, reply.Value)
	if err != nil {
		return nil, err
	}
	return describe(m, args)
}

// describe lists the fields that were asked for, within the bound.
func describe(m *toolcall.ModelInfo, args describeArgs) (any, error) {
	names := m.Names
	if len(args.Fields) > 0 {
		for _, name := range args.Fields {
			if err := m.MustHave(name); err != nil {
				return nil, err
			}
		}
		names = args.Fields
	}
	words := queryWords(args.Query)
	var found []*toolcall.FieldInfo
	for _, name := range names {
		f := m.Fields[name]
		label := strings.ToLower(f.Label)
		isMeant := func(word string) bool { return strings.Contains(name, word) || strings.Contains(label, word) }
		if len(words) == 0 || slices.ContainsFunc(words, isMeant) {
			found = append(found, f)
		}
	}
	start := min(max(args.Offset, 0), len(found))
	rows, size, end := []json.RawMessage{}, 0, start
	for _, f := range found[start:] {
		row, err := json.Marshal(describeField(f))
		if err != nil {
			return nil, err
		}
		if size += len(row); size > maxDescription && len(rows) > 0 {
			break
		}
		rows = append(rows, row)
		end++
	}
	page := map[string]any{
		"model": m.Name, "label": m.Label, "default_order": m.Order, "fields": rows,
		"total": len(found), "has_more": end < len(found),
	}
	if end < len(found) {
		page["next_offset"] = end
	}
	return page, nil
}

// queryWords are what fields are looked for by: one label, or several with commas between them. A caller who
// makes a record knows some fields by the words that people use, and should not have to ask for them one by one.
func queryWords(query string) []string {
	var words []string
	for word := range strings.SplitSeq(strings.ToLower(query), ",") {
		if word = strings.TrimSpace(word); word != "" {
			words = append(words, word)
		}
	}
	return words
}

func describeField(f *toolcall.FieldInfo) fieldRow {
	row := fieldRow{
		Name: f.Name, Type: f.Type, Label: f.Label, Help: mcperr.Clip(f.Help, 200), Required: f.Required, Readonly: f.Readonly,
		Relation: f.Relation, Selection: f.Selection,
		NoSearch: !f.Searchable, NoSort: !f.Sortable, NoGroup: !f.Groupable,
	}
	if len(row.Selection) > 60 {
		row.Selection = append(slices.Clone(row.Selection[:60]), fmt.Sprintf("... %d in all", len(f.Selection)))
	}
	return row
}
