"""The form of what a request names, before anything is asked of Odoo."""

from odoo.exceptions import MissingError

from ..policy.refusal import Refusal


def only(kwargs, *known):
    """Refuse arguments that nobody reads: they would pass for something that counts."""
    for name in kwargs:
        if name not in known:
            raise Refusal("invalid_input", f"Unknown argument {str(name)[:60]!r}.")


def number(kwargs, name, default, maximum):
    """:return: a whole number from 1 to ``maximum``"""
    value = kwargs.get(name)
    if value is None:
        return default
    if type(value) is not int or not 1 <= value <= maximum:
        raise Refusal("invalid_input", f"{name} is a number from 1 to {maximum}.")
    return value


def text(kwargs, name, maximum, needed=False):
    """:return: a text without the blanks around it, ``""`` for none"""
    value = kwargs.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str) or len(value) > maximum or "\0" in value:
        raise Refusal("invalid_input", f"{name} is text of at most {maximum} letters.")
    if needed and not value.strip():
        raise Refusal("invalid_input", f"{name} is missing.")
    return value.strip()


def one_record(guard, model, ids):
    """:return: the one record that is read, which exists and its user may see"""
    if model._abstract:
        raise Refusal("unknown_model", f"There are no records of {model._name}.")
    record = guard.records(model, ids)
    if len(record) != 1:
        raise Refusal("invalid_input", "Name one record.")
    if not record.exists():
        raise MissingError(f"There is no {model._name} with the id {record.id}.")
    record.check_access("read")
    return record
