package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"doorman/odoo/localodoo"
)

// startOdoo starts a local Odoo with the addon, people and connections.
func startOdoo(ctx context.Context, o options, say *teller, r *ready) (*localodoo.Host, error) {
	addons, err := findAddons()
	if err != nil {
		return nil, err
	}
	say.title("A real Odoo 19 on this machine")
	host, err := localodoo.Start(ctx, localodoo.Options{
		Addons: []string{addons}, Modules: append([]string{"doorman"}, o.modules...), Demo: true, Log: say,
	})
	if err != nil {
		return nil, err
	}
	db, err := host.NewDatabase(ctx)
	if err != nil {
		return host, err
	}
	say.line("Adding people and connections ...")
	if err := seed(ctx, host, db, r); err != nil {
		return host, err
	}
	say.line("Starting Odoo ...")
	server, err := host.Serve(ctx, localodoo.ServeOptions{Databases: []string{db}, Workers: o.workers})
	if err != nil {
		return host, err
	}
	r.OdooURL, r.OdooDB = server.URL(), db
	say.line("Odoo answers at " + server.URL())
	// Odoo learns its own address, for the links that it gives, when an administrator logs in.
	if _, err := inOdoo(ctx, r, r.AdminLogin, r.AdminPassword, "res.users", "has_access", []int{}, "read"); err != nil {
		return host, err
	}
	return host, nil
}

// findAddons looks for the addon folder from the working directory upwards.
func findAddons() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		candidate := filepath.Join(dir, "addon")
		if _, err := os.Stat(filepath.Join(candidate, "doorman", "__manifest__.py")); err == nil {
			return candidate, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("the addon was not found: run the demo inside Doorman's repository, where addon/doorman is")
		}
		dir = parent
	}
}

// seedScript makes what the demo shows. It prints one line of JSON.
const seedScript = `
import json
from odoo.fields import Command
env["doorman.connection"]._demo_refresh()
settings = env["doorman.settings"]._get()
settings.action_enable()
group = env.ref
def user(login, name, groups):
    return env["res.users"].with_context(no_reset_password=True).create({
        "name": name, "login": login, "password": login, "email": login + "@example.com",
        "group_ids": [Command.set([group(g).id for g in groups])],
    })
approver = user("approver", "Ada Approver", ["base.group_user"])
member = user("user", "Uma User", ["doorman.group_user", "base.group_partner_manager"])
admin = env.ref("base.user_admin")
tools = env["doorman.connection"]._demo_tools()
may_write = {
    "scope_ids": [Command.set(env["doorman.scope"].search([("code", "in", ("mcp:metadata", "mcp:search", "mcp:orm"))]).ids)],
    "approval_tool_ids": [Command.set(tools["delete_records"].ids)],
    "approver_id": approver.id,
}
twins = env["res.partner"].create([{"name": "Azure Interior (copy)"}, {"name": "Deco Addict (copy)"}])
def connection(name, owner, **values):
    record = env["doorman.connection"].create({"name": name, "user_id": owner.id, **values})
    return record, record._issue_key()
spare = env["res.partner"].create({"name": "Gemini Furniture (copy)"})
walk, walk_key = connection("Demo walk", member, **may_write, description="Made and revoked by the demo's walk.")
yours, key = connection("Your AI tool", admin, **may_write, description="Its key was printed when the demo started.")
print("SEED " + json.dumps({
    "service_key": settings._generate_service_key(), "walk": walk.id, "walk_key": walk_key, "key": key,
    "twins": twins.ids, "spare": spare.id,
}))
`

func seed(ctx context.Context, host *localodoo.Host, db string, r *ready) error {
	out, err := host.Shell(ctx, db, seedScript)
	if err != nil {
		return err
	}
	var made struct {
		ServiceKey string `json:"service_key"`
		Walk       int64  `json:"walk"`
		WalkKey    string `json:"walk_key"`
		Key        string `json:"key"`
		Twins      []int  `json:"twins"`
		Spare      int    `json:"spare"`
	}
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(line, "SEED "); found {
			if err := json.Unmarshal([]byte(text), &made); err != nil {
				return err
			}
		}
	}
	if made.Key == "" {
		return errors.New("Odoo did not answer with the demo's keys")
	}
	r.ServiceKey, r.Key = made.ServiceKey, made.Key
	r.walkKey, r.walkConnection, r.walkTwins, r.spare = made.WalkKey, made.Walk, made.Twins, made.Spare
	r.AdminLogin, r.AdminPassword = "admin", "admin"
	r.Users = []login{
		{"admin", "admin", "MCP administrator"},
		{"approver", "approver", "approver"},
		{"user", "user", "MCP user"},
	}
	return nil
}
