package access

// The addon holds the same values: this file and the typed constants of this package own them, and
// addon/doorman/policy/shared.py is made from both by go generate. A test fails where it is stale. What stands here is
// text, whole numbers, and lists of text.
//
//go:generate go run ./generate

// Interface is the number of the interface between the service and its addon: the gateway's methods, their arguments and
// answers. Every change of those raises it. An addon or a service that says none speaks interface 1.
const Interface = 9

// What begins the credentials that Doorman hands out, so that a secret scanner, and a person, can tell what was found.
const (
	PrefixKey     = "dmk_" // an API key of a connection
	PrefixAccess  = "dma_" // an OAuth access token
	PrefixRefresh = "dmr_" // an OAuth refresh token
	PrefixCode    = "dmx_" // an OAuth authorization code
	PrefixClient  = "dmo_" // the id of an OAuth client
	PrefixSecret  = "dms_" // the secret of an OAuth client
)

// Limits of one request to the gateway.
const (
	MaxBatch  = 32       // calls in one JSON-RPC batch
	MaxEvents = 500      // refusals and such in one call of the method record
	MaxFile   = 20 << 20 // bytes of the largest file that goes through
	MaxInline = 64 << 10 // bytes of the largest file that is sent along with a call
)

// Limits of what an AI tool sends and gets.
const (
	MaxRecords        = 100    // records that one call may change or name
	MaxIdempotencyKey = 64     // characters
	MaxMessages       = 50     // messages in one page of a record's chatter
	MaxMessageBody    = 20_000 // characters of a message that is posted
	MaxNote           = 10_000 // characters of an activity's note
	MaxSummary        = 200    // characters of an activity's summary
	MaxSubject        = 300    // characters of the subject of a document that is sent
	MaxRecipients     = 20     // people that one document is sent to
	MaxAddress        = 254    // characters of an email address (RFC 5321, section 4.5.3.1.3)
	MaxTemplateName   = 200    // characters of a mail template's name
	MaxTypeName       = 100    // characters of an activity type's name
	MaxUserName       = 200    // characters of a name or login by which a user is looked up
	MaxPrinted        = 50     // records in one printed report
	MaxHits           = 20     // records of one model that search_everywhere shows
	MaxHitsQuery      = 100    // characters of what search_everywhere looks for
	MaxResearchQuery  = 1_000  // characters of what search looks for
	MaxCopies         = 20     // records that one call may copy
	MaxExportRows     = 50_000 // rows of one export
	MaxExportFields   = 100    // columns of one export
	MaxCode           = 20_000 // characters of a query or a piece of Python
	MaxSQLRows        = 500    // rows of a query's answer
	MaxReply          = 90_000 // characters of a reply, the JSON of it
	MaxChanged        = 12     // models that a reply tells to have changed
)

// What the service and the addon both refuse, in the same words. The service decides first; the addon decides again, for a
// policy that has changed since, and for a caller that goes around the service. A single %s is the name of a tool, a model,
// a field or a parameter; where there are several, each has a name of its own: see Words.
const (
	SayOff          = "Access for AI tools is switched off in this Odoo."
	SayOffHint      = "An MCP administrator can switch it on in Doorman's Server Settings."
	SayInvalid      = "This key or token is invalid or no longer works."
	SayInvalidHint  = "An Odoo administrator can create a new one."
	SayInactive     = "This connection is waiting for an administrator to activate it."
	SayInactiveHint = "An MCP administrator can activate it in Odoo."

	SayNoScope     = "%(tool)s needs the scope %(scope)s, which this connection does not have."
	SayNoScopeHint = "Use another tool. An MCP administrator can add the scope."
	// The connection has it, and the person that it acts as lacks the permission.
	SayNoPermission     = "%(tool)s needs %(scope)s, and this connection's user lacks that permission."
	SayNoPermissionHint = "Use another tool. An administrator can give the user the permission."
	SayReadOnly         = "This connection is read-only; %s makes changes."
	SayReadOnlyHint     = "Tell your user what should be changed."
	SayAllReadOnly      = "%(who)s made all connections read-only; %(tool)s makes changes."
	SayAllReadOnlyHint  = "An MCP administrator can allow changes again in Doorman's Server Settings."
	SayToolOff          = "%s is switched off in this Odoo."
	SayToolOffHint      = "Use another tool."
	SayUnknownTool      = `There is no tool "%s".`
	SayNoTool           = "%s is not among the tools this connection can use."
	SayNoToolHint       = "Call tools/list to see the tools it can use."
	SayNeedsModule      = "%(tool)s works with the Odoo module %(module)s, which is not installed here."
	SayNeedsModuleHint  = "Use another tool. An Odoo administrator can install it."
	SaySwitchedOff      = "%s is for research clients; this connection does not offer it."
	SaySwitchedOffHint  = "Use search_everywhere and read_records."
	SayNoModel          = "This connection cannot use the model %s."
	SayNoModelHint      = "Call list_models to see the models it can use."

	SayNoField       = `%(model)s has no field "%(field)s", or it is withheld.`
	SayNoFieldHint   = "Call describe_model to see its fields."
	SayLeaveOut      = "Leave that part out."
	SayAskLess       = "Ask for less at once, or try again later."
	SayDidYouMean    = "Did you mean %s?"
	SayNoRecord      = "There is no %(model)s with the id %(id)s."
	SayNotOrder      = `"%s" is not a sort order.`
	SayFileField     = "%s holds a file, which cannot be sent as a value."
	SayFileFieldHint = `Send it with request_upload and field "%s".`

	SayNoParameter      = `There is no parameter "%s".`
	SayMissingParameter = "The parameter %s is missing."
	SayWrongParameter   = "The parameter %(parameter)s must be %(expected)s."

	SayLargeFile   = "A file can have at most %d bytes."
	SayLargeInline = "%(size)s bytes exceed the limit of %(most)s for files sent in a call."
	SayInlineHint  = "Leave text and base64 out, and send the file to the link you get."
	SayManyPeople  = "A document can be sent to at most %(most)s people, not %(number)s."
	SayLinkGone    = "This link is invalid or no longer works."
	SayNoInvite    = "There is no such invite."

	SayNoConnection = "There is no such connection."
)

// Limits of custom tools.
const (
	MaxCustomTools       = 30  // published at once
	MaxCustomParameters  = 10  // of one tool
	MaxCustomDescription = 300 // characters
)

// CustomToolName is the form of a custom tool's name, and of its parameters' names, as a regular expression.
const CustomToolName = `[a-z0-9_]{1,40}`

// OwnTypes lists the types of a custom tool's parameters.
var OwnTypes = []string{"string", "integer", "number", "boolean", "date", "datetime", "record", "selection"}

// Limits of OAuth requests.
const (
	MaxState         = 2048 // bytes of the state that a client sends along
	MaxClientName    = 100  // characters
	MaxRedirectURI   = 512  // bytes
	MaxRedirectURIs  = 10   // of one client
	MaxScheme        = 40   // bytes of a redirect URI's private-use scheme
	MaxIssuer        = 255  // bytes of a trusted issuer's name
	MaxIssuerSubject = 255  // bytes of what an issuer calls a person
	MaxAssertionName = 255  // bytes of an assertion's jti
	MaxAssertionAge  = 3600 // seconds from an assertion's iat to its exp

	Registrations    = 100    // of one address in an hour, where the settings say nothing
	MaxRegistrations = 10_000 // that the settings may say
)

// Limits of invites and of their REST API.
const (
	MaxInvites           = 500                // rows of one page of the list
	MaxInviteUses        = 10_000             // people one link may let in
	MaxInviteLinkSeconds = 365 * 24 * 60 * 60 // that a link works
	MaxInviteKeyHours    = 10 * 365 * 24      // that a key made by a link works
	MaxInviteName        = 100                // characters
	MaxPolicyText        = 10_000             // characters of one text of a policy
	MaxPolicyItems       = 1_000              // entries of one list of a policy
)

// Limits of the rest of the REST API.
const (
	MaxConnections    = 500   // rows of one page of the list
	MaxConnectionName = 100   // characters
	MaxKeyDays        = 3650  // that a key works, if somebody says how long
	MaxUsageRows      = 1_000 // rows of one page of the use of connections
	MaxUsageDays      = 366   // that one request for it may be about
)

// LiveStatuses are the states of a connection that may call.
var LiveStatuses = []Status{StatusAwaiting, StatusConnected, StatusIdle}

// ChargedMethods are the MCP methods that are calls: they count against the limits, and leave their audit row where they
// are carried out.
var ChargedMethods = []string{"tools/call", "resources/read"}

// Operators are those of a domain (odoo/orm/domains.py). "any!" and its like are left out on purpose: they skip the record
// rules of the other model, and Odoo takes them from a list in any case of letters.
var Operators = []string{
	"=", "!=", "<>", "==", "=?", "<", "<=", ">", ">=", "in", "not in", "like", "not like", "ilike", "not ilike",
	"=like", "not =like", "=ilike", "not =ilike", "any", "not any", "child_of", "parent_of",
}

// LoopbackHosts name this machine in a URI (RFC 8252 section 7.3, and "localhost", which clients use all the same).
var LoopbackHosts = []string{"localhost", "127.0.0.1", "::1"}

// BrowserSchemes are those that a browser runs or opens itself: being sent back to one runs code, or shows what the sender
// chose.
var BrowserSchemes = []string{
	"about", "android-app", "blob", "chrome", "chrome-extension", "content", "data", "edge", "file", "filesystem", "ftp",
	"http", "https", "intent", "jar", "javascript", "mailto", "moz-extension", "ms-appinstaller", "ms-msdt", "resource",
	"search-ms", "sms", "tel", "vbscript", "view-source", "ws", "wss",
}

// KnownApps are the programs that are known to be started by a scheme of their own (RFC 8252 section 7.1), as
// scheme|name|owners. Such a scheme also opens files, installs extensions and writes prompts: people are sent only to where
// logins end, which begins with one of CallbackWords (warp://mcp/oauth2callback) or with an owner
// (cursor://anysphere.cursor-mcp/oauth/callback). Owners are separated by spaces. A program or a place that is not here is a
// matter of the settings.
var KnownApps = []string{
	"claude|Claude|claude.ai/mcp-auth-callback claude.ai/settings/connectors",
	"cursor|Cursor|anysphere.cursor-mcp anysphere.cursor-retrieval extensions",
	"vscode|Visual Studio Code|extensions",
	"vscode-insiders|Visual Studio Code Insiders|extensions",
	"vscodium|VSCodium|extensions",
	"windsurf|Windsurf|codeium.windsurf extensions",
	"windsurf-next|Windsurf Next|codeium.windsurf extensions",
	"zed|Zed|",
	"raycast|Raycast|",
	"com.raycast|Raycast|",
	"warp|Warp|",
}

// CallbackWords are what the place in a program begins with where its logins end.
var CallbackWords = []string{
	"auth", "authorize", "callback", "login", "mcp", "mcp-auth-callback", "oauth", "oauth-callback", "oauth2", "oauth2callback",
	"oauth2redirect", "redirect",
}

// EditorExtensions are extensions that log in or speak MCP in Visual Studio Code and in the editors made from it: the owners
// that the word "extensions" stands for in KnownApps.
var EditorExtensions = []string{
	"anthropic.claude-code", "continue.continue", "github.copilot", "github.copilot-chat", "kilocode.kilo-code",
	"rooveterinaryinc.roo-cline", "saoudrizwan.claude-dev", "vscode.github-authentication", "vscode.microsoft-authentication",
}

// EmojiLetters are the ranges of letters that may have a variation selector behind them, and be joined: for a class of a
// regular expression.
var EmojiLetters = []string{
	"\u00a9\u00ae", "\u203c\u2049", "\u2122\u2139", "\u2194-\u21aa", "\u231a-\u23ff", "\u24c2", "\u25aa-\u25fe",
	"\u2600-\u27bf", "\u2934\u2935", "\u2b05-\u2b55", "\u3030\u303d", "\u3297\u3299", "\U0001f000-\U0001faff",
}

// JoiningLetters are the ranges of scripts in whose words a joiner or non-joiner changes how letters meet: Arabic and its
// kin, those of India, of Burma, of the Khmer and the Mongols.
var JoiningLetters = []string{
	"\u0600-\u07ff", "\u0840-\u0dff", "\u1000-\u109f", "\u1780-\u17ff", "\u1820-\u18aa",
}

// JoinedLetters are what else has invisible letters in it, as regular expressions: keys, Mongolian letters, and the flags
// of England, Scotland and Wales, which are written in tags.
var JoinedLetters = []string{
	"[#*0-9]\ufe0f\u20e3",
	"[\u1820-\u18aa][\u180b-\u180f]",
	"\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
	"\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
	"\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
}

// Joiners are the invisible letters of these, as ranges.
const Joiners = "\u180b-\u180f\u200c\u200d\ufe0e\ufe0f\U000e0062-\U000e007f"
