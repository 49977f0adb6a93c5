"""Of what the texts are made that Odoo's own code says while it runs for a connection.

    _("%(name)s owes %(due)s", name=partner.name, due=due)
        ── the words of the developer, and the values between them

Only the one who made a text knows which parts of it are values. So while a call runs
under rules per model, what Odoo's translation makes is noted (patches.py). What is
told of a text depends on where its parts are from and not on what they say: if it
did, a caller could put a guess into a text and see whether that is hidden.
"""

import re
import threading
from collections import deque
from contextlib import contextmanager
from typing import NamedTuple

# Of those that were made last: enough for a warning on each line of a long document.
MOST = 2000
# A conversion of Python's %: its name, and how it is written.
CONVERSION = re.compile(
    r"%(?:\((\w+)\))?[-#0 +]*(?:\d+|\*)?(?:\.(?:\d+|\*))?([a-zA-Z%])"
)

_thread = threading.local()


class Said(NamedTuple):
    """A text that was made."""

    text: str
    # In the language of the text.
    template: str
    # A tuple, or a dict by name; empty where nothing was put in.
    args: tuple | dict


class _Call:
    """What is known of the call that runs in a thread."""

    def __init__(self, kwargs, look):
        self.texts = deque(maxlen=MOST)
        self.kwargs = kwargs
        self.look = look
        self.seen = set()


def _call():
    return getattr(_thread, "call", None)


@contextmanager
def noted(kwargs, look):
    """The time in which texts are noted; the outermost one counts.

    :param kwargs: what the caller has sent
    :param look: tells with each text what Odoo's code has read until then, as a set:
        a savepoint that is undone forgets that
    """
    if _call() is not None:
        yield
        return
    _thread.call = _Call(kwargs, look)
    try:
        yield
    finally:
        _thread.call = None


def is_noting():
    """Whether texts are noted in this thread."""
    return _call() is not None


def note(text, template, args):
    """A text was made. See ``Said``."""
    call = _call()
    call.texts.append(Said(text, template, args))
    call.seen |= call.look()


def all_said():
    """:return: every Said, the last one first"""
    return [] if _call() is None else list(reversed(_call().texts))


def seen():
    """:return: what ``look`` has told with the texts"""
    return set() if _call() is None else _call().seen


def sent():
    """:return: ``(name, value)`` of every plain value that the caller has sent, with
    the name that it has, or that its list has"""
    return [] if _call() is None else list(_leaves("", _call().kwargs))


def _leaves(name, value):
    if isinstance(value, dict):
        for key, one in value.items():
            yield from _leaves(key, one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _leaves(name, one)
    elif value is not None:
        yield name, value


def put_together(said, instead):
    """A text with other values in it.

    :param said: Said
    :param instead: a function of one of its values and of how that is written; gives
        what is put there as text
    """
    if not said.args:
        return said.template
    left = iter(said.args if isinstance(said.args, tuple) else ())

    def put(match):
        name, kind = match.groups()
        if kind == "%":
            return "%"
        value = said.args.get(name) if name else next(left, None)
        written = match[0].replace(f"({name})", "") if name else match[0]
        return instead(value, written)

    return CONVERSION.sub(put, said.template)
