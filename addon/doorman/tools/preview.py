"""What a call would change, or has changed, told from the ledger's notes: records
before and after.

    run ── look (after) ── undone ── tell (before)
"""

from dataclasses import dataclass, field

from ..policy import closed_fields
from ..policy.in_force import name_of
from ..policy.ledger import CREATED, DELETED
from .describe import Shown

MAX_FIELDS = 30
# Records that are told of one by one; of what is beyond, the number.
MAX_TOLD, MAX_SET_OFF = 100, 50


@dataclass
class Tried:
    """What a call did, looked at before it is undone."""

    # The ledger's changes, the caller's own model first.
    changes: list
    # (model, id) -> field -> value, of what there is afterwards
    after: dict = field(default_factory=dict)
    # (model, id) -> what a record that was made is called
    names: dict = field(default_factory=dict)
    # The tools that it took.
    tools: set = field(default_factory=set)
    # How many records it made that are not lines of others: the first of the changes.
    made: int = 0
    # What leaves the company (policy/outward_notes.py).
    outward: list = field(default_factory=list)
    # What an undo leaves as it is.
    stays: list = field(default_factory=list)
    # What it does something to without changing a value: (model, id, name)
    announced: list = field(default_factory=list)


def look(call, noted):
    """Read what a call has left, before it is undone.

    :param noted: its Ledger, closed
    :return: Tried
    """
    changes, own = noted.changes(), model_of(call)._name
    changes.sort(key=lambda c: (not c.asked, c.model != own, c.id not in noted.made))
    asked = [c for c in changes if c.asked][:MAX_TOLD]
    others = [c for c in changes if not c.asked][:MAX_SET_OFF]
    tried = Tried(changes, tools=noted.tools, made=len(noted.made))
    tried.after, tried.names = _read(call, [*asked, *others], DELETED)
    tried.outward = noted.outward.entries()
    tried.stays = noted.stays
    for change in noted.announced[:MAX_TOLD]:
        record = call.env[change.model].browse(change.id or ())
        for one in record.exists()._filtered_access("read"):
            tried.announced.append((change.model, one.id, name_of(one)))
    return tried


def model_of(call):
    """The empty recordset of a call's model; for one that names none, what all models
    share."""
    return call.env["base"] if call.model is None else call.model


def tell(call, tried):
    """What a call would change. It is undone: what is read now is as it was before.

    :return: ``[{id, name, before, after, more_fields, model, set_off}]``, without what
        there is not; ``model`` where it is another one
    """
    told = [c for c in tried.changes if (c.model, c.id) in tried.after]
    gone = [c for c in tried.changes if c.kind == DELETED][:MAX_TOLD]
    before, called = _read(call, [*told, *gone], CREATED)
    own, found = model_of(call)._name, []
    for change in tried.changes:
        key = change.model, change.id
        if key not in before and key not in tried.after:
            continue
        row = change_of(
            0 if change.kind == CREATED else change.id,
            called.get(key) or tried.names.get(key, ""),
            before.get(key),
            tried.after.get(key),
            change.asked_fields,
        )
        if change.model != own:
            row["model"] = change.model
        if not change.asked:
            row["set_off"] = True
        found.append(row)
    return found


def _read(call, changes, without):
    """Read the records of some changes, those that the user may read.

    :param without: the kind of change that leaves nothing to read
    :return: ``{(model, id): {field: value}}`` and ``{(model, id): name}``
    """
    rows, called, by_model = {}, {}, {}
    for change in changes:
        if change.kind != without:
            by_model.setdefault(change.model, []).append(change)
    for name, some in by_model.items():
        model = call.env[name]
        # A person who decides is shown all that their requester may read.
        told = call.describer or call.guard.may_use(name)
        if not told or not model.has_access("read"):
            continue
        readable = model.browse([c.id for c in some])._filtered_access("read")
        by_fields = {}
        for change in some:
            if change.id in readable._ids:
                by_fields.setdefault(_names(model, change), []).append(change.id)
        for names, ids in by_fields.items():
            records = model.browse(ids)
            found = read_shown(call, records, list(names)) if names else {}
            rows.update({(name, i): found.get(i, {}) for i in ids})
            called.update({(name, r.id): name_of(r) for r in records})
    return rows, called


def _names(model, change):
    """The fields to show of a change."""
    if change.kind in (CREATED, DELETED) or not change.fields:
        return tuple(shown_fields(model, change.asked_fields))
    known = model.fields_get(change.fields, attributes=["type"])
    return tuple(
        name
        for name in change.fields
        if name in known
        and known[name]["type"] != "binary"
        and not closed_fields.is_withheld(name)
    )


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


def read_shown(call, records, names):
    """The values as they are now: as texts too, where a person is to read them. Later
    the records that they name may be gone.

    :return: ``{id: {field: value}}``
    """
    records.invalidate_recordset()
    rows = {row.pop("id"): row for row in records.read(names)}
    if call.describer:
        for record in records:
            row = rows[record.id]
            for name in row:
                row[name] = call.describer.shown(record, name, row[name])
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
