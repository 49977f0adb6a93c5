"""The form of what a request names, before anything is asked of Odoo."""

from odoo.exceptions import MissingError

from ..policy.refusal import Refusal


def only(kwargs, *known):
    """Refuse arguments that nobody reads: they would pass for something that counts."""
    for name in kwargs:
        if name not in known:
            raise Refusal("invalid_input", f"Unknown argument {str(name)[:60]!r}.")


def number(kwargs, name, default, maximum, minimum=1):
    """:return: a whole number from ``minimum`` to ``maximum``; ``default`` for none"""
    value = kwargs.get(name)
    if value is None:
        return default
    if type(value) is not int or not minimum <= value <= maximum:
        raise Refusal(
            "invalid_input", f"{name} is a number from {minimum} to {maximum}."
        )
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


def one_record(call):
    """:return: the one record that is read, which exists and its user may see"""
    model = call.model
    if model._abstract:
        raise Refusal("unknown_model", f"There are no records of {model._name}.")
    record = call.guard.records(model, call.ids)
    if len(record) != 1:
        raise Refusal("invalid_input", "Name one record.")
    if not record.exists():
        raise MissingError(
            call.env._(
                "There is no %(model)s with the id %(ids)s.",
                model=model._name,
                ids=record.id,
            )
        )
    record.check_access("read")
    return record
