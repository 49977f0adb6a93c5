// Command demo shows Doorman from nothing: an Odoo 19 with the addon, the service, and the walk of an AI tool through them,
// all on this machine. It is a program of its own, so that no part of it is in Doorman's.
//
//	options ─> a local Odoo with people and connections (or one that is there) ─> the service, in this process
//	        ─> the ready file ─> the walk, by a real MCP client: search, a closed door, an approval, Revoke
//	        ─> a summary, until Ctrl-C
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	var wrong usageError
	switch {
	case errors.As(err, &wrong):
		fmt.Fprintln(os.Stderr, wrong)
		os.Exit(2)
	case err != nil:
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
