"""What leaves the company: one list, and how each entry of it is told to a person.

A row of one of these models, or a value in one of these fields, means that somebody
outside gets something: now, once it is saved, or later. Whatever code makes it, the
ledger sees it (policy/outward_notes.py).

Inside are those who log in as internal users. Everybody else is outside: contacts,
portal users, addresses that belong to nobody.
"""

import re

from odoo.tools import email_normalize_all
from odoo.tools.mail import email_split_and_format

from .plain_text import from_html, of_email, plain, visible
from .redact_links import withhold_links

MAX_TEXT, MAX_PEOPLE, MAX_FILES = 20_000, 50, 50
OUTGOING, ODOOBOT = "outgoing", "base.partner_root"
# By this, too, a link opens a document.
HASH = re.compile(r"\bhash=[^\s&\"'<>]+")
# What people wrote, and not what Odoo notes of their doing.
WRITTEN_BY_PEOPLE = ("comment", "email", "email_outgoing", "auto_comment")


# ---- who is outside ----


def outsiders(partners):
    """:return: those of some contacts who do not log in as internal users"""
    # The caller is the most frequent one, and known without asking the database.
    user = partners.env.user
    known = user.active and not user.share
    own = user.partner_id if known else partners.browse()
    return (
        (partners - own)
        .sudo()
        .filtered(lambda partner: all(user.share for user in partner.user_ids))
    )


def outside_addresses(env, *texts):
    """:return: the addresses in some texts that are of no internal user"""
    found, odd = set(), set()
    for text in filter(None, texts):
        some = email_normalize_all(text)
        found.update(some)
        # What Odoo does not know for an address is not known to stay inside.
        if not some or text.count("@") > len(some):
            odd.add(text)
    if found:
        domain = [
            ("share", "=", False),
            ("partner_id.email_normalized", "in", list(found)),
        ]
        users = env["res.users"].sudo().search(domain)
        found -= set(users.partner_id.mapped("email_normalized"))
    return sorted(found | odd)


def written_to(partners):
    """:return: the addresses of those of some contacts who are outside, as they stand
    there: one text may hold several
    """
    return [p.email for p in outsiders(partners) if p.email]


def inside_addresses(env):
    """:return: those of internal users, in small letters"""
    users = env["res.users"].sudo().search([("share", "=", False)])
    return set(users.partner_id.mapped("email_normalized")) - {False}


def person(partner):
    """A contact, by name and address."""
    address = plain(partner.email or "", 200)
    name = plain(partner.name or partner.display_name, 100)
    # One that was made of an address is called by it.
    return address if name == address else f"{name} <{address or '-'}>"


# ---- what is said about one that leaves ----


def told(kind, to=(), **facts):
    """One thing that leaves, as a person reads it.

    :param str kind: of ``KINDS`` (tools/outward_words.py)
    :param to: who gets it, as texts
    :param facts: ``sender``, ``subject``, ``text``, ``files`` and ``about``; and
        ``mailed``, the texts with the addresses that an email goes to, now or later
    """
    to = list(to)
    found = {"kind": kind, "to": to[:MAX_PEOPLE]}
    if len(to) > MAX_PEOPLE:
        found["more_to"] = len(to) - MAX_PEOPLE
    text = withhold_links(facts.pop("text", "") or "")
    text = visible(HASH.sub("hash=[withheld]", text))
    if len(text) > MAX_TEXT:
        found["cut"], text = len(text), text[:MAX_TEXT]
    return (
        found | {k: v for k, v in facts.items() if v} | ({"text": text} if text else {})
    )


def _files(attachments):
    attachments = attachments.sudo()
    found = [
        {
            "name": plain(file.name, 200),
            "size": file.file_size,
            "sum": file.checksum or "",
        }
        for file in attachments[:MAX_FILES]
    ]
    if len(attachments) > MAX_FILES:
        found.append(
            {"name": f"(+{len(attachments) - MAX_FILES})", "size": 0, "sum": ""}
        )
    return found


def about(env, model, ident):
    """What a record is called."""
    if not model or model not in env or not ident:
        return ""
    record = env[model].sudo().browse(ident).exists()
    return plain(record.display_name, 200) if record else ""


def _of(message):
    return about(message.env, message.model, message.res_id)


# ---- rows that leave ----


def _email(mail):
    env, people = mail.env, mail.recipient_ids
    away = outside_addresses(env, mail.email_to, mail.email_cc)
    if not away and not outsiders(people):
        return None
    written = [a for t in (mail.email_to, mail.email_cc) if t for a in _split(t)]
    return told(
        "email",
        [*map(person, people), *written],
        mailed=[
            *written_to(people),
            *filter(None, (mail.email_to, mail.email_cc)),
            *_answers_to(mail),
        ],
        sender=plain(mail.email_from or "", 200),
        reply_to=_other_reply_to(mail),
        subject=plain(mail.subject or "", 500),
        text=of_email(mail.body_html or mail.body),
        files=_files(mail.attachment_ids),
        about=_of(mail),
    )


def _split(text):
    return [plain(part, 200) for part in email_split_and_format(text)] or [
        plain(text, 200)
    ]


def _other_reply_to(mail):
    """Where answers go, if that is to somebody outside."""
    return plain(", ".join(outside_addresses(mail.env, mail.reply_to)), 200)


def _answers_to(mail):
    """The same, but for the addresses at which this Odoo and its companies get mail."""
    env = mail.env
    own = set(env["mail.alias.domain"].sudo().search([]).mapped("name"))
    companies = env["res.company"].sudo().search([]).mapped("email")
    # Odoo's own voice, which is not that of an internal user.
    written = [*companies, env.ref(ODOOBOT).sudo().email]
    own_addresses = set(email_normalize_all(", ".join(filter(None, written))))
    return [
        address
        for address in outside_addresses(env, mail.reply_to)
        if address not in own_addresses and address.rpartition("@")[2] not in own
    ]


def _notification(notification):
    """An email to somebody that has no row of its own."""
    if notification.notification_type == "inbox" or notification.mail_mail_id:
        return None
    partner, message = notification.res_partner_id, notification.mail_message_id
    address = notification.mail_email_address
    if not outsiders(partner) and not outside_addresses(notification.env, address):
        return None
    return told(
        "notice",
        [person(partner) if partner else plain(address, 200)],
        mailed=[address] if address else written_to(partner),
        subject=plain(message.subject or "", 500),
        text=from_html(message.body),
        files=_files(message.attachment_ids),
        about=_of(message),
    )


def _sms(sms):
    name = plain(sms.partner_id.name or "", 100)
    return told(
        "sms",
        [f"{name} {plain(sms.number or '-', 50)}".strip()],
        text=sms.body or "",
        about=_of(sms.mail_message_id),
    )


def _letter(letter):
    partner = letter.partner_id
    where = plain(partner._display_address(without_company=False), 300)
    return told(
        "letter",
        [f"{plain(partner.name or '', 100)}, {where}"],
        files=_files(letter.attachment_id),
        about=about(letter.env, letter.model, letter.res_id),
    )


def _scheduled(message):
    if message.is_note and not outsiders(message.partner_ids):
        return None
    people, env = message.partner_ids, message.env
    if not message.is_note and message.model in env:
        # Those who follow by then get it as well.
        people |= env[message.model].sudo().browse(message.res_id).message_partner_ids
    return told(
        "scheduled",
        map(person, message.partner_ids),
        mailed=written_to(people),
        subject=plain(message.subject or "", 500),
        text=from_html(message.body),
        files=_files(message.attachment_ids),
        about=about(message.env, message.model, message.res_id),
    )


def _message(message):
    """What is said where people outside read along, whether it is emailed or not."""
    env, model = message.env, message.model
    if model not in env or message.message_type not in WRITTEN_BY_PEOPLE:
        return None
    if message.is_internal or message.subtype_id.internal or not message.subtype_id:
        return None
    if model == "discuss.channel":
        channel = env[model].browse(message.res_id).exists()
        readers = _channel_readers(channel)
        if not readers:
            return None
        kind, partners = "channel", channel.channel_partner_ids
    elif isinstance(env[model], env.registry.get("portal.mixin", ())):
        kind, record = "portal", env[model].browse(message.res_id).exists()
        partners = record._mail_get_partners().get(record.id) if record else None
        readers = [person(p) for p in outsiders(partners)] if partners else []
        if not readers:
            return None
    else:
        return None
    return told(
        kind,
        readers,
        mailed=written_to(partners),
        subject=plain(message.subject or "", 500),
        text=from_html(message.body),
        files=_files(message.attachment_ids),
        about=_of(message),
    )


def _channel_readers(channel):
    members = channel.exists().channel_member_ids
    return [
        person(member.partner_id) if member.partner_id else plain(member.guest_id.name)
        for member in members
        if member.guest_id or outsiders(member.partner_id)
    ]


def _member(member):
    if not member.guest_id and not outsiders(member.partner_id):
        return None
    who = member.partner_id
    return told(
        "member",
        [person(who) if who else plain(member.guest_id.name or "-", 100)],
        mailed=written_to(who),
        about=plain(member.channel_id.name or "", 200),
    )


def _follower(follower):
    """Whoever follows a record gets what is said on it from now on, by whomever. That
    Odoo lets the document's own contact follow it is its way."""
    partner, env = follower.partner_id, follower.env
    model = follower.res_model
    if not outsiders(partner) or model not in env:
        return None
    record = env[model].browse(follower.res_id).exists()
    if record:
        own = record._mail_get_partners(introspect_fields=True)[record.id]
        if partner in own | own.commercial_partner_id:
            return None
    return told(
        "follower",
        [person(partner)],
        mailed=written_to(partner),
        about=about(env, model, follower.res_id),
    )


def _shared(row):
    """Somebody gets access to a document, or an email later on."""
    partner = row["partner_id"] if "partner_id" in row._fields else None
    if partner is not None and partner and not outsiders(partner):
        return None
    to = [person(partner)] if partner else []
    name = plain(row.display_name or "", 200)
    return told("shared", to, mailed=_mailed_for(row, partner, name), about=name)


def _mailed_for(row, partner, name):
    """Whom a row that Odoo sends emails for is for."""
    if row._name in NOT_BY_MAIL:
        return []
    if partner:
        return written_to(partner)
    for holder in ("", "registration_id"):
        found = row[holder] if holder in row._fields else None if holder else row
        if found and "email" in found._fields:
            return [found.email or name]
    return [name]  # nobody knows


# Of the shared rows, those that are not emails.
NOT_BY_MAIL = frozenset({"whatsapp.message", "social.post"})
# Model -> what is said about a new row of it; None if it stays inside.
ROWS = {
    "mail.mail": _email,
    "mail.notification": _notification,
    "mail.message": _message,
    "mail.scheduled.message": _scheduled,
    "mail.followers": _follower,
    "discuss.channel.member": _member,
    "sms.sms": _sms,
    "snailmail.letter": _letter,
    "whatsapp.message": _shared,
    "social.post": _shared,
    "sign.request": _shared,
    "project.collaborator": _shared,
    "event.mail.registration": _shared,
    "mailing.trace": _shared,
    "marketing.trace": _shared,
}
# The same where an old row is changed so that it leaves (again), or to somebody else.
SENT_AGAIN = {
    "mail.mail": {"state", "email_to", "email_cc", "body_html"},
    "sms.sms": {"state", "number", "body"},
    "snailmail.letter": {"state", "partner_id"},
    "mail.scheduled.message": {"body", "subject"},
    "mail.message": {"body"},
    "mail.followers": {"partner_id", "res_id", "res_model"},
}
# Fields whose value, once true, shows a record to the world, or has emails sent for it
# by a job that runs later.
PUBLISHING = frozenset({"is_published", "website_published"})
LATER = {
    ("account.move", "sending_data"),
    ("sale.order", "pending_email_template_id"),
}


def _waiting(partner):
    """Whether emails created before still go to the contact's old address."""
    env, found = partner.env, []
    for model, name in (
        ("mail.mail", "recipient_ids"),
        ("mail.scheduled.message", "partner_ids"),
    ):
        domain = [(name, "in", partner.ids)]
        if model == "mail.mail":
            domain.append(("state", "=", OUTGOING))
        found.append(env[model].sudo().search_count(domain, limit=1))
    return any(found)


def of_change(env, change):
    """What a change of a record's own values brings outside.

    :param change: of the ledger
    :return: as ``told``, or None
    """
    model = env[change.model]
    names = set(change.fields)
    if change.kind == "deleted":
        return None
    record = model.sudo().browse(change.id)
    if change.model == "res.partner" and "email" in names and change.kind == "updated":
        # Who gets what is meant for a colleague, or what was approved before.
        own = not outsiders(record) or record == env.ref(ODOOBOT)
        if own or _waiting(record):
            return told(
                "redirect",
                [person(record)],
                # A colleague's, too: it is another address than theirs.
                mailed=[record.email] if record.email else [],
                about=plain(record.name or ""),
            )
    if change.model == "ir.attachment" and "public" in names and record.public:
        return told("public", about=plain(record.name or "", 200))
    for name in names & PUBLISHING:
        if name in model._fields and record[name]:
            return told("public", about=plain(record.display_name or "", 200))
    for name in names:
        if (change.model, name) in LATER and record[name]:
            name = plain(record.display_name or "", 200)
            # To whom shows once it is sent.
            return told("later", mailed=[name], about=name)
    return None
