package access

// MaxFile is the largest file that goes through, in bytes (addon/doorman/tools/files.py, MAX_BYTES).
const MaxFile = 20 << 20

// File is what a download link leads to.
type File struct {
	Name    string
	Type    string // media type, as Odoo says; it may be anything
	Content []byte
}

// Attached is a file that was sent, as Odoo keeps it.
type Attached struct {
	ID   int64
	Name string
	Type string
	Size int64
}
