"""The operations: what a request may name as its method, and what is known of each.

    @operation(name, tool=..., reads=..., ...) ── its facts stand above its function and
    def it(call): ...                             nowhere else; code that needs to know
                                                  asks here

Some are asked of a model, as Odoo's own methods are; others do what no method of a
model answers for a connection. What is not here is refused: an operation is added
together with the checks of its arguments. Scope and risk of its tool are the catalog's
(models/catalog).

Any addon may bring some. The table belongs to the process, which serves many databases:
an operation is offered only in those where its addon is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..policy import shared
from ..policy.refusal import Refusal, _lt
from . import row_counts

WRITE_SCOPE, SEARCH_SCOPE, METADATA_SCOPE = "mcp:orm", "mcp:search", "mcp:metadata"
LOW, MEDIUM, HIGH = shared.RISKS
# For ``reads_also``: no model in particular.
ANY_MODEL = "*"
# For ``file``: the answer is about a file to fetch, or about one to come.
TAKE, PUT = "take", "put"

# name -> operation, of every addon that some database of this process has loaded.
OPERATIONS = {}


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One of them, and what has to be known of it before it runs."""

    # What a request calls its method.
    name: str
    # Called with the Call (call.py); gives the answer.
    run: Callable
    # Technical name of the addon that brings it.
    module: str
    # The tool that stands for it, as the service's catalog names it; "" if an argument
    # says which (``tool_argument``).
    tool: str
    tool_argument: str = ""
    # The argument that names the business method that it calls; "" if it calls none.
    method_argument: str = ""

    # ---- what it may do ----

    # Whether it changes nothing.
    reads: bool
    # Whether it is asked of a model. The others are for requests that name none.
    needs_model: bool = True
    # The switch of a connection's policy that has to be on for it; "" if none has.
    switch: str = ""
    # The scope that it takes, whatever the service's catalog says; "" leaves it to the
    # catalog: of the tools that administrators make.
    scope: str = ""
    # Whether it tells what it would do, and can be undone. What a method does outside
    # of the database, such as asking another system, could not.
    dry_run: bool = False
    # Whether it may share a request to Odoo: it is short, and harmless to run again.
    shares: bool = False
    # Whether it can leave out the fields that fail, and say so.
    leaves_out: bool = False
    # The argument that holds the code or query that it runs; "" if none is sent.
    code: str = ""
    # Whether it runs code that somebody has written in Odoo: a report, an action.
    runs_code: bool = False
    # Whether what it shows or sends is made by code that holds to no rule for a model:
    # a report, an action. Not for connections with such rules.
    beyond_rules: bool = False
    # A model that it reads besides: a rule for reading that one is for it too.
    reads_also: str = ""
    # Whether its answer may tell of a file: TAKE, PUT or "".
    file: str = ""
    # ``still(call)``: refuses what was made for a link and is kept since, for who may
    # no longer have it.
    still: Callable | None = None
    # ``counts(call)``: how many records it reads, where a request names none.
    counts: Callable | None = None
    # The argument that holds a file, in base64: told as its size, and kept nowhere but
    # in a request that waits; "" if there is none.
    holds_file: str = ""

    # ``rows(request, answer)``: how many rows of data its answer gives out
    # (row_counts.py).
    rows: Callable = row_counts.of_change

    # ---- what a person is told of it before they decide ----

    # ``summary(words, call)``: what it would do, in one sentence (words.py).
    summary: Callable | None = None
    # ``arguments(call)``: what was asked for, in the form of ``Describer.tree``, which
    # tells it if there is none.
    arguments: Callable | None = None
    # ``resolve(call)``: its arguments as Odoo gets them, with ids for the names that
    # were sent; what a person is shown, and what is looked at again.
    resolve: Callable | None = None
    # ``points_at(env, kwargs)``: ``(model, id)`` of each record that its arguments name
    # besides its own; what they are called must not change before it is approved.
    points_at: Callable | None = None
    # ``works_on(env, kwargs)``: ``(model, ids)`` of the records that it changes and a
    # handle stands for.
    works_on: Callable | None = None
    # The argument that is a text to be read as a whole; "" if there is none.
    text: str = ""
    # Whether it makes records, so that a request names none; whether some are gone for
    # good.
    creates: bool = False
    deletes: bool = False
    # Whether it is there to tell people something, so that a person who decides is
    # shown what it would send, and to whom.
    outward: bool = False
    # Whether writing the old values, and deleting what it made, takes all of it back.
    undoable: bool = False
    # Whether what it does in detail is only known once it is done.
    known_once_done: bool = False
    # Whether it is of high risk although nothing above says so.
    grave: bool = False

    @property
    def least_risk(self):
        """The risk that its tool has at least, whatever the service's catalog says:
        rules for approval go by it, and the service must not be able to talk it down.
        """
        if self.deletes or self.code or self.method_argument or self.grave:
            return HIGH
        return LOW if self.reads else MEDIUM

    def tool_of(self, request):
        """:return: the tool that a request of it is of; "?" if it names none"""
        if not self.tool_argument:
            return self.tool
        return self._named(request, self.tool_argument) or "?"

    def called(self, request):
        """What a request runs, as the audit calls it: by the name in its arguments, if
        there is one."""
        if self.method_argument and isinstance(request.get("kwargs"), dict):
            return request["kwargs"].get(self.method_argument)
        own = self.tool_argument and self._named(request, self.tool_argument)
        return own or self.name

    @staticmethod
    def _named(request, argument):
        kwargs = request.get("kwargs")
        name = kwargs.get(argument) if isinstance(kwargs, dict) else None
        return name if isinstance(name, str) else None


def operation(name, *, tool, reads, **facts):
    """Add an operation: a decorator for ``function(call)``.

    :param str name: what a request calls its method
    :param str tool: as ``Operation.tool``
    :param bool reads: whether it changes nothing
    :param facts: the others of ``Operation``; the scope of a change is ``mcp:orm``, of
        what reads ``mcp:search``, unless they say otherwise
    :raise ValueError: if something else has that name, a change has no summary, or
        nobody says how many rows a read gives out
    """
    if reads and "rows" not in facts:
        raise ValueError(f"{name} reads and does not say how many rows it gives out")
    facts = {"scope": SEARCH_SCOPE if reads else WRITE_SCOPE} | facts
    if not reads:
        if not facts.get("summary"):
            raise ValueError(f"{name} changes something and has no summary")

    def add(function):
        module = function.__module__.split(".")[2]  # odoo.addons.<module>...
        known = OPERATIONS.get(name)
        if known and _place(known.run) != _place(function):
            raise ValueError(f"{_place(function)} and {_place(known.run)}: both {name}")
        OPERATIONS[name] = Operation(
            name=name, run=function, module=module, tool=tool, reads=reads, **facts
        )
        return function

    return add


def _place(function):
    return f"{function.__module__}.{function.__qualname__}"


# ---- asked by name ----


def get(name):
    """:return: the operation of a name, in this database or not; or None"""
    return OPERATIONS.get(name) if isinstance(name, str) else None


def of(request):
    """:return: the operation that a request names, in this database or not; None if
    there is none, or it wants a model and the request names none, or the other way"""
    found = get(request.get("method"))
    if found is None or found.needs_model != bool(request.get("model")):
        return None
    return found


def only_reads(request):
    """Whether a request changes nothing, by what it names."""
    found = of(request)
    return found is None or found.reads


def runs_code(request):
    """Whether a request that only reads runs somebody's code or query for it."""
    found = of(request)
    return found is not None and found.reads and bool(found.code or found.runs_code)


def rows_of(request, answer):
    """:return: how many rows of data the answer to a request gives out"""
    found = of(request)
    return found.rows(request, answer) if found is not None else 0


def code_of(request):
    """:return: the code or query that a request runs, as it was sent; None if none"""
    found, kwargs = of(request), request.get("kwargs")
    if not found or not found.code or not isinstance(kwargs, dict):
        return None
    return kwargs.get(found.code)


def least_risk(tool):
    """:return: the risk that a tool has at least, by what its operations do"""
    risks = {found.least_risk for found in OPERATIONS.values() if found.tool == tool}
    return max(risks, key=shared.RISKS.index, default=LOW)


# ---- in which databases ----


def is_offered(env, name):
    """Whether this database has the addon that brings an operation."""
    found = get(name)
    # What is loaded, not what the list of modules says: both differ for a while when an
    # addon comes or goes.
    return found is not None and found.module in env.registry._init_modules


def check_offered(env, request):
    """:raise Refusal: if the addon that brings an operation isn't in this database"""
    method, found = request.get("method"), of(request)
    if not isinstance(method, str):
        return
    module = found.module if found else None
    if found is None and not request.get("model"):
        # One that no database of this process has loaded is known from the catalog.
        module = env["doorman.tool"]._module_of(method)
    if module and module not in env.registry._init_modules:
        raise Refusal(
            "module_missing",
            _lt(shared.SAY_NEEDS_MODULE, tool=method, module=module),
            _lt(shared.SAY_NEEDS_MODULE_HINT),
        )
