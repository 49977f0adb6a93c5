package repo_test

import (
	"go/ast"
	"go/printer"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// counted is a number before what it counts: "%d rows" is wrong for one.
var counted = regexp.MustCompile(`%[dv] (?:more )?(?:bytes|characters|columns|conditions|days|errors|fields|files|hours|ids|levels|letters|` +
	`lines|minutes|models|objects|parts|people|records|requests|rows|seconds|texts|things|times|tokens|tools|values)\b`)

// verbs are the places in a format.
var verbs = regexp.MustCompile(`%[^%\s]*?[a-zA-Z]`)

// neverOne are texts whose number is never 1, for a reason that cannot be read from the code.
var neverOne = map[string]string{
	"%s must be a text of %d to %d characters.":             "the limits of fields, in input.go",
	"%s must be a list of %d to %d texts of one line each.": "a limit",
	"%s has %d characters, more than %d.":                   "the limits of texts",
	"%d characters exceed the limit of %d.":                 "more than the limit",
	"The parameter %s has %d characters, more than %d.":     "more than the limit",
	"The answer has about %d tokens, more than %d.":         "more than the limit",
	"%d ids exceed the limit of %d.":                        "more than the limit",
	"%d records exceed the limit of %d.":                    "more than the limit",
	"%d seconds":                                            "1 second has a text of its own",
	"%d minutes":                                            "1 minute has a text of its own, or is told in seconds",
	"%d hours":                                              "2 hours are told in minutes",
	"%s (the first %d of %d letters)":                       "of more than one",
	"%d values for %d columns":                              "a bug of the addon's, for its developers",
}

// TestNumbersBeforePlurals: a text with a number before a plural reads wrong where the number is 1. It has another order
// of words ("rows: %d"), or a text of its own for 1; the number is one of our own limits, or was compared before.
func TestNumbersBeforePlurals(t *testing.T) {
	t.Parallel()
	for _, file := range parse(t, "server", "odoo", "jobs") {
		if dir := file.name; strings.HasPrefix(dir, "server/e2e/") || strings.HasPrefix(dir, "server/bench/") || strings.HasPrefix(dir, "server/demo/") ||
			strings.HasPrefix(dir, "odoo/odootest/") || strings.HasPrefix(dir, "odoo/localodoo/") {
			continue // for developers
		}
		var above []ast.Node
		ast.Inspect(file.tree, func(n ast.Node) bool {
			if n == nil {
				above = above[:len(above)-1]
				return true
			}
			above = append(above, n)
			if call, ok := n.(*ast.CallExpr); ok {
				for _, wrong := range wrongForOne(call, above) {
					t.Errorf("%s: %q is wrong for 1", file.set.Position(call.Pos()), wrong)
				}
			}
			return true
		})
	}
}

// wrongForOne returns the texts of a call that read wrong if their number is 1.
func wrongForOne(call *ast.CallExpr, above []ast.Node) (wrong []string) {
	for i, arg := range call.Args {
		text, ok := arg.(*ast.BasicLit)
		if !ok || text.Kind != token.STRING {
			continue
		}
		format, err := strconv.Unquote(text.Value)
		if err != nil || neverOne[format] != "" {
			continue
		}
		for _, at := range counted.FindAllStringIndex(format, -1) {
			value := i + 1 + len(verbs.FindAllString(format[:at[0]], -1))
			if value >= len(call.Args) || !limited(call.Args[value], above) {
				wrong = append(wrong, format)
			}
		}
	}
	return wrong
}

// limited reports whether a number is one of our own limits, by its name, or was compared before it is told.
func limited(value ast.Expr, above []ast.Node) bool {
	name := printed(value)
	if last := name[strings.LastIndexByte(name, '.')+1:]; len(last) > len("max") && strings.EqualFold(last[:len("max")], "max") {
		return true
	}
	for _, node := range above {
		var conditions []ast.Expr
		switch node := node.(type) {
		case *ast.IfStmt:
			conditions = []ast.Expr{node.Cond}
		case *ast.CaseClause:
			conditions = node.List
		}
		for _, condition := range conditions {
			found := false
			ast.Inspect(condition, func(n ast.Node) bool {
				compared, ok := n.(*ast.BinaryExpr)
				found = found || ok && (compared.Op == token.GTR || compared.Op == token.GEQ) && printed(compared.X) == name
				return true
			})
			if found {
				return true
			}
		}
	}
	return false
}

func printed(n ast.Node) string {
	var text strings.Builder
	_ = printer.Fprint(&text, token.NewFileSet(), n)
	return text.String()
}
