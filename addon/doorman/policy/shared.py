"""Values that the service holds as well.

Made from server/access by ``go generate ./server/access``: change them there.
"""


def _lt(text):
    """Marks a text for Odoo's export of what is to be translated."""
    return text


# The risks, from the harmless to the grave.
RISKS = (
    "low",
    "medium",
    "high",
)

# The states. All but pending are final.
APPROVAL_STATES = (
    "pending",
    "executed",
    "failed",
    "rejected",
    "expired",
    "cancelled",
)

# The events.
APPROVAL_EVENTS = (
    "execute",
    "fail",
    "reject",
    "expire",
    "cancel",
)

# The kinds of refusal and failure. docs/errors.md says of each what it means, with an
# example; a test keeps it complete.
KINDS = (
    "unauthenticated",
    "forbidden",
    "not_allowed",
    "read_only",
    "unknown_tool",
    "unknown_model",
    "unknown_field",
    "invalid_input",
    "not_found",
    "conflict",
    "business_rule",
    "rate_limited",
    "needs_module",
    "pending_approval",
    "rejected",
    "expired",
    "odoo_unavailable",
    "odoo_timeout",
    "unavailable",
    "updating",
    "too_large",
    "internal",
)

# The five scopes. Each is a permission group in Odoo too: a connection never has one
# that its user lacks.
SCOPES = (
    "mcp:metadata",
    "mcp:search",
    "mcp:orm",
    "mcp:sql",
    "mcp:shell",
)

# The states of a connection. Only awaiting, connected and idle ones may call.
STATUSES = (
    "awaiting",
    "connected",
    "idle",
    "inactive",
    "revoked",
    "expired",
)

# INTERFACE is the number of the interface between the service and its addon: the
# gateway's methods, their arguments and answers. Every change of those raises it. An
# addon or a service that says none speaks interface 1.
INTERFACE = 9
# What begins the credentials that Doorman hands out, so that a secret scanner, and a
# person, can tell what was found.
PREFIX_KEY = "dmk_"  # an API key of a connection
PREFIX_ACCESS = "dma_"  # an OAuth access token
PREFIX_REFRESH = "dmr_"  # an OAuth refresh token
PREFIX_CODE = "dmx_"  # an OAuth authorization code
PREFIX_CLIENT = "dmo_"  # the id of an OAuth client
PREFIX_SECRET = "dms_"  # the secret of an OAuth client

# Limits of one request to the gateway.
MAX_BATCH = 32  # calls in one JSON-RPC batch
MAX_EVENTS = 500  # refusals and such in one call of the method record
MAX_FILE = 20_971_520  # bytes of the largest file that goes through
MAX_INLINE = 65_536  # bytes of the largest file that is sent along with a call

# Limits of what an AI tool sends and gets.
MAX_RECORDS = 100  # records that one call may change or name
MAX_IDEMPOTENCY_KEY = 64  # characters
MAX_MESSAGES = 50  # messages in one page of a record's chatter
MAX_MESSAGE_BODY = 20_000  # characters of a message that is posted
MAX_NOTE = 10_000  # characters of an activity's note
MAX_SUMMARY = 200  # characters of an activity's summary
MAX_SUBJECT = 300  # characters of the subject of a document that is sent
MAX_RECIPIENTS = 20  # people that one document is sent to
MAX_ADDRESS = 254  # characters of an email address (RFC 5321, section 4.5.3.1.3)
MAX_TEMPLATE_NAME = 200  # characters of a mail template's name
MAX_TYPE_NAME = 100  # characters of an activity type's name
MAX_USER_NAME = 200  # characters of a name or login by which a user is looked up
MAX_PRINTED = 50  # records in one printed report
MAX_HITS = 20  # records of one model that search_everywhere shows
MAX_HITS_QUERY = 100  # characters of what search_everywhere looks for
MAX_RESEARCH_QUERY = 1_000  # characters of what search looks for
MAX_COPIES = 20  # records that one call may copy
MAX_EXPORT_ROWS = 50_000  # rows of one export
MAX_EXPORT_FIELDS = 100  # columns of one export
MAX_CODE = 20_000  # characters of a query or a piece of Python
MAX_SQL_ROWS = 500  # rows of a query's answer
MAX_REPLY = 90_000  # characters of a reply, the JSON of it
MAX_CHANGED = 12  # models that a reply tells to have changed

# What the service and the addon both refuse, in the same words. The service decides
# first; the addon decides again, for a policy that has changed since, and for a caller
# that goes around the service. A single %s is the name of a tool, a model, a field or a
# parameter; where there are several, each has a name of its own: see Words.
SAY_OFF = _lt("Access for AI tools is switched off in this Odoo.")
SAY_OFF_HINT = _lt(
    "An MCP administrator can switch it on in Doorman's Server Settings."
)
SAY_INVALID = _lt("This key or token is invalid or no longer works.")
SAY_INVALID_HINT = _lt("An Odoo administrator can create a new one.")
SAY_INACTIVE = _lt("This connection is waiting for an administrator to activate it.")
SAY_INACTIVE_HINT = _lt("An MCP administrator can activate it in Odoo.")
SAY_NO_SCOPE = _lt(
    "%(tool)s needs the scope %(scope)s, which this connection does not have."
)
SAY_NO_SCOPE_HINT = _lt("Use another tool. An MCP administrator can add the scope.")
SAY_NO_PERMISSION = _lt(
    "%(tool)s needs %(scope)s, and this connection's user lacks that permission."
)
SAY_NO_PERMISSION_HINT = _lt(
    "Use another tool. An administrator can give the user the permission."
)
SAY_READ_ONLY = _lt("This connection is read-only; %s makes changes.")
SAY_READ_ONLY_HINT = _lt("Tell your user what should be changed.")
SAY_ALL_READ_ONLY = _lt(
    "%(who)s made all connections read-only; %(tool)s makes changes."
)
SAY_ALL_READ_ONLY_HINT = _lt(
    "An MCP administrator can allow changes again in Doorman's Server Settings."
)
SAY_TOOL_OFF = _lt("%s is switched off in this Odoo.")
SAY_TOOL_OFF_HINT = _lt("Use another tool.")
SAY_UNKNOWN_TOOL = _lt('There is no tool "%s".')
SAY_NO_TOOL = _lt("%s is not among the tools this connection can use.")
SAY_NO_TOOL_HINT = _lt("Call tools/list to see the tools it can use.")
SAY_NEEDS_MODULE = _lt(
    "%(tool)s works with the Odoo module %(module)s, which is not installed here."
)
SAY_NEEDS_MODULE_HINT = _lt("Use another tool. An Odoo administrator can install it.")
SAY_SWITCHED_OFF = _lt("%s is for research clients; this connection does not offer it.")
SAY_SWITCHED_OFF_HINT = _lt("Use search_everywhere and read_records.")
SAY_NO_MODEL = _lt("This connection cannot use the model %s.")
SAY_NO_MODEL_HINT = _lt("Call list_models to see the models it can use.")
SAY_NO_FIELD = _lt('%(model)s has no field "%(field)s", or it is withheld.')
SAY_NO_FIELD_HINT = _lt("Call describe_model to see its fields.")
SAY_LEAVE_OUT = _lt("Leave that part out.")
SAY_ASK_LESS = _lt("Ask for less at once, or try again later.")
SAY_DID_YOU_MEAN = _lt("Did you mean %s?")
SAY_NO_RECORD = _lt("There is no %(model)s with the id %(id)s.")
SAY_NOT_ORDER = _lt('"%s" is not a sort order.')
SAY_FILE_FIELD = _lt("%s holds a file, which cannot be sent as a value.")
SAY_FILE_FIELD_HINT = _lt('Send it with request_upload and field "%s".')
SAY_NO_PARAMETER = _lt('There is no parameter "%s".')
SAY_MISSING_PARAMETER = _lt("The parameter %s is missing.")
SAY_WRONG_PARAMETER = _lt("The parameter %(parameter)s must be %(expected)s.")
SAY_LARGE_FILE = _lt("A file can have at most %d bytes.")
SAY_LARGE_INLINE = _lt(
    "%(size)s bytes exceed the limit of %(most)s for files sent in a call."
)
SAY_INLINE_HINT = _lt(
    "Leave text and base64 out, and send the file to the link you get."
)
SAY_MANY_PEOPLE = _lt(
    "A document can be sent to at most %(most)s people, not %(number)s."
)
SAY_LINK_GONE = _lt("This link is invalid or no longer works.")
SAY_NO_INVITE = _lt("There is no such invite.")
SAY_NO_CONNECTION = _lt("There is no such connection.")

# Limits of custom tools.
MAX_CUSTOM_TOOLS = 30  # published at once
MAX_CUSTOM_PARAMETERS = 10  # of one tool
MAX_CUSTOM_DESCRIPTION = 300  # characters

# CUSTOM_TOOL_NAME is the form of a custom tool's name, and of its parameters' names, as
# a regular expression.
CUSTOM_TOOL_NAME = "[a-z0-9_]{1,40}"
# OWN_TYPES lists the types of a custom tool's parameters.
OWN_TYPES = (
    "string",
    "integer",
    "number",
    "boolean",
    "date",
    "datetime",
    "record",
    "selection",
)

# Limits of OAuth requests.
MAX_STATE = 2_048  # bytes of the state that a client sends along
MAX_CLIENT_NAME = 100  # characters
MAX_REDIRECT_URI = 512  # bytes
MAX_REDIRECT_URIS = 10  # of one client
MAX_SCHEME = 40  # bytes of a redirect URI's private-use scheme
MAX_ISSUER = 255  # bytes of a trusted issuer's name
MAX_ISSUER_SUBJECT = 255  # bytes of what an issuer calls a person
MAX_ASSERTION_NAME = 255  # bytes of an assertion's jti
MAX_ASSERTION_AGE = 3_600  # seconds from an assertion's iat to its exp
REGISTRATIONS = 100  # of one address in an hour, where the settings say nothing
MAX_REGISTRATIONS = 10_000  # that the settings may say

# Limits of invites and of their REST API.
MAX_INVITES = 500  # rows of one page of the list
MAX_INVITE_USES = 10_000  # people one link may let in
MAX_INVITE_LINK_SECONDS = 31_536_000  # that a link works
MAX_INVITE_KEY_HOURS = 87_600  # that a key made by a link works
MAX_INVITE_NAME = 100  # characters
MAX_POLICY_TEXT = 10_000  # characters of one text of a policy
MAX_POLICY_ITEMS = 1_000  # entries of one list of a policy

# Limits of the rest of the REST API.
MAX_CONNECTIONS = 500  # rows of one page of the list
MAX_CONNECTION_NAME = 100  # characters
MAX_KEY_DAYS = 3_650  # that a key works, if somebody says how long
MAX_USAGE_ROWS = 1_000  # rows of one page of the use of connections
MAX_USAGE_DAYS = 366  # that one request for it may be about

# LIVE_STATUSES are the states of a connection that may call.
LIVE_STATUSES = (
    "awaiting",
    "connected",
    "idle",
)

# CHARGED_METHODS are the MCP methods that are calls: they count against the limits, and
# leave their audit row where they are carried out.
CHARGED_METHODS = (
    "tools/call",
    "resources/read",
)

# OPERATORS are those of a domain (odoo/orm/domains.py). "any!" and its like are left
# out on purpose: they skip the record rules of the other model, and Odoo takes them
# from a list in any case of letters.
OPERATORS = (
    "=",
    "!=",
    "<>",
    "==",
    "=?",
    "<",
    "<=",
    ">",
    ">=",
    "in",
    "not in",
    "like",
    "not like",
    "ilike",
    "not ilike",
    "=like",
    "not =like",
    "=ilike",
    "not =ilike",
    "any",
    "not any",
    "child_of",
    "parent_of",
)

# LOOPBACK_HOSTS name this machine in a URI (RFC 8252 section 7.3, and "localhost",
# which clients use all the same).
LOOPBACK_HOSTS = (
    "localhost",
    "127.0.0.1",
    "::1",
)

# BROWSER_SCHEMES are those that a browser runs or opens itself: being sent back to one
# runs code, or shows what the sender chose.
BROWSER_SCHEMES = (
    "about",
    "android-app",
    "blob",
    "chrome",
    "chrome-extension",
    "content",
    "data",
    "edge",
    "file",
    "filesystem",
    "ftp",
    "http",
    "https",
    "intent",
    "jar",
    "javascript",
    "mailto",
    "moz-extension",
    "ms-appinstaller",
    "ms-msdt",
    "resource",
    "search-ms",
    "sms",
    "tel",
    "vbscript",
    "view-source",
    "ws",
    "wss",
)

# KNOWN_APPS are the programs that are known to be started by a scheme of their own (RFC
# 8252 section 7.1), as scheme|name|owners. Such a scheme also opens files, installs
# extensions and writes prompts: people are sent only to where logins end, which begins
# with one of CallbackWords (warp://mcp/oauth2callback) or with an owner
# (cursor://anysphere.cursor-mcp/oauth/callback). Owners are separated by spaces. A
# program or a place that is not here is a matter of the settings.
KNOWN_APPS = (
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
)

# CALLBACK_WORDS are what the place in a program begins with where its logins end.
CALLBACK_WORDS = (
    "auth",
    "authorize",
    "callback",
    "login",
    "mcp",
    "mcp-auth-callback",
    "oauth",
    "oauth-callback",
    "oauth2",
    "oauth2callback",
    "oauth2redirect",
    "redirect",
)

# EDITOR_EXTENSIONS are extensions that log in or speak MCP in Visual Studio Code and in
# the editors made from it: the owners that the word "extensions" stands for in
# KnownApps.
EDITOR_EXTENSIONS = (
    "anthropic.claude-code",
    "continue.continue",
    "github.copilot",
    "github.copilot-chat",
    "kilocode.kilo-code",
    "rooveterinaryinc.roo-cline",
    "saoudrizwan.claude-dev",
    "vscode.github-authentication",
    "vscode.microsoft-authentication",
)

# EMOJI_LETTERS are the ranges of letters that may have a variation selector behind
# them, and be joined: for a class of a regular expression.
EMOJI_LETTERS = (
    "\u00a9\u00ae",
    "\u203c\u2049",
    "\u2122\u2139",
    "\u2194-\u21aa",
    "\u231a-\u23ff",
    "\u24c2",
    "\u25aa-\u25fe",
    "\u2600-\u27bf",
    "\u2934\u2935",
    "\u2b05-\u2b55",
    "\u3030\u303d",
    "\u3297\u3299",
    "\U0001f000-\U0001faff",
)

# JOINING_LETTERS are the ranges of scripts in whose words a joiner or non-joiner
# changes how letters meet: Arabic and its kin, those of India, of Burma, of the Khmer
# and the Mongols.
JOINING_LETTERS = (
    "\u0600-\u07ff",
    "\u0840-\u0dff",
    "\u1000-\u109f",
    "\u1780-\u17ff",
    "\u1820-\u18aa",
)

# JOINED_LETTERS are what else has invisible letters in it, as regular expressions:
# keys, Mongolian letters, and the flags of England, Scotland and Wales, which are
# written in tags.
JOINED_LETTERS = (
    "[#*0-9]\ufe0f\u20e3",
    "[\u1820-\u18aa][\u180b-\u180f]",
    "\U0001f3f4\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f",
    "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",
    "\U0001f3f4\U000e0067\U000e0062\U000e0077\U000e006c\U000e0073\U000e007f",
)

# JOINERS are the invisible letters of these, as ranges.
JOINERS = "\u180b-\u180f\u200c\u200d\ufe0e\ufe0f\U000e0062-\U000e007f"
