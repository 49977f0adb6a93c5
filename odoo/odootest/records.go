package odootest

import (
	"fmt"
	"maps"
	"slices"
)

// Field is the metadata of one field, with the attributes that the addon asks fields_get for.
type Field struct {
	Name      string
	Type      string // char, text, integer, float, boolean, date, many2one, selection
	Label     string
	Relation  string // model, for many2one
	Required  bool
	ReadOnly  bool
	Selection [][2]string
}

// Record is a row: values by field name, "id" included; a many2one is [id, display name] or false.
type Record = map[string]any

// Model is what AddModel adds.
type Model struct {
	Label   string // as a person reads it, e.g. "Contact"
	Order   string // of search_read when none is asked for, e.g. "name, id"; "" = "id"
	Fields  []Field
	Records []Record // those without an id get one
}

type table struct {
	label  string
	order  string
	fields []Field
	rows   map[int64]Record
	next   int64
}

// AddModel adds a model, or replaces it. "id" and "display_name" are added to its fields.
func (s *Server) AddModel(name string, m Model) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.tables[name] = newTable(m)
}

// Record returns a copy of a record; nil if it is not there.
func (s *Server) Record(model string, id int64) Record {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if t := s.tables[model]; t != nil {
		return maps.Clone(t.rows[id])
	}
	return nil
}

// Delete takes a record away, as somebody else in Odoo would.
func (s *Server) Delete(model string, id int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if t := s.tables[model]; t != nil {
		delete(t.rows, id)
	}
}

func newTable(m Model) *table {
	t := &table{label: m.Label, order: m.Order, rows: map[int64]Record{}, next: 1}
	if t.order == "" {
		t.order = "id"
	}
	t.fields = append([]Field{
		{Name: "id", Type: "integer", Label: "ID", ReadOnly: true},
		{Name: "display_name", Type: "char", Label: "Display Name", ReadOnly: true},
	}, m.Fields...)
	for _, r := range m.Records {
		t.add(r)
	}
	return t
}

// add stores a row, with every field set: Odoo's empty value is false.
func (t *table) add(values Record) int64 {
	r := Record{}
	for _, f := range t.fields {
		r[f.Name] = false
		if f.Type == "integer" || f.Type == "float" {
			r[f.Name] = float64(0)
		}
	}
	maps.Copy(r, values)
	id := int64(number(values["id"]))
	if id <= 0 {
		id = t.next
	}
	t.next = max(t.next, id) + 1
	r["id"] = float64(id)
	if _, ok := values["display_name"]; !ok {
		r["display_name"] = r["name"]
	}
	t.rows[id] = r
	return id
}

func (t *table) field(name string) (Field, bool) {
	i := slices.IndexFunc(t.fields, func(f Field) bool { return f.Name == name })
	if i < 0 {
		return Field{}, false
	}
	return t.fields[i], true
}

func (t *table) ids() []int64 { return slices.Sorted(maps.Keys(t.rows)) }

// describe is the addon's fields_get: the fields, with the model's label and order, and which are read where none are named.
func (t *table) describe() map[string]any {
	out, chosen := map[string]any{}, []string{}
	for _, f := range t.fields {
		d := map[string]any{
			"type": f.Type, "string": f.Label, "required": f.Required, "readonly": f.ReadOnly, "store": f.Name != "display_name",
			"default_export_compatible": f.Required,
			"searchable":                true, "sortable": f.Name != "display_name", "groupable": f.Name != "display_name",
		}
		if f.Relation != "" {
			d["relation"] = f.Relation
		}
		if f.Selection != nil {
			d["selection"] = f.Selection
		}
		if f.Type == "integer" || f.Type == "float" {
			d["aggregator"] = "sum"
		}
		out[f.Name] = d
		if f.Name != "display_name" && len(chosen) < 15 {
			chosen = append(chosen, f.Name)
		}
	}
	return map[string]any{"label": t.label, "order": t.order, "default": chosen, "fields": out}
}

// demoTables is a small company: its contacts and their countries.
func demoTables(partners int) map[string]*table {
	countries := []string{"Belgium", "France", "Germany", "Vietnam"}
	country := newTable(Model{Label: "Country", Order: "name, id", Fields: []Field{
		{Name: "name", Type: "char", Label: "Country Name", Required: true},
		{Name: "code", Type: "char", Label: "Country Code", Required: true},
	}})
	for i, name := range countries {
		country.add(Record{"name": name, "code": []string{"BE", "FR", "DE", "VN"}[i]})
	}
	partner := newTable(Model{Label: "Contact", Order: "name, id", Fields: []Field{
		{Name: "name", Type: "char", Label: "Name"},
		{Name: "email", Type: "char", Label: "Email"},
		{Name: "phone", Type: "char", Label: "Phone"},
		{Name: "active", Type: "boolean", Label: "Active"},
		{Name: "is_company", Type: "boolean", Label: "Is a Company"},
		{Name: "color", Type: "integer", Label: "Color Index"},
		{Name: "city", Type: "char", Label: "City"},
		{Name: "country_id", Type: "many2one", Label: "Country", Relation: "res.country"},
		{Name: "create_date", Type: "datetime", Label: "Created on", ReadOnly: true},
		{
			Name: "type", Type: "selection", Label: "Address Type",
			Selection: [][2]string{{"contact", "Contact"}, {"invoice", "Invoice"}},
		},
	}})
	for i := range partners {
		n := i % len(countries)
		partner.add(Record{
			"name": fmt.Sprintf("Partner %02d", i+1), "email": fmt.Sprintf("partner%d@example.com", i+1), "active": true,
			"is_company": i%3 == 0, "color": float64(i % 5), "type": "contact",
			"city":        []string{"Brussels", "Lyon", "Berlin", "Hanoi"}[n],
			"country_id":  []any{float64(n + 1), countries[n]},
			"create_date": fmt.Sprintf("2026-%02d-15 10:00:00", i%12+1),
		})
	}
	return map[string]*table{"res.country": country, "res.partner": partner}
}
