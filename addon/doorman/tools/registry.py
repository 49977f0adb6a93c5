"""The ORM methods that a request may name, each with what has to be checked first.

A method that is not listed is refused: a new one is added together with its checks.
"""

from ..policy import closed_fields, inherited_models
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal
from .activities import activity_schedule
from .buttons import get_actions
from .custom_tool_text import LOOK, RUN
from .custom_tools import look_tool, run_tool
from .files import get_attachment, get_report, request_upload
from .linked_names import MAX_NAMES, names_of, without_bytes
from .messages import read_messages
from .python_run import run_python
from .records import DRY, WRITES
from .search_everywhere import search_everywhere
from .sql_query import run_sql

MAX_ROWS = 10_000
FIELD_ATTRIBUTES = [
    "type",
    "string",
    "help",
    "required",
    "readonly",
    "store",
    "searchable",
    "sortable",
    "groupable",
    "aggregator",
    "relation",
    "selection",
    "currency_field",
    "default_export_compatible",
]


def _unknown_arguments(kwargs, known):
    for name in kwargs:
        if name not in known:
            raise Refusal("invalid_input", f"Unknown argument {name!r}.")


def _integer(kwargs, name, maximum):
    value = kwargs.get(name)
    if value is None:
        return
    if type(value) is not int or not 0 <= value <= maximum:
        raise Refusal("invalid_input", f"{name} is a number from 0 to {maximum}.")


def _paging(guard, model, kwargs, known=()):
    """Check limit, offset and order. Without a limit Odoo would read a whole table."""
    _integer(kwargs, "limit", MAX_ROWS)
    _integer(kwargs, "offset", 10_000_000)
    if kwargs.get("order"):
        # The model's own order is Odoo's business, wherever it leads.
        own = [term.split()[0] for term in model._order.split(",")]
        guard.order(model, kwargs["order"], (*known, *own))
    return dict(kwargs, limit=kwargs.get("limit") or MAX_ROWS)


def _domain(guard, model, kwargs):
    domain = guard.domain(model, kwargs.get("domain") or [])
    owner = guard.owner_domain(model)
    return owner + domain if owner else domain


def search_read(guard, model, ids, kwargs):
    _unknown_arguments(
        kwargs, ("domain", "fields", "offset", "limit", "order", "names")
    )
    guard.fields(model, kwargs.get("fields"))
    kwargs = _paging(guard, model, kwargs)
    kwargs["domain"] = _domain(guard, model, kwargs)
    each = kwargs.pop("names", None)
    return _told(guard, model, model.search_read(**kwargs), each)


def _told(guard, model, rows, each):
    """The rows of a read, as they may leave.

    :param each: how many names of linked records to tell of each list; None gives the
        rows alone
    """
    rows = without_bytes(model, rows)
    if each is None:
        return withhold_links_in(rows)
    _integer({"names": each}, "names", MAX_NAMES)
    names = names_of(guard, model, rows, each)
    return withhold_links_in({"rows": rows, "names": names})


def search_count(guard, model, ids, kwargs):
    _unknown_arguments(kwargs, ("domain", "limit"))
    _integer(kwargs, "limit", 1_000_000)
    return model.search_count(_domain(guard, model, kwargs), kwargs.get("limit"))


def read(guard, model, ids, kwargs):
    _unknown_arguments(kwargs, ("fields", "names"))
    guard.fields(model, kwargs.get("fields"))
    records = guard.records(model, ids)
    # Those that are gone are left out instead of failing the rest: the service
    # compares and says which. Records that exist and are hidden from this user
    # still raise Odoo's own error.
    rows = records.exists().read(kwargs["fields"])
    return _told(guard, model, rows, kwargs.get("names"))


def formatted_read_group(guard, model, ids, kwargs):
    _unknown_arguments(
        kwargs,
        ("domain", "groupby", "aggregates", "having", "offset", "limit", "order"),
    )
    groupby = kwargs.get("groupby") or []
    aggregates = kwargs.get("aggregates") or []
    guard.specs(model, groupby, "group by")
    guard.specs(model, aggregates, "measure")
    guard.having(kwargs.get("having") or [], aggregates)
    kwargs = _paging(guard, model, kwargs, (*groupby, *aggregates))
    kwargs["domain"] = _domain(guard, model, kwargs)
    return withhold_links_in(model.formatted_read_group(**kwargs))


def fields_get(guard, model, ids, kwargs):
    """Field metadata, less what is withheld, with the model's label and order."""
    _unknown_arguments(kwargs, ())
    model.check_access("read")
    fields = model.fields_get(attributes=FIELD_ATTRIBUTES)
    return {
        "label": guard.env["ir.model"]._display_name_for([model._name])[0][
            "display_name"
        ],
        "order": model._order,
        "fields": {
            name: attributes
            for name, attributes in fields.items()
            if not closed_fields.is_withheld(name)
        },
    }


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
    **{name: (function, False) for name, function in WRITES.items()},
    RUN: (run_tool, False),
    LOOK: (look_tool, True),
}

# Those that read and run somebody's code or query for it.
CODE = frozenset({LOOK, "run_sql", "get_report"})
# Those that may share a request to Odoo: short, and harmless to run again.
SHARED = ("search_read", "search_count", "read", "formatted_read_group")
# Those that tell what they would do.
TRIED = DRY | {"activity_schedule", "request_upload", RUN}


def models(guard, kwargs):
    """The models that this connection may use and its user may read.

    Not ``ir.model.get_available_models``: it knows neither the allow list nor the
    floor, and its answer has to be cut before it leaves Odoo.
    """
    _unknown_arguments(kwargs, ())
    IrModel = guard.env["ir.model"]
    names = [
        name
        for name in guard.env.registry
        if guard.may_use(name) and IrModel._is_valid_for_model_selector(name)
    ]
    rows = IrModel._display_name_for(names)
    for row in rows:
        model = guard.env[row["model"]]
        open_ = guard.may_write(model._name)
        is_file = inherited_models.is_file(guard.env, model._name)
        row["create"] = open_ and not is_file and model.has_access("create")
        row["write"] = open_ and model.has_access("write")
        row["unlink"] = open_ and model.has_access("unlink")
    return rows


def context(guard, kwargs):
    """Who this connection acts as, and in which companies."""
    _unknown_arguments(kwargs, ())
    user = guard.env.user
    companies = guard.env.companies
    return {
        "user": {
            "id": user.id,
            "name": user.name,
            "login": user.login,
            "email": user.email or "",
            "lang": user.lang or "en_US",
            "tz": user.tz or "UTC",
        },
        "company": {"id": guard.env.company.id, "name": guard.env.company.name},
        "companies": [
            {"id": c.id, "name": c.name, "currency": c.currency_id.name}
            for c in companies
        ],
        "languages": [code for code, _name in guard.env["res.lang"].get_installed()],
    }


# Requests without a model: what no public ORM method answers for a connection.
OPERATIONS = {
    "models": models,
    "context": context,
    "search_everywhere": search_everywhere,
    "run_sql": run_sql,
    "run_python": run_python,
}


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
        if method not in OPERATIONS:
            raise Refusal("not_allowed", f"There is no operation {method!r}.")
        return OPERATIONS[method](guard, kwargs)
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
        return method != "run_python"
    entry = METHODS.get(method) if isinstance(method, str) else None
    return entry is None or entry[1]
