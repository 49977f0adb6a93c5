"""The values that the rules per model hide, where Odoo's code puts them into a form.

What a form is filled in with is of use only if most of it is told. So what is hidden is
looked for in it, unless it is where the value is from that decides (odoo_words.py).
"""

import re
from datetime import date, datetime

from odoo.fields import Datetime
from odoo.tools import format_date

from . import in_force, masks, orm_memory
from .in_force import NOT_SHOWN
from .model_rules import HIDDEN
from .plain_text import from_html

# A line of a long text is looked for alone if it has so many letters.
MIN_LINE = 4


def without(env, found, text):
    """:param env: of the connection's user
    :param found: the InForce
    :param str text: of a form
    :return: the text without what is hidden
    """
    texts, _numbers = _hidden(env, found)
    return _without_texts(text, texts)


def is_amount(env, found, amount):
    """Whether an amount is one that is hidden."""
    _texts, numbers = _hidden(env, found)
    return abs(amount) in numbers


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


# ---- what is hidden ----


def _closed(env, rules):
    """The values of closed fields that are in memory.

    :return: Closed, field and value of each, as the ORM keeps it
    """
    for (model, name), closed in rules.fields.items():
        field = env[model]._fields.get(name) if model in env else None
        if field is None:
            continue
        for _ident, value in orm_memory.values(env, field):
            if not field.relational:
                yield closed, field, value
                continue
            ids = value if isinstance(value, tuple) else (value,)
            for linked in _names(env, field.comodel_name, set(ids)):
                yield closed, field, linked


def _names(env, model, ids):
    """What the records of a model are called, as far as that is in memory."""
    for field in orm_memory.naming(env, model):
        for ident, value in orm_memory.values(env, field):
            if (ident is None or ident in ids) and isinstance(value, str):
                yield value


def _names_not_there(env, found):
    for model in found.rules.rules:
        if model not in env or not found.rules.is_partly(model):
            continue
        ids = {
            ident
            for field in orm_memory.naming(env, model)
            for ident, _value in orm_memory.values(env, field)
            if ident is not None
        }
        yield from _names(env, model, ids - there(env, model, ids))


def there(env, model, ids):
    """Those of some ids whose records there are for the connection."""
    if not ids or in_force.of(env) is None:
        return set()
    try:
        return in_force.those_seen(env, model, ids)
    except Exception:  # noqa: BLE001 what failed may have ended the transaction
        return set()


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
