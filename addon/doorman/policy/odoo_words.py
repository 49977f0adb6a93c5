"""What Odoo's own code says (an error, a warning, a message), without what the rules
per model hide.

    _("%s <%s> owes %s", name, email, due) ── "Boss <(not shown)> owes (not shown)"

Code puts what it has read into its texts, and may have worked that out of something
else. The words of a text are told. Of the values between them only those are that the
caller may know by where they are from: the very value of an open field, or what the
caller has sent. Numbers and dates are told unless a field of that kind is closed. What
a hidden value is makes no difference to any of this: if only those parts were left out
that are equal to it, a caller could send a guess and see whether it is left out.
"""

import re
from contextlib import contextmanager
from datetime import date, datetime
from typing import NamedTuple

from odoo.exceptions import RedirectWarning, UserError
from odoo.tools.translate import LazyGettext

from . import hidden_values, in_force, orm_memory, said
from .in_force import NOT_SHOWN
from .refusal import Refusal

# A number, and what a date is made of.
NUMBER = re.compile(r"(?<![^\W\d_])\d+(?:[.,:/'’\s\u00a0\u202f-]\d+)*")
WORD = re.compile(r"\w")
# Of a shorter text, Python has one object, no matter where it was made.
SHORTEST = 2
TEXTS = ("char", "text", "html")
NUMBERS = ("integer", "float", "monetary")
DATES = ("date", "datetime")
KINDS = (NUMBERS, DATES)


@contextmanager
def held(env, kwargs=None):
    """The time in which Odoo's code runs for a connection: what it raises tells nothing
    that the rules hide. Inside of a savepoint, which would empty the memory.

    :param env: of the connection's user
    :param kwargs: what the caller has sent; None within another one
    """
    found = in_force.any_of(env.cr)
    if found is None:
        yield
        return
    with said.noted(kwargs, lambda: _read(env, found)):
        try:
            yield
        except Refusal:
            raise
        except (UserError, RedirectWarning) as exc:
            exc.args = tuple(
                told(env, arg) if _is_text(arg) else arg for arg in exc.args
            )
            raise


def told(env, text):
    """:param env: of the connection's user
    :param text: as Odoo's own code has made it; or what is made into one
    :return: what of it the connection may be told
    """
    found = in_force.any_of(env.cr)
    if found is None or not text:
        return text
    text = _as_text(text)
    closed = _closed(env, found)
    if not (closed.texts or closed.numbers or closed.dates):
        return text
    text = _Telling(env, found, closed).of(text)
    if said.is_noting():
        # An error goes through several hands.
        said.note(text, text, ())
    return text


def filled_in(env, value):
    """The same for a value that Odoo's own code has put into a form.

    :param value: of a text, or an amount
    :return: what is said about it; None for an amount that is not
    """
    found = in_force.any_of(env.cr)
    if found is None or not value:
        return value
    if isinstance(value, str):
        closed = _closed(env, found)
        return _Telling(env, found, closed).of_value(value) if closed.texts else value
    return None if hidden_values.is_amount(env, found, value) else value


def _is_text(arg):
    # An error that was made of another one has that for its words.
    return isinstance(arg, str | LazyGettext | Exception)


def _as_text(value):
    if isinstance(value, Exception) and value.args and _is_text(value.args[0]):
        return _as_text(value.args[0])
    return value if isinstance(value, str) else str(value)


# ---- what is closed, of what Odoo's code has read ----


class _Closed(NamedTuple):
    """Of which kinds those closed fields are that Odoo's code has read."""

    texts: bool
    numbers: bool
    dates: bool
    # Models whose names may be what is closed.
    names: frozenset


def _closed(env, found):
    """:return: _Closed. Whether a field was read counts, and not what was in it."""
    read = _read(env, found) | said.seen()
    linked = {
        env[model]._fields[name].comodel_name
        for model, name in found.rules.fields
        if model in env and name in env[model]._fields
    }
    return _Closed(
        TEXTS in read,
        NUMBERS in read,
        DATES in read,
        frozenset({*found.rules.names, *found.rules.partly, *linked} - {None}),
    )


def _read(env, found):
    """:return: a set of TEXTS, NUMBERS and DATES: what of it is closed and in memory"""
    rules, memory, kinds = found.rules, env.transaction.field_data, set()
    for model, name in rules.fields:
        field = env[model]._fields.get(name) if model in env else None
        if field is not None and field.type != "boolean" and memory.get(field):
            kinds.add(next((k for k in KINDS if field.type in k), TEXTS))
    if TEXTS not in kinds and any(
        _names_in_memory(env, model) for model in {*rules.names, *rules.partly}
    ):
        kinds.add(TEXTS)
    return kinds


def _names_in_memory(env, model):
    return model in env and any(
        env.transaction.field_data.get(field) for field in orm_memory.naming(env, model)
    )


class _Telling:
    """What is told, text by text."""

    def __init__(self, env, found, closed):
        self.env = env
        self.found = found
        self.closed = closed
        self.said = said.all_said()
        self.by_object = {id(one.text): one for one in self.said}
        self.open = self._open() if closed.texts else {}

    def of(self, text):
        """:return: what is said about a text"""
        if (one := self.by_object.get(id(text))) is not None:
            return self._said(one)
        if id(text) in self.open:
            return text
        return self._of_parts(text)

    def of_value(self, text):
        """:return: what is said about a text that stands for itself, in a form"""
        if id(text) in self.by_object or id(text) in self.open:
            return self.of(text)
        return hidden_values.without(self.env, self.found, text)

    def _of_parts(self, text):
        """Of a text made of several: the words between them may be anybody's."""
        parts = {}
        for one in self.said:
            if len(one.text) >= SHORTEST and one.text in text:
                parts.setdefault(one.text, one)
        if not parts:
            return self._unknown(text)
        longest = sorted(parts, key=len, reverse=True)
        pattern = "|".join(map(re.escape, longest))
        found = re.split(rf"(?<!\w)({pattern})(?!\w)", text)
        return "".join(
            self._said(parts[part]) if number % 2 else self._unknown(part)
            for number, part in enumerate(found)
        )

    def _unknown(self, text):
        """What is said about a text of which nothing is known."""
        if not self.closed.texts:
            return self._without_numbers(text)
        if not WORD.search(text):
            return text
        start, end = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
        return f"{start}{NOT_SHOWN}{end}"

    def _without_numbers(self, text):
        closed = self.closed.numbers or self.closed.dates
        return NUMBER.sub(NOT_SHOWN, text) if closed else text

    def _said(self, one):
        return said.put_together(one, self._value)

    def _value(self, value, written):
        if isinstance(value, bool) or value is None:
            return NOT_SHOWN if self.closed.texts else str(value)
        if isinstance(value, int | float):
            return NOT_SHOWN if self.closed.numbers else written % value
        if isinstance(value, date | datetime):
            return NOT_SHOWN if self.closed.dates else str(value)
        if isinstance(value, list | tuple):
            return ", ".join(self._value(one, "%s") for one in value)
        if not _is_text(value):
            return NOT_SHOWN if self.closed.texts else self._without_numbers(str(value))
        return self.of(_as_text(value))

    def _open(self):
        """The texts that the caller may know, by their identity."""
        found = _by_object(one for pair in said.sent() for one in pair)
        found |= _by_object(_called(self.env))
        closed = set(_by_object(_choices(self.env, self.found.rules)))
        for field in list(self.env.transaction.field_data):
            if field.type not in TEXTS:
                continue
            pairs = orm_memory.values(self.env, field)
            values = _by_object(value for _ident, value in pairs)
            if self._is_open(field):
                found |= values
            else:
                closed |= values.keys()
        there = _by_object(self._names_there())
        closed -= there.keys()
        found |= there
        return {key: value for key, value in found.items() if key not in closed}

    def _is_open(self, field):
        rules, model = self.found.rules, field.model_name
        if rules.closed(model, field.name):
            return False
        named = field in orm_memory.naming(self.env, model)
        if named and (model in self.closed.names or rules.leaves_out(model)):
            return False
        return not rules.leaves_out(model)

    def _names_there(self):
        """What those records are called that are there, of models of which only some
        are, where names are told."""
        rules = self.found.rules
        for model in rules.partly & self.env.registry.keys():
            if model in rules.names:
                continue
            by_id = [
                (ident, value)
                for field in orm_memory.naming(self.env, model)
                if not rules.closed(model, field.name)
                for ident, value in orm_memory.values(self.env, field)
            ]
            there = hidden_values.there(
                self.env, model, {ident for ident, _value in by_id}
            )
            yield from (value for ident, value in by_id if ident in there)


def _by_object(values):
    """:return: the texts among some values, by their identity"""
    return {
        id(value): value
        for value in values
        if isinstance(value, str) and len(value) >= SHORTEST
    }


def _called(env):
    """What models and fields are called."""
    for name, cls in env.registry.items():
        yield from (name, cls._description)
        for field in cls._fields.values():
            yield from (field.name, field.string)


def _choices(env, rules):
    """What the choices of closed fields are called: code has one object for a word."""
    for model, name in rules.fields:
        field = env[model]._fields.get(name) if model in env else None
        if field is not None and isinstance(getattr(field, "selection", None), list):
            yield from (text for choice in field.selection for text in choice)
