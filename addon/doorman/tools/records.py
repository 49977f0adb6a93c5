"""Making, changing and deleting records."""

from ..policy import inherited_models, ledger
from ..policy.refusal import Refusal, _lt, at
from ..policy.shared import MAX_RECORDS
from ..policy.text_edits import is_edit
from ..policy.values import Values
from ..policy.writable_fields import check_kept
from . import stock_counts
from .arguments import only
from .batch import at_once
from .buttons import next_actions
from .changed_records import (
    answer,
    check_may_change,
    filled_in,
    records_to_change,
    settle,
)
from .onchanges import Filled
from .operations import operation
from .words import fields_within


def _rows_to_create(call):
    return [
        {"label": f"{number}.", "rows": call.describer.values(call.model, row)}
        for number, row in enumerate(call.kwargs["vals_list"], 1)
    ]


def _resolved_rows(call):
    rows = call.kwargs.get("vals_list")
    if not isinstance(rows, list):
        return call.kwargs
    checked = Values(call.guard).each([(call.model, row) for row in rows])
    return call.kwargs | {"vals_list": checked}


@operation(
    "create",
    tool="create_records",
    reads=False,
    dry_run=True,
    undoable=True,
    summary=lambda words, _call: words.env._("Create %s", words.what),
    resolve=_resolved_rows,
    arguments=_rows_to_create,
    creates=True,
)
def create_records(call):
    """Make records of the rows in ``vals_list``: all of them, or none."""
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "vals_list")
    check_may_change(guard, model)
    if inherited_models.is_file(guard.env, model._name):
        raise Refusal(
            "model_not_writable",
            _lt("AI tools cannot create a %(model)s.", model=model._name),
            _lt("Send the file with request_upload, which attaches it to a record."),
        )
    rows = kwargs.get("vals_list")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_RECORDS:
        raise Refusal(
            "malformed_values",
            _lt("Send the values of 1 to %(most)s records.", most=MAX_RECORDS),
        )
    checked = Values(guard).each([(model, row) for row in rows])
    places = [Values.place(number, model) for number in range(len(rows))]
    stock_counts.check_new(model, list(zip(places, checked, strict=True)))
    filled, whole = Filled(guard), []
    for place, row in zip(places, checked, strict=True):
        with at(place if len(rows) > 1 else ""):
            whole.append(filled.values(model, row))
    pairs = list(zip(checked, whole, strict=True))
    records = at_once(
        model.env,
        lambda: _make(model, pairs),
        [
            (place, lambda pair=pair: _make(model, [pair]))
            for place, pair in zip(places, pairs, strict=True)
        ],
    )
    if noted := ledger.of(model.env.cr):
        noted.made.update(records.ids)
    settle(guard, records)
    found = answer(guard, records) | filled_in(
        call, records, set.intersection(*map(set, checked)), filled.names
    )
    return found | filled.told() | next_actions(guard, records)


def _make(model, pairs):
    """:param pairs: the values that the caller gave, and all that the record gets"""
    # Odoo's own create may take values out of what it gets.
    given = [dict(row) for row, _whole in pairs]
    with ledger.asked(model.env, *given):
        made = model.create([dict(whole) for _row, whole in pairs])
    for record, row in zip(made, given, strict=False):
        check_kept(record, row)
    return made


def _change_summary(words, call):
    rows = call.kwargs.get("vals_each") or [call.kwargs["vals"]]
    names = dict.fromkeys(name for row in rows for name in row)
    labels = [call.describer.label(call.model, name) for name in names]
    return words.env._(
        "Change %(fields)s on %(what)s",
        fields=fields_within(words.env, labels),
        what=words.what,
    )


def _rows_to_write(call):
    values, each = call.describer.values, call.kwargs.get("vals_each")
    if not each:
        return values(call.model, call.kwargs["vals"])
    return [
        {"label": f"#{ident}", "rows": values(call.model, row)}
        for ident, row in zip(call.ids, each, strict=True)
    ]


def _resolved_values(call):
    records = records_to_change(call)
    rows = _values_of(call.guard, records, call.kwargs)
    if len(rows) == 1 and "vals_each" not in call.kwargs:
        return {"vals": rows[0][1]}
    return {"vals_each": [vals for _records, vals in rows]}


@operation(
    "write",
    tool="update_records",
    reads=False,
    dry_run=True,
    undoable=True,
    summary=_change_summary,
    resolve=_resolved_values,
    arguments=_rows_to_write,
)
def write_records(call):
    """The same values on all records (``vals``), or values of its own for each
    (``vals_each``, in the order of the ids): all of it, or none."""
    only(call.kwargs, "vals", "vals_each")
    guard = call.guard
    records = records_to_change(call, _names_in(call.kwargs))
    filled = Filled(guard)
    rows = [
        (some, vals, whole)
        for one, vals in _values_of(guard, records, call.kwargs)
        for some, whole in filled.each(one, vals)
    ]
    at_once(
        call.env,
        lambda: [_set(*row) for row in rows],
        [
            (Values.place(0, rec), lambda rec=rec, row=row: _set(rec, *row[1:]))
            for row in rows
            for rec in row[0]
        ],
    )
    settle(guard, records)
    return answer(guard, records) | filled.told()


def _names_in(kwargs):
    """The names that the values of a change have, which may be anything yet."""
    each = kwargs.get("vals_each")
    rows = [kwargs.get("vals"), *(each if isinstance(each, list) else ())]
    return {name for row in rows if isinstance(row, dict) for name in row}


def _set(records, vals, whole):
    """:param vals: the values that the caller gave; the records get the whole"""
    with ledger.asked(records.env, vals):
        records.write(dict(whole))
    check_kept(records, vals)


def _values_of(guard, records, kwargs):
    """:return: ``[(records, their values)]``, checked before any is written"""
    each, vals = kwargs.get("vals_each"), kwargs.get("vals")
    if each is None:
        if not vals:
            raise Refusal("values_missing", _lt("Specify the values to change."))
        if not _builds_on_own(records, vals):
            return [(records, Values(guard).check(records, vals))]
        # What a record keeps of its own differs from record to record.
        each, kwargs = [vals] * len(records), {}
    if "vals" in kwargs or not isinstance(each, list) or len(each) != len(records):
        raise Refusal(
            "values_missing",
            _lt("Either each record has its own values, or none has any."),
        )
    if not all(each):
        raise Refusal(
            "values_missing", _lt("Specify the values to change for each record.")
        )
    rows = list(zip(records, each, strict=True))
    checked = Values(guard).each(rows)
    return [(record, vals) for (record, _row), vals in zip(rows, checked, strict=True)]


def _builds_on_own(records, vals):
    """Whether some of the values change a part of what a record has: one of its
    properties, or a part of a text."""
    known = records._fields
    return isinstance(vals, dict) and any(
        name in known
        and (known[name].type == "properties" or is_edit(known[name], value))
        for name, value in vals.items()
    )


@operation(
    "unlink",
    tool="delete_records",
    reads=False,
    dry_run=True,
    summary=lambda words, _call: words.env._("Permanently delete %s", words.what),
    deletes=True,
)
def unlink_records(call):
    """Delete records. Its answer has no ``url``."""
    only(call.kwargs)
    records = records_to_change(call)
    found = answer(call.guard, records)
    at_once(
        call.env,
        lambda: _drop(records),
        [(Values.place(0, rec), lambda rec=rec: _drop(rec)) for rec in records],
    )
    settle(call.guard, call.model)
    del found["url"]  # leads nowhere any more
    return found


def _drop(records):
    with ledger.asked(records.env):
        records.unlink()
