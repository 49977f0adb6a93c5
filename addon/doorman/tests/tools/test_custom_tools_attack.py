from odoo.tests import tagged

from .test_custom_tools import OwnCase


@tagged("post_install", "-at_install")
class TestOwnToolsAttack(OwnCase):
    """Ways to have a published tool do something else."""

    def sends(self, **vals):
        self.env["res.lang"]._activate_lang("fr_FR")
        template = self.env["mail.template"].create(
            {
                "name": "Hello",
                "model_id": self.env["ir.model"]._get_id("res.partner"),
                "subject": "Hello",
                "body_html": "<p>Hello</p>",
            }
            | vals
        )
        action = self._action(
            state="mail_post", template_id=template.id, mail_post_method="comment"
        )
        own = self._own("send_it", action)
        self.publish(own)
        self.assertTrue(own._is_unchanged())
        # As if it had been published a while ago.
        self.env.cr.execute(
            "UPDATE mail_template SET write_date = write_date - interval '1 hour' "
            "WHERE id = %s",
            [template.id],
        )
        self.env.invalidate_all()
        own._inside().write({"fingerprint": own._fingerprint()})
        self.env.flush_all()
        return own, template

    def test_a_template_in_another_language(self):
        own, template = self.sends()
        template.update_field_translations("subject", {"fr_FR": "Payez ici"})
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(own._is_unchanged())

    def test_a_file_of_a_template(self):
        file = self.env["ir.attachment"].create({"name": "terms.txt", "raw": b"good"})
        own, _template = self.sends(attachment_ids=file.ids)
        file.raw = b"pay to this account"
        self.env.flush_all()
        self.env.invalidate_all()
        self.assertFalse(own._is_unchanged())
