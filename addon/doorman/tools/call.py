"""One call of an operation: what was asked for, within which rules, and how to run
it."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from odoo.models import BaseModel

from ..policy import looks, model_rules, odoo_words, record_links
from ..policy.guard import Guard
from ..policy.refusal import Refusal, _lt
from . import operations
from .describe import Describer
from .operations import Operation

MAX_TELL = 40
# The tool that makes records of others.
COPY = "copy_records"


@dataclass(frozen=True, eq=False, kw_only=True)
class Call:
    """What an operation gets. Nothing of it is changed: another way to run it is
    another Call (``dataclasses.replace``)."""

    operation: Operation
    # The rules of the connection, with an environment of its user.
    guard: Guard
    # The empty recordset of the model that is named, or None; like every empty one, it
    # counts as false.
    model: BaseModel | None = None
    # As they were sent: the guard makes records of them.
    ids: object = None
    kwargs: dict = field(default_factory=dict)
    # The context that was asked for.
    context: dict = field(default_factory=dict)
    # The fields to tell of records that it makes.
    tell: tuple = ()
    # Whether to read field by field: some of them failed.
    careful: bool = False
    # Whether to tell what would change; it is undone afterwards.
    dry_run: bool = False
    # Turns what would change into texts, where a person is to read it.
    describer: Describer | None = None
    # ``step(shell, request)`` does one step of a piece of code, as a request of its
    # own; of code alone.
    step: Callable | None = None

    # How many rows the answer may give out; None for as many as anybody gets.
    most_rows: int | None = None
    # Whether the limit is by one higher than what is given out: the row too many says
    # that there are more.
    spare: bool = False

    @property
    def env(self):
        return self.guard.env

    def at_most(self, limit):
        """:return: that limit, or what this connection may get if that is less"""
        return limit if self.most_rows is None else min(limit, self.most_rows)

    def page(self, limit):
        """:return: how many rows to read for a limit, and how many of them to give"""
        give = self.at_most(limit - self.spare)
        return (limit if give == limit else give + 1), give

    def cut(self, rows, limit):
        """Leave out what is not given of the rows that were read for a limit.

        :return: them, and what to tell: ``more`` if there are more, and ``most`` if it
            is the connection that gets no more
        """
        _read, give = self.page(limit)
        if len(rows) <= give:
            return rows, {}
        told = {"more": True}
        if give < limit - self.spare:
            told["most"] = give
        return rows[:give], told


def call_of(guard, request, describer=None):
    """The call that a request is, if there is such an operation for it.

    :param guard: the rules of the connection
    :param dict request: model, method, ids, kwargs, context, dry_run
    :param describer: if a person is to read what it would do
    :return: Call
    :raise Refusal: if a rule refuses it
    """
    method, model = request.get("method"), None
    kwargs = request.get("kwargs") or {}
    if not isinstance(kwargs, dict) or not isinstance(method, str | None):
        raise Refusal(
            "malformed_arguments", _lt("The method or its arguments are malformed.")
        )
    operations.check_offered(guard.env, request)
    operation = operations.of(request)
    if request.get("model"):
        model = guard.model(request["model"])
        if operation is None:
            raise Refusal(
                "method_not_allowed",
                _lt(
                    "The method %(method)r cannot be called through this connection.",
                    method=method,
                ),
            )
    elif operation is None:
        raise Refusal(
            "unknown_operation", _lt("There is no operation %(method)r.", method=method)
        )
    check_rules(guard, operation, model, kwargs)
    kwargs = _without_html(guard, kwargs)
    dry_run = bool(request.get("dry_run"))
    if dry_run and not operation.dry_run and not describer:
        raise Refusal(
            "no_dry_run", _lt("%(method)s does not support dry runs.", method=method)
        )
    return Call(
        operation=operation,
        guard=guard,
        model=model,
        ids=request.get("ids"),
        kwargs=kwargs,
        context=request.get("context") or {},
        tell=_told(request.get("tell")),
        dry_run=dry_run,
        describer=describer,
        spare=request.get("spare") is True,
    )


def check_rules(guard, operation, model, kwargs=None):
    """Hold an operation against the rules per model.

    :param dict kwargs: of the call: a wizard that Odoo has opened is held against what
        it works on, if no rule names the wizard
    :raise Refusal: if they do not let it pass
    """
    rules = guard.rules
    if rules is None:
        return
    if operation.code or operation.beyond_rules:
        raise Refusal(
            "beyond_rules",
            _lt(
                "%(tool)s cannot apply rules per model, which this connection has.",
                tool=operation.name,
            ),
            _lt("Use the tools that read, search and change records."),
        )
    if model is None or operation.reads:
        return
    done = model_rules.WRITE
    if operation.creates or operation.tool == COPY:
        done = model_rules.CREATE
    elif operation.deletes:
        done = model_rules.DELETE
    name = model._name
    if model._transient and name not in rules.rules and (kwargs or {}).get("wizard"):
        wizards = guard.env["doorman.wizard"]
        name = wizards._find(guard.connection, kwargs["wizard"]).origin or name
    looks.check_operation(guard, name, done)


def _without_html(guard, kwargs):
    """The arguments without the HTML that was sent along with texts: it is looked up
    where a text becomes a value."""
    made = kwargs.get("html")
    if not isinstance(made, dict):
        return kwargs
    texts = (*made.keys(), *made.values())
    if not all(isinstance(text, str) for text in texts):
        raise Refusal("malformed_arguments", _lt("The HTML content is malformed."))
    guard.html.update(made)
    return {name: value for name, value in kwargs.items() if name != "html"}


def _told(names):
    """What to tell does not affect what is done: anything malformed is ignored."""
    names = names if isinstance(names, list) else []
    return tuple(name for name in names if isinstance(name, str))[:MAX_TELL]


def resolved(call):
    """:return: the call with its arguments as Odoo gets them
    :raise Refusal: if a rule refuses them, or they are unclear
    """
    if not call.operation.resolve:
        return call
    return replace(call, kwargs=call.operation.resolve(call))


def run(call):
    """Run a call.

    :return: the operation's own answer
    :raise Refusal: if a rule refuses it
    """
    with odoo_words.held(call.env, call.kwargs):
        return record_links.told_in(call.guard, call.operation.run(call))
