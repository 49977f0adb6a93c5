"""What a method has opened, when it is a wizard: what it asks, and how to go on."""

import json

from odoo.tools.json import json_default

from ..policy import closed_fields, closed_models
from ..policy.redact_links import withhold_links_in
from .buttons import buttons_of, form_of, label_of, refusal_of

MAX_FIELDS = 25
MAX_CHOICES = 20
MAX_BUTTONS = 10
MAX_DEFAULT = 400
ALWAYS = ("1", "True")
# Other kinds of values are long, or not sent.
KINDS = (
    *("boolean", "integer", "float", "monetary", "char", "text", "date", "datetime"),
    *("selection", "many2one", "one2many", "many2many"),
)


def describe(guard, action):
    """The values that a wizard would start with, the fields that a person could fill
    in its form, and its buttons. Nothing is made.

    :param dict action: as Odoo's own code gave it
    :return: ``{model, values, fields, methods}``
    """
    model = guard.env[action["res_model"]]
    form = form_of(model)
    shown, hidden = [], set()
    for node in form.iter("field"):
        if not any(True for _outer in node.iterancestors("field")):
            shown.append(node.get("name"))
            if node.get("invisible") in ALWAYS:
                hidden.add(node.get("name"))
    known = model.fields_get(
        attributes=["type", "string", "required", "relation", "selection", "readonly"]
    )
    names = [
        name
        for name in dict.fromkeys(shown)
        if name in known
        and known[name]["type"] in KINDS
        and not closed_fields.is_withheld(name)
    ]
    defaults = _defaults(guard, model, action, names)
    rows = [
        _field(name, known[name])
        for name in names
        if name not in hidden and not known[name]["readonly"]
    ]
    methods = []
    for node in buttons_of(form):
        entry = {"method": node.get("name"), "label": label_of(node)}
        if entry not in methods and not refusal_of(guard, model, entry["method"]):
            methods.append(entry)
    return withhold_links_in(
        {
            "model": model._name,
            "values": defaults,
            "fields": rows[:MAX_FIELDS],
            "methods": methods[:MAX_BUTTONS],
        }
    )


def _field(name, attributes):
    row = {"name": name, "type": attributes["type"], "label": attributes["string"]}
    for key in ("required", "relation"):
        if attributes.get(key):
            row[key] = attributes[key]
    if isinstance(attributes.get("selection"), list):
        row["choices"] = [list(c) for c in attributes["selection"][:MAX_CHOICES]]
    return row


def _defaults(guard, model, action, names):
    """What the wizard would start with, worked out by its own code from the records
    that it was opened on. A connection that is limited to some models gets only ids of
    those: the rest may be of any."""
    context = action.get("context")
    if not isinstance(context, dict):
        context = {}
    opened = model.with_context({**context, **_ours(guard)})
    try:
        with guard.env.cr.savepoint(flush=False):
            values = opened.default_get(names)
    except Exception:  # noqa: BLE001 the method is done: what it opened is only told
        guard.env.cr.execute("SELECT 1")
        return {}
    found = {}
    for name, value in values.items():
        field = model._fields.get(name)
        if field is None or name not in names or value in (None, ""):
            continue
        if field.relational and not guard.may_use(field.comodel_name):
            continue
        if guard.allowed is not None and not field.relational:
            continue
        text = json.dumps(value, default=json_default)
        if len(text) <= MAX_DEFAULT:
            found[name] = json.loads(text)
    return found


def _ours(guard):
    """The keys that hold the call to its companies and its language stay."""
    kept = guard.env.context
    return {key: kept[key] for key in closed_models.CONTEXT_KEYS if key in kept}
