// Package tools has the tools, a file for each family of them.
//
//	init -> add(place, row, run)   one row a tool: name, title, description, scope, risk, annotations, what it answers; the
//	                               schema of its arguments is made from the struct that run takes
//	Catalog                        all rows, by place -> toolcall.Catalog
//
//	arguments -> decodeArgs        generously read; an unknown name is an error, with similar ones
//	          -> run               checks (checks.go, domain.go), then Call.Begin or Open, then Call.Do
//	          -> shape             (reply.go, written.go) rows in a bounded, flat reply, which says what was left out
//
// To add a tool, write a file with its arguments, its row and its function; nothing else in Go names it. Custom tools, which
// administrators define in Odoo, have their rows there (custom.go).
package tools
