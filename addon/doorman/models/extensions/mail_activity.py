from odoo import models
from odoo.exceptions import AccessError, UserError

from ...policy.protected_fields import CONTEXT_KEY, SENTINEL

# Models that ask people for a decision -> the type of the activities by which.
ASKING = {
    "doorman.approval": "doorman.mail_activity_approval",
    "doorman.policy.change": "doorman.mail_activity_policy_change",
}


class MailActivity(models.Model):
    _inherit = "mail.activity"

    def write(self, vals):
        """Odoo lets who an activity is assigned to hang it on another record, whose
        name it then shows, and whose chatter gets their words when it is done.

        :raise AccessError: for a record of Doorman's that the caller may not change
        """
        self._doorman_keep()
        res = super().write(vals)
        if not self.env.su and {"res_id", "res_model", "res_model_id"} & vals.keys():
            for activity in self.sudo():
                model = activity.res_model or ""
                if model.startswith("doorman.") and activity.res_id:
                    record = self.env[model].browse(activity.res_id)
                    record.check_access("write")
        return res

    def unlink(self):
        """:raise AccessError: for the activity of a request that waits"""
        self._doorman_keep()
        return super().unlink()

    def _action_done(self, feedback=False, attachment_ids=None):
        """Done is not decided.

        :raise UserError: for the activity of a request that waits
        """
        if self._doorman_asking():
            raise UserError(
                self.env._(
                    "This activity is waiting for a decision: approve or reject the "
                    "request to complete it."
                )
            )
        return super()._action_done(feedback=feedback, attachment_ids=attachment_ids)

    # ---- the activities by which people are asked ----

    def _doorman_inside(self):
        return self.with_context(**{CONTEXT_KEY: SENTINEL})

    def _doorman_asking(self):
        """Those of these activities that ask for a decision."""
        known = self.env["ir.model.data"]
        kinds = {
            model: known._xmlid_to_res_id(xmlid, raise_if_not_found=False)
            for model, xmlid in ASKING.items()
        }
        return self.sudo().filtered(
            lambda a: (
                a.res_model in kinds and a.activity_type_id.id == kinds[a.res_model]
            )
        )

    def _doorman_keep(self):
        """What asks people stays until they have decided, as it is: neither moved to
        somebody else, nor put off, nor dropped.

        :raise AccessError: for such an activity
        """
        # Odoo itself drops the activities of people that are archived.
        if self.env.su or self.env.context.get(CONTEXT_KEY) is SENTINEL:
            return
        if self._doorman_asking():
            raise AccessError(
                self.env._(
                    "This activity is closed by a decision: approve or reject the "
                    "request."
                )
            )
