package access

// OwnTool is a tool that an administrator made of a server action in Odoo. What it takes is checked in Odoo; what is here
// tells a client how to call it.
type OwnTool struct {
	Tool
	Title       string
	Description string
	// Revision is raised by each publication: a call of an older one is refused.
	Revision int64
	// Model is that of the action; OnRecords says that the call names records of it.
	Model     string
	OnRecords bool
	// CanTry says that a dry run can be honoured.
	CanTry     bool
	Parameters []OwnParameter
}

// OwnParameter is one parameter of an OwnTool.
type OwnParameter struct {
	Name        string
	Type        string // one of OwnTypes
	Required    bool
	Description string
	Model       string   // of a "record"
	Choices     []string // of a "selection"
}
