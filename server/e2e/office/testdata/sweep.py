"""Presses every visible button of every form, and every button of each wizard that opens,
as call_method does it, each in a savepoint that is undone.

Gives ``out["rows"]``: a line for each, with what came of it.
"""
import collections
import logging
import re

from odoo.addons.doorman.policy.change_scope import Trial, writing
from odoo.addons.doorman.policy.form_state import FormState
from odoo.addons.doorman.policy.guard import Guard
from odoo.addons.doorman.policy.refusal import Refusal
from odoo.addons.doorman.tools.call import call_of, run
from odoo.exceptions import UserError

logging.disable(logging.CRITICAL)
RECORDS = 40
# A person's word for a field that a wizard requires, by its type; what is chosen is the
# first that there is.
WORDS = {"char": "why", "text": "why", "html": "why", "date": "2031-12-01", "datetime": "2031-12-01 10:00:00"}
# What a person comes to change in a wizard: as it opens, these would do nothing, or say so.
FILLED = {
    "sale.order.discount": {"discount_percentage": 0.1},
    "change.production.qty": {"product_qty": 7},
    "stock.return.picking": {"product_return_moves": [{"row": 0, "quantity": 1}]},
}
user = env(user=env.ref("base.user_admin").id, su=False, context={"lang": "en_US"})
guard = Guard(user, None, connection=1)


class Undo(Exception):
    pass


def undone(work):
    """What came of some work, which is then undone."""
    found = []
    try:
        with env.cr.savepoint():
            found.append(work())
            raise Undo
    except Undo:
        pass
    except Refusal as exc:
        found.append(("refused", exc.message))
    except UserError as exc:
        found.append(("Odoo says", str(exc)))
    except Exception as exc:  # noqa: BLE001 it is told
        found.append(("fails", f"{type(exc).__name__}: {exc}"))
    env.registry.reset_changes()
    return found[-1]


def call(model, ids, method, **kwargs):
    """What call_method gives, and how much has changed."""
    request = {"model": model, "method": "call_method", "ids": ids, "kwargs": {"method": method, **kwargs}}
    with writing(user, Trial()) as noted:
        value = run(call_of(guard, request))
        user.flush_all()
        noted.close()
    return value, len(noted.changes())


def pressed(model, ids, button, method):
    value, changes = call(model, ids, method, **({"button": button.label} if button.label else {}))
    if "wizard" not in value:
        return verdict(value, changes)
    wizard = value["wizard"]
    if not wizard["methods"]:
        return "only shows something", wizard["model"]
    for name in [m["method"] for m in wizard["methods"]]:
        tell((wizard["model"], name, f"from {model} {method}"), undone(lambda name=name: filled(wizard, name)))
    return "opens a wizard", wizard["model"]


def filled(wizard, name):
    values = dict(FILLED.get(wizard["model"], {}))
    for field in wizard["fields"]:
        if field.get("required") and wizard["values"].get(field["name"]) in (None, []):
            values[field["name"]] = some(field)
    value, changes = call(wizard["model"], None, name, wizard=wizard["handle"], values=values)
    if "wizard" in value:
        return "opens a wizard", value["wizard"]["model"]
    if name == "save" and not changes:
        return "only shows something", ""
    return verdict(value, changes)


def some(field):
    if field["type"] == "selection":
        return field["choices"][0][0]
    if field["type"] in ("many2one", "many2many"):
        found = user[field["relation"]].search([], limit=1).id
        return found if field["type"] == "many2one" else [found]
    return WORDS.get(field["type"], 1)


def verdict(value, changes):
    result = value.get("result", "")
    if "person" in result or "cannot be gone on" in result:
        return "needs a person", result
    if changes:
        return "works", ""
    if value.get("result_model"):
        return "opens", value["result_model"]
    return ("opens", result) if result else ("nothing", "")


rows = collections.OrderedDict()


def tell(key, found):
    """Numbers and names differ from day to day."""
    word, why = found
    why = re.sub(r"[0-9]+", "N", " ".join(why.split()))[:160]
    rows.setdefault(key, []).append(f"{word}: {why}" if why else word)


def sweep(name):
    views = user["ir.ui.view"]
    view = views._doorman_form(name)
    done = set()
    for record in user[name].with_context(active_test=False).search([], limit=RECORDS, order="id desc"):
        state = FormState(record.with_context(active_test=True))
        for button in view.buttons:
            method = button.method
            if button.kind == "save" or (method, button.label) in done or state.shows(button) is not True:
                continue
            done.add((method, button.label))
            tell((name, method, button.label), undone(lambda r=record, b=button, m=method: pressed(name, [r.id], b, m)))


for name in sorted(env.registry):
    model = user[name]
    if model._abstract or model._transient or not model._auto or not guard.may_use(name) or not guard.may_write(name):
        continue
    if model.has_access("read"):
        sweep(name)
env.cr.rollback()
out["rows"] = [" | ".join(map(str, key)) + "\t" + found for key, all_ in rows.items() for found in dict.fromkeys(all_)]
