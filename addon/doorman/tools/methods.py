"""``call_method``: a public business method, and what is told of its answer."""

import json
from datetime import date

from lxml import etree

from odoo.models import BaseModel
from odoo.tools import lazy
from odoo.tools.json import json_default
from odoo.tools.misc import ReadonlyDict

from ..policy import closed_methods, closed_models
from ..policy.plain_text import plain
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal
from ..policy.shared import MAX_RECORDS
from ..policy.withhold import withhold
from . import wizards
from .arguments import only
from .changed_records import answer, check_may_change, records_to_change, settle
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
    model = call.model.with_context(lang=env.lang)
    form = model.get_views([(False, "form")])["views"]["form"]["arch"]
    titles = etree.fromstring(form).xpath("//button[@name=$n]/@string", n=name)
    if titles:
        return f"“{plain(titles[0], 60)}” ({name})"
    return env._("Run %s", name)


@operation(
    "call_method",
    tool="call_method",
    method_argument="method",
    reads=False,
    summary=_summary,
    arguments=lambda call: call.describer.tree(call.kwargs.get("kwargs") or {}),
    known_once_done=True,
)
def call_method(call):
    """Run a public business method: what a button does."""
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "method", "kwargs")
    check_may_change(guard, model)
    if model._name in closed_models.WRITE_FIELDS:
        raise Refusal("not_allowed", f"AI tools call no method of {model._name}.")
    name, arguments = kwargs.get("method"), kwargs.get("kwargs") or {}
    method = check_method(guard, model, name, arguments)
    if getattr(method, "_api_model", False):
        if call.ids:
            raise Refusal("invalid_input", f"{name} works on no records: name no ids.")
        records = model
        model.check_access("read")
    else:
        records = records_to_change(call)
        records.check_access("read")
    if name in closed_methods.BUSINESS_PRIMITIVES:
        records.check_access("write")
    if call.dry_run:
        return named(records)
    result = method(records, **arguments)
    settle(guard, records.exists())
    found = answer(guard, records.exists())
    return found | summary(guard, result)


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
            "result_ids": result.ids[:MAX_RECORDS],
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
    try:
        with guard.env.cr.savepoint(flush=False):
            return wizards.describe(guard, action)
    except Exception:  # noqa: BLE001 the method is done: what it opened is only told
        guard.env.cr.execute("SELECT 1")
        return {"model": action["res_model"]}


def _text(result):
    if isinstance(result, bytes):
        return f"({len(result)} bytes)"
    text = json.dumps(withhold(result), ensure_ascii=False, default=as_data)
    if len(text) > MAX_RESULT:
        text = text[:MAX_RESULT] + "..."
    return withhold_links(text)


def as_data(value):
    """What stands for a value that JSON does not know, for ``json.dumps``."""
    if isinstance(value, BaseModel):
        return {"model": value._name, "ids": value.ids[:MAX_RECORDS]}
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, date | lazy | ReadonlyDict):
        return json_default(value)
    return f"({type(value).__name__})"
