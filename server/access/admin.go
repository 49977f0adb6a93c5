package access

// AdminCode names why Odoo refused what an administrator asked of the REST API. The list is closed: programs branch on it.
type AdminCode string

// The codes of the addon (models/mixins/doorman_api_mixin.py).
const (
	AdminForbidden AdminCode = "forbidden"          // the person is not an MCP administrator
	AdminScopes    AdminCode = "scopes_exceeded"    // a scope that the administrator does not have
	AdminGroups    AdminCode = "groups_exceeded"    // a group that they do not have, or that no invite may give
	AdminCompanies AdminCode = "companies_exceeded" // a company that is not theirs
	AdminWidens    AdminCode = "would_widen"        // what only Odoo's own screens may do: widen a policy, switch on
	AdminKey       AdminCode = "key_withheld"       // a key that the administrator may not see
	AdminInput     AdminCode = "invalid_input"
	AdminNotFound  AdminCode = "not_found" // also what is of somebody else's company
	AdminConflict  AdminCode = "conflict"  // not in the state that it is in
)

var adminCodes = map[AdminCode]bool{
	AdminForbidden: true, AdminScopes: true, AdminGroups: true, AdminCompanies: true, AdminWidens: true, AdminKey: true,
	AdminInput: true, AdminNotFound: true, AdminConflict: true,
}

// Known reports whether c is one of the codes above: a word of a newer addon must not become part of our API unseen.
func (c AdminCode) Known() bool { return adminCodes[c] }

// AdminRefusal is Odoo's no to an administrator: nothing was done. Message is in the addon's own words, for them.
type AdminRefusal struct {
	Code    AdminCode
	Message string // one sentence
}

// Error gives the code and the message.
func (r *AdminRefusal) Error() string { return string(r.Code) + ": " + r.Message }
