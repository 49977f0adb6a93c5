package access

// InviteCode names why Odoo refused what an administrator asked of invites. The list is closed: programs branch on it.
type InviteCode string

// The codes of the addon (models/invite/rest_api.py).
const (
	InviteForbidden InviteCode = "forbidden"          // the person is not an MCP administrator
	InviteScopes    InviteCode = "scopes_exceeded"    // a scope that the administrator does not have
	InviteGroups    InviteCode = "groups_exceeded"    // a group that they do not have, or that no invite may give
	InviteCompanies InviteCode = "companies_exceeded" // a company that is not theirs
	InviteInput     InviteCode = "invalid_input"
	InviteNotFound  InviteCode = "not_found" // also an invite of somebody else's company
)

var inviteCodes = map[InviteCode]bool{
	InviteForbidden: true, InviteScopes: true, InviteGroups: true, InviteCompanies: true, InviteInput: true, InviteNotFound: true,
}

// Known reports whether c is one of the codes above: a word of a newer addon must not become part of our API unseen.
func (c InviteCode) Known() bool { return inviteCodes[c] }

// InviteRefusal is Odoo's no to an administrator: nothing was done. Message is in the addon's own words, for them.
type InviteRefusal struct {
	Code    InviteCode
	Message string // one sentence
}

// Error gives the code and the message.
func (r *InviteRefusal) Error() string { return string(r.Code) + ": " + r.Message }
