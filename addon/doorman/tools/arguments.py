"""The form of what a request names, before anything is asked of Odoo."""

from ..policy import guard_words, shared
from ..policy.refusal import Refusal, _lt


def only(kwargs, *known):
    """Refuse arguments that nobody reads: they would pass for something that counts."""
    for name in kwargs:
        if name not in known:
            raise Refusal(
                "unknown_argument",
                _lt("Unknown argument %(argument)r.", argument=str(name)[:60]),
            )


def number(kwargs, name, default, maximum, minimum=1):
    """:return: a whole number from ``minimum`` to ``maximum``; ``default`` for none"""
    value = kwargs.get(name)
    if value is None:
        return default
    if type(value) is not int or not minimum <= value <= maximum:
        raise Refusal(
            "malformed_arguments",
            _lt(
                "%(argument)s must be a number from %(least)s to %(most)s.",
                argument=name,
                least=minimum,
                most=maximum,
            ),
        )
    return value


def text(kwargs, name, maximum, needed=False):
    """:return: a text without the blanks around it, ``""`` for none"""
    value = kwargs.get(name)
    if value is None:
        value = ""
    if not isinstance(value, str) or len(value) > maximum or "\0" in value:
        raise Refusal(
            "malformed_arguments",
            _lt(
                "%(argument)s must be text of at most %(most)s characters.",
                argument=name,
                most=maximum,
            ),
        )
    if needed and not value.strip():
        raise Refusal("argument_missing", _lt(shared.SAY_MISSING_PARAMETER, name))
    return value.strip()


def one_record(call):
    """:return: the one record that is read, which exists and its user may see"""
    model = call.model
    guard_words.check_has_records(model)
    record = call.guard.records(model, call.ids)
    if len(record) != 1:
        raise Refusal("one_record_only", _lt("Specify one record."))
    if not record.exists():
        raise no_record(record)
    record.check_access("read")
    return record


def no_record(gone):
    """:param gone: records that do not exist
    :return: what to raise of them
    """
    ids = ", ".join(map(str, gone.ids))
    return Refusal(
        "unknown_record",
        _lt(shared.SAY_NO_RECORD, model=gone._name, id=ids),
        _lt("Use search_records to find ids."),
    )
