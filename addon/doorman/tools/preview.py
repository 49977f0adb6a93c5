"""What would change, told by a dry run: records before and after."""

from ..policy import closed_fields
from .describe import Shown

MAX_FIELDS = 30


def shown_fields(model, first=()):
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


def read_shown(guard, records, names):
    """The values as they are now: as texts too, where a person is to read them. Later
    the records that they name may be gone.

    :return: ``{id: {field: value}}``
    """
    records.invalidate_recordset()
    rows = {row.pop("id"): row for row in records.read(names)}
    if guard.describer:
        for record in records:
            row = rows[record.id]
            for name in row:
                row[name] = guard.describer.shown(record, name, row[name])
    return rows


def change_of(record_id, name, before, after, first):
    """One record before and after: the fields that differ, the named ones first.

    :param dict before: field -> value, or None for a record that is made
    :param dict after: the same, or None for one that is deleted
    :param first: names of the fields that were asked for, all of which are told
    :return: ``{id, name, before, after, more_fields}``, without what there is not
    """
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
    return {"changes": [{"id": r.id, "name": name_of(r)} for r in records]}


def name_of(record):
    """What a record is called, as text."""
    return str(record.display_name or "")
