"""What a change did, held against the rules per model: what the caller asked for, not
what Odoo's code set off."""

from . import closed_models, looks, owners
from .ledger import CREATED, DELETED, WRITTEN
from .refusal import Refusal, _lt

OPERATION = {CREATED: "create", WRITTEN: "write", DELETED: "delete"}


def is_part(model, names):
    """Whether a record is nothing without one of another model: a line, a variant.

    :param model: the empty recordset of its model
    :param names: technical names of the others
    """
    return any(
        field.type == "many2one"
        and field.comodel_name in names
        and (field.ondelete == "cascade" or field.required)
        for field in model._fields.values()
    )


def check(guard, named, parents, noted):
    """:param guard: the rules of the connection
    :param named: technical names of the models that the request names
    :param parents: those that a record is a part of by ``_inherits``
    :param noted: the Ledger, closed
    :raise Refusal: if a rule does not let something of it pass
    """
    left = {}
    for model, ident, kind, names in noted.asked_rows():
        known = guard.env[model]
        if model in parents or known._transient:
            continue
        if _governed(guard, known, named):
            looks.check_operation(guard, model, OPERATION[kind])
        for name in sorted(names):
            _check_field(guard, model, name)
        if kind != DELETED and guard.rules.is_partly(model):
            left.setdefault(model, []).append(ident)
    for model, ids in left.items():
        # As the record is now: nothing is moved out of what the connection may use.
        owners.check_seen(guard, guard.env[model].browse(ids))


def _governed(guard, model, named):
    """Whether the rules speak of a model: lines, and what hangs on records, follow what
    they belong to where no rule names them."""
    if model._name in named or model._name in guard.rules.rules:
        return True
    return model._name not in closed_models.FOLLOWERS and not is_part(model, named)


def _check_field(guard, model, name):
    closed = guard.rules.closed(model, name)
    if closed is not None:
        raise Refusal(
            "field_closed_by_rule",
            _lt(
                "This would change %(model)s.%(field)s, which a rule of this "
                "connection's policy blocks.",
                model=model,
                field=name,
            ),
            _lt("Leave out the values that cause this."),
        )
