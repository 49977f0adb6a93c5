package access

// AuditLink is a place in the audit's chain (addon/doorman/models/audit/chain_tables.py).
type AuditLink struct {
	N      int64  `json:"n"`      // its number, from 1; 0 is the place before the first
	Digest string `json:"digest"` // SHA-256 of the chain up to it, in hexadecimal
}

// AuditPage is a piece of the audit as it leaves Odoo.
type AuditPage struct {
	Before AuditLink // the link before the first line
	Lines  []string  // each {"n", "digest", "row"} or {"n", "digest", "withheld"}, as JSON
	Last   int64     // the number of the last line; without lines that of Before
	Head   AuditLink // the last link there is
	Start  AuditLink // the last one that retention removed
}

// AuditCheck is how far Odoo's audit fits its chain.
type AuditCheck struct {
	At      AuditLink     // the last link that was looked at
	More    bool          // there are more behind it
	Problem *AuditProblem // the first that does not fit, or nil
	Head    AuditLink     // the last link there is
	Start   AuditLink     // the last one that retention removed
}

// AuditProblem is the first place where an audit does not fit its chain.
type AuditProblem struct {
	What string `json:"what"` // changed, content_changed, removed, link_removed, inserted, rewritten, shortened, retained
	N    int64  `json:"n"`    // number in the chain; 0 for a row that is not in it
	ID   int64  `json:"id"`   // id of the audit row, 0 where there is none
}

// MaxAuditPage is how many rows one request to Odoo may ask for (models/audit/chain.py).
const MaxAuditPage = 5_000
