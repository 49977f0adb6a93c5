"""What a change really does, noted where it happens.

    the caller ── create, write, unlink ──┬── overrides ── Odoo's core ── the database
                                          │                   │
                                          │      x2many commands, inverses, parents
                                          └── whatever else code does: set off

While a connection's change runs, ``base`` (models/extensions/base.py) and Odoo's fields
(patches.py) tell the ledger on the cursor of each record that is made, changed or
deleted. Nothing is predicted from the text of a request, so there is no way around it
but SQL of Odoo's own (docs/ledger.md names it).

Each entry is either **asked for**: the caller's own values, wherever Odoo's core takes
them (lines, parents by ``_inherits``, related and inverse fields); or **set off**: what
code did with values of its own, columns that were computed, rows that went along.

Regions tell the two apart. Odoo's core and the fields open one for each step in which
values are handed on, code that makes values of its own opens one in which all is set
off. A call counts as asked for if the innermost region is the caller's and nothing but
overrides of that very call stand in between: that is read from the frames, since an
override of ``base`` cannot see what is above it. (Wrapping the classes of the registry
would be gone as soon as an automation rule is edited: base_automation restores them.)
"""

import os
import sys
from contextlib import contextmanager, nullcontext
from typing import NamedTuple

import odoo.orm
from odoo.models import BaseModel
from odoo.tools import SQL

from . import stored
from .cascades import cascades_of
from .ledger_rows import (
    CREATED,
    DELETED,
    WRITTEN,
    Change,
    Row,
    counts,
    differing,
    differing_columns,
    is_column,
)
from .outward_notes import Notes
from .technical_models import is_technical

ATTRIBUTE = "doorman_ledger"
CALLER, CORE, VALUES, INVERSE, CODE = "caller", "core", "values", "inverse", "code"
CRUD = ("create", "write", "unlink")
# Whose frames may stand between an override and what it overrides: Odoo's core, and the
# places of ours that hand a call on.
ADDON = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
PASSED = (
    os.path.dirname(odoo.orm.__file__) + os.sep,
    *(f"{ADDON}{room}{os.sep}" for room in ("policy", "tools", "gateway")),
    os.path.join(ADDON, "patches.py"),
    os.path.join(ADDON, "models", "extensions", "base.py"),
)
COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")


class Region(NamedTuple):
    """A stretch of the call: from its frame down, until the next one."""

    kind: str
    frame: object = None
    model: str = ""
    # The fields whose values are the caller's; None: all that come through here.
    names: frozenset | None = frozenset()


# Of code that makes values of its own: all is set off, wherever it is called from.
SET_OFF = Region(CODE)
NOTHING = nullcontext()


def of(cr):
    """:return: the ledger of the change that runs on a cursor, or None"""
    return getattr(cr, ATTRIBUTE, None)


def code(cr):
    """The time in which Odoo's code works with values of its own."""
    ledger = of(cr)
    return NOTHING if ledger is None else ledger.region(SET_OFF)


@contextmanager
def noting(env):
    """Note what is done on this cursor, until the end of the block.

    :param env: of the connection's user
    :return: the Ledger
    """
    cr = env.cr
    outer = of(cr)
    ledger = Ledger(env)
    setattr(cr, ATTRIBUTE, ledger)
    try:
        yield ledger
    finally:
        if outer is None:
            delattr(cr, ATTRIBUTE)
        else:
            setattr(cr, ATTRIBUTE, outer)


@contextmanager
def asked(env, *rows):
    """The time in which the caller's own values are handed to Odoo.

    :param rows: the values: dicts by field name
    """
    ledger = of(env.cr)
    if ledger is None:
        yield
        return
    names = frozenset(name for row in rows for name in row)
    # Two frames up: this generator, and contextlib's own.
    with ledger.region(Region(CALLER, sys._getframe(2), names=names)):
        yield


class Ledger:
    """The notes of one change. See the module."""

    def __init__(self, env):
        self.env = env
        self.regions = []
        self.rows = {}
        # (model, id) -> the same of columns that may be written, as they were
        self.seen = {}
        # (relation table, its columns) -> the pairs before, of the rows looked at
        self.links = {}
        # Made and deleted by the same call: never there for anybody else.
        self.vanished = set()
        # The tools that the call took, and the models that it named, step by step.
        self.tools = set()
        self.models = set()
        # What forms have filled in of lines that the caller gives: (model, field)
        self.beside = set()
        # Ids of the records that the call itself makes, not as a line of another one.
        self.made = set()
        # What a tool does besides, and no record's value shows, such as a message: it
        # counts for the rules by which a person decides.
        self.announced = []
        # The numbers that it drew from sequences: they are used up.
        self.numbers = []
        # What an undo leaves as it is (policy/undo_values.py), if it is one.
        self.stays = []
        self.outward = Notes(env)
        self._changes = None

    def row(self, model, ident):
        key = (model, ident)
        found = self.rows.get(key)
        if found is None:
            found = self.rows[key] = Row()
        return found

    @contextmanager
    def region(self, region):
        self.regions.append(region)
        try:
            yield
        finally:
            self.regions.pop()

    # ---- asked for, or set off ----

    def askeds(self, frame, records, method, names):
        """Which of the values of a call are the caller's.

        :param frame: of the override that asks
        :param records: what is written, or the model that makes some
        :param str method: create, write or unlink
        :param names: of the fields in its values
        :return: a frozenset of names, or None if the whole call is set off
        """
        top = self.regions[-1] if self.regions else None
        if top is None or top.kind == CODE:
            return None
        # From core on, only what a record is a part of gets its values.
        if top.kind == CORE and records._name not in self.env[top.model]._inherits:
            return None
        if not self._only_overrides(frame, top, records, method):
            return None
        names = frozenset(names)
        return names if top.names is None else names & top.names

    def _only_overrides(self, frame, top, records, method):
        seen = set()
        while frame is not top.frame:
            if frame is None:
                return False
            code = frame.f_code
            path, name = code.co_filename, code.co_name
            if path.startswith(PASSED) or name in COMPREHENSIONS:
                pass
            elif name in CRUD:
                # Twice the same code: it has called itself, with other values.
                if name != method or code in seen or not _is_of(frame, records):
                    return False
                seen.add(code)
            elif top.kind != INVERSE:
                # An inverse is code that hands on the caller's value, and may do so
                # in steps.
                return False
            frame = frame.f_back
        return True

    def hands_on(self, records, name):
        """Whether a field of some records passes the caller's value on."""
        top = self.regions[-1] if self.regions else None
        return (
            top is not None
            and top.kind == CORE
            and top.model == records._name
            and (top.names is None or name in top.names)
        )

    def values_region(self, frame, field, records_commands):
        """The region of a one2many or many2many that works off its commands."""
        if not self.hands_on(records_commands[0][0], field.name):
            return SET_OFF
        names = {getattr(field, "inverse_name", None) or ""}
        for _records, commands in records_commands:
            for command in commands if isinstance(commands, list | tuple) else ():
                if isinstance(command, list | tuple) and command[0] in (0, 1):
                    names.update(command[2])
        names -= {name for model, name in self.beside if model == field.comodel_name}
        return Region(VALUES, frame, names=frozenset(names))

    def inverse_region(self, frame, field, records):
        """The region of a field's inverse, which hands the field's value on."""
        shared = (
            name
            for name, other in records._fields.items()
            if other.inverse == field.inverse
        )
        if not any(self.hands_on(records, name) for name in (field.name, *shared)):
            return SET_OFF
        names = frozenset([field.related_field.name]) if field.related else None
        return Region(INVERSE, frame, names=names)

    # ---- what happens ----

    def created(self, records, names):
        """:param names: as ``askeds`` gave them"""
        self.outward.created(records)
        for ident in records._ids:
            row = self.row(records._name, ident)
            row.kind, row.asked = CREATED, names is not None
            row.names.update(names or ())

    def filled(self, model, ids, names):
        """Note fields that a form fills in: handed on with the caller's values, and set
        off."""
        for ident in ids:
            if ident and names:
                self.row(model, ident).filled.update(names)

    def asked_to_write(self, records, names):
        for ident in records._ids:
            if ident:
                self.row(records._name, ident).names.update(names)

    def existing(self, records, names):
        """Which of some records exist. The same look sees what is in columns that they
        are to be given.

        :param names: of fields, or of what the caller takes for fields
        :return: a set of ids
        """
        model = records.browse()
        names = sorted(n for n in set(names) if counts(n) and is_column(model, n))
        return self._see(model, names, records._ids)

    def _see(self, model, names, ids):
        """Look at columns. What is known already stays: it was there before.

        :return: the ids that exist, as a set
        """
        found = self._select(model._table, names, ids)
        for ident, *values in found:
            seen = self.seen.setdefault((model._name, ident), {})
            for name, value in zip(names, values, strict=True):
                seen.setdefault(name, value)
        return {row[0] for row in found}

    def columns(self, records, vals_list):
        """Note columns that are about to be written: what is in them now."""
        self.outward.written(records, vals_list)
        unseen, noted = {}, []
        for record, vals in zip(records, vals_list, strict=True):
            row = self.row(records._name, record.id)
            if row.kind == CREATED:
                continue
            names = sorted(n for n in vals if n not in row.before and counts(n))
            noted.append((row, names, record.id))
            seen = self.seen.get((records._name, record.id), ())
            if unknown := tuple(n for n in names if n not in seen):
                unseen.setdefault(unknown, []).append(record.id)
        for names, ids in unseen.items():
            self._see(records, names, ids)
        for row, names, ident in noted:
            seen = self.seen.get((records._name, ident), {})
            row.before.update({name: seen[name] for name in names if name in seen})

    def linked(self, field, records, new=False):
        """Note the rows of a many2many that are about to change.

        :param bool new: the records were just made, and have none yet
        """
        relation = (field.relation, field.column1, field.column2)
        pairs = self.links.setdefault(relation, ({}, field))[0]
        ids = [i for i in records._ids if i and i not in pairs]
        pairs.update({i: set() for i in ids})
        if ids and not new:
            for _relation, one, other in stored.pairs(self.env.cr, {relation: ids}):
                pairs[one].add(other)

    def deleting(self, records, asked):
        """Note records that are about to be deleted, and what goes along."""
        self._gone(records._name, records._ids, asked=asked)
        if records._name == "ir.attachment" and not asked:
            # Once they are gone nobody knows any more that they were a field's own.
            for ident, name in self._select(
                records._table, ("res_field",), list(records._ids)
            ):
                if name and (row := self.rows.get(("ir.attachment", ident))):
                    row.technical = True
        self._follow(records._table, list(records._ids))

    def _gone(self, model, ids, asked=False, cascaded=False):
        self.outward.gone(model, ids)
        for ident in ids:
            known = self.rows.get((model, ident))
            if known is not None and known.kind == CREATED:
                self.vanished.add((model, ident))
                continue
            row = self.row(model, ident)
            if row.kind != DELETED:
                row.kind = DELETED
                row.asked, row.cascaded = asked, cascaded

    def _follow(self, table, ids):
        """The rows that the database deletes or empties with others."""
        below = cascades_of(self.env).get(table, ())
        if not below or not ids:
            return
        parts = [
            SQL(
                "SELECT %s::int, %s FROM %s WHERE %s = ANY(%s)",
                number,
                SQL.identifier(link.other or "id"),
                SQL.identifier(link.table),
                SQL.identifier(link.column),
                ids,
            )
            for number, link in enumerate(below)
        ]
        self.env.cr.execute(SQL(" UNION ALL ").join(parts))
        found = {}
        # Not as PostgreSQL keeps them: a change of a hidden value moves a row.
        for number, ident in sorted(self.env.cr.fetchall()):
            found.setdefault(below[number], []).append(ident)
        for link, others in found.items():
            if link.other:
                # Rows of a many2many: whatever shows them from the other side.
                fields = self._fields_of(link.table, link.other, link.column)
                for model, name in fields:
                    self._emptied(model, others, name)
            elif link.how == "n":
                self._emptied(link.model, others, link.column)
            else:
                fresh = [i for i in others if not self._is_gone(link.model, i)]
                self._gone(link.model, fresh, cascaded=True)
                self._follow(link.table, fresh)

    def _emptied(self, model, ids, name):
        for ident in ids:
            self.row(model, ident).before.setdefault(name, True)

    def _is_gone(self, model, ident):
        known = self.rows.get((model, ident))
        return known is not None and known.kind == DELETED

    # ---- what differs in the end ----

    def close(self):
        """Look at what there is by now. Everything has been flushed before."""
        links = {relation: list(pairs) for relation, (pairs, _f) in self.links.items()}
        pairs, there = stored.look(self.env.cr, links, *self._to_find())
        self._settle_links(pairs)
        for key in self.vanished:
            self.rows.pop(key, None)
        by_model = {}
        for (model, ident), row in self.rows.items():
            by_model.setdefault(model, []).append((ident, row))
        by_model = {
            self.env[name]: rows
            for name, rows in by_model.items()
            if not self.env[name]._abstract
        }
        for model, rows in by_model.items():
            self._settle(model, rows)
        self._settle_existence(by_model, there)
        self._changes = self._compare()
        self.outward.close(self._changes, self.versions())

    def _settle(self, model, rows):
        columns = {}
        for ident, row in rows:
            if row.kind == WRITTEN and row.before:
                stored = [n for n in row.before if is_column(model, n)]
                if stored:
                    columns.setdefault(tuple(sorted(stored)), {})[ident] = row
        for names, wanted in columns.items():
            for ident, *values in self._select(model._table, names, list(wanted)):
                wanted[ident].after.update(zip(names, values, strict=True))

    def _to_find(self):
        """:return: the records that were made or deleted, as ``{table: ids}``; and the
        tables of those that were made"""
        wanted, made = {}, set()
        for key, row in self.rows.items():
            model = self.env[key[0]]
            if row.kind == WRITTEN or model._abstract or key in self.vanished:
                continue
            wanted.setdefault(model._table, []).append(key[1])
            if row.kind == CREATED:
                made.add(model._table)
        return wanted, made

    def _settle_existence(self, by_model, there):
        """Code may have undone a part of its work by itself."""
        for model, rows in by_model.items():
            for ident, row in rows:
                exists = (model._table, ident) in there
                if row.kind != WRITTEN and exists != (row.kind == CREATED):
                    del self.rows[model._name, ident]
                elif row.kind == CREATED:
                    row.version = there[model._table, ident]

    def _settle_links(self, pairs):
        after = {}
        for relation, one, other in pairs:
            after.setdefault((relation, one), set()).add(other)
        for relation, (before, shown) in self.links.items():
            table, column1, column2 = relation
            for ident, old in before.items():
                new = after.get((relation, ident), set())
                if old == new:
                    continue
                row = self.row(shown.model_name, ident)
                row.before.setdefault(shown.name, tuple(sorted(old)))
                row.after[shown.name] = tuple(sorted(new))
                mine = shown.name in row.names
                for model, name in self._fields_of(table, column2, column1):
                    for other in old ^ new:
                        row = self.row(model, other)
                        row.before.setdefault(name, True)
                        if mine:
                            row.linked.add(name)

    def _fields_of(self, table, column1, column2):
        """The fields that show a many2many's table from one of its sides."""
        return self.env.registry.many2many_relations.get((table, column1, column2), ())

    def changes(self):
        """:return: a list of Change: what differs, once the ledger is closed, without
        what is technical"""
        return list(self._changes)

    def _compare(self):
        found = []
        # Code may have dropped the value of a field that has no column.
        real = any(
            row.kind != WRITTEN or differing_columns(row) for row in self.rows.values()
        )
        for (model, ident), row in self.rows.items():
            if row.technical or is_technical(self.env, model, ident, row.kind):
                continue
            names = differing(self.env[model], row, real)
            if row.kind == WRITTEN and not names:
                continue
            mine = tuple(n for n in names if n in row.names or n in row.linked)
            wanted = row.asked or bool(mine)
            values = {n: (row.before[n], row.after[n]) for n in names if n in row.after}
            found.append(
                Change(
                    *(model, ident, row.kind, names, mine, wanted, row.cascaded),
                    values,
                    tuple(n for n in names if n in row.filled),
                )
            )
        return found

    def versions(self):
        """:return: ``{(model, id): version}`` of the records that were made and are
        there, as the change left them"""
        return {k: row.version for k, row in self.rows.items() if row.kind == CREATED}

    def announce(self, records):
        """Note records that a tool does something to without changing a value."""
        self.announced += [
            Change(records._name, ident, WRITTEN, (), (), True, False)
            for ident in records._ids or (0,)
        ]

    def asked_for(self):
        """What the caller asked for, whether it differs from what was there or not.

        :return: a set of ``(model, kind)``
        """
        found = set()
        for (model, _ident), row in self.rows.items():
            if row.asked:
                found.add((model, row.kind))
            elif row.names:
                found.add((model, WRITTEN))
        return found

    def asked_rows(self):
        """The records that the caller asked for, with the fields that it gave values
        to: ``(model, id, kind, names)``."""
        return [
            (model, ident, row.kind, frozenset(row.names))
            for (model, ident), row in self.rows.items()
            if row.asked or row.names
        ]

    # ---- reading past Odoo's caches ----

    def _select(self, table, names, ids):
        return stored.columns(self.env.cr, table, names, ids)


def _is_of(frame, records):
    """Whether a frame is of a method of the same records, of more of them, or of what
    they are a part of."""
    code = frame.f_code
    if not code.co_argcount:
        return False
    owner = frame.f_locals.get(code.co_varnames[0])
    if not isinstance(owner, BaseModel):
        return False
    if records._name in owner._inherits:
        return True
    return owner._name == records._name and set(records._ids) <= set(owner._ids)
