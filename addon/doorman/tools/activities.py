"""Something for a person to do, on a record."""

import re

from odoo.exceptions import AccessError
from odoo.fields import Date

from ..policy import in_force, looks
from ..policy.as_person import as_person
from ..policy.plain_text import plain
from ..policy.posted_html import html_of
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_NOTE, MAX_SUMMARY, MAX_TYPE_NAME, MAX_USER_NAME
from ..policy.suggestions import near_hint
from .arguments import only, text
from .changed_records import announce, answer, records_to_change, settle
from .operations import operation
from .preview import named

DATE = re.compile(r"^\d{4}-\d{2}-\d{2}$")


def _summary(words, call):
    said = call.kwargs.get("summary") or call.kwargs.get("activity_type") or ""
    return words.env._(
        "Schedule an activity on %(what)s: “%(words)s”",
        what=words.what,
        words=plain(said, 80),
    )


@operation(
    "activity_schedule",
    tool="schedule_activity",
    reads=False,
    dry_run=True,
    summary=_summary,
)
def activity_schedule(call):
    """Schedule an activity on one record, in the user's own name.

    :return: as a change of that record, with ``activity_id``
    """
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "activity_type", "summary", "note", "date_deadline", "user")
    record = records_to_change(call)
    if len(record) != 1 or not isinstance(
        record, guard.env.registry["mail.activity.mixin"]
    ):
        raise Refusal(
            "no_activities",
            _lt(
                "Specify one record; %(model)s must support activities.",
                model=model._name,
            ),
        )
    record.check_access("read")
    kind = _type(guard, model, kwargs.get("activity_type"))
    user = _user(guard, kwargs.get("user"))
    _may_see(record, user)
    vals = {
        "res_model_id": guard.env["ir.model"]._get_id(model._name),
        "res_id": record.id,
        "activity_type_id": kind.id,
        "summary": text(kwargs, "summary", MAX_SUMMARY) or kind.summary or False,
        "date_deadline": _deadline(kwargs, kind),
        "user_id": user.id,
    }
    note = text(kwargs, "note", MAX_NOTE)
    if note:
        vals["note"] = html_of(guard, note)
    if call.describer:
        return named(record)
    announce(record)
    with in_force.code(guard.env.cr):
        activity = guard.env["mail.activity"].create(vals)
    activity_id = activity.id
    settle(guard, record)
    if call.dry_run:
        [change] = named(record)["changes"]
        change["after"] = {
            "activity_type": kind.name,
            "summary": vals["summary"],
            "date_deadline": vals["date_deadline"],
            "user_id": [user.id, in_force.called(user, user.name)],
        }
        return {"changes": [change]}
    return answer(guard, record) | {"activity_id": activity_id}


def _type(guard, model, name):
    """An activity type by its name, in the user's language or in English."""
    types = guard.env["mail.activity.type"].search(
        [("res_model", "in", [False, model._name])]
    )
    # What asks for approvals is made by asking for one.
    own = guard.env["ir.model.data"]._xmlid_to_res_id(
        "doorman.mail_activity_approval", raise_if_not_found=False
    )
    types = types.filtered(lambda t: t.id != own)
    if name is None or name == "":
        todo = guard.env["ir.model.data"]._xmlid_to_res_id(
            "mail.mail_activity_data_todo", raise_if_not_found=False
        )
        found = types.filtered(lambda t: t.id == todo) or types[:1]
    else:
        wanted = text(
            {"activity_type": name}, "activity_type", MAX_TYPE_NAME
        ).casefold()
        english = types.with_context(lang="en_US")
        found = types.browse(
            [
                t.id
                for t, e in zip(types, english, strict=True)
                if wanted in ((t.name or "").casefold(), (e.name or "").casefold())
            ]
        )[:1]
    if not found:
        raise Refusal(
            "unknown_activity_type",
            _lt(
                "There is no activity type %(activity_type)r for %(model)s.",
                activity_type=str(name)[:60],
                model=model._name,
            ),
            near_hint(str(name), types.mapped("name"), every=True),
        )
    return found


def _user(guard, who):
    """A user by login, name or id; by default the connection's own."""
    users = guard.env["res.users"]
    if who is None or who == "":
        return guard.env.user
    found = users
    if type(who) is int or (isinstance(who, str) and who.isdecimal()):
        found = users.search([("id", "=", min(int(who), 2**31 - 1))])
    else:
        who = text({"user": who}, "user", MAX_USER_NAME)
        if who in (guard.env.user.login, guard.env.user.name):
            return guard.env.user
        # By name it is a search in the users.
        guard.model("res.users")
        ways = {"login": ("=", who), "name": ("=ilike", _literal(who))}
        for name in _told(guard, ways):
            if found := users.search([(name, *ways[name])], limit=6):
                break
    found = found.filtered(lambda u: not u.share)
    if len(found) == 1:
        return found
    if found:
        told = _told(guard, ("login",))
        names = "; ".join(
            f"{u.id} {in_force.name_of(u)}" + (f" ({u.login})" if told else "")
            for u in found[:5]
        )
        raise Refusal(
            "ambiguous_name",
            _lt("More than one user is called %(user)r.", user=str(who)[:60]),
            _lt("Use the login or the id: %(choices)s.", choices=names),
        )
    hint = _lt("Specify a user's login, full name or id; leave it out for yourself.")
    if not str(who).isdecimal() and _told(guard, ("name",)):
        known = users.search([("share", "=", False)], limit=500).mapped("name")
        hint = near_hint(str(who), known) or hint
    raise Refusal(
        "unknown_user", _lt("There is no user %(user)r.", user=str(who)[:60]), hint
    )


def _told(guard, names):
    """Those of some fields of a user that no rule closes: a search for one confirms a
    guess."""
    return [name for name in names if not looks.is_closed(guard, "res.users", name)]


def _literal(name):
    """A name without the meaning that % and _ have in a search."""
    return re.sub(r"([\\%_])", r"\\\1", name)


def _may_see(record, user):
    """An activity shows the name of its record to whom it is for."""
    if user == record.env.user:
        return
    try:
        as_person(record, user).check_access("read")
    except AccessError as exc:
        raise Refusal(
            "user_may_not_read",
            _lt("%(user)s cannot read this record.", user=in_force.name_of(user)),
            _lt("Choose somebody who can."),
        ) from exc


def _deadline(kwargs, kind):
    value = kwargs.get("date_deadline")
    if value is None or value == "":
        return Date.to_string(kind._get_date_deadline())
    try:
        if not isinstance(value, str) or not DATE.fullmatch(value):
            raise ValueError(value)
        return Date.to_string(Date.to_date(value))
    except ValueError as exc:
        raise Refusal(
            "malformed_arguments",
            _lt("date_deadline must be a date such as 2026-12-31."),
        ) from exc
