"""What a button has opened: a wizard that asks for more, or something to look at.

button ── Odoo's action ──┬── a wizard: kept under a handle (gateway/doorman_wizard.py),
                          │   with the context that Odoo's web client would open it with
                          └── anything else: what it is, and the records in it
"""

from dataclasses import dataclass

from odoo.exceptions import UserError
from odoo.models import BaseModel

from ..policy import looks, odoo_words
from ..policy.closed_models import way_around
from ..policy.context_keys import CONTEXT_KEYS
from ..policy.form_state import clock, evaluated, handed_on
from ..policy.plain_text import shortened
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal, in_language
from . import wizard_form, wizard_words
from .changed_records import if_it_can_be_told

MAX_TITLE, MAX_MESSAGE = 200, 500
MAX_RECORDS = 20
# What the present call brings itself.
OURS = (*CONTEXT_KEYS - {"active_test"}, "uid")


@dataclass(frozen=True, kw_only=True)
class Opened:
    """A wizard that Odoo has opened for a connection."""

    # Technical name of its model, and the id of the form that Odoo shows it in; 0 for
    # the model's default one.
    model: str
    view_id: int = 0
    # Of the record, if Odoo has made it already; 0 if not.
    res_id: int = 0
    title: str = ""
    # What it works on: the model and ids of the records whose button was pressed.
    origin: str = ""
    origin_ids: tuple = ()
    # Everything that Odoo has told it, but for the language and the companies, which
    # come from the call that goes on with it.
    context: dict


@dataclass(frozen=True)
class Pressed:
    """What was pressed."""

    guard: object
    # The records whose button it is; empty if the button belongs to no record.
    records: BaseModel
    # What the button carries.
    carries: dict
    # The wizard that it is in, if it is in one: what it works on stays the same.
    wizard: Opened | None = None

    def context(self, action, active=True):
        """The context of an action, merged as the web client does
        (web/static/src/webclient/actions/action_service.js, doActionButton).

        :param bool active: whether the action learns which records were pressed
        """
        records = self.records
        found = handed_on(self.wizard.context if self.wizard else {}) | self.carries
        if active:
            found["active_model"] = records._name
            if records:
                found["active_id"] = records.ids[0]
                found["active_ids"] = records.ids
        own = action.get("context") or {}
        if isinstance(own, str):
            env = records.env
            names = {"uid": env.uid, "context": found, **clock(records)}
            names["allowed_company_ids"] = env.companies.ids
            own = evaluated(own, found | names)
        return {k: v for k, v in (found | own).items() if k not in OURS}


class Followed(dict):
    """An action that a server action has given: it does not learn which records were
    pressed."""

    def __init__(self, action):
        super().__init__(action or {})


def tell(pressed, action, active=True):
    """Tell what a button has opened.

    :param dict action: as Odoo's own code gave it
    :return: ``result`` as text; ``result_model`` and ``result_ids``; ``wizard``
    """
    active = active and not isinstance(action, Followed)
    kind = str(action["type"]).removeprefix("ir.actions.")
    if kind == "act_window_close":
        return {}
    title = str(action.get("name") or action.get("res_model") or kind)
    title = odoo_words.told(pressed.guard.env, title)[:MAX_TITLE]
    found = {"result": f"It opens: {title} ({kind})"}
    if kind == "act_window" and action.get("res_model") in pressed.guard.env:
        found |= _window(pressed, action, title, active)
    elif kind == "client" and isinstance(action.get("params"), dict):
        found = _client(pressed, action["params"], found, active)
    elif kind == "report":
        found["result"] += ". Use get_report to get the document."
    return found


def _client(pressed, params, found, active):
    """A message that is shown, and what comes after it."""
    following = params.get("next")
    if isinstance(following, dict) and following.get("type"):
        found = {"result": ""} | tell(pressed, following, active)
    message = params.get("message")
    if isinstance(message, str):
        said = withhold_links(odoo_words.told(pressed.guard.env, message))
        said = shortened(said, MAX_MESSAGE)
        found["result"] = " ".join(
            filter(None, (found["result"], f"Odoo says: {said}"))
        )
    return found


def _window(pressed, action, title, active):
    guard, model = pressed.guard, pressed.guard.env[action["res_model"]]
    if not guard.may_use(model._name):
        return {
            "result": f"It opens: {title}, of {model._name}, which this connection "
            "cannot use."
        }
    found = {
        "result": f"It opens: {title} ({model._name})",
        "result_model": model._name,
    }
    res_id = action.get("res_id")
    ids = [res_id] if type(res_id) is int and res_id > 0 else []
    if model._transient:
        if not guard.may_write(model._name):
            way = in_language(way_around(model._name))
            way = way or "A person has to continue with it in Odoo."
            found["result"] += f". Nothing is done. {way}"
            return found
        return found | _wizard(pressed, action, title, active, ids, found["result"])
    ids, in_all = (ids, 0) if ids else _listed(pressed, action, active)
    if ids:
        found["result_ids"] = ids
        if in_all > len(ids):
            found["result"] += f". The first {len(ids)} of {in_all} are in result_ids"
    elif _is_form(action) and guard.may_write(model._name):
        defaults = _defaults(pressed, action, active)
        found["result"] += ". Create it with create_records"
        if defaults:
            found["result"] += ", with these values"
            found["result_values"] = defaults
    return found


def _wizard(pressed, action, title, active, ids, result):
    guard, records = pressed.guard, pressed.records
    opened = Opened(
        model=action["res_model"],
        view_id=_view_of(guard.env, action),
        res_id=ids[0] if ids else 0,
        title=title,
        origin=pressed.wizard.origin if pressed.wizard else records._name,
        origin_ids=(
            pressed.wizard.origin_ids if pressed.wizard else tuple(records.ids)
        ),
        context=pressed.context(action, active),
    )
    try:
        with guard.env.cr.savepoint(), odoo_words.held(guard.env):
            told = wizard_form.Form(guard, opened).describe()
    except Exception as exc:  # noqa: BLE001 the press is done: what it opened is only told
        guard.env.invalidate_all(flush=False)
        guard.env.cr.execute("SELECT 1")
        return {"result": f"{result}, which cannot be continued here: {_why(exc)}"}
    handle = guard.env["doorman.wizard"]._keep(guard.connection, opened)
    if not handle:
        return {"result": f"{result}. A person has to continue with it in Odoo."}
    return {
        "result": f"{result}. Nothing is done until it is confirmed: use call_method "
        "with this wizard's handle, the values to change, and one of its methods.",
        "wizard": {"handle": handle} | told,
    }


def _why(exc):
    """Why a wizard does not open, in words for the caller."""
    if isinstance(exc, Refusal):
        return exc.message
    if isinstance(exc, UserError):
        return str(exc)[:MAX_MESSAGE]
    return "Odoo's own code fails."


def _view_of(env, action):
    """The form that an action opens; 0 if it does not say."""
    for view in action.get("views") or ():
        if isinstance(view, list | tuple) and len(view) == 2 and view[1] == "form":
            return view[0] or 0
    view = action.get("view_id")
    if isinstance(view, list | tuple):
        view = view and view[0]
    if type(view) is not int or not view:
        return 0
    return view if env["ir.ui.view"].sudo().browse(view).type == "form" else 0


def _is_form(action):
    views = action.get("views") or ()
    first = views[0][1] if views else str(action.get("view_mode") or "").split(",")[0]
    return first == "form"


def _listed(pressed, action, active):
    """The records that a list would show: the first of them, and how many there are.

    Only their ids, and none of a model that waits for a person when it is read.
    """
    guard = pressed.guard
    model = guard.env[action["res_model"]]
    domain = action.get("domain")
    if not domain or model._name in guard.asks_to_read:
        return [], 0

    def search():
        where = domain
        if isinstance(domain, str):
            context = pressed.context(action, active)
            names = context | clock(model) | {"context": context}
            where = list(evaluated(domain, names | {"uid": guard.env.uid}))
        owner = guard.owner_domain(model) or []
        where = [*owner, *where]
        ids = model.search(where, limit=MAX_RECORDS + 1).ids
        in_all = model.search_count(where) if len(ids) > MAX_RECORDS else len(ids)
        return ids[:MAX_RECORDS], in_all

    return if_it_can_be_told(guard.env, search) or ([], 0)


def _defaults(pressed, action, active):
    """What the record that a form is for would start with, as the action says."""
    guard = pressed.guard
    model = guard.env[action["res_model"]]
    found = {}
    for key, value in pressed.context(action, active).items():
        field = model._fields.get(key.removeprefix("default_"))
        if not key.startswith("default_") or field is None or value in (None, False):
            continue
        if field.relational and not guard.may_use(field.comodel_name):
            continue
        if looks.is_closed(guard, model._name, field.name):
            continue
        if not isinstance(value, str | int | float | list) or field.type == "binary":
            continue
        if field.type in wizard_words.FILLED_IN:
            if odoo_words.filled_in(guard.env, value) != value:
                continue
        found[field.name] = value
    return found
