"""The form of a wizard, filled in as Odoo's web client does it: nothing is saved until
one of its buttons is pressed.

opened ── defaults, onchanges ── each value, with what follows from it ── the values
once more ── saved, without what the form makes read-only ── a button (press.py)
"""

from contextlib import suppress

from odoo.fields import Command
from odoo.tools import OrderedSet

from odoo.addons.web.models.models import RecordSnapshot

from ..policy import closed_fields, in_force
from ..policy.context_keys import CONTEXT_KEYS
from ..policy.form_state import FormState
from ..policy.form_view import ALWAYS
from ..policy.refusal import Refusal, _lt
from ..policy.suggestions import near_hint
from ..policy.values import Values
from . import form_lines, wizard_words

MAX_ROWS = 100


class Form:
    """:param guard: the rules of the connection
    :param opened: Opened (opened.py)
    """

    def __init__(self, guard, opened):
        self.guard = guard
        self.opened = opened
        env = guard.env
        ours = {k: v for k, v in env.context.items() if k in CONTEXT_KEYS}
        # The whole context that it was opened with, and what holds for this call.
        # pylint: disable-next=context-overridden
        model = env[opened.model].with_context({**opened.context, **ours})
        self.model = model
        view_id = opened.view_id or _by_name(env, opened.context)
        self.view = env["ir.ui.view"]._doorman_form(opened.model, view_id)
        known = model.fields_get(list(self.view.by_name), ["type"])
        self.fields = {n: f for n, f in self.view.by_name.items() if n in known}
        self.spec = {name: self._spec(name, node) for name, node in self.fields.items()}
        self.warnings = OrderedSet()
        self.given = {}
        # Defaults and onchanges are Odoo's own code.
        with in_force.code(env.cr):
            self.record = self._start()
        self.state = FormState(self.record)

    def _spec(self, name, node):
        columns = self.columns(name, node)
        return {"fields": {column.name: {} for column in columns}} if columns else {}

    def columns(self, name, node):
        """The columns that a form shows of a field's records."""
        return form_lines.columns(self.model, node)

    # ---- as it opens ----

    def _start(self):
        if self.opened.res_id:
            made = self.model.browse(self.opened.res_id).exists()
            if not made:
                raise Refusal(
                    "wizard_gone",
                    _lt(
                        "This wizard no longer exists: Odoo removes them after a while."
                    ),
                    _lt("Press the button that opens it again."),
                )
            made.check_access("write")
            return self.model.new(origin=made)
        self.model.check_access("create")
        record = self.model.new(self.model.default_get(list(self.fields)))
        record.modified(list(record._fields))
        self._settle(record, list(self.fields))
        return record

    def _settle(self, record, names):
        """What follows from a change of fields: their onchange methods, and those of
        the fields that these change (web/models/models.py, onchange)."""
        with in_force.code(record.env.cr):
            self._apply(record, names)

    def _apply(self, record, names):
        before = RecordSnapshot(record, self.spec)
        result, done = {"warnings": self.warnings}, set()
        while names:
            for name in names:
                record._apply_onchange_methods(name, result)
                done.add(name)
            names = [n for n in self.spec if n not in done and before.has_changed(n)]

    # ---- what it tells ----

    def describe(self):
        """:return: ``{model, values, fields, methods}``, plain JSON; ``text`` and
        ``warnings`` where there are some
        """
        return wizard_words.describe(self)

    def is_shown(self, node):
        """Whether a person may see a field now, in one of its places."""
        return any(self.state.shows(place) is not False for place in node.places)

    def is_open(self, node):
        """Whether a person may fill in a field now."""
        return any(
            self.state.shows(place) is not False and not self.state.is_readonly(place)
            for place in node.places
        )

    def is_required(self, node):
        if any(
            p.required in ALWAYS or self.state.holds(p.required) for p in node.places
        ):
            return True
        return not node.required and self.model._fields[node.name].required

    # ---- filling it in ----

    def fill(self, values):
        """Fill in fields, each with what follows from it.

        :param dict values: by field name, in any of the usual shapes; of records in a
            list of the form, objects in their order, or with the ``row`` they are for
        :raise Refusal: if a value does not fit its field, or a person could not give it
        """
        if not isinstance(values, dict):
            raise Refusal(
                "malformed_values",
                _lt("The values must be an object that maps fields to values."),
            )
        left = dict(values)
        for name in left:
            self._check_name(name)
        while left:
            # One value may open the field of another.
            ready = [name for name in left if self.is_open(self.fields[name])]
            if not ready:
                name = next(iter(left))
                raise Refusal(
                    "field_not_open",
                    _lt(
                        "%(field)s of this wizard cannot be filled in now: its form "
                        "hides it, or only shows it.",
                        field=name,
                    ),
                    _lt(
                        "Available: %(choices)s.", choices=", ".join(self._open_names())
                    ),
                )
            for name in ready:
                self._give(name, left.pop(name))
        for name, value in self.given.items():
            # What followed from another value must not win over one that was given.
            self._set(name, value)
        self.state.forget()

    def _check_name(self, name):
        if name not in self.fields or closed_fields.is_withheld(name):
            names = self._open_names()
            raise Refusal(
                "unknown_field",
                _lt("This wizard has no field %(field)r.", field=str(name)[:80]),
                near_hint(name, names)
                or _lt("Available: %(choices)s.", choices=", ".join(names)),
            )

    def _open_names(self):
        return [
            name
            for name, node in self.fields.items()
            if self.is_open(node) and not closed_fields.is_withheld(name)
        ]

    def _give(self, name, value):
        node, field = self.fields[name], self.model._fields[name]
        if field.type == "one2many":
            value = self._rows(node, field, value)
        else:
            # An amount may name the currency that the wizard is in by now.
            of = self.record if field.type == "monetary" else self.model
            known = Values(self.guard, held=self.record)
            value = known.check(of, {name: value})[name]
        self._set(name, value)
        if field.type == "one2many":
            self._settle_rows(value)
        self._settle(self.record, [name])
        self.given[name] = value
        self.state.forget()

    def _set(self, name, value):
        if self.model._fields[name].type != "one2many":
            self.record[name] = value
            return
        for line, vals in value:
            for key, one in vals.items():
                line[key] = one

    def _settle_rows(self, rows):
        """What follows from the values of rows, within each."""
        with in_force.code(self.record.env.cr):
            for line, vals in rows:
                for name in vals:
                    line._apply_onchange_methods(name, {"warnings": self.warnings})

    def _rows(self, node, field, value):
        """Rows of a list, by their place in it.

        :return: ``[(line, its values)]``; a new line is in the list already
        """
        columns = {c.name: c for c in self.columns(node.name, node)}
        lines = self.record[node.name]
        if not isinstance(value, list) or not all(isinstance(v, dict) for v in value):
            raise Refusal(
                "wrong_value",
                _lt(
                    "%(field)s must be a list of objects, one for each of its rows.",
                    field=node.name,
                ),
                _lt('Specify the row to change: [{"row": 0, ...}].'),
            )
        found = []
        for number, given in enumerate(value):
            given = dict(given)
            row = given.pop("row", number)
            if type(row) is not int or not 0 <= row < max(MAX_ROWS, len(lines)):
                raise Refusal(
                    "unknown_row",
                    _lt(
                        "%(field)s has no row %(row)s.",
                        field=node.name,
                        row=str(row)[:40],
                    ),
                )
            state = FormState(lines[row]) if row < len(lines) else None
            for key in given:
                column = columns.get(key)
                if column is None or (state and state.is_readonly(column)):
                    open_ = [k for k, c in columns.items() if c.readonly not in ALWAYS]
                    raise Refusal(
                        "field_not_open",
                        _lt(
                            "%(field)s has no column %(column)r to fill in.",
                            field=node.name,
                            column=str(key)[:60],
                        ),
                        _lt("Available: %(choices)s.", choices=", ".join(open_)),
                    )
            comodel = self.model.env[field.comodel_name]
            line = self._line(node, lines, row)
            found.append((line, self._checked(line, comodel, given)))
        return found

    def _checked(self, line, comodel, given):
        """The values of a row, each as its field takes it."""
        amounts = [n for n in given if comodel._fields[n].type == "monetary"]
        others = {n: value for n, value in given.items() if n not in amounts}
        known = Values(self.guard, held=line)
        checked = known.check(comodel, others) if others else {}
        for name in amounts:
            checked |= Values(self.guard).check(line, {name: given[name]})
        return checked

    def _line(self, node, lines, row):
        """A row of a list. A new one starts as it does on a screen: with the defaults
        of its model, in the context that the form gives it."""
        if row < len(lines):
            return lines[row]
        before = self.record[node.name]
        carries = {}
        with suppress(Refusal):  # one that names what only a browser knows
            carries = self.state.context_of(node.context)
        names = [column.name for column in self.columns(node.name, node)]
        with in_force.code(lines.env.cr):
            defaults = lines.with_context(**carries).default_get(names)
            self.record[node.name] = [Command.create(defaults)]
        return self.record[node.name] - before

    # ---- saving it ----

    def save(self):
        """Make the wizard's record, or change it.

        :return: the record
        :raise Refusal: if a required field is empty
        """
        self._check_required()
        made = self.record._origin
        vals = {}
        for name, node in self.fields.items():
            field = self.model._fields[name]
            if not self.state.is_sent(node):
                continue
            if made and name not in self.given and self.record[name] == made[name]:
                continue
            if field.type == "one2many":
                kept = Command.set(self.record[name]._origin.ids)
                columns = self.columns(name, node)
                vals[name] = [kept, *form_lines.commands(self.record[name], columns)]
            elif field.type == "many2many":
                vals[name] = [Command.set(self.record[name]._origin.ids)]
            else:
                vals[name] = field.convert_to_write(self.record[name], self.record)
        with in_force.code(self.model.env.cr):
            if made:
                made.write(vals)
                return made
            return self.model.create(vals)

    def _check_required(self):
        missing = [
            name
            for name, node in self.fields.items()
            if self.model._fields[name].type
            not in ("boolean", "integer", "float", "monetary")
            and not self.record[name]
            and self.is_open(node)
            and self.is_required(node)
        ]
        if missing:
            raise Refusal(
                "values_missing",
                _lt(
                    "This wizard needs a value for: %(fields)s.",
                    fields=", ".join(missing),
                ),
                _lt("Send it in values, with the same handle."),
            )


def _by_name(env, context):
    """The form that a context names; 0 if it names none."""
    name = context.get("form_view_ref")
    if not isinstance(name, str) or "." not in name:
        return 0
    view = env.ref(name, raise_if_not_found=False)
    return view.id if view and view._name == "ir.ui.view" else 0
