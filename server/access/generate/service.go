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

Made from server/access, exact and mcp by ` + "``go generate ./server/access``" + `: change
them there.
"""

# Texts are recognized as the service says them, where each %s is what it filled in.
# pylint: disable=translation-positional-used


def _lt(text):
    """Marks a text for Odoo's export of what is to be translated."""
    return text


`

// verb is one of fmt's in a text; what it is filled with is text to the addon.
var verb = regexp.MustCompile(`%[dqsv]`)

// word is what a text has besides what is filled in.
var word = regexp.MustCompile(`[A-Za-z]{2,} [a-z]{2,}`)

// serviceTexts writes the texts of these packages, which have the literals of their refusals where they make them; the
// constants of access are in shared.py already.
func serviceTexts(dirs ...string) ([]byte, error) {
	var files []*ast.File
	for _, dir := range dirs {
		err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.SkipObjectResolution)
			files = append(files, file)
			return err
		})
		if err != nil {
			return nil, err
		}
	}
	makers := map[string]int{"NewError": 1}
	for _, file := range files {
		for _, decl := range file.Decls {
			if f, ok := decl.(*ast.FuncDecl); ok && f.Body != nil {
				maker(makers, f)
			}
		}
	}
	titles, refusals := map[string]bool{}, map[string]bool{}
	for _, file := range files {
		ast.Inspect(file, func(node ast.Node) bool {
			switch node := node.(type) {
			case *ast.CallExpr:
				if at, ok := makers[name(node.Fun)]; ok && at < len(node.Args) {
					note(refusals, node.Args[at])
				}
			case *ast.AssignStmt:
				if len(node.Lhs) == 1 && name(node.Lhs[0]) == "Message" {
					note(refusals, node.Rhs[0])
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
	}
	s := &source{}
	s.out.WriteString(serviceHeader)
	s.out.WriteString("# The tools' titles.\n")
	s.marked("TITLES", titles)
	s.out.WriteString("\n# Why a call was refused. What is filled in is a name, a number or what was sent.\n")
	s.marked("REFUSALS", refusals)
	return s.out.Bytes(), nil
}

// maker notes a function that makes an error of a text that it is given, and which of its parameters that is.
func maker(makers map[string]int, f *ast.FuncDecl) {
	at, position := 0, map[string]int{}
	for _, field := range f.Type.Params.List {
		for _, param := range field.Names {
			position[param.Name] = at
			at++
		}
	}
	ast.Inspect(f.Body, func(node ast.Node) bool {
		var message ast.Expr
		switch node := node.(type) {
		case *ast.CallExpr:
			if name(node.Fun) == "NewError" && len(node.Args) == 3 {
				message = node.Args[1]
			}
		case *ast.CompositeLit:
			for _, element := range node.Elts {
				if pair, ok := element.(*ast.KeyValueExpr); ok && name(node.Type) == "Error" && name(pair.Key) == "Message" {
					message = pair.Value
				}
			}
		}
		if call, ok := message.(*ast.CallExpr); ok && name(call.Fun) == "Sprintf" {
			message = call.Args[0]
		}
		if param, ok := message.(*ast.Ident); ok {
			if at, ok := position[param.Name]; ok {
				makers[f.Name.Name] = at
			}
		}
		return true
	})
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
	if err != nil || verb.MatchString(text) && !word.MatchString(verb.ReplaceAllString(text, "")) || text == "" {
		return // without words of its own it would stand for any text
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
		lines := strings.Split(marked("  ", text), "\n") // as wide as the indentation and the comma
		for i, line := range lines {
			if len(line) > 84 {
				lines[i] += "  # noqa: E501"
			}
		}
		s.out.WriteString("    " + strings.Join(lines, "\n    ") + ",\n")
	}
	s.out.WriteString(")\n")
}
