from odoo import models

from ...policy.change_scope import is_inside, refuse_inside


class ResPartner(models.Model):
    _inherit = "res.partner"

    def write(self, vals):
        if "email" in vals and is_inside(self.env.cr):
            # Theirs too: an AI tool that moves its own user's address could take the
            # account over.
            users = self.env["res.users"].sudo().with_context(active_test=False)
            found = users.search([("partner_id", "in", self.ids)]).partner_id
            if any((p.email or "") != (vals["email"] or "") for p in found):
                refuse_inside(self.env)
        return super().write(vals)
