package odootest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// group is formatted_read_group: one row a combination of the group-by values, with the aggregates and the domain that
// leads back to the records.
func (t *table) group(c Call) (any, *Problem) {
	rows, p := t.search(Call{Model: c.Model}, c.Kwargs["domain"])
	if p != nil {
		return nil, p
	}
	by, aggregates := words(c.Kwargs["groupby"]), words(c.Kwargs["aggregates"])
	for _, spec := range append(slices.Clone(by), aggregates...) {
		name, _, _ := strings.Cut(spec, ":")
		if name == "__count" {
			continue
		}
		if p := t.known(c.Model, slices.Values([]string{name})); p != nil {
			return nil, p
		}
	}
	groups := map[string]*bucket{}
	var keys []string
	for _, r := range rows {
		b := newBucket(by, r)
		if groups[b.key] == nil {
			groups[b.key] = b
			keys = append(keys, b.key)
		}
		groups[b.key].rows = append(groups[b.key].rows, r)
	}
	out := []Record{}
	for _, key := range keys {
		out = append(out, groups[key].row(by, aggregates))
	}
	order, _ := c.Kwargs["order"].(string)
	if order == "" {
		order = strings.Join(by, ",")
	}
	sortRows(out, order)
	if facts, _ := c.Kwargs["facts"].(bool); facts {
		return map[string]any{"groups": told(page(out, c.Kwargs), by)}, nil
	}
	return page(out, c.Kwargs), nil
}

// told tells the periods of groups as the addon does for the service.
func told(rows []Record, by []string) []Record {
	for _, row := range rows {
		for _, spec := range by {
			if pair, ok := row[spec].([]any); ok && strings.Contains(spec, ":") {
				row[spec] = map[string]any{"from": pair[0], "label": pair[1]}
			}
		}
	}
	return rows
}

// bucket is the records of one group.
type bucket struct {
	key    string
	values map[string]any
	domain []any
	rows   []Record
}

func newBucket(by []string, r Record) *bucket {
	b := &bucket{values: map[string]any{}, domain: []any{}}
	for _, spec := range by {
		name, unit, _ := strings.Cut(spec, ":")
		value := r[name]
		if from, label, ok := period(value, unit); ok {
			b.values[spec] = []any{from, label}
			b.domain = append(b.domain, []any{name, ">=", from})
		} else {
			b.values[spec] = value
			b.domain = append(b.domain, []any{name, "=", id(value)})
		}
		b.key += fmt.Sprintf("%v\x00", b.values[spec])
	}
	return b
}

func (b *bucket) row(by, aggregates []string) Record {
	out := Record{"__extra_domain": b.domain}
	for _, spec := range by {
		out[spec] = b.values[spec]
	}
	for _, spec := range aggregates {
		out[spec] = b.aggregate(spec)
	}
	return out
}

func (b *bucket) aggregate(spec string) any {
	name, how, _ := strings.Cut(spec, ":")
	if name == "__count" {
		return len(b.rows)
	}
	var sum, low, high float64
	distinct := map[string]bool{}
	for i, r := range b.rows {
		n := number(r[name])
		sum += n
		if low = min(low, n); i == 0 {
			low = n
		}
		if high = max(high, n); i == 0 {
			high = n
		}
		distinct[fmt.Sprint(id(r[name]))] = true
	}
	switch how {
	case "avg":
		return sum / float64(max(len(b.rows), 1))
	case "min":
		return low
	case "max":
		return high
	case "count":
		return len(b.rows)
	case "count_distinct":
		return len(distinct)
	}
	return sum
}

// period cuts a date to the first day of its month, quarter or year.
func period(value any, unit string) (from, label string, ok bool) {
	s, _ := value.(string)
	if unit == "" || len(s) < len(time.DateOnly) {
		return "", "", false
	}
	d, err := time.Parse(time.DateOnly, s[:len(time.DateOnly)])
	if err != nil {
		return "", "", false
	}
	switch unit {
	case "day":
		label = d.Format("02 Jan 2006")
	case "year":
		d = time.Date(d.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
		label = d.Format("2006")
	case "quarter":
		d = time.Date(d.Year(), (d.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
		label = fmt.Sprintf("Q%d %d", (d.Month()+2)/3, d.Year())
	default:
		d = time.Date(d.Year(), d.Month(), 1, 0, 0, 0, 0, time.UTC)
		label = d.Format("January 2006")
	}
	return d.Format(time.DateOnly), label, true
}

// id is what a value is compared by.
func id(v any) any {
	if m, ok := v.([]any); ok && len(m) == 2 {
		return m[0]
	}
	return v
}

func words(v any) []string {
	list, _ := v.([]any)
	out := []string{}
	for _, item := range list {
		if s, ok := item.(string); ok {
			out = append(out, s)
		}
	}
	return out
}
