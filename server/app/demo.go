package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rs/zerolog"

	"doorman/odoo/localodoo"
)

// demoOptions are the flags of demo.
type demoOptions struct {
	once       bool
	readyFile  string
	port       int
	odooURL    string
	odooDB     string
	serviceKey string
	key        string
}

func parseDemo(args []string) (demoOptions, error) {
	var o demoOptions
	var text strings.Builder
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(&text)
	flags.BoolVar(&o.once, "once", false, "end after the walk")
	flags.StringVar(&o.readyFile, "ready-file", "", "write URLs, logins and keys to this `file`, as JSON, once everything stands")
	flags.IntVar(&o.port, "port", 0, "`port` of the service (default: a free one)")
	flags.StringVar(&o.odooURL, "odoo-url", "", "use the Odoo at this `URL` instead of a local one")
	flags.StringVar(&o.odooDB, "odoo-db", "", "its `database`")
	flags.StringVar(&o.serviceKey, "service-key", "", "its service `key`, from Doorman > Configuration > Server Settings")
	flags.StringVar(&o.key, "key", "", "the `key` of a connection in it, for the walk (it only reads)")
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return o, UsageError{text.String()}
	} else if err != nil || flags.NArg() > 0 {
		return o, UsageError{text.String() + "demo takes only flags"}
	}
	given := 0
	for _, s := range []string{o.odooURL, o.odooDB, o.serviceKey} {
		if s != "" {
			given++
		}
	}
	if given != 0 && given != 3 {
		return o, UsageError{"--odoo-url, --odoo-db and --service-key belong together: give all three, or none for a local Odoo"}
	}
	if o.key != "" && given == 0 {
		return o, UsageError{"--key belongs to --odoo-url: a local Odoo gets its own"}
	}
	return o, nil
}

// demoUser is one login of the demo's Odoo.
type demoUser struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// demoReady is what --ready-file holds.
type demoReady struct {
	OdooURL       string     `json:"odoo_url"`
	OdooDB        string     `json:"odoo_db"`
	AdminLogin    string     `json:"admin_login"`
	AdminPassword string     `json:"admin_password"`
	Users         []demoUser `json:"users"`
	MCPURL        string     `json:"mcp_url"`
	Key           string     `json:"key"`
	ServiceURL    string     `json:"service_url"`
	ServiceKey    string     `json:"service_key"`

	walkKey        string
	walkConnection int64
	walkTwins      []int // contacts that the walk deletes
}

// demoCommand is `doorman demo`: everything on this machine, and a walk through it.
func demoCommand(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	o, err := parseDemo(args)
	if err != nil {
		return err
	}
	say := &teller{out: stdout, start: time.Now()}
	ready := &demoReady{OdooURL: o.odooURL, OdooDB: o.odooDB, ServiceKey: o.serviceKey, Key: o.key}
	if o.odooURL == "" {
		host, err := demoOdoo(ctx, say, ready)
		if host != nil {
			defer func() {
				say.line("Stopping Odoo and PostgreSQL ...")
				_ = host.Close()
			}()
		}
		if err != nil {
			return err
		}
	}
	stop, err := demoService(ctx, o, say, ready, stderr)
	if err != nil {
		return err
	}
	defer stop()
	if err := writeReady(o.readyFile, ready); err != nil {
		return err
	}
	if err := walk(ctx, say, ready); err != nil {
		return fmt.Errorf("the walk failed: %w", err)
	}
	if o.once {
		return nil
	}
	say.summary(ready)
	<-ctx.Done()
	return nil
}

// demoOdoo starts a local Odoo with the addon, people and connections.
func demoOdoo(ctx context.Context, say *teller, ready *demoReady) (*localodoo.Host, error) {
	addons, err := findAddons()
	if err != nil {
		return nil, err
	}
	say.title("A real Odoo 19 on this machine")
	host, err := localodoo.Start(ctx, localodoo.Options{Addons: []string{addons}, Modules: []string{"doorman"}, Demo: true, Log: say})
	if err != nil {
		return nil, err
	}
	db, err := host.NewDatabase(ctx)
	if err != nil {
		return host, err
	}
	say.line("Adding people and connections ...")
	if err := seedDemo(ctx, host, db, ready); err != nil {
		return host, err
	}
	say.line("Starting Odoo ...")
	server, err := host.Serve(ctx, localodoo.ServeOptions{Databases: []string{db}})
	if err != nil {
		return host, err
	}
	ready.OdooURL, ready.OdooDB = server.URL(), db
	say.line("Odoo answers at " + server.URL())
	// Odoo learns its own address, for the links that it gives, when an administrator logs in.
	if _, err := inOdoo(ctx, ready, ready.AdminLogin, ready.AdminPassword, "res.users", "has_access", []int{}, "read"); err != nil {
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
walk, walk_key = connection("Demo walk", member, **may_write, description="Made and revoked by the demo's walk.")
yours, key = connection("Your AI tool", admin, **may_write, description="Its key was printed when the demo started.")
print("SEED " + json.dumps({
    "service_key": settings._generate_service_key(), "walk": walk.id, "walk_key": walk_key, "key": key,
    "twins": twins.ids,
}))
`

func seedDemo(ctx context.Context, host *localodoo.Host, db string, ready *demoReady) error {
	out, err := host.Shell(ctx, db, seedScript)
	if err != nil {
		return err
	}
	var seed struct {
		ServiceKey string `json:"service_key"`
		Walk       int64  `json:"walk"`
		WalkKey    string `json:"walk_key"`
		Key        string `json:"key"`
		Twins      []int  `json:"twins"`
	}
	for line := range strings.Lines(out) {
		if text, found := strings.CutPrefix(line, "SEED "); found {
			if err := json.Unmarshal([]byte(text), &seed); err != nil {
				return err
			}
		}
	}
	if seed.Key == "" {
		return errors.New("Odoo did not answer with the demo's keys")
	}
	ready.ServiceKey, ready.Key = seed.ServiceKey, seed.Key
	ready.walkKey, ready.walkConnection, ready.walkTwins = seed.WalkKey, seed.Walk, seed.Twins
	ready.AdminLogin, ready.AdminPassword = "admin", "admin"
	ready.Users = []demoUser{
		{"admin", "admin", "MCP administrator"},
		{"approver", "approver", "approver"},
		{"user", "user", "MCP user"},
	}
	return nil
}

// demoService starts the service; stop ends it.
func demoService(ctx context.Context, o demoOptions, say *teller, ready *demoReady, stderr io.Writer) (stop func(), err error) {
	say.title("The Doorman service")
	config, err := loadConfig([]string{
		"DOORMAN_ODOO_URL=" + ready.OdooURL, "DOORMAN_ODOO_DB=" + ready.OdooDB, "DOORMAN_ODOO_KEY=" + ready.ServiceKey,
		"DOORMAN_LISTEN=" + net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port)), "DOORMAN_LOG_LEVEL=warn",
	})
	if err != nil {
		return nil, err
	}
	listener, err := config.listenOn()
	if err != nil {
		return nil, err
	}
	ready.ServiceURL = config.public.String()
	ready.MCPURL = ready.ServiceURL + mcpPath
	s, err := newService(ctx, config, newLog(config, zerolog.ConsoleWriter{Out: stderr}))
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	// Not ctx itself: at Ctrl-C the service is stopped before Odoo, by stop.
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan error, 1)
	go func() { done <- s.serve(serving, listener) }()
	stop = func() {
		say.line("Stopping the service ...")
		cancel()
		<-done
	}
	if err := waitReady(ctx, s); err != nil {
		stop()
		return nil, err
	}
	say.line("It answers at " + ready.MCPURL)
	return stop, nil
}

// waitReady returns when the service reaches Odoo.
func waitReady(ctx context.Context, s *service) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for {
		_, err := s.health.check(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the service does not reach Odoo: %w", err)
		case <-tick.C:
		}
	}
}

// writeReady writes the ready file in one step, readable by its owner only: it holds keys.
func writeReady(path string, ready *demoReady) error {
	if path == "" {
		return nil
	}
	body, err := json.MarshalIndent(ready, "", "  ")
	if err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, append(body, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}

// teller prints what happens, for a person who sees this for the first time.
type teller struct {
	out   io.Writer
	start time.Time
}

// Write takes the progress of package localodoo, a line at a time.
func (t *teller) Write(p []byte) (int, error) {
	for line := range strings.Lines(string(p)) {
		t.line(strings.TrimRight(line, "\n"))
	}
	return len(p), nil
}

func (t *teller) title(text string) { fmt.Fprintf(t.out, "\n%s\n", text) }

func (t *teller) line(text string) {
	fmt.Fprintf(t.out, "  %5.1fs  %s\n", time.Since(t.start).Seconds(), text)
}

func (t *teller) detail(format string, args ...any) {
	fmt.Fprintf(t.out, "          "+format+"\n", args...)
}

// summary says what stands, and how to try it.
func (t *teller) summary(r *demoReady) {
	t.title("Everything stands. Try it yourself")
	t.detail("Odoo      %s/odoo   (menu Doorman)", r.OdooURL)
	for _, u := range r.Users {
		t.detail("          login %-10s password %-10s %s", u.Login, u.Password, u.Role)
	}
	t.detail("MCP       %s", r.MCPURL)
	if r.Key != "" {
		t.detail("Key       %s", r.Key)
		t.detail("")
		t.detail("Claude Code:  claude mcp add --transport http odoo %s --header \"Authorization: Bearer %s\"", r.MCPURL, r.Key)
	}
	t.detail("")
	t.detail("Ctrl-C ends it all; nothing is left running.")
}
