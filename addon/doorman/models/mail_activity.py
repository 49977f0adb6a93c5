from odoo import models


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def write(self, vals):
        """Odoo lets who an activity is assigned to hang it on another record, whose
        name it then shows, and whose chatter gets their words when it is done.

        :raise AccessError: for a record of Doorman's that the caller may not change
        """
        res = super().write(vals)
        if not self.env.su and {"res_id", "res_model", "res_model_id"} & vals.keys():
            for activity in self.sudo():
                model = activity.res_model or ""
                if model.startswith("doorman.") and activity.res_id:
                    record = self.env[model].browse(activity.res_id)
                    record.check_access("write")
        return res
