"""``call_method``: a public business method, and what is said about its answer."""

import json
from datetime import date

from odoo.models import BaseModel
from odoo.tools import lazy
from odoo.tools.json import json_default
from odoo.tools.misc import ReadonlyDict

from ..policy import closed_methods, closed_models
from ..policy.form_view import SAVE
from ..policy.plain_text import plain, shortened
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_RECORDS
from ..policy.values import Values
from ..policy.withhold import withhold
from . import opened, press
from .arguments import only
from .button_names import is_action
from .buttons import next_actions
from .changed_records import (
    answer,
    check_may_change,
    if_it_can_be_told,
    records_to_change,
    settle,
)
from .method_checks import check_method
from .operations import operation
from .preview import named

MAX_RESULT = 4_000


def _summary(words, call):
    do = _button(words.env, call)
    if not words.names:
        return words.env._("%(do)s (%(model)s)", do=do, model=words.model)
    return words.env._("%(do)s: %(what)s", do=do, what=words.what)


def _button(env, call):
    """What a method is called on its button, if it has one."""
    name = call.kwargs["method"]
    views, view_id = call.env["ir.ui.view"].with_context(lang=env.lang), 0
    if call.kwargs.get("wizard"):
        view_id = _wizard_of(call).view_id
    for button in views._doorman_form(call.model._name, view_id).buttons:
        if button.label and button.method == name:
            return f"“{plain(button.label, 60)}” ({name})"
    prefix, _underscore, words = name.partition("_")
    if prefix in ("action", "button") and words:
        return f"“{words.replace('_', ' ').capitalize()}” ({name})"
    return env._("Run %s", name)


def _wizard_of(call):
    wizards = call.env["doorman.wizard"]
    return wizards._find(call.guard.connection, call.kwargs["wizard"])


def _works_on(env, kwargs):
    """What the wizard of a call works on; and its own record with its lines, where Odoo
    has made that already: these can be written without any of its buttons."""
    if not kwargs.get("wizard"):
        return []
    found = env["doorman.wizard"]._of(kwargs["wizard"])
    if not found:
        return []
    some = [(found.origin, found.origin_ids)] if found.origin_ids else []
    # sudo: only their versions are compared.
    made = env[found.model].sudo().browse(found.res_id or ()).exists()
    lines = [f for f in made._fields.values() if f.type == "one2many" and f.store]
    parts = [made, *(made[field.name] for field in lines if made)]
    return some + [(part._name, part.ids) for part in parts if part]


def _arguments(call):
    """What was asked for: the arguments, or what a wizard is filled in with."""
    tree = call.describer.tree
    found = list(tree(call.kwargs.get("kwargs") or {}))
    if call.kwargs.get("wizard"):
        for name, value in (call.kwargs.get("values") or {}).items():
            if _is_rows(call.model, name):
                label = call.describer.label(call.model, name)
                found.append({"label": label, "rows": tree(value)})
            else:
                found += call.describer.values(call.model, {name: value})
    return found


def _resolved(call):
    """The arguments, with names in a wizard's values turned into the records that they
    stand for: a person decides on those."""
    kwargs, values = call.kwargs, call.kwargs.get("values")
    if not kwargs.get("wizard") or not isinstance(values, dict):
        return kwargs
    checked = {
        name: value
        if _is_rows(call.model, name) or name not in call.model._fields
        else Values(call.guard, sent=False).check(call.model, {name: value})[name]
        for name, value in values.items()
    }
    return kwargs | {"values": checked}


def _is_rows(model, name):
    """Whether a field of a wizard is a list, which is filled in row by row."""
    return name in model._fields and model._fields[name].type == "one2many"


@operation(
    "call_method",
    tool="call_method",
    method_argument="method",
    reads=False,
    summary=_summary,
    resolve=_resolved,
    arguments=_arguments,
    works_on=_works_on,
    known_once_done=True,
)
def call_method(call):
    """Run a public business method: what a button does. With ``wizard``, fill in that
    wizard with ``values`` and press its button."""
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "method", "kwargs", "wizard", "values", "button")
    check_may_change(guard, model)
    if model._name in closed_models.WRITE_FIELDS:
        raise Refusal(
            "method_not_allowed",
            _lt("AI tools cannot call methods of %(model)s.", model=model._name),
        )
    if kwargs.get("wizard"):
        return _in_wizard(call)
    if kwargs.get("values"):
        raise Refusal(
            "values_not_taken",
            _lt("Values are for a wizard: send its handle as wizard."),
            _lt("Change the values of a record with update_records."),
        )
    name, arguments = kwargs.get("method"), kwargs.get("kwargs") or {}
    records = _records(call, name, arguments)
    if call.dry_run:
        return named(records)
    label = kwargs.get("button") or ""
    result, pressed = press.on_records(guard, records, name, arguments, str(label))
    records = records.exists()
    settle(guard, records)
    found = answer(guard, records) | summary(pressed, result)
    return found | _next(guard, records, found)


def _records(call, name, arguments):
    """The records that a method or an action is for."""
    guard, model = call.guard, call.model
    if not is_action(name):
        method = check_method(guard, model, name, arguments)
        if getattr(method, "_api_model", False):
            if call.ids:
                raise Refusal(
                    "ids_not_taken",
                    _lt(
                        "%(method)s does not work on records: leave the ids out.",
                        method=name,
                    ),
                )
            model.check_access("read")
            return model
    records = records_to_change(call)
    records.check_access("read")
    if name in closed_methods.BUSINESS_PRIMITIVES:
        records.check_access("write")
    return records


def _in_wizard(call):
    kwargs, guard = call.kwargs, call.guard
    if call.ids:
        raise Refusal(
            "ids_not_taken",
            _lt(
                "A wizard works on the records that it was opened for: leave "
                "the ids out."
            ),
        )
    found = _wizard_of(call)
    if found.model != call.model._name:
        raise Refusal(
            "wrong_wizard", _lt("This is a wizard of %(model)s.", model=found.model)
        )
    if call.dry_run:
        origin = call.env[found.origin]
        ids = list(found.origin_ids)
        return named(guard.records(origin, ids, write=True)) if ids else named(origin)
    result, pressed = press.in_wizard(
        guard,
        found,
        kwargs.get("method") or SAVE,
        kwargs.get("values") or {},
        kwargs.get("kwargs") or {},
    )
    settle(guard, call.model)
    told = {"ids": [], "names": []} | summary(pressed, result)
    if "result_model" not in told:
        told |= _worked_on(guard, found)
    return told | _next(guard, call.model, told)


def _worked_on(guard, wizard):
    """The records that a wizard was opened for, as what to look at: it shows none of
    its own, and without them its caller would not know the next step."""
    if not guard.may_use(wizard.origin):
        return {}

    def look():
        records = guard.env[wizard.origin].browse(wizard.origin_ids[:MAX_RECORDS])
        return records.exists()._filtered_access("read").ids

    ids = if_it_can_be_told(guard.env, look)
    return {"result_model": wizard.origin, "result_ids": ids} if ids else {}


def _next(guard, records, found):
    """What the record offers now that a button was pressed, or the one to look at."""
    opens = found.get("result_model")
    if opens:
        records = guard.env[opens].browse(found.get("result_ids"))
    return {} if "wizard" in found else next_actions(guard, records)


# ---- results ----


def summary(pressed, result):
    """What a method answered, in a form that tells no more than it should. That it has
    answered true, or nothing, says nothing: what has changed is told by the ledger.

    :return: ``result`` as text, ``result_model`` and ``result_ids``; ``wizard``
    """
    guard = pressed.guard
    if result is None or isinstance(result, bool):
        return {}
    if isinstance(result, BaseModel):
        if not guard.may_use(result._name):
            return {"result": f"{len(result)} records of {result._name}"}
        return {
            "result": f"{len(result)} records of {result._name}",
            "result_model": result._name,
            "result_ids": result.ids[:MAX_RECORDS],
        }
    if isinstance(result, int | float) and guard.rules is None:
        return {"result": json.dumps(result)}
    if isinstance(result, dict):
        if str(result.get("type", "")).startswith("ir.act"):
            return opened.tell(pressed, result)
        if not result:
            return {}
    if guard.allowed is not None or guard.rules is not None:
        # It may hold anything of any model.
        return {"result": "(not shown: this connection is limited to some models)"}
    return {"result": _text(result)}


def _text(result):
    if isinstance(result, bytes):
        return f"({len(result)} bytes)"
    text = json.dumps(withhold(result), ensure_ascii=False, default=as_data)
    return shortened(withhold_links(text), MAX_RESULT)


def as_data(value):
    """What stands for a value that JSON does not know, for ``json.dumps``."""
    if isinstance(value, BaseModel):
        return {"model": value._name, "ids": value.ids[:MAX_RECORDS]}
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, date | lazy | ReadonlyDict):
        return json_default(value)
    return f"({type(value).__name__})"
