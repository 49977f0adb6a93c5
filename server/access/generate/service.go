package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

const serviceHeader = `"""What the service says in words of its own that people read, too: the titles of tools,
and why a call was refused before it reached Odoo.

Made from server/mcp by ` + "``go generate ./server/access``" + `: change them there.
"""


def _lt(text):
    """Marks a text for Odoo's export of what is to be translated."""
    return text


`

// verb is one of fmt's in a text; what it is filled with is text to the addon.
var verb = regexp.MustCompile(`%[dqsv]`)

// serviceTexts writes the texts of package mcp, which has the literals of its refusals where it makes them: those that stand in
// access alone are in shared.py already.
func serviceTexts(dir string) ([]byte, error) {
	titles, refusals := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.CallExpr:
				if name(node.Fun) == "NewError" && len(node.Args) == 3 {
					note(refusals, node.Args[1])
				}
			case *ast.CompositeLit:
				for _, element := range node.Elts {
					pair, ok := element.(*ast.KeyValueExpr)
					switch {
					case !ok:
					case name(node.Type) == "Tool" && name(pair.Key) == "Title":
						note(titles, pair.Value)
					case name(node.Type) == "Error" && name(pair.Key) == "Message":
						note(refusals, pair.Value)
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		return nil, err
	}
	s := &source{}
	s.out.WriteString(serviceHeader)
	s.out.WriteString("# The tools' titles.\n")
	s.marked("TITLES", titles)
	s.out.WriteString("\n# Why a call was refused. What is filled in is a name, a number or what was sent.\n")
	s.marked("REFUSALS", refusals)
	return s.out.Bytes(), nil
}

// name is that of a function, a type or a field, without its package.
func name(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.Ident:
		return e.Name
	case *ast.SelectorExpr:
		return e.Sel.Name
	default:
		return ""
	}
}

// note adds a literal, or the format of fmt.Sprintf, as Python writes it. Anything else is made of the texts of access, or
// is Odoo's.
func note(found map[string]bool, e ast.Expr) {
	if call, ok := e.(*ast.CallExpr); ok && name(call.Fun) == "Sprintf" {
		e = call.Args[0]
	}
	literal, ok := e.(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return
	}
	text, err := strconv.Unquote(literal.Value)
	if err != nil || text == "" {
		return
	}
	found[verb.ReplaceAllStringFunc(text, func(v string) string {
		if v == "%q" {
			return `"%s"`
		}
		return "%s"
	})] = true
}

// marked writes texts as a tuple, each marked for translation.
func (s *source) marked(python string, texts map[string]bool) {
	sorted := make([]string, 0, len(texts))
	for text := range texts {
		sorted = append(sorted, text)
	}
	slices.Sort(sorted)
	s.out.WriteString(python + " = (\n")
	for _, text := range sorted {
		value := strings.ReplaceAll(marked("", text), "\n", "\n    ")
		s.out.WriteString("    " + value + ",\n")
	}
	s.out.WriteString(")\n")
}
