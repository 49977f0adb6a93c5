from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError

# Whose chatter tells who changed what.
MAILED = ("email", "email_outgoing")
KEPT = ("doorman.connection", "doorman.settings", "doorman.approval")


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.model_create_multi
    def create(self, vals_list):
        """Odoo lets who posts a message, or composes an e-mail, say who wrote it.

        :raise AccessError: for words in another's mouth, and for e-mails, in a chatter
            of ours
        """
        messages = super().create(vals_list)
        # Also in sudo, where the composer makes its e-mails: the user is still theirs.
        if self.env.uid != SUPERUSER_ID:
            me = self.env.user.partner_id
            for message in messages.sudo():
                if message.model in KEPT and (
                    message.author_id != me or message.message_type in MAILED
                ):
                    raise AccessError(
                        self.env._("Here everybody writes in their own name.")
                    )
        return messages

    def write(self, vals):
        self._doorman_keep()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _doorman_refuse_unlink(self):
        self._doorman_keep()

    def _doorman_keep(self):
        """Odoo lets who may write a record also change and delete its messages: an
        administrator could change a policy and then the trace of it. What a person
        wrote themselves stays theirs.

        :raise AccessError: for what the chatter of Doorman's own records noted
        """
        if self.env.su:
            return
        if any(m.model in KEPT and m.message_type != "comment" for m in self.sudo()):
            raise AccessError(
                self.env._("What Doorman noted here cannot be changed or deleted.")
            )
