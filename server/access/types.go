package access

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/netip"
	"slices"
	"time"
)

// Scope is a group of tools that a connection may use, as named on the consent page and in OAuth.
type Scope string

// The five scopes. Each is a permission group in Odoo too: a connection never has one that its user lacks.
const (
	ScopeMetadata Scope = "mcp:metadata"
	ScopeSearch   Scope = "mcp:search"
	ScopeORM      Scope = "mcp:orm"
	ScopeSQL      Scope = "mcp:sql"
	ScopeShell    Scope = "mcp:shell"
)

// Scopes lists every scope, from the harmless to the mighty.
var Scopes = []Scope{ScopeMetadata, ScopeSearch, ScopeORM, ScopeSQL, ScopeShell}

func (s Scope) known() bool { return slices.Contains(Scopes, s) }

// Proof is SHA-256 of a client's credential: what the service shows to Odoo instead of the credential. Odoo stores
// only SHA-256 of it, so neither the service's key nor a copy of the database is enough to act as anyone.
type Proof [sha256.Size]byte

// ProofOf returns the proof of a credential as the client sent it (prefix included).
func ProofOf(credential string) Proof { return sha256.Sum256([]byte(credential)) }

// String never prints the proof: to Odoo it is as good as the credential.
func (Proof) String() string { return "[proof]" }

// GoString keeps %#v from printing what String hides.
func (Proof) GoString() string { return "[proof]" }

// Hex is the form that goes over the wire to Odoo, and nowhere else.
func (p Proof) Hex() string { return hex.EncodeToString(p[:]) }

// Status is where a connection stands in its life.
type Status string

// The states of a connection. Only awaiting, connected and idle ones may call.
const (
	StatusAwaiting  Status = "awaiting"
	StatusConnected Status = "connected"
	StatusIdle      Status = "idle"
	StatusInactive  Status = "inactive"
	StatusRevoked   Status = "revoked"
	StatusExpired   Status = "expired"
)

// Policy is what a connection may do. A nil list of tools, models or companies means "no restriction"; an empty one that
// is not nil allows nothing, so that an allow list whose last entry vanished (its module was removed) does not turn into
// "everything". The lists of addresses are text that a person wrote: there, empty means none were named.
type Policy struct {
	Scopes        []Scope
	Lacking       []Scope // that the connection has as well, but its user has no permission for
	ReadOnly      bool
	ResearchTools bool // offers the tools that ask for it, see Tool.OnSwitch
	AllowedTools  []string
	AllowedModels []string
	Companies     []int64
	AllowedIPs    []netip.Prefix
	BlockedIPs    []netip.Prefix
	RateMinute    int // tool calls in any 60 seconds, >= 1
	RateDay       int // tool calls in a UTC day, >= 1
	RowsDay       int // rows of data in a UTC day; 0 = no limit. How many go into one reply is Odoo's to decide.
	// Approvals says that the connection has rules by which calls wait for a person. They are Odoo's: it decides by them
	// what each call did. The service only sends along what a request for approval is kept with.
	Approvals bool
	// Rules says that it has rules for models. They are Odoo's as well.
	Rules bool
}

// ClosesFields says whether fields that the user may read may be closed to this connection.
func (p *Policy) ClosesFields() bool { return p.AllowedModels != nil || p.Rules }

// Connection is one AI tool's way in, as Odoo knows it at one version.
type Connection struct {
	ID        int64
	Version   int64 // raised by Odoo at every change that matters to a decision
	Name      string
	Type      string // "bearer" or "oauth"
	Status    Status
	ExpiresAt time.Time // zero = never
	Policy    Policy
}

// User is the Odoo user a connection acts as.
type User struct {
	ID     int64
	Login  string
	Name   string
	Lang   string // Odoo language code, e.g. "en_US"
	Groups string // fingerprint of the user's groups: field metadata is cached by it
}

// Settings is the part of Doorman's settings that decisions need.
type Settings struct {
	Enabled bool
	Version int64
	// ReadOnlyBy names who has made all connections read-only, whatever their policies; empty = nobody has.
	ReadOnlyBy    string
	DisabledTools []string // switched off in the catalog, for everyone
	// MissingModules are the Odoo modules that tools of the catalog need and that are not installed.
	MissingModules []string
	// Floor lists the models that no policy opens: full names, or prefixes that end in a dot.
	Floor []string
}

// Snapshot is everything a decision needs, read from Odoo in one transaction.
type Snapshot struct {
	Connection Connection
	User       User
	Settings   Settings
	OwnTools   []OwnTool
	Registry   string // changes when Odoo's models change (a module, a field); field metadata is cached by it
	Grant      *Grant // of the access token that was shown; nil = it was a key
}

// ReadOnly says whether the connection may change nothing now: by its own policy, or as all connections.
func (s *Snapshot) ReadOnly() bool {
	return s.Connection.Policy.ReadOnly || s.Settings.ReadOnlyBy != ""
}

// Resolution is Odoo's answer to "who is this".
type Resolution struct {
	Snapshot *Snapshot
	// UsedToday is how many requests of the present UTC day count against the day limit, by Odoo's audit: what a
	// limiter that has just started does not know.
	UsedToday int
	// RowsToday is how many rows of data were given out in it.
	RowsToday int
}

// Tool is what a decision needs to know of a tool.
type Tool struct {
	Name        string
	Scope       Scope
	Writes      bool   // changes something in Odoo, or may
	Risk        Risk   // how much harm it can do
	NeedsModule string // technical name of the Odoo module it works with; empty = none beyond the addon
	// OnSwitch says that only a connection whose policy offers search and fetch has it.
	OnSwitch bool
	// FollowUp says that it only tells what became of a call of another tool. Whoever may call anything at all may ask for
	// that: any scope will do, and no allow list is in its way.
	FollowUp bool
}

// Rate is what a limiter said of one request. The zero value is a refusal, so that a call that nobody counted does not
// pass.
type Rate struct {
	Allowed    bool
	Limit      string        // which limit is used up: LimitMinute or LimitDay; empty if Allowed
	Max        int           // that limit, in requests
	RetryAfter time.Duration // when a place is free again
}

// The limits that a Rate may name.
const (
	LimitMinute = "minute"
	LimitDay    = "day"
)

// Call is one request to use a tool.
type Call struct {
	Tool  Tool
	Model string // empty for tools that touch no model
	IP    netip.Addr
	Rate  Rate
}

// Fence is what Odoo checks once more inside the transaction of the call: the credential, and that the decision was
// taken on what holds now.
type Fence struct {
	Proof           Proof
	Connection      int64
	Version         int64
	SettingsVersion int64
	Groups          string
	Registry        string
	// RowsLeft is how many rows of data the connection may still get today; nil = any number. Odoo refuses what would be
	// more, and cuts what can be cut.
	RowsLeft *int
}

// FenceOf binds a decision taken on s, for the holder of p, to the call that follows from it.
func FenceOf(p Proof, s *Snapshot) Fence {
	return Fence{
		Proof:           p,
		Connection:      s.Connection.ID,
		Version:         s.Connection.Version,
		SettingsVersion: s.Settings.Version,
		Groups:          s.User.Groups,
		Registry:        s.Registry,
	}
}

// Request is one ORM call, as the connection's user.
type Request struct {
	Model   string
	Method  string         // a public ORM method that the addon knows how to check
	IDs     []int64        // the records it is called on; nil for model methods
	Kwargs  map[string]any // named arguments
	Context map[string]any // lang, tz, allowed_company_ids, active_test: the addon drops everything else
	Timeout time.Duration  // how long PostgreSQL may work on it; 0 = Odoo's own limit
	Audit   Audit

	// Reads says that the call changes nothing: where its answer is lost, it may simply be asked again.
	Reads bool
	// DryRun asks what a change would do: it is done, told, and undone in one transaction.
	DryRun bool
	// IdempotencyKey is the client's own name for a change: the same key and request within a day is answered as the
	// first time, and not done again. At most 64 letters; "" = none.
	IdempotencyKey string
	// Arguments are those of the tool, a JSON object, as they came: kept with a request for approval, so that its result
	// can be told as the tool's own. Nil where the call cannot wait for a person.
	Arguments json.RawMessage
	// AskNobody is for what the service reads for itself: a call that waits for a person is an error of kind
	// PendingApproval then, and nobody is bothered.
	AskNobody bool
	// Spare says that the limit is by one higher than what is given out: the row too many says that there are more.
	Spare bool
	// Tell are fields of the records that a call makes, at most 40: the answer tells what they hold. They do not
	// change what is done.
	Tell []string
}

// Audit is what the audit row of a request says beyond what Odoo knows itself.
type Audit struct {
	RequestID string
	IP        string
	Client    string // name and version of the AI tool, as it calls itself
	Method    string // MCP method, e.g. "tools/call"
	Tool      string
}

// Reply is Odoo's answer. Exactly one of its fields is set, besides Rows.
type Reply struct {
	Rows     int // of data that are in Value or Approval
	Value    json.RawMessage
	Stale    *Snapshot // the decision was taken on an old snapshot: decide anew on this one; nothing was done
	Pending  *Pending  // to Call: a person was asked, and nothing was done
	Approval *Approval // to ApprovalStatus
}

// Event is a request that never reached Odoo as a call, for the audit: a refusal, or one served without Odoo.
type Event struct {
	Time       time.Time
	Connection int64 // 0 = none known
	Proof      Proof // of its credential: Odoo counts nothing against it by our word alone
	Audit      Audit
	Served     bool // true: it was served, and Reason and Message are empty; false: it was refused
	Model      string
	Reason     Kind
	Message    string
	Count      int // how often the same happened; >= 1
}

// Progress is what one run of a piece of upkeep did.
type Progress struct {
	Done int
	More bool // it stopped before the end, to keep its transaction short: to be called again at once
}

// Hello is what Odoo says of itself.
type Hello struct {
	OdooVersion   string
	AddonVersion  string // that the database was last updated to
	Database      string
	Enabled       bool
	Settings      int64 // version of the settings
	Registry      string
	CompanyName   string
	OAuth         OAuthSettings
	WebURL        string   // where people reach Odoo, without a slash at its end; "" = Odoo does not say
	WebURLFollows bool     // Odoo changes WebURL whenever an administrator logs in by another address
	OtherMCP      []string // other modules of Odoo's that let AI tools in, past Doorman
	Services      []string // addresses of the services that run with this Odoo's service key, each once
	Jobs          []Job    // what Upkeep is to be asked for; not checked yet
}

// Job is one piece of periodic work that Odoo wants done.
type Job struct {
	Name    string
	Every   time.Duration // from one run to the next
	Timeout time.Duration // of one run
}

// CatalogTool is one row of the tool catalog that Odoo shows to administrators.
type CatalogTool struct {
	Name        string          `json:"name"`
	Title       string          `json:"title"`
	Description string          `json:"description"`
	Category    string          `json:"category"`
	Scope       Scope           `json:"scope"`
	Risk        Risk            `json:"risk"`
	NeedsModule string          `json:"needs_module"`
	InputSchema json.RawMessage `json:"input_schema"`
}
