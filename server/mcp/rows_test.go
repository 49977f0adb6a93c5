package mcp_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"doorman/server/access"
	"doorman/server/mcp"
)

// rowsEndpoint is an endpoint whose connection may get so many rows a day, and may write.
func rowsEndpoint(t *testing.T, day int) (*fakeGateway, *fakeLimiter, string) {
	t.Helper()
	f, l := newFake(), newLimiter()
	p := &f.snapshot.Connection.Policy
	p.RowsDay, p.Scopes = day, append(p.Scopes, access.ScopeORM)
	server := endpoint(t, f, func(c *mcp.Config) { c.Limiter, c.Now = l, newClock().now })
	return f, l, server.URL
}

// gives has every call answer with n rows of data.
func (f *fakeGateway) gives(n int, value string) {
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		r := reply(value)
		r.Rows = n
		return r, nil
	}
}

// left is what each call that reached Odoo said is left of the day; -1 where it said nothing.
func (f *fakeGateway) left() (left []int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, fence := range f.fences {
		if fence.RowsLeft == nil {
			left = append(left, -1)
		} else {
			left = append(left, *fence.RowsLeft)
		}
	}
	return left
}

// TestRowsOfTheDay: Odoo is told what is left, what it gives is counted, and what is too much is withheld.
func TestRowsOfTheDay(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name       string
		day, gives int
		want       []string // how each of four calls ends
		left       string
	}{
		{"no limit", 0, 50, []string{"", "", "", ""}, "[-1 -1 -1 -1]"},
		{"room for all", 300, 50, []string{"", "", "", ""}, "[300 250 200 150]"},
		{"just used up", 100, 50, []string{"", "", "rate_limited", "rate_limited"}, "[100 50 0 0]"},
		{"nothing given", 10, 0, []string{"", "", "", ""}, "[10 10 10 10]"},
		{"more than there is room for", 120, 50, []string{"", "", "rate_limited", "rate_limited"}, "[120 70 20 0]"},
		{"more than the whole day", 10, 50, []string{"rate_limited", "rate_limited", "rate_limited", "rate_limited"}, "[10 0 0 0]"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f, _, url := rowsEndpoint(t, row.day)
			f.gives(row.gives, `[{"id":1,"name":"canary-name"}]`)
			for i, want := range row.want {
				a := call(t, url, "search_records", searchPartners)
				if a.kind() != want || (want != "" && strings.Contains(a.body, "canary-name")) {
					t.Errorf("call %d: %s", i, a.body)
				}
				if want != "" && (fmt.Sprint(a.Result.StructuredContent["retry_after_seconds"]) != "32400" || !strings.Contains(a.body, "Try again in 9 hours.")) {
					t.Errorf("call %d does not say when to come back: %s", i, a.body)
				}
			}
			if got := fmt.Sprint(f.left()); got != row.left {
				t.Errorf("Odoo was told that %s are left, want %s", got, row.left)
			}
		})
	}
}

// TestRowsAtOnce: of many calls at the same instant, no more rows get out than the day has.
func TestRowsAtOnce(t *testing.T) {
	t.Parallel()
	f, _, url := rowsEndpoint(t, 70)
	f.snapshot.Connection.Policy.RateMinute = 1000
	f.gives(10, `[{"id":1,"name":"canary-name"}]`)
	var mu sync.Mutex
	got := map[string]int{}
	var together sync.WaitGroup
	for range 32 {
		together.Go(func() {
			a := call(t, url, "search_records", searchPartners)
			mu.Lock()
			got[a.kind()]++
			mu.Unlock()
		})
	}
	together.Wait()
	if got[""] != 7 || got["rate_limited"] != 25 {
		t.Errorf("%v", got)
	}
}

// TestRowsOfChanges: a change is done, and told, whatever is left; what it gives out counts.
func TestRowsOfChanges(t *testing.T) {
	t.Parallel()
	f, l, url := rowsEndpoint(t, 2)
	f.gives(3, `{"ids":[5],"names":["A"],"changed":[]}`)
	for range 2 {
		if a := call(t, url, "create_records", `{"model":"res.partner","records":[{"name":"A"}]}`); a.kind() != "" {
			t.Errorf("%s", a.body)
		}
	}
	if n := l.count("7:rows"); n != 6 {
		t.Errorf("%d rows are counted, want 6", n)
	}
}

// TestRowsNotCounted: without a count nothing is given out, and Odoo is not even asked.
func TestRowsNotCounted(t *testing.T) {
	t.Parallel()
	f, l, url := rowsEndpoint(t, 100)
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		l.fail(errors.New("redis is down")) // between the question and the count
		r := reply(`[{"id":1,"name":"canary-name"}]`)
		r.Rows = 1
		return r, nil
	}
	if a := call(t, url, "search_records", searchPartners); a.kind() != "unavailable" || strings.Contains(a.body, "canary-name") {
		t.Errorf("%s", a.body)
	}
	before := f.callCount()
	if a := call(t, url, "search_records", searchPartners); a.kind() != "unavailable" || f.callCount() != before {
		t.Errorf("%s", a.body)
	}
}

// TestRowsThatOdooRefuses: it counts no days, so the service says when the next one begins; its refusal is recorded once.
func TestRowsThatOdooRefuses(t *testing.T) {
	t.Parallel()
	f, _, url := rowsEndpoint(t, 100)
	f.call = func(access.Fence, access.Request) (access.Reply, error) {
		return access.Reply{}, &access.Error{Kind: access.RateLimited, Code: access.CodeRowsUsedUp, Message: "Used up.", Hint: "Wait."}
	}
	a := call(t, url, "search_records", searchPartners)
	if a.kind() != "rate_limited" || fmt.Sprint(a.Result.StructuredContent["retry_after_seconds"]) != "32400" {
		t.Errorf("%s", a.body)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.events) > 0 {
		t.Errorf("recorded twice: %v", f.events)
	}
}

// TestRowsOfTheAudit: a service that starts knows what its connection was given today.
func TestRowsOfTheAudit(t *testing.T) {
	t.Parallel()
	f, l, url := rowsEndpoint(t, 100)
	f.resolve = func(access.Proof) (access.Resolution, error) {
		return access.Resolution{Snapshot: f.snapshot, UsedToday: 3, RowsToday: 40}, nil
	}
	call(t, url, "get_context", `{}`)
	l.mu.Lock()
	defer l.mu.Unlock()
	if seeds := strings.Join(l.seeds, ", "); !strings.HasPrefix(seeds, "7 3 ") || !strings.Contains(seeds, "7:rows 40 ") {
		t.Errorf("seeded %q", seeds)
	}
}

// TestRowsCut: a reply that was cut says so, and how to go on.
func TestRowsCut(t *testing.T) {
	t.Parallel()
	for _, row := range []struct{ name, tool, args, value, want string }{
		{
			"search", "search_records", `{"model":"res.partner","limit":5,"offset":20}`,
			`{"rows":[{"id":1,"name":"A"},{"id":2,"name":"B"}],"names":{},"total":25,"more":true,"most":2}`,
			`has_more:true next_offset:22 note:The row limit of this connection is 2 now: go on with next_offset.`,
		},
		{"search, as asked", "search_records", `{"model":"res.partner","limit":2}`, `{"rows":[{"id":1},{"id":2}],"names":{},"total":25,"more":true}`, `has_more:true next_offset:2 note:<nil>`},
		{
			"groups", "aggregate_records", `{"model":"res.partner","group_by":["color"],"limit":5}`,
			`{"groups":[{"color":1,"__count":4}],"more":true,"most":1}`,
			`has_more:true next_offset:1 note:The row limit of this connection is 1 now: go on with next_offset.`,
		},
		{
			"everywhere", "search_everywhere", `{"query":"Acme"}`,
			`{"found":[{"model":"res.partner","label":"Contact","records":[{"id":1,"name":"Acme"}],"has_more":true}],"searched":1,"not_searched":[],"most":1}`,
			`has_more:<nil> next_offset:<nil> note:The row limit of this connection is 1 now: name models, one at a time.`,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			f, _, url := rowsEndpoint(t, 0)
			f.gives(1, row.value)
			a := call(t, url, row.tool, row.args)
			c := a.Result.StructuredContent
			if got := fmt.Sprintf("has_more:%v next_offset:%v note:%v", c["has_more"], c["next_offset"], c["note"]); got != row.want {
				t.Errorf("\n got %s\nwant %s\n%s", got, row.want, a.body)
			}
		})
	}
}
