package office_test

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"doorman/server/e2e/kit"
)

// known is what a caller can know: the words of the task, what tools/list says, and what was answered so far.
type known struct {
	text    strings.Builder // in lower case
	numbers map[string]bool
}

// path is what names fields: of other models, by period or measure, in an order.
var (
	path   = regexp.MustCompile(`^[a-z][a-z0-9_]*(?:[.:][a-z0-9_]+)*(?: (?:asc|desc))?$`)
	number = regexp.MustCompile(`[0-9]+(?:\.[0-9]+)?`)
)

// Paths are assembled of names only where the tool takes such; a domain is walked by its form.
var pathParameters = map[string]bool{"fields": true, "group_by": true, "measures": true, "order": true}

// Free are parameters whose values tell nothing of Odoo.
var freeParameters = map[string]bool{"limit": true, "dry_run": true, "include_archived": true, "idempotency_key": true}

// learnWords takes a text, and the numbers in it.
func (k *known) learnWords(text string) {
	k.learnText(text)
	for _, n := range number.FindAllString(text, -1) {
		k.learnNumber(n)
	}
}

func (k *known) learnText(text string) { k.text.WriteString("\n" + strings.ToLower(text)) }

func (k *known) learnNumber(n string) {
	if k.numbers == nil {
		k.numbers = map[string]bool{}
	}
	if f, err := strconv.ParseFloat(n, 64); err == nil {
		k.numbers[strconv.FormatFloat(f, 'f', -1, 64)] = true
	}
}

// learn takes a reply: its texts, its numbers, its names. Numbers in texts count as well, as of a hint: "Available: 0, 1."
func (k *known) learn(v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			k.learnWords(name)
			k.learn(value)
		}
	case []any:
		for _, value := range v {
			k.learn(value)
		}
	case string:
		k.learnWords(v)
	case float64:
		k.learnNumber(strconv.FormatFloat(v, 'f', -1, 64))
	}
}

// check holds the arguments of a call against what is known. An error names what came from nowhere.
func (k *known) check(tool string, args kit.Args) error {
	body, err := json.Marshal(args)
	if err != nil {
		return err
	}
	var plain map[string]any
	if err := json.Unmarshal(body, &plain); err != nil {
		return err
	}
	for name, value := range plain {
		switch {
		case freeParameters[name]:
		case name == "domain":
			err = k.domain(value)
		case name == "query":
			err = k.queries(value)
		case pathParameters[name]:
			err = k.paths(value)
		default:
			err = k.value(value)
		}
		if err != nil {
			return fmt.Errorf("%s, %s: %w", tool, name, err)
		}
	}
	return nil
}

// value checks a value, and everything in it.
func (k *known) value(v any) error {
	switch v := v.(type) {
	case string:
		if v != "" && !k.hasText(v) {
			return fmt.Errorf("nobody said %q", v)
		}
	case float64:
		if n := strconv.FormatFloat(v, 'f', -1, 64); !k.numbers[n] {
			return fmt.Errorf("nobody said %s", n)
		}
	case []any:
		return k.list(v)
	case map[string]any:
		for name, one := range v {
			if !k.hasText(name) {
				return fmt.Errorf("nobody said %q", name)
			}
			if name == "row" { // the place in a list
				continue
			}
			if err := k.value(one); err != nil {
				return err
			}
		}
	}
	return nil
}

// list checks a list. The number and the zero of a command for a list of records are structure: [4, id, 0].
func (k *known) list(items []any) error {
	if n, isNumber := at(items, 0).(float64); isNumber && len(items) == 3 && n <= 6 && at(items, 2) == 0.0 {
		items = items[1:2]
	}
	for _, item := range items {
		if err := k.value(item); err != nil {
			return err
		}
	}
	return nil
}

// domain checks what stands in conditions: names of fields, and values but for 0 and 1.
func (k *known) domain(v any) error {
	for _, item := range v.([]any) {
		condition, isList := item.([]any)
		if !isList {
			continue // "&", "|", "!"
		}
		if len(condition) != 3 {
			return fmt.Errorf("%v is not a condition", condition)
		}
		if err := k.paths(condition[0]); err != nil {
			return err
		}
		if n, isNumber := condition[2].(float64); isNumber && (n == 0 || n == 1) {
			continue
		}
		if err := k.value(condition[2]); err != nil {
			return err
		}
	}
	return nil
}

// queries checks words with commas between them.
func (k *known) queries(v any) error {
	for word := range strings.SplitSeq(fmt.Sprint(v), ",") {
		if err := k.value(strings.TrimSpace(word)); err != nil {
			return err
		}
	}
	return nil
}

// paths checks names of fields, each part of them.
func (k *known) paths(v any) error {
	list, isList := v.([]any)
	if !isList {
		list = []any{v}
	}
	for _, one := range list {
		text := fmt.Sprint(one)
		if !path.MatchString(text) {
			return fmt.Errorf("%q is not the name of a field", text)
		}
		for _, part := range strings.FieldsFunc(text, func(r rune) bool { return strings.ContainsRune(".: ", r) }) {
			if !k.hasText(part) {
				return fmt.Errorf("nobody said %q", part)
			}
		}
	}
	return nil
}

// hasText reports whether a text was said, as whole words.
func (k *known) hasText(text string) bool {
	all, text := k.text.String(), strings.ToLower(text)
	for from := 0; ; {
		i := strings.Index(all[from:], text)
		if i < 0 {
			return false
		}
		start := from + i
		end := start + len(text)
		if !isWord(all, start-1, text[0]) && !isWord(all, end, text[len(text)-1]) {
			return true
		}
		from = start + 1
	}
}

// isWord reports whether the letter at a place goes on with the word that the edge of a text is of.
func isWord(all string, i int, edge byte) bool {
	return i >= 0 && i < len(all) && letter(all[i]) && letter(edge)
}

func letter(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 0x80
}
