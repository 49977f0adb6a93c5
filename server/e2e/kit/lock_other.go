//go:build !unix

package kit

// lockFile does nothing here: these tests need a real Odoo, which runs on Linux.
func lockFile(string) (release func(), err error) { return func() {}, nil }
