"""What a value that was sent is for, and the forms that all of them may have."""

import json
from dataclasses import dataclass

from odoo.models import BaseModel

from .refusal import Refusal, _lt

# The commands of one2many and many2many.
CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)


@dataclass(frozen=True, eq=False)
class Place:
    """What a value is for."""

    guard: object
    # The records that get it: none for one that is to be made.
    records: BaseModel
    field: object
    # The other values that are sent along, as they came.
    vals: dict

    @property
    def name(self):
        return f"{self.records._name}.{self.field.name}"

    def wrong(self, wanted, hint=""):
        return Refusal(
            "wrong_value",
            _lt("%(field)s takes %(wanted)s.", field=self.name, wanted=wanted),
            hint,
        )


def unpacked(value):
    """A list or an object that was sent as text.

    :return: it; or the value itself
    """
    if isinstance(value, str) and value.strip()[:1] in ("[", "{"):
        try:
            found = json.loads(value)
        except (ValueError, RecursionError):
            return value
        return found if isinstance(found, dict | list) else value
    return value


def unpacked_record(value):
    """The same as ``unpacked``; but a name may begin with a bracket."""
    found = unpacked(value)
    if isinstance(found, dict) or is_pair(found):
        return found
    return value


def is_pair(value):
    """Whether a value is ``[id, name]``."""
    return (
        isinstance(value, list)
        and len(value) == 2
        and is_number(value[0])
        and isinstance(value[1], str)
    )


def is_id(value):
    """Whether a value may be the id of a record."""
    return type(value) is int and 0 < value < 2**31


def is_number(value):
    return type(value) is int or (isinstance(value, float) and value.is_integer())


def is_id_text(value):
    """Whether a text is an id, digit for digit."""
    return (
        isinstance(value, str)
        and value.isascii()
        and value.isdecimal()
        and len(value) <= 10
        and value == str(int(value))
        and is_id(int(value))
    )


def other_place(place, name):
    """The place of another value that is sent along."""
    field = place.guard.field(place.records, name)
    return Place(place.guard, place.records, field, place.vals)
