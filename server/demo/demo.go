package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"doorman/server/app"
)

// login is a user of the demo's Odoo.
type login struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Role     string `json:"role"`
}

// ready is what --ready-file holds, and what the walk needs besides.
type ready struct {
	OdooURL       string  `json:"odoo_url"`
	OdooDB        string  `json:"odoo_db"`
	AdminLogin    string  `json:"admin_login"`
	AdminPassword string  `json:"admin_password"`
	Users         []login `json:"users"`
	MCPURL        string  `json:"mcp_url"`
	Key           string  `json:"key"`
	ServiceURL    string  `json:"service_url"`
	ServiceKey    string  `json:"service_key"`

	walkKey        string
	walkConnection int64
	walkTwins      []int // contacts that the walk deletes
	spare          int   // a contact that an AI tool asks to delete, and nobody has decided
}

// run is the program: args without its name. It returns when the walk is done (--once), or when ctx ends.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	if o.readyFile != "" { // of an earlier run, it would say that this one is ready
		if err := os.Remove(o.readyFile); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("--ready-file: %w", err)
		}
	}
	say := &teller{out: stdout, start: time.Now()}
	r := &ready{OdooURL: o.odooURL, OdooDB: o.odooDB, ServiceKey: o.serviceKey, Key: o.key, Users: []login{}}
	if o.odooURL == "" {
		host, err := startOdoo(ctx, o, say, r)
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
	service, err := startService(ctx, o, say, r, stderr)
	if err != nil {
		return err
	}
	defer func() {
		say.line("Stopping the service ...")
		_ = service.Stop()
	}()
	if err := r.write(o.readyFile); err != nil {
		return fmt.Errorf("--ready-file: %w", err)
	}
	if err := walk(ctx, say, r); err != nil {
		return fmt.Errorf("the walk failed: %w", err)
	}
	if o.once {
		return nil
	}
	say.summary(r)
	<-ctx.Done()
	return nil
}

// startService starts the service in this process.
func startService(ctx context.Context, o options, say *teller, r *ready, stderr io.Writer) (*app.Running, error) {
	say.title("The Doorman service")
	service, err := app.Start(ctx, []string{
		"DOORMAN_ODOO_URL=" + r.OdooURL, "DOORMAN_ODOO_DB=" + r.OdooDB, "DOORMAN_ODOO_KEY=" + r.ServiceKey,
		"DOORMAN_LISTEN=" + net.JoinHostPort("127.0.0.1", strconv.Itoa(o.port)), "DOORMAN_LOG_LEVEL=warn", "DOORMAN_STOP_DELAY=0s",
	}, zerolog.ConsoleWriter{Out: stderr})
	if err != nil {
		return nil, err
	}
	if err := service.Ready(ctx); err != nil {
		_ = service.Stop() // what is in the way says more
		return nil, err
	}
	r.ServiceURL, r.MCPURL = service.URL(), service.MCPURL()
	say.line("It answers at " + r.MCPURL)
	return service, nil
}

// write writes the ready file in one step, readable by its owner only: it holds keys.
func (r *ready) write(path string) error {
	if path == "" {
		return nil
	}
	body, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	part := path + ".part"
	if err := os.WriteFile(part, append(body, '\n'), 0o600); err != nil {
		return err
	}
	return os.Rename(part, path)
}
