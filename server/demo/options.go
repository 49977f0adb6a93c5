package main

import (
	"errors"
	"flag"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// options are the flags.
type options struct {
	once       bool
	readyFile  string
	port       int
	modules    []string
	workers    int
	odooURL    string
	odooDB     string
	serviceKey string
	key        string
}

// usageError says that the command line was wrong, and how it should look.
type usageError string

// Error implements error.
func (e usageError) Error() string { return string(e) }

const usage = `Usage: make demo ARGS="[flags]"   or   go run ./server/demo [flags]

A real Odoo 19 with Doorman, the service, and the walk of an AI tool through them, on this machine.

  --once              end after the walk
  --ready-file FILE   once everything stands, write FILE (JSON, readable by you only): odoo_url, odoo_db, admin_login,
                      admin_password, users [{login, password, role}], mcp_url, key, service_url, service_key
  --port PORT         of the service; 0, the default, is a free one
  --modules A,B       install these modules of Odoo's too, e.g. sale_management,stock
  --workers N         worker processes of Odoo's; 0, the default, is one process with threads

Instead of a local Odoo, one that is there, with the addon. All three belong together:
  --odoo-url URL      its address
  --odoo-db NAME      its database
  --service-key KEY   from Doorman > Configuration > Server Settings
  --key KEY           of a connection in it, for the walk, which only reads there; without it there is no walk`

// maxWorkers keeps a slip of the finger from starting thousands of processes.
const maxWorkers = 64

var moduleName = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)

// parse reads the flags, and says what is wrong with them before anything is started.
func parse(args []string) (options, error) {
	var o options
	var modules string
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(nowhere{})
	flags.BoolVar(&o.once, "once", false, "")
	flags.StringVar(&o.readyFile, "ready-file", "", "")
	flags.IntVar(&o.port, "port", 0, "")
	flags.StringVar(&modules, "modules", "", "")
	flags.IntVar(&o.workers, "workers", 0, "")
	flags.StringVar(&o.odooURL, "odoo-url", "", "")
	flags.StringVar(&o.odooDB, "odoo-db", "", "")
	flags.StringVar(&o.serviceKey, "service-key", "", "")
	flags.StringVar(&o.key, "key", "", "")
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return o, usageError(usage)
	case err != nil:
		return o, usageError(err.Error() + "\n\n" + usage)
	case flags.NArg() > 0:
		return o, usageError(fmt.Sprintf("the demo takes only flags, and %q is none\n\n%s", flags.Arg(0), usage))
	}
	given := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { given[f.Name] = true })
	if given["modules"] {
		if o.modules, err = parseModules(modules); err != nil {
			return o, err
		}
	}
	return o, o.check(given)
}

// nowhere takes what package flag prints by itself: usage is printed once, by main.
type nowhere struct{}

// Write implements io.Writer.
func (nowhere) Write(p []byte) (int, error) { return len(p), nil }

// parseModules reads names separated by commas, in any order, with or without spaces around them.
func parseModules(list string) ([]string, error) {
	var modules []string
	for name := range strings.SplitSeq(list, ",") {
		if name = strings.TrimSpace(name); !moduleName.MatchString(name) {
			return nil, usageError(fmt.Sprintf("--modules: %q is not a module name; it takes names such as sale_management,stock", name))
		}
		modules = append(modules, name)
	}
	slices.Sort(modules)
	return slices.Compact(modules), nil
}

// check holds the values against each other, and against this machine. given are the flags that were there.
func (o options) check(given map[string]bool) error {
	remote := given["odoo-url"] || given["odoo-db"] || given["service-key"]
	switch {
	case remote && (o.odooURL == "" || o.odooDB == "" || o.serviceKey == ""):
		return usageError("--odoo-url, --odoo-db and --service-key belong together: give all three, or none for a local Odoo")
	case given["key"] && !remote:
		return usageError("--key belongs to --odoo-url: a local Odoo gets its own")
	case remote && (given["modules"] || given["workers"]):
		return usageError("--modules and --workers are for a local Odoo: with --odoo-url they would change nothing")
	case o.port < 0 || o.port > 65535:
		return usageError(fmt.Sprintf("--port: %d is not a port; they go from 1 to 65535, and 0 is a free one", o.port))
	case o.workers < 0 || o.workers > maxWorkers:
		return usageError(fmt.Sprintf("--workers: %d is not between 0 and %d", o.workers, maxWorkers))
	}
	if remote {
		if u, err := url.Parse(o.odooURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			return usageError("--odoo-url must look like https://odoo.example.com") // not repeated: it may hold a password
		}
	}
	if !given["ready-file"] {
		return nil
	}
	if o.readyFile == "" {
		return usageError("--ready-file: the name of the file is empty")
	}
	if info, err := os.Stat(filepath.Dir(o.readyFile)); err != nil || !info.IsDir() {
		return usageError(fmt.Sprintf("--ready-file: there is no folder %s", filepath.Dir(o.readyFile)))
	}
	if info, err := os.Stat(o.readyFile); err == nil && info.IsDir() {
		return usageError(fmt.Sprintf("--ready-file: %s is a folder", o.readyFile))
	}
	return nil
}
