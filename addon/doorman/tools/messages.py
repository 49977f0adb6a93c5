"""What was said on a record, as its user may read it; and to say something there."""

from ..policy import in_force, looks
from ..policy.in_force import name_of
from ..policy.plain_text import plain, shortened
from ..policy.posted_html import html_of
from ..policy.redact_links import withhold_links_in
from ..policy.refusal import Refusal, _lt
from ..policy.shared import MAX_MESSAGE_BODY, MAX_MESSAGES
from ..policy.value_place import is_id
from . import row_counts
from .arguments import number, one_record, only
from .changed_records import announce, answer, records_to_change, settle
from .operations import operation
from .preview import named

# Anything longer is a newsletter, not a message: the rest is told to be missing, and
# read when it is asked for alone.
MAX_BODY, MAX_ONE_BODY = 60_000, 2_000_000
MAX_PARTS, MAX_CHANGED = 50, 500
KINDS = {"note": "mail.mt_note", "comment": "mail.mt_comment"}
FIELDS = ["date", "author_id", "email_from", "subject", "body", "message_type"]
# As an email keeps what it brought, until it has found its record.
ON_THEIR_WAY = ("mail.message", "mail.compose.message", "mail.thread")


@operation(
    "read_messages",
    tool="read_messages",
    reads=True,
    reads_also="mail.message",
    rows=row_counts.messages,
)
def read_messages(call):
    """The chatter of one record, newest first. The messages go with the record: who may
    read it through this connection may read them, as far as Odoo shows them to the
    connection's user.

    :return: ``{name, messages, has_more}``
    """
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "limit", "before")
    limit = call.at_most(number(kwargs, "limit", 20, MAX_MESSAGES))
    most = MAX_BODY if limit > 1 else MAX_ONE_BODY
    before = number(kwargs, "before", None, 2**31 - 1)
    record = one_record(call)
    if not isinstance(record, guard.env.registry["mail.thread"]):
        raise Refusal(
            "no_messages",
            _lt("%(model)s has no messages.", model=model._name),
            _lt("Use describe_model: models with messages have the field message_ids."),
        )
    domain = [
        ("model", "=", model._name),
        ("res_id", "=", record.id),
        # Said to one person, not on the record; Odoo's own chatter leaves it out.
        ("message_type", "!=", "user_notification"),
    ]
    if before:
        domain.append(("id", "<", before))
    found = guard.env["mail.message"].search(domain, limit=limit + 1, order="id desc")
    messages = found[:limit]
    rows = messages.read([*FIELDS, "is_internal"])
    for message, row in zip(messages, rows, strict=True):
        row.update(_of(guard, record, message, row, most))
    return withhold_links_in(
        {
            "name": name_of(record),
            "messages": rows,
            "has_more": len(found) > limit,
        }
    )


def _of(guard, record, message, row, most):
    """What hangs on a message, and so many letters of it."""
    body = str(row["body"] or "")
    # The subtype's own name is what a person sees: "Stage changed".
    subtype = message.sudo().subtype_id.with_context(lang=guard.env.context.get("lang"))
    return {
        "body": body[:most],
        "cut": len(body) > most,
        "subtype": subtype.name or "",
        "internal": bool(row.pop("is_internal") or subtype.internal or not subtype),
        "tracking": _tracking(guard, message),
        "attachments": _attachments(guard, record, message),
    }


def _tracking(guard, message):
    """Changed fields, those that the user may read and that are not withheld."""
    # The table is closed to everybody; the rights are those on the field.
    values = message.sudo().tracking_value_ids._filter_has_field_access(guard.env)
    values = values.filtered(
        lambda value: (
            value.field_id
            and looks.is_told(guard, value.field_id.model, value.field_id.name)
        )
    )
    return [
        {
            "field": value["fieldInfo"]["changedField"],
            "old": _shown(masked(value["oldValue"])),
            "new": _shown(masked(value["newValue"])),
        }
        for value, masked in zip(
            values[:MAX_PARTS]._tracking_value_format(),
            [_masked(guard, value.field_id) for value in values[:MAX_PARTS]],
            strict=True,
        )
    ]


def _masked(guard, field):
    """:return: a function that makes of a changed value what is said about it"""
    rules = guard.rules
    closed = rules and rules.closed(field.model, field.name)
    if closed:
        return lambda value: in_force.value_of(closed, value)
    if (
        rules
        and field.relation
        and (field.relation in rules.names or rules.is_partly(field.relation))
    ):
        return lambda value: in_force.NOT_SHOWN if value else value
    return lambda value: value


def _shown(value):
    if isinstance(value, bool | int | float):
        return value
    return shortened(str(value or ""), MAX_CHANGED)


def _attachments(guard, record, message):
    """Names, types and sizes of the files, no contents."""
    # The message may be read: now each of its files, by its own rights.
    ids = message.sudo().attachment_ids.ids
    files = guard.env["ir.attachment"].browse(ids)._filtered_access("read")
    return [
        {
            "id": file.id,
            "name": file.name,
            "type": file.mimetype,
            "size": file.file_size,
        }
        for file in files[:MAX_PARTS]
        # A file of another model's record follows that record.
        if not file.res_model
        or file.res_model in (record._name, *ON_THEIR_WAY)
        or guard.may_use(file.res_model)
    ]


# ---- say something ----


def _summary(words, call):
    body = plain(call.kwargs["body"], 80)
    if call.kwargs.get("kind") == "comment":
        return words.env._(
            "Post and email to the followers of %(what)s: “%(body)s”",
            what=words.what,
            body=body,
        )
    return words.env._("Note on %(what)s: “%(body)s”", what=words.what, body=body)


def _arguments(call):
    """With those whom it would reach, by name and address."""
    kwargs = call.kwargs
    if kwargs.get("partner_ids"):
        partners = call.env["res.partner"].browse(kwargs["partner_ids"])
        people = [f"{p.display_name} <{p.email or '-'}>" for p in partners]
        kwargs = kwargs | {"partner_ids": people}
    return call.describer.tree(kwargs)


def _points_at(_env, kwargs):
    """Whom it would reach."""
    ids = kwargs.get("partner_ids")
    ids = ids if isinstance(ids, list) else []
    return [("res.partner", ident) for ident in ids if is_id(ident)]


@operation(
    "message_post",
    tool="post_message",
    reads=False,
    summary=_summary,
    arguments=_arguments,
    points_at=_points_at,
    text="body",
    outward=True,
)
def message_post(call):
    """Say something on a record, in the user's own name."""
    guard, model, kwargs = call.guard, call.model, call.kwargs
    only(kwargs, "body", "kind", "partner_ids")
    body, kind = kwargs.get("body"), kwargs.get("kind") or "note"
    if not isinstance(body, str) or not body.strip() or len(body) > MAX_MESSAGE_BODY:
        raise Refusal(
            "malformed_arguments",
            _lt(
                "The body must be text of 1 to %(most)s characters.",
                most=MAX_MESSAGE_BODY,
            ),
        )
    if kind not in KINDS:
        raise Refusal(
            "malformed_arguments", _lt('The kind must be "note" or "comment".')
        )
    record = records_to_change(call)
    if len(record) != 1 or not isinstance(record, guard.env.registry["mail.thread"]):
        raise Refusal(
            "no_messages",
            _lt(
                "Specify one record; %(model)s must support messages.",
                model=model._name,
            ),
        )
    partners = kwargs.get("partner_ids") or []
    if partners:
        partners = guard.records(guard.model("res.partner"), partners)
        partners.check_access("read")
        partners = partners.ids
    if call.dry_run:
        return named(record)
    announce(record)
    text = html_of(guard, body)
    with in_force.code(guard.env.cr):
        message = record.message_post(
            body=text,
            message_type="comment",
            subtype_xmlid=KINDS[kind],
            partner_ids=partners,
        )
    message_id = message.id
    settle(guard, record)
    return answer(guard, record) | {"message_id": message_id}
