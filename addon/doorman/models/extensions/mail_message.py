from odoo import SUPERUSER_ID, api, models
from odoo.exceptions import AccessError

from ...policy.protected_fields import CONTEXT_KEY, SENTINEL

# What people say, and what Odoo notes of what they do; no emails, SMS, letters.
SAID = ("comment", "notification", "user_notification")
# Whose chatter tells who changed what.
KEPT = (
    "doorman.connection",
    "doorman.settings",
    "doorman.approval",
    "doorman.invite",
)


class MailMessage(models.Model):
    _inherit = "mail.message"

    @api.model_create_multi
    def create(self, vals_list):
        """Odoo lets people who post a message or compose an email name its author.

        :raise AccessError: for words in another's mouth, and for emails, in a chatter
            of ours
        """
        messages = super().create(vals_list)
        # Also in sudo, where the composer makes its emails: the user is still theirs.
        ours = self.env.context.get(CONTEXT_KEY) is SENTINEL
        if not ours and self.env.uid not in (SUPERUSER_ID, self._doorman_service()):
            for message in messages.sudo().filtered(lambda m: m.model in KEPT):
                self._doorman_check(message)
        return messages

    def _doorman_service(self):
        return self.env["doorman.settings"]._service_user_id()

    def _doorman_check(self, message):
        """Whether the user of this environment may have made a message."""
        user = self.env.user
        if message.author_id != user.partner_id or message.message_type not in SAID:
            raise AccessError(
                self.env._("You can only write messages here in your own name.")
            )
        record = self.env[message.model].with_user(user).browse(message.res_id)
        record.check_access("read")

    def write(self, vals):
        self._doorman_keep()
        return super().write(vals)

    @api.ondelete(at_uninstall=False)
    def _doorman_refuse_unlink(self):
        self._doorman_keep()

    def _doorman_keep(self):
        """Users who may write a record may also change and delete its messages: an
        administrator could change a policy and then the trace of it. What a person
        wrote themselves stays theirs.

        :raise AccessError: for what the chatter of Doorman's own records noted
        """
        if self.env.su:
            return
        if any(m.model in KEPT and m.message_type != "comment" for m in self.sudo()):
            raise AccessError(
                self.env._("Notes by Doorman cannot be changed or deleted.")
            )
