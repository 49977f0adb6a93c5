"""What no policy opens: models, fields and context keys, as plain data.

Nothing here touches the ORM, so that it can be read, and tested, as a list.
"""

import re

# Models that no connection reads or writes, whatever its policy says. A pattern
# ends in a dot or is a full name. They are the locks themselves: who could write
# a rule, a group or a key could give itself the rest.
FLOOR_MODELS = (
    "doorman.",
    "res.users.apikeys",
    "res.users.apikeys.",
    "res.users.deletion",
    "res.users.identitycheck",
    "res.users.log",
    "res.device",
    "res.device.",
    "res.config.settings",
    "res.company.ldap",
    "auth_totp.",
    "auth.totp.",
    "auth.oauth.provider",
    "auth.passkey.",
    "change.password.",
    "ir.rule",
    "ir.model.access",
    "ir.config_parameter",
    "ir.logging",
    "ir.profile",
    "ir.mail_server",
    "fetchmail.server",
    # E-mails on their way: invitations and password resets with their tokens.
    "mail.mail",
    "mail.push",
    "mail.push.",
    "mail.ice.server",
    "payment.provider",
    "payment.token",
    "iap.account",
    "sms.account.",
    "certificate.",
    "account_edi_proxy_client.",
    "base_import.",
    "bus.",
    "base.module.",
    "base.partner.merge.",
)

# Fields whose name says that they hold a credential. They are withheld in reads,
# domains, orders and groups alike: a search on a token is a read of it, one
# character at a time. The kinds of keys are those of Odoo's own modules.
CREDENTIAL_FIELD = re.compile(
    r"passw(or)?d|passphrase|credential|secret(?!ar)|tokens?($|_)|api_?keys?($|_)"
    r"|(^|_)(pwd|smtp_pass|otp|pin|cvc|cvv)($|_)"
    r"|(^|_)(aade|access|account|app|encryption|googlemap|hash|hmac|kiosk"
    r"|notification|pem|pos|private|replacement|server|session|shared|signature"
    r"|signing|transaction|verification|webhook)_?keys?($|_)"
    r"|(^|_)(access_code|verification_code|session_identifier|webhook_url"
    r"|webhook_uuid|invit(e|ation)_(url|link))($|_)",
    re.IGNORECASE,
)

# The operators of a domain; the rest are Odoo's own affair: "any!" leaves the
# record rules of the other model out, and Odoo takes it from a list as "ANY!".
OPERATORS = frozenset(
    {"=", "!=", "<>", "==", "=?", "<", "<=", ">", ">=", "in", "not in"}
    | {"like", "not like", "ilike", "not ilike"}
    | {"=like", "not =like", "=ilike", "not =ilike"}
    | {"any", "not any", "child_of", "parent_of"}
)
MAX_STEPS = 16
MAX_IDS = 10_000

# Not credentials, but bytes: they never travel in a reply.
BYTES_FIELDS = frozenset({"raw", "db_datas"})

# The keys of a context that a caller may set. The rest (default_*, su-like flags,
# tracking_disable, module switches) changes what code does behind the call.
CONTEXT_KEYS = frozenset({"lang", "tz", "allowed_company_ids", "active_test"})

# Models whose records belong to a record of another model, and the field that
# names that model: they follow the model rule of what they hang on.
FOLLOWERS = {
    "ir.attachment": "res_model",
    "mail.message": "model",
    "mail.activity": "res_model",
    "mail.followers": "res_model",
    "mail.scheduled.message": "model",
    "mail.compose.message": "model",
    "rating.rating": "res_model",
}


def on_floor(model):
    """Whether no policy opens ``model``.

    :param str model: technical name, e.g. ``res.partner``
    """
    return any(
        model.startswith(name) if name.endswith(".") else model == name
        for name in FLOOR_MODELS
    )


def is_withheld(field):
    """Whether the values of a field never leave, judged by its name.

    :param str field: technical name of the field, without a path
    """
    return field in BYTES_FIELDS or bool(CREDENTIAL_FIELD.search(field))
