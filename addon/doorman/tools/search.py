"""Reading records and what is known of a model: what they hold, how many there are, and
which fields it has."""

from odoo.exceptions import UserError
from odoo.service.model import PG_CONCURRENCY_EXCEPTIONS_TO_RETRY

from ..policy import closed_fields, looks, odoo_words, record_links
from ..policy.change_scope import forget
from ..policy.redact_links import withhold_links_in
from . import row_counts
from .arguments import number, only
from .counted_pages import counted_page
from .default_fields import default_fields
from .linked_names import MAX_NAMES, names_of, without_bytes
from .nearest_names import nearest_names
from .operations import METADATA_SCOPE, operation

# The order of groups that their values must not tell.
COUNTED = "__count desc"
MAX_ROWS, MAX_COUNTED, MAX_WHY = 10_000, 100_000, 200
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


def _paging(guard, model, kwargs, known=()):
    """Check limit, offset and order. Without a limit Odoo would read a whole table."""
    limit = number(kwargs, "limit", MAX_ROWS, MAX_ROWS, minimum=0)
    number(kwargs, "offset", 0, 10_000_000, minimum=0)
    if kwargs.get("order") and not _is_own(model, kwargs["order"]):
        # The model's own order is Odoo's business, wherever it leads.
        guard.order(model, kwargs["order"], (*known, *own_order(model)))
        looks.check_sorted(guard, model, kwargs["order"])
    elif looks.sorts_by_closed(guard, model, known or own_order(model)):
        kwargs = kwargs | {"order": COUNTED if known else "id"}
    return dict(kwargs, limit=limit or MAX_ROWS)


def _is_own(model, order):
    """Whether an order says no more than the model's own, with the id at its end."""
    if not isinstance(order, str):
        return False
    terms = [" ".join(term.split()) for term in order.split(",")]
    own = [" ".join(term.split()) for term in model._order.split(",")]
    return terms in (own, [*own, "id"])


def own_order(model):
    """:return: the terms of a model's own order"""
    return [term.split()[0] for term in model._order.split(",")]


def _domain(guard, model, kwargs):
    return _owned(guard, model, guard.domain(model, kwargs.get("domain") or []))


def _owned(guard, model, domain):
    owner = guard.owner_domain(model)
    return owner + domain if owner else domain


@operation(
    "search_read",
    tool="search_records",
    reads=True,
    shares=True,
    leaves_out=True,
    rows=row_counts.read,
)
def search_read(call):
    """:return: the rows that match; ``{rows, names, unreadable, more, most}`` if names
    are asked for, some fields cannot be read, or there are more rows
    """
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "domain", "fields", "offset", "limit", "order", "names", "count")
    guard.fields(model, kwargs.get("fields"))
    kwargs = _paging(guard, model, kwargs)
    limit = kwargs["limit"]
    kwargs["limit"], _give = call.page(limit)
    asked = guard.domain(model, kwargs.get("domain") or [])
    kwargs["domain"] = _owned(guard, model, asked)
    each = kwargs.pop("names", None)
    most = number(kwargs, "count", None, MAX_COUNTED, minimum=0)
    kwargs.pop("count", None)
    total = unreadable = None
    if not call.careful:
        rows, total = counted_page(model, kwargs, most)
    else:
        domain, names = kwargs["domain"], kwargs["fields"]
        where = {key: kwargs[key] for key in kwargs if key not in ("domain", "fields")}
        rows, unreadable = _careful(call, model.search(domain, **where), names)
        if most and len(rows) == kwargs["limit"]:
            total = model.search_count(domain, most)
    near = None
    if not rows and kwargs["limit"] and not kwargs.get("offset"):
        near = nearest_names(guard, model, asked)
        if sum(len(one["records"]) for one in near) > call.at_most(MAX_ROWS):
            near = None
    rows, more = call.cut(rows, limit)
    return _told(guard, model, rows, each, unreadable, total, near, more)


def _told(guard, model, rows, each, unreadable=None, total=None, near=None, more=None):
    """The rows of a read, as they may leave.

    :param each: how many names of linked records to tell of each list; None tells none
    :param dict unreadable: why a field is left out, by name
    :param total: how many records match in all, if they were counted
    :param list near: the names that are near to one that finds nothing
    :param dict more: that there are more rows, and why they are not there
    """
    found = {"rows": record_links.rows_told(guard, model, without_bytes(model, rows))}
    if each is not None:
        number({"names": each}, "names", 0, MAX_NAMES, minimum=0)
        found["names"] = names_of(guard, model, rows, each)
    if unreadable:
        found["unreadable"] = unreadable
    if total is not None:
        found["total"] = total
    if near:
        found["nearest"] = near
    found |= more or {}
    return withhold_links_in(found if len(found) > 1 else found["rows"])


def _careful(call, records, names):
    """Read field by field, and leave out those that fail: one of them must not hide
    the others.

    :return: the rows, and why a field is left out, by name
    :raise AccessError: if the records themselves may not be read
    """
    rows = {row["id"]: row for row in records.read(["id"])}
    unreadable = {}
    for name in names:
        # What another field has left in the cache must not decide.
        forget(call.env)
        try:
            with call.env.cr.savepoint(flush=False), odoo_words.held(call.env):
                values = records.read([name])
        except PG_CONCURRENCY_EXCEPTIONS_TO_RETRY:
            raise
        except Exception as exc:  # noqa: BLE001 whatever a field's own code may raise
            unreadable[name] = _why(exc)
            continue
        for row in values:
            rows[row["id"]][name] = row[name]
    return list(rows.values()), unreadable


def _why(exc):
    """Why a field cannot be read, in words for the caller."""
    if isinstance(exc, UserError):
        # The first line may only name the field.
        lines = [line for line in str(exc).splitlines() if line.strip()]
        return " ".join(lines[:2])[:MAX_WHY]
    return "Odoo fails to work it out."


@operation(
    "search_count", tool="search_records", reads=True, shares=True, rows=row_counts.one
)
def search_count(call):
    """:return: how many records match, counted up to ``limit``"""
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "domain", "limit")
    limit = number(kwargs, "limit", None, 1_000_000, minimum=0)
    return model.search_count(_domain(guard, model, kwargs), limit)


@operation(
    "read",
    tool="read_records",
    reads=True,
    shares=True,
    leaves_out=True,
    rows=row_counts.read,
)
def read(call):
    """:return: the rows of these records, as of ``search_read``"""
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "fields", "names")
    guard.fields(model, kwargs.get("fields"))
    records = guard.records(model, call.ids)
    # Those that are gone are left out instead of failing the rest: the service
    # compares and says which. Records that exist and are hidden from this user
    # still raise Odoo's own error.
    records, names = records.exists(), kwargs["fields"]
    each = kwargs.get("names")
    if not call.careful:
        return _told(guard, model, records.read(names), each)
    rows, unreadable = _careful(call, records, names)
    return _told(guard, model, rows, each, unreadable)


@operation(
    "fields_get",
    tool="describe_model",
    reads=True,
    scope=METADATA_SCOPE,
    rows=row_counts.none,
)
def fields_get(call):
    """Field metadata, less what is withheld, with the model's label and order, and the
    fields to read where none are named; in ``closed``, why others are not read."""
    only(call.kwargs)
    model = call.model
    model.check_access("read")
    fields, closed = {}, {}
    for name, told in model.fields_get(attributes=FIELD_ATTRIBUTES).items():
        if closed_fields.is_withheld(name):
            continue
        if why := looks.closed(call.guard, model, model._fields[name]):
            closed[name] = why
        else:
            fields[name] = looks.described(call.guard, model, model._fields[name], told)
    return {
        "label": call.env["ir.model"]._display_name_for([model._name])[0][
            "display_name"
        ],
        "order": model._order,
        "default": default_fields(model, fields),
        "fields": fields,
    } | ({"closed": closed} if closed else {})
