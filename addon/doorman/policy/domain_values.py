"""What conditions compare with. A value that can never match is a mistake, and Odoo
would answer it with no rows and no word."""

import re
from contextlib import suppress

from odoo.fields import Domain
from odoo.orm.utils import READ_GROUP_NUMBER_GRANULARITY
from odoo.tools.date_utils import parse_date

from . import guard_words, linked_values, moments, record_names, single_values
from .field_values import TEXTS
from .groupings import DATES
from .refusal import Refusal, _lt
from .suggestions import near_hint
from .value_place import Place, is_id_text, is_number, is_pair, unpacked

RELATIONS = ("many2one", "one2many", "many2many")
ORDERS = ("<", ">", "<=", ">=")
LISTS = {"=": "in", "!=": "not in"}
# "today -7d", "-1m", "=monday": Odoo works it out when it searches.
RELATIVE = re.compile(r"(today|now)?(\s*[-+=]\s*\w+)*")


def compared(guard, model, field, condition):
    """Check the value of a condition on a field.

    :param model: the field's own
    :param condition: of Odoo's; neither ``any`` nor a part of a date or a property
    :return: operator and value, as Odoo compares them
    :raise Refusal: if it can never match; it names the field, and what may be meant
    """
    operator, value = condition.operator, condition.value
    place = Place(guard, model, field, {})
    if not field._description_searchable:
        raise Refusal(
            "field_not_searchable",
            _lt(
                "%(field)s cannot be searched: Odoo computes it and does not store it.",
                field=place.name,
            ),
            _lt("Search by the fields that it is computed from, or read it and check."),
        )
    if operator.endswith("like"):
        return operator, _pattern(place, value)
    if operator in ("in", "not in"):
        value = unpacked(value)
        if value is False or value is None:
            raise place.wrong(
                _lt('a list for "%(operator)s"', operator=operator),
                _lt("[false] means not set."),
            )
    if field.relational and is_pair(value) and operator in LISTS:
        return operator, _one(place, value)  # as a read tells it: [15, "Azure"]
    if isinstance(value, list | tuple | set):
        return _several(place, operator, list(value))
    if operator in ORDERS:
        return operator, _ordered(place, value)
    if operator in ("child_of", "parent_of") and not field.relational:
        return operator, value if field.name != "id" else _one(place, value)
    return operator, _one(place, value)


def check_part(model, field, part):
    """Of a date there are parts: date_order.month_number."""
    parts = list(READ_GROUP_NUMBER_GRANULARITY) if field.type in DATES else []
    if part not in parts:
        raise Refusal(
            "unknown_part",
            _lt(
                "%(model)s.%(field)s has no part %(part)r.",
                model=model._name,
                field=field.name,
                part=part[:40],
            ),
            near_hint(part, parts, every=True),
        )


def with_whole_days(expression, operator, value):
    """A condition on a time. Odoo would compare a date with its midnight and find
    nothing: equal to a day is what is of that day.

    :return: Domain
    """
    if operator not in ("=", "!=", "in", "not in"):
        return Domain(expression, operator, value)
    path, _, name = expression.rpartition(".")
    values = value if isinstance(value, list) else [value]
    days = [one for one in values if moments.is_date_alone(one)]
    if not days:
        return Domain(expression, operator, value)
    found = Domain.OR(
        Domain(name, ">=", one) & Domain(name, "<=", one)
        if one in days
        else Domain(name, "=", one)
        for one in values
    )
    if path:
        # Of one record: another one may be before, and a third after.
        found = Domain(path, "any", found)
    return found if operator in ("=", "in") else ~found


def part_of_date(place, value):
    """A month, a year ...: a number, or several."""
    if isinstance(value, list | tuple | set):
        return [part_of_date(place, one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise place.wrong(_lt("a number for its parts"))
    return single_values.number(place, value)


def _several(place, operator, values):
    if operator in ORDERS or operator == "=?":
        raise place.wrong(_lt('a single value for "%(operator)s"', operator=operator))
    if operator in LISTS and not values:
        return operator, False  # as Odoo has it: unset
    found = [_one(place, value) for value in values]
    return LISTS.get(operator, operator), found


def _pattern(place, value):
    if value is False or value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | dict | list | tuple | set):
        raise place.wrong(_lt("text to search for"))
    return str(value)


def _ordered(place, value):
    if isinstance(value, bool) or value is None:
        raise place.wrong(_lt("a value to compare with, not true or false"))
    if place.field.type in RELATIONS or place.field.type == "boolean":
        raise place.wrong(
            _lt("no comparison by order: its values have none"),
            _lt('Compare with "=" or "in".'),
        )
    found = _one(place, value)
    if found is False:
        raise place.wrong(_lt("a value to compare with, not an empty one"))
    return found


def _one(place, value):
    """One value, by the type of its field."""
    kind = place.field.type
    if value is None or (value == "" and kind not in TEXTS):
        value = False
    if kind in RELATIONS:
        return _linked(place, value)
    if value is False:
        return value
    return ONE[kind](place, value) if kind in ONE else value


def _number(place, value):
    if place.field.name == "id":
        value = linked_values.any_record(place, value)
        if not is_number(value):
            raise place.wrong(
                _lt(
                    "ids of records: whole numbers, not %(value)r",
                    value=str(value)[:40],
                )
            )
        return int(value)
    if value is True or isinstance(value, dict | list):
        raise place.wrong(_lt("a number"))
    return single_values.number(place, value)


def _truth(place, value):
    found = single_values.boolean(place, value)
    if not isinstance(found, bool) and found not in (0, 1):
        raise place.wrong(_lt("true or false, not %(value)r", value=str(value)[:40]))
    return bool(found)


def _date(place, value):
    if (found := moments.date_text(value)) is not None:
        return found
    return _relative(place, value, moments.DATE_FORM)


def _time(place, value):
    if moments.is_date_alone(value):
        return moments.date_text(value)  # Odoo takes all of that day, where the user is
    if (found := moments.time_text(value, place.guard.env.tz)) is not None:
        return found
    return _relative(place, value, moments.TIME_FORM)


def _relative(place, value, form):
    if isinstance(value, str) and RELATIVE.fullmatch(value.strip().lower()):
        unknown = (ValueError, TypeError, KeyError, IndexError, OverflowError)
        with suppress(*unknown):
            parse_date(value.strip(), place.guard.env)
            return value.strip()
    raise place.wrong(
        _lt(
            "%(form)s, or a value such as 'today -7d', not %(value)r",
            form=form,
            value=str(value)[:40],
        )
    )


def _text(place, value):
    if isinstance(value, bool | dict | list):
        raise place.wrong(_lt("text, not %(value)s", value=str(value).lower()[:40]))
    return value if isinstance(value, str) else str(value)


def _linked(place, value):
    """A record by its id, or by its name where Odoo compares names."""
    if value is False:
        return value
    if isinstance(value, dict) and value.get("id"):
        value = value["id"]
    elif is_pair(value):
        value = value[0]
    if isinstance(value, str):
        if not is_id_text(value.strip()):
            return _called(place, value)
        value = linked_values.record_id(place, value)
    if not is_number(value) or not 0 < value < 2**31:
        raise place.wrong(
            _lt(
                "the id of a record, its name, or false, not %(value)s",
                value=str(value).lower()[:40],
            ),
            _lt('To test whether it is set, use [field, "!=", false].')
            if value is True
            else "",
        )
    value, comodel = int(value), place.field.comodel_name
    if place.guard.may_use(comodel):
        other = place.guard.env[comodel]
        if other._auto and not other.browse(value).exists():
            raise guard_words.unknown_records(place.name, comodel, [value])
    return value


def _called(place, text):
    """:return: the name, or the id of the one record that replies call so"""
    guard = place.guard
    other = guard._look_through(place.records, place.field)
    if not other.has_access("read") or record_names.is_known(guard, other, text):
        return text
    told = record_names.told_as(guard, other, text)
    if len(told) == 1:
        return told.id
    raise Refusal(
        "unknown_record_name",
        _lt(
            "%(field)s: no %(model)s is called exactly %(name)r.",
            field=place.name,
            model=other._name,
            name=text[:60],
        ),
        record_names.archived(guard, other, text)
        or record_names.near_records(guard, other, text)
        or _lt('To match part of a name, use the operator "ilike".'),
    )


ONE = {
    "integer": _number,
    "float": _number,
    "monetary": _number,
    "boolean": _truth,
    "date": _date,
    "datetime": _time,
    "selection": single_values.choice,
    "char": _text,
    "text": _text,
    "html": _text,
    "reference": linked_values.reference,
    "many2one_reference": linked_values.any_record,
}
