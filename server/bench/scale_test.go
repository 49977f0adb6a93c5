package main

import (
	"math"
	"strings"
	"testing"
)

// TestScaleBars: what takes longer fails, by its ratio; what is within noise does not, and what may grow has no bar.
func TestScaleBars(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		one   scaleSummary
		fails bool
	}{
		{"as long", scaleSummary{Small: 100, Big: 100}, false},
		{"just as much longer as it may", scaleSummary{Small: 100, Big: 130}, false},
		{"longer", scaleSummary{Small: 100, Big: 131}, true},
		{"twice as long, and a millisecond", scaleSummary{Small: 1, Big: 2}, false},
		{"twice as long, and four", scaleSummary{Small: 4, Big: 8}, true},
		{"not measured", scaleSummary{Small: math.NaN(), Big: math.NaN()}, true},
	} {
		c.one.Kind, c.one.Ratio = c.name, c.one.Big/c.one.Small
		if b := c.one.bar(); b.Pass == c.fails {
			t.Errorf("%s: %v", c.name, b)
		}
	}
	p := &scalePart{Kinds: []scaleSummary{{Kind: "flat", Small: 1, Big: 1, Ratio: 1}, {Kind: "pivot", Small: 1, Big: 90, Ratio: 90, Grows: "rows"}}}
	if list := bars(results{Scale: p}); len(list) != 1 || !list[0].Pass {
		t.Errorf("bars: %v", list)
	}
}

// TestScaleSummarise: the least of both, side by side, and only of the same things.
func TestScaleSummarise(t *testing.T) {
	t.Parallel()
	small := &scaleDatabase{kinds: []string{"call", "pivot: connection by status, 7 days"}, least: map[string]float64{"call": 2, "pivot: connection by status, 7 days": 1}}
	big := &scaleDatabase{kinds: small.kinds, least: map[string]float64{"call": 3, "pivot: connection by status, 7 days": 50}}
	var p scalePart
	if err := p.summarise(small, big); err != nil || len(p.Kinds) != 2 || p.Kinds[0].Ratio != 1.5 || p.Kinds[1].Grows == "" {
		t.Fatalf("%v, %v", p, err)
	}
	var table strings.Builder
	p.print(&table)
	if !strings.Contains(table.String(), "| call | 2.0 | 3.0 | 1.50 |") {
		t.Error(table.String())
	}
	for _, kinds := range [][]string{nil, {"call"}, {"pivot: connection by status, 7 days", "call"}} {
		if p.summarise(small, &scaleDatabase{kinds: kinds}) == nil {
			t.Errorf("%v were taken for %v", kinds, small.kinds)
		}
	}
	for name := range scaleGrows {
		if !strings.Contains(scaleMeasure, name) {
			t.Errorf("nothing that is measured is called %q", name)
		}
	}
}
