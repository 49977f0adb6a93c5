from odoo import models


class DoormanNotice(models.Model):
    """Telling a channel of Discuss.

    Who is added to it later reads what was posted before: so the channel is a closed
    one, and what a record is called stands there only if each member may read it.
    """

    _inherit = "doorman.notice"

    def _tell_channel(self):
        settings = self.env["doorman.settings"]._get().sudo()
        channel = settings.notice_channel_id
        if not channel or not settings._is_closed_channel(channel):
            return
        text = self.with_context(lang=settings.notice_lang, tz="UTC")
        words = text._words()
        if not self._all_may_read(channel):
            words = {
                **words,
                "title": text.env._("An AI tool needs approval")
                if self.kind == "approval"
                else text.env._("Doorman has a notice for administrators"),
                "lines": [],
            }
        channel.message_post(
            author_id=self.env.ref("base.partner_root").id,
            body=text._html(words),
            message_type="comment",
            subtype_xmlid="mail.mt_comment",
        )

    def _all_may_read(self, channel):
        people = channel.channel_member_ids.partner_id.user_ids
        strangers = channel.channel_member_ids.filtered(
            lambda m: m.guest_id or not m.partner_id.user_ids
        )
        return not strangers and all(map(self._may_be_told, people))
