"""The model rule, on every path: which models, fields and relations a call touches.

    call ── model ── fields ── domain ──┬── order ── group by ── aggregates
                                        └── each step through a relation: the model
                                            on the other side must be allowed too

A connection that may read ``sale.order`` only must not learn the bank account of a
customer by searching orders with ``partner_id.bank_ids.acc_number``. Odoo's access
rights do not stop that (the person may read both); the connection's policy must.
"""

import re
from dataclasses import dataclass
from dataclasses import field as attribute

from odoo.api import Environment
from odoo.fields import Domain

from . import (
    closed_fields,
    closed_models,
    domain_values,
    groupings,
    guard_words,
    inherited_models,
    limits,
    looks,
    looks_names,
    owners,
    reach,
    shared,
)
from .model_rules import READ, Rules
from .refusal import Refusal, _lt
from .shared import OPERATORS
from .value_place import Place, is_id_text, is_pair

# Operators that compare the name on the other side instead of the id.
TEXT_OPERATORS = ("like", "ilike", "=like", "=ilike")
AGGREGATE = re.compile(r"^(?P<path>\w+(\.\w+)*)(:(?P<how>\w+))?$")
ORDER_TERM = re.compile(
    r"^(?P<spec>\S+)(\s+(asc|desc))?(\s+nulls\s+(first|last))?$", re.IGNORECASE
)


@dataclass(frozen=True, eq=False)
class Guard:
    """The rules of one connection, for one call. They don't change while it runs."""

    # Of the connection's user.
    env: Environment
    # The models that it may use, by name; None for no restriction.
    allowed: frozenset | None
    # Models that are not read without a person's approval.
    asks_to_read: frozenset = frozenset()
    # Whether it has fewer companies than its user.
    narrow: bool = False
    # The rules per model, or None.
    rules: Rules | None = None
    # The domains that its emails may go to (recipients.py); empty for any.
    domains: frozenset = frozenset()
    # The connection's id; 0 for no connection in particular.
    connection: int = 0
    # Names that its values have named, with their ids.
    looked_up: dict = attribute(default_factory=dict)
    # Texts that were sent, and the HTML made of their Markdown.
    html: dict = attribute(default_factory=dict)

    # ---- models ----

    def may_use(self, model):
        """Whether the policy and the floor let this model pass."""
        if closed_models.on_floor(model):
            return False
        if self.rules is not None and not self.rules.may(model, READ):
            return False
        return self.allowed is None or model in self.allowed

    def may_write(self, model):
        """Whether the records of a model are changed, whatever the policy."""
        if model not in self.env:
            return closed_models.may_write(model)
        return inherited_models.may_write(self.env, model)

    def model(self, name):
        """:return: the empty recordset of a model that may be used"""
        if not isinstance(name, str) or not name:
            raise Refusal("model_missing", _lt("The model is missing."))
        if not self.may_use(name):
            raise Refusal(
                "model_not_allowed",
                _lt(shared.SAY_NO_MODEL, name[:80]),
                _lt(shared.SAY_NO_MODEL_HINT),
                model=name[:80],
            )
        if name not in self.env:
            raise guard_words.unknown_model(self, name)
        return self.env[name]

    def _through(self, model, field):
        """The model behind a relation, if the path may go there."""
        if not field.relational:
            raise ValueError(f"{field} is not a relation")
        if not self.may_use(field.comodel_name):
            raise guard_words.leads_to(model, field)
        if (
            self.allowed is not None
            and field.comodel_name in closed_models.FOLLOWERS
            and getattr(field, "inverse_name", None) != "res_id"
        ):
            # message_ids are this record's own; mail_message_id may be of a record
            # of any model.
            raise guard_words.leads_anywhere(model, field)
        return self.env[field.comodel_name]

    def _look_through(self, model, field):
        """The same for what reads: a model that waits for a person when it is read is
        not read by way of another one. Its own records it may ask of each other."""
        other = self._through(model, field)
        if other._name in self.asks_to_read and other._name != model._name:
            raise guard_words.leads_to_asking(model, field, other)
        return other

    # ---- fields ----

    def field(self, model, name, masked=False):
        """:param bool masked: whether it may be one whose value is told masked
        :return: the field, if it exists and is not withheld
        """
        if not isinstance(name, str) or name not in model._fields:
            raise guard_words.unknown_field(model, name)
        if closed_fields.is_withheld(name):
            raise guard_words.withheld(model, name)
        field = model._fields[name]
        looks.check_value(self, model, field, masked)
        return field

    def fields(self, model, names):
        """Check a list of plain field names."""
        if not isinstance(names, list) or not names:
            raise Refusal("fields_missing", _lt("Specify the fields to read."))
        for name in names:
            self.field(model, name, masked=True)

    def path(self, model, path):
        """Check ``a.b.c``: every field on it, and every model it walks into.

        :return: the model that holds the last field, and that field
        """
        if path.count(".") > limits.MAX_STEPS or path.endswith("."):
            raise Refusal(
                "malformed_path",
                _lt("%(path)r is not a valid field path.", path=path[:80]),
            )
        name, _, rest = path.partition(".")
        field = self.field(model, name)
        while rest:
            if field.type == "properties":
                return model, field
            if not field.relational:
                domain_values.check_part(model, field, rest)
                return model, field
            model = self._look_through(model, field)
            name, _, rest = rest.partition(".")
            field = self.field(model, name)
        return model, field

    # ---- domains ----

    def domain(self, model, domain):
        """Check a domain and give back what Odoo may get.

        :param domain: a list, as Odoo's search takes it
        """
        if not isinstance(domain, list):
            raise Refusal(
                "malformed_domain", _lt("A domain must be a list of conditions.")
            )
        try:
            return list(self._conditions(model, Domain(domain)))
        except groupings.NO_DOMAIN as exc:
            raise groupings.malformed() from exc

    def _conditions(self, model, domain):
        return domain.map_conditions(lambda one: self._condition(model, one))

    def _condition(self, model, condition):
        """:return: the same condition, with what Odoo compares in its form"""
        operator, expression = condition.operator, condition.field_expr
        if operator not in OPERATORS:
            raise ValueError(operator)
        owner, field = self.path(model, expression)
        if operator in ("any", "not any"):
            # Odoo puts what is inside ``id any`` in its place.
            other = owner
            if field.name != "id":
                if not field.relational:
                    raise Refusal(
                        "not_a_relation",
                        _lt(
                            "%(other)s.%(field)s is not a relation, so "
                            '"%(operator)s" does not work on it.',
                            other=owner._name,
                            field=field.name,
                            operator=operator,
                        ),
                    )
                other = self._look_through(owner, field)
            inside = self._conditions(other, Domain(condition.value))
            return Domain(expression, operator, inside)
        if field.relational and self._compares_name(operator, condition.value):
            # ("partner_id", "ilike", "x") searches the partner's name, and
            # other fields its name search looks into: email, VAT number.
            self._look_through(owner, field)
        looks.check_tree(self, owner, field, operator)
        if field.name != reach.NAME:
            looks.check_condition(self, owner, field)
        if expression.rpartition(".")[2] != field.name:
            value = condition.value
            if field.type in groupings.DATES:
                place = Place(self, owner, field, {})
                value = domain_values.part_of_date(place, value)
            return Domain(expression, operator, value)
        operator, value = domain_values.compared(self, owner, field, condition)
        if field.type == "datetime":
            return domain_values.with_whole_days(expression, operator, value)
        if field.name == reach.NAME:
            return self._named(owner, expression, operator, value)
        if field.relational and self._compares_name(operator, value):
            found = looks_names.linked_by_name(self, expression, field, operator, value)
            if found is not None:
                return found
        return Domain(expression, operator, value)

    def _named(self, model, expression, operator, value):
        """A condition on what records are called."""
        if not looks_names.why_not_names(self, model):
            return Domain(expression, operator, value)
        found = looks_names.named(self, model, operator, value)
        path = expression.rpartition(".")[0]
        return Domain(path, "any", found) if path else found

    def _compares_name(self, operator, value):
        if operator.removeprefix("not ") in TEXT_OPERATORS:
            return True
        if operator in ("child_of", "parent_of"):
            return True
        if operator in ("=", "!=") and is_pair(value):
            return False  # an id, with the name that a read has told
        values = value if isinstance(value, list | tuple | set) else [value]
        return any(isinstance(v, str) and not is_id_text(v) for v in values)

    # ---- order, groups, aggregates ----

    def order(self, model, order, known=()):
        """:param known: terms that stand for themselves (groups and aggregates)"""
        if not isinstance(order, str):
            raise Refusal(
                "malformed_order",
                _lt("The order must be text, such as 'name asc, id desc'."),
            )
        for term in order.split(","):
            match = ORDER_TERM.match(term.strip())
            if not match:
                raise Refusal(
                    "malformed_order",
                    _lt(shared.SAY_NOT_ORDER, term.strip()),
                )
            if match["spec"] in known:
                continue
            owner, field = self.path(model, match["spec"].partition(":")[0])
            looks.check_steps(self, model, match["spec"].partition(":")[0])
            if not field._description_sortable(self.env):
                raise Refusal(
                    "not_sortable",
                    _lt(
                        "You cannot sort by %(other)s.%(field)s: Odoo does not store "
                        "it as one value.",
                        other=owner._name,
                        field=field.name,
                    ),
                    _lt("Call describe_model to see which fields you can sort by."),
                )
            if field.relational:
                # Sorted by the order of the other model, whose fields may be none
                # that this connection reads.
                self._look_through(owner, field)
            looks.check_order(self, owner, field)

    def specs(self, model, specs, what):
        """Check group-by or aggregate specifications: ``field``, ``field:how``."""
        if not isinstance(specs, list):
            raise Refusal(
                "malformed_arguments", _lt("%(what)s must be a list.", what=what)
            )
        for spec in specs:
            if spec == "__count":
                continue
            match = AGGREGATE.match(spec) if isinstance(spec, str) else None
            if not match:
                raise Refusal(
                    "malformed_arguments",
                    _lt(
                        "%(spec)s is not a valid %(what)s.",
                        spec=repr(spec)[:80],
                        what=what,
                    ),
                )
            owner, field = self.path(model, match["path"])
            looks.check_steps(self, model, match["path"])
            if what == "measure":
                groupings.check_measure(owner, field, match["how"])
            else:
                groupings.check_group(owner, field, match["path"], match["how"])

    # ---- models whose records hang on others ----

    def owner_domain(self, model):
        """What limits attachments, messages and the like to models that may be
        used; None where the model's records stand for themselves."""
        return owners.domain_of(self, model)

    def records(self, model, ids, write=False):
        """:param bool write: whether they are changed, and not only read or named
        :return: the records to work on, if the rule lets all of them pass
        """
        if (
            not isinstance(ids, list)
            or not ids
            or len(ids) > limits.MAX_IDS
            or any(not _is_id(i, model) for i in ids)
        ):
            raise Refusal("ids_missing", _lt("Specify the ids of the records."))
        records = model.browse(ids)
        if closed_models.owner_field(model.pool, model._name):
            owners.check(self, records.sudo().exists(), write, set())
        owners.check_seen(self, records)
        return records


def _is_id(value, model):
    """Whether a number may be the id of a record. Views of the database have some that
    are below zero, or long."""
    if type(value) is not int:
        return False
    return value > 0 or not (model._auto or model._transient or not value)
