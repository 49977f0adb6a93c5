"""Properties: the fields that people define for the records of a project, a team, a
category. Written one at a time, the others stay; names, types and choices are those of
the definition."""

from types import SimpleNamespace

from . import guard_words, single_values
from .field_values import TEXTS
from .linked_values import items, record, record_id
from .refusal import Refusal, _lt
from .suggestions import near_hint
from .value_place import Place, other_place, unpacked, unpacked_record

NO_VALUES = ("separator",)
SHAPERS = {
    "integer": single_values.number,
    "float": single_values.number,
    "monetary": single_values.number,
    "boolean": single_values.boolean,
    "date": single_values.date,
    "datetime": single_values.time,
    "char": single_values.text,
    "text": single_values.text,
    "html": single_values.html,
}


def shape(place, value):
    """Bring the values of some properties into Odoo's form, with those that stay.

    :param place: value_place.Place, of one record at most
    :param value: an object, name or label to value; or a list as a read gives it
    :return: ``{name: value}`` of all properties, or False to empty them
    """
    value = unpacked(value)
    if value is False or value in ({}, []):
        return False
    given = _by_name(place, value)
    definition = _definition(place)
    known = {item["name"]: item for item in definition if item.get("name")}
    if not known:
        raise place.wrong(
            _lt("no values here"),
            _lt(
                "Properties are defined on %(owner)s, which has none.",
                owner=place.field.definition_record,
            ),
        )
    found = _current(place, known)
    for name, one in given.items():
        item = _defined(place, known, name)
        found[item["name"]] = _value(place, item, one)
    return found


def _by_name(place, value):
    """:return: ``{name or label: value}`` of what was sent"""
    if isinstance(value, dict):
        return value
    if not isinstance(value, list) or not all(
        isinstance(item, dict) and isinstance(item.get("name"), str) for item in value
    ):
        raise place.wrong(_lt("an object that maps properties to values"))
    if any(key.startswith("definition_") for item in value for key in item):
        raise place.wrong(_lt("values, not a change of the definition"))
    return {item["name"]: item["value"] for item in value if "value" in item}


def _definition(place):
    """What is defined for the record that gets the values."""
    field, records = place.field, place.records
    name = field.definition_record
    if place.vals.get(name):
        other = other_place(place, name)
        ident = record(other, place.vals[name])
        owner = records.env[other.field.comodel_name].browse(ident).exists()
        owner.check_access("read")
    elif records:
        owner = records[name]
    else:
        owner = records.new(records.default_get([name]))[name]
    # The definition goes with the record, whose fields these are.
    return owner.sudo()[field.definition_record_field] or []


def _current(place, known):
    if not place.records or place.vals.get(place.field.definition_record):
        return {}
    [record] = place.records
    values = dict(record[place.field.name]._values or {})
    return {name: value for name, value in values.items() if name in known}


def _defined(place, known, name):
    """:return: the definition of a property, by its name or its label"""
    if name in known:
        return known[name]
    text = str(name).casefold()
    found = [i for i in known.values() if str(i.get("string")).casefold() == text]
    if len(found) == 1:
        return found[0]
    labels = [str(item.get("string") or item["name"]) for item in known.values()]
    raise Refusal(
        "unknown_property",
        _lt(
            "%(field)s has no property %(property)r.",
            field=place.name,
            property=str(name)[:60],
        ),
        near_hint(name, labels, every=True),
    )


def _value(place, item, value):
    """One value, by the type in its definition."""
    kind = item["type"]
    label = item.get("string") or item["name"]
    one = Place(place.guard, place.records, _field(place.field, label, item), {})
    if kind in NO_VALUES:
        raise one.wrong(_lt("no value: it is a heading"))
    if value is None or (value == "" and kind not in TEXTS):
        return False
    if value is False:
        return False
    if kind in ("selection", "tags"):
        options = item.get("selection" if kind == "selection" else "tags") or []
        if kind == "selection":
            return _option(one, options, value)
        value = unpacked(value)
        values = value if isinstance(value, list) else [value]
        return [_option(one, options, v) for v in values]
    if kind in ("many2one", "many2many"):
        return _records(one, item, value)
    shaper = SHAPERS.get(kind)
    value = shaper(one, value) if shaper else value
    if not _fits(kind, value):
        raise one.wrong(WORDS.get(kind, _lt("text")))
    return value


def _field(field, label, item):
    """What the shapes ask of a field."""
    return SimpleNamespace(
        name=f"{field.name}, {label}",
        type=item["type"],
        comodel_name=item.get("comodel"),
    )


def _option(place, options, value):
    """A choice or a tag, by what is stored or by what a person reads."""
    if isinstance(value, list) and value:
        value = value[0]  # as a read gives a tag: [name, label, color]
    names = {option[0]: str(option[1]) for option in options}
    if isinstance(value, str) and value in names:
        return value
    text = str(value).casefold()
    found = [name for name, label in names.items() if label.casefold() == text]
    if len(found) == 1:
        return found[0]
    raise place.wrong(
        _lt("one of its choices, not %(value)r", value=str(value)[:60]),
        near_hint(value, list(names.values()), every=True),
    )


def _records(place, item, value):
    """Ids of the property's model, or names where the connection may use it."""
    comodel, many = item.get("comodel"), item["type"] == "many2many"
    if not comodel or comodel not in place.guard.env:
        raise place.wrong(_lt("no value: its model is gone"))
    if not many:
        values = [unpacked_record(value)]
    else:
        values = items(place, value)
    model = place.guard.model(comodel)
    if comodel in place.guard.asks_to_read:
        raise place.wrong(_lt("no value: its model cannot be read without approval"))
    ids = [record_id(place, one, model) for one in values]
    gone = set(ids) - set(model.browse(ids).exists().ids)
    if gone:
        raise guard_words.unknown_records(place.name, comodel, sorted(gone))
    model.browse(ids).check_access("read")
    return list(dict.fromkeys(ids)) if many else ids[0]


WORDS = {
    "boolean": _lt("true or false"),
    "integer": _lt("a whole number"),
    "float": _lt("a number"),
    "monetary": _lt("a number"),
}


def _fits(kind, value):
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "integer":
        return type(value) is int
    if kind in ("float", "monetary"):
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, str)
