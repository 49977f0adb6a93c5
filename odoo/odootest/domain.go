package odootest

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

type predicate func(Record) bool

// compile reads a domain in Odoo's prefix notation. Paths through a relation compare the related record's name.
func (t *table) compile(model string, domain any) (predicate, *Problem) {
	items, _ := domain.([]any)
	var all []predicate
	for len(items) > 0 {
		p, rest, problem := t.term(model, items)
		if problem != nil {
			return nil, problem
		}
		all, items = append(all, p), rest
	}
	return func(r Record) bool {
		return !slices.ContainsFunc(all, func(p predicate) bool { return !p(r) })
	}, nil
}

// term reads one term, or an operator with its terms.
func (t *table) term(model string, items []any) (predicate, []any, *Problem) {
	bad := &Problem{Kind: "invalid_input", Code: "malformed_domain", Message: "The domain is not well formed."}
	if len(items) == 0 {
		return nil, nil, bad
	}
	if op, ok := items[0].(string); ok {
		a, rest, p := t.term(model, items[1:])
		if p != nil {
			return nil, nil, p
		}
		if op == "!" {
			return func(r Record) bool { return !a(r) }, rest, nil
		}
		b, rest, p := t.term(model, rest)
		switch {
		case p != nil:
			return nil, nil, p
		case op == "|":
			return func(r Record) bool { return a(r) || b(r) }, rest, nil
		case op == "&":
			return func(r Record) bool { return a(r) && b(r) }, rest, nil
		}
		return nil, nil, bad
	}
	leaf, ok := items[0].([]any)
	if !ok || len(leaf) != 3 {
		return nil, nil, bad
	}
	path, _ := leaf[0].(string)
	op, _ := leaf[1].(string)
	name, _, _ := strings.Cut(path, ".")
	if p := t.known(model, slices.Values([]string{name})); p != nil {
		return nil, nil, p
	}
	test := operators[op]
	if test == nil {
		return nil, nil, &Problem{Kind: "invalid_input", Code: "malformed_domain", Message: fmt.Sprintf("Invalid operator '%s' in a domain.", op)}
	}
	return func(r Record) bool { return test(r[name], leaf[2]) }, items[1:], nil
}

var operators = map[string]func(have, want any) bool{
	"=":         equal,
	"!=":        func(h, w any) bool { return !equal(h, w) },
	"in":        in,
	"not in":    func(h, w any) bool { return !in(h, w) },
	"<":         func(h, w any) bool { return compare(h, w) < 0 },
	"<=":        func(h, w any) bool { return compare(h, w) <= 0 },
	">":         func(h, w any) bool { return compare(h, w) > 0 },
	">=":        func(h, w any) bool { return compare(h, w) >= 0 },
	"like":      func(h, w any) bool { return strings.Contains(text(h), text(w)) },
	"ilike":     func(h, w any) bool { return strings.Contains(strings.ToLower(text(h)), strings.ToLower(text(w))) },
	"not ilike": func(h, w any) bool { return !strings.Contains(strings.ToLower(text(h)), strings.ToLower(text(w))) },
}

func in(have, want any) bool {
	list, _ := want.([]any)
	return slices.ContainsFunc(list, func(w any) bool { return equal(have, w) })
}

// equal compares as Odoo does: a many2one equals its id or its name.
func equal(have, want any) bool {
	if m, ok := have.([]any); ok && len(m) == 2 {
		return equal(m[0], want) || equal(m[1], want)
	}
	if w, ok := want.([]any); ok && len(w) == 2 {
		return equal(have, w[0])
	}
	if n := number(want); n != -1 {
		return number(have) == n
	}
	return have == want
}

// compare orders two values of a field; empty ones come first.
func compare(a, b any) int {
	na, nb := number(a), number(b)
	if na != -1 || nb != -1 {
		return cmp.Compare(na, nb)
	}
	return strings.Compare(text(a), text(b))
}

func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case []any:
		if len(x) == 2 {
			return text(x[1])
		}
	case float64:
		return fmt.Sprint(x)
	case bool:
		if x {
			return "true"
		}
	}
	return ""
}
