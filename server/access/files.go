package access

// File is what a download link leads to.
type File struct {
	Name    string
	Type    string // media type, as Odoo says; it may be anything
	Content []byte
}

// Attached is a file that was sent, as Odoo keeps it: as an attachment, or in a field of a record.
type Attached struct {
	ID    int64  // of the attachment; 0 = it is in Field
	Field string // technical name
	Name  string
	Type  string
	Size  int64
}
