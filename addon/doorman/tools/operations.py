"""Requests without a model: what no public ORM method answers for a connection.

Any addon may bring some. The table belongs to the process, which serves many databases:
an operation is offered only in those where its addon is loaded.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ..policy.refusal import Refusal

# name -> operation, of every addon that some database of this process has loaded.
OPERATIONS = {}


@dataclass(frozen=True)
class Operation:
    """One of them, and what has to be known of it before it runs."""

    # Called with the guard and the arguments; gives the answer.
    run: Callable
    # Technical name of the addon that brings it.
    module: str
    # The tool that stands for it, as the service's catalog names it.
    tool: str
    # Whether it changes nothing.
    reads: bool = True
    # The scope that it takes, whatever the catalog says; "" leaves it to the catalog.
    scope: str = ""
    # The argument that holds the code or query that it runs; "" if it runs none.
    code: str = ""


def operation(name, tool, **how):
    """Add an operation: a decorator for ``function(guard, kwargs)``.

    :param str name: what a request calls its method
    :param str tool: as ``Operation.tool``
    :param how: ``reads``, ``scope``, ``code`` of ``Operation``
    :raise ValueError: if another addon has one of that name
    """

    def add(function):
        module = function.__module__.split(".")[2]  # odoo.addons.<module>...
        known = OPERATIONS.get(name)
        if known and known.module != module:
            raise ValueError(f"{module} and {known.module} both bring {name}")
        OPERATIONS[name] = Operation(function, module, tool, **how)
        return function

    return add


def named(request):
    """:return: the operation that a request names, in this database or not; or None"""
    method = request.get("method")
    if request.get("model") or not isinstance(method, str):
        return None
    return OPERATIONS.get(method)


def is_offered(env, name):
    """Whether this database has the addon that brings an operation."""
    found = OPERATIONS.get(name)
    # What is loaded, not what the list of modules says: both differ for a while when an
    # addon comes or goes.
    return found is not None and found.module in env.registry._init_modules


def check_offered(env, request):
    """:raise Refusal: if the addon that brings an operation isn't in this database"""
    method = request.get("method")
    if request.get("model") or not isinstance(method, str) or is_offered(env, method):
        return
    found = OPERATIONS.get(method)
    # One that no database of this process has loaded is known from the catalog alone.
    module = found.module if found else env["doorman.tool"]._module_of(method)
    if module and module not in env.registry._init_modules:
        raise Refusal(
            "needs_module",
            f"{method} works with the Odoo module {module}, which is not installed "
            "here.",
            "Use another tool, or ask an Odoo administrator to install the module.",
        )


def code_of(request):
    """:return: the code or query that a request runs, as it was sent; None if none"""
    found, kwargs = named(request), request.get("kwargs")
    if not found or not found.code or not isinstance(kwargs, dict):
        return None
    return kwargs.get(found.code)
