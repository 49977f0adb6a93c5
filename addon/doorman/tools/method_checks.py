"""Public methods: which a connection may call, and with what.

The arguments of a method belong to no field: nothing is known of them but their name
and what they hold. So they hold no more than data: a number, a text, ids.
"""

import inspect
import re

from odoo.exceptions import AccessError
from odoo.service.model import get_public_method

from ..policy import closed_methods, closed_models, limits
from ..policy.refusal import Refusal, _lt
from ..policy.suggestions import near_hint

METHOD_NAME = re.compile(r"^[a-z][a-z0-9_]{1,63}$")


def check_method(guard, model, name, arguments):
    """:return: the method, if a connection may call it with these arguments"""
    if not isinstance(name, str) or not METHOD_NAME.fullmatch(name):
        raise Refusal(
            "malformed_arguments",
            _lt("The method must be a name such as action_confirm."),
        )
    cls = type(model)
    if (
        closed_methods.is_denied_method(name)
        or _is_orm(guard, name)
        or _is_closed(cls, name)
    ):
        raise _denied(model, name)
    try:
        method = get_public_method(model, name)
    except AccessError as exc:
        raise _denied(model, name) from exc
    except AttributeError as exc:
        raise Refusal(
            "unknown_method",
            _lt("%(model)s has no method %(method)s.", model=model._name, method=name),
            near_hint(name, _callable_names(guard, cls))
            or _lt(
                "Buttons are methods such as action_confirm. Use get_actions to "
                "list them."
            ),
        ) from exc
    if _is_alias(guard, cls, name) or not hasattr(method, "__code__"):
        raise _denied(model, name)
    _check_arguments(model, name, method, arguments)
    return method


def _callable_names(guard, cls):
    """The public methods that may be meant."""
    return [
        name
        for name in dir(cls)
        if METHOD_NAME.fullmatch(name)
        and name not in cls._fields
        and not closed_methods.is_denied_method(name)
        and not _is_orm(guard, name)
        and not _is_closed(cls, name)
        and inspect.isfunction(inspect.getattr_static(cls, name, None))
    ]


def _denied(model, name):
    return Refusal(
        "method_not_allowed",
        _lt(
            "AI tools cannot call %(model)s.%(method)s.",
            model=model._name,
            method=name,
        ),
        _lt("call_method is for business methods, such as what a button does."),
    )


def _is_orm(guard, name):
    """Whether every model has it: what reads and writes any field of any record."""
    return (
        hasattr(guard.env.registry["base"], name)
        and name not in closed_methods.BUSINESS_PRIMITIVES
    )


def _is_closed(cls, name):
    """Whether a model that no connection writes lends its methods to this one."""
    return any(
        name in vars(base)
        and getattr(base, "_name", None)
        and (
            base._name in closed_models.WRITE_FIELDS
            or not closed_models.may_write(base._name)
        )
        for base in cls.__mro__
    )


def _is_alias(guard, cls, name):
    """Whether the name stands for a private or an ORM method."""
    for base in cls.__mro__:
        function = vars(base).get(name)
        if function is None:
            continue
        if isinstance(function, property | classmethod | staticmethod):
            return True
        true_name = getattr(function, "__name__", "_")
        if true_name != name and (
            true_name.startswith("_")
            or closed_methods.is_denied_method(true_name)
            or hasattr(guard.env.registry["base"], true_name)
        ):
            return True
    return False


def refusal_of(guard, model, name):
    """Why call_method would not take a method; ``""`` if it would."""
    if not guard.may_write(model._name) or model._name in closed_models.WRITE_FIELDS:
        return _lt("AI tools cannot change %(model)s.", model=model._name)
    try:
        check_method(guard, model, name, {})
    except Refusal as refusal:
        return refusal.words
    return ""


# ---- arguments ----


def _check_arguments(model, name, method, arguments):
    if not isinstance(arguments, dict):
        raise Refusal(
            "malformed_arguments",
            _lt("The arguments must be an object that maps names to values."),
        )
    if not arguments:
        return
    signature = inspect.signature(method)
    for key, value in arguments.items():
        if not key.isidentifier() or key.startswith("_") or key == "self":
            raise Refusal(
                "unknown_argument",
                _lt("There is no argument %(argument)r.", argument=key[:60]),
            )
        if closed_methods.is_denied_parameter(key):
            raise Refusal(
                "argument_not_allowed",
                _lt(
                    "The argument %(argument)s controls how the method works; only "
                    "data is allowed.",
                    argument=key[:60],
                ),
                _lt("Leave it out, or write the record with update_records."),
            )
        known = signature.parameters.get(key)
        # What is not named lands in **kwargs, which may be the values of a write.
        if known is None or known.kind not in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        ):
            raise Refusal(
                "unknown_argument",
                _lt(
                    "%(method)s has no argument %(argument)r of its own.",
                    method=name,
                    argument=key[:60],
                ),
            )
        if not _is_data(value):
            raise Refusal(
                "malformed_arguments",
                _lt(
                    "The argument %(argument)s must be a number, text, true, false, "
                    "null or a list of ids.",
                    argument=key,
                ),
            )
    try:
        signature.bind(model, **arguments)
    except TypeError as exc:
        raise Refusal(
            "malformed_arguments",
            _lt("%(method)s: %(error)s.", method=name, error=str(exc)),
        ) from exc
    if closed_methods.makes_records(name):
        raise Refusal(
            "method_not_allowed",
            _lt(
                "AI tools cannot call %(model)s.%(method)s with arguments.",
                model=model._name,
                method=name,
            ),
            _lt("Create the record with create_records."),
        )


def _is_data(value):
    """A value that is only itself: nothing in it is searched, written or run."""
    if isinstance(value, list):
        return len(value) <= limits.MAX_COMMANDS and all(
            type(i) is int and 0 < i < 2**31 for i in value
        )
    if isinstance(value, str):
        return len(value) <= closed_methods.MAX_TEXT and "\0" not in value
    if value is None or isinstance(value, bool):
        return True
    # NaN and Infinity are not below it.
    return isinstance(value, int | float) and abs(value) < limits.MAX_NUMBER
