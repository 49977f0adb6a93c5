"""``run_python``: a piece of Python by which an AI tool takes several steps at once.

code ── what it may name (python_syntax) ── Odoo's safe_eval ──┬── search, read, ...
                                                               └── write, a method, ...
        each step is a request of this connection like any other: the same rules, the
        same rights, the same approvals; all of them are done, or none

The code gets no recordsets of Odoo's, and so no cursor, no sudo() and no registry, but
records that know how to ask for such steps (python_records).
"""

import json
from datetime import date, datetime

from odoo.exceptions import UserError
from odoo.fields import Date, Datetime
from odoo.tools import safe_eval

from odoo.addons.doorman.policy.redact_links import withhold_links
from odoo.addons.doorman.policy.refusal import Refusal
from odoo.addons.doorman.policy.shared import MAX_RECORDS
from odoo.addons.doorman.policy.withhold import withhold
from odoo.addons.doorman.tools.operations import operation
from odoo.addons.doorman.tools.words import code_summary

from .python_records import Environment, Records
from .python_syntax import FILENAME, check_code, clock, told
from .sql_query import check_administrator
from .words import _lt

MAX_STEPS, MAX_CHANGES = 5_000, 200
MAX_RESULT, MAX_DEPTH = 20_000, 12
MAX_DEEP, MAX_RANGE = 32, 1_000_000


@operation(
    "run_python",
    tool="run_python",
    needs_model=False,
    reads=False,
    dry_run=True,
    scope="mcp:shell",
    code="code",
    summary=code_summary,
    known_once_done=True,
)
def run_python(call):
    """:param call: its argument is code
    :return: ``{result, steps}``: what the code has put into ``result``, as JSON text,
        and what it changed
    """
    for name in call.kwargs:
        if name != "code":
            raise Refusal(
                "unknown_argument", _lt("Unknown argument %(argument)r.", argument=name)
            )
    check_administrator(call.guard, "allow_shell", "Python")
    code = call.kwargs.get("code")
    check_code(code)
    if call.describer:
        return {}  # it is run once a person has agreed
    shell = Shell(call)
    names = {
        "env": Environment(shell),
        "datetime": safe_eval.datetime,
        "relativedelta": safe_eval.dateutil.relativedelta.relativedelta,
        "UserError": UserError,
        "range": short_range,
    }
    try:
        with clock(shell.late):
            safe_eval.safe_eval(code, names, mode="exec", filename=FILENAME)
    except Exception as exc:
        if shell.failed is not None:
            raise shell.failed from exc
        if isinstance(exc, UserError | Refusal):
            raise
        if isinstance(exc.__context__, Refusal):
            raise exc.__context__ from None  # safe_eval made a text of it
        raise told(exc) from exc
    if shell.failed is not None:
        raise shell.failed
    return {"result": _text(names.get("result")), "steps": shell.changes}


class Shell:
    """One run: every step goes through here."""

    def __init__(self, call):
        # Each step is done, to be built upon; of a trial, all of it is undone at last.
        self.trial = call.dry_run
        self.step = call.step
        self.guard = call.guard
        self.steps = 0
        self.changes = []
        self.failed = None
        # What was read, until something is changed: {(model, id): {field: value}}
        self.known = {}

    def do(self, model, method, ids=None, /, **kwargs):
        """:return: the answer of the operation"""
        self.check_going()
        self.steps += 1
        try:
            request = {
                "model": model,
                "method": method,
                "ids": sent(ids),
                "kwargs": sent(kwargs),
            }
            if self.steps > MAX_STEPS:
                raise Refusal(
                    "too_many_steps",
                    _lt("More than %(most)s steps.", most=MAX_STEPS),
                    _lt("Search and read many records at once."),
                )
            answer, changes = self.step(self, request)
        except Exception as exc:
            # Whatever the code makes of it: what was done by halves is not kept.
            self.failed = exc
            raise
        if changes:
            self.known.clear()
            self.changes.append(changes)
            if len(self.changes) > MAX_CHANGES:
                self.stop(
                    Refusal(
                        "too_many_steps",
                        _lt(
                            "More than %(most)s steps that change something.",
                            most=MAX_CHANGES,
                        ),
                        _lt("Change many records by one step."),
                    )
                )
        return answer

    def check_going(self):
        if self.failed is not None:
            raise self.failed

    def stop(self, exc):
        self.failed = exc
        raise exc

    def late(self):
        self.stop(
            Refusal(
                "took_too_long",
                _lt("The code took too long and was stopped; nothing was changed."),
                _lt("Do less at a time."),
            )
        )


def short_range(*args):
    """``range``: what loops over it without a line of its own sees no clock."""
    found = range(*args)
    if len(found) > MAX_RANGE:
        raise ValueError(f"a range has at most {MAX_RANGE} numbers here")
    return found


def sent(value, depth=0):
    """A value of the code's as a client would have sent it: what checks it, and what is
    done with it, must see the same."""
    if depth > MAX_DEEP:
        raise Refusal("nested_too_deeply", _lt("A value is nested too deeply."))
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return Datetime.to_string(value)
    if isinstance(value, date):
        return Date.to_string(value)
    if isinstance(value, list | tuple | set | range):
        return [sent(item, depth + 1) for item in value]
    if isinstance(value, dict) and all(isinstance(key, str) for key in value):
        return {str(key): sent(item, depth + 1) for key, item in value.items()}
    raise Refusal(
        "wrong_value",
        _lt("%(value)s is not a value for Odoo.", value=_plain(value)),
        _lt("Of records, name .id or .ids."),
    )


def _text(result):
    """What the code has put into ``result``, as text that may leave."""
    if result is None:
        return ""
    text = json.dumps(withhold(_plain(result)), ensure_ascii=False)
    if len(text) > MAX_RESULT:
        text = text[:MAX_RESULT] + "... (cut: it is longer)"
    return withhold_links(text)


def _plain(value, depth=0):
    if depth > MAX_DEPTH:
        return "..."
    if isinstance(value, Records):
        return {
            "model": value.model,
            "ids": list(value.ids[:MAX_RECORDS]),
        }
    if isinstance(value, dict):
        return {str(key): _plain(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item, depth + 1) for item in value]
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, int | float):
        # What is not a number of JSON, or more than its readers can hold.
        if abs(value) < 2**53:
            return value
        big = isinstance(value, int) and value.bit_length() > 1_000
        return "(a very large number)" if big else str(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    return f"({type(value).__name__})"
