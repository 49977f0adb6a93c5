"""How Odoo itself sends a document: what its Send button opens, filled in and sent.

Send button ──┬── mail.compose.message      most documents
              └── account.move.send.wizard  invoices: makes the PDF, and keeps it
none ───────────── mail.compose.message, as the chatter opens it
"""

from dataclasses import dataclass, field

from odoo.fields import Command
from odoo.models import BaseModel
from odoo.tools import email_normalize

from ..policy.plain_text import plain
from ..policy.refusal import Refusal, _lt
from . import press

COMPOSER, INVOICES = "mail.compose.message", "account.move.send.wizard"
# The methods behind the Send buttons of Odoo's own documents.
BUTTONS = ("action_quotation_send", "action_rfq_send", "action_send_and_print")
MAX_NAMED = 10


@dataclass(frozen=True)
class Sending:
    """What is sent, and how Odoo would do it."""

    record: BaseModel
    # Technical name of the wizard that the Send button opens, and its context.
    wizard: str
    context: dict
    template: BaseModel
    # The caller's own words; None for the template's.
    subject: str | None = None
    body: str | None = None
    # To whom, if not to whom Odoo would send it.
    partners: BaseModel | None = None
    # Filled by ``send``.
    done: dict = field(default_factory=dict)


def opened_by(guard, record):
    """What the Send button of a document opens.

    :return: the wizard's model and its context
    """
    for name in BUTTONS:
        if not hasattr(type(record), name):
            continue
        action, pressed = press.as_shown(guard, record, name)
        if isinstance(action, dict) and action.get("res_model") in (COMPOSER, INVOICES):
            return action["res_model"], pressed.context(action)
    return COMPOSER, {}


def template_of(guard, record, wizard, context, name):
    """The template by its name; without one, the Send button's.

    :param str name: as people see it; "" for none in particular
    :raise Refusal: if there is none of that name, or several would do
    """
    found = _templates(guard, record)
    if name:
        named = _called(found, name)
        if len(named) == 1:
            return named
        raise Refusal(
            "unknown_template",
            _lt(
                "There are several templates called %(name)r for %(model)s.",
                name=plain(name, 80),
                model=record._name,
            )
            if named
            else _lt(
                "There is no template called %(name)r for %(model)s.",
                name=plain(name, 80),
                model=record._name,
            ),
            _which(found) or _lt("Send a subject and a body."),
        )
    if wizard == INVOICES:
        chosen = guard.env[wizard]._get_default_mail_template_id(record)
    else:
        chosen = found.browse(context.get("default_template_id") or ())
    # Odoo's button chooses among those of the document's model, too.
    return chosen.filtered(lambda t: t.model == record._name)


def _templates(guard, record):
    """The templates that Odoo offers this user for a document."""
    return guard.env["mail.template"].search(
        [
            ("model", "=", record._name),
            ("user_id", "in", [False, guard.env.uid]),
        ]
    )


def _called(templates, name):
    wanted = name.casefold()
    english = templates.with_context(lang="en_US")
    return templates.browse(
        [
            t.id
            for t, e in zip(templates, english, strict=True)
            if wanted in ((t.name or "").casefold(), (e.name or "").casefold())
        ]
    )


def _which(templates):
    names = [plain(t.name, 80) for t in templates[:MAX_NAMED]]
    return _lt("Available: %(choices)s.", choices="; ".join(names)) if names else ""


def check_told(guard, sending):
    """Whether it is clear what would be sent."""
    if sending.template or (sending.subject and sending.body):
        return
    found = _templates(guard, sending.record)
    raise Refusal(
        "no_template",
        _lt(
            "Odoo has no template of its own for %(model)s.", model=sending.record._name
        ),
        _which(found) or _lt("Send a subject and a body."),
    )


def send(sending):
    """Send it.

    :return: the mail.message that is in the record's chatter
    """
    if sending.wizard == INVOICES:
        return _send_invoice(sending)
    composer = sending.record.env[COMPOSER].with_context(**_context(sending))
    wizard = composer.create(_composed(sending))
    if sending.partners is None and not wizard.partner_ids:
        wizard.partner_ids = _suggested(sending.record)
    if wizard.scheduled_date:
        wizard.scheduled_date = False  # what is approved is sent, and not some day
    _check_people(wizard.partner_ids)
    _mails, messages = wizard._action_send_mail()
    return messages


def _context(sending):
    """What Odoo's button tells the composer, but for what is told by values."""
    values = ("template_id", "res_ids", "model", "composition_mode", "partner_ids")
    return {
        key: value
        for key, value in sending.context.items()
        if key.removeprefix("default_") not in values
    }


def _composed(sending):
    record, user = sending.record, sending.record.env.user
    values = {
        "model": record._name,
        "res_ids": repr(record.ids),
        "composition_mode": "comment",
        "template_id": sending.template.id,
    }
    if sending.partners is not None:
        values["partner_ids"] = [Command.set(sending.partners.ids)]
        values["composition_comment_option"] = "forward"
        values["notify_skip_followers"] = True
    if sending.subject:
        values["subject"] = sending.subject
    if sending.body is not None:
        # Words of one's own go out in one's own name.
        values |= {
            "body": sending.body,
            "email_from": user.email_formatted,
            "author_id": user.partner_id.id,
            "reply_to": False,
            "reply_to_force_new": False,
        }
    return values


def _suggested(record):
    """Whom the chatter would suggest."""
    found = record._message_get_suggested_recipients(
        reply_discussion=True, no_create=False
    )
    ids = [one["partner_id"] for one in found if one.get("partner_id")]
    return record.env["res.partner"].browse(ids)


def _check_people(partners):
    """:raise Refusal: if nobody would get it, or one of them cannot"""
    if not partners:
        raise Refusal(
            "no_recipient",
            _lt("This document has no contact to send it to."),
            _lt("Specify the recipients: partner_ids or emails."),
        )
    for partner in partners:
        if not email_normalize(partner.email):
            raise Refusal(
                "invalid_address",
                _lt(
                    "%(name)s has no valid email address.",
                    name=plain(partner.display_name, 80),
                ),
                _lt(
                    "Correct the contact, or specify other recipients: partner_ids "
                    "or emails."
                ),
            )


def _send_invoice(sending):
    move = sending.record
    wizard = move.env[INVOICES].with_context(**sending.context).create({})
    boxes = wizard.sending_method_checkboxes or {}
    values = {
        "sending_method_checkboxes": {
            name: box | {"checked": name == "email"} for name, box in boxes.items()
        }
    }
    if sending.template and sending.template != wizard.template_id:
        values["template_id"] = sending.template.id
    wizard.write(values)
    own = {}
    if sending.partners is not None:
        own["mail_partner_ids"] = [Command.set(sending.partners.ids)]
    if sending.subject:
        own["subject"] = sending.subject
    if sending.body is not None:
        _check_own_name(wizard, move)
        own["body"] = sending.body
    if own:
        wizard.write(own)
    _check_people(wizard.mail_partner_ids)
    before = move.message_ids[:1].id or 0
    wizard.action_send_and_print()
    messages = move.env["mail.message"].search(
        [
            ("model", "=", move._name),
            ("res_id", "=", move.id),
            ("id", ">", before),
            ("message_type", "=", "comment"),
        ],
        order="id desc",
        limit=1,
    )
    if not messages:
        raise Refusal(
            "not_sent",
            _lt("Odoo sent no email for this invoice."),
            _lt("Check the invoice's contact, and how it is sent."),
        )
    return messages


def _check_own_name(wizard, move):
    """An invoice goes out in the name that its template says. The caller's own words
    must not, if that is a colleague's."""
    template = wizard.template_id
    sender = template.email_from and wizard._get_mail_default_field_value_from_template(
        template, wizard.lang, move, "email_from"
    )
    address, user = email_normalize(sender or ""), move.env.user
    others = move.env["res.users"].sudo().search([("share", "=", False)]) - user
    if address and address in others.partner_id.mapped("email_normalized"):
        raise Refusal(
            "other_sender",
            _lt(
                "This invoice is sent in the name of somebody else, who did not write "
                "this text."
            ),
            _lt("Leave subject and body out to use Odoo's own text."),
        )
