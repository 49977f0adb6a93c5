package office_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"doorman/server/e2e/kit"
)

// reply is what a tool answered.
type reply map[string]any

// worker does one job: it calls tools, and knows what it was told.
type worker struct {
	known
	words  string
	call1  func(tool string, args kit.Args) (reply, string)
	calls  int
	bytes  int
	log    []string // a line for each call
	failed string   // the kind of refusal that the last call ended with
	last   reply
	answer any
	people people
}

// people do what an AI tool cannot: they open a link in a browser, and decide in Odoo.
type people interface {
	// open gives what a link leads to.
	open(link string) string
	// approve says yes to all that waits for the approver.
	approve()
}

// follow gives the content of a link that was answered.
func (w *worker) follow(link string) string {
	if !w.hasText(link) {
		w.stopf("nobody said %q", link)
	}
	return w.people.open(link)
}

// stop ends the job. It is caught by run.
type stop struct{ error }

func (w *worker) stopf(format string, args ...any) { panic(stop{fmt.Errorf(format, args...)}) }

// try calls a tool that may refuse; w.failed is the kind then.
func (w *worker) try(tool string, args kit.Args) reply {
	if err := w.check(tool, args); err != nil {
		panic(stop{err})
	}
	w.last, w.failed = w.call1(tool, args)
	body, err := json.Marshal(w.last)
	if err != nil {
		panic(stop{err})
	}
	w.calls, w.bytes = w.calls+1, w.bytes+len(body)
	asked, _ := json.Marshal(args)
	w.log = append(w.log, fmt.Sprintf("%s %s\n      -> %d bytes: %.1500s", tool, asked, len(body), body))
	w.learn(map[string]any(w.last))
	return w.last
}

// do calls a tool that must not refuse.
func (w *worker) do(tool string, args kit.Args) reply {
	r := w.try(tool, args)
	if w.failed != "" {
		w.stopf("%s was refused: %v", tool, r)
	}
	return r
}

// at walks into a reply: names of objects, places in lists. Nil is what there is not.
func at(v any, path ...any) any {
	for _, step := range path {
		if r, is := v.(reply); is {
			v = map[string]any(r)
		}
		switch step := step.(type) {
		case string:
			m, _ := v.(map[string]any)
			v = m[step]
		case int:
			list, _ := v.([]any)
			if step >= len(list) {
				return nil
			}
			v = list[step]
		}
	}
	return v
}

// model finds a model by words of the task, or what tools/list says, and the label that it has.
func (w *worker) model(query, label string) string {
	r := w.do("list_models", kit.Args{"query": query})
	list, _ := at(r, "models").([]any)
	var labels []string
	for _, m := range list {
		if at(m, "label") == label {
			return at(m, "model").(string)
		}
		labels = append(labels, fmt.Sprint(at(m, "model"), " ", at(m, "label")))
	}
	w.stopf("no model %q for %q; there are: %s", label, query, strings.Join(labels, ", "))
	return ""
}

// describe reads the fields of a model, those that a query finds, or all of the first page.
func (w *worker) describe(model string, query ...string) reply {
	args := kit.Args{"model": model}
	if len(query) > 0 {
		args["query"] = query[0]
	}
	return w.do("describe_model", args)
}

// relation is the model that a field of a description leads to.
func (w *worker) relation(described reply, field string) string {
	list, _ := at(described, "fields").([]any)
	for _, f := range list {
		if at(f, "name") == field {
			return fmt.Sprint(at(f, "relation"))
		}
	}
	w.stopf("no field %s in the description", field)
	return ""
}

// create makes one record, or several.
func (w *worker) create(model string, rows ...kit.Args) reply {
	return w.do("create_records", kit.Args{"model": model, "records": rows})
}

// search finds records; want is how many must be found, -1: any number.
func (w *worker) search(model string, want int, domain []any, fields ...string) []any {
	args := kit.Args{"model": model, "domain": domain}
	if len(fields) > 0 {
		args["fields"] = fields
	}
	found, _ := at(w.do("search_records", args), "records").([]any)
	if want >= 0 && len(found) != want {
		w.stopf("%d records of %s found, not %d: %v", len(found), model, want, found)
	}
	return found
}

// subject is the record that a reply is about: the one that opened, or the one that was made or changed.
func (w *worker) subject(r reply) (model string, id any) {
	if m, _ := at(r, "result_model").(string); m != "" && at(r, "result_ids", 0) != nil {
		return m, at(r, "result_ids", 0)
	}
	m, _ := at(r, "model").(string)
	if id = at(r, "records", 0, "id"); id == nil {
		id = at(r, "id") // get_actions
	}
	if id == nil {
		w.stopf("the reply is about no record: %v", r)
	}
	return m, id
}

// press presses a button that a reply offers for its record, by its label.
func (w *worker) press(r reply, label string) reply {
	model, id := w.subject(r)
	entry := w.offered(r, label)
	args := kit.Args{"model": model, "ids": []any{id}, "method": at(entry, "method")}
	if button := at(entry, "button"); button != nil {
		args["button"] = button
	}
	return w.do("call_method", args)
}

// offered is the button, or the entry of the menu, of a reply.
func (w *worker) offered(r reply, label string) any {
	var labels []string
	for _, where := range []any{at(r, "actions"), at(r, "menu"), at(r, "wizard", "methods")} {
		list, _ := where.([]any)
		for _, entry := range list {
			if at(entry, "label") == label {
				return entry
			}
			labels = append(labels, fmt.Sprint(at(entry, "label")))
		}
	}
	w.stopf("no button %q; there are: %s; in %v", label, strings.Join(labels, ", "), r)
	return nil
}

// actions asks what can be done with a record.
func (w *worker) actions(model string, id any) reply {
	return w.do("get_actions", kit.Args{"model": model, "id": id})
}

// fill fills in the wizard that a reply opened, and presses its button.
func (w *worker) fill(r reply, label string, values kit.Args) reply {
	return w.do("call_method", w.filled(r, label, values))
}

// filled are the arguments of fill.
func (w *worker) filled(r reply, label string, values kit.Args) kit.Args {
	args := kit.Args{"model": at(r, "wizard", "model"), "wizard": at(r, "wizard", "handle"), "method": "save"}
	if at(r, "wizard") == nil {
		w.stopf("no wizard opened: %v", r)
	}
	if label != "" {
		args["method"] = at(w.offered(reply{"wizard": r["wizard"]}, label), "method")
	}
	if values != nil {
		args["values"] = values
	}
	return args
}

// made is the id of the one record of a model that a reply says was created.
func (w *worker) made(r reply, model string) any {
	list, _ := at(r, "changed").([]any)
	for _, c := range list {
		if ids, _ := at(c, "ids").([]any); at(c, "model") == model && at(c, "action") == "created" && len(ids) > 0 {
			return ids[0]
		}
	}
	w.stopf("the reply tells of no new %s: %v", model, r)
	return nil
}

// ---- what follows from words ----

// said makes sure that the task has these words.
func (w *worker) said(text string) {
	if !strings.Contains(w.words, text) {
		w.stopf("the task does not say %q", text)
	}
}

// date is a day that the task names, as Odoo writes it.
func (w *worker) date(text string) string {
	w.said(text)
	day, err := time.Parse("2 January 2006", text)
	if err != nil {
		panic(stop{err})
	}
	return w.derived(day.Format(time.DateOnly))
}

// moment is a day and a time that the task names, of a time zone that was said, in UTC as Odoo writes it.
func (w *worker) moment(day, clock, zone string) string {
	w.said(day)
	w.said(clock)
	if !w.hasText(zone) {
		w.stopf("nobody said %q", zone)
	}
	place, err := time.LoadLocation(zone)
	then, bad := time.ParseInLocation("2 January 2006 15:04", day+" "+clock, place)
	if err = errors.Join(err, bad); err != nil {
		panic(stop{err})
	}
	return w.derived(then.UTC().Format(time.DateTime))
}

// share is a percentage that the task names, as a part of one.
func (w *worker) share(text string) float64 {
	w.said(text)
	var percent float64
	if _, err := fmt.Sscanf(text, "%g %%", &percent); err != nil {
		panic(stop{err})
	}
	w.learnWords(fmt.Sprint(percent / 100))
	return percent / 100
}

func (w *worker) derived(text string) string {
	w.learnText(text)
	return text
}

// choice is what a wizard's field takes for one of its choices, by the label.
func choice(w *worker, r reply, field, label string) any {
	fields, _ := at(r, "wizard", "fields").([]any)
	for _, f := range fields {
		choices, _ := at(f, "choices").([]any)
		for _, c := range choices {
			if at(f, "name") == field && at(c, 1) == label {
				return at(c, 0)
			}
		}
	}
	w.stopf("no choice %q of %s: %v", label, field, fields)
	return nil
}

// sumOf adds up a measure of all groups.
func sumOf(r reply, measure string) float64 {
	groups, _ := at(r, "groups").([]any)
	sum := 0.0
	for _, g := range groups {
		n, _ := at(g, measure).(float64)
		sum += n
	}
	return sum
}

// tail is the last word of the task.
func (w *worker) tail() string {
	fields := strings.Fields(w.words)
	return fields[len(fields)-1]
}
