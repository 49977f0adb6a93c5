"""Links that are secrets, by email: sent within the request, and kept nowhere."""

from odoo import models
from odoo.exceptions import UserError
from odoo.tools import email_normalize

LAYOUT = "mail.mail_notification_light"


def send_link(record, template, link, address, lang):
    """Send a link by one of our templates, in the language of who gets it.

    It is not left to Odoo's queue: what waits there, or could not be sent, is kept with
    its text. If it cannot be sent now, nothing of it is saved, the link included.

    :param record: of the template's model
    :param str template: its XML id
    :param str address: of one person
    :raise UserError: if the mail server did not take it
    """
    env = record.env
    known = env.ref(template).sudo()
    known = known.with_context(doorman_link=link, doorman_lang=lang or "en_US")
    ident = known.send_mail(
        record.id,
        email_values={
            "email_to": address,
            "email_cc": False,
            "recipient_ids": [],
            "auto_delete": True,
            # Of no record: it belongs into no chatter.
            "model": False,
            "res_id": False,
        },
        email_layout_xmlid=LAYOUT,
    )
    mail = env["mail.mail"].sudo().browse(ident)
    why = ""
    try:
        mail.send(raise_exception=True)
    except Exception as exc:  # noqa: BLE001 nothing may stay after any error
        # Odoo gives what happened and why as two arguments.
        why = ": ".join(map(str, exc.args)) or repr(exc)
    if why or mail.exists():
        # The error takes the transaction back, and this email with it.
        raise UserError(
            env._(
                "The email to %(address)s could not be sent: %(why)s",
                address=address,
                why=why or mail.failure_reason or "-",
            )
        )


class DoormanConnection(models.Model):
    _inherit = "doorman.connection"

    def action_email_pickup_link(self, key_days=0):
        """Make a personal pick-up link, and send it to this connection's user. The
        person who presses this does not see it.

        :param int key_days: how long the key works; 0: as long as it may
        :raise AccessError: for anyone but MCP administrators
        :raise UserError: if that is longer than it may, or it cannot be sent
        :return: an action that tells where it went
        """
        self._email_pickup_link(key_days)
        return self._pickup_link_sent(
            {"type": "ir.actions.client", "tag": "soft_reload"}
        )

    def _email_pickup_link(self, key_days):
        """As ``action_email_pickup_link``.

        :return: the record of the link
        """
        link, pickup = self._make_pickup_link(key_days)
        user = self.sudo().user_id
        if not email_normalize(user.email):
            raise UserError(self.env._("%s has no email address.", user.name))
        send_link(pickup, "doorman.mail_template_pickup", link, user.email, user.lang)
        return pickup

    def _pickup_link_sent(self, then):
        """:param dict then: the action that follows
        :return: an action that tells where the link went"""
        return {
            "type": "ir.actions.client",
            "tag": "display_notification",
            "params": {
                "title": self.env._("Pick-up link sent"),
                "message": self.env._("Sent to %s.", self.sudo().user_id.email),
                "type": "success",
                "next": then,
            },
        }


class DoormanInvite(models.Model):
    _inherit = "doorman.invite"

    def _email_link(self, link, addresses):
        """Send the link of this invite, to each in the language that their account
        has, or else in that of the sender.

        :param list addresses: of email
        :raise UserError: if one cannot be sent: then none is kept
        """
        users = self.env["res.users"].sudo()
        for address in addresses:
            user = users.search([("email_normalized", "=", address)], limit=1)
            lang = user.lang or self.env.lang
            send_link(self.sudo(), "doorman.mail_template_invite", link, address, lang)
        self.sudo().message_post(
            body=self.env._(
                "%(who)s sent the link by email to %(addresses)s.",
                who=self.env.user.name,
                addresses=", ".join(addresses),
            )
        )
