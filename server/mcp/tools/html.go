package tools

import (
	"encoding/json"

	"doorman/server/markdown"
)

// htmlKey is the argument by which texts are sent as HTML too: {text: its HTML}. Odoo's side looks up what it puts into an
// HTML field. Only it knows which those are: values may hold lines of other models, at any depth.
const htmlKey = "html"

// holdValues are the arguments of changes that hold values of fields.
var holdValues = []string{"vals", "vals_list", "vals_each", "values", "default"}

// withHTML adds the HTML of the Markdown texts among the values of a change, if there are some.
func withHTML(kwargs map[string]any) map[string]any {
	made := map[string]string{}
	for _, name := range holdValues {
		if values, ok := kwargs[name]; ok {
			var plain any
			if json.Unmarshal(encoded(values, null), &plain) == nil {
				addHTML(plain, made)
			}
		}
	}
	if len(made) > 0 {
		kwargs[htmlKey] = made
	}
	return kwargs
}

func addHTML(value any, made map[string]string) {
	switch v := value.(type) {
	case string:
		if markdown.HasMarkup(v) && !markdown.IsHTML(v) {
			made[v] = markdown.ToHTML(v)
		}
	case []any:
		for _, item := range v {
			addHTML(item, made)
		}
	case map[string]any:
		for _, item := range v {
			addHTML(item, made)
		}
	}
}

// withMessage adds the HTML of a text that is posted.
func withMessage(kwargs map[string]any, text string) map[string]any {
	if markdown.HasMarkup(text) {
		kwargs[htmlKey] = map[string]string{text: markdown.ToMessage(text)}
	}
	return kwargs
}
