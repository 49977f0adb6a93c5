package tools

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

const (
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
	// textCut says that some texts were given in part.
	textCut bool
	// unreadable says why a field is not there, by name.
	unreadable map[string]string
	total      *int       // how many match in all; nil = it was not counted
	more       bool       // there are more that were not read
	most       int        // that this connection gets in a reply, where it gets less than it asked for; 0 = it got as many
	nearest    []nearName // names near to one that finds nothing
}

// note says what the reply leaves out, and how to get the rest: of the records by next, of the texts by text_offset.
func (r *rows) note(next string) string {
	var parts []string
	if r.cut {
		parts = append(parts, "The reply was cut because it is large: "+next+", or name fewer fields.")
	}
	if r.most > 0 {
		parts = append(parts, mostNote(r.most, next))
	}
	if r.textCut {
		parts = append(parts, cutNote)
	}
	return strings.Join(parts, " ")
}

// mostNote says that there are more rows than a connection gets in one reply.
func mostNote(most int, next string) string {
	return fmt.Sprintf("The row limit of this connection is %d now: %s.", most, next)
}

// shapeRows turns Odoo's rows into ours: many2one as {id, name}, no false for "empty", HTML as Markdown, bounded.
//
// fields give the order of the keys; id always comes first. Texts are read from an offset on.
func shapeRows(raw json.RawMessage, m *toolcall.ModelInfo, fields []string, offset int) (rows, error) {
	answer, err := rowsOf(raw)
	if err != nil {
		return rows{}, err
	}
	most := maxText
	if len(answer.Rows) == 1 {
		most = maxPage
	}
	out := answer.shape(m, fields, reading{offset, most})
	if len(out.list) == 0 && len(answer.Rows) == 1 && offset == 0 {
		out = answer.shape(m, fields, reading{most: maxText}) // several long texts
	}
	if len(out.list) == 0 && len(answer.Rows) > 0 {
		return rows{}, access.NewError(access.TooLarge, fmt.Sprintf("Record %s alone is too long for one reply with these fields.", answer.Rows[0]["id"]), "Name fewer fields.")
	}
	return out, nil
}

// shape gives as many of the rows as fit.
func (a *readAnswer) shape(m *toolcall.ModelInfo, fields []string, texts reading) rows {
	out, room := rows{list: make([]json.RawMessage, 0, len(a.Rows)), unreadable: a.Unreadable, total: a.Total, nearest: a.Nearest, more: a.More, most: a.Most}, newBudget()
	for _, record := range a.Rows {
		row, cut := shapeRow(record, m, fields, a.Names, texts)
		if !room.take(row) {
			out.cut = true
			break
		}
		out.textCut = out.textCut || cut
		out.list = append(out.list, row)
	}
	return out
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
	More       bool              `json:"more"`
	Most       int               `json:"most"`
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

// shapeRow gives one record; cut says that a text of it was given in part, which its key text_cut tells about.
func shapeRow(record map[string]json.RawMessage, m *toolcall.ModelInfo, fields []string, names linkedNames, texts reading) (row json.RawMessage, cut bool) {
	var b bytes.Buffer
	cuts := map[string]*textCut{}
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
		f := m.Fields[name]
		if isText(f) && string(value) != "false" {
			var missing *textCut
			if value, missing = texts.shape(value, f); missing != nil {
				cuts[name] = missing
			}
			b.Write(value)
			continue
		}
		b.Write(shapeField(value, f, record, names[name]))
	}
	if len(cuts) > 0 {
		b.WriteString(`,"text_cut":`)
		b.Write(encoded(cuts, null))
	}
	b.WriteByte('}')
	return b.Bytes(), len(cuts) > 0
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
	case "html", "char", "text":
		return clipped(v, f)
	case "binary":
		// Odoo gives the size of a file as text; the file itself never comes here.
		return encoded(map[string]json.RawMessage{"size": v}, null)
	}
	return v
}

// shapeUnknown turns a value into ours whose field is not known: of a model that was not asked about.
func shapeUnknown(v json.RawMessage) json.RawMessage {
	var list []json.RawMessage
	switch {
	case len(v) > 0 && v[0] == '"':
		return clipped(v, &toolcall.FieldInfo{Type: "text"})
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
