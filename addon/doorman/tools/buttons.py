"""Which buttons the form of a record offers now, and what a form asks for.

The form is the one that the connection's user would see: Odoo has taken out what their
groups do not show. Whether a button shows depends on the record, by an expression that
a browser would work out; here it is worked out with the values that this user may read.
"""

import datetime
import re

from lxml import etree

from odoo.exceptions import UserError
from odoo.fields import Date, Datetime

from ..policy import closed_fields, closed_models
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal
from .arguments import one_record, only
from .methods import check_method
from .view_conditions import is_true, names_in

MAX_BUTTONS = 60
MAX_CHOICES = 40
NAME = re.compile(r"^[a-z][a-z0-9_]{1,63}$")
CLICKABLE = re.compile(r"clickable['\"]\s*:\s*['\"]?(1|[Tt]rue)")
CONSTANTS = {"0": False, "False": False, "1": True, "True": True}


def get_actions(guard, model, ids, kwargs):
    """The buttons that a record offers now. Nothing is run.

    :return: ``{name, actions, hidden, status}``
    """
    only(kwargs)
    record = one_record(guard, model, ids)
    form = form_of(model)
    shows = Shows(guard, record)
    actions, hidden = {}, []
    for node in buttons_of(form):
        name = node.get("name")
        state = shows.state(node)
        if state is False:
            hidden.append(name)
        elif name not in actions and len(actions) < MAX_BUTTONS:
            actions[name] = _action(guard, model, node, state)
    return withhold_links_in(
        {
            "name": str(record.display_name or ""),
            "actions": list(actions.values()),
            "hidden": sorted(set(hidden) - actions.keys())[:MAX_BUTTONS],
            "status": _status(guard, record, form, shows),
        }
    )


def form_of(model):
    """The form of a model, as its user sees it; an empty one where there is none."""
    try:
        arch = model.get_view(view_type="form")["arch"]
    except UserError:
        arch = "<form/>"
    return etree.fromstring(arch)


def buttons_of(form):
    """The buttons of a form that call a method of its own record, not those in the
    lists of other records."""
    return [
        node
        for node in form.iter("button")
        if node.get("type") == "object"
        and NAME.fullmatch(node.get("name") or "")
        and not any(True for _field in node.iterancestors("field"))
    ]


def label_of(node):
    """What stands on a button."""
    text = node.get("string") or " ".join("".join(node.itertext()).split())
    return (text or node.get("title") or "")[:100]


def refusal_of(guard, model, name):
    """Why call_method would not take a method; ``""`` if it would."""
    if not guard.may_write(model._name) or model._name in closed_models.WRITE_FIELDS:
        return f"AI tools may not change {model._name}."
    try:
        check_method(guard, model, name, {})
    except Refusal as refusal:
        return refusal.message
    return ""


def _action(guard, model, node, state):
    found = {"method": node.get("name"), "label": label_of(node)}
    if node.get("confirm"):
        found["confirm"] = node.get("confirm")[:500]
    refusal = refusal_of(guard, model, found["method"])
    found["callable"] = not refusal
    if refusal:
        found["why_not"] = refusal
    if state is None:
        found["may_be_hidden"] = True
    if (node.get("context") or "{}").strip() not in ("{}", ""):
        # What the button tells its method besides: a call does without.
        found["has_context"] = True
    return found


def _status(guard, record, form, shows):
    """Where the record stands, and where it may go."""
    for node in form.iter("field"):
        name = node.get("name")
        if node.get("widget") not in ("statusbar", "statusbar_duration"):
            continue
        field = record._fields.get(name)
        if (
            field is None
            or closed_fields.is_withheld(name)
            or shows.state(node) is False
        ):
            continue
        if name not in shows.known:
            continue
        found = {"field": name}
        value = record[name]
        if field.type == "selection":
            choices = field._description_selection(record.env)
            found["value"] = value or None
            found["choices"] = [list(choice) for choice in choices[:MAX_CHOICES]]
        elif field.type == "many2one":
            named = record.read([name])[0][name]
            found["value"] = named and {"id": named[0], "name": named[1]} or None
            found["model"] = field.comodel_name
        # Moved by writing the field, as a person does by a click.
        found["movable"] = bool(CLICKABLE.search(node.get("options") or ""))
        return found
    return None


class Shows:
    """Whether parts of a form show, for one record."""

    def __init__(self, guard, record):
        self.guard = guard
        self.record = record
        self.known = set(record.fields_get(attributes=[]))
        self.values = {}

    def state(self, node):
        """:return: True, False, or None where it cannot be told"""
        found = True
        for part in (node, *node.iterancestors()):
            hidden = self._hidden(part.get("invisible") or "")
            if hidden:
                return False
            if hidden is None:
                found = None
        return found

    def _hidden(self, expression):
        expression = expression.strip()
        if not expression:
            return False
        if expression in CONSTANTS:
            return CONSTANTS[expression]
        return is_true(expression, self._values(names_in(expression)))

    def _values(self, names):
        """What a browser would know by these names. A field that this user may not
        read, or that is withheld, is not known: whether a button shows must not tell of
        it."""
        wanted = {
            name
            for name in names & self.known - self.values.keys()
            if not closed_fields.is_withheld(name)
            and self.record._fields[name].type != "binary"
        }
        if wanted:
            [row] = self.record.read(sorted(wanted), load=None)
            self.values.update({name: _plain(row[name]) for name in wanted})
        env = self.record.env
        return self.values | {
            "uid": env.uid,
            "current_date": str(Date.context_today(self.record)),
            "current_company_id": env.company.id,
            "allowed_company_ids": env.companies.ids,
        }


def _plain(value):
    """A value as a browser has it: dates are texts there."""
    if isinstance(value, datetime.datetime):
        return Datetime.to_string(value)
    if isinstance(value, datetime.date):
        return Date.to_string(value)
    return value
