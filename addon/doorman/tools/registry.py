"""The ORM methods that a request may name, each with what has to be checked first; and
how a request is run, whichever of these or of ``operations`` it names.

A method that is not listed is refused: a new one is added together with its checks.
"""

from ..policy.custom_tool_text import LOOK, RUN
from ..policy.refusal import Refusal
from . import (
    operations,
    search_everywhere,  # noqa: F401  (it adds its operation)
)
from .activities import activity_schedule
from .buttons import get_actions
from .custom_tools import look_tool, run_tool
from .files import get_attachment, get_report, request_upload
from .messages import message_post, read_messages
from .methods import call_method
from .records import create_records, unlink_records, write_records
from .search import (
    fields_get,
    formatted_read_group,
    read,
    search_count,
    search_read,
)

# method -> (function, it only reads)
METHODS = {
    "search_read": (search_read, True),
    "search_count": (search_count, True),
    "read": (read, True),
    "formatted_read_group": (formatted_read_group, True),
    "fields_get": (fields_get, True),
    "read_messages": (read_messages, True),
    "get_actions": (get_actions, True),
    "get_attachment": (get_attachment, True),
    "get_report": (get_report, True),
    "activity_schedule": (activity_schedule, False),
    "request_upload": (request_upload, False),
    "create": (create_records, False),
    "write": (write_records, False),
    "unlink": (unlink_records, False),
    "call_method": (call_method, False),
    "message_post": (message_post, False),
    RUN: (run_tool, False),
    LOOK: (look_tool, True),
}

# Those that read and run somebody's code or query for it.
CODE = frozenset({LOOK, "get_report"})
# Those that may share a request to Odoo: short, and harmless to run again.
SHARED = ("search_read", "search_count", "read", "formatted_read_group")
# Those that tell what they would do. What a method does outside of the database, such
# as asking another system, could not be undone.
TRIED = {"create", "write", "unlink", "activity_schedule", "request_upload", RUN}


def run(guard, request):
    """Check and run one request.

    :param guard: the rules of the connection
    :param dict request: model, method, ids, kwargs
    :return: the method's own answer
    :raise Refusal: if a rule refuses it
    """
    method = request.get("method")
    kwargs = request.get("kwargs") or {}
    if not isinstance(kwargs, dict) or not isinstance(method, str | None):
        raise Refusal("invalid_input", "The method or its arguments are malformed.")
    if not request.get("model"):
        operations.check_offered(guard.env, request)
        operation = operations.named(request)
        if operation is None:
            raise Refusal("not_allowed", f"There is no operation {method!r}.")
        return operation.run(guard, kwargs)
    model = guard.model(request["model"])
    if method not in METHODS:
        raise Refusal(
            "not_allowed",
            f"The method {method!r} cannot be called through this connection.",
        )
    if guard.dry_run and method not in TRIED and not guard.describer:
        raise Refusal("invalid_input", f"{method} cannot be tried out.")
    return METHODS[method][0](guard, model, request.get("ids"), kwargs)


def only_reads(request):
    """Whether a request changes nothing, by what it names."""
    method = request.get("method")
    if not request.get("model"):
        operation = operations.named(request)
        return operation is None or operation.reads
    entry = METHODS.get(method) if isinstance(method, str) else None
    return entry is None or entry[1]


def runs_code(request):
    """Whether a request that only reads runs somebody's code or query for it."""
    operation = operations.named(request)
    if operation is not None:
        return bool(operation.code) and operation.reads
    return request.get("method") in CODE
