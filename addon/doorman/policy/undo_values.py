"""What is kept of a change so that it can be undone, and what undoing it would write.

the ledger ── of ── kept as JSON (gateway/doorman_undo.py)
kept ── has it changed since? ── the old values, in the form that is written ──
        what is still not as it was before: told, never passed over
"""

import datetime
import json
from decimal import Decimal

from . import closed_fields, stored
from .ledger import CREATED, DELETED, WRITTEN
from .technical_models import TECHNICAL_MODELS

# Of one change. What is beyond is not kept, and so not undone.
MAX_ROWS, MAX_LETTERS, MAX_NAMED = 2_000, 1_000_000, 20
NUMBERS = ("integer", "float", "monetary")
# Where a document stands: once it has moved on, its values mean something else.
STATE = "state"
# Of what leaves the company: who got what. What it said is not kept.
OUTWARD = ("kind", "to", "more_to", "subject", "about")
# Rows that have done their work even if they are gone by now.
SENT = frozenset({"mail.mail", "sms.sms", "snailmail.letter"})


def of(noted, undoable):
    """:param noted: the Ledger of a change, closed
    :param bool undoable: whether what its tool does can be undone at all
    :return: what is kept of it: ``rows``, ``never`` (why it is not undone at all) and
        ``stays`` (what an undo leaves), as JSON knows it
    """
    env, changes = noted.env, noted.changes()
    deleted = sorted({c.model for c in changes if c.kind == DELETED})
    never = [] if undoable else [{"kind": "tool", "tools": sorted(noted.tools)}]
    never += [{"kind": "deleted", "model": model} for model in deleted]
    if not any(change.asked for change in changes):
        never.append({"kind": "code"})
    if len(changes) > MAX_ROWS:
        never.append({"kind": "too_large"})
    kept = {"rows": [], "never": never, "stays": []}
    if never:
        return kept
    versions, states = noted.versions(), _states(env, changes)
    kept["rows"] = [_row(env, change, versions, states) for change in changes]
    kept["stays"] = [
        *({"kind": "outward"} | _of_outward(one) for one in noted.outward.entries()),
        *({"kind": "number", "number": str(n)} for n in noted.numbers[:MAX_NAMED]),
        *(
            {"kind": "value", "model": change.model, "id": change.id, "field": name}
            for change in changes
            for name in _lost(env, change)
        ),
    ]
    if len(json.dumps(kept)) > MAX_LETTERS:
        kept = {"rows": [], "never": [{"kind": "too_large"}], "stays": []}
    return kept


def _of_outward(entry):
    return {"what": {name: entry[name] for name in OUTWARD if name in entry}}


def _states(env, changes):
    """Of the documents that the caller has changed: ``{(model, id): state}``."""
    asked, found = {}, {}
    for change in changes:
        field = env[change.model]._fields.get(STATE)
        if change.kind == WRITTEN and change.asked and field and field.store:
            asked.setdefault(change.model, []).append(change.id)
    for name, ids in asked.items():
        rows = stored.columns(env.cr, env[name]._table, [STATE], ids)
        found.update({(name, ident): plain(state) for ident, state in rows})
    return found


def _row(env, change, versions, states):
    row = {
        "model": change.model,
        "id": change.id,
        "kind": change.kind,
        "asked": change.asked or bool(change.filled),
    }
    if change.kind == CREATED:
        return row | {"version": versions.get((change.model, change.id))}
    model = env[change.model]
    names = [name for name in change.values if _is_kept(model, name)]
    # What a form has filled in goes back with what it was filled in for.
    asked = [n for n in names if n in (*change.asked_fields, *change.filled)]
    key = (change.model, change.id)
    if key in states:
        row["state"] = states[key]
    worked_out = [n for n in names if n not in asked and _may_be_typed(model, n)]
    if row["asked"] and worked_out:
        row["worked_out"] = {n: plain(change.values[n][1]) for n in worked_out}
    return row | {
        "before": {name: plain(change.values[name][0]) for name in names},
        "after": {name: plain(change.values[name][1]) for name in asked},
    }


def _is_kept(model, name):
    """A credential is kept nowhere but where it is; bytes are not kept twice."""
    return not closed_fields.is_withheld(name) and model._fields[name].type != "binary"


def _may_be_typed(model, name):
    """Whether Odoo works a value out, and a person may change it. It does not always
    come back with what it was worked out from: a salesperson that a contact was given
    with its company stays when the company goes."""
    field = model._fields[name]
    return bool(field.compute and field.store and not field.readonly)


def _lost(env, change):
    """The fields that differ and whose old values are not kept."""
    if change.kind != WRITTEN:
        return []
    model = env[change.model]
    return [name for name in change.fields if not _is_kept(model, name)]


def plain(value):
    """A value of the database, as JSON keeps it."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.date):
        return value.isoformat()
    return list(value) if isinstance(value, tuple) else value


# ---- as the change left it? ----


def changed_since(env, row):
    """:return: what of a kept row is no longer as the change left it: names of fields;
    ``["id"]`` if the record is gone, or not the row that was made
    """
    model = env[row["model"]]
    if row["kind"] == CREATED:
        now = stored.versions(env.cr, model._table, [row["id"]]).get(row["id"])
        return [] if now and now == row["version"] else ["id"]
    wanted = row["after"]
    if STATE in row and STATE in model._fields:
        wanted = wanted | {STATE: row[STATE]}
    return _differing(model, row["id"], wanted)


def still_worked_out(env, row):
    """:return: the values that Odoo worked out with the change, which a person might
    have typed and nobody has changed since: ``{name: value}``"""
    values = row.get("worked_out") or {}
    differing = _differing(env[row["model"]], row["id"], values)
    return {name: value for name, value in values.items() if name not in differing}


def not_as_before(env, row):
    """:return: names of the fields of a kept row that are not as they were before the
    change. A time that only says when something happened is none: it has."""
    model = env[row["model"]]
    wanted = {
        name: value
        for name, value in row["before"].items()
        if name in row["after"] or model._fields[name].type != "datetime"
    }
    return _differing(model, row["id"], wanted)


def _differing(model, ident, wanted):
    if not wanted:
        return []
    now = stored.values(model, ident, list(wanted))
    if now is None:
        return ["id"]
    return [
        name
        for name, value in wanted.items()
        if not _same(model, model._fields[name], value, plain(now[name]))
    ]


def _same(model, field, one, other):
    if field.translate or field.company_dependent:
        keys = {*(one or {}), *(other or {})}
        return all(
            (_part(model, field, one, key) or False)
            == (_part(model, field, other, key) or False)
            for key in keys
        )
    if field.type in NUMBERS or field.type == "boolean":
        return (one or 0) == (other or 0)
    return one == other


def _part(model, field, value, key):
    """What a column holds for a language or a company."""
    value = value or {}
    if key in value or field.translate:
        return value.get(key, value.get("en_US"))
    fallback = field.get_company_dependent_fallback(model.with_company(int(key)))
    return field.convert_to_write(fallback, model)


# ---- what an undo writes ----


def to_write(env, row, after=None):
    """The old values of a kept row, in the form in which a connection sends values.

    :param dict after: the new values whose old ones are wanted; those that the caller
        and the form gave unless it is given
    :return: ``[(context, values)]``: of translated values, and those that each company
        has its own of, each in its own context
    """
    model, found = env[row["model"]], {}
    for name, new in (row["after"] if after is None else after).items():
        field = model._fields[name]
        for key, value in _parts(model, field, row["before"][name], new):
            found.setdefault(key, {})[name] = False if value is None else value
    return [(_context(key), vals) for key, vals in found.items()]


def _parts(model, field, before, after):
    if field.type == "many2many":
        old, new = set(before or ()), set(after or ())
        yield (
            "",
            [[4, i, 0] for i in sorted(old - new)]
            + [[3, i, 0] for i in sorted(new - old)],
        )
    elif field.translate or field.company_dependent:
        # English first: Odoo takes it for the other languages, where they have none.
        # Odoo keeps translations that wait to be looked at, too, by names of its own.
        known = {code for code, _name in model.env["res.lang"].get_installed()}
        keys = {
            key
            for key in (*(before or {}), *(after or {}))
            if field.company_dependent or key in known or key == "en_US"
        }
        for key in sorted(keys, key=lambda k: (k != "en_US", k)):
            old = _part(model, field, before, key)
            if old != _part(model, field, after, key):
                yield key, old
    else:
        yield "", before


def _context(key):
    if not key:
        return {}
    return {"company": int(key)} if key.isdecimal() else {"lang": key}


def taken_along(noted, rows):
    """Records that an undo has deleted and the change had not made: they came since.

    :param noted: the Ledger of the undo
    :return: ``(model, id)`` of each
    """
    made = {(row["model"], row["id"]) for row in rows if row["kind"] == CREATED}
    return [
        key
        for key, row in noted.rows.items()
        if row.kind == DELETED
        and key not in made
        and not row.technical
        and key[0] not in TECHNICAL_MODELS
    ]
