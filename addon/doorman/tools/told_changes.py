"""What a change really changed, as replies and the audit tell it: from the ledger's
notes, never from what a method has returned."""

import datetime
from decimal import Decimal

from ..policy import field_values, in_force, looks, record_links, shared
from ..policy.in_force import name_of
from ..policy.ledger import DELETED, WRITTEN
from ..policy.plain_text import shortened
from .text_losses import of_changes

# Ids and fields of each changed model in a reply; records whose values are told, and
# letters of a text among these.
MAX_IDS, MAX_VALUED, MAX_LETTERS = 20, 10, 200
# Where a record stands. Told no matter who moved it.
STATUS = ("state", "stage_id", "payment_state", "invoice_status", "delivery_status")


def told(guard, changes):
    """What has changed, by model, for the reply: what was asked for first.

    :param changes: the ledger's
    :return: ``[{model, count, ids, fields, values, warnings, action, set_off}]``;
        ``values``: ``{id: {field: [old, new]}}`` of what was asked for, of what a form
        has filled in, and of where a record stands; ``warnings``: what was lost of
        texts
    """
    found, valued = [], 0
    for (model, kind, asked), some in _by_model(of_connection(guard, changes)):
        entry = {"model": model, "action": kind, "count": len(some)}
        if guard.may_use(model):
            entry["ids"] = [c.id for c in some][:MAX_IDS]
            names = dict.fromkeys(
                n for c in some for n in c.fields if looks.is_told(guard, model, n)
            )
            entry["fields"] = list(names)[:MAX_IDS]
            values = _values(guard, model, some[: MAX_VALUED - valued])
            valued += len(values)
            if values:
                entry["values"] = values
            if guard.rules is None and (lost := of_changes(guard.env, some)):
                entry["warnings"] = lost
        if not asked:
            entry["set_off"] = True
        found.append(entry)
    if len(found) > shared.MAX_CHANGED:
        left = found[shared.MAX_CHANGED - 1 :]
        found[shared.MAX_CHANGED - 1 :] = [
            {
                "model": f"({len(left)} more)",
                "action": "updated",
                "count": sum(entry["count"] for entry in left),
                "set_off": True,
            }
        ]
    return found


def text(changes):
    """The same for the audit: models and numbers."""
    return "; ".join(
        f"{model}: {len(some)} {kind}" + ("" if asked else " (set off)")
        for (model, kind, asked), some in _by_model(changes)
    )


def _by_model(changes):
    found = {}
    for change in sorted(changes, key=lambda c: not c.asked):
        key = change.model, change.kind, change.asked
        found.setdefault(key, []).append(change)
    return list(found.items())


def of_connection(guard, changes):
    """Those of some changes that a connection may hear of: not what Odoo's code has set
    off on records that are not there for it, or in fields that are closed. Whether
    these differ depends on what they held, so even their number would confirm a guess.

    :param changes: the ledger's
    :return: a list
    """
    if guard.rules is None:
        return list(changes)
    ids = {}
    for change in changes:
        if guard.rules.leaves_out(change.model):
            ids.setdefault(change.model, []).append(change.id)
    seen = {name: in_force.those_seen(guard.env, name, ids[name]) for name in ids}
    return [
        change
        for change in changes
        # Nobody can tell any more whether one that is gone was there.
        if change.asked
        or change.kind == DELETED
        or (
            change.id in seen.get(change.model, (change.id,))
            and _shows(guard.rules, change)
        )
    ]


def _shows(rules, change):
    """Whether a record that Odoo's code has changed differs in a field that is told."""
    names = change.fields if change.kind == WRITTEN else ()
    return not names or any(not rules.closed(change.model, n) for n in names)


def _values(guard, name, changes):
    """Old and new of the fields that were asked for, of those that a form has filled
    in, and of where records stand."""
    model, found = guard.env[name], {}
    for change in changes:
        row = {}
        for field, pair in change.values.items():
            if field not in (*change.asked_fields, *change.filled, *STATUS):
                continue
            known = model._fields[field]
            if looks.is_told(guard, name, field) and model._has_field_access(
                known, "read"
            ):
                row[field] = [_plain(guard, known, value) for value in pair]
        if row:
            found[str(change.id)] = row
    return found


def _plain(guard, field, value):
    """A value of the database, as a read would give it."""
    value = field_values.of_user(guard.env, field, value)
    if field.type == "boolean":
        return bool(value)
    if value is None or value is False:
        return None
    if field.type == "many2one":
        return _named(guard, field, value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, tuple):
        ids = list(value)
        if len(ids) > MAX_IDS:
            return {"ids": ids[:MAX_IDS], "count": len(ids)}
        return ids
    if closed := guard.rules and guard.rules.closed(field.model_name, field.name):
        return in_force.value_of(closed, value)
    if field.type == "html" and isinstance(value, str):
        value = record_links.text_of(guard, value)
    return shortened(value, MAX_LETTERS) if isinstance(value, str) else value


def _named(guard, field, ident):
    """A linked record, by its name where the connection may read that."""
    name = field.comodel_name
    if not guard.may_use(name) or name in guard.asks_to_read:
        return ident
    record = guard.env[name].browse(ident)._filtered_access("read")
    return {"id": ident, "name": name_of(record)[:100]} if record else ident
