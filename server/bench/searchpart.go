package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"doorman/odoo/localodoo"
)

// crowd is how many contacts there are to find one among.
const crowd = 100_000

// crowdScript adds them by SQL: two words each, of which there are thousands, some with letters beyond ASCII.
const crowdScript = seedScript + `
from odoo.tools import SQL
likeness = env["res.partner"].create({"name": "One of many"})
env.flush_all()
own = {"id", "name", "complete_name", "email", "phone"}
env.cr.execute("SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema AND table_name = 'res_partner'")
rest = sorted({name for (name,) in env.cr.fetchall()} - own)
env.cr.execute(SQL("""
    WITH word AS (
        SELECT n, initcap(translate(left(md5(n::text), 5 + mod(n, 5)), '0123456789abcdef', 'aeioülnrstmdkbgz')) AS word
          FROM generate_series(0, 9972) n
    ), named AS (
        SELECT i.n, one.word || ' ' || two.word AS name
          FROM generate_series(1, %s) i (n)
          JOIN word one ON one.n = mod(i.n, 701)
          JOIN word two ON two.n = mod(i.n * 7 + 3, 9973)
    )
    INSERT INTO res_partner (name, complete_name, email, phone, %s)
    SELECT named.name, named.name, named.n || '@example.com', '+32 4' || (10000000 + named.n), %s
      FROM named, res_partner likeness WHERE likeness.id = %s
    """, CROWD, SQL(", ").join(map(SQL.identifier, rest)), SQL(", ").join(SQL.identifier("likeness", name) for name in rest), likeness.id))
env.cr.execute("SELECT name FROM res_partner WHERE email LIKE '%%7@example.com' ORDER BY id LIMIT 2000")
print("NAMES " + json.dumps([name for (name,) in env.cr.fetchall()]))
`

// searchPart is how long a search by name takes among many contacts, as it is typed and with a slip.
type searchPart struct {
	Contacts int             `json:"contacts"`
	Kinds    []searchSummary `json:"kinds"`
}

// searchSummary is one way to ask.
type searchSummary struct {
	Kind     string  `json:"kind"`
	Searches int     `json:"searches"`
	Found    int     `json:"found"` // how often the one that was meant came first or second
	P50      float64 `json:"p50_ms"`
	P95      float64 `json:"p95_ms"`
}

// searchKinds are the ways, in their order; each makes of a name what is typed.
var searchKinds = []struct {
	name string
	typo func(r *rand.Rand, name string) string
}{
	{"as it is written", func(_ *rand.Rand, name string) string { return name }},
	{"two letters swapped", func(r *rand.Rand, name string) string {
		letters := []rune(name)
		for {
			i := 1 + r.IntN(len(letters)-2)
			if letters[i] != letters[i+1] && letters[i] != ' ' && letters[i+1] != ' ' {
				letters[i], letters[i+1] = letters[i+1], letters[i]
				return string(letters)
			}
		}
	}},
	{"a letter left out", func(r *rand.Rand, name string) string {
		letters := []rune(name)
		i := 1 + r.IntN(utf8.RuneCountInString(name)-1)
		for letters[i] == ' ' {
			i = 1 + r.IntN(len(letters)-1)
		}
		return string(slices.Delete(letters, i, i+1))
	}},
}

// measureSearch asks for contacts among a hundred thousand, one search at a time.
func measureSearch(ctx context.Context, o options, tools *toolbox) (*searchPart, error) {
	host, db, err := startReal(ctx, o, tools, "doorman")
	if err != nil {
		return nil, err
	}
	defer func() { _ = host.Close() }()
	say("Adding %d contacts ...", crowd)
	seed, names, err := seedCrowd(ctx, host, db)
	if err != nil {
		return nil, err
	}
	_, service, err := serveReal(ctx, o, tools, host, db, seed)
	if err != nil {
		return nil, err
	}
	defer service.stop()
	s, err := openSession(ctx, service.url, seed.Key)
	if err != nil {
		return nil, err
	}
	return searches(ctx, s, names, o.rounds*20)
}

func seedCrowd(ctx context.Context, host *localodoo.Host, db string) (seed realSeed, names []string, err error) {
	out, err := host.Shell(ctx, db, strings.Replace(crowdScript, "CROWD", fmt.Sprint(crowd), 1))
	if err != nil {
		return seed, nil, err
	}
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(line, "SEED "); found {
			err = json.Unmarshal([]byte(text), &seed)
		} else if text, found := strings.CutPrefix(line, "NAMES "); found {
			err = json.Unmarshal([]byte(text), &names)
		}
		if err != nil {
			return seed, nil, err
		}
	}
	if _, err := host.Psql(ctx, db, "ANALYZE res_partner"); err != nil {
		return seed, nil, err
	}
	if seed.Key == "" || len(names) == 0 {
		return seed, nil, fmt.Errorf("the set-up printed no key or no names")
	}
	return seed, names, nil
}

// searches makes n searches of each kind, in turns.
func searches(ctx context.Context, s *session, names []string, n int) (*searchPart, error) {
	r := rand.New(rand.NewPCG(1, 2)) // the same slips in every run
	took := make([][]time.Duration, len(searchKinds))
	found := make([]int, len(searchKinds))
	var buffer bytes.Buffer
	for range n {
		name := names[r.IntN(len(names))]
		for i, kind := range searchKinds {
			domain, err := json.Marshal([]any{[]string{"name", "ilike", kind.typo(r, name)}})
			if err != nil {
				return nil, err
			}
			params := fmt.Appendf(nil, `{"name":"search_records","arguments":{"model":"res.partner","domain":%q,"fields":["name"],"limit":5}}`, domain)
			start := time.Now()
			raw, replied, err := s.timed(ctx, "tools/call", params, &buffer)
			if err != nil {
				return nil, err
			}
			took[i] = append(took[i], replied.Sub(start))
			if isAmongTheFirst(raw, name) {
				found[i]++
			}
		}
	}
	p := &searchPart{Contacts: crowd}
	for i, kind := range searchKinds {
		slices.Sort(took[i])
		p.Kinds = append(p.Kinds, searchSummary{
			Kind: kind.name, Searches: n, Found: found[i], P50: millis(percentile(took[i], 50)), P95: millis(percentile(took[i], 95)),
		})
	}
	return p, nil
}

// isAmongTheFirst reports whether a contact of that name is the first or second that a reply names.
func isAmongTheFirst(raw json.RawMessage, name string) bool {
	type record struct{ Name string }
	var reply struct {
		StructuredContent struct {
			Records []record
			Nearest []struct{ Records []record }
		}
	}
	if json.Unmarshal(raw, &reply) != nil {
		return false
	}
	all := reply.StructuredContent.Records
	for _, near := range reply.StructuredContent.Nearest {
		all = append(all, near.Records...)
	}
	return slices.ContainsFunc(all[:min(2, len(all))], func(one record) bool { return strings.Contains(one.Name, name) })
}

// print writes the part as a table.
func (p *searchPart) print(w io.Writer) {
	_, _ = fmt.Fprintf(w, "\nSearches by name among %d contacts, one at a time\n%-40s %9s %9s %9s %14s\n", p.Contacts, "", "searches", "p50 ms", "p95 ms", "first two")
	for _, k := range p.Kinds {
		_, _ = fmt.Fprintf(w, "%-40s %9d %9.0f %9.0f %13.0f%%\n", k.Kind, k.Searches, k.P50, k.P95, 100*float64(k.Found)/float64(max(k.Searches, 1)))
	}
}
