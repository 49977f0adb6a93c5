// Package app wires the parts together: configuration, routes, start and shutdown order, subcommands.
//
//	Run ─┬─ serve ── config ─ gateway (package odoo) ─ endpoint (package mcp) ─ jobs ─ echo
//	     ├─ demo ─── a local Odoo (package localodoo), then serve, then a client that walks through it
//	     └─ version
//
// It is the one package that sees all the others.
package app
