"""What the form of one record knows: whether a part of it shows, and what a button
carries. A browser works that out; here it is done with the values that this user may
read."""

import datetime

from odoo.fields import Date, Datetime
from odoo.models import BaseModel
from odoo.tools.safe_eval import datetime as safe_datetime
from odoo.tools.safe_eval import dateutil, safe_eval, time

from . import closed_fields
from .form_view import ALWAYS, NEVER
from .refusal import Refusal, _lt
from .view_conditions import is_true, names_in

# What Odoo's web client leaves out of a context that it hands on
# (web/static/src/webclient/actions/action_service.js, CTX_KEY_REGEX).
NOT_HANDED_ON = ("default_", "search_default_", "show_")
NOT_HANDED_ON_NAMES = ("group_by", "active_id", "active_ids", "orderedBy")


class FormState:
    """:param record: one record, which may be a new one that is being filled in
    :param rules: the rules per model of the connection that is told what shows, which
        must not tell of the fields that they close
    """

    def __init__(self, record, rules=None):
        self.record = record
        self.rules = rules
        self._values = {}

    def forget(self):
        """The record has changed."""
        self._values = {}

    def shows(self, part):
        """:param part: what has conditions under which it is hidden (form_view.py)
        :return: True, False, or None where it cannot be told
        """
        found = True
        for expression in part.hidden:
            hides = self.holds(expression)
            if hides:
                return False
            if hides is None:
                found = None
        return found

    def holds(self, expression):
        """Whether a condition holds; None where that cannot be told."""
        if expression in ALWAYS:
            return True
        return is_true(expression, self._names(names_in(expression), withheld=False))

    def is_readonly(self, node):
        """Whether one place of a field only shows it."""
        if node.readonly in NEVER:
            return (
                self.record._fields[node.name].readonly if not node.readonly else False
            )
        return node.readonly in ALWAYS or bool(self.holds(node.readonly))

    def is_sent(self, node):
        """Whether a save sends a field, as Odoo's web client decides it
        (web/static/src/model/relational_model/utils.js, patchActiveFields)."""
        return any(
            place.force_save or not self.is_readonly(place) for place in node.places
        )

    def context_of(self, text):
        """What a button's context comes to, as the web client works it out.

        :param str text: an expression
        :raise Refusal: if it needs what only a browser knows
        """
        if text in ("", "{}"):
            return {}
        found = evaluated(text, self._names(names_in(text)) | clock(self.record))
        return found if isinstance(found, dict) else {}

    def _names(self, names, withheld=True):
        """What a browser would know by these names.

        :param bool withheld: whether fields that never leave Odoo are known, too:
            whether a button shows must not tell of them
        """
        for name in names & self.record._fields.keys() - self._values.keys():
            field = self.record._fields[name]
            if field.type != "binary" and self.record._has_field_access(field, "read"):
                self._values[name] = _plain(self.record, name)
        env = self.record.env
        return {
            name: value
            for name, value in self._values.items()
            if withheld or not self._is_closed(name)
        } | {
            "id": self.record._origin.id or False,
            "uid": env.uid,
            "context": dict(env.context),
            "current_date": str(Date.context_today(self.record)),
            "current_company_id": env.company.id,
            "allowed_company_ids": env.companies.ids,
            "active_id": self.record._origin.id or False,
            "active_ids": self.record._origin.ids,
            "active_model": self.record._name,
        }

    def _is_closed(self, name):
        if closed_fields.is_withheld(name):
            return True
        return self.rules is not None and bool(
            self.rules.closed(self.record._name, name)
        )


def _plain(record, name):
    """A value as a browser has it: ids for records, texts for dates."""
    field = record._fields[name]
    value = record[name]
    if field.relational:
        ids = value._origin.ids
        return (ids or [False])[0] if field.type == "many2one" else ids
    if isinstance(value, BaseModel):  # of a reference
        return f"{value._name},{value.id}"
    if isinstance(value, datetime.datetime):
        return Datetime.to_string(value)
    if isinstance(value, datetime.date):
        return Date.to_string(value)
    return value


def evaluated(text, names):
    """Work out a context or domain that somebody has written into a view or an action.

    :param str text: an expression
    :param dict names: what it may name
    :raise Refusal: if it cannot be worked out
    """
    try:
        return safe_eval(text, dict(names))
    except Exception as exc:  # noqa: BLE001 whatever an expression may raise
        raise Refusal(
            "button_needs_screen",
            _lt("Only Odoo's own screen knows what this button sends."),
            _lt("A person has to press it in Odoo."),
        ) from exc


def clock(record):
    """The words for time, and for true and false, that a browser has."""
    return {
        "time": time,
        "datetime": safe_datetime,
        "relativedelta": dateutil.relativedelta.relativedelta,
        "context_today": lambda: Date.context_today(record),
        "today": str(Date.context_today(record)),
        "true": True,
        "false": False,
        "null": None,
    }


def handed_on(context):
    """What is left of a context where something else opens."""
    return {
        key: value
        for key, value in context.items()
        if not key.startswith(NOT_HANDED_ON)
        and not key.endswith("_view_ref")
        and key not in NOT_HANDED_ON_NAMES
    }
