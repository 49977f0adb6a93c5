"""Fields that no policy opens, judged by their names, as plain data."""

import re

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
    r"|webhook_uuid|invit(e|ation)_(url|link)|share_(url|link)|sharing_url"
    r"|session_link|survey_start_url)($|_)|^full_url$",
    re.IGNORECASE,
)

# Not credentials, but bytes: they never travel in a reply. The index is what the bytes
# say, also those of a field that is withheld; get_attachment looks at whose they are.
BYTES_FIELDS = frozenset({"raw", "db_datas", "index_content"})

# What Odoo makes of the table of changed values, and searches it by. That table is
# closed: read_messages tells of it what the rules of each field allow.
CHANGES_FIELDS = frozenset({"account_audit_log_preview"})

# Odoo fills these itself.
MAGIC_FIELDS = frozenset(
    {"id", "create_uid", "create_date", "write_uid", "write_date", "parent_path"}
)

# Fields that hold code, judged by their name; ``CODE_TEXT`` only where it is a long
# text: an account has a code as well. A domain that is kept as text is searched without
# our rules; a format makes a text as long as it says.
CODE_FIELD = re.compile(
    r"(^|_)(python|py)(_|$)|(^|_)(compute|eval|server)_(code|context|expression)$"
    r"|(^|_)sql(_|$)|(^|_)address_format$"
)
CODE_LETTERS = re.compile(r"(^|_)domains?(_|$)|(^|_)(sub)?formula$")
CODE_TEXT = re.compile(r"^(code|formula|query|script)$")


def is_withheld(field):
    """Whether the values of a field never leave, judged by its name.

    :param str field: technical name of the field, without a path
    """
    return (
        field in BYTES_FIELDS
        or field in CHANGES_FIELDS
        or bool(CREDENTIAL_FIELD.search(field))
    )


def is_code(field, kind):
    """Whether a field holds code, judged by its name.

    :param str kind: type of the field
    """
    return bool(
        CODE_FIELD.search(field)
        or (kind in ("char", "text") and CODE_LETTERS.search(field))
        or (kind == "text" and CODE_TEXT.search(field))
    )
