package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"doorman/odoo/localodoo"
)

const (
	nameUsual      = "/jsonrpc, usual"
	nameJSONRPC    = "/jsonrpc + db header"
	nameJSON2Usual = "JSON-2, usual"
	nameJSON2      = "JSON-2 + db header"
	nameDoorman    = "Doorman"
	nameRules      = "Doorman, ten rules per model"
	nameThrough    = "bare go-sdk server + db header"
)

// realPart compares Doorman with the direct ways into the same Odoo.
func realPart(ctx context.Context, o options, tools *toolbox) (*part, error) {
	host, db, err := startReal(ctx, o, tools, "doorman")
	if err != nil {
		return nil, err
	}
	defer func() { _ = host.Close() }()
	say("Adding a user with a connection and an API key ...")
	seed, err := seedReal(ctx, host, db, seedScript)
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
	ways := append(realWays(url, db, seed, service), mcpWay(nameThrough, bare, ""))
	if err := warmUp(ctx, ways); err != nil {
		return nil, err
	}
	before, err := odooRequests(ctx, service)
	if err != nil {
		return nil, err
	}
	p := &part{Title: "Real Odoo 19, 2 workers, PostgreSQL with fsync: search of 2 partners", baseline: nameUsual}
	if err := p.race(ctx, ways, service, []int{1, 8, 32}, o.rounds, o.slice()); err != nil {
		return nil, err
	}
	after, err := odooRequests(ctx, service)
	if err != nil {
		return nil, err
	}
	p.CallsPerTool = (after - before) / float64(p.requests(nameDoorman)+p.requests(nameRules))
	shared, err := readsARequest(ctx, service)
	if err != nil {
		return nil, err
	}
	p.Notes = append(p.Notes, fmt.Sprintf("Doorman's reads share requests to Odoo when all its workers are busy: %.1f a request, over all concurrencies.", shared),
		"All ways act as the same user and ask for the same rows; Doorman reads one row more, for has_more, and writes its audit row.",
		"The server has one database (beside PostgreSQL's own), as production usually has: the usual calls have to find that out each time.")
	return p, p.checkAudit(ctx, host, db)
}

// startReal starts a durable PostgreSQL with a database of Odoo's demo data and the modules. Who gets the host closes it.
func startReal(ctx context.Context, o options, tools *toolbox, modules ...string) (*localodoo.Host, string, error) {
	addons := o.addons
	if addons == "" {
		addons = filepath.Join(tools.root, "addon")
	}
	host, err := localodoo.Start(ctx, localodoo.Options{
		Addons: []string{addons}, Modules: modules, Demo: true, Durable: true, Log: os.Stderr,
	})
	if err != nil {
		return nil, "", err
	}
	db, err := host.NewDatabase(ctx)
	if err != nil {
		return nil, "", errors.Join(err, host.Close())
	}
	return host, db, nil
}

// serveReal serves a database with two workers, and the service beside it. The caller stops the service.
func serveReal(ctx context.Context, o options, tools *toolbox, host *localodoo.Host, db string, seed realSeed) (url string, service *child, err error) {
	server, err := host.Serve(ctx, localodoo.ServeOptions{Workers: 2, Databases: []string{db}, LogFile: o.odooLog})
	if err != nil {
		return "", nil, err
	}
	service, err = startDoorman(ctx, tools.doorman, server.URL(), db, seed.ServiceKey)
	return server.URL(), service, err
}

// checkAudit makes sure that the calls measured are the full ones: each has left its audit row.
func (p *part) checkAudit(ctx context.Context, host *localodoo.Host, db string) error {
	return enoughAudit(ctx, host, db, p.requests(nameDoorman)+p.requests(nameRules))
}

// enoughAudit compares the audit rows with the calls.
func enoughAudit(ctx context.Context, host *localodoo.Host, db string, calls int) error {
	out, err := host.Psql(ctx, db, "SELECT count(*) FROM doorman_audit WHERE outcome = 'ok'")
	if err != nil {
		return err
	}
	var rows int
	if _, err := fmt.Sscan(out, &rows); err != nil {
		return err
	}
	if rows < calls {
		return fmt.Errorf("%d audit rows for %d calls", rows, calls)
	}
	return nil
}

// realSeed is what the set-up made.
type realSeed struct {
	UID        int64  `json:"uid"`
	APIKey     string `json:"api_key"`
	Key        string `json:"key"`
	ServiceKey string `json:"service_key"`
	RulesKey   string `json:"rules_key"`
	// Rows are what Odoo itself answers to the questions of the peers' part, by the name of the question.
	Rows map[string][]map[string]any `json:"rows"`
	// First is the id of the record that is read there.
	First int64 `json:"first"`
}

// The user is an ordinary one, so that access rights and record rules work as they do for people. Limits are set out of
// the way where the addon has them: the bench is one very eager connection.
const seedScript = `
import json
from datetime import datetime, timedelta
from odoo.fields import Command
settings = env["doorman.settings"]._get()
settings.action_enable()
user = env["res.users"].with_context(no_reset_password=True).create({
    "name": "Bench", "login": "bench", "password": "bench",
    "group_ids": [Command.set([env.ref(g).id for g in ("base.group_user", "doorman.group_user")])]})
Connection = env["doorman.connection"]
limits = {"rate_limit_minute": 1_000_000, "rate_limit_day": 100_000_000, "approve_outward": False}
connection = Connection.create({"name": "Bench", "user_id": user.id,
                                **{k: v for k, v in limits.items() if k in Connection._fields}})
api_key = env["res.users.apikeys"].with_user(user).sudo()._generate("rpc", "Bench", datetime.now() + timedelta(days=1))
# The same with rules for ten models: a domain and hidden fields of the one that is searched, other models besides. An
# older addon has none.
def rule(model, hidden=(), **values):
    field = env["ir.model.fields"]._get
    return Command.create({"model_id": env["ir.model"]._get_id(model), "perm_read": True,
                           "hidden_field_ids": [Command.set([field(model, name).id for name in hidden])], **values})
others = ("res.partner.category", "res.country", "res.country.state", "res.currency", "res.lang", "res.company",
          "res.users", "mail.activity", "ir.attachment")
if "model_rule_ids" in Connection._fields:
    rules = {"model_rule_ids": [rule("res.partner", ("phone", "vat"), domain="[('active', '=', True)]")] + [rule(name) for name in others]}
else:
    rules = {}
ruled = Connection.create({"name": "Bench, rules", "user_id": user.id, **rules,
                           **{k: v for k, v in limits.items() if k in Connection._fields}})
print("SEED " + json.dumps({"uid": user.id, "api_key": api_key, "key": connection._issue_key(), "rules_key": ruled._issue_key(),
                            "service_key": settings._generate_service_key()}))
`

func seedReal(ctx context.Context, host *localodoo.Host, db, script string) (seed realSeed, err error) {
	out, err := host.Shell(ctx, db, script)
	if err != nil {
		return seed, err
	}
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(line, "SEED "); found {
			return seed, json.Unmarshal([]byte(text), &seed)
		}
	}
	return seed, errors.New("the set-up printed no keys")
}

// realWays are the direct ways as their usual clients send them, the same with the header that names the database, and
// Doorman.
func realWays(url, db string, seed realSeed, service *child) []*way {
	kwargs := fmt.Sprintf(`"domain":%s,"fields":%s,"limit":%d`, searchDomain, searchFields, wantRows)
	rpc := fmt.Appendf(nil, `{"jsonrpc":"2.0","id":1,"method":"call","params":{"service":"object","method":"execute_kw",`+
		`"args":[%q,%d,%q,%q,"search_read",[],{%s}]}}`, db, seed.UID, seed.APIKey, searchModel, kwargs)
	json2 := fmt.Appendf(nil, `{%s}`, kwargs)
	json2URL := url + "/json/2/" + searchModel + "/search_read"
	bearer := "Bearer " + seed.APIKey
	return []*way{
		newWay(nameUsual, url+"/jsonrpc", rpc, jsonrpcRows, nil),
		newWay(nameJSONRPC, url+"/jsonrpc", rpc, jsonrpcRows, map[string]string{"X-Odoo-Database": db}),
		newWay(nameJSON2Usual, json2URL, json2, json2Rows, map[string]string{"Authorization": bearer}),
		newWay(nameJSON2, json2URL, json2, json2Rows, map[string]string{"Authorization": bearer, "X-Odoo-Database": db}),
		mcpWay(nameDoorman, service, seed.Key),
		mcpWay(nameRules, service, seed.RulesKey),
	}
}
