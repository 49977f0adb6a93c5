"""``send_document``: one record's document by email, as Odoo itself sends it."""

import re

from lxml import html as lxml_html
from markupsafe import Markup

from odoo.tools import email_normalize

from ..policy import shared
from ..policy.in_force import NOT_SHOWN
from ..policy.outward import person
from ..policy.plain_text import from_html, is_plain, plain, shortened
from ..policy.posted_html import html_of
from ..policy.redact_links import withhold_links
from ..policy.refusal import Refusal, _lt
from ..policy.shared import (
    MAX_ADDRESS,
    MAX_MESSAGE_BODY,
    MAX_RECIPIENTS,
    MAX_SUBJECT,
    MAX_TEMPLATE_NAME,
)
from ..policy.value_place import is_id
from . import document_mail
from .arguments import only, text
from .changed_records import announce, answer, records_to_change, settle
from .document_mail import Sending
from .operations import operation
from .outward_words import tells_addresses

# One address and nothing else: no name, no list, nothing that ends a header.
ADDRESS = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+"
)
MAX_TOLD, MAX_FILES = 5_000, 20


def _summary(words, call):
    kwargs = call.kwargs
    what = plain(kwargs.get("subject") or kwargs.get("template_name") or "", 80)
    if what:
        return words.env._(
            "Send %(what)s by email: “%(subject)s”", what=words.what, subject=what
        )
    return words.env._("Send %s by email", words.what)


def _arguments(call):
    """With those whom it would reach, by name and address."""
    kwargs = dict(call.kwargs)
    kwargs.pop("template_id", None)
    name = kwargs.pop("template_name", None)
    if name:
        kwargs["template"] = name
    if kwargs.get("partner_ids"):
        partners = call.env["res.partner"].browse(kwargs["partner_ids"])
        kwargs["partner_ids"] = [person(p) for p in partners]
    return call.describer.tree(kwargs)


def _resolved(call):
    """With the template that is meant: another one must be looked at again."""
    record = _document(call)
    wizard, context = document_mail.opened_by(call.guard, record)
    name = text(call.kwargs, "template", MAX_TEMPLATE_NAME)
    template = document_mail.template_of(call.guard, record, wizard, context, name)
    return call.kwargs | {
        "template_id": template.id,
        "template_name": plain(template.name or "", 200),
    }


def _points_at(_env, kwargs):
    """Whom it would reach, by name and address."""
    ids = kwargs.get("partner_ids")
    ids = ids if isinstance(ids, list) else []
    return [("res.partner", ident) for ident in ids if is_id(ident)]


def _works_on(env, kwargs):
    """What it is made of: whoever changes that changes what is sent."""
    template = env["mail.template"].browse(kwargs.get("template_id") or ())
    files = template.sudo().attachment_ids
    return [
        (name, rows.ids)
        for name, rows in (
            ("mail.template", template),
            ("ir.attachment", files),
        )
        if rows
    ]


@operation(
    "send_document",
    tool="send_document",
    reads=False,
    dry_run=True,
    summary=_summary,
    arguments=_arguments,
    resolve=_resolved,
    points_at=_points_at,
    works_on=_works_on,
    text="body",
    outward=True,
    grave=True,
    beyond_rules=True,
)
def send_document(call):
    """Send a record's document by email.

    :return: as a change of that record, with ``message_id`` and ``sent``
    """
    guard = call.guard
    sending = _sending(call)
    record = sending.record
    announce(record)
    message = document_mail.send(sending)
    _check_number(message)
    message_id, sent = message.id, _sent(guard, message)
    settle(guard, record)
    return answer(guard, record) | {"message_id": message_id, "sent": sent}


def _sending(call):
    """What is asked for, checked."""
    guard, kwargs = call.guard, call.kwargs
    only(
        kwargs,
        *("template", "subject", "body", "partner_ids", "emails"),
        # What ``_resolved`` adds.
        *("template_id", "template_name"),
    )
    record = _document(call)
    subject = text(kwargs, "subject", MAX_SUBJECT) or None
    if subject and not (is_plain(subject) and "\n" not in subject):
        raise Refusal(
            "malformed_arguments", _lt("The subject must be one line of plain text.")
        )
    body = text(kwargs, "body", MAX_MESSAGE_BODY) or None
    wizard, context = document_mail.opened_by(guard, record)
    name = text(kwargs, "template", MAX_TEMPLATE_NAME)
    sending = Sending(
        record=record,
        wizard=wizard,
        context=context,
        template=document_mail.template_of(guard, record, wizard, context, name),
        subject=subject,
        body=_without_pictures(html_of(guard, kwargs["body"])) if body else None,
        partners=_people(guard, record, kwargs),
    )
    document_mail.check_told(guard, sending)
    return sending


def _document(call):
    """The one record whose document is sent."""
    record = records_to_change(call)
    thread = call.env.registry["mail.thread"]
    if len(record) != 1 or not isinstance(record, thread):
        raise Refusal(
            "not_sendable",
            _lt(
                "Only one document can be sent at a time, and %(model)s must have a "
                "chatter.",
                model=call.model._name,
            ),
        )
    record.check_access("read")
    return record


# ---- to whom ----


def _people(guard, record, kwargs):
    """The contacts that are named, by id and by address; None if none are."""
    ids, emails = kwargs.get("partner_ids") or [], kwargs.get("emails") or []
    if not ids and not emails:
        return None
    contacts = guard.model("res.partner")
    found = contacts
    if ids:
        found = guard.records(contacts, ids)
        found.check_access("read")
    if not isinstance(emails, list) or not all(isinstance(e, str) for e in emails):
        raise Refusal(
            "malformed_arguments", _lt("emails must be a list of email addresses.")
        )
    _check_count(len(found) + len(emails))
    addresses = [_address(email) for email in emails]
    if addresses:
        # As Odoo's composer does with an address that is typed in.
        found |= record._partner_find_from_emails_single(addresses, no_create=False)
    return found


def _address(email):
    address = email.strip()
    if (
        len(address) > MAX_ADDRESS
        or not ADDRESS.fullmatch(address)
        or email_normalize(address) is False
    ):
        raise Refusal(
            "invalid_address",
            _lt("%(email)r is not a single email address.", email=plain(email, 80)),
            _lt('Write it like "ada@example.com", without a name.'),
        )
    return address


def _check_count(number):
    if number > MAX_RECIPIENTS:
        raise Refusal(
            "too_many_recipients",
            _lt(shared.SAY_MANY_PEOPLE, most=MAX_RECIPIENTS, number=number),
            _lt("Use fewer recipients: partner_ids or emails."),
        )


def _check_number(message):
    """Followers count, and what a template names."""
    _check_count(len(message.sudo().notification_ids))


# ---- what ----


def _without_pictures(made):
    """Pictures in an email are fetched when it is opened, and tell where they are
    kept: only their address stays."""
    if "<img" not in made:
        return made
    root = lxml_html.fragment_fromstring(str(made), create_parent="div")
    for image in list(root.iter("img")):
        words = f"{image.get('alt') or ''} {image.get('src') or ''}".strip()
        image.tail = words + (image.tail or "")
        image.drop_tree()
    inner = [root.text or ""] + [
        lxml_html.tostring(child, encoding="unicode") for child in root
    ]
    return Markup("").join([Markup.escape(inner[0]), *map(Markup, inner[1:])])


def _sent(guard, message):
    """What was sent, and to whom: by name, and by address where the connection may know
    that."""
    message = message.sudo()
    tells = tells_addresses(guard)
    people = [_recipient(one, tells) for one in message.notification_ids]
    body = withhold_links(from_html(message.body))
    return {
        "to": people,
        "from": plain(message.email_from or "", 200),
        "subject": plain(message.subject or "", MAX_SUBJECT),
        "text": shortened(body, MAX_TOLD),
        "attachments": [
            {"name": plain(file.name, 200), "size": file.file_size}
            for file in message.attachment_ids[:MAX_FILES]
        ],
    }


def _recipient(notification, tells):
    partner, address = notification.res_partner_id, notification.mail_email_address
    if tells:
        return person(partner) if partner else plain(address, 200)
    return plain(partner.name or "", 200) or NOT_SHOWN
