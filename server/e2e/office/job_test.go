package office_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"
	"strings"
	"testing"

	"doorman/server/e2e/kit"
)

// job is one task of an office.
type job struct {
	name  string
	words string // of the person who gives it
	as    string // the connection that does it
	calls int    // how many it may take at most
	bytes int    // how many of replies it may take at most
	do    func(*worker)
	holds []fact
	// also are facts as other people read them in Odoo, by login: in their language, say.
	also map[string][]fact
	// refused is the kind of refusal that a job must end with which this connection may not do.
	refused string
	// prepare gives more words, of what the set-up cannot know.
	prepare func(*office) string
}

// fact is what must hold after a job: what the administrator reads in their own session in Odoo, without Doorman. Values of
// a record have a space between them, records a bar. Without a model nothing is asked: want is the job's answer then. Of letters,
// domain is who got them by email, fields the words in them, want how many.
type fact struct{ model, domain, fields, want string }

// What is wanted where the job's answer is told by Odoo: the sum of a field, how many records there are, or all that was read.
const (
	theSum   = "the sum"
	theCount = "the count"
	theFact  = "the fact"
)

// letters stands in place of a model for emails that have arrived.
const letters = "letters"

// run does a job.
//
// Parameters: list is what tools/list says, call calls a tool, people are those around. The worker tells calls, bytes and the
// answer.
// Errors: an argument from nowhere, a refusal, a reply without what the job needs, more calls or bytes than it may take.
func (j *job) run(list any, call func(string, kit.Args) (reply, string), around people) (w *worker, err error) {
	w = &worker{words: j.words, call1: call, people: around}
	w.learnWords(j.words)
	w.learnList(list)
	defer func() {
		switch caught := recover().(type) {
		case nil:
		case stop:
			err = caught
		default:
			panic(caught)
		}
	}()
	j.do(w)
	switch {
	case w.failed != j.refused:
		return w, fmt.Errorf("ended with %q, not with %q: %v", w.failed, j.refused, w.last)
	case w.calls > j.calls || w.bytes > j.bytes:
		return w, fmt.Errorf("took %d calls and %d bytes, more than %d and %d", w.calls, w.bytes, j.calls, j.bytes)
	}
	return w, nil
}

// learnList takes what tools/list says: its texts, but not the numbers of its examples.
func (w *worker) learnList(list any) {
	switch list := list.(type) {
	case map[string]any:
		for name, value := range list {
			w.learnText(name)
			w.learnList(value)
		}
	case []any:
		for _, value := range list {
			w.learnList(value)
		}
	case string:
		w.learnText(list)
	}
}

// office is the Odoo of the jobs, its Doorman, and a session of each connection.
type office struct {
	*kit.Odoo
	t     *testing.T
	post  *kit.PostOffice
	calls map[string]func(string, kit.Args) (reply, string)
	lists map[string]any
}

func open(t *testing.T, setup string) *office {
	o := &office{
		Odoo: kit.SharedOdoo(t, modules, 0, setup), t: t, post: kit.NewPostOffice(t),
		calls: map[string]func(string, kit.Args) (reply, string){}, lists: map[string]any{},
	}
	o.Python(t, fmt.Sprintf(`env["ir.mail_server"].create({"name": "office", "smtp_host": "127.0.0.1", "smtp_port": %d, "smtp_encryption": "none"})
env.cr.commit()`, o.post.Port()))
	service := kit.Serve(t, o.Environ()...)
	for _, name := range connections {
		session := kit.Connect(t, service.MCP, o.Text(name))
		o.calls[name] = func(tool string, args kit.Args) (reply, string) { return kit.Call(o.t, session, tool, args) }
		listed, err := session.ListTools(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		body, err := json.Marshal(listed.Tools)
		if err == nil {
			var list any
			err = json.Unmarshal(body, &list)
			o.lists[name] = list
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return o
}

var allJobs = [][]job{salesJobs, moneyJobs, stockJobs, customerJobs, peopleJobs, textJobs, findJobs, paperJobs, formJobs, denyJobs}

// TestRealOffice: every job can be done by who knows nothing but its words.
func TestRealOffice(t *testing.T) {
	o := open(t, setup)
	for _, some := range allJobs {
		for _, j := range some {
			t.Run(j.name, func(t *testing.T) {
				o.t = t
				j.words += o.more(&j)
				w, err := j.run(o.lists[j.as], o.calls[j.as], o)
				if err != nil {
					t.Fatalf("%v\n  of: %s\n  %s", err, j.words, strings.Join(w.log, "\n  "))
				}
				t.Logf("%d calls of %d, %d bytes of %d\n  %s", w.calls, j.calls, w.bytes, j.bytes, strings.Join(w.log, "\n  "))
				if bad := o.wrong(&j, w); bad != "" {
					t.Errorf("%s\n  %s", bad, strings.Join(w.log, "\n  "))
				}
			})
		}
	}
}

// wrong tells what does not hold after a job; "" for nothing.
func (o *office) wrong(j *job, w *worker) string {
	var bad []error
	facts := maps.Clone(j.also)
	if facts == nil {
		facts = map[string][]fact{}
	}
	facts["admin"] = append(facts["admin"], j.holds...)
	for who, facts := range facts {
		for _, f := range facts {
			if got, want := o.holds(who, f, w.answer); got != want {
				bad = append(bad, fmt.Errorf("%s %s %s: %s, want %s", f.model, f.domain, f.fields, got, want))
			}
		}
	}
	if err := errors.Join(bad...); err != nil {
		return err.Error()
	}
	return ""
}

func (o *office) more(j *job) string {
	if j.prepare == nil {
		return ""
	}
	return " " + j.prepare(o)
}

// holds returns what a fact is, and what it must be.
func (o *office) holds(who string, f fact, answer any) (got, want string) {
	switch {
	case f.model == letters:
		return fmt.Sprint(len(o.post.Of(f.domain, f.fields))), f.want
	case f.model == "":
		return fmt.Sprint(answer), f.want
	case f.want == theCount:
		return fmt.Sprint(answer), o.count(f)
	case f.want == theFact:
		return fmt.Sprint(answer), o.ask(who, f)
	case f.want == theSum:
		sum := 0.0
		for n := range strings.SplitSeq(o.ask(who, f), " | ") {
			f, err := strconv.ParseFloat(n, 64)
			if err != nil {
				o.t.Fatal(err)
			}
			sum += f
		}
		return fmt.Sprintf("%.2f", answer), fmt.Sprintf("%.2f", sum)
	}
	return o.ask(who, f), f.want
}

// ask reads what a fact is about, as a person in Odoo.
func (o *office) ask(who string, f fact) string {
	rows, err := o.rows(who, f)
	if err != nil {
		o.t.Fatalf("%s %s: %v", f.model, f.domain, err)
	}
	var told []string
	for _, row := range rows {
		var values []string
		for field := range strings.FieldsSeq(f.fields) {
			values = append(values, plain(row[field]))
		}
		told = append(told, strings.Join(values, " "))
	}
	return strings.Join(told, " | ")
}

// count is how many records a fact is about.
func (o *office) count(f fact) string {
	var domain []any
	if err := json.Unmarshal([]byte(f.domain), &domain); err != nil {
		o.t.Fatal(err)
	}
	raw, err := kit.As(o.t.Context(), o.Odoo, "admin", f.model, "search_count", domain)
	if err != nil {
		o.t.Fatalf("%s %s: %v", f.model, f.domain, err)
	}
	return string(raw)
}

// languages are of people who use Odoo in another language than English.
var languages = map[string]string{"colette": "fr_FR"}

// open gives what a link leads to, as a browser gets it.
func (o *office) open(link string) string {
	status, _, body := kit.Get(o.t, "GET", link)
	if status != 200 {
		o.t.Fatalf("%s answers %d: %s", link, status, body)
	}
	return body
}

// approve decides as the approver, in their own session in Odoo.
func (o *office) approve() {
	raw, err := kit.As(o.t.Context(), o.Odoo, "approver", "doorman.approval", "search", []any{[]any{"state", "=", "pending"}, []any{"tool", "=", "send_document"}})
	var ids []int64
	if err = errors.Join(err, json.Unmarshal(raw, &ids)); err == nil {
		_, err = kit.As(o.t.Context(), o.Odoo, "approver", "doorman.approval", "action_approve", ids)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

func (o *office) rows(who string, f fact) ([]map[string]any, error) {
	var domain []any
	if err := json.Unmarshal([]byte(f.domain), &domain); err != nil {
		return nil, err
	}
	raw, err := kit.AsIn(o.t.Context(), o.Odoo, who, languages[who], f.model, "search_read", domain, strings.Fields(f.fields), 0, 100, "id")
	var rows []map[string]any
	return rows, errors.Join(err, json.Unmarshal(raw, &rows))
}

// plain writes a value of Odoo's: a linked record by its name, a list of them by how many they are.
func plain(v any) string {
	if list, isList := v.([]any); isList {
		if len(list) == 2 {
			if name, isText := list[1].(string); isText {
				return name
			}
		}
		return fmt.Sprintf("%d of them", len(list))
	}
	return fmt.Sprint(v)
}
