"""What a value brings about on other records, by the inverse of its field.

To set the e-mail address of a lead sets that of its customer: the field's inverse
writes it there. For a connection that is limited to some models, that is a change of a
model that it may not use, and is refused. What a model's own code does besides, with
values of its own, is its business: a confirmed order makes deliveries.
"""

from odoo.fields import Field

from . import rules
from .guard import Refusal

ATTRIBUTE = "doorman_limit"
_inverse = Field.determine_inverse


class Limit:
    """The inverses of the caller's fields, and the models that they may write."""

    def __init__(self, allowed):
        self.allowed = allowed
        self.inverses = set()
        # The records whose field's inverse runs now.
        self.running = None


def watch(guard, model, field):
    """Hold the inverse of a field to the models of the connection, until ``forget``."""
    if guard.allowed is None or not field.inverse:
        return
    cr = guard.env.cr
    if not hasattr(cr, ATTRIBUTE):
        setattr(cr, ATTRIBUTE, Limit(guard.allowed))
    getattr(cr, ATTRIBUTE).inverses.add((model._name, field.inverse))


def forget(cr):
    vars(cr).pop(ATTRIBUTE, None)


def _determine_inverse(field, records):
    limit = getattr(records.env.cr, ATTRIBUTE, None)
    if (
        limit is None
        or limit.running is not None
        or (records._name, field.inverse) not in limit.inverses
    ):
        return _inverse(field, records)
    limit.running = records
    try:
        return _inverse(field, records)
    finally:
        limit.running = None


Field.determine_inverse = _determine_inverse


def check(records):
    """Refuse to change records of a model, if it is the caller's value that reaches
    them and the connection may not use the model."""
    limit = getattr(records.env.cr, ATTRIBUTE, None)
    if limit is None or limit.running is None:
        return
    owner, name = limit.running, records._name
    if (
        name == owner._name
        or name in limit.allowed
        # Followers and messages of the record itself; what no caller writes.
        or name in rules.FOLLOWERS
        or not rules.may_write(name)
        or _is_part(records, owner)
    ):
        return
    raise Refusal(
        "not_allowed",
        f"One of the values would change {name}, which this connection may not use.",
        "Leave it out.",
    )


def _is_part(records, owner):
    """Whether a record is nothing without the other: its lines, its variants, or the
    record that it extends."""
    return records._name in owner._inherits or any(
        field.type == "many2one"
        and field.comodel_name == owner._name
        and field.ondelete == "cascade"
        for field in records._fields.values()
    )
