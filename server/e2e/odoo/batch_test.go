package odoo_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"doorman/server/e2e/kit"
)

// TestRealReadsShare: four people, each of whom may see one company, search at the same time, more of them than Odoo has
// workers. Their searches share requests to Odoo; each sees their own records, and each search is on record as theirs.
func TestRealReadsShare(t *testing.T) {
	const each, rounds = 4, 25
	people := []string{"anna", "bert", "cora", "dora"}
	o := kit.RealOdoo(t, 2, `
for login in ("anna", "bert", "cora", "dora"):
    company = env["res.company"].create({"name": login})
    env["res.partner"].create({"name": "Secret of " + login, "company_id": company.id})
    person = user(login, "doorman.group_user")
    person.write({"company_ids": [Command.set([company.id])], "company_id": company.id})
    connection(login, person, rate_limit_minute=100000)`)
	proxy := kit.NewCountingProxy(t, o.Server.URL())
	s := kit.Serve(t, o.EnvironAt(proxy.URL)...)
	for _, login := range people {
		if names, err := secretsOf(t.Context(), s.MCP, o.Text(login)); err != nil || !slices.Equal(names, []string{"Secret of " + login}) {
			t.Fatalf("%s alone: %v %v", login, names, err)
		}
	}
	before := proxy.Requests()
	var searches sync.WaitGroup
	for _, login := range people {
		for range each {
			searches.Go(func() {
				for range rounds {
					names, err := secretsOf(t.Context(), s.MCP, o.Text(login))
					if err != nil || !slices.Equal(names, []string{"Secret of " + login}) {
						t.Errorf("%s: %v %v", login, names, err)
						return
					}
				}
			})
		}
	}
	searches.Wait()
	calls := int64(len(people) * each * rounds)
	if n := proxy.Requests() - before; n > calls*3/4 {
		t.Errorf("%d requests for %d searches: they did not share", n, calls)
	} else {
		t.Logf("%d requests for %d searches", n, calls)
	}
	out, err := o.Host.Psql(t.Context(), o.DB, `
SELECT string_agg(user_login || ' ' || outcome || ' ' || n, ', ' ORDER BY user_login, outcome)
  FROM (SELECT user_login, outcome, count(*) n FROM doorman_audit WHERE tool = 'search_records'
             AND user_login IN ('anna', 'bert', 'cora', 'dora') GROUP BY 1, 2) rows`)
	if err != nil {
		t.Fatal(err)
	}
	var want []string
	for _, login := range people {
		want = append(want, fmt.Sprintf("%s ok %d", login, each*rounds+1))
	}
	if got := strings.TrimSpace(out); got != strings.Join(want, ", ") {
		t.Errorf("on record: %s", got)
	}
}

// secretsOf searches as the owner of a key, and returns the names that come back.
func secretsOf(ctx context.Context, mcpURL, key string) (names []string, err error) {
	r, err := kit.TryPost(ctx, mcpURL, key, "tools/call", kit.ToolCall("search_records", kit.Args{
		"model": "res.partner", "domain": []any{[]any{"name", "like", "Secret of"}}, "fields": []string{"name"}, "order": "name",
	}))
	content, failed := r.Tool()
	if err != nil || failed != "" {
		return nil, fmt.Errorf("status %d, %v: %s %v", r.Status, err, failed, content["message"]) //nolint:errorlint // there may be no err
	}
	records, _ := content["records"].([]any)
	for _, record := range records {
		names = append(names, fmt.Sprint(record.(map[string]any)["name"]))
	}
	return names, nil
}

// keepSearching keeps so many searches of a key under way until the test ends.
func keepSearching(t testing.TB, mcpURL, key string, n int) {
	ctx, stop := context.WithCancel(t.Context())
	var searches sync.WaitGroup
	for range n {
		searches.Go(func() {
			for ctx.Err() == nil {
				if err := kit.Search(ctx, mcpURL, key); ctx.Err() == nil && err != nil {
					t.Errorf("a search of the crowd: %v", err)
					return
				}
			}
		})
	}
	t.Cleanup(func() { stop(); searches.Wait() })
}
