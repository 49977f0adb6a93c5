"""The values of a create or write, checked before Odoo gets them.

values ── field: exists, not withheld, not Odoo's own, no code, no template, no bytes
       ── many2one, reference: a record by its id, never a new one by its name
       ── one2many, many2many: commands, each for a model that may be used; what
          a command creates or updates is checked as the rest, at every depth
       ── the model that a record hangs on, by name or by id: one that may be changed
       ── numbers: finite; html: without scripts and directives (policy/field_values.py)
"""

from . import (
    closed_fields,
    closed_models,
    field_values,
    inherited_models,
    limits,
)
from .refusal import Refusal
from .suggestions import near_hint

COMMANDS_HINT = (
    "Send commands: [0,0,{values}] creates, [1,id,{values}] updates, [2,id,0] deletes, "
    "[3,id,0] takes out, [4,id,0] puts in, [5,0,0] empties, [6,0,[ids]] sets."
)
CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)


def _is_id(value):
    return type(value) is int and 0 < value < 2**31


class Values:
    """Checks the values of one request.

    :param guard: the rules of the connection
    """

    def __init__(self, guard):
        self.guard = guard
        self.commands = 0

    def check(self, model, vals, depth=0):
        """:return: the values, as Odoo may get them"""
        if not isinstance(vals, dict):
            raise Refusal(
                "invalid_input", f"The values of a {model._name} are not an object."
            )
        checked = {}
        for name, value in self._by_id(model, vals).items():
            field = self.field(model, name)
            checked[name] = self.value(model, field, value, depth)
            if closed_models.MODEL_FIELD.search(name) and field.type in (
                "char",
                "selection",
            ):
                self._aim(model, value)
        return checked

    def _by_id(self, model, vals):
        """An activity keeps the id of the ir.model that it hangs on. Who makes one
        knows the name."""
        by_id = closed_models.OWNER_IDS.get(model._name)
        name = vals.get("res_model")
        if not by_id or not name:
            return vals
        found = self.guard.env["ir.model"]._get_id(self.guard.model(name)._name)
        vals = {key: value for key, value in vals.items() if key != "res_model"}
        if vals.setdefault(by_id, found) != found:
            raise Refusal("invalid_input", f"res_model and {by_id} are two models.")
        return vals

    def _aim(self, model, name):
        """Check the name of a model that a record is to hang on, or to work on."""
        guard = self.guard
        strict = model._name in closed_models.FOLLOWERS
        strict = strict or inherited_models.is_file(guard.env, model._name)
        name = str(name or "")
        # Elsewhere it may be the model of a machine.
        if not name or not (strict or name in guard.env):
            return
        if not guard.may_use(name) or not guard.may_write(name):
            raise Refusal(
                "not_allowed",
                f"This connection may not change {name[:80]}, or what hangs on it.",
            )
        if strict and (
            name in closed_models.FOLLOWERS
            or (name in guard.env and inherited_models.is_file(guard.env, name))
        ):
            # Two that hang on each other, or one on itself: Odoo would follow them for
            # ever, whenever anybody looks for a file.
            raise Refusal(
                "not_allowed",
                f"A {model._name} does not hang on a {name[:80]}.",
                "Name the document that it is for.",
            )

    def field(self, model, name):
        """:return: the field, if a connection may give it a value"""
        field = self.guard.field(model, name)
        if name in closed_fields.MAGIC_FIELDS:
            raise self._closed(model, name, "is filled by Odoo itself")
        if field.type == "binary":
            raise self._closed(model, name, "holds a file, and files are not sent here")
        if closed_fields.is_code(name, field.type):
            raise self._closed(model, name, "holds code")
        if getattr(field, "render_engine", None):
            raise self._closed(model, name, "is rendered as a template")
        only = closed_models.WRITE_FIELDS.get(model._name)
        if only is not None and name not in only:
            raise self._closed(model, name, "is not written by AI tools")
        if field.type == "properties_definition":
            raise self._closed(model, name, "is what all records of a kind share")
        if (
            field.type == "many2one_reference"
            and model._name not in closed_models.FOLLOWERS
        ):
            raise self._closed(model, name, "may be of any model")
        self._elsewhere(model, field)
        return field

    def _elsewhere(self, model, field):
        """A related field is written on the record that it leads to."""
        path = field.related.split(".") if field.related else []
        owner = model
        for step in path[:-1]:
            owner = self.guard.env[owner._fields[step].comodel_name]
        if not path or owner._name == model._name:
            return
        # Fields of a parent model (_inherits) count as the model's own, but for the
        # floor: the parent is part of the record.
        if not self.guard.may_write(owner._name) or not (
            field.inherited or self.guard.may_use(owner._name)
        ):
            raise Refusal(
                "not_allowed",
                f"{model._name}.{field.name} belongs to {owner._name}, which this "
                "connection may not change.",
                "Leave it out.",
            )
        self.field(owner, path[-1])

    @staticmethod
    def _closed(model, name, why):
        return Refusal("not_allowed", f"{model._name}.{name} {why}.", "Leave it out.")

    # ---- one value ----

    def value(self, model, field, value, depth):
        """Check one value of a field.

        :param int depth: how many records it is nested in
        :return: the value, as Odoo may get it
        """
        check = {
            "many2one": self._many2one,
            "reference": self._reference,
            "one2many": self._x2many,
            "many2many": self._x2many,
            "properties": self._properties,
        }.get(field.type)
        if check:
            return check(model, field, value, depth)
        if field.type == "many2one_reference":
            if value and not _is_id(value):
                raise self._wrong(model, field, "the id of a record, or false")
            return value
        if value is None or value is False:
            return value
        if field.type == "selection":
            self._choice(model, field, value)
        wanted = field_values.wanted(field, value)
        if wanted:
            raise self._wrong(model, field, wanted)
        return field_values.safe(field, value) if isinstance(value, str) else value

    @staticmethod
    def _wrong(model, field, wanted, hint=""):
        return Refusal(
            "invalid_input", f"{model._name}.{field.name} takes {wanted}.", hint
        )

    def _choice(self, model, field, value):
        """Odoo's own error names neither the choices nor the near ones."""
        known = field.get_values(self.guard.env)
        if value in known or not all(isinstance(v, str) for v in known):
            return
        raise self._wrong(
            model,
            field,
            f"one of its choices, not {str(value)[:60]!r}",
            near_hint(value, known, every=True),
        )

    def _many2one(self, model, field, value, _depth):
        if value is None or value is False:
            return value
        if not _is_id(value):
            raise self._wrong(
                model,
                field,
                "the id of a record, or false",
                f"Find the record in {field.comodel_name} first: search_records.",
            )
        comodel = field.comodel_name
        if closed_models.on_floor(comodel):
            self.guard._through(model, field)
        if comodel == "ir.model":
            # By its number it is the same as by its name.
            record = self.guard.env[comodel].sudo().browse(value).exists()
            self._aim(model, record.model)
        if field.name in model._inherits.values() and (
            not self.guard.may_use(comodel)
            or not self.guard.may_write(comodel)
            or inherited_models.is_file(self.guard.env, comodel)
        ):
            # It would become a part of this record, and be written and deleted with it.
            raise self._closed(model, field.name, f"takes a {comodel} over")
        if (
            model._transient
            and comodel not in closed_models.LINKABLE
            and not self.guard.may_write(comodel)
        ):
            # What it does to that record is the wizard's own code.
            raise self._closed(model, field.name, f"points at a {comodel}")
        return value

    def _reference(self, model, field, value, _depth):
        if not value:
            return False
        name, _, number = str(value).partition(",")
        if not number.isdecimal():
            raise self._wrong(model, field, 'text like "res.partner,7", or false')
        self.guard.model(name)
        return value

    def _properties(self, model, field, value, _depth):
        # As a list it could carry a definition, which all records share.
        if value and not field_values.is_flat(value):
            raise self._wrong(model, field, "an object: property name to value")
        return value

    # ---- commands ----

    def _x2many(self, model, field, value, depth):
        if value is None or value is False:
            return []
        if not isinstance(value, list):
            raise self._wrong(model, field, "a list of commands", COMMANDS_HINT)
        return [self._command(model, field, command, depth) for command in value]

    def _command(self, model, field, command, depth):
        self.commands += 1
        if self.commands > limits.MAX_COMMANDS or depth >= limits.MAX_NESTING:
            raise Refusal("invalid_input", "These are too many commands at once.")
        if not isinstance(command, list) or not 1 <= len(command) <= 3:
            raise self._wrong(model, field, "a list of commands", COMMANDS_HINT)
        code, ident, arg = (*command, 0, 0)[:3]
        if type(code) is not int or not CREATE <= code <= SET:
            raise self._wrong(model, field, "a list of commands", COMMANDS_HINT)
        comodel = self.guard._through(model, field)
        self._may(model, field, code)
        if code == CREATE:
            return [code, 0, self.check(comodel, arg, depth + 1)]
        if code == CLEAR:
            return [code, 0, 0]
        ids = arg if code == SET else [ident]
        if not isinstance(ids, list) or not all(_is_id(i) for i in ids):
            raise self._wrong(model, field, "commands with ids", COMMANDS_HINT)
        if ids:
            # Linked without being seen, a record would open to who sees the other.
            changed = code in (UPDATE, DELETE)
            self.guard.records(comodel, ids, changed).check_access("read")
        if code == UPDATE:
            return [code, ident, self.check(comodel, arg, depth + 1)]
        return [code, 0, ids] if code == SET else [code, ident, 0]

    def _may(self, model, field, code):
        """Whether the other model's records may be changed in this way."""
        comodel = field.comodel_name
        is_file = inherited_models.is_file(self.guard.env, comodel)
        if self.guard.may_write(comodel) and not is_file:
            return
        if (
            field.type == "many2many"
            and code in (UNLINK, LINK, CLEAR, SET)
            and comodel in closed_models.LINKABLE
            and not self._is_lock(field)
        ):
            return
        if is_file and code == UPDATE:
            return
        raise Refusal(
            "not_allowed",
            f"{model._name}.{field.name} would change {comodel}, which AI tools only "
            "read.",
            "Leave it out.",
        )

    def _is_lock(self, field):
        """Whether the same table holds a field of the other model: the users of a
        company are the companies of a user."""
        return any(
            other.type == "many2many"
            and other.store
            and other.relation == field.relation
            for other in self.guard.env[field.comodel_name]._fields.values()
        )
