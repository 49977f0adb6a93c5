"""``undo_change``: what a change of this connection has changed, put back as it was.

change_id ── kept, and not undone yet ── can it be undone at all? ── are the records as
it left them? ── the old values, checked as any values that a connection sends ──
records that it made are deleted, and nothing that came since goes with them ──
what is still not as before: told, or refused

It is a change like any other: policy, approval rules, ledger and audit hold, as they
are now.
"""

from odoo.exceptions import AccessError, UserError

from ..policy import ledger, stored, undo_values
from ..policy.ledger import CREATED, DELETED, WRITTEN
from ..policy.refusal import Refusal, _lt, at
from ..policy.undo_values import SENT
from ..policy.values import Values
from ..policy.writable_fields import check
from . import undo_words
from .arguments import only
from .changed_records import check_may_change, settle
from .operations import operation


def _summary(words, call):
    kept = call.env["doorman.undo"]._find(call.guard.connection, call.kwargs["change"])
    return undo_words.summary(words.env, kept)


def _arguments(call):
    kept = call.env["doorman.undo"]._find(call.guard.connection, call.kwargs["change"])
    return [undo_words.argument(call.describer.env, kept)]


@operation(
    "undo_change",
    tool="undo_change",
    needs_model=False,
    reads=False,
    dry_run=True,
    undoable=True,
    summary=_summary,
    arguments=_arguments,
)
def undo_change(call):
    """Undo the change ``change``. With ``partly`` also if some of it stays.

    :return: ``{undone, ids, stays}``
    """
    guard, env, kwargs = call.guard, call.env, call.kwargs
    only(kwargs, "change", "partly")
    if kwargs.get("partly") not in (None, True, False):
        raise Refusal("malformed_arguments", _lt("partly must be true or false."))
    kept = env["doorman.undo"]._claim(guard.connection, kwargs.get("change"))
    if kept["never"]:
        raise Refusal(
            "undo_impossible",
            _lt("This cannot be undone: %(why)s", why=undo_words.never(guard, kept)),
            _lt(
                "Use get_actions to see what the records offer, such as a way to "
                "cancel."
            ),
        )
    rows = [row for row in kept["rows"] if _is_known(env, row)]
    _check_named(guard, kept)
    _check_unchanged(guard, kept["rows"])
    worked_out = [(row, undo_values.still_worked_out(env, row)) for row in rows]
    _write_back(guard, [row for row in rows if row["kind"] == WRITTEN])
    _take_back(guard, kept, [row for row in rows if row["kind"] == CREATED])
    settle(guard, env["base"])
    _put_back(guard, [(row, after) for row, after in worked_out if after])
    stays = kept["stays"] + _left(env, rows)
    if stays and not kwargs.get("partly"):
        raise Refusal(
            "undo_incomplete",
            _lt(
                "Not all of it can be undone, so nothing was undone. This would stay: "
                "%(what)s",
                what=" ".join(undo_words.stays(guard, stays)),
            ),
            _lt("Tell your user; send partly as true to undo the rest."),
        )
    if noted := ledger.of(env.cr):
        noted.stays = stays
    named = {row["id"] for row in rows if row["asked"] and row["kind"] == WRITTEN}
    return {
        "undone": kwargs["change"],
        "ids": sorted(named),
        "stays": undo_words.stays(guard, stays),
    }


def _is_known(env, row):
    """Whether what a row is about is still there: a module may be gone since."""
    model = env.get(row["model"])
    if model is None:
        return False
    return all(name in model._fields for name in row.get("before", ()))


def _check_named(guard, kept):
    """The models that the change named must still be allowed: the rest is held against
    them (gateway/change.py), as it was then."""
    noted = ledger.of(guard.env.cr)
    for name in kept["models"]:
        guard.model(name)
        if noted is not None:
            noted.models.add(name)


def _check_unchanged(guard, rows):
    """:raise Refusal: if a record is not as the change left it"""
    for row in rows:
        if not row["asked"]:
            continue  # what it came to shows in what is left in the end
        known = _is_known(guard.env, row)
        if known and not undo_values.changed_since(guard.env, row):
            continue
        raise Refusal(
            "changed_since",
            _lt(
                "%(model)s %(id)s has changed since, or no longer exists: it is not "
                "undone.",
                model=row["model"],
                id=row["id"],
            ),
            _lt("Read the record, and change it with update_records if needed."),
        )


def _records(guard, row):
    """:return: the record of a row, which may be changed"""
    model = guard.env[row["model"]]
    check_may_change(guard, model)
    return guard.records(model, [row["id"]], write=True)


def _write_back(guard, rows):
    for row in rows:
        if not row["after"]:
            continue
        record = _records(guard, row)
        for context, vals in undo_values.to_write(guard.env, row):
            with at(Values.place(0, record)):
                _write(guard, _within(guard, record, context), vals)


def _write(guard, record, vals):
    # HTML as it was: it is none that somebody has typed.
    texts = [v for v in vals.values() if isinstance(v, str)]
    guard.html.update(zip(texts, texts, strict=True))
    checked = Values(guard, sent=False).check(record, vals)
    with ledger.asked(guard.env, checked):
        record.write(checked)


def _put_back(guard, worked_out):
    """Write what Odoo had worked out and does not work out as it was. What may not be
    written stays, and is told."""
    env = guard.env
    for row, after in worked_out:
        names = undo_values.not_as_before(env, row)
        after = {
            name: after[name]
            for name in names
            if name in after and _may_write(guard, env[row["model"]], name)
        }
        for context, vals in undo_values.to_write(env, row, after):
            try:
                with env.cr.savepoint():
                    _write(guard, _within(guard, _records(guard, row), context), vals)
            except (Refusal, UserError):
                continue
    if worked_out:
        settle(guard, env["base"])


def _may_write(guard, model, name):
    try:
        return bool(check(guard, model, name))
    except (Refusal, AccessError):
        return False


def _within(guard, record, context):
    """A record in a language, or in a company that the connection works in."""
    company = context.get("company")
    if company is None:
        return record.with_context(**context)
    if company not in guard.env.companies.ids:
        raise Refusal(
            "company_not_allowed",
            _lt("This connection cannot work in that company."),
            _lt("Call get_context to see the companies it can work in."),
        )
    return record.with_company(company)


def _take_back(guard, kept, rows):
    """Delete the records that the change made, and what it made for them."""
    asked = [row for row in rows if row["asked"]]
    others = [row for row in rows if not row["asked"]]
    altered = [r for r in others if undo_values.changed_since(guard.env, r)]
    # First what stands alone; its lines go with it.
    asked.sort(key=lambda row: row["id"] not in kept["made"])
    env = guard.env
    for row in asked:
        if row["id"] in stored.versions(env.cr, env[row["model"]]._table, [row["id"]]):
            record = _records(guard, row)
            _check_silent(record, kept["made_at"])
            with at(Values.place(0, record)), ledger.asked(env):
                record.unlink()
    noted = ledger.of(env.cr)
    if noted is None or not asked:
        return
    env.cr.flush()
    found = undo_values.taken_along(noted, kept["rows"])
    deleted = {key for key, row in noted.rows.items() if row.kind == DELETED}
    found += [key for r in altered if (key := (r["model"], r["id"])) in deleted]
    if found:
        model, _ident = found[0]
        raise Refusal(
            "changed_since",
            _lt(
                "Records of %(model)s have been created or changed since, and would "
                "be deleted too: it is not undone.",
                model=model,
            ),
        )


def _check_silent(record, moment):
    """:raise Refusal: if people have written something about a record since"""
    said = record.env["mail.message"].sudo()
    domain = [
        ("model", "=", record._name),
        ("res_id", "=", record.id),
        ("message_type", "in", ("comment", "email", "email_outgoing")),
        ("create_date", ">", moment),
    ]
    if said.search_count(domain, limit=1):
        raise Refusal(
            "changed_since",
            _lt(
                "People have written messages on %(model)s %(id)s since: it is not "
                "deleted.",
                model=record._name,
                id=record.id,
            ),
        )


def _left(env, rows):
    """What is not as it was before, now that all has been put back."""
    left = []
    for row in rows:
        what = {"model": row["model"], "id": row["id"]}
        if row["kind"] == CREATED:
            table = env[row["model"]]._table
            there = stored.versions(env.cr, table, [row["id"]])
            if there or row["model"] in SENT:
                left.append({"kind": "record"} | what)
            continue
        left += [
            {"kind": "value", "field": name} | what
            for name in undo_values.not_as_before(env, row)
        ]
    return left
