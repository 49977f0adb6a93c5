package main

import (
	"cmp"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"doorman/odoo/localodoo"
)

// scaleFill and scaleMeasure are Python for `odoo shell`; what they need to know is put before them.
var (
	//go:embed scale_fill.py
	scaleFill string
	//go:embed scale_measure.py
	scaleMeasure string
)

// scaleSize is what a database holds.
type scaleSize struct {
	Connections int `json:"connections"`
	Rows        int `json:"rows"` // of the audit
	// Share is how much of the rows the busiest connection has, in percent.
	Share int `json:"busiest_percent"`
}

const (
	smallConnections = 100
	smallRows        = 10_000
	smallShare       = 30
	bigShare         = 3
	rowsAConnection  = 300 // in the big database
	// scaleTimes is how often each thing is measured in one turn of a database.
	scaleTimes = 5
)

// scalePart is what grows with connections and the audit, and what does not.
type scalePart struct {
	Small scaleSize      `json:"small"`
	Big   scaleSize      `json:"big"`
	Kinds []scaleSummary `json:"kinds"`
}

// scaleSummary is one screen or query. Times are the least of all turns, in ms.
type scaleSummary struct {
	Kind  string  `json:"kind"`
	Small float64 `json:"small_ms"`
	Big   float64 `json:"big_ms"`
	Ratio float64 `json:"ratio"`
	// Grows says with what it grows, and that it may; empty: it has a bar.
	Grows string `json:"grows,omitempty"`
}

// scaleGrows are analyses of everything in a period, which a person asks for.
var scaleGrows = map[string]string{
	"pivot: connection by status, 7 days": "connections that it shows",
	"group: tool, 7 days":                 "rows of a week",
	"sort: slowest first, 7 days":         "rows of a week",
}

// filled is what the fill script tells of a database; the measuring script takes it as it is.
type filled = json.RawMessage

// measureScale fills a small and a big database and measures them in turns.
func measureScale(ctx context.Context, o options, tools *toolbox) (*scalePart, error) {
	host, small, err := startReal(ctx, o, tools, "doorman")
	if err != nil {
		return nil, err
	}
	defer func() { _ = host.Close() }()
	big, err := host.NewDatabase(ctx)
	if err != nil {
		return nil, err
	}
	p := &scalePart{
		Small: scaleSize{smallConnections, smallRows, smallShare},
		Big:   scaleSize{max(o.rows/rowsAConnection, smallConnections), o.rows, bigShare},
	}
	databases := []*scaleDatabase{{name: small, size: p.Small}, {name: big, size: p.Big}}
	for _, d := range databases {
		say("Making %d connections and %d audit rows ...", d.size.Connections, d.size.Rows)
		if err := d.fill(ctx, host); err != nil {
			return nil, err
		}
	}
	for round := range o.rounds {
		say("Measuring, round %d of %d ...", round+1, o.rounds)
		for _, d := range databases {
			if err := d.measure(ctx, host); err != nil {
				return nil, err
			}
		}
		slices.Reverse(databases)
	}
	slices.SortFunc(databases, func(a, b *scaleDatabase) int { return cmp.Compare(a.size.Rows, b.size.Rows) })
	return p, p.summarise(databases[0], databases[1])
}

// scaleDatabase is one of the two.
type scaleDatabase struct {
	name   string
	size   scaleSize
	filled filled
	kinds  []string           // in the order in which they are measured
	least  map[string]float64 // ms
}

func (d *scaleDatabase) fill(ctx context.Context, host *localodoo.Host) error {
	// As in a database that Odoo itself has made.
	if _, err := host.Psql(ctx, d.name, "CREATE EXTENSION IF NOT EXISTS pg_trgm"); err != nil {
		return err
	}
	out, err := host.Shell(ctx, d.name, fmt.Sprintf("SIZE = (%d, %d, %d)\n%s", d.size.Connections, d.size.Rows, d.size.Share, scaleFill))
	if err != nil {
		return err
	}
	if d.filled, err = marked(out, "FILLED "); err != nil {
		return err
	}
	_, err = host.Psql(ctx, d.name, "VACUUM ANALYZE")
	return err
}

// measure takes a turn, and keeps the least of each.
func (d *scaleDatabase) measure(ctx context.Context, host *localodoo.Host) error {
	out, err := host.Shell(ctx, d.name, fmt.Sprintf("import json\nGIVEN = (json.loads(%q), %d)\n%s", string(d.filled), scaleTimes, scaleMeasure))
	if err != nil {
		return err
	}
	body, err := marked(out, "MEASURED ")
	if err != nil {
		return err
	}
	var took []struct {
		Kind string  `json:"kind"`
		MS   float64 `json:"ms"`
	}
	if err := json.Unmarshal(body, &took); err != nil {
		return err
	}
	if d.least == nil {
		d.least = map[string]float64{}
	}
	for _, one := range took {
		if before, known := d.least[one.Kind]; known {
			d.least[one.Kind] = min(before, one.MS)
			continue
		}
		d.kinds = append(d.kinds, one.Kind)
		d.least[one.Kind] = one.MS
	}
	return nil
}

// summarise puts the two side by side.
func (p *scalePart) summarise(small, big *scaleDatabase) error {
	if len(small.kinds) == 0 || !slices.Equal(small.kinds, big.kinds) {
		return errors.New("the two databases were not measured alike")
	}
	for _, kind := range small.kinds {
		p.Kinds = append(p.Kinds, scaleSummary{
			Kind: kind, Small: small.least[kind], Big: big.least[kind], Ratio: big.least[kind] / small.least[kind], Grows: scaleGrows[kind],
		})
	}
	return nil
}

// marked is the JSON of the line of out that begins with mark.
func marked(out, mark string) (json.RawMessage, error) {
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), mark); found {
			return json.RawMessage(text), nil
		}
	}
	return nil, fmt.Errorf("the script printed no %q", mark)
}

// bar judges one kind: by its ratio, but for what is too little to tell from noise.
func (s scaleSummary) bar() bar {
	b := newBar("scale, "+s.Kind, s.Ratio, maxScale, atMost)
	b.Pass = b.Pass || s.Big-s.Small <= maxScaleNoise
	return b
}

// print writes the part as a table.
func (p *scalePart) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "\nWith %d connections and %d audit rows, and with %d and %d\n\n", p.Small.Connections, p.Small.Rows, p.Big.Connections, p.Big.Rows)
	p.table(w)
}

// table writes what each thing took, with the small audit and with the big one.
func (p *scalePart) table(w io.Writer) {
	_, _ = fmt.Fprintf(w, "| | small, ms | big, ms | times |\n| --- | --- | --- | --- |\n")
	for _, s := range p.Kinds {
		ratio := fmt.Sprintf("%.2f", s.Ratio)
		if s.Grows != "" {
			ratio += ": grows with the " + s.Grows
		}
		_, _ = fmt.Fprintf(w, "| %s | %.1f | %.1f | %s |\n", s.Kind, s.Small, s.Big, ratio)
	}
}
