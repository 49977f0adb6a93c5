package access

// File is what a download link leads to.
type File struct {
	Name    string
	Type    string // media type, as Odoo says; it may be anything
	Content []byte
}

// Opened is what a link is for.
type Opened struct {
	Fetch bool   // a file is fetched by it; else one is sent
	Name  string // of the file
	Type  string // media type, as Odoo says; this and the size only of a file to fetch
	Size  int64
}

// Attached is a file that was sent, as Odoo keeps it: as an attachment, or in a field of a record.
type Attached struct {
	ID    int64  // of the attachment; 0 = it is in Field
	Field string // technical name
	Name  string
	Type  string
	Size  int64
}
