// Package soak lets a service and a real Odoo work for minutes, and looks whether either of them grows.
//
//	tools, lists, wrong keys, sessions ──> doorman (a process of its own) ──> Odoo, 2 workers
//	every second: memory, heap, goroutines, descriptors of doorman; memory of Odoo's processes
//	at the end: the last quarter against the second
package soak
