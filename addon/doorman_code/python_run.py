"""``run_python``: a piece of Python by which an AI tool takes several steps at once.

code ── what it may name (python_syntax) ── a process of its own ──┬── search, read, ...
                                          (sandbox, by             └── write, a method
                                           python_process)
        each step is a request of this connection like any other: the same rules, the
        same rights, the same approvals; all of them are done, or none

The code gets no recordsets of Odoo's, and so no cursor, no sudo() and no registry, but
records that know how to ask for such steps (sandbox/records.py).
"""

import json

from odoo.exceptions import UserError

from odoo.addons.doorman.policy.closed_fields import is_withheld
from odoo.addons.doorman.policy.redact_links import withhold_links
from odoo.addons.doorman.policy.refusal import Refusal
from odoo.addons.doorman.policy.shared import SAY_NO_RECORD
from odoo.addons.doorman.policy.suggestions import near_hint
from odoo.addons.doorman.policy.withhold import withhold
from odoo.addons.doorman.tools import row_counts
from odoo.addons.doorman.tools.operations import operation
from odoo.addons.doorman.tools.words import code_summary

from .python_process import Process, no_memory
from .python_syntax import check_code, wrong
from .sql_query import check_administrator
from .words import _lt

MAX_STEPS, MAX_CHANGES = 5_000, 200
MAX_RESULT = 20_000
# What the code may use up: seconds with all its steps, bytes without them.
SECONDS, MEMORY = 20, 256 * 1024 * 1024
# Records that are read ahead, with the one that is asked for.
PREFETCH = 500
# The operations that are steps; a business method comes by a question of its own.
READS = frozenset({"read", "search_read", "search_count", "formatted_read_group"})
CHANGES = frozenset({"create", "write", "unlink", "activity_schedule", "message_post"})


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
    rows=row_counts.counted,
)
def run_python(call):
    """:param call: its argument is code
    :return: ``{result, steps, rows}``: what the code has put into ``result``, as JSON
        text, what it changed, and how many rows it has read for that
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
    shell = Shell(call, code)
    result = shell.run()
    return {"result": _text(result), "steps": shell.changes, "rows": shell.rows}


class Shell:
    """One run: every question of the code's is answered here, and an error of one ends
    the run, whatever the code would make of it."""

    def __init__(self, call, code):
        # Each step is done, to be built upon; of a trial, all of it is undone at last.
        self.trial = call.dry_run
        self.step = call.step
        self.guard = call.guard
        self.code = code
        self.steps = 0
        self.changes = []
        # What it has read may all be in the result: nobody can tell.
        self.rows = 0

    def run(self):
        """:return: what the code has put into ``result``, as JSON holds it"""
        with Process(SECONDS, MEMORY) as process:
            while True:
                question, facts = process.asked()
                if question == "done":
                    return facts["result"]
                process.answer(ANSWERS[question](self, **facts))

    def begin(self):
        env = self.guard.env
        user = {
            "uid": env.uid,
            "company": env.company.id,
            "companies": env.companies.ids,
            "lang": env.lang or "en_US",
        }
        return {"code": self.code, "user": user}

    # ---- what there is ----

    def model(self, name):
        return self.guard.model(name)._name

    def may_use(self, name):
        return self.guard.may_use(name)

    def ref(self, xmlid):
        found = self.guard.env.ref(xmlid, raise_if_not_found=False)
        return None if found is None else (self.model(found._name), found.ids)

    def field(self, model, name):
        """:return: its type, and the model that it leads to"""
        field = self.guard.field(self.guard.model(model), name)
        return field.type, field.comodel_name

    def attribute(self, model, name):
        """What a name after a dot is, which is nothing that all records know."""
        model = self.guard.model(model)
        if name in model._fields:
            return "field"
        if not callable(getattr(type(model), name, None)):
            raise Refusal(
                "unknown_attribute",
                _lt(
                    "%(model)s has no field or method %(name)s.",
                    model=model._name,
                    name=name[:60],
                ),
                near_hint(name, [n for n in model._fields if not is_withheld(n)]),
            )
        return "method"

    # ---- steps ----

    def fetch(self, model, ident, others, name):
        """:return: the rows that were read, and what to say if there is none of
        ``ident``"""
        others = self.guard.model(model).browse(others[:PREFETCH])
        # One that is hidden from the user is an error once it is asked for itself.
        others = others.exists()._filtered_access("read")
        ids = list(dict.fromkeys([ident, *others.ids]))
        rows, _changes = self._step(model, "read", ids, {"fields": [name]})
        return rows, str(SAY_NO_RECORD % {"model": model, "id": ident})

    def do(self, model, method, ids, kwargs):
        """:return: the answer of an operation, and whether it changed something"""
        if method not in READS | CHANGES:
            raise ValueError(f"{method} is not a step")
        if method == "message_post":
            self._check_no_trial(method)
        return self._step(model, method, ids, kwargs)

    def call(self, model, method, ids, kwargs):
        """The same for a business method."""
        self._check_no_trial(method)
        return self._step(
            model, "call_method", ids, {"method": method, "kwargs": kwargs}
        )

    def _check_no_trial(self, method):
        if self.trial:
            raise Refusal(
                "no_dry_run",
                _lt(
                    "%(method)s does not support dry runs: not all of what it does "
                    "can be undone.",
                    method=method,
                ),
                _lt("Leave dry_run out."),
            )

    def _step(self, model, method, ids, kwargs):
        self.steps += 1
        if self.steps > MAX_STEPS:
            raise Refusal(
                "too_many_steps",
                _lt("More than %(most)s steps.", most=MAX_STEPS),
                _lt("Search and read many records at once."),
            )
        request = {"model": model, "method": method, "ids": ids, "kwargs": kwargs}
        answer, changes = self.step(self, request)
        if changes:
            self.changes.append(changes)
            if len(self.changes) > MAX_CHANGES:
                raise Refusal(
                    "too_many_steps",
                    _lt(
                        "More than %(most)s steps that make changes.",
                        most=MAX_CHANGES,
                    ),
                    _lt("Change many records in one step."),
                )
        return answer, bool(changes)

    # ---- how it ends ----

    def failed(self, line, text):
        raise wrong(line, text)

    def user_error(self, text):
        raise UserError(text)

    def no_memory(self):
        raise no_memory()


ANSWERS = {
    "code": Shell.begin,
    "model": Shell.model,
    "may_use": Shell.may_use,
    "ref": Shell.ref,
    "field": Shell.field,
    "attribute": Shell.attribute,
    "fetch": Shell.fetch,
    "do": Shell.do,
    "call": Shell.call,
    "failed": Shell.failed,
    "user_error": Shell.user_error,
    "no_memory": Shell.no_memory,
}


def _text(result):
    """What the code has put into ``result``, as text that may leave."""
    if result is None:
        return ""
    text = json.dumps(withhold(result), ensure_ascii=False)
    if len(text) > MAX_RESULT:
        text = text[:MAX_RESULT] + "... (cut: it is longer)"
    return withhold_links(text)
