"""What a form fills in when some of its values change.

Odoo's forms run onchange methods, and save what these have filled in; its create and
write run none. A change of a connection does what the same change by hand would do:

the caller's values ── the form, unsaved: each value, with its onchange methods ── what
differs besides, of the fields that a save sends ── less what the connection may not
write ── one write with all of it

The caller's own values stay as they are, and count as asked for; what is filled in,
Odoo has set off. A model without onchange methods costs one look-up.

A form also works a default out anew where what it depends on is filled in; create keeps
it. So a new record with such a default goes through a form, too.
"""

import logging

from psycopg2 import OperationalError

from odoo.exceptions import AccessError, UserError
from odoo.fields import Command
from odoo.tools import OrderedSet

from ..policy import in_force, ledger, odoo_words
from ..policy.field_values import NUMBERS
from ..policy.form_state import FormState
from ..policy.plain_text import shortened
from ..policy.refusal import Refusal, _lt, at, in_language
from ..policy.value_place import CREATE, UPDATE
from ..policy.values import Values
from ..policy.writable_fields import check
from . import form_lines

_logger = logging.getLogger(__name__)

LISTS = ("one2many", "many2many")
MAX_WORDS = 500
# Of a list that nothing has looked at, as _rows gives it.
NO_ROWS = ((), {})


class Filled:
    """What forms fill in, in one call.

    :param guard: the rules of the connection
    """

    def __init__(self, guard):
        self.guard = guard
        self.names = OrderedSet()
        # What it would fill in, and the connection may not write.
        self.closed = OrderedSet()
        self.heard = OrderedSet()
        self.failed = False
        # Whether an onchange method runs: what it refuses, it refuses a person, too.
        self.speaks = False

    def applies(self, model, vals):
        """Whether some of the values of a record, or of its lines, make a form fill in
        others."""
        methods = model._onchange_methods
        return any(
            name in methods or self._in_lines(model._fields[name], value)
            for name, value in vals.items()
        )

    def outdated(self, records, vals):
        """The fields of a new record whose default a form would not keep: Odoo works
        them out from what is given, and its create would leave them at the default. A
        meeting's end is an hour from now, whenever it starts."""
        if records:
            return []
        return [
            name
            for name, sources in records._doorman_defaults().items()
            if name not in vals and not sources.isdisjoint(vals)
        ]

    def _in_lines(self, field, value):
        if field.type != "one2many" or not isinstance(value, list):
            return False
        comodel = self.guard.env[field.comodel_name]
        return any(
            command[0] in (CREATE, UPDATE) and self.applies(comodel, command[2])
            for command in value
        )

    def each(self, records, vals):
        """:return: ``[(records, values)]``: those that get the same, together"""
        if not self.applies(records, vals):
            return [(records, vals)]
        found = []
        for record in records:
            with at(Values.place(0, record) if len(records) > 1 else ""):
                found.append((record, self.values(record, vals)))
        return found

    def values(self, records, vals):
        """:param records: one that gets the values; an empty recordset for a new one
        :param dict vals: the caller's, checked
        :return: these, and what the form fills in besides
        """
        outdated = self.outdated(records, vals)
        if not outdated and not self.applies(records, vals):
            return vals
        model = records.browse()
        nodes = records.env["ir.ui.view"]._doorman_form(records._name).by_name
        known = model.fields_get(list(nodes), ["type"])
        nodes = {name: node for name, node in nodes.items() if name in known}
        try:
            with in_force.code(records.env.cr), records.env.cr.savepoint(flush=False):
                draft = _Draft(self, _unsaved(records, nodes), nodes)
                given, found = draft.fill(vals, outdated)
        except OperationalError:
            raise  # Odoo tries again
        except Exception as exc:
            if (
                self.speaks
                and isinstance(exc, UserError)
                and not isinstance(exc, AccessError)
            ):
                raise  # a person would be told the same
            # Made for a screen, and no reason to refuse what needs none.
            _logger.warning("onchange of %s failed", records, exc_info=True)
            self.failed, self.speaks = True, False
            return vals
        kept = self.permitted(records, found)
        self.names.update(kept)
        if noted := ledger.of(records.env.cr):
            noted.filled(records._name, records._ids, kept)
            for name, value in kept.items():
                if model._fields[name].type == "one2many":
                    for code, ident, vals in value:
                        if code == UPDATE:
                            comodel = model._fields[name].comodel_name
                            noted.filled(comodel, (ident,), vals)
        return given | kept

    def permitted(self, records, found):
        """What of it the connection may write."""
        kept = {}
        for name, value in found.items():
            try:
                field = check(self.guard, records, name)
                if field.type in (*LISTS, "many2one", "reference"):
                    value = self._of_lines(field, value)
                    known = Values(self.guard, sent=False)
                    value = known.check(records, {name: value})[name]
            except (Refusal, AccessError):
                self.closed.add(name)
            else:
                kept[name] = value
        return kept

    def in_line(self, line, found):
        """The same, in a line that the caller gives."""
        kept = self.permitted(line._origin, found)
        if noted := ledger.of(line.env.cr):
            noted.beside.update((line._name, name) for name in kept)
            noted.filled(line._name, line._origin._ids, kept)
        return kept

    def _of_lines(self, field, value):
        """Commands, without the columns that the connection may not write."""
        if field.type != "one2many":
            return value
        comodel, found = self.guard.env[field.comodel_name], []
        for command in value:
            if command[0] in (CREATE, UPDATE):
                vals = {k: v for k, v in command[2].items() if self._may(comodel, k)}
                if command[0] == UPDATE and not vals:
                    continue
                command = [command[0], command[1], vals]
            found.append(command)
        return found

    def _may(self, comodel, name):
        try:
            return check(self.guard, comodel, name, True).type != "html"
        except Refusal:
            self.closed.add(name)
            return False

    def told(self):
        """:return: ``{warnings}``: what a person would have been told, and what was
        left out; or nothing"""
        env = self.guard.env
        words = [
            shortened(
                ": ".join(odoo_words.told(env, s) for s in (title, text)), MAX_WORDS
            )
            for title, text, _kind in self.heard
        ]
        if self.closed:
            names = ", ".join(self.closed)
            words.append(in_language(_lt("Not filled in, as a form would: %s", names)))
        if self.failed:
            words.append(in_language(_lt("A form would fill in more, but failed.")))
        return {"warnings": words} if words else {}


def _unsaved(records, nodes):
    """A record as a form has it, with what is stored of it, if anything is."""
    if not records:
        # All at once: one by one Odoo would take ten times as long.
        return records.new(records.default_get(list(nodes)))
    # What Odoo has worked out would be worked out anew, for a record that is new.
    names = [
        name
        for name, field in records._fields.items()
        if field.store and field.compute and field.readonly
    ]
    return records.new({name: records[name] for name in names}, origin=records)


class _Draft:
    """A record in a form, before it is saved.

    :param Filled filled: what forms fill in, in this call
    :param record: a new one, with the stored one as its origin
    :param dict nodes: the fields of the form, by name
    """

    def __init__(self, filled, record, nodes):
        self.filled, self.record, self.nodes = filled, record, nodes
        self.result = {"warnings": filled.heard}
        fields = record._fields
        self.names = [n for n in nodes if fields[n].store or fields[n].inverse]

    def fill(self, vals, outdated=()):
        """:param outdated: names of fields whose default may not stay
        :return: the caller's values, with what is filled in of their lines; and what
        is filled in besides
        """
        record, methods, found = (
            self.record,
            self.record._onchange_methods,
            OrderedSet(),
        )
        given = {name: self._with_lines(name, value) for name, value in vals.items()}
        if outdated:
            self._now()  # what is worked out from the defaults
        start = {name: record[name] for name in outdated if name in self.nodes}
        for name, value in given.items():
            record[name] = value
            if name in methods and not self._is_as_before(name):
                found.update(self._follow(name))
        for name, value in given.items():
            if record._fields[name].type not in LISTS:
                record[name] = value
        found.update(name for name, value in start.items() if record[name] != value)
        return given, self._sent([name for name in found if name not in vals])

    def _is_as_before(self, name):
        record, field = self.record, self.record._fields[name]
        if not record._origin or field.type in LISTS:
            return False
        return form_lines.is_stored(record, field)

    def _follow(self, name):
        """Run the onchange methods of a field, and of those that these change.

        :return: names of the fields that have changed
        """
        record, found, done = self.record, OrderedSet(), set()
        names = [name]
        if not record._origin:
            self._now()  # what is worked out changes what was read before it
        before = self._now()
        while names:
            for one in names:
                self.filled.speaks = True
                record._apply_onchange_methods(one, self.result)
                self.filled.speaks = False
                done.add(one)
            after = self._now()
            changed = [n for n in after if self._has_changed(n, before, after)]
            found.update(changed)
            names = [
                n for n in changed if n in record._onchange_methods and n not in done
            ]
        return found

    def _has_changed(self, name, before, after):
        if name in before:
            return before[name] != after[name]
        field = self.record._fields[name]
        if field.type in LISTS:
            return after[name] != NO_ROWS
        return not form_lines.is_stored(self.record, field)

    def _now(self):
        """What the fields hold that anything has looked at: the others are as they
        were. Of a record to be made, nothing is stored to hold them against."""
        record, found = self.record, {}
        for name in self.names:
            field = record._fields[name]
            is_list = field.type in LISTS
            if record.id in field._get_cache(record.env):
                found[name] = self._rows(name) if is_list else record[name]
            elif not record._origin and not is_list:
                found[name] = record[name]
        return found

    def _rows(self, name):
        lines, known = self.record[name], {}
        for column in self.nodes[name].columns:
            field = lines._fields.get(column.name)
            if field is None or not (field.store or field.inverse):
                continue
            cache = field._get_cache(lines.env)
            for line in lines:
                if line.id in cache:
                    known[line.id, column.name] = line[column.name]
        return lines._ids, known

    def _sent(self, names):
        """What a save sends of some fields, without what is as it was."""
        record, state, found = self.record, FormState(self.record), {}
        for name in names:
            field, node = record._fields[name], self.nodes[name]
            if not state.is_sent(node) or self._asks_for(field):
                continue
            if field.type == "one2many":
                if value := self._commands(name):
                    found[name] = value
            elif not record._origin or not form_lines.is_stored(record, field):
                found[name] = form_lines.to_send(record, field)
        return found

    def _asks_for(self, field):
        """Whether a form would not be saved before a person has filled a field in
        anew. Then it stays as it is."""
        empty = not self.record[field.name]
        return field.required and empty and field.type not in (*NUMBERS, "boolean")

    def _commands(self, name):
        record = self.record
        lines = record[name]
        gone = record._origin[name] - lines._origin
        shown = form_lines.columns(record, self.nodes[name])
        return [
            *(form_lines.plain(Command.delete(line.id)) for line in gone),
            *form_lines.commands(lines, shown),
        ]

    # ---- the lines that the caller gives ----

    def _with_lines(self, name, value):
        field, node = self.record._fields[name], self.nodes.get(name)
        if field.type != "one2many" or not node or not isinstance(value, list):
            return value
        env = self.record.env
        comodel = env[field.comodel_name]
        shown = {c.name: c for c in form_lines.columns(self.record, node)}
        before, found = self.record[name], []
        for command in value:
            code, ident, vals = (*command, 0, 0)[:3]
            methods = comodel._onchange_methods
            if code in (CREATE, UPDATE) and any(key in methods for key in vals):
                origin = comodel.browse(ident if code == UPDATE else ())
                line = _unsaved(origin, shown)
                if field.inverse_name:
                    line[field.inverse_name] = self.record
                given, besides = _Draft(self.filled, line, shown).fill(vals)
                self.record[name] = before
                command = [code, ident, given | self.filled.in_line(line, besides)]
            found.append(command)
        return found
