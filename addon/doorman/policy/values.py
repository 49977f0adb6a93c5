"""The values of a create or write, checked before Odoo gets them.

values ── field: exists, not withheld, not Odoo's own, no code, no template, no bytes,
          not one that Odoo works out, or that only buttons move
       ── shape: names, objects, texts ... become what Odoo takes (input_forms.py)
       ── many2one, reference: a record that exists and is there for the connection,
          never a new one by its name
       ── one2many, many2many: commands, each for a model that may be used; what
          a command creates or updates is checked as the rest, at every depth
       ── the model that a record hangs on, by name or by id: one that may be changed
       ── numbers: finite; html: without scripts and directives (policy/field_values.py)
"""

from . import (
    closed_models,
    field_values,
    guard_words,
    inherited_models,
    input_forms,
    limits,
    workflow_fields,
    writable_fields,
)
from .refusal import Refusal, _lt, at
from .value_place import (
    CLEAR,
    CREATE,
    DELETE,
    LINK,
    SET,
    UNLINK,
    UPDATE,
    is_id,
    unpacked,
)
from .writable_fields import closed

COMMANDS_HINT = _lt(
    "Send commands: [0,0,{values}] creates, [1,id,{values}] updates, [2,id,0] "
    "deletes, [3,id,0] removes, [4,id,0] adds, [5,0,0] removes all, [6,0,[ids]] sets."
)


class Values:
    """Checks the values of one request.

    :param guard: the rules of the connection
    :param bool sent: whether the caller has sent them. What Odoo's code fills in, and
        what was there before, may lead to records that the connection does not see
    :param held: the record that has these values now, if it is not the one that gets
        them: a wizard's
    """

    def __init__(self, guard, sent=True, held=None):
        self.guard = guard
        self.sent = sent
        self.held = held
        self.commands = 0
        # Records that values newly link to, of models of which only some are there for
        # the connection: model -> id -> where in the request.
        self.linked = {}
        # Records that values point at, not known to exist yet, and those that do:
        # model -> id -> (where in the request, field), and model -> ids.
        self.named, self.known = {}, {}
        self.where = ""

    def each(self, rows):
        """Check the values of several records.

        :param rows: ``[(records, vals)]``, as of ``check``
        :return: their values, in the same order
        :raise Refusal: of the first that is wrong, with its place among them
        """
        checked = []
        for number, (records, vals) in enumerate(rows):
            self.where = self.place(number, records) if len(rows) > 1 else ""
            with at(self.where):
                checked.append(self._check(records, vals))
        self._check_exist()
        return checked

    @staticmethod
    def place(number, records):
        """What one of several records is told by: its id, or its place if it is new."""
        return f"{records._name} {records.id}" if records else f"records[{number}]"

    def check(self, model, vals):
        """Check the values of one record, or of several that get the same.

        :param model: the records that get them; an empty recordset for one to be made
        :return: the values, as Odoo may get them
        """
        [checked] = self.each([(model, vals)])
        return checked

    def _check(self, model, vals, depth=0):
        if not isinstance(vals, dict):
            raise Refusal(
                "malformed_values",
                _lt("The values of a %(model)s must be an object.", model=model._name),
            )
        checked, moved = {}, workflow_fields.of(model)
        for name, value in self._by_id(model, vals).items():
            field = self.field(model, name, is_line=depth > 0)
            if value is None and not model and field.type in field_values.NUMBERS:
                # No number is empty: Odoo's own default is what "nothing" means.
                continue
            value = input_forms.shape(self.guard, model, field, value, vals)
            checked[name] = self.value(model, field, value, depth)
            if name in moved:
                workflow_fields.check(self.guard, model, field, checked[name])
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
            raise Refusal(
                "two_models",
                _lt("res_model and %(by_id)s name two different models.", by_id=by_id),
            )
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
                "model_not_writable",
                _lt(
                    "This connection cannot change %(model)s, or what belongs to it.",
                    model=name[:80],
                ),
            )
        if strict and (
            name in closed_models.FOLLOWERS
            or (name in guard.env and inherited_models.is_file(guard.env, name))
        ):
            # Two that hang on each other, or one on itself: Odoo would follow them for
            # ever, whenever anybody looks for a file.
            raise Refusal(
                "wrong_owner",
                _lt(
                    "A %(model)s cannot be attached to a %(other)s.",
                    model=model._name,
                    other=name[:80],
                ),
                _lt("Specify the document that it is for."),
            )

    def field(self, model, name, is_line=False):
        """:return: the field, if a connection may give it a value"""
        return writable_fields.check(self.guard, model, name, is_line)

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
            if value and not is_id(value):
                raise self._wrong(model, field, _lt("the id of a record, or false"))
            return value
        if value is None or value is False:
            return value
        wanted = field_values.wanted(field, value)
        if wanted:
            raise self._wrong(model, field, wanted)
        return field_values.safe(field, value) if isinstance(value, str) else value

    @staticmethod
    def _wrong(model, field, wanted, hint=""):
        return Refusal(
            "wrong_value",
            _lt(
                "%(model)s.%(field)s takes %(wanted)s.",
                model=model._name,
                field=field.name,
                wanted=wanted,
            ),
            hint,
        )

    def _many2one(self, model, field, value, _depth):
        if value is None or value is False:
            return value
        if not is_id(value):
            raise self._wrong(
                model,
                field,
                _lt("the id of a record, or false"),
                _lt(
                    "Find the record in %(model)s first, with search_records.",
                    model=field.comodel_name,
                ),
            )
        comodel = field.comodel_name
        if closed_models.on_floor(comodel):
            self.guard._through(model, field)
        self._names(model, field, comodel, [value])
        self._links(model, field, comodel, value)
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
            raise closed(
                model, field.name, _lt("takes over a %(model)s", model=comodel)
            )
        if (
            model._transient
            and comodel not in closed_models.LINKABLE
            and not self.guard.may_write(comodel)
        ):
            # What it does to that record is the wizard's own code.
            raise closed(model, field.name, _lt("points at a %(model)s", model=comodel))
        return value

    def _reference(self, model, field, value, _depth):
        if not value:
            return False
        name, _, number = str(value).partition(",")
        if not number.isdecimal():
            raise self._wrong(model, field, _lt('text like "res.partner,7", or false'))
        self._names(model, field, self.guard.model(name)._name, [int(number)])
        self._links(model, field, name, int(number))
        return value

    # ---- records that exist ----

    def _names(self, model, field, comodel, ids):
        """Note records that a value points at: all are looked for at once."""
        known = self.known.setdefault(comodel, set())
        named = self.named.setdefault(comodel, {})
        for ident in ids:
            if ident not in known:
                named.setdefault(ident, (self.where, f"{model._name}.{field.name}"))

    def _links(self, model, field, comodel, ident):
        """Note a record that a value links to. Odoo's code copies what it likes from
        there: a contact gets the address of the company that it is put into."""
        rules = self.guard.rules
        if not self.sent or rules is None or not rules.leaves_out(comodel):
            return
        holders = model
        if self.held is not None and self.held._name == model._name:
            holders = self.held
        now = [record[field.name] for record in holders]
        if now and all(
            one and (one._name, one._origin.id) == (comodel, ident) for one in now
        ):
            return  # as a read has told it
        self.linked.setdefault(comodel, {}).setdefault(ident, self.where)

    def _check_links(self):
        """:raise Refusal: if a value links to a record that is not there for the
        connection"""
        for comodel, linked in self.linked.items():
            for ident, where in linked.items():
                with at(where):
                    self.guard.records(self.guard.env[comodel], [ident])
        self.linked.clear()

    def _check_exist(self):
        """:raise Refusal: if a value points at a record that does not exist. Odoo would
        say so in the words of the database, or not at all."""
        for comodel, named in self.named.items():
            found = set(self.guard.env[comodel].browse(named).exists().ids)
            self.known[comodel] |= found
            gone = [ident for ident in named if ident not in found]
            if gone:
                where, field = named[gone[0]]
                with at(where):
                    raise guard_words.unknown_records(field, comodel, gone[:10])
        self.named.clear()
        self._check_links()

    def _properties(self, model, field, value, _depth):
        # As a list it could carry a definition, which all records share.
        if value and not field_values.is_flat(value):
            raise self._wrong(
                model, field, _lt("an object that maps property names to values")
            )
        return value

    # ---- commands ----

    def _x2many(self, model, field, value, depth):
        if value is None or value is False:
            return []
        if not isinstance(value, list):
            raise self._wrong(model, field, _lt("a list of commands"), COMMANDS_HINT)
        return [self._command(model, field, command, depth) for command in value]

    def _command(self, model, field, command, depth):
        self.commands += 1
        if self.commands > limits.MAX_COMMANDS or depth >= limits.MAX_NESTING:
            raise Refusal("too_many_commands", _lt("Too many commands at once."))
        if not isinstance(command, list) or not 1 <= len(command) <= 3:
            raise self._wrong(model, field, _lt("a list of commands"), COMMANDS_HINT)
        code, ident, arg = (*command, 0, 0)[:3]
        arg = unpacked(arg)
        if type(code) is not int or not CREATE <= code <= SET:
            raise self._wrong(model, field, _lt("a list of commands"), COMMANDS_HINT)
        if code in (CREATE, UPDATE) and not isinstance(arg, dict):
            raise self._wrong(model, field, _lt("a list of commands"), COMMANDS_HINT)
        comodel = self.guard._through(model, field)
        self._may(model, field, code)
        if code == CREATE:
            return [code, 0, self._check(comodel, arg, depth + 1)]
        if code == CLEAR:
            return [code, 0, 0]
        ids = arg if code == SET else [ident]
        if not isinstance(ids, list) or not all(is_id(i) for i in ids):
            raise self._wrong(model, field, _lt("commands with ids"), COMMANDS_HINT)
        if ids:
            self._names(model, field, comodel._name, ids)
            self._check_exist()
            # Linked without being seen, a record would open to who sees the other.
            changed = code in (UPDATE, DELETE)
            self.guard.records(comodel, ids, changed).check_access("read")
        if code == UPDATE:
            line = comodel.browse(ident)
            return [code, ident, self._check(line, arg, depth + 1)]
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
            "field_closed",
            _lt(
                "%(model)s.%(field)s would change %(other)s, which AI tools can "
                "only read.",
                model=model._name,
                field=field.name,
                other=comodel,
            ),
            _lt("Leave it out."),
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
