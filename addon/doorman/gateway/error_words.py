"""The refusal that an error is told as which nobody raised as one: with a code, and in
words that can be translated.

Of Python's and the database's errors no word leaves: they name what nobody has sent,
and tell nothing to do. What Odoo says is for people, and in their language already.
"""

import re

import psycopg2

from odoo.exceptions import (
    AccessDenied,
    AccessError,
    LockError,
    MissingError,
    RedirectWarning,
    UserError,
)

from ..policy import guard_words, shared
from ..policy.refusal import Refusal, _lt

TAKES = _lt("Call describe_model to see what each field accepts.")


def of_odoo(exc):
    """An error of Odoo's own.

    :return: Refusal, in Odoo's words; None if it is not one that Odoo tells people
    """
    said = str(exc.args[0] if exc.args else exc)
    if isinstance(exc, AccessError | AccessDenied):
        return Refusal("access_denied", said)
    if isinstance(exc, MissingError):
        return Refusal("unknown_record", said)
    if isinstance(exc, LockError):
        return Refusal("record_locked", said)
    # The other arguments of a redirect are for Odoo's own client: where to go.
    if isinstance(exc, UserError | RedirectWarning):
        return Refusal("odoo_refused", said)
    return None


def of_constraint(said):
    """:param str said: what Odoo says of a rule of the database that is broken
    :return: Refusal
    """
    return Refusal("odoo_refused", said)


def of_invalid(exc, env, model=""):
    """A value or an argument that Python, Odoo's ORM or the database chokes on.

    :param str model: that the call is about, and that its connection may use
    :return: Refusal
    """
    if isinstance(exc, psycopg2.Error):
        return Refusal(
            "wrong_value",
            _lt("A value has the wrong type for its field, or is too large for it."),
            TAKES,
        )
    text = str(exc.args[0] if exc.args else exc).strip()
    for pattern, told in MEANINGS:
        if found := pattern.search(text):
            return told(env, model, **found.groupdict())
    return Refusal(
        "not_understood",
        _lt("Odoo did not understand a value or an argument in this call."),
        TAKES,
    )


def too_slow():
    """:return: Refusal: of a question that the database has stopped"""
    return Refusal(
        "took_too_long",
        _lt("Odoo did not finish in time; nothing was changed."),
        _lt(shared.SAY_ASK_LESS),
    )


def failed():
    """:return: Refusal: of what is nobody's fault but ours, or Odoo's"""
    return Refusal(
        "failed",
        _lt("Odoo failed to answer this call."),
        _lt("Odoo's log has the details, for an administrator."),
    )


# ---- what the text of an error means ----


def _moment(_env, _model):
    return Refusal(
        "wrong_value",
        _lt(
            "A date or time in this call is not valid. Send 2026-12-31, or "
            "2026-12-31 14:30:00 (UTC)."
        ),
        TAKES,
    )


def _number(_env, _model):
    return Refusal(
        "wrong_value",
        _lt(
            "A number in this call is not valid. Send it without a unit or thousands "
            "separators, such as 1234.5."
        ),
        TAKES,
    )


def _value(env, _model, owner, field):
    known = env[owner]._fields.get(field) if owner in env else None
    if known is not None and known.type == "selection":
        return Refusal(
            "unknown_choice",
            _lt("%(field)s must be one of its choices.", field=f"{owner}.{field}"),
            TAKES,
        )
    return Refusal(
        "wrong_value",
        _lt("%(field)s does not accept this value.", field=f"{owner}.{field}"),
        TAKES,
    )


def _field(env, model, owner, field):
    # The fields of a model that is not what the call is about may be none that its
    # connection knows of.
    near = owner == model and owner in env
    return guard_words.no_field(owner, field, env[owner] if near else None)


def _not_stored(_env, _model, path):
    return Refusal(
        "field_not_searchable",
        _lt(
            "%(field)s is computed by Odoo and not stored, so it cannot be used to "
            "search, sort or group.",
            field=path,
        ),
        TAKES,
    )


MEANINGS = [
    (re.compile(pattern), told)
    for pattern, told in (
        (
            r"time data|isoformat|must be in \d+\.\.|out of range for month"
            r"|unconverted data|into a date|date value out of range",
            _moment,
        ),
        (
            r"invalid literal|could not convert string|must be real number"
            r"|float\(\) argument|int\(\) argument|cannot convert float",
            _number,
        ),
        (r"^Wrong value for (?P<owner>[\w.]+)\.(?P<field>\w+):", _value),
        (
            r"^Invalid field '?(?P<field>\w+)'? (?:on|in) "
            r"(?:model )?'?(?P<owner>[\w.]+)",
            _field,
        ),
        (r"^Invalid field (?P<owner>[\w.]+)\.(?P<field>\w+) in condition", _field),
        (r"^Cannot convert (?P<path>[\w.]+)\S* to SQL", _not_stored),
    )
]
