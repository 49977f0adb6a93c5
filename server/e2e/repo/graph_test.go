package repo_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// graph is who imports whom, by names of packages, modules or rooms.
type graph map[string]map[string]bool

// add draws an arrow. Nobody imports itself.
func (g graph) add(from, to string) {
	if g[from] == nil {
		g[from] = map[string]bool{}
	}
	if to == "" || from == to {
		return
	}
	g[from][to] = true
	if g[to] == nil {
		g[to] = map[string]bool{}
	}
}

// circles returns a way around each knot of nodes that reach each other, its first node at the end again.
func (g graph) circles() (found []string) {
	for _, knot := range g.knots() {
		found = append(found, strings.Join(g.around(knot), " -> "))
	}
	return found
}

// knots are the strongly connected parts of more than one node (Tarjan, 1972).
func (g graph) knots() (knots [][]string) {
	index, low, on := map[string]int{}, map[string]int{}, map[string]bool{}
	var stack []string
	var visit func(string)
	visit = func(v string) {
		index[v], low[v] = len(index)+1, len(index)+1
		stack, on[v] = append(stack, v), true
		for _, w := range slices.Sorted(maps.Keys(g[v])) {
			if index[w] == 0 {
				visit(w)
				low[v] = min(low[v], low[w])
			} else if on[w] {
				low[v] = min(low[v], index[w])
			}
		}
		if low[v] != index[v] {
			return
		}
		at := slices.Index(stack, v)
		knot := slices.Clone(stack[at:])
		stack = stack[:at]
		for _, w := range knot {
			on[w] = false
		}
		if len(knot) > 1 {
			slices.Sort(knot)
			knots = append(knots, knot)
		}
	}
	for _, v := range slices.Sorted(maps.Keys(g)) {
		if index[v] == 0 {
			visit(v)
		}
	}
	return knots
}

// around is a shortest way from the first node of a knot back to it.
func (g graph) around(knot []string) []string {
	from := map[string]string{}
	for next := []string{knot[0]}; len(next) > 0; next = next[1:] {
		for _, w := range slices.Sorted(maps.Keys(g[next[0]])) {
			if w == knot[0] {
				way := []string{w}
				for v := next[0]; v != knot[0]; v = from[v] {
					way = append(way, v)
				}
				way = append(way, knot[0])
				slices.Reverse(way)
				return way
			}
			if _, seen := from[w]; !seen && slices.Contains(knot, w) {
				from[w] = next[0]
				next = append(next, w)
			}
		}
	}
	return knot
}

// against returns the arrows that an order does not allow. The order says of each room which others it may import; "*" is
// all of them. A room that the order does not have may import nothing.
func (g graph) against(order map[string][]string) (wrong []string) {
	for _, from := range slices.Sorted(maps.Keys(g)) {
		for _, to := range slices.Sorted(maps.Keys(g[from])) {
			if !slices.Contains(order[from], "*") && !slices.Contains(order[from], to) {
				wrong = append(wrong, from+" -> "+to)
			}
		}
	}
	return wrong
}

// String draws the arrows, one line for each node that has any.
func (g graph) String() string {
	var out strings.Builder
	for _, from := range slices.Sorted(maps.Keys(g)) {
		if len(g[from]) > 0 {
			fmt.Fprintf(&out, "%s -> %s\n", from, strings.Join(slices.Sorted(maps.Keys(g[from])), ", "))
		}
	}
	return out.String()
}

func TestGraph(t *testing.T) {
	t.Parallel()
	g := graph{}
	for _, arrow := range []string{"a b", "b c", "c b", "c d", "d e", "e f", "f d", "g a", "a a", "h "} {
		from, to, _ := strings.Cut(arrow, " ")
		g.add(from, to)
	}
	if got := g.circles(); !slices.Equal(got, []string{"d -> e -> f -> d", "b -> c -> b"}) {
		t.Errorf("circles: %q", got)
	}
	order := map[string][]string{"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": {"*"}, "e": {"f"}, "g": {}}
	if got := g.against(order); !slices.Equal(got, []string{"f -> d", "g -> a"}) {
		t.Errorf("against the order: %q", got)
	}
	if got := g.String(); !strings.HasPrefix(got, "a -> b\nb -> c\nc -> b, d\n") || strings.Contains(got, "h") {
		t.Errorf("drawn:\n%s", got)
	}
	delete(g["c"], "b")
	delete(g["f"], "d")
	if got := g.circles(); len(got) != 0 {
		t.Errorf("no circle, but: %q", got)
	}
}
