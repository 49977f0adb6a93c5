"""Values of masked fields: what they are can be told, and nothing be done with them.

ann@example.com ── a***@e***.com        BE71 0961 2345 6769 ── *** 6769
+32 2 290 34 90 ── *** 90               Ann Example ── A*** E***
"""

import re

from .field_values import TEXTS
from .plain_text import from_html

STARS = "***"
NAMED = (
    ("email", re.compile(r"e?mail")),
    ("phone", re.compile(r"(^|_)(phone|mobile|telephone|fax)(_|$)")),
    ("account", re.compile(r"(^|_)(acc_number|iban|account_number|bban|vat)(_|$)")),
)
ADDRESS = re.compile(
    r"([^\s<>\"@])[^\s<>\"@]*@([^\s<>\"@.])[^\s<>\"@]*?(\.[^\s<>\"@.]+)?(?=$|[\s<>\",;])"
)
# A text with fewer letters than this would be told by its last ones.
SHORT = 8


def kind_of(field):
    """How a field is masked: email, phone, account, text or name; "" if it cannot be.

    :param field: of Odoo's
    """
    if field.type not in TEXTS:
        return ""
    if field.type in ("text", "html"):
        return "text"
    for kind, pattern in NAMED:
        if pattern.search(field.name):
            return kind
    return "name"


def mask(kind, value):
    """:param str kind: as ``kind_of`` says
    :param value: text, or nothing
    :return: what is told instead of it
    """
    if not value or not isinstance(value, str):
        return value if value in (False, None, "") else STARS
    return MASKS.get(kind, _text)(value)


def _email(value):
    found = ADDRESS.sub(lambda m: f"{m[1]}{STARS}@{m[2]}{STARS}{m[3] or ''}", value)
    if found == value or "@" not in value:
        return STARS
    # A name before the address is masked as one.
    name, bracket, rest = found.rpartition("<")
    return f"{_name(name)} <{rest}" if bracket and name.strip() else found


def _last(value, count):
    letters = [letter for letter in value if letter.isalnum()]
    if len(letters) < SHORT:
        return STARS
    return f"{STARS} {''.join(letters[-count:])}"


def _phone(value):
    return _last(value, 2)


def _account(value):
    return _last(value, 4)


def _name(value):
    words = re.findall(r"\w+", value)
    return " ".join(f"{word[0]}{STARS}" for word in words[:6]) or STARS


def _text(value):
    return f"{STARS} ({len(from_html(value) if '<' in value else value)} characters)"


MASKS = {
    "email": _email,
    "phone": _phone,
    "account": _account,
    "name": _name,
    "text": _text,
}
