// Package app wires the parts together: configuration, routes, start and shutdown order, subcommands.
//
//	Run ─┬─ serve ── config ─ gateway (package odoo) ─ endpoint (package mcp) ─ jobs ─ echo
//	     ├─ check ── the same configuration, and what is wrong with it
//	     └─ version
//	Start ── serve inside another program (the demo)
//
// It is the one package that sees all the others.
package app
