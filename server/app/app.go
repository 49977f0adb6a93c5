package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime/debug"
	"slices"
	"strings"
)

// Version is set at build time with -ldflags "-X doorman/server/app.Version=...".
var Version = ""

// UsageError says that the command line was wrong, and how it should look.
type UsageError struct{ Text string }

// Error implements error.
func (e UsageError) Error() string { return e.Text }

// helpAsked is how a command says that its usage was asked for: that goes to standard output, and is not a failure.
type helpAsked struct{ usage string }

// Error implements error.
func (h helpAsked) Error() string { return h.usage }

const usage = `Usage: doorman <command>

  serve     run the service; configured by DOORMAN_... variables, see docs/install.md
  check     say what is wrong with an installation, and how to fix it; same configuration as serve
  health    ask the service that runs here whether it lives, for images without a shell; exit code 1 if it does not
  explain   say whether a connection may use a tool, and what decides it; explain --help says how
  audit     take the audit out of Odoo, and say whether it was changed; audit --help says how
  version   print the version`

// Run is the program: args without the program's name, environ as os.Environ gives it. It returns when the command is
// done or ctx ends.
func Run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	err := run(ctx, args, environ, stdout, stderr)
	if help, ok := errors.AsType[helpAsked](err); ok {
		_, err = fmt.Fprintln(stdout, help.usage)
	}
	return err
}

// bare are the commands without arguments, and what each says instead of taking any.
var bare = map[string]string{
	"serve":  "serve takes no arguments: it is configured by DOORMAN_... variables, see docs/install.md",
	"check":  "check takes no arguments: it is configured by DOORMAN_... variables, as serve is",
	"health": "health takes no arguments: DOORMAN_LISTEN says where the service is",
}

func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) error {
	if len(args) == 0 {
		return UsageError{usage}
	}
	command, rest := args[0], args[1:]
	if said := bare[command]; said != "" && len(rest) > 0 {
		if slices.Contains([]string{"--help", "-help", "-h"}, rest[0]) {
			return helpAsked{fmt.Sprintf("Usage: doorman %s\n\n%s", command, said)}
		}
		return UsageError{said}
	}
	switch command {
	case "serve":
		return serveCommand(ctx, environ, stderr)
	case "check":
		return checkCommand(ctx, environ, stdout)
	case "health":
		return healthCommand(ctx, environ, stdout)
	case "explain":
		return explainCommand(ctx, rest, environ, stdout)
	case "audit":
		return auditCommand(ctx, rest, environ, stdout, stderr)
	case "version", "--version", "-v":
		_, err := fmt.Fprintln(stdout, "doorman", version())
		return err
	case "help", "--help", "-h":
		_, err := fmt.Fprintln(stdout, usage)
		return err
	default:
		return UsageError{fmt.Sprintf("there is no command %q\n\n%s", command, usage)}
	}
}

// version is what was set at build time, or what the module system knows.
func version() string {
	if Version != "" {
		return Version
	}
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "devel"
	}
	return strings.TrimPrefix(info.Main.Version, "v")
}
