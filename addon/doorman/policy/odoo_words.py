"""What Odoo's own code says (an error, a warning, a message), without what the rules
per model hide.

    "Boss <boss@acme.example> owes 1,250.00" ── "Boss <(not shown)> owes (not shown)"

The words are made of what the code has read, which the ORM still has in memory: so the
values of closed fields and the names of records outside of a rule's domain are looked
for in them. What the code has worked out of a value is another value, and not found.
"""

import re
from collections.abc import Mapping
from contextlib import contextmanager
from datetime import date, datetime

from odoo.fields import Datetime
from odoo.tools import format_date
from odoo.tools.translate import LazyGettext

from . import in_force, masks
from .in_force import NOT_SHOWN
from .model_rules import HIDDEN
from .plain_text import from_html
from .refusal import Refusal

NUMBER = re.compile(r"\d+(?:[.,'’\s\u00a0\u202f]\d+)*")
BETWEEN_DIGITS = re.compile(r"['’\s\u00a0\u202f]")
# The decimal point of the languages that have a point, and of those that have a comma.
POINTS = ((".", ","), (",", "."))
# A line of a long text is looked for alone if it has so many letters.
MIN_LINE = 4


@contextmanager
def held(env):
    """The time in which Odoo's code runs for a connection: what it raises tells nothing
    that the rules hide. Inside of a savepoint, which would empty the memory.

    :param env: of the connection's user
    """
    try:
        yield
    except Refusal:
        raise
    except Exception as exc:
        if in_force.any_of(env.cr) is not None:
            exc.args = tuple(
                told(env, str(arg)) if _is_text(arg) else arg for arg in exc.args
            )
        raise


def told(env, text):
    """:param env: of the connection's user
    :param str text: as Odoo's own code has made it
    :return: what of it the connection may be told
    """
    found = in_force.any_of(env.cr)
    if found is None or not text:
        return text
    texts, numbers = _hidden(env, found)
    text = _without_texts(text, texts)
    return NUMBER.sub(lambda m: _number(m[0], numbers), text) if numbers else text


def filled_in(env, value):
    """The same for a value that Odoo's own code has put into a form.

    :param value: of a text, or an amount
    :return: what is said about it; None for an amount that is not
    """
    if isinstance(value, str):
        return told(env, value)
    found = in_force.any_of(env.cr)
    if found is None or not value:
        return value
    _texts, numbers = _hidden(env, found)
    return None if abs(value) in numbers else value


def _hidden(env, found):
    """:return: what is told instead of each hidden text, in small letters; and the
    hidden numbers"""
    texts, numbers = {}, set()
    for closed, field, value in _closed(env, found.rules):
        if isinstance(value, bool) or value is None:
            continue
        if isinstance(value, int | float):
            numbers.add(abs(value))
            continue
        for one in _as_said(env, field, value):
            texts.setdefault(one.casefold(), _instead(closed, one))
    for name in _names_not_there(env, found):
        texts.setdefault(name.casefold(), NOT_SHOWN)
    return texts, numbers


def _is_text(arg):
    # An error that was made of another one has that for its words.
    return isinstance(arg, str | LazyGettext | Exception)


# ---- what is hidden ----


def _closed(env, rules):
    """The values of closed fields that are in memory.

    :return: Closed, field and value of each, as the ORM keeps it
    """
    for (model, name), closed in rules.fields.items():
        field = env[model]._fields.get(name) if model in env else None
        if field is None:
            continue
        for value in _in_memory(env, field):
            if not field.relational:
                yield closed, field, value
                continue
            ids = value if isinstance(value, tuple) else (value,)
            for linked in _names(env, field.comodel_name, set(ids)):
                yield closed, field, linked


def _in_memory(env, field, ids=None):
    """The values of a field in every language and company.

    :param ids: of these records alone
    """
    yield from _flat(env.transaction.field_data.get(field) or {}, ids)


def _flat(values, ids):
    for key, value in values.items():
        is_id = isinstance(key, int)
        if ids is not None and is_id and key not in ids:
            continue
        if isinstance(value, Mapping):
            # The values by what they depend on, or a text by its languages.
            yield from _flat(value, None if is_id else ids)
        elif value is not None:
            yield value


def _names(env, model, ids):
    """What the records of a model are called, as far as that is in memory."""
    fields = env[model]._fields
    for name in {"display_name", env[model]._rec_name} & fields.keys():
        for value in _in_memory(env, fields[name], ids):
            if isinstance(value, str):
                yield value


def _names_not_there(env, found):
    for model in found.rules.rules:
        if model not in env or not found.rules.is_partly(model):
            continue
        fields = env[model]._fields
        named = {"display_name", env[model]._rec_name} & fields.keys()
        ids = {
            ident
            for name in named
            for ident in _ids(env.transaction.field_data.get(fields[name]) or {})
        }
        yield from _names(env, model, ids - _there(env, model, ids))


def _there(env, model, ids):
    """Those of some ids whose records there are for the connection."""
    if not ids or in_force.of(env) is None:
        return set()
    try:
        return in_force.those_seen(env, model, ids)
    except Exception:  # noqa: BLE001 what failed may have ended the transaction
        return set()


def _ids(values):
    for key, value in values.items():
        if isinstance(key, int):
            yield key
        elif isinstance(value, Mapping):
            yield from _ids(value)


# ---- in words ----


def _as_said(env, field, value):
    """The texts in which code may tell a value."""
    if isinstance(value, date):
        yield from _dates(env, value)
        return
    text = from_html(value) if field.type == "html" else str(value)
    if field.type == "selection":
        yield from filter(None, [dict(field._description_selection(env)).get(value)])
    lines = [" ".join(line.split()) for line in text.splitlines()]
    yield from filter(None, [" ".join(text.split())])
    yield from (line for line in lines if len(line) >= MIN_LINE)


def _dates(env, value):
    if isinstance(value, datetime):
        yield str(value)
        local = Datetime.context_timestamp(env["res.users"], value)
        yield local.strftime("%Y-%m-%d %H:%M:%S")
        yield from _dates(env, local.date())
        value = value.date()
    yield value.isoformat()
    yield format_date(env, value)
    yield value.strftime("%m/%d/%Y")


def _instead(closed, text):
    return NOT_SHOWN if closed.how == HIDDEN else masks.mask(closed.how, text)


def _without_texts(text, texts):
    """:param texts: what is told instead of each; small letters"""
    plain = " ".join(text.casefold().split())
    there = sorted((one for one in texts if one in plain), key=len, reverse=True)
    for one in there:
        words = r"\s+".join(map(re.escape, one.split()))
        pattern = re.compile(rf"(?<!\w){words}(?!\w)", re.IGNORECASE)
        text = pattern.sub(lambda _m, instead=texts[one]: instead, text)
    return text


def _number(said, numbers):
    for meant, decimals in _meant(said):
        if any(round(one, decimals) == meant for one in numbers):
            return NOT_SHOWN
    parts = re.split(r"(\s)", said)
    if len(parts) == 1:
        return said
    return "".join(_number(part, numbers) if part.strip() else part for part in parts)


def _meant(said):
    """The numbers that a text may mean, with how many decimals."""
    digits = BETWEEN_DIGITS.sub("", said)
    for point, other in POINTS:
        whole = digits.replace(other, "").replace(point, ".")
        if whole.count(".") <= 1:
            yield float(whole), len(whole.partition(".")[2])
