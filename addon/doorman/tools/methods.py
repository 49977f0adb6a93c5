"""Public methods: which a connection may call, with what, and what it sees of it.

The arguments of a method belong to no field: nothing is known of them but their name
and what they hold. So they hold no more than data: a number, a text, ids.
"""

import inspect
import json
import re
from datetime import date

from odoo.exceptions import AccessError
from odoo.models import BaseModel
from odoo.service.model import get_public_method
from odoo.tools import lazy
from odoo.tools.json import json_default
from odoo.tools.misc import ReadonlyDict

from ..policy import closed_methods, closed_models
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal
from ..policy.suggestions import near_hint

NAME = re.compile(r"^[a-z][a-z0-9_]{1,63}$")
MAX_RESULT = 4_000


def check_method(guard, model, name, arguments):
    """:return: the method, if a connection may call it with these arguments"""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise Refusal("invalid_input", "The method is a name such as action_confirm.")
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
            "invalid_input",
            f"{model._name} has no method {name}.",
            near_hint(name, _callable_names(guard, cls))
            or "Buttons are methods such as action_confirm; get_actions lists them.",
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
        if NAME.fullmatch(name)
        and name not in cls._fields
        and not closed_methods.is_denied_method(name)
        and not _is_orm(guard, name)
        and not _is_closed(cls, name)
        and inspect.isfunction(inspect.getattr_static(cls, name, None))
    ]


def _denied(model, name):
    return Refusal(
        "not_allowed",
        f"{model._name}.{name} is not called for AI tools.",
        "call_method is for business methods, such as what a button does.",
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


# ---- arguments ----


def _check_arguments(model, name, method, arguments):
    if not isinstance(arguments, dict):
        raise Refusal("invalid_input", "The arguments are an object, by their names.")
    if not arguments:
        return
    signature = inspect.signature(method)
    for key, value in arguments.items():
        if not key.isidentifier() or key.startswith("_") or key == "self":
            raise Refusal("invalid_input", f"There is no argument {key[:60]!r}.")
        if closed_methods.is_denied_parameter(key):
            raise Refusal(
                "not_allowed",
                f"The argument {key[:60]} tells a method more than data.",
                "Leave it out, or write the record with update_records.",
            )
        known = signature.parameters.get(key)
        # What is not named lands in **kwargs, which may be the values of a write.
        if known is None or known.kind not in (
            inspect.Parameter.POSITIONAL_OR_KEYWORD,
            inspect.Parameter.KEYWORD_ONLY,
        ):
            raise Refusal(
                "invalid_input", f"{name} has no argument {key[:60]!r} of its own."
            )
        if not _is_data(value):
            raise Refusal(
                "invalid_input",
                f"The argument {key} is a number, a text, true, false, null or a list "
                "of ids.",
            )
    try:
        signature.bind(model, **arguments)
    except TypeError as exc:
        raise Refusal("invalid_input", f"{name}: {exc}.") from exc
    if closed_methods.makes_records(name):
        raise Refusal(
            "not_allowed",
            f"{model._name}.{name} is not called with arguments for AI tools.",
            "Make the record with create_records.",
        )


def _is_data(value):
    """A value that is only itself: nothing in it is searched, written or run."""
    if isinstance(value, list):
        return len(value) <= closed_models.MAX_COMMANDS and all(
            type(i) is int and 0 < i < 2**31 for i in value
        )
    if isinstance(value, str):
        return len(value) <= closed_methods.MAX_TEXT and "\0" not in value
    if value is None or isinstance(value, bool):
        return True
    # NaN and Infinity are not below it.
    return isinstance(value, int | float) and abs(value) < closed_models.MAX_NUMBER


# ---- results ----


def summary(guard, result):
    """What a method answered, in a form that tells no more than it should.

    :return: ``result`` as text, ``result_model`` and ``result_ids``
    """
    if isinstance(result, BaseModel):
        if not guard.may_use(result._name):
            return {"result": f"{len(result)} records of {result._name}"}
        return {
            "result": f"{len(result)} records of {result._name}",
            "result_model": result._name,
            "result_ids": result.ids[: closed_models.MAX_RECORDS],
        }
    if result is None or isinstance(result, bool | int | float):
        return {"result": json.dumps(result)}
    if isinstance(result, dict) and str(result.get("type", "")).startswith("ir.act"):
        return _action(guard, result)
    if guard.allowed is not None:
        # It may hold anything of any model.
        return {"result": "(not shown: this connection is limited to some models)"}
    return {"result": _text(result)}


def _action(guard, action):
    """A method that opens something: what it opens."""
    kind = str(action["type"]).removeprefix("ir.actions.")
    model = str(action.get("res_model") or "")
    title = str(action.get("name") or model or kind)
    found = {"result": f"It opens: {title[:200]} ({kind})"}
    if kind == "act_window" and model in guard.env and guard.may_use(model):
        found["result_model"] = model
        if type(action.get("res_id")) is int and action["res_id"] > 0:
            found["result_ids"] = [action["res_id"]]
        if guard.env[model]._transient and guard.may_write(model):
            found["wizard"] = _wizard(guard, action)
            found["result"] += (
                ". It asks for more: "
                + ("update" if "result_ids" in found else "create")
                + f" a record of {model} with the values of wizard and your own, then "
                "call its method."
            )
        elif action.get("target") == "new":
            found["result"] += ". A person has to go on with it in Odoo."
    elif kind == "client" and isinstance(action.get("params"), dict):
        message = action["params"].get("message")
        if isinstance(message, str):
            found["result"] += f": {withhold_links(message)[:500]}"
    return found


def _wizard(guard, action):
    # opened looks for methods that may be called, and so imports this.
    from .wizards import describe

    try:
        with guard.env.cr.savepoint(flush=False):
            return describe(guard, action)
    except Exception:  # noqa: BLE001 the method is done: what it opened is only told
        guard.env.cr.execute("SELECT 1")
        return {"model": action["res_model"]}


def _text(result):
    from ..models.audit.doorman_audit import withhold

    if isinstance(result, bytes):
        return f"({len(result)} bytes)"
    text = json.dumps(withhold(result), ensure_ascii=False, default=_default)
    if len(text) > MAX_RESULT:
        text = text[:MAX_RESULT] + "..."
    return withhold_links(text)


def _default(value):
    if isinstance(value, BaseModel):
        return {"model": value._name, "ids": value.ids[: closed_models.MAX_RECORDS]}
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, date | lazy | ReadonlyDict):
        return json_default(value)
    return f"({type(value).__name__})"
