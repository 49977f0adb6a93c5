package access

import "context"

// MaxFile is the largest file that goes through, in bytes (addon/doorman/files.py, MAX_BYTES).
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

// Files is the part of Odoo's gateway that follows links. The proof of a link's token is all that it takes: Odoo checks
// everything again that it checked when the link was made. A link that does not work (any more) is an error of kind
// NotFound, whatever the reason.
type Files interface {
	// FileOpen says whether an upload link works, before its bytes are read. It uses nothing up.
	FileOpen(ctx context.Context, p Proof) error

	// FileTake fetches a file and ends its link.
	FileTake(ctx context.Context, p Proof, a Audit) (File, error)

	// FilePut attaches a file to the record that its link is for, and ends the link; not if Odoo refuses the file.
	FilePut(ctx context.Context, p Proof, content []byte, a Audit) (Attached, error)
}
