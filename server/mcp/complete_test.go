package mcp_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"doorman/server/access"
)

type completion struct {
	Completion struct {
		Values  []string
		Total   int
		HasMore bool
	}
}

func completing(ref, argument, value string) string {
	return fmt.Sprintf(`{"ref":%s,"argument":{"name":%q,"value":%q}}`, ref, argument, value)
}

const (
	recordRef = `{"type":"ref/resource","uri":"odoo://{model}/{id}"}`
	fieldsRef = `{"type":"ref/resource","uri":"odoo://{model}/fields"}`
	promptRef = `{"type":"ref/prompt","name":"record_history"}`
)

// TestCompletion: names that start so come first, then those that have it in them, then labels; bounded.
func TestCompletion(t *testing.T) {
	t.Parallel()
	f := manyModels(150)
	url := endpoint(t, f).URL
	for _, row := range []struct {
		name, ref, argument, value string
		want                       string
		total                      int
		more                       bool
	}{
		{"the start of a name", recordRef, "model", "res", "[res.partner]", 1, false},
		{"of the other template", fieldsRef, "model", "sale.o", "[sale.order]", 1, false},
		{"of a prompt", promptRef, "model", "sale", "[sale.order]", 1, false},
		{"in capitals, with blanks", recordRef, "model", " RES ", "[res.partner]", 1, false},
		{"in the middle", recordRef, "model", "partner", "[res.partner]", 1, false},
		{"of a label", recordRef, "model", "contact", "[res.partner]", 1, false},
		{"first the start, then the middle", recordRef, "model", "order", "[sale.order]", 1, false},
		{"nothing fits", recordRef, "model", "zebra", "[]", 0, false},
		{"nothing is that long", recordRef, "model", strings.Repeat("x", 1000), "[]", 0, false},
		{"what nobody knows", recordRef, "id", "1", "[]", 0, false},
		{"what nobody knows of a prompt", promptRef, "id", "1", "[]", 0, false},
	} {
		var got completion
		a := ask(t, url, oldEra, "completion/complete", completing(row.ref, row.argument, row.value), &got)
		if fmt.Sprint(got.Completion.Values) != row.want || got.Completion.Total != row.total || got.Completion.HasMore != row.more {
			t.Errorf("%s: %s", row.name, a.body)
		}
	}
	var all completion
	a := ask(t, url, newEra, "completion/complete", completing(recordRef, "model", ""), &all)
	if len(all.Completion.Values) != 100 || all.Completion.Total != 152 || !all.Completion.HasMore {
		t.Errorf("everything: %.300s", a.body)
	}
	if f.callCount() != 1 {
		t.Errorf("Odoo was asked %d times", f.callCount())
	}
}

// TestCompletionRefused: what there is not, or not for this connection, is the same.
func TestCompletionRefused(t *testing.T) {
	t.Parallel()
	one := func(tools ...string) func(*access.Snapshot) {
		return func(s *access.Snapshot) { s.Connection.Policy.AllowedTools = tools }
	}
	as := func(*access.Snapshot) {}
	for _, row := range []struct {
		name, params string
		change       func(*access.Snapshot)
		code         int
	}{
		{"another template", completing(`{"type":"ref/resource","uri":"odoo://{model}"}`, "model", ""), as, -32602},
		{"a resource for a template", completing(`{"type":"ref/resource","uri":"odoo://res.partner/1"}`, "model", ""), as, -32602},
		{"a template of a tool that is not allowed", completing(recordRef, "model", ""), one("list_models", "describe_model"), -32602},
		{"an argument that the template has not", completing(fieldsRef, "id", ""), as, -32602},
		{"an argument that nobody has", completing(recordRef, "password", ""), as, -32602},
		{"a prompt that nobody has", completing(`{"type":"ref/prompt","name":"nothing"}`, "model", ""), as, -32602},
		{"a prompt of tools that are not allowed", completing(promptRef, "model", ""), one("list_models", "read_records"), -32602},
		{"an argument that the prompt has not", completing(promptRef, "field", ""), as, -32602},
		{"no argument", `{"ref":` + recordRef + `,"argument":{"name":"","value":""}}`, as, -32602},
		{"no reference", `{"argument":{"name":"model","value":""}}`, as, -32602},
	} {
		f := newFake()
		row.change(f.snapshot)
		if a := ask(t, endpoint(t, f).URL, oldEra, "completion/complete", row.params, nil); a.Error.Code != row.code || f.callCount() != 0 {
			t.Errorf("%s: %d calls: %s", row.name, f.callCount(), a.body)
		}
	}
	for name, change := range map[string]func(*access.Snapshot){
		"may not list models": one("read_records", "describe_model"),
		"no scope for it":     func(s *access.Snapshot) { s.Connection.Policy.Scopes = []access.Scope{access.ScopeSearch} },
	} {
		f := newFake()
		change(f.snapshot)
		a := ask(t, endpoint(t, f).URL, oldEra, "completion/complete", completing(recordRef, "model", "res"), nil)
		if !strings.Contains(a.body, `"values":[]`) || f.callCount()+f.askedCount() != 0 {
			t.Errorf("%s: %d calls: %s", name, f.callCount(), a.body)
		}
	}
}

// TestOdooNeverAsksForCompletion: where a person must approve listing models, nobody is asked for what a program does while
// somebody types, and Odoo is asked once.
func TestOdooNeverAsksForCompletion(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.byTool("list_models")
	url := endpoint(t, f).URL
	for _, typed := range []string{"r", "re", "res"} {
		a := ask(t, url, oldEra, "completion/complete", completing(recordRef, "model", typed), nil)
		if !strings.Contains(a.body, `"values":[]`) || f.askedCount() != 0 || f.callCount() != 1 || !f.last().AskNobody {
			t.Errorf("%d calls, asked %d times: %s", f.callCount(), f.askedCount(), a.body)
		}
	}
}

// TestCompletionAsksOnce: many letters typed at once are one question.
func TestCompletionAsksOnce(t *testing.T) {
	t.Parallel()
	f := manyModels(1)
	answer := f.call
	entered, release := make(chan struct{}, 100), make(chan struct{})
	f.call = func(fence access.Fence, r access.Request) (access.Reply, error) {
		entered <- struct{}{}
		<-release
		return answer(fence, r)
	}
	url := endpoint(t, f).URL
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			var got completion
			if ask(t, url, oldEra, "completion/complete", completing(recordRef, "model", "res"), &got); len(got.Completion.Values) != 1 {
				t.Errorf("%+v", got)
			}
		})
	}
	<-entered
	close(release)
	wait.Wait()
	if n := f.callCount(); n != 1 {
		t.Errorf("Odoo was asked %d times", n)
	}
}
