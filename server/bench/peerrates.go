package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// mostAtOnce is the highest concurrency of the peers' part.
const mostAtOnce = 32

// peerConcurrencies are how many requests are under way at once.
var peerConcurrencies = []int{1, 8, mostAtOnce}

// question is one thing that every server is asked, in its own words.
type question struct {
	name  string
	words string
	// ask gives a server's tool and arguments.
	ask map[string]func(first int64) (tool, arguments string)
}

var questions = []question{
	{
		name: "search", words: "search of 10 companies, 3 fields each",
		ask: map[string]func(int64) (string, string){
			nameDoorman: searchBy,
			nameIvnvxd:  searchBy,
			nameErpipe:  searchBy,
		},
	},
	{
		name: "read", words: "one contact by its id, the same 3 fields",
		ask: map[string]func(int64) (string, string){
			nameDoorman: func(first int64) (string, string) {
				return "read_records", fmt.Sprintf(`{"model":%q,"ids":[%d],"fields":%s}`, searchModel, first, peerFields)
			},
			nameIvnvxd: func(first int64) (string, string) {
				return "get_record", fmt.Sprintf(`{"model":%q,"record_id":%d,"fields":%s}`, searchModel, first, peerFields)
			},
			nameErpipe: func(first int64) (string, string) {
				return "read_record", fmt.Sprintf(`{"model":%q,"record_id":%d,"fields":%s}`, searchModel, first, peerFields)
			},
		},
	},
}

// searchBy is the same for all: their searches take the same arguments.
func searchBy(int64) (string, string) {
	return "search_records", fmt.Sprintf(`{"model":%q,"domain":%s,"fields":%s,"limit":%d,"order":"id"}`,
		searchModel, searchDomain, peerFields, peerRows)
}

// rowsIn are the keys under which a server answers with records: a list of them, or a single one.
var rowsIn = []string{"records", "record", "result"}

// sameRows holds the records of a reply against what Odoo itself says, row by row and field by field.
func sameRows(value any, want []map[string]any) error {
	answer, _ := value.(map[string]any)
	var list []any
	for _, key := range rowsIn {
		switch found := answer[key].(type) {
		case []any:
			list = found
		case map[string]any:
			list = []any{found}
		}
	}
	if len(want) == 0 || len(list) != len(want) {
		return fmt.Errorf("%d rows instead of %d", len(list), len(want))
	}
	for i, row := range want {
		got, _ := list[i].(map[string]any)
		for field, wanted := range row {
			if said, there := got[field]; !there || filledIn(said) != filledIn(wanted) {
				return fmt.Errorf("row %d: %s is %v, in Odoo %v", i, field, said, wanted)
			}
		}
	}
	return nil
}

// filledIn makes one of the two ways to say that a field is empty: Odoo's false, and null.
func filledIn(v any) any {
	if v == false {
		return nil
	}
	return v
}

// rival is a server under test, Doorman or another.
type rival struct {
	name     string
	server   *child
	key      string // its bearer key, "" where it has none
	sessions []*session
}

// open opens a session for each worker: an AI tool has one of its own.
func (r *rival) open(ctx context.Context, n int) error {
	for len(r.sessions) < n {
		s, err := openSession(ctx, r.server.url, r.key)
		if err != nil {
			return fmt.Errorf("%s: %w", r.name, err)
		}
		r.sessions = append(r.sessions, s)
	}
	return nil
}

// stop ends the sessions and the server.
func (r *rival) stop() {
	for _, s := range r.sessions {
		s.close()
	}
	r.server.stop()
}

// way asks one question. Each reply is read and held against Odoo's in full, after its time was taken.
func (r *rival) way(q question, seed realSeed) *way {
	tool, arguments := q.ask[r.name](seed.First)
	params := json.RawMessage(fmt.Sprintf(`{"name":%q,"arguments":%s}`, tool, arguments))
	want := seed.Rows[q.name]
	return &way{
		name: wayName(q.name, r.name), server: r.server, lenient: true,
		send: func(ctx context.Context, worker int, buffer *bytes.Buffer) (time.Time, error) {
			raw, replied, err := r.sessions[worker].timed(ctx, "tools/call", params, buffer)
			if err != nil {
				return replied, err
			}
			reply, err := readTool(raw)
			if err != nil {
				return replied, err
			}
			return replied, sameRows(reply.Value, want)
		},
	}
}

func wayName(question, server string) string { return question + ", " + server }

// peerRate is what was measured of one server at one question and concurrency.
type peerRate struct {
	Question string  `json:"question"`
	Server   string  `json:"server"`
	Summary  summary `json:"summary"`
	// FirstWrong is what was wrong with the first wrong reply.
	FirstWrong string `json:"first_wrong,omitempty"`
}

// measurePeers lets all servers answer all questions in turn, in another order each round.
func measurePeers(ctx context.Context, rivals []*rival, seed realSeed, rounds int, d time.Duration) ([]peerRate, error) {
	var ways []*way
	for _, r := range rivals {
		if err := r.open(ctx, mostAtOnce); err != nil {
			return nil, err
		}
		for _, q := range questions {
			w := r.way(q, seed)
			var buffer bytes.Buffer
			if _, err := w.send(ctx, 0, &buffer); err != nil { // or the arguments above are wrong
				return nil, fmt.Errorf("%s: %w", w.name, err)
			}
			ways = append(ways, w)
		}
	}
	if err := warmUp(ctx, ways); err != nil {
		return nil, err
	}
	say("Measuring: %d ways x %d concurrencies x %d rounds x %s ...", len(ways), len(peerConcurrencies), rounds, d)
	slices, err := race(ctx, ways, peerConcurrencies, rounds, d, func(int) error { return nil })
	if err != nil {
		return nil, err
	}
	return peerRates(slices)
}

// peerRates sums up. Doorman, against which ratios are, has to have answered.
func peerRates(measured map[string]map[int][]slice) (out []peerRate, err error) {
	for _, q := range questions {
		for _, c := range peerConcurrencies {
			base := measured[wayName(q.name, nameDoorman)][c]
			for _, server := range serverNames {
				own := measured[wayName(q.name, server)][c]
				row := peerRate{Question: q.name, Server: server, Summary: summarize(server, c, own, base)}
				for _, s := range own {
					if s.firstWrong != nil && row.FirstWrong == "" {
						row.FirstWrong = s.firstWrong.Error()
					}
				}
				if server == nameDoorman && row.Summary.Wrong > 0 {
					err = errors.Join(err, fmt.Errorf("%s, %d at once: %d wrong replies: %s", q.name, c, row.Summary.Wrong, row.FirstWrong))
				}
				out = append(out, row)
			}
		}
	}
	return out, err
}

// serverNames are all servers, in the order of the tables.
var serverNames = []string{nameDoorman, nameIvnvxd, nameErpipe}
