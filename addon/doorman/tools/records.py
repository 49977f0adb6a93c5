"""Making, changing and deleting records."""

from ..policy import inherited_models, ledger
from ..policy.refusal import Refusal
from ..policy.shared import MAX_RECORDS
from ..policy.values import Values
from .arguments import only
from .changed_records import answer, check_may_change, records_to_change, settle


def create_records(guard, model, _ids, kwargs):
    """Make records of the rows in ``vals_list``: all of them, or none."""
    only(kwargs, "vals_list")
    check_may_change(guard, model)
    if inherited_models.is_file(guard.env, model._name):
        raise Refusal(
            "not_allowed",
            f"AI tools make no {model._name}: files are not sent here.",
        )
    rows = kwargs.get("vals_list")
    if not isinstance(rows, list) or not 1 <= len(rows) <= MAX_RECORDS:
        raise Refusal(
            "invalid_input",
            f"Send the values of 1 to {MAX_RECORDS} records.",
        )
    values = Values(guard)
    checked = [values.check(model, row) for row in rows]
    with ledger.asked(model.env, *checked):
        records = model.create(checked)
    settle(guard, records)
    return answer(guard, records)


def write_records(guard, model, ids, kwargs):
    """The same values on all records (``vals``), or values of its own for each
    (``vals_each``, in the order of the ids): all of it, or none."""
    only(kwargs, "vals", "vals_each")
    records = records_to_change(guard, model, ids)
    rows = _values_of(guard, records, kwargs)
    for some, vals in rows:
        with ledger.asked(model.env, vals):
            some.write(vals)
    settle(guard, records)
    return answer(guard, records)


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
    """Delete records. Its answer has no ``url``."""
    only(kwargs)
    records = records_to_change(guard, model, ids)
    found = answer(guard, records)
    with ledger.asked(model.env):
        records.unlink()
    settle(guard, model)
    del found["url"]  # leads nowhere any more
    return found
