"""The requests that change something: records, a public method, a message.

Each answers ``{ids, names, url}``, and for a dry run what would change.
"""

from markupsafe import Markup, escape

from odoo.exceptions import MissingError

from ..policy import closed_fields, closed_models, inherited_models
from ..policy.closed_methods import BUSINESS_PRIMITIVES
from ..policy.refusal import Refusal
from ..policy.values import Values
from .describe import Shown
from .methods import check_method, summary

MAX_FIELDS = 30
MAX_BODY = 20_000
KINDS = {"note": "mail.mt_note", "comment": "mail.mt_comment"}


def _only(kwargs, *known):
    for name in kwargs:
        if name not in known:
            raise Refusal("invalid_input", f"Unknown argument {name!r}.")


def _writable(guard, model):
    if not guard.may_write(model._name):
        raise Refusal(
            "not_allowed",
            f"AI tools may not change {model._name}.",
            "Tell the person you work for what should be changed.",
        )
    if model._abstract:
        raise Refusal("unknown_model", f"There are no records of {model._name}.")


def records_to_change(guard, model, ids):
    """:return: the records to change, all of which exist"""
    _writable(guard, model)
    records = guard.records(model, ids, write=True)
    if len(set(ids)) != len(ids) or len(ids) > closed_models.MAX_RECORDS:
        raise Refusal(
            "invalid_input",
            f"Name each record once, and at most {closed_models.MAX_RECORDS} of them.",
        )
    gone = records - records.exists()
    if gone:
        raise MissingError(
            f"There is no {model._name} with the id {', '.join(map(str, gone.ids))}."
        )
    return records


def settle(guard, records):
    """Everything that the change sets off, while it can still be undone; and once more
    the rule for records that hang on others, by where they hang now."""
    guard.env.cr.flush()
    if records and closed_models.FOLLOWERS.get(records._name):
        guard.records(records, records.ids, write=True)


def url_of(env, model, ident=None):
    """The address of a record, or of the first part of those of a model's records."""
    base = env["ir.config_parameter"].sudo().get_param("web.base.url") or ""
    part = model if "." in model else f"m-{model}"
    return f"{base.rstrip('/')}/odoo/{part}/{ident or ''}"


def answer(guard, records):
    """What was changed: ids, and names if they can be had. The change is done: what
    fails from here on must not turn it into an error."""
    found = {
        "ids": records.ids,
        "url": url_of(guard.env, records._name),
    }
    try:
        with guard.env.cr.savepoint(flush=False):
            found["names"] = [str(record.display_name or "") for record in records]
    except Exception:  # noqa: BLE001 see above; a broken transaction raises again
        guard.env.cr.execute("SELECT 1")
    return found


# ---- before and after ----


def _shown(model, first=()):
    """The fields that tell what a record holds: stored, and short enough to show."""
    fields = model.fields_get(attributes=["type", "store"])
    names = [
        name
        for name, attributes in fields.items()
        if name in first
        or (
            attributes["store"]
            and attributes["type"] not in ("binary", "one2many", "many2many", "json")
            and name not in closed_fields.MAGIC_FIELDS
        )
    ]
    return [name for name in names if not closed_fields.is_withheld(name)]


def _read(guard, records, names):
    """The values as they are now: as texts too, where a person is to read them. Later
    the records that they name may be gone."""
    records.invalidate_recordset()
    rows = {row.pop("id"): row for row in records.read(names)}
    if guard.describer:
        for record in records:
            row = rows[record.id]
            for name in row:
                row[name] = guard.describer.shown(record, name, row[name])
    return rows


def _change(record_id, name, before, after, first):
    """One record before and after: the fields that differ, the named ones first."""
    if before is None or after is None:
        names = [n for n, v in (after or before).items() if not _is_empty(v)]
    else:
        names = [n for n in after if after[n] != before.get(n)]
    names.sort(key=lambda n: n not in first)
    change = {"id": record_id, "name": name}
    # What was asked for is told whole, however much it is.
    shown = max(MAX_FIELDS, sum(n in first for n in names))
    if len(names) > shown:
        change["more_fields"] = len(names) - shown
        names = names[:shown]
    for side, row in (("before", before), ("after", after)):
        if row is not None:
            change[side] = {n: row[n] for n in names}
    return change


def _is_empty(value):
    return (value.raw if isinstance(value, Shown) else value) in (False, [], "")


def named(records):
    """What a method or a message is for: it is not tried out."""
    return {"changes": [{"id": r.id, "name": _name_of(r)} for r in records]}


def _name_of(record):
    return str(record.display_name or "")


# ---- create, write, unlink ----


def create_records(guard, model, _ids, kwargs):
    _only(kwargs, "vals_list")
    _writable(guard, model)
    if inherited_models.is_file(guard.env, model._name):
        raise Refusal(
            "not_allowed",
            f"AI tools make no {model._name}: files are not sent here.",
        )
    rows = kwargs.get("vals_list")
    if not isinstance(rows, list) or not 1 <= len(rows) <= closed_models.MAX_RECORDS:
        raise Refusal(
            "invalid_input",
            f"Send the values of 1 to {closed_models.MAX_RECORDS} records.",
        )
    values = Values(guard)
    records = model.create([values.check(model, row) for row in rows])
    settle(guard, records)
    if not guard.dry_run:
        return answer(guard, records)
    first = {name for row in rows for name in row}
    after = _read(guard, records, _shown(model, first))
    # Their ids are given back: other records will get them.
    return {
        "changes": [
            _change(0, _name_of(record), None, after[record.id], first)
            for record in records
        ]
    }


def write_records(guard, model, ids, kwargs):
    """The same values on all records (``vals``), or values of its own for each
    (``vals_each``, in the order of the ids): all of it, or none."""
    _only(kwargs, "vals", "vals_each")
    records = records_to_change(guard, model, ids)
    rows = _values_of(guard, records, kwargs)
    before = None
    if guard.dry_run:
        first = {name for _some, vals in rows for name in vals}
        names = _shown(model, first)
        before = _read(guard, records, names)
        # By the name it has: what is renamed would pass for another one.
        called = {r.id: _name_of(r) for r in records}
    for some, vals in rows:
        some.write(vals)
    settle(guard, records)
    if before is None:
        return answer(guard, records)
    after = _read(guard, records, names)
    own = {r.id: vals for some, vals in rows for r in some}
    return {
        "changes": [
            _change(r.id, called[r.id], before[r.id], after[r.id], own[r.id])
            for r in records
        ]
    }


def _values_of(guard, records, kwargs):
    """:return: ``[(records, their values)]``, checked before any is written"""
    each, values = kwargs.get("vals_each"), Values(guard)
    if each is None:
        if not kwargs.get("vals"):
            raise Refusal("invalid_input", "Name the values to change.")
        return [(records, values.check(records.browse(), kwargs["vals"]))]
    if "vals" in kwargs or not isinstance(each, list) or len(each) != len(records):
        raise Refusal("invalid_input", "Each record has values of its own, or none.")
    if not all(each):
        raise Refusal("invalid_input", "Name the values to change, for each record.")
    return [
        (record, values.check(records.browse(), row))
        for record, row in zip(records, each, strict=True)
    ]


def unlink_records(guard, model, ids, kwargs):
    _only(kwargs)
    records = records_to_change(guard, model, ids)
    if guard.dry_run:
        before = _read(guard, records, _shown(model))
        changes = [_change(r.id, _name_of(r), before[r.id], None, ()) for r in records]
    found = answer(guard, records)
    records.unlink()
    settle(guard, model)
    if guard.dry_run:
        return {"changes": changes}
    del found["url"]  # leads nowhere any more
    return found


# ---- public methods, messages ----


def call_method(guard, model, ids, kwargs):
    """Run a public business method: what a button does."""
    _only(kwargs, "method", "kwargs")
    _writable(guard, model)
    if model._name in closed_models.WRITE_FIELDS:
        raise Refusal("not_allowed", f"AI tools call no method of {model._name}.")
    name, arguments = kwargs.get("method"), kwargs.get("kwargs") or {}
    method = check_method(guard, model, name, arguments)
    if getattr(method, "_api_model", False):
        if ids:
            raise Refusal("invalid_input", f"{name} works on no records: name no ids.")
        records = model
        model.check_access("read")
    else:
        records = records_to_change(guard, model, ids)
        records.check_access("read")
    if name in BUSINESS_PRIMITIVES:
        records.check_access("write")
    if guard.dry_run:
        return named(records)
    result = method(records, **arguments)
    settle(guard, records.exists())
    found = answer(guard, records.exists())
    return found | summary(guard, result)


def message_post(guard, model, ids, kwargs):
    """Say something on a record, in the user's own name."""
    _only(kwargs, "body", "kind", "partner_ids")
    body, kind = kwargs.get("body"), kwargs.get("kind") or "note"
    if not isinstance(body, str) or not body.strip() or len(body) > MAX_BODY:
        raise Refusal("invalid_input", f"The body is text of 1 to {MAX_BODY} letters.")
    if kind not in KINDS:
        raise Refusal("invalid_input", 'The kind is "note" or "comment".')
    record = records_to_change(guard, model, ids)
    if len(record) != 1 or not isinstance(record, guard.env.registry["mail.thread"]):
        raise Refusal(
            "invalid_input", f"Messages are for one record, and {model._name} has none."
        )
    partners = kwargs.get("partner_ids") or []
    if partners:
        partners = guard.records(guard.model("res.partner"), partners)
        partners.check_access("read")
        partners = partners.ids
    if guard.dry_run:
        return named(record)
    text = Markup("<br/>").join(escape(line) for line in body.splitlines())
    message = record.message_post(
        body=text,
        message_type="comment",
        subtype_xmlid=KINDS[kind],
        partner_ids=partners,
    )
    message_id = message.id
    settle(guard, record)
    return answer(guard, record) | {"message_id": message_id}


# method -> function
WRITES = {
    "create": create_records,
    "write": write_records,
    "unlink": unlink_records,
    "call_method": call_method,
    "message_post": message_post,
}
# Those that tell what they would do. What a method does outside of the database, such
# as asking another system, could not be undone.
DRY = frozenset({"create", "write", "unlink"})
