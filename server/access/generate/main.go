// Command generate makes addon/doorman/policy/shared.py from the constants that package access shares with the addon: all
// of shared.go, and the constants of its closed lists (kinds of errors, scopes, states ...). And invisible_ranges.py, from
// what access.Invisible says of each character. And service_texts.py, from the texts of package mcp that people read.
//
//	go generate ./server/access          writes the files
//	go run ./server/access/generate -check   exits with 1, and says so, if one is not what would be written
package main

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/constant"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

const (
	owner  = "shared.go"
	words  = "Say"                         // how the names of texts for people begin
	target = "../../addon/doorman/policy/" // from the folder of access
	header = `"""Values that the service holds as well.

Made from server/access by ` + "``go generate ./server/access``" + `: change them there.
"""


def _lt(text):
    """Marks a text for Odoo's export of what is to be translated."""
    return text


`
)

// lists are the types whose constants are one list in Python, in the order of the source.
var lists = map[string]string{
	"Kind": "KINDS", "Scope": "SCOPES", "Status": "STATUSES", "Risk": "RISKS",
	"ApprovalState": "APPROVAL_STATES", "ApprovalEvent": "APPROVAL_EVENTS",
}

func main() {
	check := flag.Bool("check", false, "only compare")
	flag.Parse()
	if err := run(*check); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// run works in the folder of access, or from the root of the repository.
func run(check bool) error {
	dir := "."
	if _, err := os.Stat(owner); err != nil {
		dir = filepath.Join("server", "access")
	}
	text, err := render(dir)
	if err != nil {
		return err
	}
	if err := write(filepath.Join(dir, target, "shared.py"), text, check); err != nil {
		return err
	}
	if text, err = serviceTexts(dir, filepath.Join(dir, "..", "exact"), filepath.Join(dir, "..", "mcp")); err != nil {
		return err
	}
	if err := write(filepath.Join(dir, target, "service_texts.py"), text, check); err != nil {
		return err
	}
	return write(filepath.Join(dir, target, "invisible_ranges.py"), invisibleRanges(), check)
}

// write writes a file, or only compares it.
func write(path string, text []byte, check bool) error {
	if !check {
		return os.WriteFile(path, text, 0o644) // #nosec G306 -- source code
	}
	have, err := os.ReadFile(path) // #nosec G304 -- source code
	if err != nil {
		return err
	}
	if !bytes.Equal(have, text) {
		return fmt.Errorf("%s is stale: run go generate ./server/access", path)
	}
	return nil
}

// source is the parsed and checked package.
type source struct {
	set  *token.FileSet
	pkg  *types.Package
	info *types.Info
	out  bytes.Buffer
}

func render(dir string) ([]byte, error) {
	set := token.NewFileSet()
	names, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var files []*ast.File
	for _, name := range names {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		files = append(files, file)
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}, Defs: map[*ast.Ident]types.Object{}}
	config := types.Config{Importer: importer.ForCompiler(set, "source", nil)}
	pkg, err := config.Check("doorman/server/access", set, files, info)
	if err != nil {
		return nil, err
	}
	s := &source{set: set, pkg: pkg, info: info}
	s.out.WriteString(header)
	for _, file := range files {
		s.closedLists(file)
	}
	for _, file := range files {
		if filepath.Base(set.Position(file.Pos()).Filename) == owner {
			err = s.values(file)
		}
	}
	return s.out.Bytes(), err
}

// closedLists writes a tuple for each type of lists that has its constants in this file.
func (s *source) closedLists(file *ast.File) {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.CONST {
			continue
		}
		var of string
		var values []string
		for _, spec := range group.Specs {
			for _, name := range spec.(*ast.ValueSpec).Names {
				c := s.info.Defs[name].(*types.Const)
				if named, ok := c.Type().(*types.Named); ok && lists[named.Obj().Name()] != "" {
					of = lists[named.Obj().Name()]
					values = append(values, constant.StringVal(c.Val()))
				}
			}
		}
		if of != "" {
			s.comment(group.Doc, "")
			s.tuple(of, values)
		}
	}
}

// values writes what the owner declares.
func (s *source) values(file *ast.File) error {
	for _, decl := range file.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok == token.IMPORT {
			continue
		}
		s.comment(group.Doc, firstName(group))
		for _, spec := range group.Specs {
			spec := spec.(*ast.ValueSpec)
			for i, name := range spec.Names {
				if err := s.value(name, spec, i); err != nil {
					return err
				}
			}
		}
		if group.Lparen.IsValid() {
			s.out.WriteByte('\n')
		}
	}
	return nil
}

func (s *source) value(name *ast.Ident, spec *ast.ValueSpec, i int) error {
	python := pythonName(name.Name)
	if c, ok := s.info.Defs[name].(*types.Const); ok {
		value, err := literal(c.Val())
		if err != nil {
			return fmt.Errorf("%s: %w", name.Name, err)
		}
		if strings.HasPrefix(name.Name, words) {
			value = marked(python, constant.StringVal(c.Val()))
		}
		fmt.Fprintf(&s.out, "%s = %s", python, value)
		if spec.Comment != nil {
			fmt.Fprintf(&s.out, "  # %s", strings.TrimSpace(spec.Comment.Text()))
		}
		s.out.WriteByte('\n')
		return nil
	}
	list, ok := spec.Values[i].(*ast.CompositeLit)
	if !ok {
		return fmt.Errorf("%s is neither a constant nor a list", name.Name)
	}
	var values []string
	for _, element := range list.Elts {
		v := s.info.Types[element].Value
		if v == nil || v.Kind() != constant.String {
			return fmt.Errorf("%s has an element that is not a constant text", name.Name)
		}
		values = append(values, constant.StringVal(v))
	}
	s.tuple(python, values)
	return nil
}

// firstName is the name that Go's custom puts at the start of a declaration's comment.
func firstName(group *ast.GenDecl) string { return group.Specs[0].(*ast.ValueSpec).Names[0].Name }

// comment writes a doc comment as Python's, without Go's directives, and with the name that it starts with, if it does, as
// Python has it.
func (s *source) comment(doc *ast.CommentGroup, name string) {
	text := doc.Text()
	if rest, ok := strings.CutPrefix(text, name+" "); ok && name != "" {
		text = pythonName(name) + " " + rest
	}
	for _, line := range wrap(text, 86) {
		fmt.Fprintf(&s.out, "# %s\n", line)
	}
}

// wrap fills lines up to the width that ruff allows. Nothing gives none.
func wrap(text string, width int) (lines []string) {
	for word := range strings.FieldsSeq(text) {
		last := len(lines) - 1
		if last < 0 || len(lines[last])+1+len(word) > width {
			lines = append(lines, word)
			continue
		}
		lines[last] += " " + word
	}
	return lines
}

func (s *source) tuple(name string, values []string) {
	fmt.Fprintf(&s.out, "%s = (\n", name)
	for _, v := range values {
		fmt.Fprintf(&s.out, "    %s,\n", quote(v))
	}
	s.out.WriteString(")\n\n")
}

func literal(v constant.Value) (string, error) {
	switch v.Kind() {
	case constant.Int:
		return grouped(v.ExactString()), nil
	case constant.String:
		return quote(constant.StringVal(v)), nil
	default:
		return "", fmt.Errorf("a %s cannot be shared", v.Kind())
	}
}

// marked is a text that people read, marked for translation, on lines that are not too long for ruff.
func marked(python, text string) string {
	text = quote(text)
	if inside, _ := strconv.Unquote(text); strings.Contains(inside, `"`) && !strings.Contains(inside, "'") {
		text = "'" + strings.ReplaceAll(text[1:len(text)-1], `\"`, `"`) + "'"
	}
	if len(python)+len(" = _lt()")+len(text) > 88 {
		return "_lt(\n    " + text + "\n)"
	}
	return "_lt(" + text + ")"
}

// quote writes a text as Python and Go both read it: what is not ASCII as an escape.
func quote(s string) string { return strconv.QuoteToASCII(s) }

// grouped puts underscores into a number, for people.
func grouped(digits string) string {
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "_" + digits[i:]
	}
	return digits
}

// pythonName turns MaxRedirectURIs into MAX_REDIRECT_URIS.
func pythonName(name string) string {
	name = strings.NewReplacer("URIs", "Uris", "URI", "Uri", "SQL", "Sql").Replace(name)
	var out strings.Builder
	for i, r := range name {
		if i > 0 && r >= 'A' && r <= 'Z' {
			out.WriteByte('_')
		}
		out.WriteString(strings.ToUpper(string(r)))
	}
	return out.String()
}
