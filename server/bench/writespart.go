package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"doorman/odoo/localodoo"
)

const (
	nameEmpty    = "an empty route"
	writeWorkers = 32 // each changes a record of its own
)

// writesPart compares changes through Doorman, with ledger, gate and audit, with the same changes made directly.
type writesPart struct {
	Create *part `json:"create"`
	Update *part `json:"update"`
	Floor  *part `json:"floor"` // a search, against an empty route
}

// writesScript lets the bench's connection change contacts, and makes one for each worker.
const writesScript = `
user.group_ids = [Command.link(env.ref("base.group_partner_manager").id)]
for one in (connection, ruled):
    one.scope_ids = [Command.set(env["doorman.scope"].search([]).ids)]
made = env["res.partner"].create([{"name": "Bench %s" % n} for n in range(32)])
print("IDS " + json.dumps(made.ids))
`

func measureWrites(ctx context.Context, o options, tools *toolbox) (*writesPart, error) {
	host, db, err := startReal(ctx, o, tools, "doorman")
	if err != nil {
		return nil, err
	}
	defer func() { _ = host.Close() }()
	seed, ids, err := seedWrites(ctx, host, db)
	if err != nil {
		return nil, err
	}
	url, service, err := serveReal(ctx, o, tools, host, db, seed)
	if err != nil {
		return nil, err
	}
	defer service.stop()
	bare, err := startBare(ctx, bareOdoo{URL: url, DB: db, UID: seed.UID, Key: seed.APIKey})
	if err != nil {
		return nil, err
	}
	defer bare.stop()
	w := writing{url: url, db: db, seed: seed, service: service, bare: bare, ids: ids}
	out := &writesPart{}
	for _, one := range []struct {
		into  **part
		title string
		ways  []*way
		base  string
	}{
		{&out.Create, "Real Odoo 19: create a contact", w.ways("create", "create_records", w.createArgs, w.createTool), nameJSONRPC},
		{&out.Update, "Real Odoo 19: change a contact", w.ways("write", "update_records", w.updateArgs, w.updateTool), nameJSONRPC},
		{&out.Floor, "Real Odoo 19: search of 2 partners", []*way{w.empty(), mcpWay(nameDoorman, service, seed.Key)}, nameEmpty},
	} {
		if err := warmUp(ctx, one.ways); err != nil {
			return nil, err
		}
		p := &part{Title: one.title, baseline: one.base}
		if err := p.race(ctx, one.ways, service, []int{1, 8}, o.rounds, o.slice()); err != nil {
			return nil, err
		}
		*one.into = p
	}
	return out, enoughAudit(ctx, host, db, out.Create.requests(nameDoorman)+out.Update.requests(nameDoorman)+out.Floor.requests(nameDoorman))
}

func seedWrites(ctx context.Context, host *localodoo.Host, db string) (seed realSeed, ids []int64, err error) {
	out, err := host.Shell(ctx, db, seedScript+writesScript)
	if err != nil {
		return seed, nil, err
	}
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(line, "SEED "); found {
			err = errors.Join(err, json.Unmarshal([]byte(text), &seed))
		} else if text, found := strings.CutPrefix(line, "IDS "); found {
			err = errors.Join(err, json.Unmarshal([]byte(text), &ids))
		}
	}
	if err == nil && (seed.Key == "" || len(ids) != writeWorkers) {
		err = errors.New("the set-up printed no key or no records")
	}
	return seed, ids, err
}

// writing makes the ways of the part. Every request has other values: Odoo skips a write that changes nothing.
type writing struct {
	url, db string
	seed    realSeed
	service *child
	bare    *child
	ids     []int64
	n       atomic.Int64
}

// ways are the same change by Odoo's own method, through a bare server, and by Doorman's tool.
func (w *writing) ways(method, tool string, args, arguments func(int) string) []*way {
	bare := mcpWay(nameThrough, w.bare, "")
	bare.rows = doneByBare
	doorman := mcpWay(nameDoorman, w.service, w.seed.Key)
	doorman.rows = doneByTool
	return []*way{w.direct(method, args), callsTool(bare, tool, arguments), callsTool(doorman, tool, arguments)}
}

func (w *writing) createArgs(int) string { return fmt.Sprintf(`[[{"name":"Made %d"}]]`, w.n.Add(1)) }

func (w *writing) updateArgs(worker int) string {
	return fmt.Sprintf(`[[%d],{"comment":"<p>%d</p>"}]`, w.ids[worker], w.n.Add(1))
}

func (w *writing) createTool(int) string {
	return fmt.Sprintf(`{"model":"res.partner","records":[{"name":"Made %d"}]}`, w.n.Add(1))
}

func (w *writing) updateTool(worker int) string {
	return fmt.Sprintf(`{"model":"res.partner","ids":[%d],"values":{"comment":"%d"}}`, w.ids[worker], w.n.Add(1))
}

// each makes a way send a body of its own with every request.
func each(one *way, body func(worker int) []byte) *way {
	one.send = func(ctx context.Context, worker int, buffer *bytes.Buffer) (time.Time, error) {
		mine := &way{name: one.name, url: one.url, header: one.header, body: body(worker), rows: one.rows, client: one.client}
		err := mine.ask(ctx, buffer)
		return time.Now(), err
	}
	return one
}

// direct is the call of a method of res.partner by Odoo's own /jsonrpc.
func (w *writing) direct(method string, args func(int) string) *way {
	one := newWay(nameJSONRPC, w.url+"/jsonrpc", nil, doneByOdoo, map[string]string{"X-Odoo-Database": w.db})
	return each(one, func(worker int) []byte {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"call","params":{"service":"object","method":"execute_kw",`+
			`"args":[%q,%d,%q,"res.partner",%q,%s]}}`, w.db, w.seed.UID, w.seed.APIKey, method, args(worker))
	})
}

// callsTool makes a way call a tool.
func callsTool(one *way, tool string, arguments func(int) string) *way {
	return each(one, func(worker int) []byte {
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":%q,"arguments":%s}}`, tool, arguments(worker))
	})
}

// empty is a route that opens the database, checks the caches and does nothing else: what any request to Odoo costs.
func (w *writing) empty() *way {
	return newWay(nameEmpty, w.url+"/web/webclient/version_info", []byte(`{"jsonrpc":"2.0","id":1,"method":"call","params":{}}`), doneByOdoo,
		map[string]string{"X-Odoo-Database": w.db})
}

// doneByOdoo and doneByTool tell whether something was done, in the count of rows that every way has.
func doneByOdoo(reply []byte) (int, error) {
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  json.RawMessage `json:"error"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return 0, err
	}
	if answer.Error != nil || answer.Result == nil || string(answer.Result) == "false" {
		return 0, errors.New("an error")
	}
	return wantRows, nil
}

func doneByTool(reply []byte) (int, error) {
	count, change, err := changedBy(reply)
	if err == nil && (count != 1 || change == 0) {
		err = errors.New("nothing was changed")
	}
	return wantRows, err
}

func doneByBare(reply []byte) (int, error) {
	count, _, err := changedBy(reply)
	if err == nil && count != 1 {
		err = errors.New("nothing was changed")
	}
	return wantRows, err
}

// changedBy reads how many records a tool says it has changed, and by which id that can be undone.
func changedBy(reply []byte) (count int, change int64, err error) {
	var answer struct {
		Result *struct {
			IsError    bool `json:"isError"`
			Structured struct {
				Count  int   `json:"count"`
				Change int64 `json:"change_id"`
			} `json:"structuredContent"`
		} `json:"result"`
	}
	if err := json.Unmarshal(reply, &answer); err != nil {
		return 0, 0, err
	}
	if answer.Result == nil || answer.Result.IsError {
		return 0, 0, errors.New("an error")
	}
	return answer.Result.Structured.Count, answer.Result.Structured.Change, nil
}
