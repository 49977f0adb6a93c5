"""The values of a create or write, checked before Odoo gets them.

values ── field: exists, not withheld, not Odoo's own, no code, no bytes
       ── many2one, reference: a record by its id, never a new one by its name
       ── one2many, many2many: commands, each for a model that may be used; what
          a command creates or updates is checked as the rest, at every depth
       ── html: without scripts; templates: without code
"""

from markupsafe import Markup

from odoo.tools import html_sanitize

from . import rules
from .guard import Refusal

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
                "invalid_input", f"The values of a {model._name} are no object."
            )
        only = rules.WRITE_FIELDS.get(model._name)
        checked = {}
        for name, value in vals.items():
            field = self.field(model, name)
            if only is not None and name not in only:
                raise self._closed(model, name, "is not written by AI tools")
            checked[name] = self.value(model, field, value, depth)
        owner = rules.FOLLOWERS.get(model._name)
        if vals.get(owner) and not self.guard.may_use(str(vals[owner])):
            raise Refusal(
                "not_allowed", f"This connection may not use {str(vals[owner])[:80]}."
            )
        return checked

    def field(self, model, name):
        """:return: the field, if a connection may give it a value"""
        field = self.guard.field(model, name)
        if name in rules.MAGIC_FIELDS:
            raise self._closed(model, name, "is filled by Odoo itself")
        if field.type == "binary":
            raise self._closed(model, name, "holds a file, and files are not sent here")
        if rules.is_code(name, field.type):
            raise self._closed(model, name, "holds code")
        if field.type == "properties_definition":
            raise self._closed(model, name, "is what all records of a kind share")
        if field.type == "many2one_reference" and model._name not in rules.FOLLOWERS:
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
        if not rules.may_write(owner._name) or not (
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
        if isinstance(value, dict | list) and field.type != "json":
            raise self._wrong(model, field, "a single value")
        if isinstance(value, str):
            return self._text(model, field, value)
        return value

    @staticmethod
    def _wrong(model, field, wanted, hint=""):
        return Refusal(
            "invalid_input", f"{model._name}.{field.name} takes {wanted}.", hint
        )

    def _text(self, model, field, value):
        if "\0" in value:
            raise self._wrong(model, field, "a text without NUL")
        if getattr(field, "render_engine", None) and rules.TEMPLATE_CODE.search(value):
            raise self._wrong(
                model, field, "a text without placeholders: they are code"
            )
        if field.type == "html" and (
            not field.sanitize or getattr(field, "sanitize_overridable", False)
        ):
            # Odoo would keep a script for who may write one. An AI tool may not.
            return Markup(html_sanitize(value, silent=True))
        return value

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
        if rules.on_floor(field.comodel_name):
            self.guard._through(model, field)
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
        flat = (str, int, float, bool, type(None))
        if value and not (
            isinstance(value, dict)
            and all(
                isinstance(item, flat)
                or (isinstance(item, list) and all(isinstance(i, flat) for i in item))
                for item in value.values()
            )
        ):
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
        if self.commands > rules.MAX_COMMANDS or depth >= rules.MAX_NESTING:
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
            self.guard.records(comodel, ids).check_access("read")
        if code == UPDATE:
            return [code, ident, self.check(comodel, arg, depth + 1)]
        return [code, 0, ids] if code == SET else [code, ident, 0]

    def _may(self, model, field, code):
        """Whether the other model's records may be changed in this way."""
        comodel = field.comodel_name
        if rules.may_write(comodel) and comodel not in rules.WRITE_FIELDS:
            return
        if (
            field.type == "many2many"
            and code in (UNLINK, LINK, CLEAR, SET)
            and comodel in rules.LINKABLE
            and not self._is_lock(field)
        ):
            return
        if comodel in rules.WRITE_FIELDS and code == UPDATE:
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
