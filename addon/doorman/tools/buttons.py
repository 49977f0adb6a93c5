"""Which buttons the form of a record offers now.

The form is the one that the connection's user would see: Odoo has taken out what their
groups do not show. Whether a button shows depends on the record, by an expression that
a browser would work out; here it is worked out with the values that this user may read.
"""

import datetime
import re

from odoo.fields import Date, Datetime

from ..policy import closed_fields
from ..policy.redact_links import withhold_links_in
from .arguments import one_record, only
from .form_view import buttons_of, form_of, label_of
from .method_checks import refusal_of
from .operations import operation
from .view_conditions import is_true, names_in

MAX_BUTTONS = 60
MAX_CHOICES = 40
CLICKABLE = re.compile(r"clickable['\"]\s*:\s*['\"]?(1|[Tt]rue)")
CONSTANTS = {"0": False, "False": False, "1": True, "True": True}


@operation("get_actions", tool="get_actions", reads=True)
def get_actions(call):
    """The buttons that a record offers now. Nothing is run.

    :return: ``{name, actions, hidden, status}``
    """
    only(call.kwargs)
    guard, model = call.guard, call.model
    record = one_record(call)
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
