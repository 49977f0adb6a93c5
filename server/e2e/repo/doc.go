// Package repo holds the tests that read the repository itself: who imports whom in Go and in the addon, sizes and
// documentation of the code, tables that name tests. They need neither Odoo nor a network. It has no code of its own.
package repo
