"""What a value brings about on other records, by the inverse of its field.

To set the e-mail address of a lead sets that of its customer: the field's inverse
writes it there. For a connection that is limited to some models, that is a change of a
model that it may not use, and is refused. What a model's own code does besides, with
values of its own, is its business: a confirmed order makes deliveries, a quantity that
is done is taken from the stock.
"""

from contextlib import contextmanager

from . import closed_models
from .refusal import Refusal

ATTRIBUTE = "doorman_limit"


class Limit:
    """The caller's fields that have inverses, and the models that these may write."""

    def __init__(self, allowed):
        self.allowed = allowed
        self.inverses = set()
        self.values = []
        # The records whose field's inverse runs now.
        self.running = None

    def is_callers(self, name, value):
        """Whether a value to be written is one that the caller sent: a text by itself,
        anything else by the name of its field."""
        if isinstance(value, str):
            return _fold(value) in {_fold(v) for _n, v in self.values}
        return (name, value) in self.values


def _fold(value):
    return value.strip().casefold() if isinstance(value, str) else None


def watch(guard, model, field, value):
    """Hold a value that an inverse will work with to the models of the connection,
    until ``forget``."""
    if guard.allowed is None or not field.inverse or value in (None, False, ""):
        return
    cr = guard.env.cr
    if not hasattr(cr, ATTRIBUTE):
        setattr(cr, ATTRIBUTE, Limit(guard.allowed))
    limit = getattr(cr, ATTRIBUTE)
    limit.values.append((field.name, value))
    limit.inverses.add((model._name, field.inverse))
    # Written where it leads, by an inverse of its own there.
    while field.related:
        field = field.related_field
        limit.inverses.add((field.model_name, field.inverse))


def forget(cr):
    vars(cr).pop(ATTRIBUTE, None)


@contextmanager
def running(field, records):
    """The time in which a field's inverse runs, if it may be one that works with a
    value of the caller's. Inverses that it sets off are its own affair."""
    limit = getattr(records.env.cr, ATTRIBUTE, None)
    if (
        limit is None
        or limit.running is not None
        or (records._name, field.inverse) not in limit.inverses
    ):
        yield
        return
    limit.running = records
    try:
        yield
    finally:
        limit.running = None


def check(records, vals_list):
    """Refuse to write records of a model, if it is the caller's value that reaches
    them and the connection may not use the model."""
    limit = getattr(records.env.cr, ATTRIBUTE, None)
    if limit is None or limit.running is None:
        return
    owner, name = limit.running, records._name
    if (
        name == owner._name
        or name in limit.allowed
        # Followers and messages of the record itself; what no caller writes.
        or name in closed_models.FOLLOWERS
        or not closed_models.may_write(name)
        or _is_part(records, owner)
        or not any(
            limit.is_callers(*item) for vals in vals_list for item in vals.items()
        )
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
