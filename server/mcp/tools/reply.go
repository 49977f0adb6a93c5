package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/net/html"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

const (
	// maxText is how long one text may be in a list of records.
	maxText = 2_000
	// maxIDs is how many ids of a one2many or many2many are given.
	maxIDs = 50
	// maxNames is how many of them with their names.
	maxNames = 3
)

var null = json.RawMessage("null")

// rows are records on their way to the client, each already JSON, in the order of the fields asked for.
type rows struct {
	list []json.RawMessage
	cut  bool // more were read than fit
	// unreadable says why a field is not there, by name.
	unreadable map[string]string
	total      *int       // how many match in all; nil = it was not counted
	nearest    []nearName // names near to one that finds nothing
}

// shapeRows turns Odoo's rows into ours: many2one as {id, name}, no false for "empty", no markup, bounded.
//
// fields give the order of the keys; id always comes first.
func shapeRows(raw json.RawMessage, m *toolcall.ModelInfo, fields []string) (rows, error) {
	answer, err := rowsOf(raw)
	if err != nil {
		return rows{}, err
	}
	out := rows{list: make([]json.RawMessage, 0, len(answer.Rows)), unreadable: answer.Unreadable, total: answer.Total, nearest: answer.Nearest}
	size := 0
	for _, record := range answer.Rows {
		row := shapeRow(record, m, fields, answer.Names)
		if size += len(row) + 1; size > access.MaxReply && len(out.list) > 0 {
			out.cut = true
			break
		}
		if size > access.MaxReply {
			return rows{}, access.NewError(access.TooLarge,
				fmt.Sprintf("Record %s alone has more than %d characters in these fields.", record["id"], access.MaxReply), "Name fewer fields.")
		}
		out.list = append(out.list, row)
	}
	return out, nil
}

// linkedNames are names of linked records, by field and id.
type linkedNames map[string]map[string]string

// readAnswer is what Odoo gives for a read: rows, and the names of linked records where they were asked for.
type readAnswer struct {
	Rows  []map[string]json.RawMessage `json:"rows"`
	Names linkedNames                  `json:"names"`
	// Unreadable are fields that Odoo failed to read, and why: the others must not be lost with them.
	Unreadable map[string]string `json:"unreadable"`
	Total      *int              `json:"total"`
	Nearest    []nearName        `json:"nearest"`
}

func rowsOf(raw json.RawMessage) (readAnswer, error) {
	var answer readAnswer
	if raw = bytes.TrimSpace(raw); len(raw) > 0 && raw[0] == '{' {
		err := json.Unmarshal(raw, &answer)
		if err == nil && answer.Rows == nil {
			err = errors.New("an answer to a read without rows")
		}
		return answer, err
	}
	return answer, json.Unmarshal(raw, &answer.Rows)
}

func shapeRow(record map[string]json.RawMessage, m *toolcall.ModelInfo, fields []string, names linkedNames) json.RawMessage {
	var b bytes.Buffer
	b.WriteString(`{"id":`)
	b.Write(record["id"])
	for _, name := range fields {
		value, ok := record[name]
		if name == "id" || !ok {
			continue
		}
		b.WriteString(`,"`)
		b.WriteString(name) // a field name of Odoo's: letters, digits, underscore
		b.WriteString(`":`)
		b.Write(shapeField(value, m.Fields[name], record, names[name]))
	}
	b.WriteByte('}')
	return b.Bytes()
}

// shapeField is shapeValue with what else is known of the record: names of linked records, the currency of an amount.
func shapeField(v json.RawMessage, f *toolcall.FieldInfo, record map[string]json.RawMessage, names map[string]string) json.RawMessage {
	if f == nil {
		return v
	}
	switch {
	case names != nil && (f.Type == "one2many" || f.Type == "many2many"):
		return shapeLinked(v, names)
	case f.Type == "monetary" && f.Currency != "" && string(v) != "false":
		return shapeAmount(v, record[f.Currency])
	}
	return shapeValue(v, f)
}

// shapeLinked gives ids, how many there are if not all are given, and the first names.
func shapeLinked(v json.RawMessage, names map[string]string) json.RawMessage {
	var ids []json.RawMessage
	if json.Unmarshal(v, &ids) != nil {
		return v
	}
	linked := struct {
		IDs   []json.RawMessage `json:"ids"`
		Names []string          `json:"names,omitempty"`
		Count int               `json:"count,omitempty"`
	}{IDs: ids[:min(maxIDs, len(ids))]}
	if len(ids) > maxIDs {
		linked.Count = len(ids)
	}
	for _, id := range ids[:min(maxNames, len(ids))] {
		if name, ok := names[string(id)]; ok {
			linked.Names = append(linked.Names, mcperr.Clip(name, 100))
		}
	}
	if linked.IDs == nil {
		linked.IDs = []json.RawMessage{}
	}
	return encoded(linked, v)
}

// shapeAmount puts the name of its currency to an amount: without it, a sum over records may add up euros and dollars.
func shapeAmount(v, currency json.RawMessage) json.RawMessage {
	var pair []json.RawMessage
	if json.Unmarshal(currency, &pair) != nil || len(pair) != 2 {
		return v
	}
	return encoded(struct {
		Amount   json.RawMessage `json:"amount"`
		Currency json.RawMessage `json:"currency"`
	}{v, pair[1]}, v)
}

// encoded is the JSON of a value, or another one where that fails.
func encoded(value any, otherwise json.RawMessage) json.RawMessage {
	out, err := json.Marshal(value)
	if err != nil {
		return otherwise
	}
	return out
}

// shapeValue turns one value of Odoo's into ours.
func shapeValue(v json.RawMessage, f *toolcall.FieldInfo) json.RawMessage {
	if f == nil {
		return v
	}
	if string(v) == "false" && f.Type != "boolean" {
		return null // Odoo's "nothing"
	}
	switch f.Type {
	case "many2one":
		return shapeMany2one(v)
	case "one2many", "many2many":
		return shapeIDs(v)
	case "html":
		return shapeText(v, true)
	case "char", "text":
		return shapeText(v, false)
	case "binary":
		// Odoo gives the size of a file as text; the file itself never comes here.
		return encoded(map[string]json.RawMessage{"size": shapeText(v, false)}, null)
	}
	return v
}

// shapeUnknown turns a value into ours whose field is not known: of a model that was not asked about.
func shapeUnknown(v json.RawMessage) json.RawMessage {
	var list []json.RawMessage
	switch {
	case len(v) > 0 && v[0] == '"':
		return shapeText(v, false)
	case json.Unmarshal(v, &list) != nil:
		return v
	case len(list) == 2 && len(list[1]) > 0 && list[1][0] == '"':
		return shapeMany2one(v)
	}
	return shapeIDs(v)
}

func shapeMany2one(v json.RawMessage) json.RawMessage {
	var pair []json.RawMessage
	if json.Unmarshal(v, &pair) != nil || len(pair) != 2 {
		return v
	}
	out := make([]byte, 0, len(v)+16)
	out = append(out, `{"id":`...)
	out = append(out, pair[0]...)
	out = append(out, `,"name":`...)
	out = append(out, pair[1]...)
	return append(out, '}')
}

func shapeIDs(v json.RawMessage) json.RawMessage {
	var ids []json.RawMessage
	if json.Unmarshal(v, &ids) != nil || len(ids) <= maxIDs {
		return v
	}
	short, err := json.Marshal(map[string]any{"ids": ids[:maxIDs], "count": len(ids)})
	if err != nil {
		return v
	}
	return short
}

func shapeText(v json.RawMessage, markup bool) json.RawMessage {
	if !markup && len(v) <= maxText {
		return v
	}
	var text string
	if json.Unmarshal(v, &text) != nil {
		return v
	}
	if markup {
		text = plainText(text)
	}
	out, err := json.Marshal(mcperr.Clip(text, maxText))
	if err != nil {
		return v
	}
	return out
}

// plainText drops the markup of a text and keeps its lines.
func plainText(markup string) string {
	var b strings.Builder
	z := html.NewTokenizer(strings.NewReader(markup))
	skip := 0
	for {
		switch z.Next() {
		case html.ErrorToken:
			return strings.TrimSpace(collapse(b.String()))
		case html.TextToken:
			if skip == 0 {
				b.Write(z.Text())
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			name, _ := z.TagName()
			switch string(name) {
			case "br", "p", "div", "li", "tr", "h1", "h2", "h3":
				b.WriteByte('\n')
			case "style", "script":
				skip++
			}
		case html.EndTagToken:
			if name, _ := z.TagName(); skip > 0 && (string(name) == "style" || string(name) == "script") {
				skip--
			}
		}
	}
}

// collapse joins runs of blanks, and of empty lines.
func collapse(s string) string {
	var lines []string
	for line := range strings.Lines(html.UnescapeString(s)) {
		line = strings.Join(strings.Fields(line), " ")
		if line != "" || (len(lines) > 0 && lines[len(lines)-1] != "") {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
