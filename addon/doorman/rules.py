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
    "res.users.deletion",
    "res.users.identitycheck",
    "res.users.log",
    "auth_totp.",
    "auth.passkey.",
    "change.password.",
    "ir.rule",
    "ir.model.access",
    "ir.config_parameter",
    "ir.logging",
    "ir.mail_server",
    "fetchmail.server",
    "bus.",
    "base.module.",
    "base.partner.merge.",
)

# Fields whose name says that they hold a credential. They are withheld in reads,
# domains, orders and groups alike: a search on a token is a read of it, one
# character at a time.
CREDENTIAL_FIELD = re.compile(
    r"(^|_)("
    r"password|passwd|passphrase|pwd|smtp_pass|secret|secrets|token|tokens|"
    r"api_?keys?|private_?keys?|secret_?key|credential|credentials|totp_secret|"
    r"otp|pin|cvc|cvv|webhook_key|signing_key|encryption_key"
    r")($|_)"
)

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
