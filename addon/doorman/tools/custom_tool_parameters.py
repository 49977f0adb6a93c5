"""The parameters of an own tool: what an AI tool may send for each type, and what the
server action gets of it. Who writes the action's code need not check them again.
"""

import math
from datetime import date, datetime

from ..policy import limits, moments, record_names, shared
from ..policy.linked_values import NAME_KEYS
from ..policy.refusal import Refusal, _lt
from ..policy.shared import OWN_TYPES
from ..policy.single_values import NUMBER, TRUTH
from ..policy.value_place import is_id_text, is_pair

MAX_TEXT = 10_000


def check(guard, known, given):
    """:param list known: of dicts, as ``doorman.own.tool`` describes its parameters
    :param dict given: name to value, as it came
    :return: ``{name: value}`` with every name; None for what was not sent
    """
    if not isinstance(given, dict):
        raise Refusal(
            "malformed_arguments",
            _lt("The parameters must be an object that maps names to values."),
        )
    names = [parameter["name"] for parameter in known]
    for name in given:
        if name not in names:
            raise Refusal(
                "unknown_argument",
                _lt(shared.SAY_NO_PARAMETER, str(name)[:60]),
                _lt("Available: %(choices)s.", choices=", ".join(names))
                if names
                else _lt("It has no parameters."),
            )
    return {p["name"]: _value(guard, p, given.get(p["name"])) for p in known}


def _value(guard, parameter, value):
    name, kind = parameter["name"], parameter["type"]
    if value is None or (value == "" and kind != "string"):
        if parameter["required"]:
            raise Refusal(
                "argument_missing",
                _lt(shared.SAY_MISSING_PARAMETER, name),
            )
        return None
    try:
        return READERS[kind](guard, parameter, value)
    except (ValueError, OverflowError) as exc:
        raise Refusal(
            "malformed_arguments",
            _lt(shared.SAY_WRONG_PARAMETER, parameter=name, expected=WORDS[kind]),
        ) from exc


def _string(_guard, parameter, value):
    if not isinstance(value, str) or len(value) > MAX_TEXT or "\0" in value:
        raise ValueError
    if parameter["required"] and not value.strip():
        raise ValueError
    return value


def _numeric(value):
    """A number that was sent as text, as that number."""
    if isinstance(value, str) and NUMBER.fullmatch(value.strip()):
        return float(value) if "." in value else int(value)
    return value


def _integer(_guard, _parameter, value):
    value = _numeric(value)
    if isinstance(value, float) and value == int(value):
        value = int(value)  # 3.0: some clients know one type of number
    if type(value) is not int or abs(value) >= 2**31:
        raise ValueError
    return value


def _number(_guard, _parameter, value):
    value = _numeric(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError
    if not math.isfinite(value) or abs(value) >= limits.MAX_NUMBER:
        raise ValueError
    return value


def _boolean(_guard, _parameter, value):
    if isinstance(value, str | int):
        value = TRUTH.get(str(value).strip().lower(), value)
    if not isinstance(value, bool):
        raise ValueError
    return value


def _date(_guard, _parameter, value):
    found = moments.date_text(value)
    if found is None:
        raise ValueError
    return date.fromisoformat(found)


def _datetime(guard, _parameter, value):
    found = moments.time_text(value, guard.env.tz)
    if found is None:
        raise ValueError
    return datetime.fromisoformat(found)  # UTC, as everywhere


def _record(guard, parameter, value):
    """The record, if the connection may use its model and its user may read it."""
    model = guard.model(parameter["model"])
    if isinstance(value, dict) and not set(value) - NAME_KEYS:
        value = value.get("id") or value.get("name")
    elif is_pair(value):
        value = value[0]
    if is_id_text(value):
        value = int(value)
    if isinstance(value, str) and value.strip():
        place = f"The parameter {parameter['name']}"
        value = record_names.find_in(guard, model, value, place)
    if type(value) is not int or not 0 < value < 2**31:
        raise ValueError
    record = guard.records(model, [value]).exists()
    if not record:
        raise Refusal(
            "unknown_record",
            _lt(
                "The parameter %(parameter)s: there is no %(model)s with the id "
                "%(id)s.",
                parameter=parameter["name"],
                model=parameter["model"],
                id=value,
            ),
            _lt("Use search_records to find its id."),
        )
    record.check_access("read")
    return record


def _selection(_guard, parameter, value):
    if value not in parameter["choices"]:
        raise Refusal(
            "unknown_choice",
            _lt(
                "The parameter %(parameter)s must be one of its choices.",
                parameter=parameter["name"],
            ),
            _lt("Available: %(choices)s.", choices=", ".join(parameter["choices"])),
        )
    return value


READERS = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "boolean": _boolean,
    "date": _date,
    "datetime": _datetime,
    "record": _record,
    "selection": _selection,
}
assert READERS.keys() == set(OWN_TYPES)
WORDS = {
    "string": _lt("text of at most %(most)s characters", most=MAX_TEXT),
    "integer": _lt("a whole number"),
    "number": _lt("a number"),
    "boolean": _lt("true or false"),
    "date": _lt("a date such as 2026-11-23"),
    "datetime": _lt("a time in UTC such as 2026-11-23 14:30:00"),
    "record": _lt("the id or the name of a record"),
    "selection": _lt("one of its choices"),
}
