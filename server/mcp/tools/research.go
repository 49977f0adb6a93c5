package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"doorman/server/access"
	"doorman/server/mcp/toolcall"
)

// The two tools that ChatGPT's deep research, and what is built after it, asks of every server, by these names and with these
// arguments and answers, whose ids are texts. Elsewhere the other tools serve better, so a switch of the connection's policy
// offers them.
func init() {
	add(62, toolcall.Tool{
		Tool:  access.Tool{Name: "search", Scope: access.ScopeSearch, Risk: access.RiskLow, OnSwitch: true},
		Title: "Search", Category: "read", Idempotent: true,
		Description: "Find records by names, numbers or references: send the few words that matter.",
		Output:      outputSchema("results:objects"),
	}, research)
	add(64, toolcall.Tool{
		Tool:  access.Tool{Name: "fetch", Scope: access.ScopeSearch, Risk: access.RiskLow, OnSwitch: true},
		Title: "Fetch", Category: "read", Idempotent: true,
		Description: "Read a record found by search, as text.",
		Output:      outputSchema("id:string", "title:string", "text:string", "url:string", "metadata:object"),
	}, fetch)
}

type researchArgs struct {
	Query string `json:"query"`
}

type researchResult struct {
	Results []researchHit `json:"results"`
}

type researchHit struct {
	ID    string `json:"id"`
	Title string `json:"title"`
	URL   string `json:"url"`
}

func research(ctx context.Context, call *toolcall.Call, args researchArgs) (any, error) {
	query := trimmed(args.Query)
	if n := utf8.RuneCountInString(query); n < 2 || n > access.MaxResearchQuery {
		return nil, access.NewError(access.InvalidInput, fmt.Sprintf("The parameter query must be text of 2 to %d characters.", access.MaxResearchQuery), "Send the words that matter.")
	}
	if err := call.Begin(ctx, ""); err != nil {
		return nil, err
	}
	reply, err := call.Do(ctx, access.Request{Method: "search", Kwargs: map[string]any{"query": query}})
	if err != nil {
		return nil, err
	}
	found := researchResult{Results: []researchHit{}}
	if err := json.Unmarshal(reply.Value, &found); err != nil {
		return nil, err
	}
	return found, nil
}

type fetchArgs struct {
	ID string `json:"id"`
}

type fetched struct {
	ID       string         `json:"id"`
	Title    string         `json:"title"`
	Text     string         `json:"text"`
	URL      string         `json:"url"`
	Metadata map[string]any `json:"metadata"`
}

func fetch(ctx context.Context, call *toolcall.Call, args fetchArgs) (any, error) {
	model, number, _ := strings.Cut(trimmed(args.ID), ":")
	id, err := strconv.ParseInt(number, 10, 32)
	if err != nil || id <= 0 {
		return nil, access.NewError(access.InvalidInput, "The parameter id must be the id of a record.", `Use an id from search, such as "res.partner:15".`)
	}
	m, err := call.Open(ctx, model, "")
	if err != nil {
		return nil, err
	}
	fields := telling(m)
	reply, err := call.Do(ctx, access.Request{
		Model: model, Method: "fetch", IDs: []int64{id}, Kwargs: withNames(map[string]any{"fields": withCurrencies(m, fields)}, m, fields),
	})
	if err != nil {
		return nil, err
	}
	return shapeFetched(reply.Value, m, fields, id)
}

// maxTelling is how many fields a record is told by.
const maxTelling = 40

// telling are the fields that tell what a record is about: those that are read where none are named, its long texts, and
// what is linked with it.
func telling(m *toolcall.ModelInfo) []string {
	fields := slices.Clone(m.Default)
	if m.Fields["display_name"] != nil && !slices.Contains(fields, "display_name") {
		fields = append(fields, "display_name") // its title
	}
	for _, kinds := range [][]string{{"html", "text"}, {"one2many", "many2many"}} {
		for _, name := range m.Names {
			f := m.Fields[name]
			if len(fields) < maxTelling && f.Stored && slices.Contains(kinds, f.Type) && !toolcall.IsNoise(name) && !slices.Contains(fields, name) {
				fields = append(fields, name)
			}
		}
	}
	return fields
}

// shapeFetched writes a record as lines of label and value.
func shapeFetched(raw json.RawMessage, m *toolcall.ModelInfo, fields []string, id int64) (any, error) {
	var answer struct {
		URL string `json:"url"`
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		return nil, err
	}
	shaped, err := shapeRows(raw, m, fields, 0)
	if err != nil {
		return nil, err
	}
	if len(shaped.list) == 0 {
		return nil, access.NewError(access.NotFound, access.Words(access.SayNoRecord, "model", m.Name, "id", id), "Search again: it may have been deleted.")
	}
	var record map[string]json.RawMessage
	if err := json.Unmarshal(shaped.list[0], &record); err != nil {
		return nil, err
	}
	f := fetched{
		ID: fmt.Sprintf("%s:%d", m.Name, id), Title: asText(record["display_name"]), URL: answer.URL,
		Metadata: map[string]any{"model": m.Name, "record_id": id},
	}
	if f.Title == "" {
		f.Title = asText(record["name"])
	}
	if f.Title == "" {
		f.Title = fmt.Sprintf("%s %d", m.Label, id)
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%s: %s\n", m.Label, f.Title)
	for _, name := range fields {
		if value := asText(record[name]); value != "" && name != "id" && name != "display_name" {
			if m.Fields[name].Type == "datetime" {
				value += " UTC" // a text that is quoted by itself
			}
			fmt.Fprintf(&text, "%s: %s\n", m.Fields[name].Label, value)
		}
	}
	if shaped.textCut {
		f.Metadata["text_cut"] = record["text_cut"]
		fmt.Fprintf(&text, "(%s)\n", cutNote)
	}
	f.Text = text.String()
	return f, nil
}

// asText writes a value as a person reads it; "" where there is none.
func asText(raw json.RawMessage) string {
	raw = bytes.TrimSpace(raw)
	var value any
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if len(raw) == 0 || d.Decode(&value) != nil {
		return ""
	}
	switch v := value.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		return map[bool]string{true: "yes", false: "no"}[v]
	case json.Number:
		return v.String()
	case map[string]any:
		return objectText(v, string(raw))
	}
	return string(raw)
}

// objectText writes a link by its name, links by theirs and their number, an amount with its currency.
func objectText(v map[string]any, raw string) string {
	if amount, ok := v["amount"].(json.Number); ok {
		currency, _ := v["currency"].(string)
		return strings.TrimSpace(amount.String() + " " + currency)
	}
	if name, ok := v["name"].(string); ok {
		return name
	}
	ids, ok := v["ids"].([]any)
	if !ok {
		return raw
	}
	count := len(ids)
	if n, given := v["count"].(json.Number); given {
		if all, err := n.Int64(); err == nil {
			count = int(all)
		}
	}
	var names []string
	known, _ := v["names"].([]any)
	for _, name := range known {
		names = append(names, fmt.Sprint(name))
	}
	if left := count - len(names); left > 0 && len(names) > 0 {
		names = append(names, fmt.Sprintf("and %d more", left))
	} else if left > 0 {
		names = []string{fmt.Sprint(left)}
	}
	return strings.Join(names, ", ")
}
