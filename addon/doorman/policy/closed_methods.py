"""Which public methods no policy opens, and what their arguments may be, as plain data.

Nothing here touches the ORM, so that it can be read, and tested, as a list.
"""

import re

from . import closed_fields

# What every model has (create, write, search, sudo, load, web_*, copy, ...) is no
# business method: the guard asks the registry for those names. These two are.
BUSINESS_PRIMITIVES = frozenset({"action_archive", "action_unarchive"})

# Public methods that reach where the rules do not: they post in somebody else's name,
# take records or values of any model, give a link that opens a document, make a text as
# long as they are told, or handle credentials.
DENIED_METHODS = frozenset(
    {
        "activity_send_mail",
        "action_share",
        "action_get_share_url",
        "action_grant_access",
        "action_invite_again",
        "action_revoke_access",
        "action_reset_password",
        "action_create_user",
        "action_create_users",
        "create_action",
        "unlink_action",
        "create_from_ui",
        "create_unique",
        "sync_from_ui",
        "execute",
        "execute_code",
        "execute_import",
        "format",
        "method_direct_trigger",
        "onchange",
        "rating_apply",
        "rating_send_request",
        "reset_arch",
        "reset_password",
        "reset_template",
        "run",
        "safe_eval",
        "update_template_contents",
    }
)
DENIED_METHOD = re.compile(
    r"^(message|web|get|read|search|name|signup|fields|load|import|export|render"
    r"|notify|mail|with|sudo|check_access|has|rpc|fetch|im)(_|$)"
    r"|signup|portal|oauth|totp|passkey|impersonat|invite|share_link|access_url"
    r"|(^|_)(sql|python|eval|exec|download)(_|$)"
    # Any record by its name; a service that is paid by the call.
    r"|(^|_)(find|get|search)_or_(create|new)(_|$)|(^|_)or_create(_|$)"
    r"|(^|_)(iap|enrich|autocomplete)(_|$)",
    re.IGNORECASE,
)
# What makes or deletes records may be what a button does. Told what to make, it is a
# create past the rules of one.
MAKES = re.compile(r"(^|_)(create|write|unlink|copy|duplicate)(_|$)", re.IGNORECASE)

# Parameters that carry more than data: what is searched, run, rendered or written, in
# whose name, and on what.
DENIED_PARAMETER = re.compile(
    r"(^|_)(domains?|filters?|where|query|vals|values?_?list|values|defaults?"
    r"|models?|orders?|order_?by|sort|groupby|fields?|fname|fnames|columns?"
    r"|code|expr|expression|formula|eval|sql|python|func|function|method|methods"
    r"|callbacks?|ctx|context|env|cr|uid|self|args?|arguments|kwargs|params|options"
    r"|templates?|html|body|arch|view|qweb|percent|format|pattern|regex"
    r"|urls?|uri|link|path|route|file|filename|attachments?|datas?|raw|content|bytes"
    r"|records?|objects?|users?|author|emails?|logins?|passwords?|tokens?|keys?|secret"
    r"|cursor|commit|sudo)(_|$|\d)"
    r"|callback|context|domain|password|token|secret|template|(^|_)\w*vals$",
    re.IGNORECASE,
)
MAX_TEXT = 10_000


def is_denied_method(name):
    """Whether a public method is never called, judged by its name."""
    return (
        name.startswith("_")
        or name in DENIED_METHODS
        or closed_fields.is_withheld(name)
        or bool(DENIED_METHOD.search(name))
    )


def makes_records(name):
    """Whether a method makes or deletes records, judged by its name."""
    return bool(MAKES.search(name))


def is_denied_parameter(name):
    """Whether an argument is never given, judged by its name."""
    return (
        name.startswith("_")
        or closed_fields.is_withheld(name)
        or bool(DENIED_PARAMETER.search(_words(name)))
    )


def _words(name):
    """``extraDomain`` is ``extra_domain``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name)
