package tools

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"doorman/server/access"
	"doorman/server/mcp/mcperr"
	"doorman/server/mcp/toolcall"
)

const (
	maxConditions  = 200
	maxDomainDepth = 20
)

const domainHint = `A domain is a list of [field, operator, value], for example [["is_company","=",true],["name","ilike","acme"]]; "|" and "&" stand before the two conditions they join, "!" before one.`

func badDomain(format string, args ...any) *access.Error {
	return access.NewError(access.InvalidInput, fmt.Sprintf(format, args...), domainHint)
}

// parseDomain reads a domain and checks its form, and the first step of each field path against the model; the rest of
// a path is checked in Odoo, where the other models are known.
func parseDomain(d domainArg, m *toolcall.ModelInfo) ([]any, *access.Error) {
	if len(d) == 0 || string(d) == "false" {
		return []any{}, nil
	}
	var items []any
	decoder := json.NewDecoder(strings.NewReader(string(d)))
	decoder.UseNumber() // an id must not come back as 1e+06
	if err := decoder.Decode(&items); err != nil || decoder.More() {
		return nil, badDomain("The domain is not a JSON list.")
	}
	// One bare condition, the most common slip: ["name", "=", "x"].
	if len(items) == 3 {
		if _, isText := items[0].(string); isText && !isOperator(items[0]) {
			items = []any{items}
		}
	}
	p := domainParser{model: m}
	if err := p.check(items, 0); err != nil {
		return nil, err
	}
	return items, nil
}

type domainParser struct {
	model *toolcall.ModelInfo
	count int
}

func isOperator(item any) bool { return item == "&" || item == "|" || item == "!" }

// check walks a domain in Polish notation and makes sure that the operators find their operands.
func (p *domainParser) check(items []any, level int) *access.Error {
	if level > maxDomainDepth {
		return badDomain("The domain is nested too deeply.")
	}
	for _, item := range items {
		switch v := item.(type) {
		case string:
			if !isOperator(v) {
				return badDomain("%q in the domain is neither a condition nor an operator.", mcperr.Clip(v, 40))
			}
		case []any:
			if err := p.condition(v, level); err != nil {
				return err
			}
		default:
			return badDomain("The domain contains something that is not a condition.")
		}
	}
	if !balanced(items) {
		return badDomain(`An "&", "|" or "!" in the domain lacks its conditions.`)
	}
	return nil
}

// balanced reports whether every operator has its operands.
func balanced(items []any) bool {
	have := 0
	for _, item := range slices.Backward(items) {
		switch item {
		case "!":
			if have < 1 {
				return false
			}
		case "&", "|":
			if have < 2 {
				return false
			}
			have--
		default:
			have++
		}
	}
	return true
}

func (p *domainParser) condition(c []any, level int) *access.Error {
	if p.count++; p.count > maxConditions {
		return badDomain("The domain has more than %d conditions.", maxConditions)
	}
	if len(c) != 3 {
		return badDomain("A condition in the domain has 3 parts, not %d.", len(c))
	}
	operator, isText := c[1].(string)
	if !isText {
		return badDomain("The operator of a condition must be text.")
	}
	if !slices.Contains(access.Operators, operator) {
		return badDomain("%q is not an operator of a domain; use one of %s.", mcperr.Clip(operator, 20), strings.Join(access.Operators, ", "))
	}
	field, isText := c[0].(string)
	if !isText {
		// [1, "=", 1] is Odoo's "always true", [0, "=", 1] its "never".
		if n, isNumber := c[0].(json.Number); isNumber && operator == "=" && (n == "0" || n == "1") {
			return nil
		}
		return badDomain("The field of a condition must be text.")
	}
	if p.model != nil {
		name, _, _ := strings.Cut(field, ".")
		if err := p.model.MustHave(name); err != nil {
			return err
		}
	}
	if sub, isList := c[2].([]any); isList && (operator == "any" || operator == "not any") {
		within := &domainParser{count: p.count}
		defer func() { p.count = within.count }()
		return within.check(sub, level+1)
	}
	return nil
}
