package tools

import (
	"slices"
	"testing"
)

// TestRows: a row that lacks something is found here, and not by the client that sees it; and two tools of one place would
// change places from one build to the next.
func TestRows(t *testing.T) {
	t.Parallel()
	places, names := map[int]string{}, map[string]bool{}
	for _, e := range registered {
		if other, taken := places[e.place]; taken {
			t.Errorf("%s and %s have the place %d", other, e.tool.Name, e.place)
		}
		places[e.place] = e.tool.Name
		if names[e.tool.Name] {
			t.Errorf("there are two tools %s", e.tool.Name)
		}
		names[e.tool.Name] = true
		if e.tool.Title == "" || e.tool.Description == "" || e.tool.Scope == "" || e.tool.Risk == "" || e.tool.Output == nil {
			t.Errorf("the row of %s is not complete", e.tool.Name)
		}
		if !slices.Contains([]string{"read", "write", "execute"}, e.tool.Category) || e.tool.Writes != (e.tool.Category != "read") {
			t.Errorf("%s is of the category %q, and writes: %t", e.tool.Name, e.tool.Category, e.tool.Writes)
		}
	}
}

// TestCatalogsShareNothing: what is done to the tools of one endpoint must not show at another one.
func TestCatalogsShareNothing(t *testing.T) {
	t.Parallel()
	one, other := Catalog(), Catalog()
	for i, tool := range one.All() {
		if tool == other.All()[i] || tool.Input == other.All()[i].Input || tool.Output == other.All()[i].Output {
			t.Errorf("%s is the same in two catalogs", tool.Name)
		}
	}
}
